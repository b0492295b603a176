//! The whole verifier.

use tsz_plonk::{Builder, Program, RunError, Witness};
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
        println!("{name}: {:?}, {built:.2} s, compiled {:.2} s", program.rows(), start.elapsed().as_secs_f64());
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
        format!("{} {}+{}+{} q{} 2^{}", t.name, t.width, t.preprocessed_width, t.aux_width, t.quotient_chunks, t.log_height)
    };
    vk.tables().iter().map(line).collect::<Vec<_>>().join("; ")
}
