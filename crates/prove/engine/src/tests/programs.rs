//! Operations of programs end to end: the grid example's batches with the guard proven here and the runs' committed
//! proofs, and lies about every part that ties the two.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use tsz_aggregator::{
    AggregationError, BatchError, Bundle, ExecError, ExecProof, GuestRun, ProofError, VerifierSet, check,
};
use tsz_ext::{Installed, words};
use tsz_hash::{F, PrimeCharacteristicRing, hash_bytes};
use tsz_scenario::{Scenario, run};
use tsz_segment::{CONJECTURED_BITS, PROVEN_BITS, Words};
use tsz_stark::Profile;
use tsz_testkit::damaged;

use crate::circuits::circuits;
use crate::prove::prove_bundle;
use crate::runs::*;
use crate::*;

const GRID: &str = include_str!("../../../../client/scenario/examples/grid.json");

/// The example's batches: two operations of the program in each.
pub(super) fn batches() -> Vec<ExecutedBatch> {
    executed(run(&Scenario::from_json(GRID).unwrap()).unwrap()).unwrap()
}

pub(super) fn test_registry() -> Registry {
    circuits(Profile::InsecureTest)
}

fn test_pins(registry: &Registry) -> Pins {
    let used = |c: &&dyn registry::Keyed| {
        matches!(c.id().family, "fund" | "approvals" | "transition")
            && matches!(c.id().class, "tiny" | "small" | "moderate")
    };
    let vks = registry.circuits().filter(used).map(|c| registry::derive(c).unwrap()).collect();
    let programs = guests().unwrap().iter().map(ProgramPin::from).collect();
    let guards = registry.guards()[..1].iter().map(|c| registry::derive(c.as_ref()).unwrap()).collect();
    Pins::new(vks).unwrap().admit(guards, programs).unwrap()
}

pub(super) struct Fixture {
    registry: Registry,
    pub(super) pins: Pins,
    bundle: Bundle,
    report: Report,
}

pub(super) static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let registry = test_registry();
    let pins = test_pins(&registry);
    let (bundle, report) = prove_bundle(batches(), &registry, &pins, &|_| {}).unwrap();
    Fixture { registry, pins, bundle, report }
});

fn refused(bundle: &Bundle) -> AggregationError {
    check(&bundle.to_bytes(), &FIXTURE.registry.verifiers(&FIXTURE.pins), None).unwrap_err()
}

/// Places of the guard's proofs, one in each batch.
fn places() -> [usize; 2] {
    [0, 1].map(|b| FIXTURE.bundle.batches[b].execs.iter().position(|e| e.run.is_some()).unwrap())
}

/// The error at the guard's proof of the first batch, after a change of it.
fn error(change: impl Fn(&mut ExecProof)) -> ExecError {
    let mut bundle = FIXTURE.bundle.clone();
    change(&mut bundle.batches[0].execs[places()[0]]);
    match refused(&bundle) {
        AggregationError::Batch { index: 0, error: BatchError::Exec { error, .. } } => error,
        other => panic!("expected an error of a proof, got {other:?}"),
    }
}

fn run_error(change: impl Fn(&mut GuestRun)) -> ExecError {
    error(|exec| change(exec.run.as_mut().unwrap()))
}

fn is_run(error: &ExecError) -> bool {
    matches!(error, ExecError::Proof(ProofError::Run(_)))
}

/// The run of the second batch: of the same program, and a true one.
fn other_run() -> GuestRun {
    FIXTURE.bundle.batches[1].execs[places()[1]].run.clone().unwrap()
}

#[test]
fn operations_of_a_program_are_proven_and_checked() {
    let f = &*FIXTURE;
    let headers: Vec<_> = f.bundle.batches.iter().map(|b| b.header).collect();
    assert_eq!(check(&f.bundle.to_bytes(), &f.registry.verifiers(&f.pins), None).unwrap(), headers);
    for name in ["guard/small", "run/grid", "approvals/small", "fund/small"] {
        assert!(f.report.proofs.iter().filter(|p| p.circuit == name).count() == 2, "{name}");
    }
    let run = f.report.proofs.iter().find(|p| p.circuit == "run/grid").unwrap();
    assert_eq!((run.ops, run.proven_bits, run.conjectured_bits), (2, 48.0, 97.0));
    let manifest = Manifest::of(&f.bundle, 1, &f.pins).unwrap();
    let names: Vec<_> = manifest.batches[0].proofs.iter().map(|p| p.circuit.as_str()).collect();
    assert!(!names.contains(&"unknown") && names.contains(&"run/grid"), "{names:?}");
}

#[test]
fn rejects_a_run_of_another_program() {
    let f = &*FIXTURE;
    let options = guest(&Installed::id("options").unwrap()).unwrap();
    let image = |run: &mut GuestRun| run.image = options.image.map(F::from_u32);
    assert!(matches!(run_error(image), ExecError::Program));
    // the claim alone names the other program, whose pair of the tree there is
    let program = &f.pins.programs().iter().find(|p| p.name == "options").unwrap();
    let entry = program.entry(&f.pins.guards()[0]);
    let membership = f.pins.tree().unwrap().prove(&entry).unwrap();
    let claim = |exec: &mut ExecProof| {
        exec.claim.algorithm = options.algorithm();
        exec.vk.membership = membership;
    };
    assert!(matches!(error(claim), ExecError::Program));
    // both do: nothing meets the leaf
    let mut bundle = f.bundle.clone();
    let exec = &mut bundle.batches[0].execs[places()[0]];
    claim(exec);
    image(exec.run.as_mut().unwrap());
    assert!(matches!(refused(&bundle), AggregationError::Batch { index: 0, .. }));
    // and the seals are of one program
    let run = other_run();
    let verifiers = f.registry.verifiers(&f.pins);
    assert!(verifiers.verify_run(&words(&run.image), &run.output(2), &run.seals).is_ok());
    assert!(verifiers.verify_run(&options.image, &run.output(2), &run.seals).is_err());
}

#[test]
fn rejects_a_run_with_another_digest() {
    // a true run of the same program over other operations
    assert!(is_run(&run_error(|run| run.seals = other_run().seals)));
    // with its journal: the first range starts at C
    assert!(matches!(run_error(|run| *run = other_run()), ExecError::JournalGap));
    let end = |run: &mut GuestRun| run.end = hash_bytes(b"elsewhere");
    assert!(matches!(run_error(end), ExecError::Proof(ProofError::Verify(_))));
}

#[test]
fn rejects_a_count_off_by_one() {
    for change in [1, u32::MAX] {
        let count = |exec: &mut ExecProof| exec.claim.count = exec.claim.count.wrapping_add(change);
        let mut bundle = FIXTURE.bundle.clone();
        count(&mut bundle.batches[0].execs[places()[0]]);
        assert!(matches!(refused(&bundle), AggregationError::Batch { index: 0, .. }));
    }
    // the run alone says how many operations it took
    let f = &*FIXTURE;
    let exec = &f.bundle.batches[0].execs[places()[0]];
    let (run, verifiers) = (exec.run.as_ref().unwrap(), f.registry.verifiers(&f.pins));
    let verify = |count| verifiers.verify_run(&words(&run.image), &run.output(count), &run.seals);
    verify(exec.claim.count).unwrap();
    assert!(matches!(verify(exec.claim.count + 1), Err(ProofError::Run(_))));
    assert!(matches!(verify(exec.claim.count - 1), Err(ProofError::Run(_))));
}

#[test]
fn rejects_a_guard_without_its_run() {
    assert!(matches!(error(|exec| exec.run = None), ExecError::Proof(ProofError::UnknownVk)));
    assert!(is_run(&run_error(|run| run.seals.clear())));
    // the range with its run left out, and its leaf with it
    let mut bundle = FIXTURE.bundle.clone();
    let exec = bundle.batches[0].execs.remove(places()[0]);
    assert!(matches!(refused(&bundle), AggregationError::Batch { error: BatchError::Unmet(_), .. }));
    bundle.batches[0].leaves.retain(|leaf| leaf.algorithm != exec.claim.algorithm);
    assert!(matches!(refused(&bundle), AggregationError::Batch { error: BatchError::SetRoot, .. }));
}

#[test]
fn rejects_a_run_that_is_there_twice() {
    let twice = |run: &mut GuestRun| run.seals.push(run.seals[0].clone());
    assert!(is_run(&run_error(twice)));
    let mut bundle = FIXTURE.bundle.clone();
    let [at, _] = places();
    let exec = bundle.batches[0].execs[at].clone();
    bundle.batches[0].execs.insert(at, exec);
    let error = refused(&bundle);
    assert!(
        matches!(
            error,
            AggregationError::Batch { error: BatchError::Exec { error: ExecError::MetTwice(_), .. }, .. }
        ),
        "{error}"
    );
}

#[test]
fn rejects_a_tampered_seal_and_tampered_events() {
    let len = FIXTURE.bundle.batches[0].execs[places()[0]].run.as_ref().unwrap().seals[0].len();
    for at in [0, 5, 60, 91, 92, 200, len / 3, len / 2, len - 1] {
        assert!(is_run(&run_error(|run| run.seals[0][at] ^= 1)), "word {at}");
    }
    assert!(is_run(&run_error(|run| run.seals[0].truncate(len - 1))));
    assert!(is_run(&run_error(|run| run.seals[0].push(0))));
    // the program tells nothing
    let events = |run: &mut GuestRun| run.events = Some((1, hash_bytes(b"an event")));
    assert!(is_run(&run_error(events)));
}

#[test]
fn rejects_a_tampered_proof_of_the_guard() {
    let damage = |exec: &mut ExecProof| {
        let middle = exec.proof.len() / 2;
        exec.proof[middle] ^= 1;
    };
    assert!(matches!(error(damage), ExecError::Proof(ProofError::Verify(_))));
    // the key of another circuit brings no run
    let fund = FIXTURE.bundle.batches[0].execs.iter().find(|e| e.run.is_none()).unwrap().vk;
    assert!(matches!(error(|exec| exec.vk = fund), ExecError::Vk));
}

#[test]
fn rejects_damaged_bytes_without_panic() {
    let f = &*FIXTURE;
    let mut bundle = f.bundle.clone();
    bundle.batches.truncate(1);
    let verifiers = f.registry.verifiers(&f.pins);
    for (damage, bytes) in damaged(&bundle.to_bytes(), 11, 40) {
        assert!(check(&bytes, &verifiers, None).is_err(), "{damage:?}");
    }
    // in the run alone
    let run = other_run();
    let (image, output) = (words(&run.image), run.output(2));
    verifiers.verify_run(&image, &output, &run.seals).unwrap();
    let bytes: Vec<u8> = run.seals[0].iter().flat_map(|w| w.to_le_bytes()).collect();
    for (damage, bytes) in damaged(&bytes, 12, 60) {
        let seal = bytes.chunks(4).map(|b| b.iter().rev().fold(0, |w, b| w << 8 | u32::from(*b))).collect();
        assert!(verifiers.verify_run(&image, &output, &[seal]).is_err(), "{damage:?}");
    }
}

/// Knows nothing, and says of each run that it has `segments(operations)` segments.
struct Measured<F>(F, AtomicUsize);

impl<F: Fn(u32) -> usize + Send + Sync> RunProver for Measured<F> {
    fn measure(&self, job: &RunJob<'_>) -> Result<Vec<u32>, RunFailure> {
        Ok(vec![MAX_PO2; self.0(job.input[0])])
    }
    fn prove(&self, job: &RunJob<'_>) -> Result<RunProof, RunFailure> {
        self.1.store(job.input[0] as usize, Ordering::Relaxed);
        Err(RunFailure::Unknown)
    }
}

#[test]
fn runs_are_cut_to_one_segment() {
    let first = |segments: fn(u32) -> usize| {
        let mut registry = test_registry();
        let prover = Arc::new(Measured(segments, AtomicUsize::new(0)));
        registry.set_run_prover(prover.clone());
        let pins = &FIXTURE.pins;
        let error = prove_batch(&batches()[0], &registry, pins, &|_| {}).unwrap_err().to_string();
        (prover.1.load(Ordering::Relaxed), error)
    };
    assert_eq!(first(|_| 1).0, 2);
    assert_eq!(first(|ops| ops as usize).0, 1);
    // a single operation of many segments is a range of its own, up to what a lift takes
    assert_eq!(first(|_| MAX_RUN_SEGMENTS).0, 1);
    let (proven, error) = first(|_| MAX_RUN_SEGMENTS + 1);
    assert!(proven == 0 && error.contains("17 segments"), "{error}");
    // nor is a run proven in segments of a size that the aggregation tree has no program for
    let (proven, error) = first(|_| 0);
    assert!(proven == 0 && error.contains("the aggregation tree takes"), "{error}");
}

#[test]
fn a_batch_with_a_run_that_nobody_proves_is_refused_before_any_proof() {
    let f = &*FIXTURE;
    let mut registry = test_registry();
    registry.set_run_prover(Arc::new(RunProvers::default()));
    let stages = std::cell::RefCell::new(Vec::new());
    let note = |event: Event<'_>| {
        if let Event::Start { stage, .. } = event {
            stages.borrow_mut().push(stage.to_owned());
        }
    };
    let error = prove_batch(&batches()[0], &registry, &f.pins, &note).unwrap_err().to_string();
    assert!(error.contains("batch 1: a run of the program grid over 2 operations"), "{error}");
    assert!(error.contains("scripts/build-run-prover.sh"), "{error}");
    assert!(stages.borrow().iter().all(|stage| stage == "plan"), "{stages:?}");
    // a program that is not admitted has no circuit at all
    let pins = f.pins.clone().admit(f.pins.guards().to_vec(), Vec::new()).unwrap();
    let error = prove_batch(&batches()[0], &registry, &pins, &|_| {}).unwrap_err().to_string();
    assert!(error.contains("extension operation"), "{error}");
}

/// Proves by committed proofs, but for runs whose number says no.
struct Failing(AtomicUsize, fn(usize) -> bool);

impl RunProver for Failing {
    fn measure(&self, job: &RunJob<'_>) -> Result<Vec<u32>, RunFailure> {
        CommittedRuns::default().measure(job)
    }
    fn prove(&self, job: &RunJob<'_>) -> Result<RunProof, RunFailure> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        if self.1(number) { CommittedRuns::default().prove(job) } else { Err(RunFailure::Unknown) }
    }
}

#[test]
fn a_run_that_fails_loses_nothing() {
    let f = &*FIXTURE;
    let dir = tempfile::tempdir().unwrap();
    let prove = |works: fn(usize) -> bool| {
        let (mut registry, failing) = (f.registry.clone(), Arc::new(Failing(AtomicUsize::new(0), works)));
        registry.set_run_prover(failing.clone());
        let proven = prove_run(batches(), &registry, &f.pins, &|_| {}, dir.path());
        (proven, failing.0.load(Ordering::Relaxed))
    };
    let (failed, asked) = prove(|number| number == 0);
    assert!(failed.unwrap_err().to_string().starts_with("batch 2: a run of the program grid"));
    assert_eq!(asked, 2);
    assert!(verify_dir(dir.path(), &f.registry, &f.pins, None).is_err(), "no manifest");
    // a kept proof that is damaged is made anew
    let kept: Vec<_> = std::fs::read_dir(dir.path().join(folder::RUNS)).unwrap().collect();
    assert_eq!(kept.len(), 1);
    let (proven, asked) = prove(|_| true);
    assert_eq!((proven.unwrap().0.batches.len(), asked), (2, 1), "only the second run");
    let verified = verify_dir(dir.path(), &f.registry, &f.pins, None).unwrap();
    assert_eq!((verified.headers.len(), verified.runs), (2, 2));
    // the circuits of this test have fewer bits than a run
    let bits = verified.bits;
    assert!(bits.proven <= f64::from(PROVEN_BITS) && bits.conjectured <= f64::from(CONJECTURED_BITS));
    let path = kept[0].as_ref().unwrap().path();
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(prove(|_| true).1, 1);
    assert_ne!(std::fs::read(&path).unwrap(), bytes);
}

/// An executable that reads the request and does what `body` says.
#[cfg(unix)]
fn script(dir: &Path, body: &str) -> ExternalProver {
    use std::os::unix::fs::PermissionsExt;
    let path = dir.join("prover");
    std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    ExternalProver::new(path)
}

/// The run of the first batch.
fn first_run() -> (Guest, Vec<u32>, Words) {
    let batch = &batches()[0];
    let grid = guest(&Installed::id("grid").unwrap()).unwrap();
    let ops: Vec<_> = (0..).zip(&batch.records).filter(|(_, r)| r.algorithm() == grid.algorithm()).collect();
    let run = ProgramRun::new(grid, batch.header.context.digest(), &ops).unwrap();
    let job = run.job();
    (grid, job.input.to_vec(), job.output)
}

#[cfg(unix)]
#[test]
fn an_executable_proves_runs_and_its_answers_are_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let (grid, input, output) = first_run();
    let job = RunJob { guest: &grid, input: &input, output };
    let honest = CommittedRuns::default().prove(&job).unwrap();
    let reply = dir.path().join("reply");
    std::fs::write(&reply, honest.to_bytes()).unwrap();
    let echo = format!("cat >/dev/null; cat {}", reply.display());
    let prover = script(dir.path(), &echo);
    assert_eq!(prover.prove(&job).unwrap(), honest);
    assert_eq!(prover.measure(&job).unwrap(), honest.sizes());

    let error = |body: &str| script(dir.path(), body).prove(&job).unwrap_err();
    let failed = error("echo no memory >&2; exit 1");
    assert!(matches!(&failed, RunFailure::Failed { reason, .. } if reason == "no memory"), "{failed}");
    assert!(matches!(error("cat >/dev/null"), RunFailure::Reply { .. }));
    assert!(matches!(error("cat"), RunFailure::Reply { .. }));
    assert!(matches!(ExternalProver::new("/nowhere").prove(&job), Err(RunFailure::Start { .. })));
    std::fs::write(&reply, [honest.to_bytes(), vec![0]].concat()).unwrap();
    assert!(matches!(error(&echo), RunFailure::Reply { .. }));
    let other = RunProof { output: [1; 8], ..honest.clone() };
    std::fs::write(&reply, other.to_bytes()).unwrap();
    assert!(matches!(error(&echo), RunFailure::Other { what: "the output", .. }));

    // an answer about the run that proves nothing is refused when it is used
    let f = &*FIXTURE;
    let mut lied = honest.clone();
    lied.segments[0].seal[300] ^= 1;
    std::fs::write(&reply, lied.to_bytes()).unwrap();
    let mut registry = f.registry.clone();
    registry.set_run_prover(Arc::new(script(dir.path(), &echo)));
    let refused = prove_batch(&batches()[0], &registry, &f.pins, &|_| {}).unwrap_err();
    assert!(refused.to_string().contains("the proof of the run is refused"), "{refused}");
}

/// A prover that keeps to no limit is stopped, whatever it does with its pipes, and says so.
#[cfg(unix)]
#[test]
fn an_executable_that_hangs_floods_or_dies_is_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let (grid, input, output) = first_run();
    // longer than a pipe holds: a process that does not read leaves its writer waiting
    let input = [input, vec![0; 1 << 18]].concat();
    let job = RunJob { guest: &grid, input: &input, output };
    let limit = Duration::from_millis(1_500);
    let ask = |body: &str| {
        let start = Instant::now();
        let error = script(dir.path(), body).with_limit(limit).prove(&job).unwrap_err();
        (error, start.elapsed())
    };
    let pid = dir.path().join("pid");
    let me = format!("echo $$ > {}; ", pid.display());
    let gone = || {
        let pid = std::fs::read_to_string(&pid).unwrap();
        !Path::new("/proc").join(pid.trim()).exists()
    };
    // sleeps itself, has closed its output, or has a child that holds the pipes
    for body in
        ["exec sleep 60", "exec sleep 60 >&- 2>&-", "sleep 20; exit 0", "cat >/dev/null; exec sleep 60"]
    {
        let (error, time) = ask(&format!("{me}echo at work >&2; {body}"));
        assert!(matches!(error, RunFailure::Time { .. }), "{body}: {error}");
        assert!(error.to_string().contains("it said last: at work"), "{error}");
        assert!(time >= limit && time < Duration::from_secs(15), "{body}: {time:?}");
        assert!(gone(), "{body}");
    }
    // without end on its output: stopped long before the time is up
    let (error, time) = {
        let start = Instant::now();
        let prover = script(dir.path(), &format!("{me}exec cat /dev/zero"));
        (prover.prove(&job).unwrap_err(), start.elapsed())
    };
    assert!(matches!(error, RunFailure::Flood { .. }), "{error}");
    assert!(time < Duration::from_secs(20) && gone());
    // without end on its error text: read and forgotten, but for its end
    let (error, _) = ask(&format!("{me}exec cat /dev/zero >&2"));
    assert!(matches!(error, RunFailure::Time { .. }), "{error}");
    assert!(error.to_string().len() < 10_000 && gone());
    // dies in the middle of its answer, with and without a word
    let dead = |body: &str| script(dir.path(), body).prove(&job).unwrap_err();
    let error = dead("head -c 100 /dev/zero; kill -9 $$");
    assert!(matches!(&error, RunFailure::Failed { reason, .. } if reason.contains("signal: 9")), "{error}");
    let error = dead("head -c 100 /dev/zero; echo out of memory >&2; exit 3");
    assert!(matches!(&error, RunFailure::Failed { reason, .. } if reason == "out of memory"), "{error}");
}

/// What was proven before a prover hangs is there for the next attempt.
#[cfg(unix)]
#[test]
fn a_prover_that_hangs_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (grid, input, output) = first_run();
    let job = RunJob { guest: &grid, input: &input, output };
    let honest = CommittedRuns::default().prove(&job).unwrap();
    let (reply, asked) = (dir.path().join("reply"), dir.path().join("asked"));
    std::fs::write(&reply, honest.to_bytes()).unwrap();
    let body = format!(
        "[ -e {0} ] && exec sleep 60; touch {0}; cat >/dev/null; cat {1}",
        asked.display(),
        reply.display()
    );
    let prover = script(dir.path(), &body);
    let kept = dir.path().join("runs");
    let runs = |prover: ExternalProver| KeptRuns::new(&kept, Some(Arc::new(prover)));
    assert_eq!(runs(prover.clone()).prove(&job).unwrap(), honest);
    // another run: the prover hangs
    let other = RunJob { output: [1; 8], ..job };
    let hanging = runs(prover.with_limit(Duration::from_millis(500)));
    assert!(matches!(hanging.prove(&other), Err(RunFailure::Time { .. })));
    // the first one is there without any prover
    let again = KeptRuns::new(&kept, None).prove(&job).unwrap();
    assert_eq!(again.into_seals(), honest.into_seals());
    assert_eq!(std::fs::read_dir(&kept).unwrap().count(), 1);
}

#[test]
fn replies_have_one_encoding() {
    let (grid, input, output) = first_run();
    let honest = CommittedRuns::default().prove(&RunJob { guest: &grid, input: &input, output }).unwrap();
    let bytes = honest.to_bytes();
    assert_eq!(RunProof::from_bytes(&bytes, "test").unwrap(), honest);
    for (damage, bytes) in damaged(&bytes, 13, 200) {
        if let Ok(read) = RunProof::from_bytes(&bytes, "test") {
            assert_eq!(read.to_bytes(), bytes, "{damage:?}");
        }
    }
}
