//! The circuits of social logins (docs/src/auth.md): key changes and payments approved by tokens of OpenID providers. One
//! for tokens with RS256 (family oidc), which has the L1 operations that say which keys of providers count too, and one for
//! tokens with ES256 (family oidc_es256), so that neither pays for the signatures of the other.
//!
//! **Proven.** There are `count` ops whose access logs, absorbed in some order by the tuple sponge, take the capacity
//! `start` to `end`, and each op is computed by its rule in the system S at the batch time T: an operation approved by a
//! token under a key that the read provider cell commits to, whose nonce is the message of the op, or a provider cell
//! set or cleared from the L1 queue. What cells held before is for the transition proof, that indices are distinct and
//! complete too.
//!
//! **Public values** (of [`tsz_ledger::ExecClaim`]): login, transfer, withdraw, approval: S (8), T (2); tuple: start (8), end
//! (8), count.
//!
//! | table | one row is |
//! |---|---|
//! | [`Login`] | RegisterKeyByOidc, RevokeKeyByOidc |
//! | [`tsz_fund::tables::Transfer`], [`tsz_fund::tables::Withdraw`] | PayByOidc |
//! | [`Approval`] | the token that approves one of these |
//! | [`SetProvider`] (RS256) | SetProvider, ClearProvider |
//! | [`tsz_chips::tuple`], [`tsz_chips::poseidon2`], [`tsz_chips::range`] | as everywhere |
//! | [`tsz_chips::oidc`] (six) | a character, entry, value, compression, key of tokens |
//! | [`tsz_chips::rsa`] (RS256) | a product modulo a key |
//! | [`tsz_chips::es256`], [`tsz_chips::ecdsa`], [`tsz_chips::bigint::mulmod`] (ES256) | a signature by a key, its parts |
//! | [`tsz_chips::sha256`], [`tsz_chips::base64url`], [`tsz_chips::bytes`] (two) | as in the circuit of passkeys |
//!
//! **Buses**: sends `op`, `key`, `val` to the tuple table; looks up `p2`, `range12`, `bytes`, `base64`, `oidc_provider`,
//! `rsa` or `es256`; receives `oidc_digest`, `oidc_value`; `token` from approvals to ops. **Degree budget**: 3. Soundness: `SOUNDNESS.md` beside this crate.

mod approval;
mod class;
mod login;
mod pay;
mod prove;
mod provider;
mod record;
#[cfg(test)]
mod tests;
mod time;
mod witness;

pub use approval::{Approval, ApprovalAir, Token};
pub use class::{CLASSES, Class, Counts, ES256_CLASSES, OidcAir, Signatures};
pub use login::{Login, LoginAir};
pub use pay::{TransferByAir, WithdrawByAir};
pub use prove::{ProveError, VerifyError, prove, public_values, verify};
pub use provider::{SetProvider, SetProviderAir};
pub use record::{OidcRecord, RecordError};
pub use time::Time;
pub use tsz_auth::oidc::Algorithm;
pub use witness::{Witness, WitnessError};

/// A proving key of a size class.
pub type ProvingKey = tsz_stark::ProvingKey<OidcAir>;
/// A verifying key of a size class.
pub type VerifyingKey = tsz_stark::VerifyingKey<OidcAir>;
