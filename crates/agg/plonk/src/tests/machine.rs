//! Compilation, keys and proofs.

use std::time::Instant;

use p3_field::PrimeCharacteristicRing;
use tsz_air::report;
use tsz_stark::security::security;
use tsz_stark::{F, Profile, VerifyError};

use super::lies::demo;
use super::{ext, rng};
use crate::gadgets::hash;
use crate::{Arrangement, Builder, CompileError, Program, Shape, Value, verify};

#[test]
fn honest_program_is_proven_and_verified() {
    let (b, inputs) = demo();
    let prover = Program::fitted(b, Profile::InsecureNode).unwrap().keys().unwrap();
    let (publics, proof) = prover.prove(&inputs).unwrap();
    verify(prover.vk(), &publics, &proof).unwrap();
    let degrees: Vec<usize> = prover.vk().tables().iter().map(|t| t.degree).collect();
    assert_eq!(degrees, [3, 5, 3, 5, 5, 5]);
    println!("{}\n{:?}", report(prover.vk().tables()), prover.program().rows());
    for k in 0..publics.len() {
        let mut wrong = publics.clone();
        wrong[k] += F::ONE;
        assert!(matches!(verify(prover.vk(), &wrong, &proof), Err(VerifyError::Invalid(_))), "public {k}");
    }
    assert!(matches!(verify(prover.vk(), &publics[1..], &proof), Err(VerifyError::PublicValues { .. })));
    assert!(verify(prover.vk(), &publics, &proof[1..]).is_err());
}

/// Claims a square root (or, with `cube`, a cube root) of the public value.
fn root_program(cube: bool, shape: Shape) -> Program {
    let mut b = Builder::new();
    let x = b.input();
    let mut power = b.square(x);
    if cube {
        power = b.mul(power, x);
    }
    b.expose(power);
    Program::compile(b, shape).unwrap()
}

fn small_shape() -> Shape {
    let profile = Profile::InsecureNode;
    Shape {
        profile,
        log_alu: 6,
        log_poseidon2: 6,
        log_pack: 6,
        log_bits: 6,
        log_horner: 6,
        log_public: 6,
        log_poseidon24: None,
        arrangement: Arrangement::Apart,
        publics: 2,
    }
}

#[test]
fn programs_of_one_shape_differ_in_the_vk_alone() {
    let squares = root_program(false, small_shape()).keys().unwrap();
    let again = root_program(false, small_shape()).keys().unwrap();
    let cubes = root_program(true, small_shape()).keys().unwrap();
    assert_eq!(squares.vk().digest(), again.vk().digest());
    assert_ne!(squares.vk().digest(), cubes.vk().digest());
    assert_eq!(squares.vk().tables(), cubes.vk().tables());
    // x = 1 has the same public value in both; the proof of one is none of the other.
    let (publics, proof) = squares.prove(&[Value::ONE]).unwrap();
    assert_eq!(cubes.prove(&[Value::ONE]).unwrap().0, publics);
    verify(again.vk(), &publics, &proof).unwrap();
    assert!(matches!(verify(cubes.vk(), &publics, &proof), Err(VerifyError::Invalid(_))));
    let other = Shape { log_alu: 7, ..small_shape() };
    assert_ne!(root_program(false, other).keys().unwrap().vk().digest(), squares.vk().digest());
}

#[test]
fn unused_public_values_are_bound_to_zero() {
    let prover = root_program(false, small_shape()).keys().unwrap();
    let (publics, proof) = prover.prove(&[Value::from_u8(3)]).unwrap();
    assert_eq!(publics, [F::from_u8(9), F::ZERO]);
    assert!(verify(prover.vk(), &[F::from_u8(9), F::ONE], &proof).is_err());
}

#[test]
fn refuses_a_shape_that_is_too_small() {
    let (b, _) = demo();
    let rows = crate::rows(&b);
    let shape = Shape::fitting(Profile::InsecureNode, &rows);
    let few = Shape { publics: 1, ..shape };
    let error = Program::compile(b.clone(), few).unwrap_err();
    assert_eq!(error, CompileError::Full { table: "public", needed: rows.publics, rows: 1 });
    let none = Shape { publics: 0, ..shape };
    assert_eq!(Program::compile(b.clone(), none).unwrap_err(), CompileError::NoPublics);
    let mut long = b;
    let mut state = core::array::from_fn(|_| long.input_ext());
    for _ in 0..65 {
        state = long.permute(state);
    }
    long.assert_eq(state[0], state[1]);
    let error = Program::compile(long, Shape { log_poseidon2: 6, ..shape }).unwrap_err();
    assert!(matches!(error, CompileError::Full { table: "poseidon2", rows: 64, .. }), "{error}");
}

#[test]
fn a_program_without_public_values_has_one_that_is_zero() {
    let mut b = Builder::new();
    let x = b.input();
    b.assert_bool(x);
    let prover = Program::fitted(b, Profile::InsecureNode).unwrap().keys().unwrap();
    let (publics, proof) = prover.prove(&[Value::ONE]).unwrap();
    assert_eq!(publics, [F::ZERO]);
    verify(prover.vk(), &publics, &proof).unwrap();
}

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.split_whitespace().collect();
    let ticks = |k: usize| fields.get(k).and_then(|s| s.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(13) + ticks(14)) / 100.0
}

/// 440 Merkle paths of 20 levels, one opened row of 128 felts each: the mix of a verifier.
///
/// Run with `cargo test -p tsz-plonk -- --ignored --nocapture timing`.
#[test]
#[ignore = "measures"]
fn timing_of_merkle_openings() {
    let mut rng = rng(1);
    let mut b = Builder::new();
    let mut inputs = Vec::new();
    let alpha = b.input_ext();
    inputs.push(ext(&mut rng));
    let mut total = b.zero().into();
    for query in 0..440 {
        let index = b.input();
        inputs.push(Value::from_u32(query * 2371));
        let bits = b.bits(index);
        let quads: Vec<_> = (0..32).map(|_| b.input_ext()).collect();
        let leaf = hash::sponge_quads(&mut b, &quads);
        let path: Vec<_> = (0..20).map(|_| hash::input(&mut b)).collect();
        inputs.extend((0..32 + 40).map(|_| ext(&mut rng)));
        let root = hash::merkle_root(&mut b, leaf, &bits[..20], &path);
        let reduced = crate::gadgets::fri::reduce_quads(&mut b, alpha, &quads);
        let both = b.mul_add(reduced, root[0], root[1]);
        total = b.add(total, both);
    }
    b.expose_ext(total);
    let rows = crate::rows(&b);
    let log = (14..).find(|log| Shape::node(Profile::Node, *log, 4).holds(&rows)).unwrap();
    let node = Shape::node(Profile::Node, log, 4);
    for arrangement in [Arrangement::Apart, Arrangement::Node] {
        println!("-- {arrangement:?}");
        timing(b.clone(), Shape { arrangement, ..node }, &inputs);
    }
}

fn timing(b: Builder, shape: Shape, inputs: &[Value]) {
    let start = Instant::now();
    let program = Program::compile(b, shape).unwrap();
    println!("compile {:.2} s wall, {:?}", start.elapsed().as_secs_f64(), program.rows());
    let permutations = program.rows().poseidon2;
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let prover = program.keys().unwrap();
    println!("keys {:.2} s wall, {:.2} s CPU", start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let committed = prover.proving_key().committed().unwrap();
    println!(
        "kept {} bytes, {:.2} s wall, {:.2} s CPU",
        committed.len(),
        start.elapsed().as_secs_f64(),
        cpu_seconds() - cpu
    );
    let vk = *prover.vk().digest();
    let program = prover.into_program();
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let prover = program.keys_with(&committed).unwrap_or_else(|_| panic!("kept keys"));
    println!("keys from them {:.2} s wall, {:.2} s CPU", start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    assert_eq!(*prover.vk().digest(), vk);
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let (publics, proof) = prover.prove(inputs).unwrap();
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    println!("prove {wall:.2} s wall, {cpu:.2} s CPU, {:.0} permutations/CPU s", permutations as f64 / cpu);
    let start = Instant::now();
    verify(prover.vk(), &publics, &proof).unwrap();
    println!("verify {:.1} ms, {} bytes", start.elapsed().as_secs_f64() * 1e3, proof.len());
    println!("{}\n{:?}", report(prover.vk().tables()), security(prover.vk()));
}

#[test]
fn rows_by_source_are_those_of_the_program() {
    let (b, _) = super::lies::demo();
    let rows = crate::rows(&b);
    let by_source = crate::rows_by_source(&b);
    let of = |gates: &[&str]| -> usize {
        by_source.iter().filter(|r| gates.contains(&r.gate)).map(|r| r.rows).sum()
    };
    assert_eq!(of(&["permutation"]), rows.poseidon2);
    assert_eq!(of(&["bits"]), rows.bits);
    assert_eq!(of(&["horner", "polynomial"]), rows.horner);
    assert!(by_source.iter().any(|r| r.gate == "permutation" && r.source.contains("lies.rs")));
    assert!(by_source.is_sorted_by_key(|r| std::cmp::Reverse(r.rows)));
}
