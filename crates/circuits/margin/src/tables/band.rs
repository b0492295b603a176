//! The band around the mark that forced closes and partial liquidations concede (docs/src/domain.md sections 7 and 9).

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{Row, c};

use super::sums::{Shift, carried};

/// Unit of fractions.
const FRACTION: u32 = 10_000;

columns! {
    /// A price against the band.
    pub struct Band {
        /// Digits of the low limb of the mark; range12.
        mark: (U24),
        /// Base 2^12 digits of the side that is asked for; range12.
        gap: [4],
        /// Carries of that.
        carries: (Shift * 3),
    }
}

/// What is asked of a price, seen from the party that closes.
///
/// The price concedes `x = sign * 10^4 * (price - mark) - mark * band` beyond the band, where `sign` is 1 for a purchase and
/// -1 for a sale. `turn * x - less` is not negative: with turn 1 the whole band is conceded, with -1 at most the band, with
/// -1 and less 1 not the whole band; with both 0 nothing is asked.
pub struct Side<E> {
    /// turn * sign.
    pub way: E,
    /// 1, -1 or 0.
    pub turn: E,
    /// 0 or 1.
    pub less: E,
}

impl<E: PrimeCharacteristicRing + Clone> Band<E> {
    /// Digits of `turn * x - less`, not carried, for the digits of a price, the high limb of the mark and the band.
    pub fn sums(&self, price: &[E; 3], mark_hi: &E, band: &E, side: &Side<E>) -> [E; 3] {
        let mark = [&self.mark.lo, &self.mark.hi, mark_hi];
        core::array::from_fn(|k| {
            let apart = (price[k].clone() - mark[k].clone()) * c::<E>(FRACTION);
            let share = mark[k].clone() * band.clone();
            let e = side.way.clone() * apart - side.turn.clone() * share;
            if k == 0 { e - side.less.clone() } else { e }
        })
    }
}

/// The price is on that side of the band. Its digits are the caller's to check; sums are below 2^27 in size.
pub fn band<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    x: &Band<AB::Expr>,
    price: &[AB::Expr; 3],
    (mark, share): (&[AB::Expr; 2], &AB::Expr),
    side: &Side<AB::Expr>,
) {
    row.u24(&x.mark);
    row.zero(x.mark.value() - mark[0].clone());
    carried(row, &x.sums(price, &mark[1], share, side), &x.gap, &x.carries);
}
