//! Limbs of 24 bits.

use tsz_hash::{F, PrimeCharacteristicRing, PrimeField32};

use crate::NumberError;

/// Bits of a limb.
const LIMB_BITS: u32 = 24;

/// Splits `value` into `N` limbs of 24 bits, least significant first; higher bits are dropped.
pub fn split_limbs<const N: usize>(mut value: u128) -> [F; N] {
    core::array::from_fn(|_| {
        let limb = F::from_u32((value & 0xff_ffff) as u32);
        value >>= LIMB_BITS;
        limb
    })
}

/// Joins limbs of a number of `bits` bits (at most 127): all limbs have 24 bits, the last what remains.
pub fn join_limbs(name: &'static str, bits: u32, limbs: &[F]) -> Result<u128, NumberError> {
    let mut value = 0;
    for (index, limb) in limbs.iter().enumerate() {
        let shift = LIMB_BITS * index as u32;
        let room = bits.saturating_sub(shift).min(LIMB_BITS);
        let got = limb.as_canonical_u32();
        if got >> room != 0 {
            return Err(NumberError::Limb { name, index, bits: room, got });
        }
        if room != 0 {
            value |= u128::from(got) << shift;
        }
    }
    Ok(value)
}
