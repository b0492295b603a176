//! JSON forms: lowercase hex for bytes, text for the tail.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::es256::{Es256Key, Es256Signature};
use crate::oidc::ProviderKey;
use crate::passkey::{Assertion, Passkey, PasskeyError};
use crate::rs256::Rs256Key;
use crate::social::{LoginProvider, SocialLogin};
use crate::wallet::{SigningDomain, Wallet, WalletApproval, WalletKey, WalletSignature};

/// Why a form is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FormError {
    /// Not lowercase hex of the expected number of bytes.
    #[error("expected lowercase hex of {0} bytes")]
    Hex(usize),
    /// Not hex at all.
    #[error("expected lowercase hex")]
    AnyHex,
    /// The tail.
    #[error(transparent)]
    Passkey(#[from] PasskeyError),
    /// A key of a provider that is neither a modulus nor a point, or that signs nothing.
    #[error("a provider has either an odd `modulus` of 2,048 bits or `x` and `y` of a point of P-256")]
    ProviderKey,
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, b| {
        let _ = write!(text, "{b:02x}"); // writing to a string cannot fail
        text
    })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let chunks = text.as_bytes().chunks_exact(2);
    if !chunks.remainder().is_empty() {
        return None;
    }
    chunks.map(|c| Some(digit(*c.first()?)? << 4 | digit(*c.get(1)?)?)).collect()
}

fn array<const N: usize>(text: &str) -> Result<[u8; N], FormError> {
    from_hex(text).and_then(|b| b.try_into().ok()).ok_or(FormError::Hex(N))
}

/// A passkey.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasskeyForm {
    x: String,
    y: String,
    rp_id_hash: String,
    user_verification: bool,
    tail: String,
}

impl TryFrom<PasskeyForm> for Passkey {
    type Error = FormError;
    fn try_from(form: PasskeyForm) -> Result<Self, FormError> {
        let key = Es256Key { x: array(&form.x)?, y: array(&form.y)? };
        let rp_id_hash = array(&form.rp_id_hash)?;
        Ok(Self::from_parts(key, rp_id_hash, form.user_verification, form.tail.as_bytes())?)
    }
}

impl From<Passkey> for PasskeyForm {
    fn from(passkey: Passkey) -> Self {
        Self {
            x: to_hex(&passkey.key.x),
            y: to_hex(&passkey.key.y),
            rp_id_hash: to_hex(&passkey.rp_id_hash),
            user_verification: passkey.user_verification,
            // A passkey's tail is ASCII.
            tail: String::from_utf8_lossy(passkey.tail()).to_string(),
        }
    }
}

/// An assertion; the signature is r and s in 64 bytes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssertionForm {
    authenticator_data: String,
    client_data: String,
    signature: String,
}

impl TryFrom<AssertionForm> for Assertion {
    type Error = FormError;
    fn try_from(form: AssertionForm) -> Result<Self, FormError> {
        let signature: [u8; 64] = array(&form.signature)?;
        let half = |at: usize| core::array::from_fn(|k| signature[at + k]);
        Ok(Self {
            authenticator_data: array(&form.authenticator_data)?,
            client_data: from_hex(&form.client_data).ok_or(FormError::AnyHex)?,
            signature: Es256Signature { r: half(0), s: half(32) },
        })
    }
}

impl From<Assertion> for AssertionForm {
    fn from(assertion: Assertion) -> Self {
        let Es256Signature { r, s } = assertion.signature;
        Self {
            authenticator_data: to_hex(&assertion.authenticator_data),
            client_data: to_hex(&assertion.client_data),
            signature: to_hex(&[r, s].concat()),
        }
    }
}

/// A wallet and the domain that it signs under.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WalletForm {
    address: String,
    chain: u64,
    contract: String,
}

impl TryFrom<WalletForm> for Wallet {
    type Error = FormError;
    fn try_from(form: WalletForm) -> Result<Self, FormError> {
        let domain = SigningDomain { chain: form.chain, contract: array(&form.contract)? };
        Ok(Self { address: array(&form.address)?, domain })
    }
}

impl From<Wallet> for WalletForm {
    fn from(wallet: Wallet) -> Self {
        let SigningDomain { chain, contract } = wallet.domain;
        Self { address: to_hex(&wallet.address), chain, contract: to_hex(&contract) }
    }
}

/// An approval; the key is x and y in 64 bytes, the signature r and s.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WalletApprovalForm {
    key: String,
    signature: String,
}

impl TryFrom<WalletApprovalForm> for WalletApproval {
    type Error = FormError;
    fn try_from(form: WalletApprovalForm) -> Result<Self, FormError> {
        let halves = |text: &str| -> Result<[[u8; 32]; 2], FormError> {
            let bytes: [u8; 64] = array(text)?;
            Ok([0, 32].map(|at| core::array::from_fn(|k| bytes[at + k])))
        };
        let ([x, y], [r, s]) = (halves(&form.key)?, halves(&form.signature)?);
        Ok(Self { key: WalletKey { x, y }, signature: WalletSignature { r, s } })
    }
}

impl From<WalletApproval> for WalletApprovalForm {
    fn from(approval: WalletApproval) -> Self {
        let WalletApproval { key: WalletKey { x, y }, signature: WalletSignature { r, s } } = approval;
        Self { key: to_hex(&[x, y].concat()), signature: to_hex(&[r, s].concat()) }
    }
}

/// A key of an OpenID provider: a modulus (RS256) or x and y (ES256), big-endian.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginProviderForm {
    issuer: String,
    audience: String,
    kid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    modulus: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    y: Option<String>,
}

impl TryFrom<LoginProviderForm> for LoginProvider {
    type Error = FormError;
    fn try_from(form: LoginProviderForm) -> Result<Self, FormError> {
        let key = match (&form.modulus, &form.x, &form.y) {
            (Some(modulus), None, None) => ProviderKey::from(Rs256Key { modulus: array(modulus)? }),
            (None, Some(x), Some(y)) => Es256Key { x: array(x)?, y: array(y)? }.into(),
            _ => return Err(FormError::ProviderKey),
        };
        if !key.is_valid() {
            return Err(FormError::ProviderKey);
        }
        Ok(Self { issuer: form.issuer, audience: form.audience, kid: form.kid, key })
    }
}

impl From<LoginProvider> for LoginProviderForm {
    fn from(provider: LoginProvider) -> Self {
        let LoginProvider { issuer, audience, kid, key } = provider;
        let (modulus, x, y) = match key {
            ProviderKey::Rs256(key) => (Some(to_hex(&key.modulus)), None, None),
            ProviderKey::Es256(key) => (None, Some(to_hex(&key.x)), Some(to_hex(&key.y))),
        };
        Self { issuer, audience, kid, modulus, x, y }
    }
}

/// A token, as text, and a salt.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SocialLoginForm {
    token: String,
    salt: String,
}

impl TryFrom<SocialLoginForm> for SocialLogin {
    type Error = FormError;
    fn try_from(form: SocialLoginForm) -> Result<Self, FormError> {
        Ok(Self { token: form.token.into_bytes(), salt: array(&form.salt)? })
    }
}

impl From<SocialLogin> for SocialLoginForm {
    fn from(login: SocialLogin) -> Self {
        // A token is ASCII; other bytes are in none that is accepted.
        Self { token: String::from_utf8_lossy(&login.token).to_string(), salt: to_hex(&login.salt) }
    }
}
