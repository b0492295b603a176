//! A position at the mark: notional and tier.

use tsz_air::{Count, F, InteractionBuilder, LookupBus};
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::product::Carry;
use tsz_gadgets::row::{Row, c, compose12};

/// `tier`: market, then the fields of [`Tier`]. Provided by the market table.
const TIER: LookupBus<'static> = LookupBus::new("tier");

columns! {
    /// Where a notional lies among the tiers of a market, and what it requires there.
    pub struct Tier {
        /// The notional is above this (24, 24, 24 bits): the bound before, -1 for the first tier.
        prev: [3],
        /// The notional is at most this.
        bound: [3],
        /// Initial, maintenance, close-out fraction (14 bits, 1e-4).
        fractions: [3],
        /// 1 = above the last bound, where the fractions are those of the last tier.
        is_beyond: felt,
    }
}

columns! {
    /// Notional and tier of a position.
    pub struct Held {
        /// Base 2^12 digits of |size| * mark * qm; range12. Below 2^72.
        notional: [6],
        /// Carries of the product.
        carries: (Carry * 5),
        /// The tier; bound by the bus.
        tier: (Tier),
        /// notional - prev - 1; range12.
        above: (U24 * 3),
        /// Borrows of that difference; boolean.
        above_borrows: [2],
        /// bound - notional; range12.
        below: (U24 * 3),
        /// Borrows; boolean.
        below_borrows: [2],
    }
}

fn fields<E: Clone>(market: &E, tier: &Tier<E>) -> Vec<E>
where
    Tier<E>: tsz_gadgets::layout::Columns<E>,
{
    let mut out = vec![market.clone()];
    tsz_gadgets::layout::Columns::write(tier, &mut |x: &E| out.push(x.clone()));
    out
}

/// Provides a tier `uses` times.
pub(super) fn provide_tier<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    market: &AB::Expr,
    tier: &Tier<AB::Expr>,
    uses: AB::Expr,
) {
    TIER.table_entry(row.builder(), fields(market, tier), uses);
}

/// The market has this tier, as often as `count` says.
pub(super) fn lookup_tier<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    market: &AB::Expr,
    tier: &Tier<AB::Expr>,
    count: Count<AB::Expr>,
) {
    TIER.lookup_key(row.builder(), fields(market, tier), count);
}

/// The notional is that of the lots at the unit price (digits checked by the caller) and lies in the tier. Without
/// `flag` (boolean, at most `real`) the lots must be 0 and the tier says nothing.
pub(super) fn held<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    flag: &AB::Expr,
    market: &AB::Expr,
    (lots, unit): (&[AB::Expr; 4], &[AB::Expr; 5]),
    h: &Held<AB::Expr>,
) {
    for digit in &h.notional {
        row.range(digit.clone());
    }
    row.product(lots, unit, &h.notional, &h.carries);
    lookup_tier(row, market, &h.tier, Count::bounded(flag.clone(), 1));
    let notional: [AB::Expr; 3] = core::array::from_fn(|k| compose12(&h.notional[2 * k..2 * k + 2]));
    let [b0, b1, b2] = notional.clone();
    let least = [b0 - flag.clone(), b1, b2];
    let prev = [0, 1, 2].map(|k| flag.clone() * h.tier.prev[k].clone());
    let bound = [0, 1, 2].map(|k| flag.clone() * h.tier.bound[k].clone());
    at_least(row, &least, &prev, (&h.above, &h.above_borrows));
    at_least(row, &bound, &notional, (&h.below, &h.below_borrows));
}

/// `x - y` has 72 bits. Limbs of x and y are below 2^24 in size, so each equation is one of integers.
pub fn at_least<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    x: &[AB::Expr; 3],
    y: &[AB::Expr; 3],
    (gap, borrows): (&[U24<AB::Expr>; 3], &[AB::Expr; 2]),
) {
    for limb in gap {
        row.u24(limb);
    }
    for bit in borrows {
        row.boolean(bit);
    }
    for k in 0..3 {
        let mut e = x[k].clone() - y[k].clone() - gap[k].value();
        if k > 0 {
            e -= borrows[k - 1].clone();
        }
        if k < 2 {
            e += borrows[k].clone() * c::<AB::Expr>(1 << 24);
        }
        row.zero(e);
    }
}
