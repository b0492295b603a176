//! The real circuits, end to end, in the test profile: scenario, batches, proofs, bundle, lies.

use std::path::Path;
use std::sync::OnceLock;

use tsz_aggregator::{
    AggregationError, BatchError, Bundle, ExecError, ProofError, VerifierSet, check, check_bundle,
};
use tsz_hash::{F, PrimeCharacteristicRing};
use tsz_ledger::{Access, AlgorithmId};
use tsz_scenario::{Mix, Params, generate, run};
use tsz_stark::Profile;
use tsz_stf::Reject;
use tsz_trade::{Op, OpReject};
use tsz_transition::{Class, Counts, Witness};

use super::pipeline;
use crate::circuits::{circuits, transition_counts};
use crate::prove::prove_bundle;
use crate::*;

/// Two batches of 30 ops of every kind.
fn batches() -> Vec<ExecutedBatch> {
    let mix = Mix { keys: 20, full_exit: 5, create: 5, ..Mix::ALL };
    let params = Params { accounts: 200, active: 20, batches: 2, mix };
    executed(run(&generate(60, 5, &params).unwrap()).unwrap()).unwrap()
}

struct Fixture {
    registry: Registry,
    pins: Pins,
    bundle: Bundle,
    report: Report,
}

/// Keys of the smallest classes only: a test needs no other.
fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let registry = circuits(Profile::InsecureTest);
        let used = |c: &&dyn registry::Keyed| c.id().class == "small";
        let pins: Vec<Pin> = registry.circuits().filter(used).map(|c| registry::derive(c).unwrap()).collect();
        let pins = Pins::new(pins).unwrap();
        let (bundle, report) = prove_bundle(batches(), &registry, &pins, &|_| {}).unwrap();
        Fixture { registry, pins, bundle, report }
    })
}

fn verify(bundle: &Bundle) -> Result<(), AggregationError> {
    let f = fixture();
    check(&bundle.to_bytes(), &f.registry.verifiers(&f.pins), None).map(drop)
}

fn refused(bundle: &Bundle) -> BatchError {
    match verify(bundle) {
        Err(AggregationError::Batch { error, .. }) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn rows_of_a_transition_are_bounded_without_a_witness() {
    for batch in pipeline::batches().iter().chain(&batches()) {
        let ops: Vec<(AlgorithmId, Vec<Access>)> =
            batch.records.iter().map(|r| (r.algorithm(), r.accesses.clone())).collect();
        let witness = Witness::new(&batch.header.context, &ops, &batch.before).unwrap();
        let (got, [least, most]) = (witness.counts(), transition_counts(batch));
        assert!((least.poseidon2..=most.poseidon2).contains(&got.poseidon2), "{got:?} {least:?} {most:?}");
        assert_eq!(Counts { poseidon2: 0, ..got }, Counts { poseidon2: 0, ..least });
        assert_eq!(*witness.claim(), batch.header.transition());
        for circuit in fixture().registry.transitions() {
            let class = Class::named(circuit.id().class).unwrap();
            assert_eq!(circuit.fits(batch), class.holds(&got), "{}", class.name);
        }
    }
}

#[test]
fn batches_of_all_kinds_of_ops_are_proven_and_verified() {
    let f = fixture();
    let headers = check(&f.bundle.to_bytes(), &f.registry.verifiers(&f.pins), None).unwrap();
    assert_eq!(headers, batches().iter().map(|b| b.header).collect::<Vec<_>>());
    let circuits: Vec<&str> = f.report.proofs.iter().map(|p| p.circuit.as_str()).collect();
    assert_eq!(circuits, ["fund/small", "transition/small"].repeat(2));
    println!("{:#?}", f.report.by_stage());
}

#[test]
fn a_batch_in_two_ranges_is_verified_and_its_ranges_cannot_be_dropped_or_swapped() {
    let f = fixture();
    let batch = &batches()[0];
    let algorithm = batch.set.leaves()[0].algorithm;
    let ops: Vec<(u32, &OpRecord)> = (0..).zip(&batch.records).collect();
    let circuit = *f.registry.execs(algorithm).first().unwrap();
    let mut bundle = Bundle { batches: vec![f.bundle.batches[0].clone()] };
    let (mut start, mut execs) = (batch.header.context.digest(), Vec::new());
    for ops in [&ops[..10], &ops[10..]] {
        let job = registry::ExecJob { context: batch.header.context, params: &batch.params, start, ops };
        let proven = circuit.prove(&job).unwrap();
        start = proven.claim.end;
        let mut exec = bundle.batches[0].execs[0].clone();
        (exec.claim, exec.proof) = (proven.claim, proven.proof);
        execs.push(exec);
    }
    bundle.batches[0].execs = execs;
    verify(&bundle).unwrap();
    let mut dropped = bundle.clone();
    dropped.batches[0].execs.pop();
    assert!(matches!(refused(&dropped), BatchError::Unfinished { .. }));
    bundle.batches[0].execs.swap(0, 1);
    assert!(matches!(refused(&bundle), BatchError::Exec { error: ExecError::Gap, .. }));
}

#[test]
fn refuses_real_proofs_under_changed_claims() {
    let bundle = &fixture().bundle;
    let is_proof = |e: BatchError| {
        matches!(
            e,
            BatchError::Transition(ProofError::Verify(_))
                | BatchError::Exec { error: ExecError::Proof(ProofError::Verify(_)), .. }
        )
    };
    let mut root = bundle.clone();
    root.batches[1].header.sn[7] += F::ONE;
    assert!(is_proof(refused(&root)));
    let mut swapped = bundle.clone();
    let (x, y) = (bundle.batches[0].execs[0].proof.clone(), bundle.batches[1].execs[0].proof.clone());
    (swapped.batches[0].execs[0].proof, swapped.batches[1].execs[0].proof) = (y, x);
    assert!(is_proof(refused(&swapped)));
    let mut kinds = bundle.clone();
    kinds.batches[0].transition.proof = bundle.batches[0].execs[0].proof.clone();
    assert!(is_proof(refused(&kinds)));
    // Another time, everywhere: C changes, and with it every capacity.
    let mut time = bundle.clone();
    time.batches.truncate(1);
    time.batches[0].header.context.time += 1;
    time.batches[0].execs[0].claim.context.time += 1;
    time.batches[0].execs[0].claim.start = time.batches[0].header.context.digest();
    assert!(is_proof(refused(&time)));
}

#[test]
fn refuses_a_real_batch_without_its_begin_batch() {
    let mut bundle = fixture().bundle.clone();
    bundle.batches[0].execs[0].claim.has_begin = false;
    assert!(matches!(refused(&bundle), BatchError::BeginCount(0)));
    // The flag is a public value: the proof itself refuses the lie, too.
    let f = fixture();
    let exec = &bundle.batches[0].execs[0];
    let verifiers = f.registry.verifiers(&f.pins);
    assert!(verifiers.verify_exec(&exec.vk.digest, &exec.claim, &exec.proof).is_err());
}

#[test]
fn never_panics_on_damaged_real_bundles() {
    let f = fixture();
    let verifiers = f.registry.verifiers(&f.pins);
    let bytes = f.bundle.to_bytes();
    for (_, damaged) in tsz_testkit::damaged(&bytes, 11, 120) {
        let error = check(&damaged, &verifiers, None).unwrap_err().to_string();
        assert!(!error.contains("verifier failure"), "{error}");
    }
    for (k, (_, proof)) in tsz_testkit::damaged(&f.bundle.batches[0].execs[0].proof, 12, 120).enumerate() {
        let mut damaged = f.bundle.clone();
        let batch = &mut damaged.batches[k % 2];
        if k % 4 < 2 {
            batch.execs[0].proof = proof
        } else {
            batch.transition.proof = proof
        }
        let error = check_bundle(&damaged, &verifiers, None).unwrap_err().to_string();
        assert!(!error.contains("verifier failure"), "{error}");
    }
}

/// Signatures are verified after the batch has run: a wrong one must not leave a trace of its op.
#[test]
fn a_forged_signature_is_refused_and_changes_nothing() {
    let params = Params { accounts: 200, active: 20, batches: 1, mix: Mix::TRANSFERS };
    let run = run(&generate(20, 6, &params).unwrap()).unwrap();
    let honest = &run.batches[0];
    let (system, time) = (run.system.digest(), honest.context.time);
    let mut ops: Vec<Op> = honest.records.iter().map(|r| r.op.clone()).collect();
    let mut executor = Executor::new(system, run.genesis.clone());
    assert_eq!(executor.execute(time, &ops).unwrap().header.sn, honest.after.root());
    let Op::Fund(mut last) = ops[20].clone() else { panic!("not a transfer") };
    let Op::Fund(mut other) = ops[3].clone() else { panic!("not a transfer") };
    *last.signature_mut().unwrap() = *other.signature_mut().unwrap();
    ops[20] = last.into();
    let mut forged = Executor::new(system, run.genesis.clone());
    let batch = forged.execute(time, &ops).unwrap();
    let refused: Vec<_> = batch.rejected.iter().map(|r| (r.position, r.reason)).collect();
    assert_eq!(refused, [(20, OpReject::Fund(Reject::Signature))]);
    let mut without = Executor::new(system, run.genesis.clone());
    assert_eq!(without.execute(time, &ops[..20]).unwrap().header, batch.header);
}

/// A batch of trades and transfers.
fn trades() -> tsz_scenario::Run {
    let mix = Mix { spot: 3, ..Mix::TRANSFERS };
    let params = Params { accounts: 200, active: 12, batches: 1, mix };
    run(&generate(24, 9, &params).unwrap()).unwrap()
}

#[test]
fn a_batch_of_trades_and_transfers_is_proven_and_verified() {
    let f = fixture();
    let batches = executed(trades()).unwrap();
    let (bundle, report) = prove_bundle(batches, &f.registry, &f.pins, &|_| {}).unwrap();
    let circuits: Vec<&str> = report.proofs.iter().map(|p| p.circuit.as_str()).collect();
    assert_eq!(circuits, ["fund/small", "spot/small", "transition/small"]);
    verify(&bundle).unwrap();
    // under other parameters, everywhere: C changes, and with it every capacity
    let mut other = bundle.clone();
    let batch = &mut other.batches[0];
    batch.header.context.params[0] += F::ONE;
    let context = batch.header.context;
    for exec in &mut batch.execs {
        (exec.claim.context, exec.claim.start) = (context, context.digest());
    }
    assert!(matches!(
        refused(&other),
        BatchError::Transition(ProofError::Verify(_))
            | BatchError::Exec { error: ExecError::Proof(ProofError::Verify(_)), .. }
    ));
    // a trade proof cannot be left out
    let mut without = bundle;
    without.batches[0].execs.remove(1);
    verify(&without).unwrap_err();
}

#[test]
fn trades_need_the_parameters_in_force() {
    let run = trades();
    let batch = &run.batches[0];
    let ops: Vec<Op> = batch.records.iter().skip(1).map(|r| r.op.clone()).collect();
    let trades = ops.iter().filter(|op| op.needs_params()).count();
    assert!(0 < trades && trades < ops.len());
    let mut executor = Executor::new(run.system.digest(), run.genesis.clone());
    let mut others = batch.params.clone();
    others.oracle.max_age += 1;
    for params in [None, Some(others)] {
        let mut executor = executor.clone();
        params.into_iter().for_each(|p| executor.set_params(p));
        let done = executor.execute(batch.context.time, &ops).unwrap();
        assert_eq!((done.records.len(), done.rejected.len()), (1 + ops.len() - trades, trades));
        let reason = OpReject::Trade(tsz_trade::TradeReject::OtherParams);
        assert!(done.rejected.iter().all(|r| r.reason == reason));
    }
    executor.set_params(batch.params.clone());
    let done = executor.execute(batch.context.time, &ops).unwrap();
    assert_eq!((done.rejected.len(), done.header.sn), (0, batch.after.root()));
}

#[test]
fn a_folder_of_a_scenario_verifies() {
    let f = fixture();
    let dir = tempfile::tempdir().unwrap();
    let path: &Path = dir.path();
    prove_run(vec![batches().remove(0)], &f.registry, &f.pins, &|_| {}, path).unwrap();
    assert_eq!(verify_dir(path, &f.registry, &f.pins, None).unwrap().headers.len(), 1);
}
