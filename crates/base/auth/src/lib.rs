//! Logins: what a passkey, a social login or a wallet signs, and when that counts (docs/src/auth.md).
//!
//! Each module decides one kind of login natively and **exactly**: the auth circuit accepts what this crate
//! accepts, byte for byte, where there is one: passkeys and wallets. Every acceptance rule is in the module's docs and in docs/src/auth.md.
//!
//! | module | accepts |
//! |---|---|
//! | [`es256`] | ECDSA over P-256 of a SHA-256 digest (FIPS 186-5, SEC 1) |
//! | [`passkey`] | WebAuthn assertions: the limited verification algorithm of WebAuthn L3, 5.8.1.2 |
//! | [`wallet`] | EIP-712 approvals with secp256k1 |
//! | [`oidc`] | OpenID Connect tokens with RS256 ([`rs256`]) or ES256, fields by [`json`] |
//! | [`social`] | tokens of RS256 and ES256 as the circuits prove them, fields by [`scan`] |
//! | [`base64url`] | RFC 4648 section 5 without padding, canonical |
//! | [`authenticator`], [`softwallet`], [`issuer`], [`issuer_rsa`] | a software authenticator, a software wallet and local providers, for tests and development |
#![no_std]
extern crate alloc;

pub mod authenticator;
pub mod base64url;
pub mod es256;
mod forms;
pub mod issuer;
pub mod issuer_rsa;
pub mod json;
pub mod oidc;
pub mod passkey;
pub mod rs256;
pub mod scan;
pub mod social;
pub mod softwallet;
pub mod wallet;

pub use es256::{Es256Error, Es256Key};
pub use forms::FormError;
pub use passkey::{Assertion, Passkey, PasskeyError};
pub use social::{LoginProvider, SocialError, SocialLogin};
pub use wallet::{Wallet, WalletApproval, WalletError};
