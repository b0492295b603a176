//! What is proven: operations of the family with their access logs.

use thiserror::Error;
use tsz_ledger::Access;
use tsz_margin::TooMany;
use tsz_trade::TradeOp;

/// An operation that the ledger applied.
#[derive(Clone, Debug)]
pub struct DeleverageRecord {
    /// Sequence number in the batch.
    pub index: u32,
    /// The op.
    pub op: TradeOp,
    /// What it accessed, in order.
    pub accesses: Vec<Access>,
}

/// A record that no row can be made of, or a table that is too small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RecordError {
    /// An op that the circuit does not prove.
    #[error("op {index} has code {code}, which the deleverage circuit does not prove")]
    Kind {
        /// Sequence number.
        index: u32,
        /// Code of the op.
        code: u32,
    },
    /// Fewer accesses than the op has.
    #[error("op {index}: {got} accesses are too few")]
    Accesses {
        /// Sequence number.
        index: u32,
        /// Accesses given.
        got: usize,
    },
    /// More rows than a table has.
    #[error(transparent)]
    TooMany(#[from] TooMany),
}
