//! The programs against the native verifier.

mod airs;
mod batch;
mod beside;
mod classes;
mod verifier;

use p3_field::PrimeCharacteristicRing;
use tsz_plonk::gadgets::{fri, hash};
use tsz_plonk::{Builder, Program, Prover, Value};
use tsz_stark::{F, Profile, Proof};

/// A proof to be verified in a circuit: of a program that uses every table of the machine.
struct Inner {
    prover: Prover,
    proof: Proof,
    publics: Vec<Vec<F>>,
}

fn program() -> (Builder, Vec<Value>) {
    let mut b = Builder::new();
    let index = b.public();
    let bits = b.bits(index);
    let quads: Vec<_> = (0..7).map(|_| b.input_ext()).collect();
    let leaf = hash::sponge_quads(&mut b, &quads);
    let path: Vec<_> = (0..5).map(|_| hash::input(&mut b)).collect();
    let root = hash::merkle_root(&mut b, leaf, &bits[..5], &path);
    hash::expose(&mut b, root);
    let reduced = fri::reduce_quads(&mut b, quads[0], &quads);
    // Enough rows for tables of different heights; a chain of sums would be a polynomial.
    let mut x = reduced;
    for _ in 0..100 {
        x = b.mul_sub(x, reduced, quads[1]);
    }
    b.expose_ext(x);
    let mut inputs = vec![Value::from_u8(0b10110)];
    inputs.extend((0..7 + 10).map(|k| Value::from_u32(1000 + k)));
    (b, inputs)
}

fn inner(profile: Profile) -> Inner {
    let (b, inputs) = program();
    inner_of(Program::fitted(b, profile).unwrap(), &inputs)
}

fn inner_of(program: Program, inputs: &[Value]) -> Inner {
    let prover = program.keys().unwrap();
    let witness = prover.program().run(inputs).unwrap();
    let publics = tsz_plonk::publics_of(prover.vk(), &witness.publics);
    let traces = prover.program().traces(&witness);
    let proof = tsz_stark::prove(prover.proving_key(), &traces, &publics).unwrap();
    tsz_stark::verify_proof(prover.vk(), &proof, &publics).unwrap();
    Inner { prover, proof, publics }
}
