//! The whole verifier.

use p3_field::PrimeCharacteristicRing;
use tsz_plonk::{Builder, Program, RunError, Value, Witness};
use tsz_stark::{CircuitAir, F, Profile, Proof, VerifyingKey};

use super::{Inner, inner};
use crate::{KeyValues, Verifier};

/// The program that verifies proofs under `vk` and exposes nothing.
fn circuit<A: CircuitAir>(vk: &VerifyingKey<A>) -> (Verifier, Program) {
    let verifier = Verifier::new(vk);
    let mut b = Builder::new();
    let key = verifier.fixed_key(&mut b);
    let proof = verifier.input(&mut b);
    verifier.verify(&mut b, &key, &proof);
    (verifier, Program::fitted(b, Profile::InsecureNode).unwrap())
}

fn run<A: CircuitAir>(
    (verifier, program): &(Verifier, Program),
    vk: &VerifyingKey<A>,
    proof: &Proof,
    publics: &[Vec<F>],
) -> Result<Witness, RunError> {
    program.run(&verifier.values(&KeyValues::from(vk), proof, publics).unwrap())
}

#[test]
fn accepts_an_honest_proof() {
    let Inner { prover, proof, publics } = inner(Profile::InsecureNode);
    let circuit = circuit(prover.vk());
    println!("{:?}", circuit.1.rows());
    run(&circuit, prover.vk(), &proof, &publics).unwrap();
}
