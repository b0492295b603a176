//! Columns of a notional against the bound of the last tier.

use tsz_air::{F, PrimeCharacteristicRing};

use crate::book::Book;
use crate::rows::{difference, signed};
use crate::tables::{BEYOND, Cap, Tier};

impl Book<'_> {
    /// A notional against the bound of the last tier of a market, which it is above or not. One that is not as is said
    /// satisfies nothing.
    pub fn cap(&mut self, market: u32, notional: u128, is_beyond: bool) -> Cap<F> {
        let Some(row) = self.markets.get_mut(market as usize) else { return Cap::default() };
        let last = row.last_tier();
        let k = if is_beyond { BEYOND } else { row.tier_of(notional).min(last) };
        row.tier_uses[k] += F::ONE;
        Cap::of(notional, row.tier(k))
    }
}

impl Cap<F> {
    /// Columns of a notional in a tier, or beyond the last one.
    pub(crate) fn of(notional: u128, tier: Tier<F>) -> Self {
        let limbs: [i64; 3] = core::array::from_fn(|k| (notional >> (24 * k)) as i64 & 0xff_ffff);
        let [l0, l1, l2] = limbs;
        let (gap, borrows) = if tier.is_beyond == F::ONE {
            difference([l0 - 1, l1, l2], tier.prev.map(signed))
        } else {
            difference(tier.bound.map(signed), limbs)
        };
        Self { prev: tier.prev, bound: tier.bound, fractions: tier.fractions, gap, borrows }
    }
}
