//! Amounts: units of L1 tokens, and units * 10^6 as a cell holds them.

use tsz_air::InteractionBuilder;
use tsz_air::PrimeCharacteristicRing;
use tsz_hash::F;

use crate::columns;
use crate::inverse;
use crate::row::{Row, c, compose12};

/// Cell amount of one unit.
pub const SCALE: u128 = 1_000_000;
/// Low and high 12 bits of [`SCALE`].
const SCALE_LIMBS: [u32; 2] = [576, 244];

columns! {
    /// An amount of units (u60) and its product with 10^6 (u80).
    ///
    /// The product in base 2^12 is `e_k = 576 u_k + 244 u_(k-1) + carry_(k-1) - 2^12 carry_k` for k < 6 and
    /// `e_6 = carry_5`. Every digit and carry is below 2^12 by lookup; the sums stay below 2^22, so the field
    /// equation is one of integers, and the digits are unique.
    pub struct Units {
        /// Base 2^12 digits of the units; range12.
        digits: [5],
        /// Carries of the product; range12.
        carries: [6],
    }
}

impl<E: PrimeCharacteristicRing + Clone> Units<E> {
    /// The units as a record or message has them: limbs of 24, 24 and 12 bits.
    pub fn limbs(&self) -> [E; 3] {
        [compose12(&self.digits[..2]), compose12(&self.digits[2..4]), self.digits[4].clone()]
    }

    /// Sum of the digits: zero iff the units are zero, as digits are below 2^12.
    pub fn sum(&self) -> E {
        self.digits.iter().cloned().sum()
    }

    fn product_digits(&self) -> [E; 7] {
        core::array::from_fn(|k| {
            let mut e = E::ZERO;
            if k < 5 {
                e += self.digits[k].clone() * c::<E>(SCALE_LIMBS[0]);
            }
            if (1..6).contains(&k) {
                e += self.digits[k - 1].clone() * c::<E>(SCALE_LIMBS[1]);
            }
            if k > 0 {
                e += self.carries[k - 1].clone();
            }
            if k < 6 {
                e -= self.carries[k].clone() * c::<E>(1 << 12);
            }
            e
        })
    }

    /// units * 10^6 in four limbs of 24 bits.
    pub fn amount(&self) -> [E; 4] {
        let e = self.product_digits();
        core::array::from_fn(|k| compose12(&e[2 * k..(2 * k + 2).min(7)]))
    }
}

impl Units<F> {
    /// Columns of `units` (< 2^60).
    pub fn of(units: u64) -> Self {
        let digit = |k: usize| (units >> (12 * k)) as u32 & 0xfff;
        let mut carries = [F::ZERO; 6];
        let mut carry = 0;
        for (k, slot) in carries.iter_mut().enumerate() {
            let low = if k < 5 { digit(k) * SCALE_LIMBS[0] } else { 0 };
            let high = if k > 0 { digit(k - 1) * SCALE_LIMBS[1] } else { 0 };
            carry = (low + high + carry) >> 12;
            *slot = F::from_u32(carry);
        }
        Self { digits: core::array::from_fn(|k| F::from_u32(digit(k))), carries }
    }

    /// Witness that the units are not zero.
    pub fn sum_inv(&self) -> F {
        inverse(self.sum())
    }
}

impl<AB: InteractionBuilder<F = F>> Row<'_, AB> {
    /// `units < 2^60` and [`Units::amount`] is their product with 10^6.
    pub fn units(&mut self, units: &Units<AB::Expr>) {
        for digit in units.digits.iter().chain(&units.carries) {
            self.range(digit.clone());
        }
        let digits = units.product_digits();
        // The last digit is the last carry, which is checked above.
        for digit in digits.into_iter().take(6) {
            self.range(digit);
        }
    }

    /// `units >= 1`: their digit sum has the inverse `sum_inv`.
    pub fn units_non_zero(&mut self, units: &Units<AB::Expr>, sum_inv: &AB::Expr) {
        let real = self.real.clone();
        self.zero(units.sum() * sum_inv.clone() - real);
    }
}
