//! Approvals end to end: approved and revoked in a scenario, proven, checked. An operation of a program that is not
//! admitted executes and is refused by the prover; those that are: programs.rs.

use tsz_aggregator::check;
use tsz_ledger::Family;
use tsz_scenario::{Scenario, run};
use tsz_stark::Profile;

use crate::circuits::circuits;
use crate::prove::prove_bundle;
use crate::*;

const GRID: &str = include_str!("../../../../client/scenario/examples/grid.json");

/// The example, of its last batches only the entries of which `keep` says so.
fn batches(keep: impl Fn(&str) -> bool) -> Vec<ExecutedBatch> {
    let mut file: serde_json::Value = serde_json::from_str(GRID).unwrap();
    for batch in file["batches"].as_array_mut().unwrap() {
        batch["operations"].as_array_mut().unwrap().retain(|op| keep(op["op"].as_str().unwrap()));
    }
    executed(run(&Scenario::from_json(&file.to_string()).unwrap()).unwrap()).unwrap()
}

fn pins(registry: &Registry) -> Pins {
    let used = |c: &&dyn registry::Keyed| {
        matches!(c.id().family, "fund" | "approvals" | "transition")
            && matches!(c.id().class, "tiny" | "small" | "moderate")
    };
    Pins::new(registry.circuits().filter(used).map(|c| registry::derive(c).unwrap()).collect()).unwrap()
}

#[test]
fn approvals_and_revocations_are_proven() {
    let registry = circuits(Profile::InsecureTest);
    let pins = pins(&registry);
    let batches = batches(|op| op.ends_with("e_extension") || op == "withdraw");
    let headers: Vec<_> = batches.iter().map(|b| b.header).collect();
    let (bundle, report) = prove_bundle(batches, &registry, &pins, &|_| {}).unwrap();
    assert!(report.proofs.iter().any(|p| p.circuit == "approvals/small"));
    assert_eq!(check(&bundle.to_bytes(), &registry.verifiers(&pins), None).unwrap(), headers);
    let mut dropped = bundle;
    dropped.batches[1].execs.retain(|e| e.claim.algorithm != Family::Extension.algorithm());
    assert!(check(&dropped.to_bytes(), &registry.verifiers(&pins), None).is_err());
}

#[test]
fn a_batch_with_an_operation_of_a_program_that_is_not_admitted_is_not_proven() {
    let registry = circuits(Profile::InsecureTest);
    let batches = batches(|_| true);
    let fills = |b: &ExecutedBatch| b.records.iter().filter(|r| r.op.as_ext().is_some()).count();
    assert_eq!(batches.iter().map(fills).collect::<Vec<_>>(), [4, 5]);
    let refused = prove_bundle(batches, &registry, &pins(&registry), &|_| {}).unwrap_err();
    assert!(refused.to_string().contains("extension operation"), "{refused}");
}
