//! Cells of the system.

use tsz_hash::ZERO;
use tsz_types::{BatchNumber, L1Serial, TimeMs, Units};

use super::{Cell, CellError, felt, number, put, small, take, zero_from};
use crate::access::Leaf;

/// Accounts that can exist: the largest value of `next_account`.
pub const MAX_ACCOUNTS: u32 = 1 << 24;

/// Head of the chain of batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadCell {
    /// The last batch begun.
    pub batch: BatchNumber,
    /// Its time.
    pub time: TimeMs,
    /// The account that the next creating deposit gets, at most [`MAX_ACCOUNTS`].
    pub next_account: u32,
}

impl Cell for HeadCell {
    const NAME: &'static str = "HEAD";

    fn to_leaf(&self) -> Leaf {
        let mut leaf = ZERO;
        put(&mut leaf, 0, self.batch.to_felts());
        put(&mut leaf, 2, self.time.to_felts());
        leaf[4] = felt(self.next_account);
        leaf
    }

    fn from_leaf(leaf: &Leaf) -> Result<Self, CellError> {
        zero_from(Self::NAME, leaf, 5)?;
        Ok(Self {
            batch: number(Self::NAME, BatchNumber::from_felts(&take(leaf, 0)))?,
            time: number(Self::NAME, TimeMs::from_felts(&take(leaf, 2)))?,
            next_account: small(Self::NAME, leaf, 4, MAX_ACCOUNTS)?,
        })
    }
}

/// Position in the L1 queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct L1InCell {
    /// Serial of the next L1 operation to serve.
    pub next: L1Serial,
}

impl Cell for L1InCell {
    const NAME: &'static str = "L1IN";

    fn to_leaf(&self) -> Leaf {
        let mut leaf = ZERO;
        put(&mut leaf, 0, self.next.to_felts());
        leaf
    }

    fn from_leaf(leaf: &Leaf) -> Result<Self, CellError> {
        zero_from(Self::NAME, leaf, 3)?;
        Ok(Self { next: number(Self::NAME, L1Serial::from_felts(&take(leaf, 0)))? })
    }
}

/// A token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokCell {
    /// Whether it can be withdrawn by signed operations.
    pub listed: bool,
    /// The least amount of a withdrawal.
    pub minimum: Units,
}

impl Cell for TokCell {
    const NAME: &'static str = "TOK";

    fn to_leaf(&self) -> Leaf {
        let mut leaf = ZERO;
        leaf[0] = felt(self.listed);
        put(&mut leaf, 1, self.minimum.to_felts());
        leaf
    }

    fn from_leaf(leaf: &Leaf) -> Result<Self, CellError> {
        zero_from(Self::NAME, leaf, 4)?;
        Ok(Self {
            listed: small(Self::NAME, leaf, 0, 1)? == 1,
            minimum: number(Self::NAME, Units::from_felts(&take(leaf, 1)))?,
        })
    }
}
