//! Collateral that moves by a signed amount.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{Row, c, pad8};
use tsz_gadgets::signed::Sign;

columns! {
    /// The collateral of a SUB cell before and after.
    ///
    /// Limb k: `sa (sb before_k + x_k) + carry_(k-1) = after_k + 2^24 carry_k` with the signs sb and sa. Limbs of x are
    /// below 2^25 in size and carries in -4..=3, so both sides are below 2^27: equations of integers. There is no carry
    /// out of the top.
    pub struct Cash {
        /// Magnitude found (24, 24, 24, 23 bits); bound by the tuple.
        before: [4],
        /// Its sign; bound by the tuple.
        negative_before: felt,
        /// Magnitude left; range12, below 2^95.
        after: (U24 * 4),
        /// Its sign.
        sign: (Sign),
        /// Carries plus 4; three bits each, boolean.
        carries: [9],
    }
}

fn sign<E: PrimeCharacteristicRing + Clone>(negative: &E) -> E {
    E::ONE - negative.double()
}

impl<E: PrimeCharacteristicRing + Clone> Cash<E> {
    /// SUB found with `holdings`.
    pub fn old_leaf(&self, holdings: E) -> [E; 8] {
        let [a, b, x, y] = self.before.clone();
        pad8(&[a, b, x, y, self.negative_before.clone(), holdings])
    }

    /// SUB left with `holdings`.
    pub fn new_leaf(&self, holdings: E) -> [E; 8] {
        let [a, b, x, y] = self.after.each_ref().map(U24::value);
        pad8(&[a, b, x, y, self.sign.negative.clone(), holdings])
    }
}

/// The collateral moves by `x`: four signed limbs of 24 bits, below 2^25 in size, of degree at most 2.
pub fn cash<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, m: &Cash<AB::Expr>, x: &[AB::Expr; 4]) {
    for limb in &m.after {
        row.u24(limb);
    }
    // 2^95: twice the top 12 bits are below 2^12
    row.range(m.after[3].hi.double());
    for bit in m.carries.iter().chain([&m.sign.negative]) {
        row.boolean(bit);
    }
    let sum: AB::Expr = m.after.iter().map(U24::value).sum();
    row.zero(m.sign.negative.clone() * (sum * m.sign.sum_inv.clone() - AB::Expr::ONE));
    let four = row.real.clone() * c::<AB::Expr>(4);
    let carry = |k: usize| {
        let [b0, b1, b2] = [0, 1, 2].map(|i| m.carries[3 * k + i].clone());
        b0 + b1.double() + b2 * c::<AB::Expr>(4) - four.clone()
    };
    let (from, to) = (sign(&m.negative_before), sign(&m.sign.negative));
    for (k, x) in x.iter().enumerate() {
        let sum = from.clone() * m.before[k].clone() + x.clone();
        let mut e = to.clone() * sum - m.after[k].value();
        if k > 0 {
            e += carry(k - 1);
        }
        if k < 3 {
            e -= carry(k) * c::<AB::Expr>(1 << 24);
        }
        row.zero(e);
    }
}
