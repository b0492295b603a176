//! Poseidon2-24: gates against the native hash, and lies about its table.

use p3_field::PrimeCharacteristicRing;
use tsz_air::{Tamper, Trace, Violation, check};
use tsz_stark::{F, Profile, VerifyError};

use super::{by_table, felt, rng, satisfied};
use crate::gadgets::{hash, wide};
use crate::tables::poseidon24::{BIT, WIDTH};
use crate::{Builder, CompileError, Program, Shape, Value, coordinates, from_coordinates, verify};

/// Place of the table.
const WIDE: usize = 6;

fn digest(seed: u64) -> [F; 8] {
    let mut rng = rng(seed);
    core::array::from_fn(|_| felt(&mut rng))
}

/// Root of a path over a leaf of 22 felts, as public values; its index is public too.
fn path() -> (Builder, Vec<Value>, Vec<F>) {
    let (mut b, mut inputs) = (Builder::new(), Vec::new());
    let publics = add_path(&mut b, &mut inputs);
    (b, inputs, publics)
}

/// Adds the path to a program; its public values.
fn add_path(b: &mut Builder, inputs: &mut Vec<Value>) -> Vec<F> {
    let index = b.public();
    let bits = b.bits(index);
    let quads: Vec<_> = (0..6).map(|_| b.input_ext()).collect();
    let leaf = wide::hash(b, &quads);
    let siblings: Vec<_> = (0..3).map(|_| hash::input(b)).collect();
    let root = wide::merkle_root(b, leaf, &bits[..3], &siblings);
    hash::expose(b, root);
    let mut rng = rng(1);
    let mut row: Vec<F> = (0..22).map(|_| felt(&mut rng)).collect();
    let mut node = tsz_poseidon24::hash(row.iter().copied());
    row.resize(24, F::ZERO);
    inputs.push(Value::from_u8(0b101));
    inputs.extend(row.as_chunks::<4>().0.iter().map(|quad| from_coordinates(*quad)));
    for level in 0..3 {
        let sibling = digest(10 + level);
        inputs.extend(hash::input_values(&sibling));
        let (l, r) = if 0b101 >> level & 1 == 1 { (sibling, node) } else { (node, sibling) };
        node = tsz_poseidon24::compress(&l, &r);
    }
    [&[F::from_u8(0b101)], &node[..]].concat()
}

#[test]
fn paths_lead_to_the_native_root() {
    let (b, inputs, publics) = path();
    let (program, witness) = satisfied(b, &inputs);
    assert_eq!(witness.publics, publics);
    assert_eq!(program.rows().poseidon24, 2 + 3);
    let mut lie = inputs;
    lie[8] += Value::ONE;
    assert_ne!(program.run(&lie).unwrap().publics, publics);
}

#[test]
fn transcript_is_that_of_risc0() {
    let mut b = Builder::new();
    let digests = [hash::input(&mut b), hash::input(&mut b)];
    let mut transcript = wide::Transcript::new(&mut b);
    transcript.commit(&mut b, digests[0]);
    let drawn: Vec<_> = (0..6).map(|_| transcript.quad(&mut b)).collect();
    transcript.commit(&mut b, digests[1]);
    let last = transcript.quad(&mut b);
    for quad in drawn.into_iter().chain([last]) {
        b.expose_ext(quad);
    }
    // natively: added digests, 16 lanes a permutation, a permutation between reading and absorbing
    let (first, second) = (digest(1), digest(2));
    let mut state = [F::ZERO; 24];
    let absorb = |state: &mut [F; 24], digest: &[F; 8]| {
        state.iter_mut().zip(digest).for_each(|(x, d)| *x += *d);
        tsz_poseidon24::permute(state);
    };
    absorb(&mut state, &first);
    let mut expected = state[..16].to_vec();
    tsz_poseidon24::permute(&mut state);
    expected.extend(&state[..8]);
    tsz_poseidon24::permute(&mut state);
    absorb(&mut state, &second);
    expected.extend(&state[..4]);
    let inputs: Vec<Value> = [first, second].iter().flat_map(hash::input_values).collect();
    assert_eq!(satisfied(b, &inputs).1.publics, expected);
}

#[test]
fn programs_with_the_table_are_proven_and_verified() {
    let (b, inputs, expected) = path();
    let prover = Program::fitted(b.clone(), Profile::InsecureNode).unwrap().keys().unwrap();
    let (publics, proof) = prover.prove(&inputs).unwrap();
    assert_eq!(publics, expected);
    verify(prover.vk(), &publics, &proof).unwrap();
    let mut wrong = publics;
    wrong[3] += F::ONE;
    assert!(matches!(verify(prover.vk(), &wrong, &proof), Err(VerifyError::Invalid(_))));
    // no table of nodes
    let shape = Shape { log_poseidon24: None, ..*prover.program().shape() };
    let error = Program::compile(b, shape).unwrap_err();
    assert_eq!(error, CompileError::Full { table: "poseidon24", needed: 5, rows: 0 });
}

/// Traces and public values with a change; whether constraints or bus object.
fn violation(change: impl Fn(&mut Trace)) -> (Program, Vec<Trace>, Vec<F>, Violation) {
    let (b, inputs, _) = path();
    let (program, witness) = satisfied(b, &inputs);
    let mut traces = program.traces(&witness);
    change(&mut traces[WIDE]);
    let mut publics = by_table(&witness.publics);
    publics.push(vec![]);
    let violation = check(&program.circuit().airs, &traces, &publics).unwrap_err();
    (program, traces, witness.publics, violation)
}

/// Proves a lie: the proof must not verify.
fn refused(change: impl Fn(&mut Trace)) -> Violation {
    let (program, traces, publics, violation) = violation(change);
    let prover = program.keys().unwrap();
    let mut by_table = by_table(&publics);
    by_table.push(vec![]);
    let proof = tsz_stark::prove(prover.proving_key(), &traces, &by_table).unwrap();
    let result = verify(prover.vk(), &publics, &proof.to_bytes().unwrap());
    assert!(matches!(result, Err(VerifyError::Invalid(_))), "{violation}");
    violation
}

#[test]
fn rejects_a_permutation_with_another_result() {
    let violation = refused(|trace| trace.values[WIDTH + BIT - 1] += F::ONE);
    assert!(matches!(violation, Violation::Constraint { air, .. } if air == "poseidon24"));
}

#[test]
fn rejects_an_exchange_on_a_row_without_swap_bit() {
    // Rows 0 and 1 hash the leaf.
    let violation = refused(|trace| trace.values[BIT] = F::ONE);
    assert!(matches!(violation, Violation::Constraint { air, .. } if air == "poseidon24"));
}

#[test]
fn rejects_a_bit_that_is_not_boolean() {
    let violation = refused(|trace| trace.values[2 * WIDTH + BIT] = F::TWO);
    assert!(matches!(violation, Violation::Constraint { air, .. } if air == "poseidon24"));
}

#[test]
fn rejects_a_sibling_on_the_other_side() {
    // The bit of the lowest level is 1; the row says 0 of the same columns, so it reads other quads.
    let violation = refused(|trace| trace.values[2 * WIDTH + BIT] = F::ZERO);
    assert!(matches!(violation, Violation::Bus { bus, .. } if bus == "wit"));
}

#[test]
fn rejects_another_capacity() {
    // An honest permutation whose capacity is not 0: the bus objects to what it reads and to its result.
    let (b, inputs, _) = path();
    let (_, witness) = satisfied(b, &inputs);
    let mut other = Builder::new();
    let quads: Vec<_> = (0..6).map(|_| other.input_ext()).collect();
    let out = other.permute24(core::array::from_fn(|k| quads[k]));
    other.expose_ext(out[0]);
    let (forged, forged_witness) =
        satisfied(other, &inputs[1..7].iter().map(|x| *x + Value::ONE).collect::<Vec<_>>());
    let row = forged.traces(&forged_witness)[WIDE].values[..WIDTH].to_vec();
    assert_eq!(coordinates(witness.values[0])[1..], [F::ZERO; 3]);
    let violation = refused(move |trace| trace.values[..WIDTH].copy_from_slice(&row));
    assert!(matches!(violation, Violation::Bus { bus, .. } if bus == "wit"));
}

#[test]
fn every_column_is_constrained() {
    // with the program that uses all other tables
    let (mut b, mut inputs) = super::lies::demo();
    add_path(&mut b, &mut inputs);
    let (program, witness) = satisfied(b, &inputs);
    let (airs, traces) = (program.circuit().airs, program.traces(&witness));
    let mut publics = by_table(&witness.publics);
    publics.push(vec![]);
    let rows = program.rows();
    Tamper {
        airs: &airs,
        traces: &traces,
        public_values: &publics,
        real_rows: &[rows.alu, rows.poseidon2, rows.pack, rows.bits, rows.horner, 1, rows.poseidon24],
        trials: 24,
        seed: 7,
    }
    .assert_constrained(&[]);
}
