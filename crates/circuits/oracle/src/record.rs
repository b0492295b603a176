//! What is proven: operations of the family with their access logs.

use thiserror::Error;
use tsz_hash::Digest;
use tsz_ledger::Access;
use tsz_sig::Signature;
use tsz_trade::TradeOp;

/// An operation that the ledger applied.
#[derive(Clone, Debug)]
pub struct OracleRecord {
    /// Sequence number in the batch.
    pub index: u32,
    /// The op.
    pub op: TradeOp,
    /// What it accessed, in order.
    pub accesses: Vec<Access>,
}

/// A record or parameters that no row can be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RecordError {
    /// An op of another family.
    #[error("op {index} has code {code}, which is of another family")]
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
    /// A market that is not listed.
    #[error("op {index}: market {market} is not listed")]
    Market {
        /// Sequence number.
        index: u32,
        /// The market.
        market: u8,
    },
    /// A signer that is not listed.
    #[error("op {index}: signer {signer} is not listed")]
    Signer {
        /// Sequence number.
        index: u32,
        /// Place of the signer.
        signer: u8,
    },
    /// More rows than a table has.
    #[error("{got} rows of table {table}, at most {rows}")]
    TooMany {
        /// The table.
        table: &'static str,
        /// Its rows.
        rows: usize,
        /// Rows needed.
        got: usize,
    },
}

/// A signature that the `sig` tables must prove.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignatureRequest {
    /// Key id.
    pub key_id: Digest,
    /// Message digest.
    pub message: Digest,
    /// The signature.
    pub signature: Signature,
}

/// The accesses of a record as an array.
pub(crate) fn accesses<const N: usize>(record: &OracleRecord) -> Result<&[Access; N], RecordError> {
    let got = record.accesses.len();
    let error = RecordError::Accesses { index: record.index, expected: N, got };
    record.accesses.as_slice().try_into().map_err(|_| error)
}
