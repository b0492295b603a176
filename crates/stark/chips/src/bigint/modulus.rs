//! Moduli in signed sparse form.

use num_bigint::{BigInt, BigUint};

use super::{QUOTIENT, Ring};

/// A modulus between 2^255 and 2^256 as 33 signed limbs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modulus {
    /// The number.
    pub value: BigUint,
    /// Limbs in -128..=128, least significant first.
    pub limbs: [i64; QUOTIENT],
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
        Self { value, limbs }
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
