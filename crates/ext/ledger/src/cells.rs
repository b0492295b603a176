//! Cells of an approval slot: private cells of a sub-account (docs/src/extensions.md).

use serde::{Deserialize, Serialize};
use tsz_ext_sdk::{Policy, cell};
use tsz_hash::{F, PrimeCharacteristicRing, PrimeField32, ZERO};
use tsz_ledger::{Cell, CellError, Leaf};
use tsz_types::{Balance, TimeMs, TokenId};

/// Limits of an approval.
pub const MAX_LIMITS: usize = cell::LIMITS as usize;

/// An approval slot of a sub-account, below 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ApprovalSlot(u8);

impl ApprovalSlot {
    /// The first slot.
    pub const MIN: Self = Self(0);

    /// The slot of a number below 7.
    pub const fn new(slot: u8) -> Option<Self> {
        if (slot as u32) < cell::SLOTS { Some(Self(slot)) } else { None }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl<'de> Deserialize<'de> for ApprovalSlot {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::new(u8::deserialize(d)?).ok_or_else(|| serde::de::Error::custom("an approval slot is below 7"))
    }
}

/// Keys of the cells.
pub mod key {
    use super::ApprovalSlot;
    use tsz_ext_sdk::cell;
    use tsz_ledger::Key;
    use tsz_types::{AccountId, SubId};

    const fn place(account: AccountId, sub: SubId, slot: ApprovalSlot, place: u32) -> Key {
        let number = cell::APPROVAL + cell::SLOT_CELLS * slot.0 as u32 + place;
        Key::user(tsz_ledger::Realm::Private, account.get(), sub.get() as u32, number)
    }

    /// Id of the approved program (d); zero = none.
    pub const fn program(account: AccountId, sub: SubId, slot: ApprovalSlot) -> Key {
        place(account, sub, slot, cell::PROGRAM)
    }

    /// Digest of the terms (d).
    pub const fn terms(account: AccountId, sub: SubId, slot: ApprovalSlot) -> Key {
        place(account, sub, slot, cell::TERMS)
    }

    /// [`super::ApprovalPolicy`].
    pub const fn policy(account: AccountId, sub: SubId, slot: ApprovalSlot) -> Key {
        place(account, sub, slot, cell::POLICY)
    }

    /// [`super::LimitCell`] number `index` (below 4).
    pub const fn limit(account: AccountId, sub: SubId, slot: ApprovalSlot, index: u32) -> Key {
        place(account, sub, slot, cell::LIMIT + index % cell::LIMITS)
    }

    /// Storage cell `index` (below 24).
    pub const fn storage(account: AccountId, sub: SubId, slot: ApprovalSlot, index: u32) -> Key {
        place(account, sub, slot, cell::STORAGE + index % cell::STORAGE_CELLS)
    }
}

/// Until when an approval is good, its number in the slot, and the tokens of its limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ApprovalPolicy {
    /// Good before this time (ms, u48).
    pub expiry: u64,
    /// Number of the approval, below 2^24: what was stored under another one is void.
    pub epoch: u32,
    /// Tokens whose outflow is limited; other tokens cannot flow out.
    pub tokens: [Option<TokenId>; MAX_LIMITS],
}

impl ApprovalPolicy {
    /// Bits of the epoch.
    pub const EPOCH_BITS: u32 = 24;

    /// The limit of a token.
    pub fn limit_of(&self, token: TokenId) -> Option<usize> {
        self.tokens.iter().position(|t| *t == Some(token))
    }
}

impl Cell for ApprovalPolicy {
    const NAME: &'static str = "POLICY";

    fn to_leaf(&self) -> Leaf {
        let tokens = self.tokens.map(|t| t.map_or(0, |t| u32::from(t.get()) + 1));
        Policy { expiry: self.expiry, epoch: self.epoch, tokens }.to_leaf().map(F::from_u32)
    }

    fn from_leaf(leaf: &Leaf) -> Result<Self, CellError> {
        let wrong = CellError::NotCanonical { cell: Self::NAME, what: "not an approval's policy" };
        let policy = Policy::from_leaf(&leaf.map(|f| f.as_canonical_u32())).map_err(|_| wrong)?;
        let token = |t: u32| u8::try_from(t).ok()?.checked_sub(1).and_then(|t| TokenId::new(t).ok());
        TimeMs::new(policy.expiry).map_err(|error| CellError::Number { cell: Self::NAME, error })?;
        Ok(Self { expiry: policy.expiry, epoch: policy.epoch, tokens: policy.tokens.map(token) })
    }
}

/// How much of a token may flow out on balance, and how much has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitCell {
    /// The most that may be out at any time, millionths of a unit.
    pub limit: Balance,
    /// What is out: outflow less inflow, never below zero.
    pub used: Balance,
}

impl Default for LimitCell {
    fn default() -> Self {
        Self { limit: Balance::MIN, used: Balance::MIN }
    }
}

impl Cell for LimitCell {
    const NAME: &'static str = "LIMIT";

    fn to_leaf(&self) -> Leaf {
        let mut leaf = ZERO;
        leaf[..4].copy_from_slice(&self.limit.to_felts());
        leaf[4..].copy_from_slice(&self.used.to_felts());
        leaf
    }

    fn from_leaf(leaf: &Leaf) -> Result<Self, CellError> {
        let [a, b, c, d, e, f, g, h] = *leaf;
        let number = |felts: [F; 4]| {
            Balance::from_felts(&felts).map_err(|error| CellError::Number { cell: Self::NAME, error })
        };
        let cell = Self { limit: number([a, b, c, d])?, used: number([e, f, g, h])? };
        if cell.used > cell.limit {
            return Err(CellError::NotCanonical { cell: Self::NAME, what: "more used than allowed" });
        }
        Ok(cell)
    }
}
