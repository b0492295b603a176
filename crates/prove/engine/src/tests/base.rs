//! Base-profile measurements: run by hand with `--ignored`, they take minutes.

use tsz_scenario::{Mix, Params, generate, run};

use crate::prove::prove_bundle;
use crate::*;

#[test]
#[ignore = "minutes; prints keys and costs of the pinned profile"]
fn keys_and_costs_of_the_base_profile() {
    let registry = registry();
    for circuit in registry.circuits() {
        let info = circuit.key().unwrap();
        let cells: u64 = info.tables.iter().map(|t| t.cells() as u64).sum();
        println!(
            "{} setup {:.2} s, {cells} cells, {:.1} proven, {:.1} conjectured",
            circuit.id(),
            info.setup.wall_seconds,
            info.security.proven_bits,
            info.security.conjectured_bits
        );
    }
    let pins = Pins::new(registry.derive().unwrap()).unwrap();
    let ops = std::env::var("TSZ_OPS").ok().and_then(|n| n.parse().ok()).unwrap_or(500);
    let params = Params { accounts: 1 << 14, active: 500, batches: 1, mix: Mix::TRANSFERS };
    let batches = executed(run(&generate(ops, 1, &params).unwrap()).unwrap()).unwrap();
    let (bundle, report) = prove_bundle(batches, &registry, &pins, &|_| {}).unwrap();
    println!("{}", serde_json::to_string_pretty(&report).unwrap());
    println!("{} ops/s", report.ops_per_second());
    let watch = measure::Stopwatch::start();
    tsz_aggregator::check(&bundle.to_bytes(), &registry.verifiers(&pins), None).unwrap();
    println!("check {:?}", watch.cost());
}
