//! The open interest of a market after a close, which no cap binds.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{Row, c, pad8};

columns! {
    /// Open interest before and after.
    pub struct Interest {
        /// In MKO (24, 24, 8 bits); bound by the bus.
        before: [3],
        /// What is left; range12.
        after: (U24 * 2),
        /// Its high 8 bits; two lookups.
        after_hi: felt,
        /// Carries plus 4; three bits each, boolean.
        carries: [6],
        /// Moves of the market in MKO, with this one (24, 24 bits); range12. The count found is an expression.
        moves: (U24 * 2),
        /// Carry of the increment; boolean.
        moves_carry: felt,
    }
}

impl<E: PrimeCharacteristicRing + Clone> Interest<E> {
    fn limbs(&self) -> [E; 3] {
        [self.after[0].value(), self.after[1].value(), self.after_hi.clone()]
    }

    /// MKO found and left.
    ///
    /// The limbs of a count found have 24 bits (every writer checks), so a wrong carry gives -1 or 2^24 there.
    pub fn leaves(&self) -> [[E; 8]; 2] {
        let ([b0, b1, b2], [a0, a1, a2]) = (self.before.clone(), self.limbs());
        let [m0, m1] = [0, 1].map(|k| self.moves[k].value());
        let carry = self.moves_carry.clone();
        let o0 = m0.clone() - E::ONE + carry.clone() * c::<E>(1 << 24);
        let o1 = m1.clone() - carry;
        [pad8(&[b0, b1, b2, o0, o1]), pad8(&[a0, a1, a2, m0, m1])]
    }
}

/// The interest moved by `change` (two limbs, below 2^26 in size) and is below 2^56; the move is counted.
///
/// before_k + change_k + carry_(k-1) = after_k + 2^24 carry_k, carries in -4..=3: both sides are below 2^27 in size.
pub fn interest<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    x: &Interest<AB::Expr>,
    change: &[AB::Expr; 2],
) {
    let four = row.real.clone() * c::<AB::Expr>(4);
    for limb in x.after.iter().chain(&x.moves) {
        row.u24(limb);
    }
    row.narrow(&x.after_hi, 8);
    for bit in x.carries.iter().chain([&x.moves_carry]) {
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
