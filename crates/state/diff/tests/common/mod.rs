//! Executed scenarios.

use tsz_scenario::{Mix, Params, Run, Scenario, generate, run};

/// A generated workload of fund operations in three batches.
pub fn workload(ops: u32, seed: u64) -> Run {
    let params = Params { accounts: 200, active: 24, batches: 3, mix: Mix { keys: 8, ..Mix::ALL } };
    run(&generate(ops, seed, &params).unwrap()).unwrap()
}

/// A generated workload of spot and perpetual trades in three batches.
pub fn trades(ops: u32, seed: u64) -> Run {
    let params = Params { accounts: 200, active: 24, batches: 3, mix: Mix::TRADES };
    run(&generate(ops, seed, &params).unwrap()).unwrap()
}

/// The example scenario.
pub fn tour() -> Run {
    let text = include_str!("../../../../client/scenario/examples/tour.json");
    run(&Scenario::from_json(text).unwrap()).unwrap()
}

/// The example with margin tokens.
pub fn collateral() -> Run {
    let text = include_str!("../../../../client/scenario/examples/collateral.json");
    run(&Scenario::from_json(text).unwrap()).unwrap()
}
