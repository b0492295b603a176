//! From an executed scenario to batches that can be proven.

use tsz_ledger::Family;
use tsz_scenario::{BatchRun, Run};
use tsz_trade::{Op, OpReceipt, OpReject};

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
    let algorithm = Family::Fund.algorithm();
    let record = |r: tsz_scenario::Record| match (r.op, r.receipt) {
        (Op::Fund(op), OpReceipt::Fund(receipt)) => {
            Ok(OpRecord { algorithm, op, receipt, accesses: r.accesses })
        }
        (op, _) => Err(EngineError::State(format!("no circuit proves operations of code {}", op.code()))),
    };
    let rejected = |r: tsz_scenario::Rejected| match r.reject {
        OpReject::Fund(reason) => Some(Rejected { position: r.position, reason }),
        OpReject::Trade(_) => None, // its family cannot be proven yet
    };
    let records = run.records.into_iter().map(record).collect::<Result<_, _>>()?;
    let rejects = run.rejects.into_iter().filter_map(rejected).collect();
    ExecutedBatch::new(run.context, run.before, run.after.root(), records, rejects)
}
