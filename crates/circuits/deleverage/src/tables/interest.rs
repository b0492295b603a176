//! The open interest of a market after a close, which no cap binds.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing, PrimeField32};
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{Row, c, pad8};
use tsz_gadgets::{limb24, magnitude};
use tsz_hash::Digest;
use tsz_margin::signed;

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
        /// Moves of the market in MKO as they are left (24, 24 bits); range12. The count found is an expression.
        moves: (U24 * 2),
        /// Carry of the increment, if it counts; boolean.
        moves_carry: felt,
    }
}

impl<E: PrimeCharacteristicRing + Clone> Interest<E> {
    /// Moves that are found, if the boolean `counts` says that the op is one.
    ///
    /// The limbs of a count found have 24 bits (every writer checks), so a wrong carry gives -1 or 2^24 there.
    pub fn moves_before(&self, counts: &E) -> [E; 2] {
        let [m0, m1] = [0, 1].map(|k| self.moves[k].value());
        let carry = self.moves_carry.clone();
        [m0 - counts.clone() + carry.clone() * c::<E>(1 << 24), m1 - carry]
    }

    /// MKO found and left.
    pub fn leaves(&self, counts: &E) -> [[E; 8]; 2] {
        let ([b0, b1, b2], [o0, o1]) = (self.before.clone(), self.moves_before(counts));
        let [m0, m1, a0, a1] =
            [&self.moves[0], &self.moves[1], &self.after[0], &self.after[1]].map(U24::value);
        [pad8(&[b0, b1, b2, o0, o1]), pad8(&[a0, a1, self.after_hi.clone(), m0, m1])]
    }
}

impl Interest<F> {
    /// Columns of a cell that moves by `change` (signed limbs).
    pub fn of(before: &Digest, change: [i64; 2], counts: bool) -> Self {
        let mut cell = Digest::default();
        cell[..2].copy_from_slice(&before[3..5]);
        let moves = magnitude(&cell) + u128::from(counts);
        let mut x = Self {
            before: [before[0], before[1], before[2]],
            moves: [0, 1].map(|k| U24::of(limb24(moves, k))),
            moves_carry: F::from_bool(counts && moves.trailing_zeros() >= 24),
            ..Self::default()
        };
        let mut carry = 0;
        for (k, limb) in before.iter().enumerate().take(3) {
            let sum = signed(*limb) + change.get(k).copied().unwrap_or(0) + carry;
            carry = sum >> 24;
            match x.after.get_mut(k) {
                None => x.after_hi = F::from_i64(sum),
                Some(after) => {
                    *after = U24::of((sum & 0xff_ffff) as u32);
                    for bit in 0..3 {
                        x.carries[3 * k + bit] = F::from_bool((carry + 4) >> bit & 1 == 1);
                    }
                }
            }
        }
        x
    }

    /// The integer of moves that are left.
    pub fn count(&self) -> u64 {
        let [m0, m1] = [0, 1].map(|k| u64::from(self.moves[k].value().as_canonical_u32()));
        m0 | m1 << 24
    }
}

/// On real rows the interest moved by `change` (two limbs, below 2^26 in size) and is below 2^56; the move is counted, if
/// the boolean `counts` (at most `real`).
///
/// before_k + change_k + carry_(k-1) = after_k + 2^24 carry_k, carries in -4..=3: both sides are below 2^27 in size.
pub fn interest<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    x: &Interest<AB::Expr>,
    change: &[AB::Expr; 2],
    counts: &AB::Expr,
) {
    let four = row.real.clone() * c::<AB::Expr>(4);
    for limb in x.after.iter().chain(&x.moves) {
        row.u24(limb);
    }
    row.narrow(&x.after_hi, 8);
    for bit in x.carries.iter().chain([&x.moves_carry]) {
        row.boolean(bit);
    }
    row.zero(x.moves_carry.clone() * (AB::Expr::ONE - counts.clone()));
    let carry = |k: usize| {
        let [b0, b1, b2] = [0, 1, 2].map(|i| x.carries[3 * k + i].clone());
        b0 + b1.double() + b2 * c::<AB::Expr>(4) - four.clone()
    };
    let [a0, a1] = [0, 1].map(|k| x.after[k].value());
    for (k, (before, after)) in x.before.iter().zip([a0, a1, x.after_hi.clone()]).enumerate() {
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
