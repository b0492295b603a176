//! Cells of users.

use tsz_hash::ZERO;
use tsz_types::{Balance, Bucket, Collateral, EthAddress, KillEpoch, Nonce, NumberError, Units};

use super::{Cell, CellError, felt, number, put, small, take, zero_from};
use crate::access::Leaf;

/// Positions that a sub-account can hold.
pub const MAX_POSITIONS: u8 = 32;

/// Collateral tokens that a sub-account can hold as margin.
pub const MAX_MARGIN_TOKENS: u8 = 4;
/// Weight of the mask in the holdings of a sub-account.
const MASK_WEIGHT: u32 = 64;

/// Collateral of a sub-account, and how much hangs on it: its *holdings*, `pos_count + 64 * mask`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubCell {
    /// Collateral; may be negative.
    pub collateral: Collateral,
    /// Open positions, at most [`MAX_POSITIONS`].
    pub pos_count: u8,
    /// Bit `k` is set exactly if the margin balance MBAL(k) is not zero; below 2^[`MAX_MARGIN_TOKENS`].
    pub mask: u8,
}

impl SubCell {
    /// Positions and margin tokens in one number: zero if the collateral backs nothing.
    pub fn holdings(&self) -> u16 {
        u16::from(self.pos_count) + MASK_WEIGHT as u16 * u16::from(self.mask)
    }

    /// Whether MBAL(`place`) is not zero.
    pub fn has(&self, place: u8) -> bool {
        self.mask >> place & 1 == 1
    }

    /// The cell with bit `place` (< [`MAX_MARGIN_TOKENS`]) of the mask set or clear.
    #[must_use]
    pub fn with(self, place: u8, holds: bool) -> Self {
        let bit = 1 << place;
        Self { mask: if holds { self.mask | bit } else { self.mask & !bit }, ..self }
    }
}

impl Cell for SubCell {
    const NAME: &'static str = "SUB";

    fn to_leaf(&self) -> Leaf {
        let mut leaf = ZERO;
        put(&mut leaf, 0, self.collateral.to_felts());
        leaf[5] = felt(self.holdings());
        leaf
    }

    fn from_leaf(leaf: &Leaf) -> Result<Self, CellError> {
        zero_from(Self::NAME, leaf, 6)?;
        let collateral = number(Self::NAME, Collateral::from_felts(&take(leaf, 0)))?;
        let holdings = small(Self::NAME, leaf, 5, (MASK_WEIGHT << MAX_MARGIN_TOKENS) - 1)?;
        let (pos_count, mask) = ((holdings % MASK_WEIGHT) as u8, (holdings / MASK_WEIGHT) as u8);
        if pos_count > MAX_POSITIONS {
            let (max, got) = (MAX_POSITIONS.into(), pos_count.into());
            return Err(CellError::Felt { cell: Self::NAME, index: 5, max, got });
        }
        Ok(Self { collateral, pos_count, mask })
    }
}

/// Owner of an account; `None` where the account does not exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AcctCell {
    /// The L1 address that may exit and change keys by L1 operations.
    pub owner: Option<EthAddress>,
}

impl Cell for AcctCell {
    const NAME: &'static str = "ACCT";

    fn to_leaf(&self) -> Leaf {
        let mut leaf = ZERO;
        if let Some(owner) = self.owner {
            put(&mut leaf, 0, owner.to_felts());
            leaf[7] = felt(1u8);
        }
        leaf
    }

    fn from_leaf(leaf: &Leaf) -> Result<Self, CellError> {
        let owner = number(Self::NAME, EthAddress::from_felts(&take(leaf, 0)))?;
        match small(Self::NAME, leaf, 7, 1)? {
            1 => Ok(Self { owner: Some(owner) }),
            _ if owner == EthAddress::default() => Ok(Self { owner: None }),
            _ => Err(CellError::NotCanonical { cell: Self::NAME, what: "an owner without an account" }),
        }
    }
}

/// Balance of a token, free (BAL) or as margin (MBAL).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BalCell {
    /// Millionths of a unit.
    pub balance: Balance,
}

impl Cell for BalCell {
    const NAME: &'static str = "BAL";

    fn to_leaf(&self) -> Leaf {
        let mut leaf = ZERO;
        put(&mut leaf, 0, self.balance.to_felts());
        leaf
    }

    fn from_leaf(leaf: &Leaf) -> Result<Self, CellError> {
        zero_from(Self::NAME, leaf, 4)?;
        Ok(Self { balance: number(Self::NAME, Balance::from_felts(&take(leaf, 0)))? })
    }
}

/// Nonce and kill epoch of a sub-account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CtlCell {
    /// Nonce of the next signed operation.
    pub nonce: Nonce,
    /// Orders signed with another epoch are dead.
    pub kill_epoch: KillEpoch,
}

impl Cell for CtlCell {
    const NAME: &'static str = "CTL";

    fn to_leaf(&self) -> Leaf {
        let mut leaf = ZERO;
        put(&mut leaf, 0, self.nonce.to_felts());
        put(&mut leaf, 2, self.kill_epoch.to_felts());
        leaf
    }

    fn from_leaf(leaf: &Leaf) -> Result<Self, CellError> {
        zero_from(Self::NAME, leaf, 4)?;
        Ok(Self {
            nonce: number(Self::NAME, Nonce::from_felts(&take(leaf, 0)))?,
            kill_epoch: number(Self::NAME, KillEpoch::from_felts(&take(leaf, 2)))?,
        })
    }
}

/// The cell of a bucket in the form that both kinds share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketCell {
    /// A balance: never negative, no positions.
    Balance(BalCell),
    /// Collateral.
    Collateral(SubCell),
}

impl BucketCell {
    /// Reads the cell of a bucket.
    pub fn from_leaf(bucket: Bucket, leaf: &Leaf) -> Result<Self, CellError> {
        match bucket {
            Bucket::Balance => BalCell::from_leaf(leaf).map(Self::Balance),
            Bucket::Collateral => SubCell::from_leaf(leaf).map(Self::Collateral),
        }
    }

    /// The leaf.
    pub fn to_leaf(&self) -> Leaf {
        match self {
            Self::Balance(cell) => cell.to_leaf(),
            Self::Collateral(cell) => cell.to_leaf(),
        }
    }

    /// Millionths of a unit held; negative only for collateral.
    pub fn micros(&self) -> i128 {
        match self {
            Self::Balance(cell) => cell.balance.get() as i128, // u96
            Self::Collateral(cell) => cell.collateral.get(),
        }
    }

    /// Positions and margin tokens beside the bucket ([`SubCell::holdings`]); a balance backs nothing.
    pub fn holdings(&self) -> u16 {
        match self {
            Self::Balance(_) => 0,
            Self::Collateral(cell) => cell.holdings(),
        }
    }

    /// The cell with `units` more; fails above its width.
    pub fn credit(&self, units: Units) -> Result<Self, NumberError> {
        Ok(match self {
            Self::Balance(cell) => {
                Self::Balance(BalCell { balance: cell.balance.checked_add(units.into())? })
            }
            Self::Collateral(cell) => {
                Self::Collateral(SubCell { collateral: cell.collateral.checked_add(units.into())?, ..*cell })
            }
        })
    }

    /// The cell with `units` less; fails if it does not hold them. Whether positions allow it is not asked here.
    pub fn debit(&self, units: Units) -> Result<Self, NumberError> {
        Ok(match self {
            Self::Balance(cell) => {
                Self::Balance(BalCell { balance: cell.balance.checked_sub(units.into())? })
            }
            Self::Collateral(cell) => {
                let (left, right) = (cell.collateral, Collateral::from(units));
                let short = NumberError::Overflow {
                    name: "Collateral",
                    op: '-',
                    left: left.get(),
                    right: right.get(),
                };
                let collateral = left.checked_sub(right)?;
                if collateral.is_negative() {
                    return Err(short);
                }
                Self::Collateral(SubCell { collateral, ..*cell })
            }
        })
    }
}
