//! The circuits of logins: key changes and payments approved by external keys (docs/src/auth.md). One for passkeys (family auth), one
//! for wallets (family wallet), so that neither pays for the other.
//!
//! **Proven.** There are `count` ops whose access logs, absorbed in some order by the tuple sponge, take the capacity
//! `start` to `end`, and each op is computed by its rule in the system S at the batch time T: approved by a passkey
//! (wallet) of the account that may and has not expired, over the message of the op with the account's nonce. What cells held
//! before is for the transition proof, that indices are distinct and complete too.
//!
//! **Public values** (of [`tsz_ledger::ExecClaim`]): login: S (8), T (2); tuple: start (8), end (8), count.
//!
//! | table | one row is | columns + LogUp |
//! |---|---|---|
//! | [`Login`] | RegisterKeyBy.., RevokeKeyBy.. | 93 + 80 |
//! | [`tsz_fund::tables::Transfer`], [`tsz_fund::tables::Withdraw`] | TransferBy.., WithdrawBy.. | |
//! | [`tsz_chips::tuple`] | a block of a tuple | 29 + 24 |
//! | [`tsz_chips::poseidon2`] | a permutation | 299 + 8 |
//! | [`tsz_chips::range`] | a 12-bit value | 1 + 8 |
//! | [`tsz_chips::passkey`] (passkeys) | an assertion | 995 + 512 |
//! | [`tsz_chips::sha256`] (passkeys) | an eighteenth of a compression | 505 + 12 |
//! | [`tsz_chips::base64url`] (passkeys) | a character | 1 + 8 |
//! | [`tsz_chips::wallet`] (wallets) | an approval | |
//! | [`tsz_chips::keccak`] (wallets) | a round | |
//! | [`tsz_chips::ecdsa`] (four) | a signature, a ladder step, a comb step, an entry | |
//! | [`tsz_chips::bigint::mulmod`] | a product | |
//! | [`tsz_chips::bytes`] (two) | two bytes, a 15-bit value | 1 + 8 |
//!
//! **Buses**: sends `op`, `key`, `val` to the tuple table; looks up `p2`, `range12`, `login` (docs/src/tuple.md).
//! **Degree budget**: 3. Soundness: `SOUNDNESS.md` beside this crate.

mod class;
mod login;
mod pay;
mod prove;
#[cfg(test)]
mod tests;
mod witness;

pub use class::{AuthAir, CLASSES, Class, WALLET_CLASSES};
pub use login::{AuthRecord, Kind, Login, LoginAir, RecordError};
pub use pay::{TransferByAir, WithdrawByAir};
pub use prove::{ProveError, VerifyError, prove, public_values, verify};
pub use witness::{Witness, WitnessError};

/// A proving key of a size class.
pub type ProvingKey = tsz_stark::ProvingKey<AuthAir>;
/// A verifying key of a size class.
pub type VerifyingKey = tsz_stark::VerifyingKey<AuthAir>;
