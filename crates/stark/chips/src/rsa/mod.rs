//! RSASSA-PKCS1-v1_5 with SHA-256, moduli of 2,048 bits and e = 65537: a table that provides `(key, digest[16])` on bus
//! `rsa`.
//!
//! # What is proven
//! For every message `(key, h)` provided there is a number s with s^65537 = EM(h) modulo N, where N is the modulus of
//! number `key` on bus `rsa_modulus` and EM(h) is `00 01 FF.. 00 DigestInfo h`: what [`tsz_auth::rs256::Rs256Key::verify`]
//! accepts, but for s < N: a larger s is the same statement about s mod N. The exponent is a constant of the AIR.
//!
//! # Layout
//! A block of [`ROWS`] rows: sixteen squarings x -> x^2 and the product x s. Each row is `x w - z = q N` over integers of
//! 256 byte limbs, with w = x, on the last row w = s. The whole convolution is one row: its products are constraints, not
//! cells, so pieces or evaluation at a random point would cost more cells, not fewer ([`convolve`] keeps the number of
//! products at 55,296 a row). Which row is what is preprocessed.
//!
//! # Soundness
//! 1. *Bytes.* Limbs of x and q are looked up on `bytes` on every row; those of N are bytes by their provider (a row that
//!    is real looks all of them up); s is x of the first row; z is x of the next row, on the last row constants and 32
//!    bytes that are looked up.
//! 2. *Integers.* Coefficient k of `x w - z - q N`, plus the carry into it, is 256 times the carry out of it. A coefficient
//!    is at most 256 * 255^2 + 255 in size, a carry at most 2^14 (bus `range15`), so each equation is one of integers
//!    ([`COEFFICIENT_BOUND`]); their sum with weights 256^k is the identity. Degree 3: w is of degree 2.
//! 3. *Chain.* Inside a block z is the next x, and s and `key` are constant; the first x is s. So the last row says
//!    s^65536 s = EM modulo N.
//! 4. *Padding of PKCS#1.* The last z is the encoded digest limb by limb: 224 constants, and the digest of the message.
//! 5. A block is a true statement whatever `uses` is; only the last row of a real block provides.
//!
//! *Completeness.* Carries of honest rows are sums of 512 products of bytes that nobody chooses: about 2^11 in size.
//! A signature one of whose powers makes one exceed 2^14 has no trace of least residues, and the native check refuses it
//! ([`tsz_auth::rs256::Rs256Error::Carry`]).

mod air;
#[cfg(test)]
mod tests;
mod trace;

pub use air::{RSA, RSA_MODULUS, RsaCols, RsaTable, convolve, lookup};
pub use trace::{Signature, TooManySignatures, trace};

/// Limbs of a number.
pub const LIMBS: usize = tsz_auth::rs256::MODULUS;
/// Coefficients of a product.
pub const COEFFICIENTS: usize = 2 * LIMBS - 1;
/// Carries: out of every coefficient but the last.
pub const CARRIES: usize = COEFFICIENTS - 1;
/// Rows of a signature.
pub const ROWS: usize = 17;
/// What is subtracted from a stored carry.
pub const CARRY_SHIFT: i64 = tsz_auth::rs256::CARRY;
/// Largest size of a coefficient with the carries of its equation.
pub const COEFFICIENT_BOUND: i64 = LIMBS as i64 * 255 * 255 + 255 + CARRY_SHIFT + 256 * CARRY_SHIFT;
const _: () = assert!(COEFFICIENT_BOUND < 15 << 27, "an equation of carries is one of integers");
