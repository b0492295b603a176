//! WebAuthn assertions (WebAuthn Level 3, sections 5.8.1.2 and 7.2) with ES256.
//!
//! # Key id
//! A passkey is named by a hash of all that the check needs: the public key, the relying party, whether user
//! verification is demanded, and the text that follows the challenge ([`Passkey::key_id`]). Nothing of it is state
//! of the system: a key slot holds the id, and the circuit opens it.
//!
//! # What is signed
//! The challenge is the digest of a message of the system (docs/src/auth.md): each of its eight felts as 36 bits,
//! big-endian, so that a felt is six characters of base64url and no text has unused bits.
//!
//! # Acceptance
//! - authenticatorData is exactly 37 bytes: rpIdHash is the key's; UP = 1; UV = 1 if demanded; BS only with BE; the
//!   reserved bits, AT and ED are 0 (no attested credential data, no extensions); the counter may be anything, as
//!   synchronised passkeys report 0.
//! - clientDataJSON is `{"type":"webauthn.get","challenge":"` challenge `","origin":"` tail, then `}` or `,` and
//!   anything: the serialisation that browsers must produce and the limited verification algorithm of the standard
//!   checks. The tail is part of the key: origin and `","crossOrigin":false`. Another order of the members (browsers
//!   before 2021) is [`PasskeyError::ClientData`].
//! - the signature is by [`Es256Key::verify`] over SHA-256(authenticatorData || SHA-256(clientDataJSON)).

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use tsz_hash::{Digest, Domain, F, PrimeCharacteristicRing, PrimeField32, RATE, hash};

use crate::base64url;
use crate::es256::{Es256Error, Es256Key, Es256Signature};
use crate::forms::{AssertionForm, PasskeyForm};

/// Bytes of authenticatorData.
pub const AUTHENTICATOR_DATA: usize = 37;
/// What clientDataJSON begins with.
pub const PREFIX: &[u8; 36] = br#"{"type":"webauthn.get","challenge":""#;
/// Characters of a challenge.
pub const CHALLENGE: usize = 48;
/// Characters of one felt of the challenge.
pub const CHARS_PER_FELT: usize = CHALLENGE / RATE;
/// What follows the challenge.
pub const MIDDLE: &[u8; 12] = br#"","origin":""#;
/// What follows the origin.
pub const CROSS_ORIGIN: &[u8; 21] = br#"","crossOrigin":false"#;
/// Where the tail begins in clientDataJSON.
pub const TAIL_AT: usize = PREFIX.len() + CHALLENGE + MIDDLE.len();
/// Bytes of a tail that a key id hashes.
pub const TAIL_BYTES: usize = 96;
/// Longest tail: an origin of 74 bytes.
pub const MAX_TAIL: usize = TAIL_BYTES - 1;
/// Shortest tail: an origin of 8 bytes.
pub const MIN_TAIL: usize = 29;
/// Longest clientDataJSON: five blocks of SHA-256 with their padding.
pub const MAX_CLIENT_DATA: usize = 5 * 64 - 9;
/// Felts that a key id hashes.
pub const KEY_FELTS: usize = 72;

/// Bits of the flags byte.
pub mod flag {
    /// User present.
    pub const UP: u8 = 1;
    /// User verified.
    pub const UV: u8 = 1 << 2;
    /// Backup eligible.
    pub const BE: u8 = 1 << 3;
    /// Backed up.
    pub const BS: u8 = 1 << 4;
    /// Attested credential data included.
    pub const AT: u8 = 1 << 6;
    /// Extension data included.
    pub const ED: u8 = 1 << 7;
    /// Reserved bits.
    pub const RESERVED: u8 = 1 << 1 | 1 << 5;
}

/// Why an assertion or a passkey is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PasskeyError {
    /// An origin that is too short, too long, or holds characters that JSON would escape.
    #[error("an origin has 8..=74 characters of printable ASCII without quote and backslash")]
    Origin,
    /// authenticatorData is of another relying party.
    #[error("rpIdHash is that of another relying party")]
    RpId,
    /// A flag that must be set is not, or one that must not be is.
    #[error("flags {0:#010b} are refused")]
    Flags(u8),
    /// clientDataJSON is longer than five blocks of SHA-256.
    #[error("clientDataJSON has {got} bytes, expected at most {max}")]
    Length {
        /// Bytes given.
        got: usize,
        /// Bytes accepted.
        max: usize,
    },
    /// clientDataJSON differs from the serialisation that browsers produce: other type, order or whitespace.
    #[error("clientDataJSON differs from the expected serialisation at byte {at}")]
    ClientData {
        /// First byte that differs.
        at: usize,
    },
    /// The challenge is not that of the message.
    #[error("the challenge is that of another message")]
    Challenge,
    /// Origin or crossOrigin is not the key's.
    #[error("origin or crossOrigin differs from the key's at byte {at}")]
    OriginMismatch {
        /// First byte that differs.
        at: usize,
    },
    /// The signature.
    #[error(transparent)]
    Signature(#[from] Es256Error),
}

/// A passkey with the policy that its id commits to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PasskeyForm", into = "PasskeyForm")]
pub struct Passkey {
    /// Public key.
    pub key: Es256Key,
    /// SHA-256 of the relying party id.
    pub rp_id_hash: [u8; 32],
    /// Whether UV must be set.
    pub user_verification: bool,
    /// Bytes of clientDataJSON after `"origin":"`: the origin and [`CROSS_ORIGIN`].
    tail: Vec<u8>,
}

/// What an authenticator and a browser answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "AssertionForm", into = "AssertionForm")]
pub struct Assertion {
    /// authenticatorData.
    pub authenticator_data: [u8; AUTHENTICATOR_DATA],
    /// clientDataJSON, as the browser made it.
    pub client_data: Vec<u8>,
    /// The signature.
    pub signature: Es256Signature,
}

/// The challenge of a message digest as it stands in clientDataJSON.
pub fn challenge(message: &Digest) -> [u8; CHALLENGE] {
    core::array::from_fn(|i| {
        let (felt, char) = (i / CHARS_PER_FELT, i % CHARS_PER_FELT);
        let bits = message[felt].as_canonical_u32() >> (6 * (CHARS_PER_FELT - 1 - char));
        base64url::ALPHABET[bits as usize & 63]
    })
}

/// The 36 bytes of a challenge, as a browser takes them.
pub fn challenge_bytes(message: &Digest) -> Vec<u8> {
    base64url::decode(&challenge(message)).unwrap_or_default()
}

/// Three bytes a felt, least significant first.
fn pack(bytes: impl Iterator<Item = u8>) -> Vec<F> {
    let bytes: Vec<u8> = bytes.collect();
    let felt = |b: &[u8]| F::from_u32(b.iter().rev().fold(0, |acc, x| acc << 8 | u32::from(*x)));
    bytes.chunks(3).map(felt).collect()
}

impl Passkey {
    /// A passkey for `origin` at the relying party `rp_id`.
    ///
    /// # Errors
    /// [`PasskeyError::Origin`].
    pub fn new(
        key: Es256Key,
        rp_id: &str,
        origin: &str,
        user_verification: bool,
    ) -> Result<Self, PasskeyError> {
        let plain = |b: u8| (0x20..0x7f).contains(&b) && b != b'"' && b != b'\\';
        let tail: Vec<u8> = origin.bytes().chain(*CROSS_ORIGIN).collect();
        if !origin.bytes().all(plain) || !(MIN_TAIL..=MAX_TAIL).contains(&tail.len()) {
            return Err(PasskeyError::Origin);
        }
        let rp_id_hash = Sha256::digest(rp_id.as_bytes()).into();
        Ok(Self { key, rp_id_hash, user_verification, tail })
    }

    /// A passkey from its parts; the tail is an origin and [`CROSS_ORIGIN`].
    ///
    /// # Errors
    /// [`PasskeyError::Origin`].
    pub fn from_parts(
        key: Es256Key,
        rp_id_hash: [u8; 32],
        user_verification: bool,
        tail: &[u8],
    ) -> Result<Self, PasskeyError> {
        let origin = tail.strip_suffix(CROSS_ORIGIN).and_then(|o| core::str::from_utf8(o).ok());
        let passkey = Self::new(key, "", origin.ok_or(PasskeyError::Origin)?, user_verification)?;
        Ok(Self { rp_id_hash, ..passkey })
    }

    /// Bytes of clientDataJSON after `"origin":"`, up to the delimiter.
    pub fn tail(&self) -> &[u8] {
        &self.tail
    }

    /// The felts that the key id hashes: x and y (11 each, little-endian, three bytes a felt), user verification,
    /// length of the tail, rpIdHash (16 big-endian halves), tail (32, three bytes a felt, zero-filled).
    pub fn key_felts(&self) -> [F; KEY_FELTS] {
        let mut felts = pack(self.key.x.iter().rev().copied());
        felts.extend(pack(self.key.y.iter().rev().copied()));
        felts.push(F::from_bool(self.user_verification));
        felts.push(F::from_usize(self.tail.len()));
        felts.extend(self.rp_id_hash.chunks(2).map(|h| F::from_u32(u32::from(h[0]) << 8 | u32::from(h[1]))));
        felts.extend(pack((0..TAIL_BYTES).map(|k| self.tail.get(k).copied().unwrap_or(0))));
        core::array::from_fn(|k| felts.get(k).copied().unwrap_or_default())
    }

    /// The id that a key slot of scheme 2 holds.
    pub fn key_id(&self) -> Digest {
        hash(Domain::Passkey, &self.key_felts())
    }

    /// Whether the assertion is an approval of `message` by this passkey.
    ///
    /// # Errors
    /// [`PasskeyError`]; see the module for the rules.
    pub fn verify(&self, message: &Digest, assertion: &Assertion) -> Result<(), PasskeyError> {
        self.check_authenticator_data(&assertion.authenticator_data)?;
        self.check_client_data(message, &assertion.client_data)?;
        Ok(self.key.verify(&signed_digest(assertion), &assertion.signature)?)
    }

    fn check_authenticator_data(&self, data: &[u8; AUTHENTICATOR_DATA]) -> Result<(), PasskeyError> {
        if data[..32] != self.rp_id_hash {
            return Err(PasskeyError::RpId);
        }
        let flags = data[32];
        let needed = if self.user_verification { flag::UP | flag::UV } else { flag::UP };
        let refused = flag::RESERVED | flag::AT | flag::ED;
        let backup = flags & flag::BS == 0 || flags & flag::BE != 0;
        if flags & needed != needed || flags & refused != 0 || !backup {
            return Err(PasskeyError::Flags(flags));
        }
        Ok(())
    }

    fn check_client_data(&self, message: &Digest, data: &[u8]) -> Result<(), PasskeyError> {
        if data.len() > MAX_CLIENT_DATA {
            return Err(PasskeyError::Length { got: data.len(), max: MAX_CLIENT_DATA });
        }
        let differs = |at: usize, expected: &[u8]| {
            let first = (0..expected.len()).find(|k| data.get(at + k) != expected.get(*k));
            first.map(|k| at + k)
        };
        if let Some(at) = differs(0, PREFIX) {
            return Err(PasskeyError::ClientData { at });
        }
        if differs(PREFIX.len(), &challenge(message)).is_some() {
            return Err(PasskeyError::Challenge);
        }
        if let Some(at) = differs(TAIL_AT - MIDDLE.len(), MIDDLE) {
            return Err(PasskeyError::ClientData { at });
        }
        if let Some(at) = differs(TAIL_AT, &self.tail) {
            return Err(PasskeyError::OriginMismatch { at });
        }
        let end = TAIL_AT + self.tail.len();
        match data.get(end..) {
            Some([b'}'] | [b',', ..]) => Ok(()),
            _ => Err(PasskeyError::ClientData { at: end }),
        }
    }
}

/// What the authenticator signs: SHA-256(authenticatorData || SHA-256(clientDataJSON)).
pub fn signed_digest(assertion: &Assertion) -> [u8; 32] {
    let client = Sha256::digest(&assertion.client_data);
    Sha256::new().chain_update(assertion.authenticator_data).chain_update(client).finalize().into()
}
