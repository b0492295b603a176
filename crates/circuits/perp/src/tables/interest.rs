//! The open interest of the market, and how often its positions moved.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::product::Carry;
use tsz_gadgets::row::{Row, c, compose12, pad8};
use tsz_margin::tables::{Listed, Price, at_least};

columns! {
    /// Open interest before and after.
    pub struct Interest {
        /// In MKO (24, 24, 8 bits); bound by the bus.
        before: [3],
        /// Base 2^12 digits of what is left; range12, the last below 2^8.
        after: [5],
        /// Carries plus 4; three bits each, boolean.
        carries: [6],
        /// 1 = it grew, so the cap binds; boolean, at most `live`.
        grew: felt,
        /// before - after, unless it grew; range12.
        fall: (U24 * 2),
        /// High 8 bits; two lookups.
        fall_hi: felt,
        /// Borrows; boolean.
        fall_borrows: [2],
        /// Base 2^12 digits of after * mark * qm, if it grew; range12.
        value: [6],
        /// Carries of that product.
        value_carries: (Carry * 5),
        /// cap - value; range12.
        room: (U24 * 3),
        /// Borrows; boolean.
        room_borrows: [2],
        /// Moves of the market in MKO, with this one (24, 24 bits); range12. The count found is an expression.
        moves: (U24 * 2),
        /// Carry of the increment; boolean.
        moves_carry: felt,
    }
}

impl<E: PrimeCharacteristicRing + Clone> Interest<E> {
    /// Limbs after.
    fn limbs(&self) -> [E; 3] {
        [compose12(&self.after[..2]), compose12(&self.after[2..4]), self.after[4].clone()]
    }

    /// MKO found and left.
    ///
    /// The limbs of a count found have 24 bits (every writer checks), so a wrong carry gives -1 or 2^24 there.
    pub fn leaves(&self) -> [[E; 8]; 2] {
        let ([b0, b1, b2], [a0, a1, a2]) = (self.before.clone(), self.limbs());
        let [m0, m1] = [0, 1].map(|k| self.moves[k].value());
        let carry = self.moves_carry.clone();
        let old = [m0.clone() - E::ONE + carry.clone() * c::<E>(1 << 24), m1.clone() - carry];
        let [o0, o1] = old;
        [pad8(&[b0, b1, b2, o0, o1]), pad8(&[a0, a1, a2, m0, m1])]
    }
}

/// The interest moved by `change` (two limbs, below 2^26 in size); if it grew, it is within the cap at the mark.
pub fn interest<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    x: &Interest<AB::Expr>,
    change: &[AB::Expr; 2],
    live: &AB::Expr,
    (price, listed): (&Price<AB::Expr>, &Listed<AB::Expr>),
) {
    moved(row, x, change);
    for limb in &x.moves {
        row.u24(limb);
    }
    row.boolean(&x.moves_carry);
    row.boolean(&x.grew);
    row.zero(x.grew.clone() * (AB::Expr::ONE - live.clone()));
    fall(row, x, live);
    for digit in &x.value {
        row.range(digit.clone());
    }
    let after: [AB::Expr; 5] = core::array::from_fn(|k| x.grew.clone() * x.after[k].clone());
    row.product(&after, &price.unit, &x.value, &x.value_carries);
    let value = [0, 1, 2].map(|k| compose12(&x.value[2 * k..2 * k + 2]));
    at_least(row, &listed.oi_cap, &value, (&x.room, &x.room_borrows));
}

/// before_k + change_k + carry_(k-1) = after_k + 2^24 carry_k, carries in -4..=3: both sides are below 2^27 in size.
fn moved<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    x: &Interest<AB::Expr>,
    change: &[AB::Expr; 2],
) {
    let four = row.real.clone() * c::<AB::Expr>(4);
    for digit in &x.after {
        row.range(digit.clone());
    }
    row.range(x.after[4].clone() * c::<AB::Expr>(1 << 4));
    for bit in &x.carries {
        row.boolean(bit);
    }
    let carry = |k: usize| {
        let [b0, b1, b2] = [0, 1, 2].map(|i| x.carries[3 * k + i].clone());
        b0 + b1.double() + b2 * c::<AB::Expr>(4) - four.clone()
    };
    for (k, (before, after)) in x.before.iter().zip(x.limbs()).enumerate() {
        let mut e = before.clone() - after;
        if let Some(change) = change.get(k) {
            e += change.clone();
        }
        if k > 0 {
            e += carry(k - 1);
        }
        if k < 2 {
            e -= carry(k) * c::<AB::Expr>(1 << 24);
        }
        row.zero(e);
    }
}

/// Unless it grew, before - after is not negative.
fn fall<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, x: &Interest<AB::Expr>, live: &AB::Expr) {
    let kept = live.clone() - x.grew.clone();
    for limb in &x.fall {
        row.u24(limb);
    }
    row.narrow(&x.fall_hi, 8);
    for bit in &x.fall_borrows {
        row.boolean(bit);
    }
    let after = x.limbs();
    let fall = [x.fall[0].value(), x.fall[1].value(), x.fall_hi.clone()];
    for k in 0..3 {
        let mut e = kept.clone() * (x.before[k].clone() - after[k].clone()) - fall[k].clone();
        if k > 0 {
            e -= x.fall_borrows[k - 1].clone();
        }
        if k < 2 {
            e += x.fall_borrows[k].clone() * c::<AB::Expr>(1 << 24);
        }
        row.zero(e);
    }
}
