//! The challenge of a signature: 120 bits of the hash of key, message and nonce point.

use p3_field::PrimeField32;
use tsz_hash::{Digest, F, PrimeCharacteristicRing, step};

use crate::scalar::Scalar;
use crate::{KeyId, Point};

/// Bits of a limb of the challenge: the low bits of one lane of the hash.
pub const LIMB_BITS: usize = 24;
/// Limbs of the challenge.
pub const LIMBS: usize = 5;
/// Base-4 digits of the challenge, one step of the ladder each.
pub const LADDER_DIGITS: usize = LIMBS * LIMB_BITS / 2;
/// Bytes of the encoded challenge.
pub const BYTES: usize = LIMBS * LIMB_BITS / 8;
/// The high part that only the lane p - 1 = 120 * 2^24 has: such a lane makes no challenge, so that the high
/// part is a 7-bit number below this and the decomposition of a lane is unique.
pub const HIGH_LIMIT: u32 = 120;

/// e, below 2^120.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge(u128);

impl Challenge {
    /// The challenge of a signature by `key` on `message` with nonce point `r`; `None` where a lane is p - 1.
    pub fn new(key: &KeyId, r: &KeyId, message: &Digest) -> Option<Self> {
        Self::from_lanes(&step(r, &step(key, message)))
    }

    /// The challenge in a hash output.
    pub fn from_lanes(lanes: &Digest) -> Option<Self> {
        let mut e = 0;
        for (k, lane) in lanes.iter().take(LIMBS).enumerate() {
            let lane = lane.as_canonical_u32();
            if lane >> LIMB_BITS >= HIGH_LIMIT {
                return None;
            }
            e |= u128::from(lane & ((1 << LIMB_BITS) - 1)) << (LIMB_BITS * k);
        }
        Some(Self(e))
    }

    /// The limbs, the lowest first.
    pub fn limbs(&self) -> [u32; LIMBS] {
        core::array::from_fn(|k| (self.0 >> (LIMB_BITS * k)) as u32 & ((1 << LIMB_BITS) - 1))
    }

    /// Base-4 digits, the lowest first; digit u stands for 2u - 3 in the ladder.
    pub fn digits(&self) -> [u8; LADDER_DIGITS] {
        core::array::from_fn(|i| (self.0 >> (2 * i)) as u8 & 3)
    }

    /// Bit i; bit b stands for 2b - 1 in the ladder of the proof.
    pub fn bit(&self, i: usize) -> bool {
        self.0 >> i & 1 == 1
    }

    /// c = 2e - (4^60 - 1) = sum_i (2 u_i - 3) 4^i modulo N.
    pub fn scalar(&self) -> Scalar {
        Scalar::from_u128(2 * self.0) - Scalar::from_u128((1 << (2 * LADDER_DIGITS)) - 1)
    }

    /// Little-endian bytes.
    pub fn to_bytes(&self) -> [u8; BYTES] {
        core::array::from_fn(|i| (self.0 >> (8 * i)) as u8)
    }

    /// From little-endian bytes; all are valid.
    pub fn from_bytes(bytes: &[u8; BYTES]) -> Self {
        Self(bytes.iter().rev().fold(0, |acc, b| acc << 8 | u128::from(*b)))
    }
}

/// The eight felts by which a point is stored and hashed: its abscissa and the lowest felt of its ordinate.
pub fn point_id(p: &Point) -> KeyId {
    core::array::from_fn(|i| if i < 7 { p.x.0[i] } else { p.y.0[0] })
}

/// Felts of a secret byte string, three bytes to a felt.
pub(crate) fn pack(bytes: &[u8]) -> impl Iterator<Item = F> {
    bytes.chunks(3).map(|c| F::from_u32(c.iter().rev().fold(0, |acc, b| acc << 8 | u32::from(*b))))
}
