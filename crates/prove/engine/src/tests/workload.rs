//! The workload of all families: what is in it, for any arguments.

use std::collections::{BTreeMap, BTreeSet};

use tsz_scenario::{Mix, Params, Scenario, run};
use tsz_trade::Op;

use crate::*;

/// Families of which the size depends on the trades.
const TRADES: [&str; 3] = ["spot", "perp", "transition"];

const SMALL: Params = Params { accounts: 64, active: 8, batches: 1, mix: Mix::TRADES };

/// Whether the generator made it.
fn is_trade(op: &Op) -> bool {
    op.name().ends_with("Trade")
}

/// Fails for a family without an operation in the workload, and where the committed proof of its run is stale: after a
/// change of the program, the journal, the parameters or the workload, `scripts/prove-runs.sh --pin` makes it anew.
#[test]
fn every_family_of_the_registry_has_a_proof_whatever_the_arguments_are() {
    let (registry, pins) = (registry(), Pins::built_in().unwrap());
    let all: BTreeSet<&str> = registry.keyed().map(|circuit| circuit.id().family).collect();
    for (trades, seed, accounts, active) in [(16, 1, 64, 8), (40, 2, 1000, 2), (24, 3, 16, 16)] {
        let params = Params { accounts, active, batches: 1, mix: Mix::TRADES };
        let batch = every_family(trades, seed, &params).unwrap();
        assert!(batch.rejected.is_empty());
        let circuits = plan_batch(&batch, &registry, &pins).unwrap();
        let families: Vec<&str> = circuits.iter().map(|circuit| circuit.family).collect();
        assert_eq!(families.iter().copied().collect::<BTreeSet<_>>(), all);
        assert_eq!(families.len(), all.len(), "one range of each: {families:?}");
        for circuit in circuits.iter().filter(|circuit| !TRADES.contains(&circuit.family)) {
            assert_eq!(circuit.class, "small", "{circuit}");
        }
        assert_eq!(batch.records.iter().filter(|r| is_trade(&r.op)).count(), trades as usize);
    }
}

/// The operations besides trades, by family and kind.
#[test]
fn the_batch_has_these_operations() {
    let registry = registry();
    let batch = every_family(16, 1, &SMALL).unwrap();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for record in batch.records.iter().filter(|record| !is_trade(&record.op)) {
        let family = registry.execs(record.algorithm()).first().map_or("guard", |c| c.id().family);
        *counts.entry(format!("{family}: {}", record.op.name())).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    let expected = [
        "approvals: extension operation 3",
        "auth: login 1",
        "deleverage: Adl 1",
        "deleverage: AdlRank 1",
        "deleverage: ForceLiquidate 1",
        "fund: fund operation 2",
        "guard: extension operation 2",
        "liquidate: ForcedClose 1",
        "liquidate: Liquidate 1",
        "liquidate: Takeover 1",
        "manage: FundingTick 6",
        "manage: SettleMarket 1",
        "oidc: login 1",
        "oidc_es256: login 1",
        "oracle: OracleUpdate 4",
        "settle: SettlePair 1",
        "wallet: login 1",
    ];
    assert_eq!(counts, expected);
}

/// `tsz scenario gen --kinds families` writes what the benchmark proves.
#[test]
fn the_scenario_is_a_file_that_gives_the_same_batch() {
    let scenario = every_family_scenario(16, 1, &SMALL).unwrap();
    let again = Scenario::from_json(&scenario.to_json()).unwrap();
    assert_eq!(again, scenario);
    let batches = executed(run(&again).unwrap()).unwrap();
    assert_eq!(batches.len(), 2);
    assert!(batches.iter().all(|batch| batch.rejected.is_empty()));
    assert_eq!(batches[1].header, every_family(16, 1, &SMALL).unwrap().header);
}

#[test]
fn parameters_without_perpetual_trades_are_refused() {
    let params = Params { mix: Mix::TRANSFERS, ..SMALL };
    assert!(matches!(every_family(16, 1, &params), Err(EngineError::Workload(_))));
}
