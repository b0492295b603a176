//! From an executed scenario to batches that can be proven.

use std::sync::Arc;

use tsz_scenario::{BatchRun, Run};

use crate::error::EngineError;
use crate::execute::{ExecutedBatch, OpRecord, Rejected};

/// The batches of a run.
///
/// # Errors
/// [`EngineError::Set`] for a batch of too many algorithms.
pub fn executed(run: Run) -> Result<Vec<ExecutedBatch>, EngineError> {
    run.batches.into_iter().map(batch).collect()
}

fn batch(run: BatchRun) -> Result<ExecutedBatch, EngineError> {
    let record = |r: tsz_scenario::Record| OpRecord { op: r.op, receipt: r.receipt, accesses: r.accesses };
    let rejected = |r: tsz_scenario::Rejected| Rejected { position: r.position, reason: r.reject };
    let records = run.records.into_iter().map(record).collect();
    let rejects = run.rejects.into_iter().map(rejected).collect();
    ExecutedBatch::new(run.context, Arc::new(run.params), run.before, run.after.root(), records, rejects)
}
