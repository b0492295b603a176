//! What is proven: trades with their access logs.

use tsz_ledger::Access;
use tsz_trade::ops::PerpTrade;

/// A trade that the ledger applied.
#[derive(Clone, Debug)]
pub struct PerpRecord {
    /// Sequence number in the batch.
    pub index: u32,
    /// The op.
    pub op: PerpTrade,
    /// What it accessed, in order.
    pub accesses: Vec<Access>,
}
