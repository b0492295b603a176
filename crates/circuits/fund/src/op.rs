//! Fund ops as the circuit takes them: plain integers, felts and the access log.

use tsz_hash::{Digest, F};
use tsz_ledger::Access;
use tsz_sig::Signature;
use tsz_stf::FundOp;
use tsz_trade::TradeOp;
use tsz_types::{AccountId, Bucket, KeySlot, SubId};

/// A bucket of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leg {
    /// Account (u24).
    pub account: u32,
    /// Sub-account (< 32).
    pub sub: u32,
    /// Collateral cell instead of a balance.
    pub collateral: bool,
}

/// What a key slot is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyPolicy {
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
pub(crate) struct Signed {
    /// Key slot (< 48).
    pub slot: u32,
    /// Signature over the op's message.
    pub signature: Signature,
}

/// A fund op.
#[derive(Clone, Debug)]
pub(crate) enum Op {
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
    /// CancelOrder.
    Cancel {
        /// Account.
        account: u32,
        /// Sub-account (< 32).
        sub: u32,
        /// Order slot (u8).
        slot: u32,
        /// Last nonce that ends.
        nonce: u32,
        /// The signer.
        signed: Signed,
    },
    /// CancelAll.
    CancelAll {
        /// Account.
        account: u32,
        /// Sub-account (< 32).
        sub: u32,
        /// Good from this time on (u48, ms).
        not_before: u64,
        /// The signer.
        signed: Signed,
    },
    /// An op of another family: no table takes it.
    Foreign,
}

/// Index of an op's table; `None` for an op of another family.
pub(crate) fn table(op: &tsz_trade::Op) -> Option<usize> {
    match op {
        tsz_trade::Op::Fund(op) => Some(fund_table(op)),
        tsz_trade::Op::Trade(TradeOp::CancelOrder(_)) => Some(7),
        tsz_trade::Op::Trade(TradeOp::CancelAll(_)) => Some(8),
        tsz_trade::Op::Trade(_) | tsz_trade::Op::Auth(_) | tsz_trade::Op::Ext(_) => None,
    }
}

fn fund_table(op: &FundOp) -> usize {
    match op {
        FundOp::BeginBatch(_) => 0,
        FundOp::Deposit(_) => 1,
        FundOp::Transfer(_) => 2,
        FundOp::Withdraw(_) => 3,
        FundOp::RegisterKey(_) | FundOp::RevokeKey(_) => 4,
        FundOp::L1RegisterKey(_) | FundOp::L1RevokeKey(_) => 5,
        FundOp::FullExit(_) => 6,
    }
}

/// Number of op tables.
pub const OP_TABLES: usize = 9;

/// An op that the ledger applied.
#[derive(Clone, Debug)]
pub struct FundRecord {
    /// Sequence number in the batch.
    pub index: u32,
    /// The op: of the fund family.
    pub op: tsz_trade::Op,
    /// What it accessed, in order.
    pub accesses: Vec<Access>,
}

/// A record with its op in plain integers.
#[derive(Clone, Debug)]
pub(crate) struct OpRecord<'a> {
    pub index: u32,
    pub op: Op,
    pub accesses: &'a [Access],
}

impl<'a> From<&'a FundRecord> for OpRecord<'a> {
    fn from(record: &'a FundRecord) -> Self {
        Self { index: record.index, op: Op::from(&record.op), accesses: &record.accesses }
    }
}

fn leg(account: AccountId, sub: SubId, bucket: Bucket) -> Leg {
    Leg { account: account.get(), sub: sub.get().into(), collateral: bucket.is_collateral() }
}

fn policy(key_id: Digest, policy: tsz_ledger::KeyPolicy) -> Option<KeyPolicy> {
    let (scheme, permissions) = (policy.scheme.code(), policy.permissions.bits());
    Some(KeyPolicy { key_id, scheme, permissions, expiry: policy.expiry.get() })
}

fn signed(slot: KeySlot, signature: Signature) -> Signed {
    Signed { slot: slot.get().into(), signature }
}

impl From<&tsz_trade::Op> for Op {
    fn from(op: &tsz_trade::Op) -> Self {
        match op {
            tsz_trade::Op::Fund(op) => Self::from(op),
            tsz_trade::Op::Trade(TradeOp::CancelOrder(op)) => Self::Cancel {
                account: op.account.get(),
                sub: op.sub.get().into(),
                slot: op.slot.get().into(),
                nonce: op.nonce.get(),
                signed: signed(op.key_slot, op.signature),
            },
            tsz_trade::Op::Trade(TradeOp::CancelAll(op)) => Self::CancelAll {
                account: op.account.get(),
                sub: op.sub.get().into(),
                not_before: op.not_before.get(),
                signed: signed(op.key_slot, op.signature),
            },
            tsz_trade::Op::Trade(_) | tsz_trade::Op::Auth(_) | tsz_trade::Op::Ext(_) => Self::Foreign,
        }
    }
}

impl From<&FundOp> for Op {
    fn from(op: &FundOp) -> Self {
        match op {
            FundOp::BeginBatch(_) => Self::Begin,
            FundOp::Deposit(op) => Self::Deposit {
                to: leg(op.account, op.sub, op.bucket),
                token: op.token.get().into(),
                units: op.units.get(),
                owner: op.owner.to_felts(),
            },
            FundOp::Transfer(op) => Self::Transfer {
                from: leg(op.account, op.sub, op.bucket),
                to: leg(op.to_account, op.to_sub, op.to_bucket),
                token: op.token.get().into(),
                units: op.units.get(),
                signed: signed(op.key_slot, op.signature),
            },
            FundOp::Withdraw(op) => Self::Withdraw {
                from: leg(op.account, op.sub, op.bucket),
                token: op.token.get().into(),
                units: op.units.get(),
                to: op.to.to_felts(),
                signed: signed(op.key_slot, op.signature),
            },
            FundOp::RegisterKey(op) => Self::Key {
                account: op.account.get(),
                slot: op.slot.get().into(),
                policy: policy(op.key_id, op.policy()),
                signed: signed(op.key_slot, op.signature),
            },
            FundOp::RevokeKey(op) => Self::Key {
                account: op.account.get(),
                slot: op.slot.get().into(),
                policy: None,
                signed: signed(op.key_slot, op.signature),
            },
            FundOp::FullExit(op) => Self::Exit {
                from: leg(op.account, op.sub, op.bucket),
                token: op.token.get().into(),
                sender: op.sender.to_felts(),
            },
            FundOp::L1RegisterKey(op) => Self::L1Key {
                account: op.account.get(),
                slot: op.slot.get().into(),
                policy: policy(op.key_id, op.policy()),
                sender: op.sender.to_felts(),
            },
            FundOp::L1RevokeKey(op) => Self::L1Key {
                account: op.account.get(),
                slot: op.slot.get().into(),
                policy: None,
                sender: op.sender.to_felts(),
            },
        }
    }
}
