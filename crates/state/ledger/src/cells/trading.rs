//! Cells of the trading ledger: positions, order slots and markets (docs/src/trading.md).

use tsz_hash::{F, PrimeCharacteristicRing, PrimeField32, ZERO};
use tsz_types::{FundingIndex, Lots, Nonce, NumberError, TimeMs, join_limbs, split_limbs};

use super::{Cell, CellError, felt, number, put, small, take, zero_from};
use crate::access::Leaf;

/// Minutes sampled in an hour: the largest value of [`MksCell::minute`].
pub const MINUTES: u8 = 60;

/// A position: signed lots and the funding index it was last settled at. The empty position is the empty leaf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PosCell {
    /// Lots, positive = long; magnitude below 2^48.
    size: i64,
    /// Funding index at the last settlement; zero without a position.
    funding: FundingIndex,
}

impl PosCell {
    /// A position of `size` lots; an empty one has no funding index, whatever is offered.
    ///
    /// # Errors
    /// A magnitude of 2^48 lots or more.
    pub fn new(size: i64, funding: FundingIndex) -> Result<Self, NumberError> {
        Lots::new(size.unsigned_abs())?;
        Ok(Self { size, funding: if size == 0 { FundingIndex::ZERO } else { funding } })
    }

    /// Lots, positive = long.
    pub fn size(&self) -> i64 {
        self.size
    }

    /// Funding index at the last settlement.
    pub fn funding(&self) -> FundingIndex {
        self.funding
    }

    /// Whether there is no position.
    pub fn is_empty(&self) -> bool {
        self.size == 0
    }
}

impl Cell for PosCell {
    const NAME: &'static str = "POS";

    fn to_leaf(&self) -> Leaf {
        let mut leaf = ZERO;
        put(&mut leaf, 0, split_limbs::<2>(self.size.unsigned_abs().into()));
        leaf[2] = felt(self.size < 0);
        put(&mut leaf, 3, self.funding.to_felts());
        leaf
    }

    fn from_leaf(leaf: &Leaf) -> Result<Self, CellError> {
        zero_from(Self::NAME, leaf, 7)?;
        let lots = number(Self::NAME, Lots::from_felts(&take(leaf, 0)))?.get() as i64; // u48
        let negative = small(Self::NAME, leaf, 2, 1)? == 1;
        let funding = number(Self::NAME, FundingIndex::from_felts(&take(leaf, 3)))?;
        if lots == 0 && (negative || funding != FundingIndex::ZERO) {
            return Err(CellError::NotCanonical { cell: Self::NAME, what: "an empty position with content" });
        }
        Ok(Self { size: if negative { -lots } else { lots }, funding })
    }
}

/// An order slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrdCell {
    /// Orders with a smaller nonce are dead.
    pub next_nonce: Nonce,
    /// Lots filled of the order with nonce `next_nonce`.
    pub filled: Lots,
    /// First four felts of that order's digest; zero while nothing is filled.
    pub tag: [F; 4],
}

impl OrdCell {
    /// The slot with nothing filled.
    pub fn fresh(next_nonce: Nonce) -> Self {
        Self { next_nonce, filled: Lots::MIN, tag: [F::ZERO; 4] }
    }
}

impl Cell for OrdCell {
    const NAME: &'static str = "ORD";

    fn to_leaf(&self) -> Leaf {
        let mut leaf = ZERO;
        put(&mut leaf, 0, self.next_nonce.to_felts());
        put(&mut leaf, 2, self.filled.to_felts());
        put(&mut leaf, 4, self.tag);
        leaf
    }

    fn from_leaf(leaf: &Leaf) -> Result<Self, CellError> {
        let cell = Self {
            next_nonce: number(Self::NAME, Nonce::from_felts(&take(leaf, 0)))?,
            filled: number(Self::NAME, Lots::from_felts(&take(leaf, 2)))?,
            tag: take(leaf, 4),
        };
        if cell.filled == Lots::MIN && cell.tag != [F::ZERO; 4] {
            return Err(CellError::NotCanonical { cell: Self::NAME, what: "a tag without a fill" });
        }
        Ok(cell)
    }
}

/// Prices of a market; all zero before the first update.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MkpCell {
    /// Index price in ticks.
    pub index: u32,
    /// Mark price in ticks; zero exactly if the index is.
    pub mark: u32,
    /// Time of the prices in ms, below 2^48.
    pub price_ts: u64,
    /// Whether the market settles at named prices: then `index` is that of long positions and `mark` that of short
    /// ones, for good.
    pub settled: bool,
}

impl MkpCell {
    /// The price that values a position.
    pub fn mark_of(&self, is_long: bool) -> u32 {
        if self.settled && is_long { self.index } else { self.mark }
    }
}

impl Cell for MkpCell {
    const NAME: &'static str = "MKP";

    fn to_leaf(&self) -> Leaf {
        let mut leaf = ZERO;
        put(&mut leaf, 0, split_limbs::<2>(self.index.into()));
        put(&mut leaf, 2, split_limbs::<2>(self.mark.into()));
        put(&mut leaf, 4, split_limbs::<2>(self.price_ts.into()));
        leaf[6] = felt(self.settled);
        leaf
    }

    fn from_leaf(leaf: &Leaf) -> Result<Self, CellError> {
        zero_from(Self::NAME, leaf, 7)?;
        let cell = Self {
            index: number(Self::NAME, join_limbs("index", 32, &leaf[..2]))? as u32,
            mark: number(Self::NAME, join_limbs("mark", 32, &leaf[2..4]))? as u32,
            price_ts: number(Self::NAME, TimeMs::from_felts(&take(leaf, 4)))?.get(),
            settled: small(Self::NAME, leaf, 6, 1)? == 1,
        };
        let is_empty = cell.index == 0;
        if is_empty != (cell.mark == 0) || is_empty && (cell.price_ts != 0 || cell.settled) {
            return Err(CellError::NotCanonical { cell: Self::NAME, what: "half a price" });
        }
        Ok(cell)
    }
}

/// Funding of a market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MkfCell {
    /// Accumulated funding, 1e-6 tick.
    pub funding: FundingIndex,
    /// Hour since the Unix epoch up to which ticks are done.
    pub hour: u32,
}

impl Cell for MkfCell {
    const NAME: &'static str = "MKF";

    fn to_leaf(&self) -> Leaf {
        let mut leaf = ZERO;
        put(&mut leaf, 0, self.funding.to_felts());
        put(&mut leaf, 4, split_limbs::<2>(self.hour.into()));
        leaf
    }

    fn from_leaf(leaf: &Leaf) -> Result<Self, CellError> {
        zero_from(Self::NAME, leaf, 6)?;
        Ok(Self {
            funding: number(Self::NAME, FundingIndex::from_felts(&take(leaf, 0)))?,
            hour: number(Self::NAME, join_limbs("hour", 32, &leaf[4..6]))? as u32,
        })
    }
}

/// Premium samples of the running hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MksCell {
    /// Sum of the samples, 1e-6; magnitude below 2^32.
    pub sum: i64,
    /// Samples taken, at most [`MINUTES`].
    pub minute: u8,
}

impl Cell for MksCell {
    const NAME: &'static str = "MKS";

    fn to_leaf(&self) -> Leaf {
        let mut leaf = ZERO;
        put(&mut leaf, 0, split_limbs::<2>(self.sum.unsigned_abs().into()));
        leaf[2] = felt(self.sum < 0);
        leaf[3] = felt(self.minute);
        leaf
    }

    fn from_leaf(leaf: &Leaf) -> Result<Self, CellError> {
        zero_from(Self::NAME, leaf, 4)?;
        let magnitude = number(Self::NAME, join_limbs("premium sum", 32, &leaf[..2]))? as i64; // u32
        let sum = match leaf[2].as_canonical_u32() {
            0 => magnitude,
            1 if magnitude != 0 => -magnitude,
            got => return Err(CellError::Felt { cell: Self::NAME, index: 2, max: 1, got }),
        };
        Ok(Self { sum, minute: small(Self::NAME, leaf, 3, MINUTES.into())? as u8 })
    }
}

/// Open interest of a market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MkoCell {
    /// Sum of |size| over both sides, lots, below 2^56.
    pub open_interest: u64,
    /// Operations that moved a size in the market, but for ADL; below 2^48. A ranking is of one such state.
    pub moves: u64,
}

impl MkoCell {
    /// Bits of the open interest.
    pub const BITS: u32 = 56;
    /// Bits of the count of moves.
    pub const MOVES_BITS: u32 = 48;
}

impl Cell for MkoCell {
    const NAME: &'static str = "MKO";

    fn to_leaf(&self) -> Leaf {
        let mut leaf = ZERO;
        put(&mut leaf, 0, split_limbs::<3>(self.open_interest.into()));
        put(&mut leaf, 3, split_limbs::<2>(self.moves.into()));
        leaf
    }

    fn from_leaf(leaf: &Leaf) -> Result<Self, CellError> {
        zero_from(Self::NAME, leaf, 5)?;
        let open_interest = number(Self::NAME, join_limbs("open interest", Self::BITS, &leaf[..3]))? as u64;
        let moves = number(Self::NAME, join_limbs("moves", Self::MOVES_BITS, &leaf[3..5]))? as u64;
        Ok(Self { open_interest, moves })
    }
}

/// Ranking of the holders of one side of a market, page by page: complete once nothing remains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MkrCell {
    /// [`MkoCell::moves`] of the state that is ranked.
    pub moves: u64,
    /// [`MkpCell::price_ts`] of that state.
    pub price_ts: u64,
    /// Lots of the side that are not listed yet, below 2^55.
    pub remaining: u64,
    /// The last holder listed; holders come in increasing order of (account, sub).
    pub account: u32,
    /// Its sub-account.
    pub sub: u8,
    /// The best rank of a holder that can bear the class, at most 1023; 0 = nobody so far.
    pub rank: u16,
}

impl MkrCell {
    /// Bits of what remains.
    pub const REMAINING_BITS: u32 = 55;
    /// Weights of sub-account and rank over the seven high bits of what remains.
    const WEIGHTS: [u32; 2] = [1 << 7, 1 << 12];
    /// First value of the felt that the three share beyond its range.
    const PACKED: u32 = 1 << 22;
}

impl Cell for MkrCell {
    const NAME: &'static str = "MKR";

    fn to_leaf(&self) -> Leaf {
        let mut leaf = ZERO;
        put(&mut leaf, 0, split_limbs::<2>(self.moves.into()));
        put(&mut leaf, 2, split_limbs::<2>(self.price_ts.into()));
        put(&mut leaf, 4, split_limbs::<2>((self.remaining & ((1 << 48) - 1)).into()));
        let [sub, rank] = Self::WEIGHTS;
        let high = (self.remaining >> 48) as u32; // 7 bits
        leaf[6] = felt(high + sub * u32::from(self.sub) + rank * u32::from(self.rank));
        leaf[7] = felt(self.account);
        leaf
    }

    fn from_leaf(leaf: &Leaf) -> Result<Self, CellError> {
        let limbs = |what, at: usize| number(Self::NAME, join_limbs(what, 48, &leaf[at..at + 2]));
        let packed = small(Self::NAME, leaf, 6, Self::PACKED - 1)?;
        let [sub, rank] = Self::WEIGHTS;
        let low = limbs("remaining lots", 4)? as u64;
        Ok(Self {
            moves: limbs("moves", 0)? as u64,
            price_ts: limbs("price time", 2)? as u64,
            remaining: low | u64::from(packed % sub) << 48,
            account: small(Self::NAME, leaf, 7, (1 << 24) - 1)?,
            sub: (packed / sub % (rank / sub)) as u8,
            rank: (packed / rank) as u16,
        })
    }
}
