//! Fund ops as the circuit takes them: plain integers, felts and the access log.

use tsz_hash::{Digest, F};
use tsz_ledger::Access;
use tsz_sig::Signature;

/// A bucket of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// Account (u24).
    pub account: u32,
    /// Sub-account (< 32).
    pub sub: u32,
    /// Collateral cell instead of a balance.
    pub collateral: bool,
}

/// What a key slot is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPolicy {
    /// Key id.
    pub key_id: Digest,
    /// Scheme 1..4.
    pub scheme: u32,
    /// Permission bits (< 64).
    pub permissions: u32,
    /// Expiry in ms (u48).
    pub expiry: u64,
}

/// Who signed, with which slot.
#[derive(Clone, Copy, Debug)]
pub struct Signed {
    /// Key slot (< 48).
    pub slot: u32,
    /// Signature over the op's message.
    pub signature: Signature,
}

/// A fund op.
#[derive(Clone, Debug)]
pub enum Op {
    /// BeginBatch.
    Begin,
    /// L1 deposit.
    Deposit {
        /// Destination.
        to: Leg,
        /// Token (< 128).
        token: u32,
        /// Units (u60).
        units: u64,
        /// L1 owner as seven felts.
        owner: [F; 7],
    },
    /// Transfer.
    Transfer {
        /// Source.
        from: Leg,
        /// Destination.
        to: Leg,
        /// Token (< 128).
        token: u32,
        /// Units (u60).
        units: u64,
        /// The signer.
        signed: Signed,
    },
    /// Withdraw.
    Withdraw {
        /// Source.
        from: Leg,
        /// Token (< 128).
        token: u32,
        /// Units (u60).
        units: u64,
        /// L1 recipient as seven felts.
        to: [F; 7],
        /// The signer.
        signed: Signed,
    },
    /// RegisterKey (`Some`) or RevokeKey (`None`).
    Key {
        /// Account.
        account: u32,
        /// Slot written.
        slot: u32,
        /// New content.
        policy: Option<KeyPolicy>,
        /// The signer.
        signed: Signed,
    },
    /// L1 full exit.
    Exit {
        /// Bucket.
        from: Leg,
        /// Token (< 128).
        token: u32,
        /// L1 sender as seven felts.
        sender: [F; 7],
    },
    /// L1RegisterKey (`Some`) or L1RevokeKey (`None`).
    L1Key {
        /// Account.
        account: u32,
        /// Slot written.
        slot: u32,
        /// New content.
        policy: Option<KeyPolicy>,
        /// L1 sender as seven felts.
        sender: [F; 7],
    },
}

impl Op {
    /// Index of the op's table.
    pub fn table(&self) -> usize {
        match self {
            Self::Begin => 0,
            Self::Deposit { .. } => 1,
            Self::Transfer { .. } => 2,
            Self::Withdraw { .. } => 3,
            Self::Key { .. } => 4,
            Self::L1Key { .. } => 5,
            Self::Exit { .. } => 6,
        }
    }
}

/// Number of op tables.
pub const OP_TABLES: usize = 7;

/// An op that the ledger applied.
#[derive(Clone, Debug)]
pub struct FundRecord {
    /// Sequence number in the batch.
    pub index: u32,
    /// The op.
    pub op: Op,
    /// What it accessed, in order.
    pub accesses: Vec<Access>,
}
