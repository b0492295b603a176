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
    /// More rows than a table has.
    #[error(transparent)]
    TooMany(#[from] TooMany),
}

/// The accesses of a SeizeToken's table of the target, which only reads, and those from MKP on, the last read before the
/// first write.
pub(crate) fn split_table(record: &SettleRecord) -> (&[Access], &[Access]) {
    let first = record.accesses.iter().position(|access| access.write).unwrap_or(0);
    record.accesses.split_at(first.saturating_sub(1))
}

/// The first of the accesses of op `index` as an array, and the rest.
pub(crate) fn split<const N: usize>(
    index: u32,
    accesses: &[Access],
) -> Result<(&[Access; N], &[Access]), RecordError> {
    let error = RecordError::Accesses { index, expected: N, got: accesses.len() };
    accesses.split_first_chunk::<N>().ok_or(error)
}

/// The accesses of a record as an array.
pub(crate) fn accesses<const N: usize>(record: &SettleRecord) -> Result<&[Access; N], RecordError> {
    let got = record.accesses.len();
    let error = RecordError::Accesses { index: record.index, expected: N, got };
    record.accesses.as_slice().try_into().map_err(|_| error)
}
