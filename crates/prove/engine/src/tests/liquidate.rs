//! Liquidations end to end: the example of an outage, with a takeover and closes forced on L1, and that of a cascade with
//! its rankings and ADL.

use std::path::Path;

use tsz_aggregator::check;
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
        let families =
            ["fund", "perp", "oracle", "manage", "settle", "liquidate", "deleverage", "transition"];
        matches!(id.class, "tiny" | "small" | "moderate") && families.contains(&id.family)
    };
    let pins: Vec<Pin> = registry.circuits().filter(used).map(|c| registry::derive(c).unwrap()).collect();
    let pins = Pins::new(pins).unwrap();
    let both = ["liquidate/small", "deleverage/small"];
    for (name, circuits) in [("oracle-outage.json", &both[..1]), ("cascade.json", &both)] {
        let batches = example(name);
        let headers: Vec<_> = batches.iter().map(|batch| batch.header).collect();
        let (bundle, report) = prove_bundle(batches, &registry, &pins, &|_| {}).unwrap();
        for circuit in circuits {
            assert!(report.proofs.iter().any(|proof| proof.circuit == *circuit), "{name}: {circuit}");
        }
        assert_eq!(check(&bundle.to_bytes(), &registry.verifiers(&pins), None).unwrap(), headers);
    }
}
