//! Proofs of the shape of nodes, whose tables stand side by side.

use p3_batch_stark::BatchProof;
use p3_field::PrimeCharacteristicRing;
use tsz_plonk::{Arrangement, Program, Shape};
use tsz_stark::{Config, ExtField as E, F, Profile};

use super::verifier::{assert_inputs_are_bound, changed, circuit, refuses, run};
use super::{Inner, inner_of, program};

/// The program of these tests with `alu+poseidon2+horner` and `bits+public`.
fn node() -> Inner {
    let (b, inputs) = program();
    let fitting = Shape::fitting(Profile::InsecureNode, &tsz_plonk::rows(&b));
    let log = fitting.log_alu.max(fitting.log_poseidon2).max(fitting.log_horner);
    let shape = Shape {
        log_alu: log,
        log_poseidon2: log,
        log_horner: log,
        arrangement: Arrangement::Node,
        ..fitting
    };
    inner_of(Program::compile(b, shape).unwrap(), &inputs)
}

/// The vectors of opened values of a table.
fn opened(proof: &mut BatchProof<Config>, table: usize) -> Vec<(&'static str, &mut [E])> {
    let instance = &mut proof.opened_values.instances[table];
    let base = &mut instance.base_opened_values;
    let mut all: Vec<(&str, &mut [E])> = vec![("trace", &mut base.trace_local[..])];
    all.extend(base.trace_next.as_mut().map(|row| ("next row", &mut row[..])));
    all.extend(base.preprocessed.as_mut().map(|values| ("preprocessed", &mut values.local[..])));
    all.extend(base.quotient_chunks.iter_mut().map(|chunk| ("quotient", &mut chunk[..])));
    all.push(("lookup", &mut instance.permutation_local[..]));
    all.push(("lookup, next row", &mut instance.permutation_next[..]));
    all
}

#[test]
fn values_of_tables_side_by_side_are_verified_one_by_one() {
    let inner = node();
    let vk = inner.prover.vk();
    let names: Vec<&str> = vk.tables().iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["alu+poseidon2+horner", "pack", "bits+public"]);
    let circuit = circuit(vk);
    run(&circuit, vk, &inner.proof, &inner.publics).unwrap();
    let lengths = |table: usize| -> Vec<(&'static str, usize)> {
        let mut proof = postcard::from_bytes(&inner.proof.to_bytes().unwrap()).unwrap();
        opened(&mut proof, table).into_iter().map(|(name, values)| (name, values.len())).collect()
    };
    for (table, name) in names.iter().enumerate() {
        for (part, (what, length)) in lengths(table).into_iter().enumerate() {
            // Both ends of every part of a row, and values between.
            for at in (0..length).step_by(7).chain(length.checked_sub(1)) {
                let proof = changed(&inner, |proof| opened(proof, table)[part].1[at] += E::ONE);
                let place = format!("{name}: {what} {at}");
                assert!(tsz_stark::verify_proof(vk, &proof, &inner.publics).is_err(), "{place}");
                assert!(refuses(&circuit, vk, &proof, &inner.publics), "{place}");
            }
        }
    }
    for k in 0..inner.publics[2].len() {
        let mut publics = inner.publics.clone();
        publics[2][k] += F::ONE;
        assert!(refuses(&circuit, vk, &inner.proof, &publics), "public value {k}");
    }
}

#[test]
fn every_input_of_the_program_for_tables_side_by_side_is_bound() {
    assert_inputs_are_bound(&node());
}
