//! One side of a pair: its position loses lots, its collateral moves.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{Row, c, compose12, pad8};
use tsz_margin::tables::{Price, Settlement, lookup_settlement};

use super::cash::{Cash, cash};

columns! {
    /// A sub-account whose position is settled and shrinks.
    pub struct Half {
        /// Account; range12.
        account: (U24),
        /// Sub-account; < 32 by two lookups.
        sub: felt,
        /// Base 2^12 digits of the lots in POS; range12.
        lots_before: [4],
        /// Base 2^12 digits of the lots left; range12.
        lots_after: [4],
        /// Carry of after + lots out of the low 24 bits; boolean.
        lots_carry: felt,
        /// 1 = nothing is left; boolean, owned by the zero test.
        is_flat: felt,
        /// Inverse of the digit sum of the lots left, or 0.
        flat_inv: felt,
        /// Index of the last settlement (24, 24, 15 bits); bound by the tuple.
        last: [3],
        /// Its sign; bound by the tuple.
        last_negative: felt,
        /// 1 = unsettled funding; boolean, at most `is_real`.
        is_due: felt,
        /// It, in signed digits; bound by `settle`, 0 unless due.
        settled: [8],
        /// Positions and margin tokens in SUB before; bound by the tuple.
        holdings: felt,
        /// The collateral.
        cash: (Cash),
    }
}

fn limbs<E: PrimeCharacteristicRing + Clone>(digits: &[E; 4]) -> [E; 2] {
    [compose12(&digits[..2]), compose12(&digits[2..])]
}

impl<E: PrimeCharacteristicRing + Clone> Half<E> {
    fn settlement(&self, price: &Price<E>, is_short: E) -> Settlement<E> {
        Settlement {
            lots: self.lots_before.clone(),
            is_short,
            qm: price.qm.clone(),
            last: self.last.clone(),
            last_negative: self.last_negative.clone(),
            now: price.funding.clone(),
            now_negative: price.funding_negative.clone(),
            value: self.settled.clone(),
        }
    }

    /// POS found and left, of sign `is_short`: a constant.
    fn positions(&self, price: &Price<E>, is_short: E) -> [[E; 8]; 2] {
        let ([b0, b1], [a0, a1]) = (limbs(&self.lots_before), limbs(&self.lots_after));
        let [f0, f1, f2] = self.last.clone();
        let old = pad8(&[b0, b1, is_short.clone(), f0, f1, f2, self.last_negative.clone()]);
        let open = E::ONE - self.is_flat.clone();
        let [f0, f1, f2] = price.funding.clone().map(|limb| open.clone() * limb);
        let negative = open.clone() * price.funding_negative.clone();
        [old, pad8(&[a0, a1, open * is_short, f0, f1, f2, negative])]
    }
}

/// What both sides share.
pub struct Pairing<'a, E> {
    /// The market.
    pub price: &'a Price<E>,
    /// Base 2^12 digits of the lots, at least 1.
    pub lots: &'a [E; 4],
}

/// Accesses `j` and `j + 1` (writes `w` and `w + 1`): SUB and POS. `is_short` is the constant 0 or 1; `gain` are
/// signed limbs below 2^24 in size.
pub fn half<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    (j, w): (u32, u32),
    h: &Half<AB::Expr>,
    p: &Pairing<'_, AB::Expr>,
    (is_short, gain): (AB::Expr, &[AB::Expr; 4]),
) {
    row.u24(&h.account);
    row.narrow(&h.sub, 5);
    lots(row, h, p.lots);
    settled(row, h, p.price, is_short.clone());
    let moved = core::array::from_fn(|k| compose12(&h.settled[2 * k..2 * k + 2]) + gain[k].clone());
    cash(row, &h.cash, &moved);

    let (account, sub) = (h.account.value(), h.sub.clone() * c::<AB::Expr>(512));
    let market = p.price.market.clone();
    row.key(j, true, account.clone(), sub.clone());
    row.old(j, h.cash.old_leaf(h.holdings.clone()));
    // there is a position, so the count is not 0
    row.new_value(w, h.cash.new_leaf(h.holdings.clone() - h.is_flat.clone()));
    row.key(j + 1, true, account, sub + c::<AB::Expr>(256) + market);
    let [old, new] = h.positions(p.price, is_short);
    row.old(j + 1, old);
    row.new_value(w + 1, new);
}

/// after + lots = before, limb by limb.
fn lots<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, h: &Half<AB::Expr>, lots: &[AB::Expr; 4]) {
    for digit in h.lots_before.iter().chain(&h.lots_after) {
        row.range(digit.clone());
    }
    for bit in [&h.lots_carry, &h.is_flat] {
        row.boolean(bit);
    }
    let ([b0, b1], [a0, a1], [l0, l1]) = (limbs(&h.lots_before), limbs(&h.lots_after), limbs(lots));
    row.zero(a0 + l0 - b0 - h.lots_carry.clone() * c::<AB::Expr>(1 << 24));
    row.zero(a1 + l1 - b1 + h.lots_carry.clone());
    let (real, left): (_, AB::Expr) = (row.real.clone(), h.lots_after.iter().cloned().sum());
    row.zero(left.clone() * h.flat_inv.clone() + h.is_flat.clone() - real);
    row.zero(left * h.is_flat.clone());
}

/// Unless due, the position is at the present index, and nothing is settled.
fn settled<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    h: &Half<AB::Expr>,
    price: &Price<AB::Expr>,
    is_short: AB::Expr,
) {
    row.boolean(&h.is_due);
    row.zero(h.is_due.clone() * (AB::Expr::ONE - row.real.clone()));
    lookup_settlement(row, &h.is_due, &h.settlement(price, is_short));
    for digit in &h.settled {
        row.zero((AB::Expr::ONE - h.is_due.clone()) * digit.clone());
    }
    let kept = row.real.clone() - h.is_due.clone();
    for (last, now) in h.last.iter().zip(&price.funding) {
        row.zero(kept.clone() * (last.clone() - now.clone()));
    }
    row.zero(kept * (h.last_negative.clone() - price.funding_negative.clone()));
}
