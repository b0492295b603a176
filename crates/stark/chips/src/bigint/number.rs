//! Numbers of 32 limbs over any ring: expressions, field elements, integers, intervals.

use core::ops::{Add, Mul, Sub};

use num_bigint::{BigInt, BigUint, Sign};
use tsz_air::{F, PrimeCharacteristicRing, PrimeField32};

use super::{BALANCE, LIMBS};

/// What an identity is written over.
pub trait Ring: Clone + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> {
    /// A small integer.
    fn int(v: i64) -> Self;
    /// Zero.
    fn zero() -> Self {
        Self::int(0)
    }
    /// Adds the coefficients of the product of two polynomials to `sums`, which holds as many.
    fn convolve(sums: &mut [Self], a: &[Self], b: &[Self]) {
        for (i, a) in a.iter().enumerate() {
            for (j, b) in b.iter().enumerate() {
                sums[i + j] = sums[i + j].clone() + a.clone() * b.clone();
            }
        }
    }
}

impl<E: PrimeCharacteristicRing> Ring for E {
    fn int(v: i64) -> Self {
        let size = E::from_u64(v.unsigned_abs());
        if v < 0 { E::ZERO - size } else { size }
    }
}

/// An integer, for traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Int(pub i64);

impl Add for Int {
    type Output = Self;
    fn add(self, rhs: Self) -> Self {
        Self(self.0 + rhs.0)
    }
}
impl Sub for Int {
    type Output = Self;
    fn sub(self, rhs: Self) -> Self {
        Self(self.0 - rhs.0)
    }
}
impl Mul for Int {
    type Output = Self;
    fn mul(self, rhs: Self) -> Self {
        Self(self.0 * rhs.0)
    }
}
impl Ring for Int {
    fn int(v: i64) -> Self {
        Self(v)
    }
    /// Sums that wrap, eight at a time: those of honest rows are below 2^31 ([`super`]), and of a liar's any will do.
    fn convolve(sums: &mut [Self], a: &[Self], b: &[Self]) {
        for (i, a) in a.iter().enumerate() {
            let sums = sums.get_mut(i..i + b.len()).unwrap_or_default();
            for (sum, b) in sums.iter_mut().zip(b) {
                sum.0 = sum.0.wrapping_add(a.0.wrapping_mul(b.0));
            }
        }
    }
}

impl From<F> for Int {
    fn from(x: F) -> Self {
        Self(i64::from(x.as_canonical_u32()))
    }
}

/// Bounds of an integer, for the proof that identities cannot wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Least value.
    pub lo: i64,
    /// Largest value.
    pub hi: i64,
}

impl Add for Interval {
    type Output = Self;
    fn add(self, rhs: Self) -> Self {
        Self { lo: self.lo + rhs.lo, hi: self.hi + rhs.hi }
    }
}
impl Sub for Interval {
    type Output = Self;
    fn sub(self, rhs: Self) -> Self {
        Self { lo: self.lo - rhs.hi, hi: self.hi - rhs.lo }
    }
}
impl Mul for Interval {
    type Output = Self;
    fn mul(self, rhs: Self) -> Self {
        let products = [self.lo * rhs.lo, self.lo * rhs.hi, self.hi * rhs.lo, self.hi * rhs.hi];
        Self {
            lo: products.into_iter().fold(i64::MAX, i64::min),
            hi: products.into_iter().fold(i64::MIN, i64::max),
        }
    }
}
impl Ring for Interval {
    fn int(v: i64) -> Self {
        Self { lo: v, hi: v }
    }
}

impl Interval {
    /// A stored byte.
    pub const BYTE: Self = Self { lo: 0, hi: 255 };
    /// A flag.
    pub const BOOL: Self = Self { lo: 0, hi: 1 };

    /// The larger size of the two ends.
    pub fn size(&self) -> i64 {
        self.lo.abs().max(self.hi.abs())
    }
}

/// A number of 32 limbs; limbs may be negative.
#[derive(Clone, Debug)]
pub struct Number<E>(pub [E; LIMBS]);

/// The number of raw stored bytes.
pub fn raw<E: Ring, V: Into<E> + Clone>(bytes: &[V]) -> Number<E> {
    Number(core::array::from_fn(|k| bytes.get(k).map_or_else(E::zero, |b| b.clone().into())))
}

/// The number of balanced stored bytes.
pub fn balanced<E: Ring, V: Into<E> + Clone>(bytes: &[V; LIMBS]) -> Number<E> {
    Number(core::array::from_fn(|k| bytes[k].clone().into() - E::int(BALANCE)))
}

impl<E: Ring> Number<E> {
    /// A constant: the stored bytes of a balanced number.
    pub fn constant(bytes: &[u8; LIMBS]) -> Self {
        Self(bytes.map(|b| E::int(i64::from(b) - BALANCE)))
    }

    /// A small constant.
    pub fn small(v: i64) -> Self {
        Self(core::array::from_fn(|k| E::int(if k == 0 { v } else { 0 })))
    }

    /// The sum.
    pub fn add(&self, rhs: &Self) -> Self {
        Self(core::array::from_fn(|k| self.0[k].clone() + rhs.0[k].clone()))
    }

    /// The difference.
    pub fn sub(&self, rhs: &Self) -> Self {
        Self(core::array::from_fn(|k| self.0[k].clone() - rhs.0[k].clone()))
    }

    /// The negative.
    pub fn neg(&self) -> Self {
        Self(core::array::from_fn(|k| E::zero() - self.0[k].clone()))
    }

    /// Every limb times `by`.
    pub fn times(&self, by: &E) -> Self {
        Self(core::array::from_fn(|k| self.0[k].clone() * by.clone()))
    }

    /// Every limb doubled.
    pub fn double(&self) -> Self {
        self.add(self)
    }
}

/// `sum limbs_k 256^k` in the ring.
pub fn evaluate<E: Ring>(number: &Number<E>) -> E {
    number.0.iter().rev().fold(E::zero(), |acc, x| acc * E::int(256) + x.clone())
}

/// The 32 stored bytes of a balanced number congruent to `x` modulo `m`, for `x < m`.
pub fn balanced_bytes(x: &BigUint, m: &BigUint) -> [u8; LIMBS] {
    let shift = shift(LIMBS);
    let up = BigInt::from(x.clone()) + &shift;
    let top = BigInt::from(1) << (8 * LIMBS);
    bytes(if up < top { up } else { up - BigInt::from(m.clone()) })
}

/// The 32 raw bytes of `x < 2^256`.
pub fn raw_bytes(x: &BigUint) -> [u8; LIMBS] {
    bytes(BigInt::from(x.clone()))
}

/// 128 (1 + 256 + .. + 256^(n-1)).
pub(super) fn shift(n: usize) -> BigInt {
    BigInt::from_bytes_le(Sign::Plus, &vec![BALANCE as u8; n])
}

/// The lowest N bytes of a number that is not negative.
pub(super) fn bytes<const N: usize>(x: BigInt) -> [u8; N] {
    let (_, digits) = x.to_bytes_le();
    core::array::from_fn(|k| digits.get(k).copied().unwrap_or(0))
}
