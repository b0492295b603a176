//! Keys and signatures with their encodings.

use alloc::vec::Vec;
use core::fmt;

use p3_field::PrimeField32;
use tsz_hash::{BabyBear, Digest, Domain, F, PrimeCharacteristicRing, hash, hash_bytes};
use zeroize::{Zeroize, Zeroizing};

use crate::challenge::{self, Challenge, pack, point_id};
use crate::comb::{fixed_base, nonce_point, public_point};
use crate::curve::Affine;
use crate::ext::Ext;
use crate::scalar::{self, Scalar};
use crate::{KeyId, Point, SigError};

/// Bytes of an encoded signature.
pub const SIGNATURE_BYTES: usize = challenge::BYTES + scalar::BYTES;
/// Bytes of an encoded public key: the felts of its identifier as little-endian 32-bit words.
pub const PUBLIC_KEY_BYTES: usize = 32;

/// A signing key. It is wiped on drop and never printed.
#[derive(Clone)]
pub struct SecretKey {
    scalar: Scalar,
    public: PublicKey,
}

/// A public key: a point of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(Point);

/// A signature (e, s).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// The challenge.
    pub e: Challenge,
    /// The response.
    pub s: Scalar,
}

impl SecretKey {
    /// The key of a seed: 16 felts of hash output, taken as digits to base p, modulo N. The seed carries the
    /// entropy: use at least 32 random bytes.
    pub fn from_seed(seed: &[u8]) -> Self {
        for attempt in 0u8.. {
            let mut lanes = [F::ZERO; 16];
            for (half, out) in (0u8..).zip(lanes.chunks_mut(8)) {
                let mut bytes = Vec::with_capacity(SEED_TAG.len() + 2 + seed.len());
                bytes.extend_from_slice(SEED_TAG);
                bytes.extend_from_slice(&[attempt, half]);
                bytes.extend_from_slice(seed);
                out.copy_from_slice(&hash_bytes(&bytes));
                bytes.as_mut_slice().zeroize();
            }
            if let Some(key) = Self::from_scalar(reduce(&mut lanes)) {
                return key;
            }
        }
        unreachable!("one seed in 2^216 gives zero, and 256 attempts do not")
    }

    /// Decodes a little-endian integer.
    ///
    /// # Errors
    /// [`SigError::InvalidSecret`] unless it is in 1..N.
    pub fn from_bytes(bytes: &[u8; scalar::BYTES]) -> Result<Self, SigError> {
        Scalar::from_bytes(bytes).and_then(Self::from_scalar).ok_or(SigError::InvalidSecret)
    }

    fn from_scalar(scalar: Scalar) -> Option<Self> {
        if scalar.is_zero().into() {
            return None;
        }
        public_point(&scalar).map(|p| Self { scalar, public: PublicKey(p) })
    }

    /// The encoding that [`SecretKey::from_bytes`] reads.
    pub fn to_bytes(&self) -> Zeroizing<[u8; scalar::BYTES]> {
        Zeroizing::new(self.scalar.to_bytes())
    }

    /// The public key.
    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    /// Signs deterministically, in constant time.
    pub fn sign(&self, message: &Digest) -> Signature {
        self.sign_hedged(message, &[0; 32])
    }

    /// Signs with a nonce that also depends on caller-provided entropy, which protects against faults; the
    /// signature is as safe as that of [`SecretKey::sign`] whatever the entropy is.
    pub fn sign_hedged(&self, message: &Digest, entropy: &[u8; 32]) -> Signature {
        let key = self.public.key_id();
        for attempt in 0.. {
            let mut nonce = self.nonce(message, entropy, attempt);
            let challenge = nonce_point(&nonce).and_then(|r| Challenge::new(&key, &point_id(&r), message));
            if let Some(e) = challenge {
                let s = nonce - e.scalar() * self.scalar;
                nonce.zeroize();
                return Signature { e, s };
            }
        }
        unreachable!("a challenge fails once in 2^28 attempts")
    }

    /// hash(Nonce, sk || message || entropy || attempt || half) for two halves, modulo N.
    fn nonce(&self, message: &Digest, entropy: &[u8; 32], attempt: u32) -> Scalar {
        let mut felts = Vec::with_capacity(31);
        felts.extend(pack(&*self.to_bytes()));
        felts.extend_from_slice(message);
        felts.extend(pack(entropy));
        felts.extend([F::from_u32(attempt), F::ZERO]);
        let mut lanes = [F::ZERO; 16];
        for (half, out) in lanes.chunks_mut(8).enumerate() {
            if let Some(last) = felts.last_mut() {
                *last = F::from_usize(half);
            }
            out.copy_from_slice(&hash(Domain::Nonce, &felts));
        }
        wipe(&mut felts);
        reduce(&mut lanes)
    }
}

const SEED_TAG: &[u8] = b"TS-zkVM/secret-key";

/// Digits to base p, the most significant first: 494 bits, so the residue's bias is below 2^-270.
fn reduce(lanes: &mut [F; 16]) -> Scalar {
    let scalar = Scalar::from_digits(F::ORDER_U32, lanes.iter().map(F::as_canonical_u32));
    wipe(lanes);
    scalar
}

/// Best effort without `unsafe`: the stores are observed, so that they are not optimised away.
fn wipe(felts: &mut [BabyBear]) {
    felts.fill(F::ZERO);
    core::hint::black_box(felts);
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.scalar.zeroize();
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey").finish_non_exhaustive()
    }
}

impl PublicKey {
    /// A key from affine coordinates.
    ///
    /// # Errors
    /// [`SigError::NotOnCurve`].
    pub fn from_point(point: Point) -> Result<Self, SigError> {
        if point.is_on_curve() { Ok(Self(point)) } else { Err(SigError::NotOnCurve) }
    }

    /// The identifier: the abscissa and the lowest felt of the ordinate.
    pub fn key_id(&self) -> KeyId {
        point_id(&self.0)
    }

    /// The key of an identifier.
    ///
    /// # Errors
    /// [`SigError::NotOnCurve`] where no point has it.
    pub fn from_key_id(id: &KeyId) -> Result<Self, SigError> {
        let x = Ext(core::array::from_fn(|i| id[i]));
        Affine::decompress(x, id[7]).map(Self).ok_or(SigError::NotOnCurve)
    }

    /// The point.
    pub fn point(&self) -> &Point {
        &self.0
    }

    /// The identifier's felts as little-endian words.
    pub fn to_bytes(&self) -> [u8; PUBLIC_KEY_BYTES] {
        let id = self.key_id();
        core::array::from_fn(|i| (id[i / 4].as_canonical_u32() >> (8 * (i % 4))) as u8)
    }

    /// Decodes [`PublicKey::to_bytes`].
    ///
    /// # Errors
    /// [`SigError::NonCanonicalFelt`] for a word that is not below p, [`SigError::NotOnCurve`].
    pub fn from_bytes(bytes: &[u8; PUBLIC_KEY_BYTES]) -> Result<Self, SigError> {
        let mut id = [F::ZERO; 8];
        for (felt, word) in id.iter_mut().zip(bytes.chunks(4)) {
            let word = word.iter().rev().fold(0, |acc, b| acc << 8 | u32::from(*b));
            if word >= F::ORDER_U32 {
                return Err(SigError::NonCanonicalFelt { got: word });
            }
            *felt = F::from_u32(word);
        }
        Self::from_key_id(&id)
    }

    /// Checks a signature on a message digest. It is one by the owner of the identifier: where that is of two
    /// points, either may have signed, as in the proof.
    ///
    /// # Errors
    /// [`SigError::Mismatch`].
    pub fn verify(&self, message: &Digest, signature: &Signature) -> Result<(), SigError> {
        self.signer(message, signature).map(|_| ())
    }

    /// The key of this identifier under whose point the signature holds: this one, or -P where the identifier is
    /// of both.
    ///
    /// # Errors
    /// [`SigError::Mismatch`].
    pub fn signer(&self, message: &Digest, signature: &Signature) -> Result<Self, SigError> {
        self.roots().find(|key| key.holds(message, signature)).ok_or(SigError::Mismatch)
    }

    /// The keys of this identifier: P, and -P where the lowest felt of the ordinate is zero.
    fn roots(&self) -> impl Iterator<Item = Self> + use<> {
        let other = Self(self.0.neg());
        core::iter::once(*self).chain((other.key_id() == self.key_id()).then_some(other))
    }

    /// The verification equation for this point.
    fn holds(&self, message: &Digest, signature: &Signature) -> bool {
        let challenge =
            self.nonce_point(signature).and_then(|r| Challenge::new(&self.key_id(), &point_id(&r), message));
        challenge == Some(signature.e)
    }

    /// R = s*G + c*P + 2^120 H; `None` where that is the identity. As in the proof the ladder of c starts at
    /// s/2^120 * G + H, but it takes two base-4 digits at a time.
    pub fn nonce_point(&self, signature: &Signature) -> Option<Point> {
        let mut odd = [self.0; 8];
        let twice = self.0.double();
        for k in 1..odd.len() {
            odd[k] = odd[k - 1].add(&twice)?;
        }
        let mut acc = fixed_base().multiply(&(signature.s * Scalar::LADDER_START));
        for digits in signature.e.digits().chunks(2).rev() {
            // (2 u1 - 3) 4 + (2 u0 - 3) = 2 u - 15 with u = 4 u1 + u0.
            let u = digits.iter().rev().fold(0, |acc, u| 4 * acc + usize::from(*u));
            let addend = if u < 8 { odd[7 - u].neg() } else { odd[u - 8] };
            acc = acc.double_times(4).add_affine(&addend);
        }
        acc.to_affine()
    }
}

impl Signature {
    /// e as 15 and s as 28 little-endian bytes.
    pub fn to_bytes(&self) -> [u8; SIGNATURE_BYTES] {
        let (e, s) = (self.e.to_bytes(), self.s.to_bytes());
        core::array::from_fn(|i| if i < challenge::BYTES { e[i] } else { s[i - challenge::BYTES] })
    }

    /// Decodes [`Signature::to_bytes`].
    ///
    /// # Errors
    /// [`SigError::Length`], or [`SigError::ScalarOutOfRange`] where s is not below N.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SigError> {
        let length = || SigError::Length { expected: SIGNATURE_BYTES, got: bytes.len() };
        let (e, s) = bytes.split_first_chunk().ok_or_else(length)?;
        let s: &[u8; scalar::BYTES] = s.try_into().map_err(|_| length())?;
        let s = Scalar::from_bytes(s).ok_or(SigError::ScalarOutOfRange)?;
        Ok(Self { e: Challenge::from_bytes(e), s })
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(")?;
        self.to_bytes().iter().try_for_each(|b| write!(f, "{b:02x}"))?;
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Septic;

    #[test]
    fn an_identifier_whose_last_felt_is_zero_has_two_keys() {
        // A root x of the curve equation for the ordinate (0, 5, 6, 7, 8, 9, 10).
        let x =
            Septic::new([1758899358, 1535114997, 945115989, 101391992, 1127108569, 938106827, 1926946921]);
        let key = PublicKey::from_point(Affine { x, y: Septic::new([0, 5, 6, 7, 8, 9, 10]) }).unwrap();
        let other = PublicKey::from_point(key.point().neg()).unwrap();
        assert_ne!(key, other);
        assert_eq!(key.key_id(), other.key_id());
        assert_eq!(key.roots().collect::<Vec<_>>(), [key, other]);
        assert_eq!(other.roots().collect::<Vec<_>>(), [other, key]);
        let decoded = PublicKey::from_bytes(&key.to_bytes()).unwrap();
        assert!(decoded.roots().any(|k| k == key) && decoded.roots().any(|k| k == other));
    }

    #[test]
    fn any_other_identifier_has_one_key() {
        let sk = SecretKey::from_seed(b"a");
        let (key, message) = (sk.public_key(), [F::ONE; 8]);
        assert_eq!(key.roots().collect::<Vec<_>>(), [key]);
        let signature = sk.sign(&message);
        assert_eq!(key.signer(&message, &signature), Ok(key));
        let negated = PublicKey::from_point(key.point().neg()).unwrap();
        assert_eq!(negated.verify(&message, &signature), Err(SigError::Mismatch));
    }
}
