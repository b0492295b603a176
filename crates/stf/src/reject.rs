//! Why an operation of the operator is refused.

use alloc::string::ToString;
use core::fmt::Display;
use serde::{Serialize, Serializer};
use thiserror::Error;
use tsz_auth::{PasskeyError, SocialError, WalletError};
use tsz_ledger::{CellError, Key, Permission, Permissions, Scheme};
use tsz_types::{
    AccountId, BatchNumber, KeySlot, L1Serial, Nonce, NumberError, ProviderSlot, TimeMs, TokenId, Units,
};

/// Why an operation cannot be part of the batch here. The state is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum Reject {
    /// BeginBatch elsewhere than at the front.
    #[error("begin_batch must be op 0 of the batch, this is op {index}")]
    NotFirst { index: u32 },
    /// The batch numbers do not follow each other.
    #[error("the batch has number {got}, the state expects {expected}")]
    BatchNumber { expected: u64, got: u64 },
    /// Time goes back or exceeds its width.
    #[error("batch time {got} is not in {previous}..={max}", max = TimeMs::MAX)]
    Time { previous: TimeMs, got: u64 },
    /// A batch under other parameters than those in force.
    #[error("the parameter hash of the batch is not the one in the state")]
    Params,
    /// An L1 operation out of turn.
    #[error("L1 serial {got}, the next one is {expected}")]
    Serial { expected: L1Serial, got: L1Serial },
    /// A receiver that does not exist.
    #[error("account {account} does not exist: the next new account is {next_account}")]
    NoAccount { account: AccountId, next_account: u32 },
    /// An account that never signs.
    #[error("account {account} is reserved and never signs")]
    Reserved { account: AccountId },
    /// An empty key slot.
    #[error("account {account} has no key in slot {slot}")]
    NoKey { account: AccountId, slot: KeySlot },
    /// A key of a scheme that does not sign this operation.
    #[error("key slot {slot} of account {account} has scheme {scheme:?}, this operation needs another")]
    WrongScheme { account: AccountId, slot: KeySlot, scheme: Scheme },
    /// A key without the right.
    #[error("key slot {slot} has permissions {has:?}, {needed:?} is needed")]
    Permission { slot: KeySlot, needed: Permission, has: Permissions },
    /// An expired key.
    #[error("key slot {slot} expired at {expiry}, the batch time is {time}")]
    Expired { slot: KeySlot, expiry: TimeMs, time: u64 },
    /// A replayed or premature operation.
    #[error("nonce {got}, the account expects {expected}")]
    Nonce { expected: Nonce, got: Nonce },
    /// The last nonce is never used.
    #[error("the nonces of this sub-account are used up")]
    NonceExhausted,
    /// A signature that does not match key and message.
    #[error("the signature does not match key and message")]
    Signature,
    /// A passkey that is not the one in the slot.
    #[error("key slot {slot} of account {account} holds another passkey")]
    OtherPasskey { account: AccountId, slot: KeySlot },
    /// An assertion that does not approve the operation.
    #[error("passkey: {error}")]
    Passkey {
        #[serde(serialize_with = "text")]
        error: PasskeyError,
    },
    /// A wallet that is not the one in the slot.
    #[error("key slot {slot} of account {account} holds another wallet")]
    OtherWallet { account: AccountId, slot: KeySlot },
    /// A signature that does not approve the operation.
    #[error("wallet: {error}")]
    Wallet {
        #[serde(serialize_with = "text")]
        error: WalletError,
    },
    /// A provider's key that is not the one in the state: never set, rotated, or of another audience.
    #[error("cell {slot} of the providers holds another key")]
    OtherProvider { slot: ProviderSlot },
    /// A token that does not approve the operation.
    #[error("social login: {error}")]
    Social {
        #[serde(serialize_with = "text")]
        error: SocialError,
    },
    /// A bucket that holds too little.
    #[error("{needed} millionths of token {token} are needed, the bucket holds {held}")]
    Insufficient {
        token: TokenId,
        #[serde(serialize_with = "text")]
        held: i128,
        #[serde(serialize_with = "text")]
        needed: i128,
    },
    /// Collateral that backs positions.
    #[error("positions or margin tokens stand beside the collateral (holdings {holdings})")]
    OpenPositions { holdings: u16 },
    /// A transfer from a cell to itself.
    #[error("source and destination are the same bucket")]
    SameBucket,
    /// Collateral in another token than the quote token.
    #[error("collateral is held in token 0 only, not in token {token}")]
    NotQuote { token: TokenId },
    /// An operation that moves nothing.
    #[error("the amount is zero")]
    ZeroUnits,
    /// A token that cannot be withdrawn.
    #[error("token {token} is not listed")]
    NotListed { token: TokenId },
    /// A withdrawal that is too small.
    #[error("{units} units of token {token} are below the minimum withdrawal of {minimum}")]
    BelowMinimum { token: TokenId, units: Units, minimum: Units },
    /// A result outside its width.
    #[error("{error}")]
    Width {
        #[serde(serialize_with = "text")]
        error: NumberError,
    },
    /// A leaf that no operation can have written.
    #[error("leaf {key:#x} is corrupt: {error}")]
    Corrupt {
        key: u64,
        #[serde(serialize_with = "text")]
        error: CellError,
    },
}

impl Reject {
    pub(crate) fn corrupt(key: Key, error: CellError) -> Self {
        Self::Corrupt { key: key.raw(), error }
    }

    pub(crate) fn batch_number(expected: BatchNumber, got: u64) -> Self {
        Self::BatchNumber { expected: expected.get(), got }
    }
}

impl From<NumberError> for Reject {
    fn from(error: NumberError) -> Self {
        Self::Width { error }
    }
}

fn text<T: Display, S: Serializer>(value: &T, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&value.to_string())
}
