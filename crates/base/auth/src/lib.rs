//! Logins: what a passkey, a social login or a wallet signs, and when that counts (docs/src/auth.md).
//!
//! Each module decides one kind of login natively and **exactly**: the auth circuit accepts what this crate
//! accepts, byte for byte. A rule that the circuit cannot afford is not stated here either; each one is named in
//! docs/src/auth.md with its reason.
//!
//! | module | accepts |
//! |---|---|
//! | [`es256`] | ECDSA over P-256 of a SHA-256 digest (FIPS 186-5, SEC 1) |
//! | [`passkey`] | WebAuthn assertions: the limited verification algorithm of WebAuthn L3, 5.8.1.2 |
//! | [`base64url`] | RFC 4648 section 5 without padding, canonical |
//! | [`authenticator`] | a software authenticator for tests and development |
#![no_std]
extern crate alloc;

pub mod authenticator;
pub mod base64url;
pub mod es256;
mod forms;
pub mod passkey;

pub use es256::{Es256Error, Es256Key};
pub use forms::FormError;
pub use passkey::{Assertion, Passkey, PasskeyError};
