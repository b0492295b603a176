//! Sums of digits that are not yet carried, and how they become digits.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::columns;
use tsz_gadgets::row::{Row, c};

/// Added to a carry so that its limbs are not negative.
const SHIFT: u32 = 1 << 16;

columns! {
    /// A signed carry of -2^16..2^16 as carry + 2^16.
    pub struct Shift {
        /// Low 12 bits; range12.
        lo: felt,
        /// Bits 12 to 16; boolean.
        bits: [5],
    }
}

columns! {
    /// A carry below 80 * 2^12.
    pub struct WideCarry {
        /// Low 12 bits; range12.
        lo: felt,
        /// Bits 12 to 18; boolean, and bit 18 not together with 16 or 17.
        bits: [7],
    }
}

columns! {
    /// Digits of `sum_k sums_k 2^(12 k)` for six sums below 2^30.3.
    pub struct WideSum {
        /// Lower six digits; range12.
        digits: [6],
        /// Carries; the last is the rest.
        carries: (WideCarry * 6),
    }
}

columns! {
    /// A value of |v| < 2^98 as digits of v + 2^98.
    pub struct Value {
        /// Base 2^12 digits; range12, the last below 2^3.
        digits: [9],
        /// Carries.
        carries: (Shift * 8),
        /// Inverse of the digit sum: -2^98 is no value.
        sum_inv: felt,
    }
}

fn bits<E: PrimeCharacteristicRing + Clone>(bits: &[E]) -> E {
    bits.iter().rev().fold(E::ZERO, |acc, b| acc.double() + b.clone())
}

impl<E: PrimeCharacteristicRing + Clone> WideSum<E> {
    /// All eight digits; the last is below 80.
    pub fn digits(&self) -> [E; 8] {
        core::array::from_fn(|k| match k {
            0..6 => self.digits[k].clone(),
            6 => self.carries[5].lo.clone(),
            _ => bits(&self.carries[5].bits),
        })
    }
}

fn shift_value<AB: InteractionBuilder<F = F>>(row: &Row<'_, AB>, s: &Shift<AB::Expr>) -> AB::Expr {
    s.lo.clone() + bits(&s.bits) * c::<AB::Expr>(1 << 12) - row.real.clone() * c::<AB::Expr>(SHIFT)
}

/// `digits` are those of `sum_k sums_k 2^(12 k)`, which is not negative: digit k is
/// `sums_k + carry_(k-1) = digit_k + 2^12 carry_k`. With |sums| < 2^28 and |carries| <= 2^16 both sides are below 2^29
/// in size, so these are equations of integers. There is no carry out of the top; a missing sum or digit is 0.
pub fn carried<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    sums: &[AB::Expr],
    digits: &[AB::Expr],
    carries: &[Shift<AB::Expr>],
) {
    for carry in carries {
        row.range(carry.lo.clone());
        for bit in &carry.bits {
            row.boolean(bit);
        }
    }
    for digit in digits {
        row.range(digit.clone());
    }
    for k in 0..sums.len().max(digits.len()) {
        let mut e = sums.get(k).cloned().unwrap_or(AB::Expr::ZERO);
        if let Some(digit) = digits.get(k) {
            e -= digit.clone();
        }
        if let Some(carry) = k.checked_sub(1).and_then(|k| carries.get(k)) {
            e += shift_value(row, carry);
        }
        if let Some(carry) = carries.get(k) {
            e -= shift_value(row, carry) * c::<AB::Expr>(1 << 12);
        }
        row.zero(e);
    }
}

/// The value is `sum_k sums_k 2^(12 k)`, |sums| < 2^28.
pub(super) fn value<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    mut sums: [AB::Expr; 9],
    value: &Value<AB::Expr>,
) {
    let real = row.real.clone();
    // 2^98
    sums[8] += real.double().double();
    carried(row, &sums, &value.digits, &value.carries);
    row.range(value.digits[8].clone() * c::<AB::Expr>(1 << 9));
    let sum: AB::Expr = value.digits.iter().cloned().sum();
    row.zero(sum * value.sum_inv.clone() - real);
}

/// `sum` has the digits of `sum_k sums_k 2^(12 k)` for sums of at most 32 products of a digit and a fraction.
///
/// `sums_k + carry_(k-1) = digit_k + 2^12 carry_k`: the left side is at most 32 * 4095 * 10^4 + 80 * 2^12, the right
/// side below 2^12 + 80 * 2^24, both below p.
pub fn wide_sum<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    sums: &[AB::Expr; 6],
    sum: &WideSum<AB::Expr>,
) {
    for (digit, carry) in sum.digits.iter().zip(&sum.carries) {
        row.range(digit.clone());
        row.range(carry.lo.clone());
        for bit in &carry.bits {
            row.boolean(bit);
        }
        row.zero(carry.bits[6].clone() * (carry.bits[5].clone() + carry.bits[4].clone()));
    }
    let value = |k: usize| sum.carries[k].lo.clone() + bits(&sum.carries[k].bits) * c::<AB::Expr>(1 << 12);
    for (k, digit) in sums.iter().enumerate() {
        let mut e = digit.clone() - sum.digits[k].clone() - value(k) * c::<AB::Expr>(1 << 12);
        if k > 0 {
            e += value(k - 1);
        }
        row.zero(e);
    }
}
