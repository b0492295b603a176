//! RSASSA-PKCS1-v1_5 with SHA-256, 2,048-bit moduli and e = 65537 (RFC 8017, 8.2.2; RFC 7518, 3.3).
//!
//! The encoded message is compared byte for byte with `00 01 FF.. 00 DigestInfo hash`: no lengths are parsed from it, so
//! there are no padding bytes to hide in. A signature is 256 bytes and, as a number, below the modulus.

use num_bigint::BigUint;
use thiserror::Error;

/// Bytes of a modulus and of a signature.
pub const MODULUS: usize = 256;
/// The public exponent.
pub const EXPONENT: u64 = 65537;
/// DigestInfo of SHA-256 up to the hash (RFC 8017, 9.2, note 1).
const DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0, 0x04,
    0x20,
];

/// Why a signature is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Rs256Error {
    /// Not an odd modulus of exactly 2,048 bits.
    #[error("the modulus is not an odd number of 2,048 bits")]
    Modulus,
    /// Another length than the modulus has.
    #[error("a signature has 256 bytes, not {0}")]
    Length(usize),
    /// The signature does not match.
    #[error("the signature does not match key and digest")]
    Mismatch,
}

/// A public key with e = 65537.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rs256Key {
    /// Modulus, big-endian.
    pub modulus: [u8; MODULUS],
}

impl Rs256Key {
    /// Whether the key signed the digest.
    ///
    /// # Errors
    /// [`Rs256Error`].
    pub fn verify(&self, digest: &[u8; 32], signature: &[u8]) -> Result<(), Rs256Error> {
        let odd = self.modulus[MODULUS - 1] & 1 == 1;
        if self.modulus[0] < 0x80 || !odd {
            return Err(Rs256Error::Modulus);
        }
        if signature.len() != MODULUS {
            return Err(Rs256Error::Length(signature.len()));
        }
        let (modulus, number) = (BigUint::from_bytes_be(&self.modulus), BigUint::from_bytes_be(signature));
        if number >= modulus {
            return Err(Rs256Error::Mismatch);
        }
        // Everything is public: variable time is fine.
        let encoded = number.modpow(&BigUint::from(EXPONENT), &modulus);
        if encoded == BigUint::from_bytes_be(&encode(digest)) { Ok(()) } else { Err(Rs256Error::Mismatch) }
    }
}

/// EMSA-PKCS1-v1_5 of a SHA-256 digest: 00 01 FF.. 00 DigestInfo hash. As numbers are compared, leading zeros count too.
pub fn encode(digest: &[u8; 32]) -> [u8; MODULUS] {
    let mut encoded = [0xff; MODULUS];
    let info = MODULUS - digest.len() - DIGEST_INFO.len();
    encoded[..2].copy_from_slice(&[0, 1]);
    encoded[info - 1] = 0;
    encoded[info..info + DIGEST_INFO.len()].copy_from_slice(&DIGEST_INFO);
    encoded[MODULUS - digest.len()..].copy_from_slice(digest);
    encoded
}
