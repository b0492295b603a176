//! A small circuit: values looked up in a preprocessed table, a running sum bound to a public value.

mod committed;

use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use p3_lookup::{InteractionBuilder, LookupBus};
use p3_matrix::dense::RowMajorMatrix;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::balance::BASE;
use crate::security::{security, security_of, with_fewest_queries};
use crate::*;

const BUS: LookupBus<'static> = LookupBus::new("small");
const LOG_USER: usize = 8;
const LOG_TABLE: usize = 6;

#[derive(Clone)]
enum SmallAir {
    /// (value, running sum, twist * value): values below 2^6; the last sum is public.
    User { twist: u32 },
    /// (multiplicity) of the preprocessed 0..2^6.
    Table,
}

impl TableAir for SmallAir {
    fn name(&self) -> String {
        match self {
            Self::User { .. } => "user".into(),
            Self::Table => "table".into(),
        }
    }
}

impl BaseAir<F> for SmallAir {
    fn width(&self) -> usize {
        match self {
            Self::User { .. } => 3,
            Self::Table => 1,
        }
    }
    fn preprocessed_width(&self) -> usize {
        matches!(self, Self::Table).into()
    }
    fn preprocessed_trace(&self) -> Option<RowMajorMatrix<F>> {
        let table = || RowMajorMatrix::new((0..1 << LOG_TABLE).map(F::from_u32).collect(), 1);
        matches!(self, Self::Table).then(table)
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        match self {
            Self::User { .. } => vec![0, 1],
            Self::Table => vec![],
        }
    }
    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
    fn num_public_values(&self) -> usize {
        matches!(self, Self::User { .. }).into()
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for SmallAir {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = main.current_slice();
        match self {
            Self::User { twist } => {
                let next = main.next_slice();
                builder.assert_eq(row[2], row[0] * F::from_u32(*twist));
                builder.when_first_row().assert_eq(row[1], row[0]);
                builder.when_transition().assert_eq(next[1], row[1] + next[0]);
                let total = builder.public_values()[0];
                builder.when_last_row().assert_eq(row[1], total);
                BUS.lookup_key(builder, [row[0]], 1);
            }
            Self::Table => {
                let value = builder.preprocessed().current_slice()[0];
                BUS.table_entry(builder, [value], row[0]);
            }
        }
    }
}

fn circuit(profile: Profile, twist: u32) -> Circuit<SmallAir> {
    Circuit::new(profile, [(SmallAir::User { twist }, LOG_USER), (SmallAir::Table, LOG_TABLE)])
}

fn witness(twist: u32, seed: u64) -> (Vec<Trace>, Vec<Vec<F>>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut counts = vec![F::ZERO; 1 << LOG_TABLE];
    let (mut rows, mut sum) = (Vec::new(), F::ZERO);
    for _ in 0..1 << LOG_USER {
        let v: u32 = rng.random_range(0..1 << LOG_TABLE);
        counts[v as usize] += F::ONE;
        sum += F::from_u32(v);
        rows.extend([F::from_u32(v), sum, F::from_u32(v * twist)]);
    }
    (vec![RowMajorMatrix::new(rows, 3), RowMajorMatrix::new(counts, 1)], vec![vec![sum], vec![]])
}

fn honest(profile: Profile) -> (ProvingKey<SmallAir>, Vec<u8>, Vec<Vec<F>>) {
    let pk = setup(circuit(profile, 5)).unwrap();
    let (traces, publics) = witness(5, 1);
    let bytes = prove(&pk, &traces, &publics).unwrap().to_bytes().unwrap();
    (pk, bytes, publics)
}

#[test]
fn accepts_an_honest_proof_in_both_profiles() {
    for profile in [Profile::Base, Profile::InsecureTest] {
        let (pk, bytes, publics) = honest(profile);
        verify(pk.vk(), &bytes, &publics).unwrap();
    }
}

#[test]
fn rejects_wrong_public_values() {
    let (pk, bytes, mut publics) = honest(Profile::InsecureTest);
    publics[0][0] += F::ONE;
    assert!(matches!(verify(pk.vk(), &bytes, &publics), Err(VerifyError::Invalid(_))));
    publics[0].push(F::ONE);
    assert!(matches!(verify(pk.vk(), &bytes, &publics), Err(VerifyError::PublicValues { .. })));
    assert!(matches!(verify(pk.vk(), &bytes, &[]), Err(VerifyError::PublicValues { .. })));
}

#[test]
fn rejects_a_false_statement() {
    let pk = setup(circuit(Profile::InsecureTest, 5)).unwrap();
    for (column, row) in [(0, 0), (1, 7), (2, 255)] {
        let (mut traces, publics) = witness(5, 1);
        traces[0].values[row * 3 + column] += F::ONE;
        let bytes = prove(&pk, &traces, &publics).unwrap().to_bytes().unwrap();
        assert!(matches!(verify(pk.vk(), &bytes, &publics), Err(VerifyError::Invalid(_))));
    }
}

#[test]
fn rejects_a_value_outside_the_table() {
    // Every constraint of the user table holds: only the bus does not balance.
    let pk = setup(circuit(Profile::InsecureTest, 5)).unwrap();
    let (mut traces, mut publics) = witness(5, 1);
    let last = traces[0].values.len() - 3;
    traces[0].values[last] += F::from_u32(64);
    traces[0].values[last + 1] += F::from_u32(64);
    traces[0].values[last + 2] += F::from_u32(5 * 64);
    publics[0][0] += F::from_u32(64);
    let bytes = prove(&pk, &traces, &publics).unwrap().to_bytes().unwrap();
    assert!(matches!(verify(pk.vk(), &bytes, &publics), Err(VerifyError::Invalid(_))));
}

#[test]
fn a_constraint_or_height_or_profile_changes_the_digest_and_refuses_the_proof() {
    let (pk, bytes, publics) = honest(Profile::InsecureTest);
    let digest = *pk.vk().digest();
    assert_eq!(digest, *setup(circuit(Profile::InsecureTest, 5)).unwrap().vk().digest());

    let other = setup(circuit(Profile::InsecureTest, 6)).unwrap();
    assert_ne!(digest, *other.vk().digest());
    assert!(verify(other.vk(), &bytes, &publics).is_err());

    let base = setup(circuit(Profile::Base, 5)).unwrap();
    assert_ne!(digest, *base.vk().digest());
    assert!(matches!(verify(base.vk(), &bytes, &publics), Err(VerifyError::Shape(_))));

    let mut taller = circuit(Profile::InsecureTest, 5);
    taller.log_heights[0] += 1;
    let taller = setup(taller).unwrap();
    assert_ne!(digest, *taller.vk().digest());
    assert!(matches!(verify(taller.vk(), &bytes, &publics), Err(VerifyError::Shape(_))));
}

#[test]
fn rejects_a_proof_whose_transcript_has_another_vk() {
    // Same AIRs, same shapes, same challenges but for the seed of the transcript.
    let (pk, bytes, publics) = honest(Profile::InsecureTest);
    let mut forged = setup(circuit(Profile::InsecureTest, 5)).unwrap();
    let vk = std::sync::Arc::get_mut(&mut forged.vk).unwrap();
    vk.config = crate::config::config(&vk.params, &tsz_hash::ZERO);
    verify(pk.vk(), &bytes, &publics).unwrap();
    assert!(matches!(verify(forged.vk(), &bytes, &publics), Err(VerifyError::Invalid(_))));
}

#[test]
fn setup_refuses_short_tables() {
    let mut short = circuit(Profile::InsecureTest, 5);
    short.log_heights[0] = MIN_LOG_HEIGHT - 1;
    assert!(matches!(setup(short), Err(SetupError::Height { .. })));
    let mut wrong = circuit(Profile::InsecureTest, 5);
    wrong.log_heights[1] += 1;
    assert!(matches!(setup(wrong), Err(SetupError::Preprocessed { .. })));
}

#[test]
fn base_keys_have_the_fewest_queries_that_prove_100_bits() {
    let mut queries = Vec::new();
    for profile in BASE {
        let (pk, bytes, publics) = honest(profile);
        verify(pk.vk(), &bytes, &publics).unwrap();
        let s = security(pk.vk());
        assert!(s.proven_bits >= MIN_PROVEN_BITS, "{s:?}");
        assert!(s.conjectured_bits >= s.proven_bits);
        assert!(s.proven_terms.iter().any(|t| t.label == "logup-fingerprint"));
        let params = *pk.vk().params();
        let fewer = FriParams { num_queries: params.num_queries - 1, ..params };
        assert!(security_of(&fewer, pk.vk().tables()).proven_bits < MIN_PROVEN_BITS);
        assert_eq!(FriParams { num_queries: 0, ..params }, FriParams { num_queries: 0, ..profile.params() });
        queries.push(params.num_queries);
    }
    // More grinding takes fewer queries.
    let ground = queries.remove(3);
    assert!(ground < queries[2]);
    let ratios = queries.windows(2).map(|pair| pair[0] as f64 / pair[1] as f64);
    assert!(ratios.zip([1.5, 1.25, 1.15]).all(|(ratio, least)| ratio > least), "{queries:?}");
}

#[test]
fn a_key_with_other_queries_or_blow_up_is_another_key() {
    let (pk, bytes, publics) = honest(Profile::Base8);
    let mut digests = vec![*pk.vk().digest()];
    for profile in [Profile::Base, Profile::Base4] {
        let other = setup(circuit(profile, 5)).unwrap();
        assert!(matches!(verify(other.vk(), &bytes, &publics), Err(VerifyError::Shape(_))));
        digests.push(*other.vk().digest());
    }
    // One query less: the digest commits to it, and the proof has another shape.
    let mut fewer = setup(circuit(Profile::Base8, 5)).unwrap();
    let vk = std::sync::Arc::get_mut(&mut fewer.vk).unwrap();
    vk.params.num_queries -= 1;
    assert!(matches!(verify(&fewer.vk, &bytes, &publics), Err(VerifyError::Shape(_))));
    let (preimage, _) = digest::vk_preimage(
        &fewer.vk.air_digests,
        &fewer.vk.log_heights,
        fewer.vk.preprocessed_commitment(),
        &fewer.vk.params,
    );
    digests.push(tsz_hash::hash(tsz_hash::Domain::Vk, &preimage));
    for (k, digest) in digests.iter().enumerate() {
        assert!(!digests[..k].contains(digest));
    }
}

#[test]
fn a_base_circuit_is_proven_as_the_estimate_says() {
    let choice = |log: usize| {
        let mut circuit = circuit(Profile::Base, 5);
        circuit.log_heights[0] = log;
        let estimates = circuit.estimates();
        assert!(estimates.iter().map(|e| e.profile).eq(BASE));
        let best = crate::balance::Estimate::cheapest(estimates).unwrap();
        let balanced = circuit.balanced();
        assert_eq!(balanced.profile, best.profile);
    };
    // What setup finds, from the tables before there is a key.
    let setup_of = |profile| setup(circuit(profile, 5)).unwrap().vk().params().num_queries;
    let estimates = circuit(Profile::Base, 5).estimates();
    assert!(estimates.iter().all(|e| e.queries == setup_of(e.profile)), "{estimates:?}");
    [5, 12, 20].into_iter().for_each(choice);
    // Others are what they are, and a circuit may name its own.
    assert_eq!(circuit(Profile::InsecureTest, 5).balanced().profile, Profile::InsecureTest);
    assert_eq!(circuit(Profile::Base8, 5).balanced().profile, Profile::Base8);
    assert_eq!(circuit(Profile::Base, 5).preferring(Profile::Base4).balanced().profile, Profile::Base4);
    assert_eq!(circuit(Profile::InsecureTest, 5).preferring(Profile::Base4).profile, Profile::InsecureTest);
}

#[test]
fn base_profiles_are_proven_to_100_bits_for_the_largest_circuits() {
    // Wider, taller and with more messages than any circuit of the system: 12,000 columns at 2^20 rows.
    let (pk, _, _) = honest(Profile::InsecureTest);
    let table = TableInfo {
        log_height: 20,
        width: 500,
        aux_width: 80,
        constraints: 1000,
        degree: 3,
        quotient_chunks: 2,
        interactions: 38,
        max_message_width: 24,
        main_next: true,
        ..pk.vk().tables()[0].clone()
    };
    for profile in BASE {
        let s = security_of(&profile.params(), &vec![table.clone(); 24]);
        assert!(s.proven_bits >= 100.0, "{profile:?} {s:?}");
        assert!(!profile.is_insecure());
    }
    let insecure = security(pk.vk());
    assert!(insecure.proven_bits < 10.0 && Profile::InsecureTest.is_insecure());
}

#[test]
fn fri_counts_the_sum_of_its_query_phase_and_its_folding_rounds() {
    let (pk, _, _) = honest(Profile::Base8);
    let (params, tables) = (*pk.vk().params(), pk.vk().tables());
    let ldt = |params: &FriParams| {
        let terms = security_of(params, tables).proven_terms;
        terms.iter().find(|t| t.label == "low-degree-test").unwrap().bits
    };
    // With a thousand queries only the folding rounds count, with none of their grinding they count more.
    let folds = ldt(&FriParams { num_queries: 1000, ..params });
    let cheap = ldt(&FriParams { num_queries: 1000, commit_pow_bits: 0, ..params });
    assert!((folds - cheap - 16.0).abs() < 1e-9, "{folds} {cheap}");
    // With grinding beyond all measure only the queries do.
    let queries = ldt(&FriParams { commit_pow_bits: 400, ..params });
    let sum = -((-folds).exp2() + (-queries).exp2()).log2();
    // The regime may be another where the queries are other.
    assert!(ldt(&params) <= queries && ldt(&params) <= sum + 1.0, "{} {folds} {queries}", ldt(&params));
}

#[test]
fn a_key_that_cannot_prove_100_bits_is_no_key() {
    let (pk, _, _) = honest(Profile::Base8);
    let many = vec![TableInfo { log_height: 26, width: 1 << 20, ..pk.vk().tables()[0].clone() }; 4];
    for profile in BASE {
        assert_eq!(with_fewest_queries(profile.params(), &many, MIN_PROVEN_BITS), None);
    }
    // At other heights a key has the queries that those take.
    let preprocessed = pk.vk().preprocessed_commitment().unwrap().clone();
    let heights = pk.vk().log_heights().to_vec();
    let same = pk.vk().resized(&heights, preprocessed.clone()).unwrap();
    assert_eq!(same.digest(), pk.vk().digest());
    let taller: Vec<usize> = heights.iter().map(|height| height + 10).collect();
    let taller = pk.vk().resized(&taller, preprocessed).unwrap();
    assert!(taller.params().num_queries > pk.vk().params().num_queries);
    assert!(security(&taller).proven_bits >= MIN_PROVEN_BITS);
    let fewer = FriParams { num_queries: taller.params().num_queries - 1, ..*taller.params() };
    assert!(security_of(&fewer, taller.tables()).proven_bits < MIN_PROVEN_BITS);
}

#[test]
fn rejects_other_encodings_of_the_same_proof() {
    let (pk, bytes, publics) = honest(Profile::InsecureTest);
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(matches!(verify(pk.vk(), &longer, &publics), Err(VerifyError::NotCanonical)));
    // The first byte is the length of the main cap, 1: as a varint of two bytes it decodes to the same proof.
    assert_eq!(bytes[0], 1);
    let padded = [&[0x81, 0x00], &bytes[1..]].concat();
    assert!(matches!(verify(pk.vk(), &padded, &publics), Err(VerifyError::NotCanonical)));
    let huge = vec![0; MAX_PROOF_BYTES + 1];
    assert!(matches!(verify(pk.vk(), &huge, &publics), Err(VerifyError::TooLong { .. })));
}

#[test]
fn never_accepts_damaged_bytes_of_a_base_proof() {
    let (pk, bytes, publics) = honest(Profile::Base);
    let mut rng = StdRng::seed_from_u64(8);
    for _ in 0..200 {
        let mut damaged = bytes.clone();
        let at = rng.random_range(0..damaged.len());
        damaged[at] ^= 1 << rng.random_range(0..8);
        let error = verify(pk.vk(), &damaged, &publics).unwrap_err();
        assert!(!matches!(error, VerifyError::Panicked), "{error}");
    }
}

#[test]
fn never_panics_and_never_accepts_damaged_bytes() {
    let (pk, bytes, publics) = honest(Profile::InsecureTest);
    let mut rng = StdRng::seed_from_u64(7);
    let refuse = |damaged: &[u8]| match verify(pk.vk(), damaged, &publics) {
        Ok(()) => panic!("accepted"),
        Err(VerifyError::Panicked) => panic!("panicked"),
        Err(_) => {}
    };
    for _ in 0..1000 {
        refuse(&bytes[..rng.random_range(0..bytes.len())]);
    }
    for _ in 0..4000 {
        let mut damaged = bytes.clone();
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(0..damaged.len());
            damaged[at] ^= 1 << rng.random_range(0..8);
        }
        if damaged != bytes {
            refuse(&damaged);
        }
    }
    for _ in 0..2000 {
        // A stretch of random bytes, which hits lengths and options as well as values.
        let mut damaged = bytes.clone();
        let at = rng.random_range(0..damaged.len());
        let end = (at + rng.random_range(1..64)).min(damaged.len());
        rng.fill(&mut damaged[at..end]);
        refuse(&damaged);
    }
    for _ in 0..500 {
        let mut noise = vec![0; rng.random_range(0..4096)];
        rng.fill(&mut noise[..]);
        refuse(&noise);
    }
}

fn cut<T>(vector: &mut Vec<T>) {
    vector.pop();
}

/// Applies a change to the decoded proof and verifies it past the decoder.
fn after(change: impl FnOnce(&mut p3_batch_stark::BatchProof<Config>)) -> VerifyError {
    let (pk, bytes, publics) = honest(Profile::InsecureTest);
    let mut proof = Proof(postcard::from_bytes(&bytes).unwrap());
    change(&mut proof.0);
    verify_proof(pk.vk(), &proof, &publics).unwrap_err()
}

#[test]
fn rejects_every_vector_of_a_wrong_length_before_arithmetic() {
    type Change = fn(&mut p3_batch_stark::BatchProof<Config>);
    let changes: &[Change] = &[
        |p| cut(&mut p.opened_values.instances),
        |p| cut(&mut p.degree_bits),
        |p| p.degree_bits[0] = 9,
        |p| p.degree_bits[0] = usize::MAX,
        |p| cut(&mut p.lookup_terminals),
        |p| p.lookup_terminals[0] = None,
        |p| p.commitments.permutation = None,
        |p| p.commitments.random = Some(p.commitments.main.clone()),
        |p| p.lookup_pow_witness = None,
        |p| cut(&mut p.opened_values.instances[0].base_opened_values.trace_local),
        |p| p.opened_values.instances[0].base_opened_values.trace_next = None,
        |p| p.opened_values.instances[1].base_opened_values.trace_next = Some(vec![]),
        |p| p.opened_values.instances[1].base_opened_values.preprocessed = None,
        |p| p.opened_values.instances[0].base_opened_values.random = Some(vec![]),
        |p| cut(&mut p.opened_values.instances[0].base_opened_values.quotient_chunks),
        |p| cut(&mut p.opened_values.instances[0].base_opened_values.quotient_chunks[0]),
        |p| cut(&mut p.opened_values.instances[0].permutation_local),
        |p| cut(&mut p.opened_values.instances[0].permutation_next),
        |p| cut(&mut p.opening_proof.commit_phase_commits),
        |p| cut(&mut p.opening_proof.commit_pow_witnesses),
        |p| cut(&mut p.opening_proof.commit_phase_openings),
        |p| cut(&mut p.opening_proof.commit_phase_openings[0].sibling_values),
        |p| cut(&mut p.opening_proof.commit_phase_openings[0].sibling_values[0]),
        |p| cut(&mut p.opening_proof.final_poly),
        |p| cut(&mut p.opening_proof.input_openings),
        |p| cut(&mut p.opening_proof.input_openings[0].opened_values),
        |p| cut(&mut p.opening_proof.input_openings[0].opened_values[0]),
        |p| cut(&mut p.opening_proof.input_openings[0].opened_values[0][0]),
        |p| p.opening_proof.input_openings[0].opening_proof.sibling_hashes = vec![Default::default(); 1000],
    ];
    for (i, change) in changes.iter().enumerate() {
        let error = after(change);
        assert!(matches!(error, VerifyError::Shape(_)), "change {i}: {error}");
    }
    // Fewer siblings than the bound: refused by the Merkle verifier, which knows the exact number.
    let short = after(|p| cut(&mut p.opening_proof.input_openings[0].opening_proof.sibling_hashes));
    assert!(matches!(short, VerifyError::Invalid(_)), "{short}");
}

#[test]
fn rejects_every_changed_field_element() {
    type Change = fn(&mut p3_batch_stark::BatchProof<Config>);
    let changes: &[Change] = &[
        |p| p.lookup_pow_witness = Some(F::ONE),
        |p| p.ood_pow_witness += F::ONE,
        |p| p.opening_proof.batch_pow_witness += F::ONE,
        |p| p.opening_proof.query_pow_witness += F::ONE,
        |p| p.opening_proof.commit_pow_witnesses[0] += F::ONE,
        |p| p.opening_proof.final_poly[31] += ExtField::ONE,
        |p| p.lookup_terminals[0].as_mut().unwrap().0 += ExtField::ONE,
        |p| p.opened_values.instances[0].base_opened_values.trace_local[0] += ExtField::ONE,
        |p| p.opened_values.instances[0].permutation_next[0] += ExtField::ONE,
        |p| p.opening_proof.input_openings[2].opened_values[0][0][0] += F::ONE,
        |p| p.opening_proof.commit_phase_openings[0].sibling_values[0][0] += ExtField::ONE,
        |p| p.opening_proof.input_openings[0].opening_proof.sibling_hashes[0][0] += F::ONE,
    ];
    for (i, change) in changes.iter().enumerate() {
        let error = after(change);
        assert!(matches!(error, VerifyError::Invalid(_)), "change {i}: {error}");
    }
}

#[test]
fn terminals_that_cancel_by_shifting_are_rejected() {
    // Adding d to one terminal and subtracting it from another keeps the sum: the accumulators pin each.
    let error = after(|p| {
        p.lookup_terminals[0].as_mut().unwrap().0 += ExtField::ONE;
        p.lookup_terminals[1].as_mut().unwrap().0 -= ExtField::ONE;
    });
    assert!(matches!(error, VerifyError::Invalid(_)), "{error}");
}
