//! The whole verifier.

use p3_batch_stark::BatchProof;
use p3_field::PrimeCharacteristicRing;
use tsz_plonk::{Builder, Program, RunError, Value, Witness};
use tsz_stark::{CircuitAir, Commitment, Config, ExtField as E, F, Profile, Proof, VerifyingKey};

use super::{Inner, inner};
use crate::{KeyValues, Verifier, WitnessError};

/// The program that verifies proofs under `vk` and exposes nothing.
pub(super) fn circuit<A: CircuitAir>(vk: &VerifyingKey<A>) -> (Verifier, Program) {
    let verifier = Verifier::new(vk);
    let mut b = Builder::new();
    let key = verifier.fixed_key(&mut b);
    let proof = verifier.input(&mut b);
    verifier.verify(&mut b, &key, &proof);
    (verifier, Program::fitted(b, Profile::InsecureNode).unwrap())
}

pub(super) fn run<A: CircuitAir>(
    (verifier, program): &(Verifier, Program),
    vk: &VerifyingKey<A>,
    proof: &Proof,
    publics: &[Vec<F>],
) -> Result<Witness, RunError> {
    program.run(&verifier.values(&KeyValues::from(vk), proof, publics).unwrap())
}

/// Whether the program refuses a proof. Other challenges ask for other queries, so that the multi-proofs may be
/// too short for any inputs; [`every_input_of_the_program_is_bound`] changes inputs behind the challenges' back.
pub(super) fn refuses<A: CircuitAir>(
    (verifier, program): &(Verifier, Program),
    vk: &VerifyingKey<A>,
    proof: &Proof,
    publics: &[Vec<F>],
) -> bool {
    match verifier.values(&KeyValues::from(vk), proof, publics) {
        Ok(values) => program.run(&values).is_err(),
        Err(WitnessError::Siblings | WitnessError::Crown) => true,
    }
}

#[test]
fn accepts_an_honest_proof() {
    let Inner { prover, proof, publics } = inner(Profile::InsecureNode);
    let circuit = circuit(prover.vk());
    println!("{:?}", circuit.1.rows());
    run(&circuit, prover.vk(), &proof, &publics).unwrap();
}

/// Changes one value somewhere in a proof.
type Change = fn(&mut BatchProof<Config>);

fn add(commitment: &mut Commitment) {
    let mut roots = commitment.roots().to_vec();
    roots[0][3] += F::ONE;
    *commitment = Commitment::new(roots);
}

/// Every field of a proof; the vectors that hold many values at both ends.
const CHANGES: [(&str, Change); 30] = [
    ("main commitment", |p| add(&mut p.commitments.main)),
    ("lookup commitment", |p| p.commitments.permutation.iter_mut().for_each(add)),
    ("quotient commitment", |p| add(&mut p.commitments.quotient_chunks)),
    ("trace at zeta", |p| p.opened_values.instances[0].base_opened_values.trace_local[0] += E::ONE),
    ("last trace", |p| p.opened_values.instances[5].base_opened_values.trace_local[0] += E::ONE),
    ("next row", |p| next_row(p, 0)),
    ("next row, last value", |p| next_row(p, 27)),
    ("preprocessed", |p| preprocessed(p, 0)),
    ("preprocessed, last table", |p| preprocessed(p, 5)),
    ("quotient chunk", |p| p.opened_values.instances[1].base_opened_values.quotient_chunks[3][3] += E::ONE),
    ("lookup column", |p| p.opened_values.instances[2].permutation_local[0] += E::ONE),
    ("lookup column of the next row", |p| p.opened_values.instances[2].permutation_next[3] += E::ONE),
    ("terminal", |p| p.lookup_terminals[0].iter_mut().for_each(|t| t.0 += E::ONE)),
    ("two terminals, same sum", |p| {
        p.lookup_terminals[0].iter_mut().for_each(|t| t.0 += E::ONE);
        p.lookup_terminals[3].iter_mut().for_each(|t| t.0 -= E::ONE);
    }),
    ("lookup grinding", |p| p.lookup_pow_witness.iter_mut().for_each(|w| *w += F::ONE)),
    ("out-of-domain grinding", |p| p.ood_pow_witness += F::ONE),
    ("batching grinding", |p| p.opening_proof.batch_pow_witness += F::ONE),
    ("folding commitment", |p| add(&mut p.opening_proof.commit_phase_commits[0])),
    ("last folding commitment", |p| {
        p.opening_proof.commit_phase_commits.last_mut().into_iter().for_each(add)
    }),
    ("folding grinding", |p| p.opening_proof.commit_pow_witnesses[1] += F::ONE),
    ("final polynomial", |p| p.opening_proof.final_poly[0] += E::ONE),
    ("final polynomial, last", |p| p.opening_proof.final_poly[31] += E::ONE),
    ("query grinding", |p| p.opening_proof.query_pow_witness += F::ONE),
    ("opened row", |p| p.opening_proof.input_openings[0].opened_values[0][0][0] += F::ONE),
    ("opened lookup row of the last query", |p| {
        p.opening_proof.input_openings[3].opened_values[2][5][1] += F::ONE
    }),
    ("opened preprocessed row", |p| p.opening_proof.input_openings[2].opened_values[1][1][2] += F::ONE),
    ("opening path", |p| p.opening_proof.input_openings[1].opening_proof.sibling_hashes[0][0] += F::ONE),
    ("opening path, end", |p| {
        p.opening_proof.input_openings[0]
            .opening_proof
            .sibling_hashes
            .last_mut()
            .into_iter()
            .for_each(|s| s[7] += F::ONE);
    }),
    ("folding sibling", |p| p.opening_proof.commit_phase_openings[0].sibling_values[1][0] += E::ONE),
    ("folding path", |p| {
        p.opening_proof.commit_phase_openings[0].opening_proof.sibling_hashes[1][1] += F::ONE
    }),
];

fn next_row(p: &mut BatchProof<Config>, at: usize) {
    p.opened_values.instances[4].base_opened_values.trace_next.iter_mut().for_each(|row| row[at] += E::ONE);
}

fn preprocessed(p: &mut BatchProof<Config>, table: usize) {
    let opened = &mut p.opened_values.instances[table].base_opened_values.preprocessed;
    opened.iter_mut().for_each(|values| values.local[1] += E::ONE);
}

/// A copy of a proof with one change.
pub(super) fn changed(inner: &Inner, change: impl Fn(&mut BatchProof<Config>)) -> Proof {
    let mut proof: BatchProof<Config> = postcard::from_bytes(&inner.proof.to_bytes().unwrap()).unwrap();
    change(&mut proof);
    Proof::from_bytes(inner.prover.vk(), &postcard::to_allocvec(&proof).unwrap()).unwrap()
}

#[test]
fn refuses_what_the_native_verifier_refuses_field_by_field() {
    for profile in [Profile::InsecureNode, Profile::Node] {
        let inner = inner(profile);
        let vk = inner.prover.vk();
        let circuit = circuit(vk);
        run(&circuit, vk, &inner.proof, &inner.publics).unwrap();
        for (what, change) in CHANGES {
            let proof = changed(&inner, change);
            assert!(tsz_stark::verify_proof(vk, &proof, &inner.publics).is_err(), "{what}");
            assert!(refuses(&circuit, vk, &proof, &inner.publics), "{what}");
        }
        for k in 0..inner.publics[5].len() {
            let mut publics = inner.publics.clone();
            publics[5][k] += F::ONE;
            assert!(tsz_stark::verify_proof(vk, &inner.proof, &publics).is_err(), "public value {k}");
            assert!(refuses(&circuit, vk, &inner.proof, &publics), "public value {k}");
        }
    }
}

/// Frozen challenges: the witness keeps the openings of the honest run and changes one value that some challenge
/// depends on. Each input of the program is changed in turn.
#[test]
fn every_input_of_the_program_is_bound() {
    assert_inputs_are_bound(&inner(Profile::InsecureNode));
}

pub(super) fn assert_inputs_are_bound(inner: &Inner) {
    let vk = inner.prover.vk();
    let (verifier, program) = circuit(vk);
    let honest = verifier.values(&KeyValues::from(vk.as_ref()), &inner.proof, &inner.publics).unwrap();
    program.run(&honest).unwrap();
    // All that the transcript absorbs, and every seventh value of the queries.
    let absorbed = 2000.min(honest.len());
    let rest = (absorbed..honest.len()).step_by(7);
    for at in (0..absorbed).chain(rest) {
        let mut wrong = honest.clone();
        wrong[at] += Value::ONE;
        assert!(program.run(&wrong).is_err(), "input {at} of {}", honest.len());
    }
}

/// Crowns of one and of three levels: other advice leads to no root.
#[test]
fn every_digest_of_a_crown_is_bound() {
    for (profile, levels) in [(Profile::InsecureNode, 1), (Profile::Node, 3)] {
        let inner = inner(profile);
        let vk = inner.prover.vk();
        let (verifier, program) = circuit(vk);
        let honest = verifier.values(&KeyValues::from(vk.as_ref()), &inner.proof, &inner.publics).unwrap();
        let crowns = verifier.crowns(&inner.proof, &inner.publics);
        // Two quads a digest; four commitments and some folding rounds.
        assert!(crowns.len() % (2 << levels) == 0 && crowns.len() / (2 << levels) > 4);
        for at in crowns {
            let mut wrong = honest.clone();
            wrong[at] += Value::ONE;
            assert!(program.run(&wrong).is_err(), "{profile:?}: input {at}");
        }
    }
}

/// The challenges of the circuit are those of the native replay, at every step of the transcript.
#[test]
fn every_value_moves_the_challenges_that_come_after_it_and_no_other() {
    let inner = inner(Profile::InsecureNode);
    let vk = inner.prover.vk();
    let verifier = Verifier::new(vk);
    let mut b = Builder::new();
    let key = verifier.fixed_key(&mut b);
    let proof = verifier.input(&mut b);
    let replay = verifier.replay(&mut b, &key, &proof);
    let mut challenges: Vec<tsz_plonk::Ext> = replay.batch.lookup.unwrap().to_vec();
    challenges.extend([replay.batch.alpha, replay.batch.zeta, replay.opening.alpha]);
    challenges.extend(&replay.opening.betas);
    for challenge in &challenges {
        b.expose_ext(*challenge);
    }
    for index in &replay.opening.indices {
        index.iter().for_each(|bit| b.expose((*bit).into()));
    }
    let program = Program::fitted(b, Profile::InsecureNode).unwrap();
    let honest = verifier.values(&KeyValues::from(vk.as_ref()), &inner.proof, &inner.publics).unwrap();
    let expected = program.run(&honest).unwrap().publics;
    let steps = challenges.len();
    // First challenge that each part of the inputs may move.
    let mut first_moved = 0;
    let mut seen = vec![false; steps + 1];
    for at in 0..honest.len() {
        let mut wrong = honest.clone();
        wrong[at] += Value::ONE;
        // Grinding witnesses without bits are 0, and terminals sum to 0.
        let Ok(run) = program.run(&wrong) else { continue };
        let moved = |k: usize| run.publics[4 * k..4 * k + 4] != expected[4 * k..4 * k + 4];
        let indices = run.publics[4 * steps..] != expected[4 * steps..];
        let first = (0..steps).find(|k| moved(*k)).unwrap_or(steps);
        if first == steps && !indices {
            // The openings of the queries: nothing depends on them.
            assert_eq!(first_moved, steps, "input {at} moves nothing");
            break;
        }
        assert!((first..steps).all(moved) && indices, "input {at}");
        assert!(first >= first_moved, "input {at} is absorbed out of order");
        first_moved = first;
        seen[first] = true;
    }
    // The two lookup challenges are drawn together.
    assert!(seen.iter().enumerate().all(|(k, seen)| *seen || k == 1), "{seen:?}");
}

#[test]
fn a_key_from_the_witness_is_bound_by_its_digest() {
    let inner = inner(Profile::InsecureNode);
    let vk = inner.prover.vk();
    let verifier = Verifier::new(vk);
    let mut b = Builder::new();
    let key = verifier.input_key(&mut b);
    let proof = verifier.input(&mut b);
    verifier.verify(&mut b, &key, &proof);
    tsz_plonk::gadgets::hash::expose(&mut b, key.digest);
    let program = Program::fitted(b, Profile::InsecureNode).unwrap();
    let values = KeyValues::from(vk.as_ref());
    let mut honest = Verifier::key_values(&values);
    honest.extend(verifier.values(&values, &inner.proof, &inner.publics).unwrap());
    assert_eq!(program.run(&honest).unwrap().publics, *vk.digest());
    for at in 0..2 {
        let mut wrong = honest.clone();
        wrong[at] += Value::ONE;
        assert!(program.run(&wrong).is_err());
    }
}

#[test]
fn a_verification_is_proven() {
    let inner = inner(Profile::InsecureNode);
    let vk = inner.prover.vk();
    let (verifier, program) = circuit(vk);
    let values = verifier.values(&KeyValues::from(vk.as_ref()), &inner.proof, &inner.publics).unwrap();
    let outer = program.keys().unwrap();
    let (publics, bytes) = outer.prove(&values).unwrap();
    tsz_plonk::verify(outer.vk(), &publics, &bytes).unwrap();
}

/// Rows of the verifier of each base key.
///
/// Run with `cargo test -p tsz-recursion -- --ignored --nocapture rows_of`.
#[test]
#[ignore = "measures"]
fn rows_of_the_verifiers_of_base_proofs() {
    fn report<A: CircuitAir>(name: &str, vk: &VerifyingKey<A>) {
        let start = std::time::Instant::now();
        let verifier = Verifier::new(vk);
        let mut b = Builder::new();
        let key = verifier.fixed_key(&mut b);
        let proof = verifier.input(&mut b);
        verifier.verify(&mut b, &key, &proof);
        let built = start.elapsed().as_secs_f64();
        let program = Program::fitted(b, Profile::Node).unwrap();
        println!(
            "{name}: {:?}, {built:.2} s, compiled {:.2} s",
            program.rows(),
            start.elapsed().as_secs_f64()
        );
    }
    for log in [15, 16, 17] {
        let mut b = Builder::new();
        let x = b.input();
        b.expose(x);
        let shape = tsz_plonk::Shape::node(Profile::Node, log, 16);
        let prover = Program::compile(b, shape).unwrap().keys().unwrap();
        report(&format!("node of 2^{log}"), prover.vk());
        println!("{}\n{:?}", tsz_air_report(prover.vk()), tsz_stark::security::security(prover.vk()));
    }
    for class in tsz_fund::CLASSES {
        report(class.name, class.setup(Profile::Base).unwrap().vk());
    }
    for class in tsz_transition::CLASSES {
        report(class.name, class.setup(Profile::Base).unwrap().vk());
    }
}

fn tsz_air_report<A>(vk: &VerifyingKey<A>) -> String {
    let line = |t: &tsz_stark::TableInfo| {
        format!(
            "{} {}+{}+{} q{} 2^{}",
            t.name, t.width, t.preprocessed_width, t.aux_width, t.quotient_chunks, t.log_height
        )
    };
    vk.tables().iter().map(line).collect::<Vec<_>>().join("; ")
}
