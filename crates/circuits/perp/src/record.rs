//! What is proven: operations of the family with their access logs.

use tsz_ledger::Access;
use tsz_trade::TradeOp;

/// An operation that the ledger applied.
#[derive(Clone, Debug)]
pub struct PerpRecord {
    /// Sequence number in the batch.
    pub index: u32,
    /// The op.
    pub op: TradeOp,
    /// What it accessed, in order.
    pub accesses: Vec<Access>,
}
