//! Products of integers in base 2^12, with declared bounds.

use tsz_air::InteractionBuilder;
use tsz_air::PrimeCharacteristicRing;
use tsz_hash::F;

use crate::columns;
use crate::row::{Row, c, compose12};

columns! {
    /// A carry below 2^14.
    pub struct Carry {
        /// Low 12 bits; range12.
        lo: felt,
        /// Bits 12 and 13; boolean.
        bits: [2],
    }
}

impl<E: PrimeCharacteristicRing + Clone> Carry<E> {
    /// The integer.
    pub fn value(&self) -> E {
        let [b0, b1] = self.bits.clone();
        self.lo.clone() + (b0 + b1.double()) * c::<E>(1 << 12)
    }
}

impl Carry<F> {
    /// The carry of this value (< 2^14; higher bits are dropped).
    pub fn of(value: u64) -> Self {
        let bit = |k: u32| F::from_bool(value >> k & 1 == 1);
        Self { lo: F::from_u32(value as u32 & 0xfff), bits: [bit(12), bit(13)] }
    }
}

/// Digits of `value` in base 2^12, the rest dropped.
pub fn digits12<const N: usize>(value: u128) -> [u32; N] {
    core::array::from_fn(|k| (value >> (12 * k)) as u32 & 0xfff)
}

/// Felts of small integers.
pub fn felts<const N: usize>(values: [u32; N]) -> [F; N] {
    values.map(F::from_u32)
}

/// Columns of the first `N` carries of the product of two numbers given by digits.
pub fn product_carries<const N: usize>(a: &[u32], b: &[u32]) -> [Carry<F>; N] {
    let mut carry = 0u64;
    core::array::from_fn(|k| {
        let terms = a.iter().enumerate().filter_map(|(i, x)| {
            let y = b.get(k.checked_sub(i)?)?;
            Some(u64::from(*x) * u64::from(*y))
        });
        carry = (carry + terms.sum::<u64>()) >> 12;
        Carry::of(carry)
    })
}

impl<AB: InteractionBuilder<F = F>> Row<'_, AB> {
    /// The carry is below 2^14.
    pub fn carry(&mut self, carry: &Carry<AB::Expr>) {
        self.range(carry.lo.clone());
        for bit in &carry.bits {
            self.boolean(bit);
        }
    }

    /// `a * b = out`: digits of all three are below 2^12 (to be checked by the caller), n products meet in a digit with
    /// n * 2^24 + 2^14 < p (so n <= 119), and there is no carry beyond `carries`.
    ///
    /// Digit k: `sum a_i b_(k-i) + carry_(k-1) = out_k + 2^12 carry_k`. The left side is below n * 2^24 + 2^14, the
    /// right side below 2^12 + 2^26: equations of integers. A carry has 14 bits, which any product holds where at most
    /// four products meet in a digit; a larger one has no row. A digit beyond `out` is the integer 0, hence each of its
    /// terms.
    pub fn product(&mut self, a: &[AB::Expr], b: &[AB::Expr], out: &[AB::Expr], carries: &[Carry<AB::Expr>]) {
        for carry in carries {
            self.carry(carry);
        }
        for k in 0..(a.len() + b.len() - 1).max(out.len()) {
            let mut e = AB::Expr::ZERO;
            for (i, x) in a.iter().enumerate() {
                if let Some(y) = k.checked_sub(i).and_then(|j| b.get(j)) {
                    e += x.clone() * y.clone();
                }
            }
            if let Some(carry) = k.checked_sub(1).and_then(|j| carries.get(j)) {
                e += carry.value();
            }
            if let Some(carry) = carries.get(k) {
                e -= carry.value() * c::<AB::Expr>(1 << 12);
            }
            if let Some(digit) = out.get(k) {
                e -= digit.clone();
            }
            self.zero(e);
        }
    }
}

columns! {
    /// An amount of units (five digits) times a multiplier below 2^24, as a cell holds amounts.
    pub struct Scaled {
        /// Base 2^12 digits of the multiplier; range12.
        multiplier: [2],
        /// Base 2^12 digits of the product; range12.
        digits: [7],
        /// Carries.
        carries: (Carry * 6),
    }
}

impl<E: PrimeCharacteristicRing + Clone> Scaled<E> {
    /// The multiplier.
    pub fn factor(&self) -> E {
        compose12(&self.multiplier)
    }

    /// The product in four limbs of 24 bits.
    pub fn amount(&self) -> [E; 4] {
        core::array::from_fn(|k| compose12(&self.digits[2 * k..(2 * k + 2).min(7)]))
    }
}

impl Scaled<F> {
    /// Columns of `units * multiplier`.
    pub fn of(units: u64, multiplier: u32) -> Self {
        let (x, m) = (digits12::<5>(units.into()), digits12::<2>(multiplier.into()));
        Self {
            multiplier: felts(m),
            digits: felts(digits12(u128::from(units) * u128::from(multiplier))),
            carries: product_carries(&x, &m),
        }
    }
}

impl<AB: InteractionBuilder<F = F>> Row<'_, AB> {
    /// The product is that of the multiplier and of the number with digits `x`, which the caller checks.
    pub fn scaled(&mut self, s: &Scaled<AB::Expr>, x: &[AB::Expr; 5]) {
        for digit in s.multiplier.iter().chain(&s.digits) {
            self.range(digit.clone());
        }
        self.product(x, &s.multiplier, &s.digits, &s.carries);
    }
}
