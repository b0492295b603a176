//! The MKR cell: the ranking of one side of a market for a loss class (docs/src/trading.md, "Cells").

use tsz_air::PrimeCharacteristicRing;
use tsz_gadgets::columns;
use tsz_gadgets::row::{PRIVATE, c};

/// Kind of the MKR cells, as `hi` of their keys.
const MKR_HI: u32 = PRIVATE | 1 << 24 | 7 << 18;
/// Weight of the sub-account over the high bits of what remains.
const SUB: u32 = 1 << 7;
/// Weight of the rank.
const RANK: u32 = 1 << 12;

columns! {
    /// How far a ranking has come.
    pub struct Ranking {
        /// Lots that are not listed yet (24, 24, 7 bits).
        remaining: [3],
        /// Account of the last holder listed.
        account: felt,
        /// Its sub-account.
        sub: felt,
        /// The best rank so far.
        rank: felt,
    }
}

impl<E: PrimeCharacteristicRing + Clone> Ranking<E> {
    /// The cell, for moves and time of the prices.
    pub fn leaf(&self, [m0, m1]: &[E; 2], [t0, t1]: &[E; 2]) -> [E; 8] {
        let [r0, r1, r2] = self.remaining.clone();
        let packed = r2 + self.sub.clone() * c::<E>(SUB) + self.rank.clone() * c::<E>(RANK);
        [m0.clone(), m1.clone(), t0.clone(), t1.clone(), r0, r1, packed, self.account.clone()]
    }
}

/// Key of the cell of a market, side (1 = short) and class.
pub fn ranking_key<E: PrimeCharacteristicRing + Clone>(market: &E, side: &E, class: &E) -> [E; 2] {
    [c(MKR_HI), market.clone() * c::<E>(32) + side.clone() * c::<E>(16) + class.clone()]
}
