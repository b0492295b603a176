//! Arithmetic modulo 256-bit primes on byte limbs.
//!
//! # Representation
//! A number is 32 limbs. A **stored byte** b in 0..256 is a column checked on bus `bytes`; it stands for the limb b
//! (*raw*) or b - 128 (*balanced*). Balanced numbers cover every residue and halve the sizes of products. Sums and
//! differences of numbers are taken limb by limb and need no columns.
//!
//! # Identities
//! A statement `f = 0 mod m`, f a sum of products of numbers, is proven as the equation of integers `f = q m`: both
//! sides are polynomials in 256 with [`COEFFICIENTS`] coefficients; two neighbours are taken together,
//!
//! `f_2j + 256 f_2j+1 - (q m)_2j - 256 (q m)_2j+1 + c_(j-1) = 2^16 c_j`, c_-1 = c_32 = 0,
//!
//! with [`CARRIES`] carries c_j in -2^14..2^14 (stored with 2^14 added, checked on bus `range15`) and a quotient of
//! [`QUOTIENT`] balanced bytes. Each equation holds in the field; it holds between integers if no side can reach p:
//!
//! `|f_2j + 256 f_2j+1 - ..| + 2^14 + 2^16 2^14 < p = 15 * 2^27 + 1`, i.e. the left term is at most [`PAIR_BOUND`].
//!
//! [`Interval`] evaluates the very code of an identity on intervals; a test of each table asserts the bound for it
//! and for every modulus (`Interval::assert_bounded`). Then sum_j 2^16j of the equations is `f = q m`.
//!
//! An identity costs its new number 32 + 32 cells, the quotient 33 + 34 and the carries 32 + 64, LogUp included: 227.

mod identity;
mod modulus;
pub mod mulmod;
mod number;
#[cfg(test)]
mod tests;

pub use identity::{Identity, Solved, assert_identity};
pub use modulus::Modulus;
pub use number::{Int, Interval, Number, Ring, balanced, balanced_bytes, evaluate, raw, raw_bytes};

/// Limbs of a number.
pub const LIMBS: usize = 32;
/// Limbs of a quotient.
pub const QUOTIENT: usize = 33;
/// Coefficients of an identity.
pub const COEFFICIENTS: usize = 66;
/// Carries of an identity.
pub const CARRIES: usize = COEFFICIENTS / 2 - 1;
/// What is subtracted from a stored byte of a balanced number.
pub const BALANCE: i64 = 128;
/// What is subtracted from a stored carry.
pub const CARRY_SHIFT: i64 = 1 << 14;
/// Largest size of a pair of coefficients: p - 1 - 2^14 - 2^30.
pub const PAIR_BOUND: i64 = 15 * (1 << 27) - CARRY_SHIFT - (CARRY_SHIFT << 16);
