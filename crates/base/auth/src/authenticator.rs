//! A software authenticator: makes passkeys and assertions as browsers do. For tests, demos and development; its
//! secret is in memory.

use alloc::vec::Vec;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{Signature, SigningKey};
use sha2::{Digest as _, Sha256};
use tsz_hash::Digest;

use crate::es256::{Es256Key, Es256Signature};
use crate::passkey::{
    AUTHENTICATOR_DATA, Assertion, MIDDLE, PREFIX, Passkey, PasskeyError, challenge, flag, signed_digest,
};

/// A P-256 secret.
#[derive(Clone)]
pub struct Authenticator {
    secret: SigningKey,
}

/// Says nothing of the secret.
impl core::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Authenticator").finish_non_exhaustive()
    }
}

impl Authenticator {
    /// The authenticator of a seed.
    pub fn from_seed(seed: &[u8]) -> Self {
        let mut counter = 0u8;
        loop {
            let bytes = Sha256::new().chain_update(b"TS-zkVM/authenticator").chain_update([counter]);
            let bytes = bytes.chain_update(seed).finalize();
            if let Ok(secret) = SigningKey::from_slice(&bytes) {
                return Self { secret };
            }
            counter = counter.wrapping_add(1);
        }
    }

    /// The public key.
    pub fn key(&self) -> Es256Key {
        let point = self.secret.verifying_key().to_sec1_point(false);
        let coordinate = |at: usize| {
            let bytes = point.as_bytes();
            core::array::from_fn(|k| bytes.get(at + k).copied().unwrap_or(0))
        };
        Es256Key { x: coordinate(1), y: coordinate(33) }
    }

    /// Its passkey for an origin.
    ///
    /// # Errors
    /// [`PasskeyError::Origin`].
    pub fn passkey(&self, rp_id: &str, origin: &str, verified: bool) -> Result<Passkey, PasskeyError> {
        Passkey::new(self.key(), rp_id, origin, verified)
    }

    /// clientDataJSON of the passkey's origin for a message; `more` follows `crossOrigin` (a closing brace, or
    /// further members).
    pub fn client_data(passkey: &Passkey, message: &Digest, more: &str) -> Vec<u8> {
        let parts: [&[u8]; 5] = [PREFIX, &challenge(message), MIDDLE, passkey.tail(), more.as_bytes()];
        parts.concat()
    }

    /// authenticatorData of the relying party with these flags.
    pub fn data(passkey: &Passkey, flags: u8, counter: u32) -> [u8; AUTHENTICATOR_DATA] {
        let mut data = [0; AUTHENTICATOR_DATA];
        data[..32].copy_from_slice(&passkey.rp_id_hash);
        data[32] = flags;
        data[33..].copy_from_slice(&counter.to_be_bytes());
        data
    }

    /// The signature over any data and client data.
    pub fn sign(&self, authenticator_data: [u8; AUTHENTICATOR_DATA], client_data: Vec<u8>) -> Assertion {
        let blank = Es256Signature { r: [0; 32], s: [0; 32] };
        let mut assertion = Assertion { authenticator_data, client_data, signature: blank };
        assertion.signature = self.sign_digest(&signed_digest(&assertion));
        assertion
    }

    /// The deterministic signature (RFC 6979) of a digest.
    pub fn sign_digest(&self, digest: &[u8; 32]) -> Es256Signature {
        let signed: Result<Signature, _> = self.secret.sign_prehash(digest);
        // Signing fails for no digest of 32 bytes.
        signed.map_or(Es256Signature { r: [0; 32], s: [0; 32] }, |s| Es256Signature::from(&s))
    }

    /// The assertion of a user who was present and verified.
    pub fn assert(&self, passkey: &Passkey, message: &Digest) -> Assertion {
        let data = Self::data(passkey, flag::UP | flag::UV | flag::BE | flag::BS, 0);
        self.sign(data, Self::client_data(passkey, message, "}"))
    }
}
