//! A notional against the bound of the last tier of a market: what nobody without a position may exceed.

use tsz_air::{Count, F, InteractionBuilder};
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::Row;

use super::held::{Tier, at_least, lookup_tier};

columns! {
    /// A notional against the last bound.
    pub struct Cap {
        /// The last bound, if the notional is above it, else the bound before the tier; bound by the bus.
        prev: [3],
        /// A bound that holds the notional, if it is not above the last one; bound by the bus.
        bound: [3],
        /// Fractions of the entry; bound by the bus, without a use here.
        fractions: [3],
        /// bound - notional, or notional - prev - 1 if it is above; range12.
        gap: (U24 * 3),
        /// Borrows of that; boolean.
        borrows: [2],
    }
}

/// The notional (24, 24, 24 bits) is at most the bound of the last tier if the boolean `within`, above it if the boolean
/// `beyond`; at most one of the two is 1, and none on padding. What a notional has above these limbs only makes it larger.
pub fn cap<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    (within, beyond): (&AB::Expr, &AB::Expr),
    market: &AB::Expr,
    notional: &[AB::Expr; 3],
    x: &Cap<AB::Expr>,
) {
    let tier = Tier {
        prev: x.prev.clone(),
        bound: x.bound.clone(),
        fractions: x.fractions.clone(),
        is_beyond: beyond.clone(),
    };
    lookup_tier(row, market, &tier, Count::bounded(within.clone() + beyond.clone(), 1));
    let either = |yes: &AB::Expr, no: &AB::Expr| within.clone() * yes.clone() + beyond.clone() * no.clone();
    let mut more: [AB::Expr; 3] = core::array::from_fn(|k| either(&x.bound[k], &notional[k]));
    more[0] -= beyond.clone();
    let less: [AB::Expr; 3] = core::array::from_fn(|k| either(&notional[k], &x.prev[k]));
    at_least(row, &more, &less, (&x.gap, &x.borrows));
}
