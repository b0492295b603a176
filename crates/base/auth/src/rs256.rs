//! RSASSA-PKCS1-v1_5 with SHA-256, 2,048-bit moduli and e = 65537 (RFC 8017, 8.2.2; RFC 7518, 3.3).
//!
//! The encoded message is compared byte for byte with `00 01 FF.. 00 DigestInfo hash`: no lengths are parsed from it, so
//! there are no padding bytes to hide in. A signature is 256 bytes and, as a number, below the modulus.
//!
//! One rule is of the proof: the power is taken by sixteen squarings and a product, `x w = q N + z`, and where a carry of
//! such an equation of byte limbs is not in [-[`CARRY`], [`CARRY`]), the signature is refused, because table `rsa` has no
//! row for it with the least residues. Carries are sums of 512 products of bytes: those of a modulus whose bytes look random stay within half of
//! the range; a modulus whose upper bytes are nearly all ones is what leaves it.

use num_bigint::BigUint;
use thiserror::Error;

/// Bytes of a modulus and of a signature.
pub const MODULUS: usize = 256;
/// Squarings of the public exponent 65537: one product more is the power.
const SQUARINGS: usize = 16;
/// Bound of the carries of a product.
pub const CARRY: i64 = 1 << 14;
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
    /// A product whose carries the circuit has no room for.
    #[error("a carry of a product modulo this key is out of range")]
    Carry,
}

/// A public key with e = 65537.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rs256Key {
    /// Modulus, big-endian.
    pub modulus: [u8; MODULUS],
}

impl Rs256Key {
    /// Whether this is an odd number of 2,048 bits.
    pub fn is_modulus(&self) -> bool {
        self.modulus[0] >= 0x80 && self.modulus[MODULUS - 1] & 1 == 1
    }

    /// Whether the key signed the digest.
    ///
    /// # Errors
    /// [`Rs256Error`].
    pub fn verify(&self, digest: &[u8; 32], signature: &[u8]) -> Result<(), Rs256Error> {
        if !self.is_modulus() {
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
        let (mut x, mut fits) = (number.clone(), true);
        for step in 0..=SQUARINGS {
            let w = if step == SQUARINGS { &number } else { &x };
            let product = &x * w;
            let (quotient, residue) = (&product / &modulus, &product % &modulus);
            fits &= carries_fit([&x, w, &residue, &quotient, &modulus]);
            x = residue;
        }
        if x != BigUint::from_bytes_be(&encode(digest)) {
            return Err(Rs256Error::Mismatch);
        }
        if fits { Ok(()) } else { Err(Rs256Error::Carry) }
    }
}

/// Adds `sign * a * b` to the coefficients; they stay below 2^25 in size.
fn add_product(out: &mut [i32; 2 * MODULUS], sign: i32, a: &BigUint, b: &BigUint) {
    let limbs = |x: &BigUint| -> [i32; MODULUS] {
        let bytes = x.to_bytes_le();
        core::array::from_fn(|k| bytes.get(k).copied().unwrap_or(0).into())
    };
    let (a, b) = (limbs(a), limbs(b));
    for (i, a) in a.iter().enumerate() {
        for (out, b) in out.iter_mut().skip(i).zip(&b) {
            *out += sign * a * b;
        }
    }
}

/// Whether the carries of `x w - z - q n`, over limbs of a byte, are in the range of the circuit.
fn carries_fit([x, w, z, q, n]: [&BigUint; 5]) -> bool {
    let mut sums = [0; 2 * MODULUS];
    add_product(&mut sums, 1, x, w);
    add_product(&mut sums, -1, q, n);
    for (sum, z) in sums.iter_mut().zip(z.to_bytes_le()) {
        *sum -= i32::from(z);
    }
    let mut carry = 0;
    sums.iter().all(|sum| {
        carry = (i64::from(*sum) + carry) >> 8;
        (-CARRY..CARRY).contains(&carry)
    })
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
