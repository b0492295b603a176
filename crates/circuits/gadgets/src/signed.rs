//! Sums of signed numbers: sign and magnitude in limbs of 24 bits.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};

use crate::columns;
use crate::inverse;
use crate::row::{Row, c};

columns! {
    /// The sign of a result.
    pub struct Sign {
        /// 1 = negative; boolean.
        negative: felt,
        /// Inverse of the limb sum if negative: -0 is not a value.
        sum_inv: felt,
    }
}

columns! {
    /// A carry of -1, 0 or 1.
    pub struct Step {
        /// 1 = a carry of 1; boolean.
        up: felt,
        /// 1 = a carry of -1; boolean.
        down: felt,
    }
}

impl<E: PrimeCharacteristicRing + Clone> Step<E> {
    fn value(&self) -> E {
        self.up.clone() - self.down.clone()
    }
}

impl Sign<F> {
    /// Columns of a number with these limbs.
    pub fn of(negative: bool, limbs: &[F]) -> Self {
        let sum: F = limbs.iter().copied().sum();
        Self { negative: F::from_bool(negative), sum_inv: if negative { inverse(sum) } else { F::ZERO } }
    }
}

/// Carries of `old + x - new` from signed limbs.
pub fn steps<const N: usize>(old: &[i64], x: &[i64], new: &[i64]) -> [Step<F>; N] {
    let mut carry = 0;
    core::array::from_fn(|k| {
        let at = |limbs: &[i64]| limbs.get(k).copied().unwrap_or(0);
        carry = (at(old) + at(x) - at(new) + carry) >> 24;
        Step { up: F::from_bool(carry > 0), down: F::from_bool(carry < 0) }
    })
}

impl<AB: InteractionBuilder<F = F>> Row<'_, AB> {
    /// `old + x = new`: `old` and `new` are magnitudes with signs, `x` has signed limbs of at most 2^24 in size. The
    /// limbs of `old` and `new` have 24 bits, as the caller checks or the state does; `carries` are one less than limbs.
    ///
    /// Limb k: `so old_k + x_k - sn new_k + carry_(k-1) = 2^24 carry_k` with signs so, sn. Each term is below 2^24 + 1
    /// in size, so these are equations of integers; their sum is the sum. If all limbs of x have one sign, one of the
    /// three magnitudes is the sum of the others, so carries are in -1..=1.
    pub fn signed_sum(
        &mut self,
        (old, old_negative): (&[AB::Expr], &AB::Expr),
        x: &[AB::Expr],
        (new, sign): (&[AB::Expr], &Sign<AB::Expr>),
        carries: &[Step<AB::Expr>],
    ) {
        let one = AB::Expr::ONE;
        self.boolean(&sign.negative);
        let sum: AB::Expr = new.iter().cloned().sum();
        self.zero(sign.negative.clone() * (sum * sign.sum_inv.clone() - one.clone()));
        for step in carries {
            self.boolean(&step.up);
            self.boolean(&step.down);
        }
        let so = one.clone() - old_negative.double();
        let sn = one - sign.negative.double();
        for k in 0..old.len() {
            let mut e = so.clone() * old[k].clone() - sn.clone() * new[k].clone();
            if let Some(x) = x.get(k) {
                e += x.clone();
            }
            if let Some(from) = k.checked_sub(1).and_then(|j| carries.get(j)) {
                e += from.value();
            }
            if let Some(to) = carries.get(k) {
                e -= to.value() * c::<AB::Expr>(1 << 24);
            }
            self.zero(e);
        }
    }
}
