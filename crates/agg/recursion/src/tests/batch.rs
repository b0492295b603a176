//! The replay against Plonky3's own transcript, on proofs of the recursion machine.

use p3_batch_stark::{BatchShape, BatchVerifierTranscript};
use p3_challenger::{CanObserve, CanSample, CanSampleBits, DuplexChallenger, GrindingChallenger};
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
use p3_lookup::logup::LogUpGadget;
use tsz_hash::{Permuter, permuter};
use tsz_plonk::{Builder, Program, Prover, Value, coordinates};
use tsz_stark::{Commitment, ExtField, F, Profile, Proof};

use super::{Inner, inner};
use crate::Verifier;
use crate::batch::BatchPhase;

/// Plonky3's challenger with slices, which are descriptions of the run, filled up to whole blocks: the transcript of
/// `tsz-stark`.
struct Challenger(DuplexChallenger<F, Permuter, 16, 8>);

impl CanObserve<F> for Challenger {
    fn observe(&mut self, value: F) {
        self.0.observe(value);
    }
    fn observe_slice(&mut self, values: &[F]) {
        self.0.observe_slice(values);
        (values.len()..values.len().next_multiple_of(8)).for_each(|_| self.0.observe(F::ZERO));
    }
}

impl CanObserve<Commitment> for Challenger {
    fn observe(&mut self, value: Commitment) {
        self.0.observe(value);
    }
}

impl<T: BasedVectorSpace<F>> CanSample<T> for Challenger {
    fn sample(&mut self) -> T {
        self.0.sample()
    }
}

impl CanSampleBits<usize> for Challenger {
    fn sample_bits(&mut self, bits: usize) -> usize {
        self.0.sample_bits(bits)
    }
}

impl GrindingChallenger for Challenger {
    type Witness = F;
    fn grind(&mut self, bits: usize) -> F {
        self.0.grind(bits)
    }
}

/// Constraint challenge and out-of-domain point by Plonky3's driver.
fn native(prover: &Prover, proof: &Proof, publics: &[Vec<F>]) -> [ExtField; 2] {
    let (vk, proof) = (prover.vk(), proof.inner());
    let tables = vk.tables();
    let shape = BatchShape {
        trace_widths: tables.iter().map(|t| t.width).collect(),
        public_value_counts: tables.iter().map(|t| t.public_values).collect(),
        preprocessed_widths: tables.iter().map(|t| t.preprocessed_width).collect(),
        has_preprocessed_commitment: true,
        num_lookup_instances: tables.len(),
        lookup_pow_bits: vk.params().lookup_pow_bits,
        has_randomization_commitment: false,
        ood_pow_bits: vk.params().ood_pow_bits,
    };
    let mut challenger = Challenger(DuplexChallenger::new(permuter()));
    vk.digest().iter().for_each(|felt| challenger.observe(*felt));
    let mut t = BatchVerifierTranscript::<Challenger, F, ExtField, Commitment>::new(&mut challenger, shape);
    t.instance_bindings(&proof.degree_bits);
    t.main_phase(proof.commitments.main.clone(), publics);
    t.preprocessed_phase(vk.preprocessed_commitment().cloned());
    t.lookup_phase(vk.lookups(), &LogUpGadget::new(), proof.lookup_pow_witness).unwrap();
    let terminals: Vec<ExtField> = proof.lookup_terminals.iter().flatten().map(|t| t.0).collect();
    let alpha = t.permutation_phase(proof.commitments.permutation.clone(), &terminals);
    t.quotient_phase(proof.commitments.quotient_chunks.clone(), None);
    let zeta = t.ood_phase(proof.ood_pow_witness).unwrap();
    t.abort();
    [alpha, zeta]
}

/// A program that replays the batch phase and exposes alpha and zeta.
fn replay(prover: &Prover) -> (BatchPhase, Program) {
    let phase = BatchPhase::new(prover.vk());
    let mut b = Builder::new();
    let wires = phase.input(&mut b);
    let key = Verifier::new(prover.vk()).fixed_key(&mut b);
    let challenges = phase.replay(&mut b, &key, &wires);
    b.expose_ext(challenges.alpha);
    b.expose_ext(challenges.zeta);
    (phase, Program::fitted(b, Profile::InsecureNode).unwrap())
}

#[test]
fn challenges_equal_plonky3s() {
    // The base profile grinds 16 bits twice: a replay that strays from the transcript does not pass.
    for profile in [Profile::InsecureNode, Profile::Node] {
        let Inner { prover, proof, publics } = inner(profile);
        let (phase, program) = replay(&prover);
        let run = program.run(&phase.values(&proof, &publics)).unwrap();
        let expected = native(&prover, &proof, &publics).map(coordinates);
        assert_eq!(run.publics, expected.as_flattened());
    }
}

#[test]
fn every_field_of_the_proof_moves_the_challenges_or_is_refused() {
    let Inner { prover, proof, publics } = inner(Profile::InsecureNode);
    let (phase, program) = replay(&prover);
    let values = phase.values(&proof, &publics);
    let honest = program.run(&values).unwrap().publics;
    let mut refused = 0;
    for at in 0..values.len() {
        let mut wrong = values.clone();
        wrong[at] += Value::ONE;
        match program.run(&wrong) {
            Ok(run) => assert_ne!(run.publics[4..], honest[4..], "zeta, value {at}"),
            Err(_) => refused += 1,
        }
    }
    // Six terminals and two grinding witnesses.
    assert_eq!(refused, 8);
}

#[test]
fn the_replay_is_proven() {
    let Inner { prover, proof, publics } = inner(Profile::InsecureNode);
    let (phase, program) = replay(&prover);
    println!("{:?}", program.rows());
    let outer = program.keys().unwrap();
    let (exposed, bytes) = outer.prove(&phase.values(&proof, &publics)).unwrap();
    tsz_plonk::verify(outer.vk(), &exposed, &bytes).unwrap();
}
