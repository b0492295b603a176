//! Social logins as they are proven: OpenID Connect tokens with RS256 or ES256 (RFC 7515, RFC 7519, OpenID Connect Core
//! 1.0).
//!
//! # Acceptance
//! A token approves a message for a key id under a [`LoginProvider`], at a batch time, if and only if
//! 1. it is three parts of canonical base64url joined by dots; the signing input `header.payload` has at most
//!    [`MAX_SIGNED`] characters, the signature 342 (RS256) or 86 (ES256);
//! 2. [`scan`] reads its fields: each of them exactly once, at depth 1, without escapes;
//! 3. `alg` is that of the provider's key: a key is of one algorithm; `kid`, `iss` and `aud` are the provider's, byte for byte (an array of audiences is refused);
//! 4. `sub` has 1..=64 characters, and hash(iss, aud, sub, salt) is the key id ([`Identity::key_id`]);
//! 5. `nonce` is the challenge of the message ([`crate::passkey::challenge`]);
//! 6. `iat` and `exp` have ten digits; iat is at most [`MAX_SKEW`] after the batch time, exp after it, in seconds;
//! 7. the signature is one of the signing input by the provider's key: by a modulus with e = 65537
//!    ([`crate::rs256::Rs256Key::verify`]), or r || s by a point of P-256 ([`crate::es256::Es256Key::verify`]).
//!
//! A provider is what governance allows: one issuer, one audience, one key. Two audiences or keys are two cells, so
//! that a key that is rotated, or an application that is taken off, is gone with the batch that clears its cell.

use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use tsz_hash::{Digest, Domain, F, PrimeCharacteristicRing, hash, hash_bytes};

use crate::base64url::{self, Base64Error};
use crate::es256::{Es256Error, Es256Signature};
use crate::forms::{LoginProviderForm, SocialLoginForm};
use crate::oidc::{Identity, MAX_SKEW, MAX_SUBJECT, ProviderKey};
use crate::passkey::challenge;
use crate::rs256::Rs256Error;
use crate::scan::{Claims, Field, ScanError, scan};

/// Longest signing input, in characters.
pub const MAX_SIGNED: usize = 1024;
/// Digits of a time in seconds.
pub const DIGITS: usize = 10;
/// Felts that the digest of a provider with RS256 hashes.
pub const RS256_FELTS: usize = 112;
/// Felts that the digest of a provider with ES256 hashes.
pub const ES256_FELTS: usize = 48;

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SocialError {
    /// Too long.
    #[error("a signing input has at most {MAX_SIGNED} characters, not {0}")]
    Length(usize),
    /// Not three parts.
    #[error("a token has three parts")]
    Parts,
    /// A part that is not canonical base64url.
    #[error("base64url: {0}")]
    Base64(#[from] Base64Error),
    /// Header or payload.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// A field with another value than the provider, the message or the rules demand.
    #[error("{0:?} is another one")]
    Field(Field),
    /// Issuer, audience, subject and salt are not those of the key id.
    #[error("the identity is not that of the key")]
    Identity,
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
    /// The signature.
    #[error(transparent)]
    Rs256(#[from] Rs256Error),
    /// The signature.
    #[error(transparent)]
    Es256(#[from] Es256Error),
    /// An ES256 signature of another length.
    #[error("an ES256 signature has 64 bytes, not {0}")]
    SignatureLength(usize),
}

/// A key of an OpenID provider, for one audience: what a cell of the state commits to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "LoginProviderForm", into = "LoginProviderForm")]
pub struct LoginProvider {
    /// `iss`.
    pub issuer: String,
    /// `aud`.
    pub audience: String,
    /// `kid`.
    pub kid: String,
    /// The key.
    pub key: ProviderKey,
}

impl LoginProvider {
    /// The felts that [`LoginProvider::digest`] hashes: digests of issuer, audience and kid; the key's numbers, three bytes
    /// a felt, the least significant first; the number of the algorithm; 0. The numbers are the modulus (86 felts), or x
    /// and y (11 felts each). As the digest begins with their length, no list is one of the other kind.
    pub fn felts(&self) -> Vec<F> {
        let texts = [&self.issuer, &self.audience, &self.kid];
        let mut felts: Vec<F> = texts.iter().flat_map(|text| hash_bytes(text.as_bytes())).collect();
        let mut push = |number: &[u8]| {
            let limbs: Vec<u8> = number.iter().rev().copied().collect();
            let pack = |b: &[u8]| F::from_u32(b.iter().rev().fold(0, |acc, x| acc << 8 | u32::from(*x)));
            felts.extend(limbs.chunks(3).map(pack));
        };
        let length = match &self.key {
            ProviderKey::Rs256(key) => {
                push(&key.modulus);
                RS256_FELTS
            }
            ProviderKey::Es256(key) => {
                push(&key.x);
                push(&key.y);
                ES256_FELTS
            }
        };
        felts.push(F::from_u32(self.key.algorithm().code()));
        felts.resize(length, F::ZERO);
        felts
    }

    /// What the provider's cell holds.
    pub fn digest(&self) -> Digest {
        hash(Domain::Provider, &self.felts())
    }
}

/// A token and the salt of its user's key id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SocialLoginForm", into = "SocialLoginForm")]
pub struct SocialLogin {
    /// The token in compact form.
    pub token: Vec<u8>,
    /// Random bytes that the user keeps.
    pub salt: [u8; 32],
}

/// A token taken apart, before its claims are judged.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// `header.payload`.
    pub signed: Vec<u8>,
    /// Its fields.
    pub claims: Claims,
    /// The signature.
    pub signature: Vec<u8>,
}

impl SocialLogin {
    /// Takes the token apart (rules 1 and 2).
    ///
    /// # Errors
    /// [`SocialError`].
    pub fn parse(&self) -> Result<Parsed, SocialError> {
        let mut parts = self.token.split(|b| *b == b'.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(SocialError::Parts);
        };
        let length = header.len() + 1 + payload.len();
        if length > MAX_SIGNED {
            return Err(SocialError::Length(length));
        }
        let signed = self.token.get(..length).ok_or(SocialError::Parts)?.to_vec();
        let claims = scan(&base64url::decode(header)?, &base64url::decode(payload)?)?;
        Ok(Parsed { signed, claims, signature: base64url::decode(signature)? })
    }

    /// Whether the token approves `message` for `key_id` at batch time `now` (ms); see the module for the rules.
    ///
    /// # Errors
    /// [`SocialError`].
    pub fn verify(
        &self,
        provider: &LoginProvider,
        key_id: &Digest,
        message: &Digest,
        now: u64,
    ) -> Result<(), SocialError> {
        let Parsed { signed, claims, signature } = self.parse()?;
        let demanded = [
            (Field::Alg, provider.key.algorithm().name().as_bytes()),
            (Field::Kid, provider.kid.as_bytes()),
            (Field::Iss, provider.issuer.as_bytes()),
            (Field::Aud, provider.audience.as_bytes()),
            (Field::Nonce, &challenge(message)),
        ];
        if let Some((field, _)) = demanded.into_iter().find(|(field, value)| claims.get(*field) != *value) {
            return Err(SocialError::Field(field));
        }
        let subject = core::str::from_utf8(claims.get(Field::Sub)).unwrap_or_default();
        if !(1..=MAX_SUBJECT).contains(&subject.len()) {
            return Err(SocialError::Field(Field::Sub));
        }
        let (issuer, audience) = (&provider.issuer, &provider.audience);
        if (Identity { issuer, audience, subject, salt: self.salt }).key_id() != *key_id {
            return Err(SocialError::Identity);
        }
        let (iat, exp, now) = (seconds(&claims, Field::Iat)?, seconds(&claims, Field::Exp)?, now / 1000);
        if iat > now + MAX_SKEW {
            return Err(SocialError::Future { iat, now });
        }
        if exp <= now {
            return Err(SocialError::Expired { exp, now });
        }
        let digest = Sha256::digest(&signed).into();
        match &provider.key {
            ProviderKey::Rs256(key) => Ok(key.verify(&digest, &signature)?),
            ProviderKey::Es256(key) => {
                let error = SocialError::SignatureLength(signature.len());
                Ok(key.verify(&digest, &Es256Signature::from_jws(&signature).ok_or(error)?)?)
            }
        }
    }
}

/// A number of ten digits.
fn seconds(claims: &Claims, field: Field) -> Result<u64, SocialError> {
    let digits = claims.get(field);
    if digits.len() != DIGITS {
        return Err(SocialError::Field(field));
    }
    Ok(digits.iter().fold(0, |acc, d| 10 * acc + u64::from(d.wrapping_sub(b'0'))))
}
