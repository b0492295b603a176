//! Identities: coefficients, quotient and carries.

use crypto_bigint::U320;
use num_bigint::BigInt;
use tsz_air::{AirBuilder, PrimeCharacteristicRing};

use super::{
    BALANCE, CARRIES, CARRY_SHIFT, COEFFICIENTS, Int, Interval, LIMBS, Modulus, Number, PAIR_BOUND, QUOTIENT,
    Ring,
};

/// 128 (1 + 256 + .. + 256^32): added to a quotient it gives the stored bytes.
const SHIFT: [u8; U320::BYTES] = {
    let mut bytes = [0; U320::BYTES];
    let mut k = 0;
    while k < QUOTIENT {
        bytes[k] = BALANCE as u8;
        k += 1;
    }
    bytes
};

/// The coefficients of f, a sum of products and numbers that is to vanish modulo m.
#[derive(Clone, Debug)]
pub struct Identity<E>([E; COEFFICIENTS]);

impl<E: Ring> Default for Identity<E> {
    fn default() -> Self {
        Self(core::array::from_fn(|_| E::zero()))
    }
}

impl<E: Ring> Identity<E> {
    /// The empty sum.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `a b`.
    pub fn product(mut self, a: &Number<E>, b: &Number<E>) -> Self {
        E::convolve(&mut self.0, &a.0, &b.0);
        self
    }

    /// Adds `a`.
    pub fn plus(mut self, a: &Number<E>) -> Self {
        for (sum, a) in self.0.iter_mut().zip(&a.0) {
            *sum = sum.clone() + a.clone();
        }
        self
    }

    /// Subtracts `a`.
    pub fn minus(mut self, a: &Number<E>) -> Self {
        for (sum, a) in self.0.iter_mut().zip(&a.0) {
            *sum = sum.clone() - a.clone();
        }
        self
    }

    /// The coefficients less those of `q m`, two together.
    fn pairs(self, quotient: &[E; QUOTIENT], modulus: &[E; QUOTIENT], zero: &[bool; QUOTIENT]) -> Vec<E> {
        let mut sums = self.0;
        for (j, m) in modulus.iter().enumerate().filter(|(j, _)| !zero[*j]) {
            for (i, q) in quotient.iter().enumerate() {
                sums[i + j] = sums[i + j].clone() - q.clone() * m.clone();
            }
        }
        sums.chunks_exact(2).map(|c| c[0].clone() + E::int(256) * c[1].clone()).collect()
    }
}

/// Limbs of the moduli that are zero in all of them: no product is needed.
pub(super) fn zeros<'a>(moduli: impl IntoIterator<Item = &'a Modulus>) -> [bool; QUOTIENT] {
    let mut zero = [true; QUOTIENT];
    for modulus in moduli {
        zero.iter_mut().zip(modulus.limbs).for_each(|(z, m)| *z &= m == 0);
    }
    zero
}

/// Asserts `f = q m` for stored quotient bytes and stored carries; see the module for the bound that f must keep.
///
/// `modulus` are the limbs as expressions; `zero` names those that are the constant 0.
pub fn assert_identity<AB: AirBuilder>(
    builder: &mut AB,
    f: Identity<AB::Expr>,
    (modulus, zero): (&[AB::Expr; QUOTIENT], &[bool; QUOTIENT]),
    quotient: &[AB::Var; QUOTIENT],
    carries: &[AB::Var; CARRIES],
) {
    let quotient = quotient.map(|b| b.into() - AB::Expr::from_u32(BALANCE as u32));
    let shift = AB::Expr::from_u32(CARRY_SHIFT as u32);
    let radix = AB::Expr::from_u32(1 << 16);
    let mut carry_in = None;
    for (j, pair) in f.pairs(&quotient, modulus, zero).into_iter().enumerate() {
        let mut sum = pair;
        if let Some(carry) = carry_in.take() {
            sum += carry;
        }
        if let Some(carry) = carries.get(j) {
            let carry = (*carry).into() - shift.clone();
            sum -= carry.clone() * radix.clone();
            carry_in = Some(carry);
        }
        builder.assert_zero(sum);
    }
}

/// Quotient and carries of an identity over integers, as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Solved {
    /// Stored quotient bytes.
    pub quotient: [u8; QUOTIENT],
    /// Stored carries.
    pub carries: [u16; CARRIES],
}

impl Solved {
    /// What an idle row stores: quotient and carries of 0.
    pub const ZERO: Self =
        Self { quotient: [BALANCE as u8; QUOTIENT], carries: [CARRY_SHIFT as u16; CARRIES] };
}

impl Identity<Int> {
    /// The integer f.
    #[cfg(test)]
    pub fn value(&self) -> BigInt {
        self.0.iter().rev().fold(BigInt::from(0), |acc, c| (acc << 8) + c.0)
    }

    /// f modulo 2^320.
    fn low(&self) -> U320 {
        let mut carry = 0i64;
        let bytes: [u8; U320::BYTES] = core::array::from_fn(|k| {
            let sum = self.0[k].0.wrapping_add(carry);
            carry = sum >> 8;
            sum as u8
        });
        U320::from_le_slice(&bytes)
    }

    /// Quotient and carries. Where f does not vanish modulo m the carries do not close, and the constraints fail.
    pub fn solve(self, modulus: &Modulus) -> Solved {
        if self.0.iter().all(|c| c.0 == 0) {
            return Solved::ZERO;
        }
        // f = q m, so f / m modulo a power of two above 256^33 has the bytes of q, whatever its sign.
        let shift = U320::from_le_slice(&SHIFT);
        let bytes = self.low().wrapping_mul(&modulus.inverse).wrapping_add(&shift).to_le_bytes();
        let bytes: &[u8] = bytes.as_ref();
        let quotient: [u8; QUOTIENT] = core::array::from_fn(|k| bytes.get(k).copied().unwrap_or(0));
        let balanced = quotient.map(|b| Int(i64::from(b) - BALANCE));
        let zero = zeros([modulus]);
        let pairs = self.pairs(&balanced, &modulus.limbs(), &zero);
        let mut carry = 0;
        let carries = core::array::from_fn(|j| {
            carry = pairs[j].0.wrapping_add(carry) >> 16;
            (carry + CARRY_SHIFT) as u16
        });
        Solved { quotient, carries }
    }
}

impl Identity<Interval> {
    /// Largest size of a pair of coefficients, quotient included.
    pub fn largest_pair(self, modulus: &[Interval; QUOTIENT]) -> i64 {
        let byte = Interval::BYTE - Interval::int(BALANCE);
        let pairs = self.pairs(&[byte; QUOTIENT], modulus, &[false; QUOTIENT]);
        pairs.iter().map(Interval::size).fold(0, i64::max)
    }

    /// Asserts that the identity is one of integers for the modulus.
    ///
    /// # Panics
    /// If a pair can exceed [`PAIR_BOUND`], or a carry or the quotient of an honest row its columns.
    pub fn assert_bounded(self, name: &str, modulus: &[Interval; QUOTIENT]) {
        let sizes = self.0.iter().rev().fold(BigInt::from(0), |acc, c| (acc << 8) + c.size());
        // |q| <= |f| / 2^255, and 33 balanced bytes reach 127 * 256^32.
        assert!(sizes >> 255 < BigInt::from(127) << (8 * LIMBS), "{name}: quotient");
        let pair = self.largest_pair(modulus);
        assert!(pair <= PAIR_BOUND, "{name}: {pair} exceeds {PAIR_BOUND}");
        // |c_j| <= (pair + |c_(j-1)|) / 2^16.
        assert!(pair / ((1 << 16) - 1) < CARRY_SHIFT - 1, "{name}: carry");
    }
}
