//! Typed cells: what the 8 felts of a leaf mean (docs/src/state.md).
//!
//! Each cell has one leaf and each leaf at most one cell: [`Cell::from_leaf`] refuses limbs at or above their
//! bounds, a negative zero, unknown flags and nonzero felts where the layout has none. The empty leaf is a cell of
//! every kind: absent or zero.

mod keys;
mod system;
mod trading;
mod user;

use thiserror::Error;
use tsz_hash::{F, PrimeCharacteristicRing, PrimeField32, ZERO};
use tsz_types::NumberError;

use crate::access::Leaf;

pub use keys::{KeyPolicy, Permission, Permissions, Scheme};
pub use system::{HeadCell, L1InCell, MAX_ACCOUNTS, TokCell};
pub use trading::{MINUTES, MkfCell, MkoCell, MkpCell, MkrCell, MksCell, OrdCell, PosCell};
pub use user::{AcctCell, BalCell, BucketCell, CtlCell, MAX_MARGIN_TOKENS, MAX_POSITIONS, SubCell};

#[cfg(test)]
mod tests;

/// Why a leaf is not a cell of the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CellError {
    /// Limbs that are not a number of the type.
    #[error("{cell}: {error}")]
    Number {
        /// Kind of the cell.
        cell: &'static str,
        /// What is wrong with the number.
        error: NumberError,
    },
    /// A felt with a value that the layout does not have.
    #[error("{cell}: felt {index} is {got}, at most {max} here")]
    Felt {
        /// Kind of the cell.
        cell: &'static str,
        /// Index of the felt.
        index: usize,
        /// The largest value the layout allows.
        max: u32,
        /// The value found.
        got: u32,
    },
    /// Felts that are each fine and together a second representation of a value.
    #[error("{cell}: {what}")]
    NotCanonical {
        /// Kind of the cell.
        cell: &'static str,
        /// What is wrong.
        what: &'static str,
    },
}

/// A value that fills a leaf.
pub trait Cell: Sized {
    /// Name in error messages.
    const NAME: &'static str;

    /// The leaf.
    fn to_leaf(&self) -> Leaf;

    /// The cell of a leaf.
    fn from_leaf(leaf: &Leaf) -> Result<Self, CellError>;
}

/// Copies `felts` into a leaf from `at` on.
fn put<const N: usize>(leaf: &mut Leaf, at: usize, felts: [F; N]) {
    for (k, felt) in felts.into_iter().enumerate() {
        leaf[at + k] = felt;
    }
}

/// The `N` felts of a leaf from `at` on.
fn take<const N: usize>(leaf: &Leaf, at: usize) -> [F; N] {
    core::array::from_fn(|k| leaf[at + k])
}

/// A small value in a felt.
fn small(cell: &'static str, leaf: &Leaf, index: usize, max: u32) -> Result<u32, CellError> {
    match leaf[index].as_canonical_u32() {
        got if got <= max => Ok(got),
        got => Err(CellError::Felt { cell, index, max, got }),
    }
}

/// Checks that the felts from `from` on are zero.
fn zero_from(cell: &'static str, leaf: &Leaf, from: usize) -> Result<(), CellError> {
    (from..leaf.len()).try_for_each(|index| small(cell, leaf, index, 0).map(|_| ()))
}

/// Names the cell in an error of a number.
fn number<T>(cell: &'static str, result: Result<T, NumberError>) -> Result<T, CellError> {
    result.map_err(|error| CellError::Number { cell, error })
}

/// A felt of a small integer.
fn felt(value: impl Into<u32>) -> F {
    F::from_u32(value.into())
}

/// Whether a leaf is absent.
pub fn is_empty(leaf: &Leaf) -> bool {
    *leaf == ZERO
}
