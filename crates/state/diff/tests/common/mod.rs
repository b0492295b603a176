//! Executed scenarios and their published data.

use tsz_diff::{Data, batch_data, genesis_data};
use tsz_scenario::{BatchRun, Mix, Params, Run, Scenario, generate, run};

/// A generated workload of fund operations.
pub fn workload(ops: u32, seed: u64) -> Run {
    let params = Params { accounts: 200, active: 24, batches: 3, mix: Mix { keys: 8, ..Mix::ALL } };
    run(&generate(ops, seed, &params).unwrap()).unwrap()
}

/// The example scenario.
pub fn tour() -> Run {
    let text = include_str!("../../../../client/scenario/examples/tour.json");
    run(&Scenario::from_json(text).unwrap()).unwrap()
}

/// The published data of a batch.
pub fn data_of(batch: &BatchRun) -> Data {
    let accesses = batch.records.iter().flat_map(|record| &record.accesses);
    let withdrawals = batch.records.iter().filter_map(|record| record.receipt.out).collect();
    batch_data(batch.context, &batch.before, &batch.after, accesses, withdrawals).unwrap()
}

/// The published data of all states, the genesis first.
pub fn published(run: &Run) -> Vec<Data> {
    let genesis = genesis_data(run.system.digest(), &run.genesis).unwrap();
    std::iter::once(genesis).chain(run.batches.iter().map(data_of)).collect()
}
