//! Integers modulo the group order N (217 bits), in Montgomery form with R = 2^256, in constant time.

use core::ops::{Add, Mul, Neg, Sub};

use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroize;

/// Words of a scalar; another curve changes this and [`ORDER`].
pub const WORDS: usize = 4;
/// Bytes of the canonical encoding.
pub const BYTES: usize = 28;
/// Bits of the order.
pub const BITS: usize = 217;

type Words = [u64; WORDS];

/// The group order N, little-endian words.
pub const ORDER: Words =
    [0x333b_5f8f_8902_af43, 0xb096_3ea7_7238_bde9, 0xf302_999c_79aa_3d81, 0x0000_0000_0145_e36d];
/// -1/N mod 2^64, by Newton's iteration.
const N0: u64 = {
    let mut inv = 1u64;
    let mut i = 0;
    while i < 6 {
        inv = inv.wrapping_mul(2u64.wrapping_sub(ORDER[0].wrapping_mul(inv)));
        i += 1;
    }
    inv.wrapping_neg()
};
/// R mod N.
const R1: Words = pow2(256);
/// R^2 mod N.
const R2: Words = pow2(512);

const fn pow2(exponent: usize) -> Words {
    let mut x = [1, 0, 0, 0];
    let mut i = 0;
    while i < exponent {
        x = add_mod(&x, &x);
        i += 1;
    }
    x
}

/// x - N where that is not negative, else x; for x < 2N.
const fn reduce_once(x: &Words) -> Words {
    let mut out = [0; WORDS];
    let mut borrow = 0u64;
    let mut i = 0;
    while i < WORDS {
        let (d, b1) = x[i].overflowing_sub(ORDER[i]);
        let (d, b2) = d.overflowing_sub(borrow);
        out[i] = d;
        borrow = (b1 | b2) as u64;
        i += 1;
    }
    let keep = 0u64.wrapping_sub(borrow);
    let mut i = 0;
    while i < WORDS {
        out[i] = (x[i] & keep) | (out[i] & !keep);
        i += 1;
    }
    out
}

/// x + y mod N for x, y < N; no carry leaves the top word, as N < 2^217.
const fn add_mod(x: &Words, y: &Words) -> Words {
    let mut out = [0; WORDS];
    let mut carry = 0u128;
    let mut i = 0;
    while i < WORDS {
        carry += x[i] as u128 + y[i] as u128;
        out[i] = carry as u64;
        carry >>= 64;
        i += 1;
    }
    reduce_once(&out)
}

/// x y / R mod N (CIOS) for x y < R N.
const fn mont_mul(x: &Words, y: &Words) -> Words {
    let mut t = [0u64; WORDS + 1];
    let mut i = 0;
    while i < WORDS {
        let mut carry = 0u128;
        let mut j = 0;
        while j < WORDS {
            carry += t[j] as u128 + x[i] as u128 * y[j] as u128;
            t[j] = carry as u64;
            carry >>= 64;
            j += 1;
        }
        let top = t[WORDS] as u128 + carry;
        let m = t[0].wrapping_mul(N0);
        carry = (t[0] as u128 + m as u128 * ORDER[0] as u128) >> 64;
        j = 1;
        while j < WORDS {
            carry += t[j] as u128 + m as u128 * ORDER[j] as u128;
            t[j - 1] = carry as u64;
            carry >>= 64;
            j += 1;
        }
        carry += top;
        t[WORDS - 1] = carry as u64;
        t[WORDS] = (carry >> 64) as u64;
        i += 1;
    }
    reduce_once(&[t[0], t[1], t[2], t[3]])
}

/// An integer modulo N. It may be secret, so it has no `Debug`.
#[derive(Clone, Copy, Default, Zeroize)]
pub struct Scalar(Words);

impl Scalar {
    /// Zero.
    pub const ZERO: Self = Self([0; WORDS]);
    /// One.
    pub const ONE: Self = Self(R1);
    /// 2^-120: the ladder of the challenge multiplies its start by 2^120.
    pub const LADDER_START: Self = Self(pow2(256 - 2 * crate::LADDER_DIGITS));

    /// The residue of a 128-bit integer.
    pub const fn from_u128(x: u128) -> Self {
        Self(mont_mul(&[x as u64, (x >> 64) as u64, 0, 0], &R2))
    }

    /// The residue of a number of any length, given by digits to `base`, the most significant first.
    pub fn from_digits(base: u32, digits: impl IntoIterator<Item = u32>) -> Self {
        let base = Self::from_u128(u128::from(base));
        digits.into_iter().fold(Self::ZERO, |acc, d| acc * base + Self::from_u128(u128::from(d)))
    }

    /// The canonical integer, little-endian words.
    pub fn to_words(&self) -> Words {
        mont_mul(&self.0, &[1, 0, 0, 0])
    }

    /// The canonical encoding, little-endian.
    pub fn to_bytes(&self) -> [u8; BYTES] {
        let words = self.to_words();
        core::array::from_fn(|i| (words[i / 8] >> (8 * (i % 8))) as u8)
    }

    /// Decodes a little-endian integer; `None` unless it is below N. The verdict is public, the value is not.
    pub fn from_bytes(bytes: &[u8; BYTES]) -> Option<Self> {
        let mut words = [0u64; WORDS];
        for (i, b) in bytes.iter().enumerate() {
            words[i / 8] |= u64::from(*b) << (8 * (i % 8));
        }
        let scalar = Self(mont_mul(&words, &R2));
        let canonical: bool = words.ct_eq(&scalar.to_words()).into();
        words.zeroize();
        canonical.then_some(scalar)
    }

    /// Bits `[from, from + count)` of the canonical integer `words`; `count` at most 32.
    pub fn window(words: &Words, from: usize, count: usize) -> usize {
        let low = words[from / 64] >> (from % 64);
        let high = match words.get(from / 64 + 1) {
            Some(w) if !from.is_multiple_of(64) => w << (64 - from % 64),
            _ => 0,
        };
        ((low | high) & ((1 << count) - 1)) as usize
    }

    /// Whether this is zero, in constant time.
    pub fn is_zero(&self) -> Choice {
        self.0.ct_eq(&[0; WORDS])
    }
}

impl ConstantTimeEq for Scalar {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for Scalar {}

impl Add for Scalar {
    type Output = Self;
    fn add(self, rhs: Self) -> Self {
        Self(add_mod(&self.0, &rhs.0))
    }
}

impl Neg for Scalar {
    type Output = Self;
    fn neg(self) -> Self {
        let mut out = [0; WORDS];
        let mut borrow = false;
        for i in 0..WORDS {
            let (d, b1) = ORDER[i].overflowing_sub(self.0[i]);
            let (d, b2) = d.overflowing_sub(u64::from(borrow));
            out[i] = d;
            borrow = b1 | b2;
        }
        Self(reduce_once(&out))
    }
}

impl Sub for Scalar {
    type Output = Self;
    fn sub(self, rhs: Self) -> Self {
        self + -rhs
    }
}

impl Mul for Scalar {
    type Output = Self;
    fn mul(self, rhs: Self) -> Self {
        Self(mont_mul(&self.0, &rhs.0))
    }
}
