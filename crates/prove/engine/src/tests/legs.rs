//! Operations of a program that moves positions, end to end: the first batch of the block example, whose run is proven by
//! a committed proof, under the guard's circuit with legs.

use std::sync::{Arc, OnceLock};

use tsz_aggregator::{AggregationError, Bundle, check};
use tsz_ext::Installed;
use tsz_ledger::Key;
use tsz_scenario::{Scenario, run};
use tsz_stark::Profile;

use crate::circuits::{Approvals, Fund, Guard, Legs, Transition};
use crate::prove::prove_bundle;
use crate::registry::{GuardCircuit, GuardJob};
use crate::runs::CommittedRuns;
use crate::*;

const BLOCK: &str = include_str!("../../../../client/scenario/examples/block.json");

fn batch() -> ExecutedBatch {
    executed(run(&Scenario::from_json(BLOCK).unwrap()).unwrap()).unwrap().remove(0)
}

struct Fixture {
    registry: Registry,
    pins: Pins,
    bundle: Bundle,
    report: Report,
}

fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let profile = Profile::InsecureTest;
        let mut registry = Registry::new();
        registry.set_run_prover(Arc::new(CommittedRuns::default()));
        registry.add_exec(Arc::new(Fund::new(tsz_fund::Class::named("small").unwrap(), profile)));
        registry.add_exec(Arc::new(Approvals::new(&tsz_guard::APPROVAL_CLASSES[0], profile)));
        registry.add_guard(Arc::new(Guard::new(&tsz_guard::CLASSES[0], profile)));
        registry.add_guard(Arc::new(Legs::new(&tsz_guard::margin::MARGIN_CLASSES[0], profile)));
        let small = tsz_transition::Class::named("small").unwrap();
        registry.add_transition(Arc::new(Transition::new(small, profile)));
        let programs = runs::guests().unwrap().iter().map(ProgramPin::from).collect();
        let (base, guards) = (registry.derive().unwrap(), registry.derive_guards().unwrap());
        let pins = Pins::new(base).unwrap().admit(guards, programs).unwrap();
        let (bundle, report) = prove_bundle(vec![batch()], &registry, &pins, &|_| {}).unwrap();
        Fixture { registry, pins, bundle, report }
    })
}

#[test]
fn operations_that_move_positions_are_proven_and_checked() {
    let f = fixture();
    let headers: Vec<_> = f.bundle.batches.iter().map(|b| b.header).collect();
    assert_eq!(check(&f.bundle.to_bytes(), &f.registry.verifiers(&f.pins), None).unwrap(), headers);
    let found = |name: &str| f.report.proofs.iter().filter(|p| p.circuit == name).count();
    assert_eq!(["guard/margin-small", "run/block", "guard/small"].map(found), [1, 1, 0]);
    let manifest = Manifest::of(&f.bundle, 1, &f.pins).unwrap();
    let names: Vec<_> = manifest.batches[0].proofs.iter().map(|p| p.circuit.as_str()).collect();
    assert!(names.contains(&"guard/margin-small") && !names.contains(&"unknown"), "{names:?}");
}

#[test]
fn rejects_a_guard_of_legs_without_its_run_or_under_other_parameters() {
    let f = fixture();
    let refused = |change: &dyn Fn(&mut Bundle)| {
        let mut bundle = f.bundle.clone();
        change(&mut bundle);
        check(&bundle.to_bytes(), &f.registry.verifiers(&f.pins), None).unwrap_err()
    };
    let at = f.bundle.batches[0].execs.iter().position(|e| e.run.is_some()).unwrap();
    let without = refused(&|bundle| bundle.batches[0].execs[at].run = None);
    assert!(matches!(without, AggregationError::Batch { index: 0, .. }), "{without:?}");
    let other = refused(&|bundle| {
        let context = &mut bundle.batches[0].execs[at].claim.context;
        context.params[0] += <tsz_hash::F as tsz_hash::PrimeCharacteristicRing>::ONE;
    });
    assert!(matches!(other, AggregationError::Batch { index: 0, .. }), "{other:?}");
}

/// The plain circuit has no row for a leg; the one with legs takes what the ledger did and nothing else.
#[test]
fn legs_are_proven_by_the_circuit_with_legs_only() {
    let (f, batch) = (fixture(), batch());
    let program = Installed::id("block").unwrap();
    let ops: Vec<_> = (0u32..).zip(&batch.records).filter(|(_, r)| r.algorithm() == program).collect();
    let [plain, legs] = [0, 1].map(|k| f.registry.guards()[k].as_ref());
    let fits = |guard: &dyn GuardCircuit| guard.fits(&batch.params, &ops);
    assert_eq!([plain, legs].map(fits), [false, true]);
    let start = batch.header.context.digest();
    let prove = |guard: &dyn GuardCircuit, ops: &[(u32, &OpRecord)]| {
        let context = batch.header.context;
        let job = GuardJob { context, params: &batch.params, program, start, journal: start, ops };
        guard.prove(&job)
    };
    assert!(matches!(prove(plain, &ops), Err(EngineError::Witness { .. })));
    // a buyer whose collateral pays a unit less
    let mut lie = ops[0].1.clone();
    let sub = lie.accesses.iter_mut().find(|a| a.write && a.key == Key::sub(2, 0)).unwrap();
    sub.new[0] += <tsz_hash::F as tsz_hash::PrimeCharacteristicRing>::ONE;
    let lied = prove(legs, &[(ops[0].0, &lie)]).unwrap();
    assert!(legs.verify(&lied.claim, &lied.proof).is_err());
}
