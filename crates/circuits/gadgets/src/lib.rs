//! Groups of columns with the constraints that own them; shared by the op tables.
//!
//! A gadget states in its docs what it proves on a real row; on the all-zero row every gadget holds.

pub mod bucket;
pub mod chain;
pub mod clamp;
pub mod clock;
mod collect;
pub mod compare;
pub mod layout;
pub mod limb;
pub mod owner;
pub mod params;
pub mod perps;
pub mod policy;
pub mod product;
pub mod row;
pub mod signed;
pub mod signer;
pub mod table;
pub mod units;

pub use collect::collect;

use tsz_hash::{Digest, F, PrimeField32};

/// Limb `k` of 24 bits of `value`.
pub fn limb24(value: u128, k: usize) -> u32 {
    (value >> (24 * k)) as u32 & 0xff_ffff
}

/// The integer of the first four limbs of a cell.
pub fn magnitude(leaf: &Digest) -> u128 {
    leaf[..4].iter().rev().fold(0, |acc, x| acc << 24 | u128::from(x.as_canonical_u32()))
}

/// The inverse, or zero for zero.
pub fn inverse(x: F) -> F {
    use tsz_air::Field;
    x.try_inverse().unwrap_or_default()
}
