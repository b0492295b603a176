//! Liquidations end to end: the example of an outage, with a takeover and closes forced on L1, and that of a cascade up to
//! its first ADL.

use std::path::Path;

use tsz_aggregator::check;
use tsz_ledger::Family;
use tsz_scenario::{Scenario, run};
use tsz_stark::Profile;

use crate::circuits::circuits;
use crate::prove::prove_bundle;
use crate::*;

/// The batches of an example.
fn example(name: &str) -> Vec<ExecutedBatch> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../client/scenario/examples");
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    executed(run(&Scenario::from_json(&text).unwrap()).unwrap()).unwrap()
}

#[test]
fn examples_with_liquidations_and_forced_closes_are_proven() {
    let registry = circuits(Profile::InsecureTest);
    let used = |c: &&dyn registry::Keyed| {
        let id = c.id();
        id.class == "small" && ["fund", "perp", "oracle", "liquidate", "transition"].contains(&id.family)
    };
    let pins: Vec<Pin> = registry.circuits().filter(used).map(|c| registry::derive(c).unwrap()).collect();
    let pins = Pins::new(pins).unwrap();
    let mut cascade = example("cascade.json");
    cascade.truncate(2);
    for batches in [example("oracle-outage.json"), cascade] {
        let is_ours = |record: &OpRecord| record.algorithm() == Family::Liquidate.algorithm();
        assert!(batches.iter().flat_map(|batch| &batch.records).any(is_ours));
        let headers: Vec<_> = batches.iter().map(|batch| batch.header).collect();
        let (bundle, report) = prove_bundle(batches, &registry, &pins, &|_| {}).unwrap();
        assert!(report.proofs.iter().any(|proof| proof.circuit == "liquidate/small"));
        assert_eq!(check(&bundle.to_bytes(), &registry.verifiers(&pins), None).unwrap(), headers);
    }
}
