//! A local OpenID provider: ES256 tokens from a seed. For tests, demos and development; its secret is in memory.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use sha2::{Digest as _, Sha256};
use tsz_hash::Digest;

use crate::authenticator::Authenticator;
use crate::base64url;
use crate::es256::Es256Key;
use crate::oidc::Identity;
use crate::passkey::challenge;

/// A provider with one ES256 key.
#[derive(Clone)]
pub struct Issuer {
    secret: Authenticator,
}

impl Issuer {
    /// The provider of a seed.
    pub fn from_seed(seed: &[u8]) -> Self {
        Self { secret: Authenticator::from_seed(seed) }
    }

    /// Its public key.
    pub fn key(&self) -> Es256Key {
        self.secret.key()
    }

    /// The payload of a token in which the identity approves a message, issued at `iat` for ten minutes.
    pub fn payload(identity: &Identity<'_>, message: &Digest, iat: u64) -> String {
        let nonce = String::from_utf8_lossy(&challenge(message)).into_owned();
        let Identity { issuer, audience, subject, .. } = identity;
        format!(
            r#"{{"iss":"{issuer}","aud":"{audience}","sub":"{subject}","nonce":"{nonce}","iat":{iat},"exp":{}}}"#,
            iat + 600
        )
    }

    /// A signed token of any header and payload.
    pub fn sign(&self, header: &str, payload: &str) -> Vec<u8> {
        let mut token = base64url::encode(header.as_bytes());
        token.push(b'.');
        token.extend(base64url::encode(payload.as_bytes()));
        let signature = self.secret.sign_digest(&Sha256::digest(&token).into());
        token.push(b'.');
        token.extend(base64url::encode(&[signature.r, signature.s].concat()));
        token
    }

    /// The header of an honest token.
    pub fn header(kid: &str) -> String {
        format!(r#"{{"alg":"ES256","kid":"{kid}","typ":"JWT"}}"#)
    }

    /// An honest token under `kid`.
    pub fn token(&self, kid: &str, identity: &Identity<'_>, message: &Digest, iat: u64) -> Vec<u8> {
        self.sign(&Self::header(kid), &Self::payload(identity, message, iat))
    }
}
