//! What is proven: operations of the family with their access logs.

use thiserror::Error;
use tsz_ledger::Access;
use tsz_margin::TooMany;
use tsz_trade::TradeOp;

/// An operation that the ledger applied.
#[derive(Clone, Debug)]
pub struct SettleRecord {
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
    #[error("op {index} has code {code}, which the settle circuit does not prove")]
    Kind {
        /// Sequence number.
        index: u32,
        /// Code of the op.
        code: u32,
    },
    /// Another number of accesses than the op kind has.
    #[error("op {index}: {got} accesses, expected {expected}")]
    Accesses {
        /// Sequence number.
        index: u32,
        /// Accesses of the kind.
        expected: usize,
        /// Accesses given.
        got: usize,
    },
    /// A SeizeToken whose target has positions.
    #[error(
        "op {index}: the target of this SeizeToken has positions, which the settle circuit does not judge"
    )]
    Positions {
        /// Sequence number.
        index: u32,
    },
    /// More rows than a table has.
    #[error(transparent)]
    TooMany(#[from] TooMany),
}

impl SettleRecord {
    /// Whether the circuit has rows for the op: not for a SeizeToken whose log begins with a table of positions, so
    /// that the third access is not the target's SUB.
    pub(crate) fn check(&self) -> Result<(), RecordError> {
        let TradeOp::SeizeToken(op) = &self.op else { return Ok(()) };
        let has_table = self.accesses.get(2).is_some_and(|access| access.key != op.target.sub_key());
        if has_table { Err(RecordError::Positions { index: self.index }) } else { Ok(()) }
    }
}

/// The first accesses of a record as an array, and the rest.
pub(crate) fn split<const N: usize>(record: &SettleRecord) -> Result<(&[Access; N], &[Access]), RecordError> {
    let got = record.accesses.len();
    let error = RecordError::Accesses { index: record.index, expected: N, got };
    record.accesses.split_first_chunk::<N>().ok_or(error)
}

/// The accesses of a record as an array.
pub(crate) fn accesses<const N: usize>(record: &SettleRecord) -> Result<&[Access; N], RecordError> {
    let got = record.accesses.len();
    let error = RecordError::Accesses { index: record.index, expected: N, got };
    record.accesses.as_slice().try_into().map_err(|_| error)
}
