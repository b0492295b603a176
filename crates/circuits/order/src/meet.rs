//! Two orders that meet.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing, PrimeField32};
use tsz_gadgets::limb::U24;
use tsz_gadgets::product::{digits12, felts};
use tsz_gadgets::row::{Row, c, compose12};
use tsz_gadgets::{columns, inverse};

use crate::terms::Terms;

columns! {
    /// A fill of a taker's order by a maker's.
    pub struct Meeting {
        /// Base 2^12 digits of the lots of the fill; range12.
        lots: [4],
        /// Inverse of their sum: at least one lot.
        lots_inv: felt,
        /// 1 = both orders are of one sub-account; boolean, owned by the zero test.
        is_own: felt,
        /// Inverse of the difference of the parties, or 0.
        own_inv: felt,
        /// Inverse of the difference of the slots if own.
        slot_inv: felt,
        /// 1 = the taker's slot is closed after the fill; boolean, only of an IOC order.
        close: felt,
        /// How much better than the taker's limit the price is, low 24 bits; range12.
        better: (U24),
        /// High 8 bits; two lookups.
        better_hi: felt,
        /// Borrow of that difference; boolean.
        better_borrow: felt,
    }
}

impl<E: PrimeCharacteristicRing + Clone> Meeting<E> {
    /// Lots of the fill (24, 24 bits).
    pub fn lots(&self) -> [E; 2] {
        [compose12(&self.lots[..2]), compose12(&self.lots[2..])]
    }
}

fn price(terms: &Terms<F>) -> u32 {
    let [a, b, c] = terms.price.map(|x| x.as_canonical_u32());
    a | b << 12 | c << 24
}

impl Meeting<F> {
    /// Columns of a fill of `lots`.
    pub fn of(taker: &Terms<F>, maker: &Terms<F>, lots: u64, close: bool) -> Self {
        let is_own = taker.party() == maker.party();
        let digits = felts(digits12::<4>(lots.into()));
        let (t, m) = (price(taker), price(maker));
        let (a, b) = if taker.is_sell == F::ONE { (m, t) } else { (t, m) };
        let better = a.wrapping_sub(b);
        Self {
            lots: digits,
            lots_inv: inverse(digits.into_iter().sum()),
            is_own: F::from_bool(is_own),
            own_inv: inverse(taker.party() - maker.party()),
            slot_inv: if is_own { inverse(taker.slot - maker.slot) } else { F::ZERO },
            close: F::from_bool(close),
            better: U24::of(better & 0xff_ffff),
            better_hi: F::from_u32(better >> 24),
            better_borrow: F::from_bool(a & 0xff_ffff < b & 0xff_ffff),
        }
    }
}

/// Opposite sides of one market at the maker's limit, within the taker's; at least one lot; the roles suit the orders;
/// a sub-account meets itself only where the taker wants it, in two slots.
pub fn meet<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    m: &Meeting<AB::Expr>,
    taker: &Terms<AB::Expr>,
    maker: &Terms<AB::Expr>,
) {
    let real = row.real.clone();
    row.zero(taker.market.clone() - maker.market.clone());
    row.zero(taker.is_sell.clone() + maker.is_sell.clone() - real.clone());
    let sum: AB::Expr = m.lots.iter().cloned().sum();
    for digit in &m.lots {
        row.range(digit.clone());
    }
    row.zero(sum * m.lots_inv.clone() - real);
    limit(row, m, taker, maker);
    row.boolean(&m.close);
    row.zero(m.close.clone() * (AB::Expr::ONE - taker.is_ioc.clone()));
    row.zero(taker.is_post_only.clone());
    for (signed, lots) in taker.lots.iter().zip(m.lots()) {
        row.zero(taker.is_fok.clone() * (signed.clone() - lots));
    }
    row.zero(maker.is_ioc.clone());
    row.zero(maker.is_fok.clone());
    parties(row, m, taker, maker);
}

/// taker buys: limit - price >= 0; taker sells: price - limit >= 0.
fn limit<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    m: &Meeting<AB::Expr>,
    taker: &Terms<AB::Expr>,
    maker: &Terms<AB::Expr>,
) {
    let sign = AB::Expr::ONE - taker.is_sell.double();
    row.u24(&m.better);
    row.narrow(&m.better_hi, 8);
    row.boolean(&m.better_borrow);
    let low = compose12(&taker.price[..2]) - compose12(&maker.price[..2]);
    let high = taker.price[2].clone() - maker.price[2].clone();
    row.zero(sign.clone() * low + m.better_borrow.clone() * c::<AB::Expr>(1 << 24) - m.better.value());
    row.zero(sign * high - m.better_borrow.clone() - m.better_hi.clone());
}

/// is_own = 1 iff the parties are one; then the taker wants it and the slots differ.
fn parties<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    m: &Meeting<AB::Expr>,
    taker: &Terms<AB::Expr>,
    maker: &Terms<AB::Expr>,
) {
    let real = row.real.clone();
    let one = AB::Expr::ONE;
    row.boolean(&m.is_own);
    let difference = taker.party() - maker.party();
    row.zero(difference.clone() * m.own_inv.clone() - real + m.is_own.clone());
    row.zero(difference * m.is_own.clone());
    row.zero(m.is_own.clone() * (one.clone() - taker.decrements.clone()));
    let slots = taker.slot.clone() - maker.slot.clone();
    row.zero(m.is_own.clone() * (slots * m.slot_inv.clone() - one));
}
