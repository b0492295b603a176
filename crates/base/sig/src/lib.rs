//! Schnorr signatures on a prime-order curve over F_p^7, p BabyBear: the order signatures of the system.
//!
//! Curve y^2 = x^3 + 2x + 26 z^5 over F_p\[z\]/(z^7 - 2z - 5), order N of 216.3 bits ([`scalar::ORDER`]); base
//! points G and H by hashing to the curve. The arithmetic is const-generic in the degree ([`ext::Modulus`],
//! [`curve::Curve`]), so that a degree-9 profile of 128 bits can join.
//!
//! # Scheme
//!
//! - key: sk in 1..N, P = sk*G, identified by the eight felts [`KeyId`] = (P.x, P.y0);
//! - challenge of nonce point R and message m: h = step((R.x, R.y0), step((P.x, P.y0), m)), e = the low 24 bits
//!   of lanes 0..5 of h, 120 bits; a lane equal to p - 1 is no challenge: the signer takes another nonce;
//! - c = 2e - (4^60 - 1) = sum_i d_i 4^i with digits d_i = 2 u_i - 3 in {-3, -1, 1, 3}: a ladder without zeros;
//! - signature (e, s): R = k*G + 2^120 H, s = k - c*sk; the verifier recomputes R = s*G + c*P + 2^120 H and e.
//!
//! The constant 2^120 H in R changes nothing for security (R is k*G up to a bijection) and is what a ladder of
//! 120 doublings leaves when it starts at s/2^120 * G + H: the proof's accumulator then never meets a multiple of
//! the key, whatever nonce a malicious signer chooses (R = P, say), so each valid signature can be proven.
//!
//! Nonces are hashes of key, message and optional entropy. Signing runs in constant time; verification does not.
#![no_std]

extern crate alloc;

pub mod batch;
pub mod challenge;
pub mod comb;
pub mod curve;
pub mod ext;
pub mod keys;
pub mod scalar;
mod wide;

pub use batch::{Claim, LANES, verify_batch};
pub use challenge::{Challenge, LADDER_DIGITS, point_id};
pub use keys::{PUBLIC_KEY_BYTES, PublicKey, SIGNATURE_BYTES, SecretKey, Signature};
pub use scalar::Scalar;
pub use tsz_hash::Digest;

/// A point of the curve in use.
pub type Point = curve::Affine<7>;
/// The field of coordinates in use.
pub type Septic = ext::Ext<7>;
/// Identifier of a public key: the seven felts of its abscissa and the lowest felt of its ordinate.
pub type KeyId = [tsz_hash::F; 8];

/// Why a key or a signature is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigError {
    /// The signature does not match key and message.
    #[error("the signature does not match key and message")]
    Mismatch,
    /// No point of the curve has these coordinates.
    #[error("not a point of the curve")]
    NotOnCurve,
    /// A word is not a canonical field element.
    #[error("expected a field element, got {got:#x}")]
    NonCanonicalFelt {
        /// The word.
        got: u32,
    },
    /// The response is not below the group order.
    #[error("the response is not below the group order")]
    ScalarOutOfRange,
    /// The encoding has another length.
    #[error("expected {expected} bytes, got {got}")]
    Length {
        /// Bytes of the encoding.
        expected: usize,
        /// Bytes found.
        got: usize,
    },
    /// A secret key is zero or not below the group order.
    #[error("the secret key is out of range")]
    InvalidSecret,
}
