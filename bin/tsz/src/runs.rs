//! Executed scenarios as the engine takes them.

use anyhow::Result;
use tsz_engine::{ExecutedBatch, OpRecord, Rejected};
use tsz_ledger::Family;
use tsz_scenario::{BatchRun, Mix, Params, Run, generate, run};

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

/// A batch of a run, ready to be proven.
pub fn executed(batch: BatchRun) -> Result<ExecutedBatch> {
    let algorithm = Family::Fund.algorithm();
    let records = batch.records.into_iter().map(|r| OpRecord {
        algorithm,
        op: r.op,
        receipt: r.receipt,
        accesses: r.accesses,
    });
    let rejected = batch.rejects.into_iter().map(|r| Rejected { position: r.position, reason: r.reject });
    let (records, rejected) = (records.collect(), rejected.collect());
    Ok(ExecutedBatch::new(batch.context, batch.before, batch.after.root(), records, rejected)?)
}
