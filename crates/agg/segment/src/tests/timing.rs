//! Measurements.

use std::time::Instant;

use tsz_air::report;
use tsz_plonk::{Builder, Program, Prover};
use tsz_recursion::{KeyValues, Verifier};
use tsz_segment::circuit::Circuit;
use tsz_segment::shape::Shape;
use tsz_stark::security::security;
use tsz_stark::{F, Profile, Proof};

use super::{first, second};
use crate::{Lift, RUNS, RunLift, RunProgram, build, build_guest, build_run, run_name};

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.split_whitespace().collect();
    let ticks = |k: usize| fields.get(k).and_then(|s| s.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(13) + ticks(14)) / 100.0
}

fn timed<T>(name: &str, work: impl FnOnce() -> T) -> T {
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let result = work();
    println!("{name}: {:.2} CPU s, {:.2} s wall", cpu_seconds() - cpu, start.elapsed().as_secs_f64());
    result
}

/// The program of the machine's six tables that verifies a proof with the seventh: what a tree would do first.
fn wrapped(name: &str, prover: &Prover, publics: &[F], proof: &[u8]) {
    let vk = prover.vk();
    let verifier = Verifier::new(vk);
    let mut b = Builder::new();
    let key = verifier.fixed_key(&mut b);
    let wires = verifier.input(&mut b);
    verifier.verify(&mut b, &key, &wires);
    println!("{name}, verified in the machine: {:?}", tsz_plonk::rows(&b));
    let outer = Program::fitted(b, Profile::Node).unwrap().keys().unwrap();
    let by_table = tsz_plonk::publics_of(vk, publics);
    let proof = Proof::from_bytes(vk, proof).unwrap();
    let values = verifier.values(&KeyValues::from(&**vk), &proof, &by_table).unwrap();
    let (_, proof) = timed(name, || outer.prove(&values).unwrap());
    println!("{} bytes", proof.len());
}

/// Run with `cargo test -p tsz-segment-program -- --ignored --nocapture timing`.
#[test]
#[ignore = "measures"]
fn timing_of_lifts() {
    for po2 in 13..=20 {
        let shape = Shape::new(po2).unwrap();
        println!("2^{po2}: {:?}", tsz_plonk::rows(&build(Circuit::rv32im().unwrap(), &shape)));
    }
    let lift = timed("lift of 2^15: program and keys", || Lift::new(15, Profile::Node).unwrap());
    let (publics, proof) = timed("lift of 2^15: proof", || lift.prove(&first()).unwrap());
    timed("lift of 2^15: verification", || lift.verify(&publics, &proof).unwrap());
    println!("{} bytes\n{}", proof.len(), report(lift.prover().vk().tables()));
    println!("{:?}", security(lift.prover().vk()));
    wrapped("lift of 2^15", lift.prover(), &publics, &proof);
    let run =
        timed("run of 2^15, 2^14: program and keys", || RunLift::new(&[15, 14], Profile::Node).unwrap());
    let seals = [first(), second()];
    let (publics, proof) = timed("run of 2^15, 2^14: proof", || run.prove(&seals).unwrap());
    println!("{:?}, {} bytes", run.prover().program().rows(), proof.len());
    wrapped("run of 2^15, 2^14", run.prover(), &publics, &proof);
}

/// Run with `cargo test -p tsz-segment-program -- --ignored --nocapture rows_of_runs`.
#[test]
#[ignore = "measures"]
fn rows_of_runs_of_guests() {
    let circuit = Circuit::rv32im().unwrap();
    for list in RUNS {
        let shapes: Vec<Shape> = list.iter().map(|po2| Shape::new(*po2).unwrap()).collect();
        let [run, guest] = [build_run(circuit, &shapes), build_guest(circuit, &shapes)];
        println!(
            "{}: {:?}\n without its meaning: {:?}",
            run_name(list),
            tsz_plonk::rows(&guest),
            tsz_plonk::rows(&run)
        );
    }
    for po2 in crate::PARTS {
        let part = crate::build_part(circuit, &Shape::new(*po2).unwrap());
        println!("{}: {:?}", crate::part_name(*po2), tsz_plonk::rows(&part));
    }
    let program = timed("run/15-14: program and keys", || RunProgram::new(&[15, 14], Profile::Node).unwrap());
    let seals = [first(), second()];
    let (publics, proof) =
        timed("run/15-14: proof", || program.prove(&super::guests::journal(), &seals).unwrap());
    timed("run/15-14: verification", || tsz_plonk::verify(program.prover().vk(), &publics, &proof).unwrap());
    println!("{} bytes\n{}", proof.len(), report(program.prover().vk().tables()));
    println!("{:?}", security(program.prover().vk()));
}

/// Full segments as nodes of the tree. The example `seal` of crates/ext/prover makes their seals:
/// `cargo run --release --example seal -- FOLDER 20 TIMES` for each number of times below. Then
/// `TSZ_SEALS=FOLDER cargo test -p tsz-segment-program -- --ignored --nocapture timing_of_runs`; sizes without a seal are
/// left out.
#[test]
#[ignore = "measures, and needs seals"]
fn timing_of_runs() {
    let folder = std::env::var_os("TSZ_SEALS").expect("TSZ_SEALS names the folder of the seals");
    let folder = std::path::Path::new(&folder);
    let mut found = 0;
    for (po2, times) in [(15, 1), (16, 3), (17, 6), (18, 14)] {
        let Ok(bytes) = std::fs::read(folder.join(format!("grid-{po2}-0.seal"))) else { continue };
        let (seal, name) = (super::words(&bytes), run_name(&[po2]));
        let (journal, output) = super::guests::repeated(times);
        assert_eq!(tsz_segment::verify(&seal).unwrap().end.unwrap().output, output, "{name}: another run");
        let program =
            timed(&format!("{name}: program and key"), || RunProgram::new(&[po2], Profile::Node).unwrap());
        let (publics, proof) = timed(&format!("{name}: proof"), || program.prove(&journal, &[seal]).unwrap());
        tsz_plonk::verify(program.prover().vk(), &publics, &proof).unwrap();
        println!("{:?}, {} bytes", program.prover().program().rows(), proof.len());
        found += 1;
    }
    assert!(found > 0, "no seal in {}", folder.display());
}
