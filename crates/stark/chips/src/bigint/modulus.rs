//! Moduli in signed sparse form.

use crypto_bigint::U320;
use num_bigint::{BigInt, BigUint};

use super::{QUOTIENT, Ring};

/// A modulus between 2^255 and 2^256 as 33 signed limbs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modulus {
    /// The number.
    pub value: BigUint,
    /// Limbs in -128..=128, least significant first.
    pub limbs: [i64; QUOTIENT],
    /// 1 / m modulo 2^320.
    pub(super) inverse: U320,
}

impl Modulus {
    /// The digits nearest to zero: runs of 255 and 0 become a single -1 and 1, so that P-256's prime has five.
    pub fn new(value: BigUint) -> Self {
        let bytes = value.to_bytes_le();
        let (mut carry, mut limbs) = (0, [0; QUOTIENT]);
        for (k, limb) in limbs.iter_mut().enumerate() {
            let digit = bytes.get(k).copied().map_or(0, i64::from) + carry;
            carry = i64::from(digit > 128);
            *limb = digit - 256 * carry;
        }
        let inverse = inverse(&bytes);
        Self { value, limbs, inverse }
    }

    /// The integer of the limbs.
    pub fn sum(&self) -> BigInt {
        self.limbs.iter().rev().fold(BigInt::from(0), |acc, d| (acc << 8) + d)
    }

    /// The limbs in a ring.
    pub fn limbs<E: Ring>(&self) -> [E; QUOTIENT] {
        self.limbs.map(E::int)
    }
}

/// 1 / m modulo 2^320 for an odd m, by Newton's iteration: each step doubles the bits that are right.
fn inverse(m: &[u8]) -> U320 {
    let mut bytes = [0; U320::BYTES];
    bytes.iter_mut().zip(m).for_each(|(out, byte)| *out = *byte);
    let (m, two) = (U320::from_le_slice(&bytes), U320::from_u8(2));
    (0..9).fold(U320::ONE, |x, _| x.wrapping_mul(&two.wrapping_sub(&m.wrapping_mul(&x))))
}
