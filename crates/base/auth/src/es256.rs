//! ECDSA over P-256 of a SHA-256 digest (FIPS 186-5; SEC 1; COSE algorithm -7), as the `ecdsa` table proves it.
//!
//! Accepted: Q = (x, y) with x, y < p on the curve; 1 <= r, s < n; R = (e/s) G + (r/s) Q is finite and its abscissa
//! is r modulo n. Both s and n - s are accepted: authenticators produce both, and nothing identifies a signature by
//! its bytes. Refused although the equation holds: **R = Q and R = -Q**. Such a nonce is the secret key or its
//! negative, which no honest signer draws, and the circuit's ladder needs Q + R and Q - R to be points.

use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::elliptic_curve::PrimeField;
use p256::{FieldBytes, Scalar, Sec1Point};
use thiserror::Error;

/// Why a signature is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Es256Error {
    /// A coordinate of p or more, or a pair that is not on the curve.
    #[error("the key is not a point of P-256")]
    Key,
    /// r or s is zero or not below the group order.
    #[error("r or s is not in 1..n")]
    Range,
    /// The equation does not hold.
    #[error("the signature does not match key and digest")]
    Mismatch,
    /// R = Q or R = -Q.
    #[error("the signature's nonce is the key")]
    NonceIsKey,
    /// Not a canonical DER sequence of two integers.
    #[error("the signature is not canonical DER")]
    Der,
}

/// A P-256 public key: affine coordinates, big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Es256Key {
    /// Abscissa.
    pub x: [u8; 32],
    /// Ordinate.
    pub y: [u8; 32],
}

/// A signature in fixed width: r and s, big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Es256Signature {
    /// The abscissa of R modulo n.
    pub r: [u8; 32],
    /// (e + r d) / k.
    pub s: [u8; 32],
}

impl Es256Signature {
    /// From canonical DER, as WebAuthn delivers it.
    ///
    /// # Errors
    /// [`Es256Error::Der`] for other encodings, [`Es256Error::Range`] for integers outside 1..n.
    pub fn from_der(der: &[u8]) -> Result<Self, Es256Error> {
        let signature = Signature::from_der(der).map_err(|_| Es256Error::Der)?;
        Ok(Self::from(&signature))
    }

    /// From r || s in 64 bytes, as JWS has it (RFC 7518, 3.4); `None` of another length.
    pub fn from_jws(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 64] = bytes.try_into().ok()?;
        let half = |at: usize| core::array::from_fn(|k| bytes[at + k]);
        Some(Self { r: half(0), s: half(32) })
    }
}

impl From<&Signature> for Es256Signature {
    fn from(signature: &Signature) -> Self {
        let (r, s) = signature.split_bytes();
        Self { r: r.into(), s: s.into() }
    }
}

impl Es256Key {
    /// Whether the coordinates are below p and on the curve.
    pub fn is_point(&self) -> bool {
        let point = Sec1Point::from_affine_coordinates(&self.x.into(), &self.y.into(), false);
        VerifyingKey::from_sec1_point(&point).is_ok()
    }

    /// Whether the key signed the digest.
    ///
    /// # Errors
    /// [`Es256Error`]; see the module.
    pub fn verify(&self, digest: &[u8; 32], signature: &Es256Signature) -> Result<(), Es256Error> {
        let point = Sec1Point::from_affine_coordinates(&self.x.into(), &self.y.into(), false);
        let key = VerifyingKey::from_sec1_point(&point).map_err(|_| Es256Error::Key)?;
        let parsed = Signature::from_scalars(signature.r, signature.s).map_err(|_| Es256Error::Range)?;
        key.verify_prehash(digest, &parsed).map_err(|_| Es256Error::Mismatch)?;
        if self.abscissa_mod_order() == Scalar::from_repr(FieldBytes::from(signature.r)).into_option() {
            return Err(Es256Error::NonceIsKey);
        }
        Ok(())
    }

    /// x modulo n.
    fn abscissa_mod_order(&self) -> Option<Scalar> {
        use p256::elliptic_curve::ops::Reduce;
        Some(<Scalar as Reduce<FieldBytes>>::reduce(&FieldBytes::from(self.x)))
    }
}
