//! Workloads of the demo and of the benchmarks.

use anyhow::Result;
use tsz_scenario::{Mix, Params, Run, generate, run};

/// Generates and runs a workload of `batches` batches of `ops` operations each.
pub fn workload(ops: u32, seed: u64, params: Params) -> Result<Run> {
    let scenario = generate(ops * params.batches, seed, &params)?;
    Ok(run(&scenario)?)
}

/// Parameters of a population of `2^accounts_log2` accounts, `active` of which sign.
pub fn params(accounts_log2: u32, active: u32, batches: u32, mix: Mix) -> Params {
    let accounts = 1 << accounts_log2;
    Params { accounts, active: active.min(accounts), batches, mix }
}
