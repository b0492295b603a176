//! Cells of an approval slot: private cells of a sub-account (docs/src/extensions.md).

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tsz_ext_sdk::{Policy, cell};
use tsz_hash::{F, PrimeCharacteristicRing, PrimeField32, ZERO};
use tsz_ledger::{Cell, CellError, Leaf};
use tsz_types::{Balance, TimeMs, TokenId};

/// Limits of an approval.
pub const MAX_LIMITS: usize = cell::LIMITS as usize;

/// An approval slot of a sub-account, below 7.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
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

/// What a limit is of. Money in balances and money in positions are separate pots: neither limit gives way for what
/// the other pot gained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limited {
    /// Outflow of the balance of a token.
    Token(TokenId),
    /// What legs lose at the mark and put at risk. After all tokens in the order of limits.
    Positions,
}

impl Limited {
    /// The number in cells, messages and bytes: a token's own, or 128.
    pub const fn number(self) -> u8 {
        match self {
            Self::Token(token) => token.get(),
            Self::Positions => cell::POSITIONS as u8, // 128
        }
    }

    /// What a number stands for.
    pub fn new(number: u8) -> Option<Self> {
        if u32::from(number) == cell::POSITIONS {
            return Some(Self::Positions);
        }
        TokenId::new(number).ok().map(Self::Token)
    }
}

impl From<TokenId> for Limited {
    fn from(token: TokenId) -> Self {
        Self::Token(token)
    }
}

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(token) => write!(f, "token {token}"),
            Self::Positions => f.write_str("positions"),
        }
    }
}

/// The number of a token, or `"positions"`.
impl Serialize for Limited {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Token(token) => token.serialize(serializer),
            Self::Positions => serializer.serialize_str("positions"),
        }
    }
}

impl<'de> Deserialize<'de> for Limited {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Name {
            Positions,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Token(TokenId),
            Name(Name),
        }
        Ok(match Form::deserialize(deserializer)? {
            Form::Token(token) => Self::Token(token),
            Form::Name(Name::Positions) => Self::Positions,
        })
    }
}

/// Until when an approval is good, its number in the slot, and what its limits are of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ApprovalPolicy {
    /// Good before this time (ms, u48).
    pub expiry: u64,
    /// Number of the approval, below 2^24: what was stored under another one is void.
    pub epoch: u32,
    /// What its limits are of; other tokens cannot flow out, and without a limit of them positions cannot be moved.
    pub limits: [Option<Limited>; MAX_LIMITS],
}

impl ApprovalPolicy {
    /// Bits of the epoch.
    pub const EPOCH_BITS: u32 = 24;

    /// The place of a limit.
    pub fn limit_of(&self, what: impl Into<Limited>) -> Option<usize> {
        let what = Some(what.into());
        self.limits.iter().position(|limit| *limit == what)
    }
}

impl Cell for ApprovalPolicy {
    const NAME: &'static str = "POLICY";

    fn to_leaf(&self) -> Leaf {
        let tokens = self.limits.map(|t| t.map_or(0, |t| u32::from(t.number()) + 1));
        Policy { expiry: self.expiry, epoch: self.epoch, tokens }.to_leaf().map(F::from_u32)
    }

    fn from_leaf(leaf: &Leaf) -> Result<Self, CellError> {
        let wrong = CellError::NotCanonical { cell: Self::NAME, what: "not an approval's policy" };
        let policy = Policy::with_positions(&leaf.map(|f| f.as_canonical_u32())).map_err(|_| wrong)?;
        let limit = |t: u32| u8::try_from(t).ok()?.checked_sub(1).and_then(Limited::new);
        TimeMs::new(policy.expiry).map_err(|error| CellError::Number { cell: Self::NAME, error })?;
        Ok(Self { expiry: policy.expiry, epoch: policy.epoch, limits: policy.tokens.map(limit) })
    }
}

/// How much of a token may flow out on balance, or of the money in positions be lost and put at risk; and how much has.
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
