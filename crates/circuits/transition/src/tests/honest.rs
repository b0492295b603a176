//! Honest batches are proven and verified, in every class that a test can afford.

use std::time::Instant;

use tsz_air::{F, PrimeCharacteristicRing, Tamper, assert_degrees, report};
use tsz_ledger::Access;
use tsz_stark::Profile;
use tsz_testkit::damaged;

use super::fixture::*;
use crate::class::Class;
use crate::prove::public_values;
use crate::{ProveError, VerifyError, prove, verify};

#[test]
fn accepts_a_batch_of_several_algorithm_ids_with_repeated_cells() {
    let (tree, ops) = story();
    assert_eq!(verdict(&witness(&tree, &ops)), "accepted");
}

#[test]
fn accepts_a_single_op_with_a_single_read() {
    let (tree, _) = story();
    let ops = vec![(algorithm(9), vec![Access::read(A, value(10))])];
    let witness = witness(&tree, &ops);
    assert_eq!(witness.claim.s0, witness.claim.sn);
    assert_eq!(verdict(&witness), "accepted");
}

#[test]
fn accepts_tables_that_are_full_to_the_last_row() {
    let (tree, _) = story();
    let ops: Ops = (0..64).map(|k| (algorithm(k % 2), vec![Access::read(A, value(10))])).collect();
    let witness = witness(&tree, &ops);
    assert_eq!(witness.counts().access, 1 << TINY.access);
    let class = Class { tuple: 8, ..*TINY };
    assert_eq!(verdict_in(&class, &witness), "accepted");
}

#[test]
fn accepts_all_64_slots() {
    let (tree, _) = story();
    let ops: Ops = (0..64).map(|k| (algorithm(63 - k), vec![Access::read(A, value(10))])).collect();
    assert_eq!(verdict_in(&Class { tuple: 8, ..*TINY }, &witness(&tree, &ops)), "accepted");
}

#[test]
fn proves_and_verifies_in_the_base_profile() {
    let pk = TINY.setup(Profile::Base).unwrap();
    let (tree, ops) = story();
    let start = Instant::now();
    let (claim, proof) = prove(&pk, &context(), &ops, &tree).unwrap();
    let proven = start.elapsed();
    verify(pk.vk(), &claim, &proof).unwrap();
    assert_degrees(pk.vk().tables());
    println!("{}proved in {proven:?}, {} bytes", report(pk.vk().tables()), proof.len());
}

#[test]
fn proves_a_random_batch_of_64_ops() {
    let (tree, ops) = batch(1, Shape { ops: 64, accesses: 8, cells: 120, algorithms: 5 });
    let witness = witness(&tree, &ops);
    let class = Class::fitting(&witness.counts()).unwrap();
    assert_eq!(class.name, "small");
    let pk = class.setup(Profile::InsecureTest).unwrap();
    let (claim, proof) = witness.prove(&pk).unwrap();
    verify(pk.vk(), &claim, &proof).unwrap();
}

#[test]
fn rejects_a_proof_of_another_claim_and_damaged_bytes() {
    let pk = TINY.setup(Profile::InsecureTest).unwrap();
    let (tree, ops) = story();
    let (claim, proof) = prove(&pk, &context(), &ops, &tree).unwrap();
    verify(pk.vk(), &claim, &proof).unwrap();
    let wrong = [F::ONE; 8];
    for lie in [
        crate::tests::fixture::witness(&tree, &ops[..1].to_vec()).claim,
        tsz_ledger::TransitionClaim { s0: wrong, ..claim },
        tsz_ledger::TransitionClaim { sn: wrong, ..claim },
        tsz_ledger::TransitionClaim { set_root: wrong, ..claim },
        tsz_ledger::TransitionClaim { context: wrong, ..claim },
        tsz_ledger::TransitionClaim { ops: claim.ops + 1, ..claim },
    ] {
        assert!(matches!(verify(pk.vk(), &lie, &proof), Err(VerifyError::Stark(_))));
    }
    for ops in [0, 65, claim.ops + 0x7800_0001] {
        let lie = tsz_ledger::TransitionClaim { ops, ..claim };
        assert!(matches!(verify(pk.vk(), &lie, &proof), Err(VerifyError::Ops { .. })));
    }
    for (kind, bytes) in damaged(&proof, 3, 2000) {
        assert!(verify(pk.vk(), &claim, &bytes).is_err(), "{kind:?}");
    }
}

#[test]
fn refuses_batches_that_cannot_be_proven() {
    let (tree, ops) = story();
    let refusal = |ops: &Ops| crate::Witness::new(&context(), ops, &tree).unwrap_err();
    assert!(matches!(refusal(&vec![]), ProveError::NoOps));
    let mut lie = ops.clone();
    lie[1].1.clear();
    assert!(matches!(refusal(&lie), ProveError::Accesses { op: 1, got: 0 }));
    let mut lie = ops.clone();
    lie[1].1[0] = Access::read(B, value(11));
    assert!(matches!(refusal(&lie), ProveError::Cell(_)));
    let mut lie = ops.clone();
    lie[0].1[0].new = value(11);
    assert!(matches!(refusal(&lie), ProveError::Cell(_)));
    let many: Ops = (0..65).map(|k| (algorithm(k), vec![Access::read(A, value(10))])).collect();
    assert!(matches!(refusal(&many), ProveError::Set(_)));
    assert_eq!(verdict(&witness(&tree, &many[..64].to_vec())), "table tuple: 192 rows needed, 128 available");
}

#[test]
fn every_column_is_constrained() {
    let (tree, ops) = story();
    let witness = witness(&tree, &ops);
    let circuit = TINY.circuit(Profile::InsecureTest);
    let traces = witness.traces(&circuit.log_heights).unwrap();
    let publics = public_values(&witness.claim, traces.traces.len());
    let mut rows = traces.rows.clone();
    // the rest of the Poseidon2 table is padding
    rows[6] = 400;
    let tamper = |real_rows: &[usize], trials| {
        Tamper {
            airs: &circuit.airs,
            traces: &traces.traces,
            public_values: &publics,
            real_rows,
            trials,
            seed: 2,
        }
        .columns()
    };
    for column in tamper(&rows, 300) {
        assert!(column.noticed > 0, "{column:?}");
        // these tables have no cell on a real row that does not matter
        if ["access", "leaf", "merkle", "poseidon2", "range"].contains(&column.table.as_str()) {
            assert_eq!(column.noticed, column.trials, "{column:?}");
        }
    }
}

#[test]
fn rejects_a_proof_of_another_size_class() {
    let (tree, ops) = story();
    let other = Class { name: "other", leaf: 7, ..*TINY };
    let [ours, theirs] = [TINY, &other].map(|class| class.setup(Profile::InsecureTest).unwrap());
    let (claim, proof) = prove(&theirs, &context(), &ops, &tree).unwrap();
    verify(theirs.vk(), &claim, &proof).unwrap();
    assert!(matches!(verify(ours.vk(), &claim, &proof), Err(VerifyError::Stark(_))));
}

/// Times and sizes of the classes with the batches that they are made for; run with `--ignored --nocapture`.
#[test]
#[ignore = "minutes on a small machine"]
fn proves_a_batch_of_every_class() {
    for (name, ops, accounts) in TRANSFERS {
        let class = Class::named(name).unwrap();
        let (tree, ops) = transfers(3, ops, accounts);
        let start = Instant::now();
        let witness = witness(&tree, &ops);
        println!("{}: {:?}, witness {:?}", class.name, witness.counts(), start.elapsed());
        let pk = class.setup(Profile::Base).unwrap();
        let start = Instant::now();
        let traces = witness.traces(pk.vk().log_heights()).unwrap();
        println!("traces in {:?}", start.elapsed());
        drop(traces);
        let start = Instant::now();
        let (claim, proof) = witness.prove(&pk).unwrap();
        println!("proved in {:?}, {} bytes\n{}", start.elapsed(), proof.len(), report(pk.vk().tables()));
        let start = Instant::now();
        verify(pk.vk(), &claim, &proof).unwrap();
        println!("verified in {:?}", start.elapsed());
    }
}
