//! The published data of a run.

use tsz_diff::{Data, WriteError, batch_data, genesis_data};
use tsz_ledger::OutRecord;
use tsz_trade::OpReceipt;

use crate::{BatchRun, Run};

/// What is published of a run: its genesis, then each of its batches (docs/src/data.md).
///
/// # Errors
/// [`WriteError`] for a run that the runner did not make.
pub fn published(run: &Run) -> Result<Vec<Data>, WriteError> {
    let genesis = genesis_data(run.system.digest(), &run.genesis);
    std::iter::once(genesis).chain(run.batches.iter().map(of_batch)).collect()
}

fn of_batch(batch: &BatchRun) -> Result<Data, WriteError> {
    let accesses = batch.records.iter().flat_map(|record| &record.accesses);
    let withdrawals = batch.records.iter().filter_map(|record| withdrawal(&record.receipt)).collect();
    batch_data(batch.context, &batch.before, &batch.after, accesses, withdrawals)
}

/// What an operation takes out to L1: no trading operation does.
fn withdrawal(receipt: &OpReceipt) -> Option<OutRecord> {
    match receipt {
        OpReceipt::Fund(receipt) => receipt.out,
        OpReceipt::Trade(_) => None,
    }
}
