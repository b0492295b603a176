//! Tests: programs against native arithmetic, gadgets against Plonky3, lies.

mod arithmetic;
mod beside;
mod gadgets;
mod lies;
mod machine;
mod wide;

use p3_field::PrimeCharacteristicRing;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tsz_stark::{F, Profile};

use crate::{Builder, Program, Value, Witness, from_coordinates};

fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

fn felt(rng: &mut StdRng) -> F {
    F::from_u32(rng.random_range(0..0x7800_0001))
}

fn ext(rng: &mut StdRng) -> Value {
    from_coordinates(core::array::from_fn(|_| felt(rng)))
}

/// Public values of all tables of a program whose tables stand apart, but for that of permutations of width 24.
fn by_table(publics: &[F]) -> Vec<Vec<F>> {
    let mut values = vec![vec![]; 5];
    values.push(publics.to_vec());
    values
}

/// Compiles for the smallest shape, runs, and checks all constraints and the bus.
fn satisfied(b: Builder, inputs: &[Value]) -> (Program, Witness) {
    let program = Program::fitted(b, Profile::InsecureNode).unwrap();
    let witness = program.run(inputs).unwrap();
    let mut publics = by_table(&witness.publics);
    publics.resize(program.circuit().airs.len(), vec![]);
    tsz_air::check(&program.circuit().airs, &program.traces(&witness), &publics).unwrap();
    (program, witness)
}
