//! Errors.

use thiserror::Error;
use tsz_ledger::tuple::SetError;

use crate::access::CellError;

/// Why a batch is not proven.
#[derive(Debug, Error)]
pub enum ProveError {
    /// A batch without ops.
    #[error("a batch has at least one op")]
    NoOps,
    /// An op with no access, or with too many.
    #[error("op {op} has {got} accesses, expected 1..=4095")]
    Accesses {
        /// Sequence number of the op.
        op: usize,
        /// Number of its accesses.
        got: usize,
    },
    /// Too many algorithm ids.
    #[error(transparent)]
    Set(#[from] SetError),
    /// An access log that the state does not bear out.
    #[error(transparent)]
    Cell(#[from] CellError),
    /// The tree refused the touched cells.
    #[error(transparent)]
    Tree(#[from] tsz_smt::Error),
    /// The batch does not fit the size class of the key.
    #[error("table {table}: {need} rows needed, {have} available")]
    Rows {
        /// Name of the table.
        table: &'static str,
        /// Rows needed.
        need: usize,
        /// Rows of the table.
        have: usize,
    },
    /// The key is not a key of this circuit.
    #[error("the key has {0} tables, expected 7 or more")]
    Key(usize),
    /// The proof system refused.
    #[error(transparent)]
    Stark(#[from] tsz_stark::ProveError),
    /// The proof could not be encoded.
    #[error("encoding: {0}")]
    Encode(String),
}

/// Why a transition proof is refused.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// A claim about more ops than the size class holds, or none: no proof can be for it.
    #[error("claim of {got} ops, expected 1..={max}")]
    Ops {
        /// Ops claimed.
        got: u32,
        /// Accesses that the size class holds.
        max: u64,
    },
    /// The key is not a key of this circuit.
    #[error("the key has {0} tables, expected 7 or more")]
    Key(usize),
    /// The proof does not hold for the claim.
    #[error(transparent)]
    Stark(#[from] tsz_stark::VerifyError),
}
