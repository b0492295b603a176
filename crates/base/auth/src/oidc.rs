//! Social logins: OpenID Connect tokens as JWS in compact form (RFC 7515, RFC 7519, OpenID Connect Core 1.0).
//!
//! # Acceptance
//! - at most 1,024 bytes: three parts of canonical base64url, joined by dots; header and payload are objects as
//!   [`crate::json`] reads them (no repeated key, no escapes where it is read, nothing after the object);
//! - header: `alg` is `RS256` or `ES256`, `kid` names one key of the provider and that key is of the algorithm; no `crit`
//!   (RFC 7515, 4.1.11) and no `b64`. `none` and `HS256` are of no algorithm here;
//! - payload: `iss` is the provider's; `aud` is a string of the allow-list (an array is refused); `sub` has 1..=64
//!   characters; `nonce` is the challenge of the message ([`crate::passkey::challenge`]); `iat` is at most
//!   [`MAX_SKEW`] after the batch time, `exp` after it; times in seconds;
//! - the signature is over `header.payload`, by [`Rs256Key::verify`] or [`Es256Key::verify`] (r || s, RFC 7518, 3.4).
//!
//! # Account
//! A slot of scheme 3 holds [`Identity::key_id`]: a hash of iss, aud, sub and a salt that the user keeps, so that the
//! state does not tell who it is. The salt is not secret against the provider who knows sub; it is against others.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use tsz_hash::{Digest, Domain, F, hash, hash_bytes};

use crate::base64url::{self, Base64Error};
use crate::es256::{Es256Error, Es256Key, Es256Signature};
use crate::json::{JsonError, Object};
use crate::passkey::challenge;
use crate::rs256::{Rs256Error, Rs256Key};

/// Longest token.
pub const MAX_TOKEN: usize = 1024;
/// Longest sub.
pub const MAX_SUBJECT: usize = 64;
/// Seconds that a token may be from the future: clocks of providers and batches differ.
pub const MAX_SKEW: u64 = 60;

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OidcError {
    /// Too long.
    #[error("a token has at most {MAX_TOKEN} bytes, not {0}")]
    Length(usize),
    /// Not three parts.
    #[error("a token has three parts")]
    Parts,
    /// A part that is not canonical base64url.
    #[error("base64url: {0}")]
    Base64(#[from] Base64Error),
    /// Header or payload.
    #[error("JSON: {0}")]
    Json(#[from] JsonError),
    /// Another algorithm than the key has, or none of ours.
    #[error("alg is not that of the key")]
    Algorithm,
    /// Critical extensions or an unencoded payload.
    #[error("crit and b64 are not understood")]
    Critical,
    /// No key of the provider has this kid.
    #[error("no key of the provider has this kid")]
    UnknownKey,
    /// Another issuer than the provider.
    #[error("iss is not the provider's")]
    Issuer,
    /// An audience that is not allowed.
    #[error("aud is not allowed")]
    Audience,
    /// A subject that is empty or too long, or of another account.
    #[error("sub is not that of the identity")]
    Subject,
    /// The nonce of another message.
    #[error("nonce is that of another message")]
    Nonce,
    /// A token of the future.
    #[error("iat {iat} is after the batch time {now}")]
    Future {
        /// Seconds.
        iat: u64,
        /// Seconds.
        now: u64,
    },
    /// An expired token.
    #[error("exp {exp} is not after the batch time {now}")]
    Expired {
        /// Seconds.
        exp: u64,
        /// Seconds.
        now: u64,
    },
    /// RS256.
    #[error(transparent)]
    Rs256(#[from] Rs256Error),
    /// ES256.
    #[error(transparent)]
    Es256(#[from] Es256Error),
    /// An ES256 signature of another length than 64 bytes.
    #[error("an ES256 signature has 64 bytes, not {0}")]
    SignatureLength(usize),
}

/// How a provider signs (RFC 7518, 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA over P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
}

impl Algorithm {
    /// The value of `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }

    /// Its number in a provider's digest.
    pub const fn code(self) -> u32 {
        match self {
            Self::Rs256 => 1,
            Self::Es256 => 2,
        }
    }
}

/// A key of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderKey {
    /// RS256.
    Rs256(Rs256Key),
    /// ES256.
    Es256(Es256Key),
}

impl ProviderKey {
    /// What the key is of.
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rs256(_) => Algorithm::Rs256,
            Self::Es256(_) => Algorithm::Es256,
        }
    }

    /// Whether it can have signed anything: an odd modulus of 2,048 bits, a point of the curve.
    pub fn is_valid(&self) -> bool {
        match self {
            Self::Rs256(key) => key.is_modulus(),
            Self::Es256(key) => key.is_point(),
        }
    }
}

impl From<Rs256Key> for ProviderKey {
    fn from(key: Rs256Key) -> Self {
        Self::Rs256(key)
    }
}

impl From<Es256Key> for ProviderKey {
    fn from(key: Es256Key) -> Self {
        Self::Es256(key)
    }
}

/// A provider: issuer, audiences, keys in force by kid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// Values of `aud` that are allowed.
    pub audiences: &'a [&'a str],
    /// Keys in force; a rotated key is no longer among them.
    pub keys: &'a [(&'a str, ProviderKey)],
}

/// Who logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// `aud`.
    pub audience: &'a str,
    /// `sub`.
    pub subject: &'a str,
    /// Random bytes that the user keeps.
    pub salt: [u8; 32],
}

impl Identity<'_> {
    /// The id that a key slot of scheme 3 holds.
    pub fn key_id(&self) -> Digest {
        let parts = [self.issuer.as_bytes(), self.audience.as_bytes(), self.subject.as_bytes(), &self.salt];
        let felts: Vec<F> = parts.iter().flat_map(|part| hash_bytes(part)).collect();
        hash(Domain::Oidc, &felts)
    }
}

/// The parts of a compact JWS whose signature holds.
#[derive(Clone, Debug)]
pub struct Jws {
    /// Decoded header.
    pub header: Vec<u8>,
    /// Decoded payload.
    pub payload: Vec<u8>,
}

/// Splits a token, finds its key and verifies its signature.
///
/// # Errors
/// [`OidcError`].
pub fn verify_jws(token: &[u8], keys: &[(&str, ProviderKey)]) -> Result<Jws, OidcError> {
    let (jws, kid, signature) = split(token)?;
    let header = Object::parse(&jws.header)?;
    if header.has("crit") || header.has("b64") {
        return Err(OidcError::Critical);
    }
    let name = header.string("kid")?;
    let key = keys.iter().find(|(k, _)| *k == name).ok_or(OidcError::UnknownKey)?;
    verify_signature(&header, kid, &signature, &key.1)?;
    Ok(jws)
}

/// Header, payload; the signed text; the signature.
fn split(token: &[u8]) -> Result<(Jws, &[u8], Vec<u8>), OidcError> {
    if token.len() > MAX_TOKEN {
        return Err(OidcError::Length(token.len()));
    }
    let mut parts = token.split(|b| *b == b'.');
    let (Some(header), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(OidcError::Parts);
    };
    let signed = token.get(..header.len() + 1 + payload.len()).ok_or(OidcError::Parts)?;
    let jws = Jws { header: base64url::decode(header)?, payload: base64url::decode(payload)? };
    Ok((jws, signed, base64url::decode(signature)?))
}

/// Whether `key` is of the header's algorithm and signed `signed`.
///
/// # Errors
/// [`OidcError`].
pub fn verify_signature(
    header: &Object<'_>,
    signed: &[u8],
    signature: &[u8],
    key: &ProviderKey,
) -> Result<(), OidcError> {
    if header.string("alg")? != key.algorithm().name() {
        return Err(OidcError::Algorithm);
    }
    let digest = Sha256::digest(signed).into();
    match key {
        ProviderKey::Rs256(key) => Ok(key.verify(&digest, signature)?),
        ProviderKey::Es256(key) => {
            let error = OidcError::SignatureLength(signature.len());
            Ok(key.verify(&digest, &Es256Signature::from_jws(signature).ok_or(error)?)?)
        }
    }
}

/// Whether the token is an approval of `message` by the identity at batch time `now` (ms).
///
/// # Errors
/// [`OidcError`]; see the module for the rules.
pub fn verify(
    token: &[u8],
    provider: &Provider<'_>,
    identity: &Identity<'_>,
    message: &Digest,
    now: u64,
) -> Result<(), OidcError> {
    let jws = verify_jws(token, provider.keys)?;
    let payload = Object::parse(&jws.payload)?;
    if identity.issuer != provider.issuer || payload.string("iss")? != provider.issuer {
        return Err(OidcError::Issuer);
    }
    let audience = payload.string("aud")?;
    if audience != identity.audience || !provider.audiences.contains(&audience) {
        return Err(OidcError::Audience);
    }
    let subject = payload.string("sub")?;
    if subject != identity.subject || !(1..=MAX_SUBJECT).contains(&subject.len()) {
        return Err(OidcError::Subject);
    }
    if payload.string("nonce")?.as_bytes() != challenge(message) {
        return Err(OidcError::Nonce);
    }
    let (iat, exp, now) = (payload.number("iat")?, payload.number("exp")?, now / 1000);
    if iat > now + MAX_SKEW {
        return Err(OidcError::Future { iat, now });
    }
    if exp <= now {
        return Err(OidcError::Expired { exp, now });
    }
    Ok(())
}
