//! The liquidation fee: the smaller of `rate * N` and the surplus of a close over its zero quote (docs/src/domain.md
//! section 7).

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::columns;
use tsz_gadgets::product::Scaled;
use tsz_gadgets::row::{Row, c, compose12};
use tsz_gadgets::units::SCALE;

use super::quote::GAIN_SHIFT;
use super::sums::{Shift, carried};

/// Base 2^12 digits of [`SCALE`].
const SCALE_DIGITS: [u32; 2] = [SCALE as u32 & 0xfff, (SCALE >> 12) as u32];

columns! {
    /// A liquidation fee.
    pub struct Charge {
        /// rate * N.
        limit: (Scaled),
        /// 1 = the fee is that; boolean.
        is_limit: felt,
        /// 1 = the fee is the surplus; boolean, not together with `is_limit`. With neither it is 0.
        is_surplus: felt,
        /// Base 2^12 digits of the fee; range12.
        fee: [7],
        /// Digits of what the other one is larger by; range12.
        gap: [9],
        /// Carries of the comparison with the surplus.
        carries: (Shift * 8),
        /// Borrows of that with rate * N; two bits each, boolean.
        borrows: [6],
    }
}

/// Digits of `sign * (N - n) * 10^6 + gain * 10^6`, not carried: how much better a close at N is than its zero quote, for a
/// gain of which 2^83 is taken off where `real` is 1. Below 2^23 in size.
pub fn surplus<E: PrimeCharacteristicRing + Clone>(
    real: &E,
    sign: &E,
    (at_price, at_mark): (&[E; 5], &[E; 6]),
    gain: &[E; 7],
) -> [E; 9] {
    let amount: [E; 7] = core::array::from_fn(|k| {
        let mut apart = E::ZERO;
        if let Some(digit) = at_price.get(k) {
            apart += digit.clone();
        }
        if let Some(digit) = at_mark.get(k) {
            apart -= digit.clone();
        }
        let mut e = gain[k].clone() + sign.clone() * apart;
        if k == 6 {
            e -= real.clone() * c::<E>(1 << (GAIN_SHIFT - 72));
        }
        e
    });
    micros(&amount)
}

/// Digits times 10^6, not carried.
pub(super) fn micros<E: PrimeCharacteristicRing + Clone>(amount: &[E]) -> [E; 9] {
    let [low, high] = SCALE_DIGITS.map(c::<E>);
    core::array::from_fn(|k| {
        let mut e = E::ZERO;
        if let Some(digit) = amount.get(k) {
            e += digit.clone() * low.clone();
        }
        if let Some(digit) = k.checked_sub(1).and_then(|k| amount.get(k)) {
            e += digit.clone() * high.clone();
        }
        e
    })
}

impl<E: PrimeCharacteristicRing + Clone> Charge<E> {
    /// 1 = there is a fee.
    pub fn is_on(&self) -> E {
        self.is_limit.clone() + self.is_surplus.clone()
    }

    /// The fee in limbs of 24 bits.
    pub fn amount(&self) -> [E; 4] {
        core::array::from_fn(|k| compose12(&self.fee[2 * k..(2 * k + 2).min(7)]))
    }

    /// Digits of the surplus less fee and gap, not carried: zero in all.
    pub fn over(&self, surplus: &[E; 9]) -> [E; 9] {
        core::array::from_fn(|k| {
            let mut e = self.is_on() * surplus[k].clone() - self.is_limit.clone() * self.gap[k].clone();
            if let Some(digit) = self.fee.get(k) {
                e -= digit.clone();
            }
            e
        })
    }

    /// Limbs of rate * N less fee and gap: zero in all.
    pub fn under(&self) -> [E; 4] {
        let (limit, fee) = (self.limit.amount(), self.amount());
        core::array::from_fn(|k| {
            let gap = compose12(&self.gap[2 * k..2 * k + 2]);
            self.is_on() * limit[k].clone() - fee[k].clone() - self.is_surplus.clone() * gap
        })
    }
}

/// The fee is `min(rate * N, surplus)` where there is one, and then neither is negative; N has the digits `notional`.
///
/// Limbs of the second comparison: `limit_k - fee_k - gap_k - borrow_(k-1) + 2^24 borrow_k = 0`, below 2^27 in size.
pub fn charge<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    x: &Charge<AB::Expr>,
    notional: &[AB::Expr; 5],
    surplus: &[AB::Expr; 9],
) {
    row.scaled(&x.limit, notional);
    let on = x.is_on();
    for bit in [&x.is_limit, &x.is_surplus, &on].into_iter().chain(&x.borrows) {
        row.boolean(bit);
    }
    for digit in x.fee.iter().chain(&x.gap) {
        row.range(digit.clone());
    }
    carried(row, &x.over(surplus), &[], &x.carries);
    row.zero(x.is_surplus.clone() * x.gap[8].clone());
    let borrow = |k: usize| x.borrows[2 * k].clone() + x.borrows[2 * k + 1].double();
    for (k, mut e) in x.under().into_iter().enumerate() {
        if k > 0 {
            e -= borrow(k - 1);
        }
        if k < 3 {
            e += borrow(k) * c::<AB::Expr>(1 << 24);
        }
        row.zero(e);
    }
}
