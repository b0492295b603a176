//! One test for each lie.

use tsz_ledger::tuple::SetError;

use super::*;

/// The error of batch `index`.
fn batch_error(bundle: &Bundle, at: usize) -> BatchError {
    match run(bundle) {
        Err(AggregationError::Batch { index, error }) if index == at => error,
        other => panic!("expected an error in batch {at}, got {other:?}"),
    }
}

/// The error of exec proof `at` of batch 0.
fn exec_error(bundle: &Bundle, at: usize) -> ExecError {
    match batch_error(bundle, 0) {
        BatchError::Exec { index, error } if index == at => error,
        other => panic!("expected an error in exec proof {at}, got {other:?}"),
    }
}

#[test]
fn rejects_an_unlisted_vk() {
    let mut b = bundle();
    let (fund, _) = places(&b.batches[0]);
    b.batches[0].execs[fund].vk = vk_ref(&tree(), Family::Fund.algorithm(), UNLISTED);
    reseal(&mut b);
    assert!(matches!(exec_error(&b, fund), ExecError::Vk));
}

#[test]
fn rejects_an_unlisted_transition_vk() {
    let mut b = bundle();
    b.batches[1].transition.vk = vk_ref(&tree(), transition_algorithm(), UNLISTED);
    reseal(&mut b);
    assert!(matches!(batch_error(&b, 1), BatchError::TransitionVk));
}

#[test]
fn rejects_a_listed_vk_under_another_algorithm() {
    let mut b = bundle();
    let (_, spot) = places(&b.batches[0]);
    // A fund key, with its true place in the tree, for the spot leaf.
    b.batches[0].execs[spot].vk = vk_ref(&tree(), Family::Fund.algorithm(), FUND_SMALL);
    reseal(&mut b);
    assert!(matches!(exec_error(&b, spot), ExecError::Vk));
}

#[test]
fn rejects_an_op_counted_under_another_algorithm() {
    let mut b = bundle();
    let (fund, spot) = places(&b.batches[0]);
    // The spot leaf is renamed to fund's algorithm on both sides: the set has two leaves of one algorithm.
    let algorithm = Family::Fund.algorithm();
    b.batches[0].execs[spot].claim.algorithm = algorithm;
    b.batches[0].execs[spot].vk = b.batches[0].execs[fund].vk;
    b.batches[0].leaves.iter_mut().for_each(|l| l.algorithm = algorithm);
    reseal(&mut b);
    assert!(matches!(batch_error(&b, 0), BatchError::Set(SetError::Unsorted(1))));
}

#[test]
fn rejects_a_transition_key_as_exec_key() {
    let mut b = bundle();
    b.batches[0].execs[0].claim.algorithm = transition_algorithm();
    b.batches[0].execs[0].vk = vk_ref(&tree(), transition_algorithm(), TRANSITION);
    reseal(&mut b);
    assert!(matches!(exec_error(&b, 0), ExecError::TransitionAlgorithm));
}

#[test]
fn rejects_a_leaf_that_no_proof_meets() {
    let mut b = bundle();
    let (_, spot) = places(&b.batches[0]);
    b.batches[0].execs.remove(spot);
    assert!(matches!(batch_error(&b, 0), BatchError::Unmet(_)));
}

#[test]
fn rejects_a_leaf_met_twice() {
    let mut b = bundle();
    let (_, spot) = places(&b.batches[0]);
    let again = b.batches[0].execs[spot].clone();
    b.batches[0].execs.insert(spot + 1, again);
    assert!(matches!(exec_error(&b, spot + 1), ExecError::MetTwice(_)));
}

#[test]
fn rejects_a_proof_left_over() {
    let mut b = bundle();
    let (fund, spot) = places(&b.batches[0]);
    // A second chain for the leaf that comes first, after the proofs of the other leaf.
    let first = fund.min(spot);
    let mut again = b.batches[0].execs[first].clone();
    again.claim.has_begin = false;
    b.batches[0].execs.push(again);
    reseal(&mut b);
    assert!(matches!(exec_error(&b, 3), ExecError::LeftOver));
}

#[test]
fn rejects_a_proof_of_an_algorithm_outside_the_set() {
    let mut b = bundle();
    let perp = Family::Perp.algorithm();
    let entries = tree().entries().to_vec();
    let wider =
        VkTree::new(entries.into_iter().chain([VkEntry { algorithm: perp, vk: digest(SPOT) }])).unwrap();
    for batch in &mut b.batches {
        let listed = |a, vk: &VkRef| {
            let entry = VkEntry { algorithm: a, vk: vk.digest };
            VkRef { digest: vk.digest, membership: wider.prove(&entry).unwrap() }
        };
        batch.transition.vk = listed(transition_algorithm(), &batch.transition.vk);
        batch.execs.iter_mut().for_each(|e| e.vk = listed(e.claim.algorithm, &e.vk));
        let mut extra = batch.execs[0].clone();
        (extra.claim.algorithm, extra.claim.has_begin) = (perp, false);
        extra.vk = listed(perp, &VkRef { digest: digest(SPOT), ..extra.vk });
        batch.execs.push(extra);
    }
    reseal(&mut b);
    let error = check(&b.to_bytes(), &Seals { root: wider.root() }, None).unwrap_err();
    let AggregationError::Batch { index: 0, error: BatchError::Exec { index: 3, error } } = error else {
        panic!("{error}");
    };
    assert!(matches!(error, ExecError::LeftOver));
}

#[test]
fn rejects_a_gap_between_ranges() {
    let mut b = bundle();
    let (fund, _) = places(&b.batches[0]);
    b.batches[0].execs[fund + 1].claim.start = digest(9);
    reseal(&mut b);
    assert!(matches!(exec_error(&b, fund + 1), ExecError::Gap));
}

#[test]
fn rejects_a_range_that_does_not_start_at_the_context() {
    let mut b = bundle();
    let (_, spot) = places(&b.batches[0]);
    b.batches[0].execs[spot].claim.start = digest(9);
    reseal(&mut b);
    assert!(matches!(exec_error(&b, spot), ExecError::Gap));
}

#[test]
fn rejects_ranges_in_another_order() {
    let mut b = bundle();
    let (fund, _) = places(&b.batches[0]);
    b.batches[0].execs.swap(fund, fund + 1);
    assert!(matches!(exec_error(&b, fund), ExecError::Gap));
}

#[test]
fn rejects_a_missing_last_range() {
    let mut b = bundle();
    let (fund, _) = places(&b.batches[0]);
    b.batches[0].execs.remove(fund + 1);
    assert!(matches!(batch_error(&b, 0), BatchError::Unfinished { expected: 5, got: 3, .. }));
}

#[test]
fn rejects_another_commitment_at_the_end() {
    let mut b = bundle();
    let (_, spot) = places(&b.batches[0]);
    b.batches[0].execs[spot].claim.end = digest(9);
    reseal(&mut b);
    assert!(matches!(batch_error(&b, 0), BatchError::Commitment(_)));
}

#[test]
fn rejects_another_count() {
    let (_, spot) = places(&bundle().batches[0]);
    let mut more = bundle();
    more.batches[0].execs[spot].claim.count += 1;
    reseal(&mut more);
    assert!(matches!(exec_error(&more, spot), ExecError::Count { expected: 4, got: 5 }));
    let mut less = bundle();
    less.batches[0].execs[spot].claim.count -= 1;
    reseal(&mut less);
    assert!(matches!(batch_error(&less, 0), BatchError::Unfinished { expected: 4, got: 3, .. }));
    let mut none = bundle();
    none.batches[0].execs[spot].claim.count = 0;
    reseal(&mut none);
    assert!(matches!(exec_error(&none, spot), ExecError::EmptyRange));
}

#[test]
fn rejects_an_op_count_that_is_not_the_sum_of_the_leaves() {
    let mut b = bundle();
    b.batches[0].header.ops += 1;
    reseal(&mut b);
    assert!(matches!(batch_error(&b, 0), BatchError::Ops { expected: 10, got: 9 }));
}

#[test]
fn rejects_a_count_that_aliases_modulo_the_field_order() {
    let mut b = bundle();
    b.batches[0].header.ops += F::ORDER_U32;
    b.batches[0].leaves[0].count += F::ORDER_U32;
    reseal(&mut b);
    assert!(matches!(run(&b), Err(AggregationError::Decode(_))));
    assert!(matches!(undecoded(&b), BatchError::Width("op count")));
}

/// The error of a bundle that is checked without being encoded.
fn undecoded(bundle: &Bundle) -> BatchError {
    match check_bundle(bundle, &verifier(), None) {
        Err(AggregationError::Batch { error, .. }) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn rejects_batch_numbers_and_times_that_alias_above_u48() {
    let mut number = bundle();
    number.batches[0].header.context.batch += 1 << 48;
    assert!(matches!(run(&number), Err(AggregationError::Decode(_))));
    number.batches.truncate(1);
    assert!(matches!(undecoded(&number), BatchError::Width("batch number or time")));
    let mut time = bundle();
    time.batches[1].execs[0].claim.context.time += 1 << 48;
    assert!(matches!(run(&time), Err(AggregationError::Decode(_))));
}

#[test]
fn rejects_swapped_claims() {
    let mut b = bundle();
    let (fund, spot) = places(&b.batches[0]);
    let (x, y) = (b.batches[0].execs[fund].proof.clone(), b.batches[0].execs[spot].proof.clone());
    b.batches[0].execs[fund].proof = y;
    b.batches[0].execs[spot].proof = x;
    assert!(matches!(exec_error(&b, fund.min(spot)), ExecError::Proof(_)));
}

#[test]
fn rejects_roots_that_do_not_chain() {
    let mut b = bundle();
    b.batches[1].header.s0 = digest(9);
    reseal(&mut b);
    assert!(matches!(batch_error(&b, 1), BatchError::RootChain));
}

#[test]
fn rejects_a_changed_root() {
    let mut b = bundle();
    b.batches[1].header.sn = digest(9);
    assert!(matches!(batch_error(&b, 1), BatchError::Transition(_)));
}

#[test]
fn rejects_another_time() {
    let mut b = bundle();
    b.batches[0].execs[0].claim.context.time += 1;
    reseal(&mut b);
    assert!(matches!(exec_error(&b, 0), ExecError::Context));
    let mut header = bundle();
    header.batches[0].header.context.time -= 1;
    reseal(&mut header);
    assert!(matches!(exec_error(&header, 0), ExecError::Context));
}

#[test]
fn rejects_a_transition_proof_of_another_set() {
    let mut b = bundle();
    let other = batch(b.batches[0].header.context, digest(1), digest(2), 3000);
    b.batches[0].transition = other.transition.clone();
    assert!(matches!(batch_error(&b, 0), BatchError::Transition(_)));
    // With the other set's root in the header, the leaves no longer hash to it.
    b.batches[0].header.set_root = other.header.set_root;
    assert!(matches!(batch_error(&b, 0), BatchError::SetRoot));
}

#[test]
fn rejects_a_changed_leaf_of_the_set() {
    for change in
        [|l: &mut tsz_ledger::SetLeaf| l.count += 1, |l: &mut tsz_ledger::SetLeaf| l.commitment = digest(9)]
    {
        let mut b = bundle();
        change(&mut b.batches[0].leaves[0]);
        assert!(matches!(batch_error(&b, 0), BatchError::SetRoot));
    }
    let mut empty = bundle();
    empty.batches[0].leaves[1].count = 0;
    assert!(matches!(batch_error(&empty, 0), BatchError::Set(SetError::Empty(1))));
    let mut swapped = bundle();
    swapped.batches[0].leaves.swap(0, 1);
    assert!(matches!(batch_error(&swapped, 0), BatchError::Set(SetError::Unsorted(1))));
}

#[test]
fn rejects_a_batch_without_begin_batch_or_with_two() {
    let (fund, spot) = places(&bundle().batches[0]);
    let mut none = bundle();
    none.batches[0].execs[fund].claim.has_begin = false;
    reseal(&mut none);
    assert!(matches!(batch_error(&none, 0), BatchError::BeginCount(0)));
    let mut two = bundle();
    two.batches[0].execs[fund + 1].claim.has_begin = true;
    reseal(&mut two);
    assert!(matches!(batch_error(&two, 0), BatchError::BeginCount(2)));
    let mut other = bundle();
    other.batches[0].execs[fund].claim.has_begin = false;
    other.batches[0].execs[spot].claim.has_begin = true;
    reseal(&mut other);
    assert!(matches!(exec_error(&other, spot), ExecError::BeginAlgorithm));
}

#[test]
fn rejects_a_replayed_proof_of_another_batch() {
    let mut b = bundle();
    let (_, spot) = places(&b.batches[1]);
    b.batches[0].execs[spot] = b.batches[1].execs[spot].clone();
    assert!(matches!(exec_error(&b, spot), ExecError::Context));
    // With the context rewritten, the capacities and the proof betray it.
    b.batches[0].execs[spot].claim.context = b.batches[0].header.context;
    assert!(matches!(exec_error(&b, spot), ExecError::Gap));
}

#[test]
fn rejects_a_replayed_batch() {
    let mut b = bundle();
    b.batches[1] = b.batches[0].clone();
    assert!(matches!(batch_error(&b, 1), BatchError::Number { expected: 5, got: 4 }));
}

#[test]
fn rejects_a_skipped_batch_and_time_running_backwards_and_another_system() {
    let context = |system, batch, time| BatchContext { system, batch, time, params: digest(6) };
    let next = |c| Bundle { batches: vec![bundle().batches[0].clone(), batch(c, digest(2), digest(3), 1)] };
    let skipped = next(context(system(), 6, 1_000));
    assert!(matches!(batch_error(&skipped, 1), BatchError::Number { expected: 5, got: 6 }));
    let backwards = next(context(system(), 5, 999));
    assert!(matches!(batch_error(&backwards, 1), BatchError::Time { previous: 1_000, got: 999 }));
    let other = next(context(digest(8), 5, 1_000));
    assert!(matches!(batch_error(&other, 1), BatchError::System));
}

#[test]
fn rejects_an_empty_bundle() {
    assert!(matches!(run(&Bundle::default()), Err(AggregationError::Empty)));
}

#[test]
fn rejects_what_is_not_expected() {
    let bytes = bundle().to_bytes();
    let good = Expectation {
        first_root: Some(digest(1)),
        last_root: Some(digest(3)),
        first_batch: Some(4),
        system: Some(system()),
        vk_root: Some(tree().root()),
    };
    let with = |e: Expectation| check(&bytes, &verifier(), Some(&e));
    with(good).unwrap();
    let other = Some(digest(9));
    assert!(matches!(with(Expectation { first_root: other, ..good }), Err(AggregationError::FirstRoot)));
    assert!(matches!(with(Expectation { last_root: other, ..good }), Err(AggregationError::LastRoot)));
    assert!(matches!(with(Expectation { system: other, ..good }), Err(AggregationError::System)));
    assert!(matches!(with(Expectation { vk_root: other, ..good }), Err(AggregationError::VkRoot)));
    let number = with(Expectation { first_batch: Some(5), ..good });
    assert!(matches!(number, Err(AggregationError::FirstBatch { expected: 5, got: 4 })));
}

#[test]
fn rejects_a_listed_key_without_a_verifier() {
    let set = VkSet::new(tree().root());
    let error = check(&bundle().to_bytes(), &set, None).unwrap_err();
    let AggregationError::Batch { index: 0, error: BatchError::Transition(ProofError::UnknownVk) } = error
    else {
        panic!("{error}");
    };
}
