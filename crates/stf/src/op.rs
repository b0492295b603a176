//! The operations of the fund family.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use tsz_hash::Block;
use tsz_sig::Signature;
use tsz_types::KeySlot;

use crate::ops::{
    BeginBatch, Deposit, FullExit, L1RegisterKey, L1RevokeKey, RegisterKey, RevokeKey, Transfer, Withdraw,
};
use crate::{Env, Log, Receipt, Reject, Rule, SigVerifier, View};

/// Codes of the operations in messages and records.
#[expect(missing_docs, reason = "one constant for each operation")]
pub mod code {
    pub const BEGIN_BATCH: u32 = 1;
    pub const DEPOSIT: u32 = 2;
    pub const TRANSFER: u32 = 3;
    pub const WITHDRAW: u32 = 4;
    pub const REGISTER_KEY: u32 = 5;
    pub const REVOKE_KEY: u32 = 6;
    pub const FULL_EXIT: u32 = 7;
    pub const L1_REGISTER_KEY: u32 = 8;
    pub const L1_REVOKE_KEY: u32 = 9;
}

/// An operation of the fund family.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the structs are documented")]
pub enum FundOp {
    BeginBatch(BeginBatch),
    Deposit(Deposit),
    Transfer(Transfer),
    Withdraw(Withdraw),
    RegisterKey(RegisterKey),
    RevokeKey(RevokeKey),
    FullExit(FullExit),
    L1RegisterKey(L1RegisterKey),
    L1RevokeKey(L1RevokeKey),
}

impl FundOp {
    /// Its code in messages and records.
    pub fn code(&self) -> u32 {
        match self {
            Self::BeginBatch(_) => code::BEGIN_BATCH,
            Self::Deposit(_) => code::DEPOSIT,
            Self::Transfer(_) => code::TRANSFER,
            Self::Withdraw(_) => code::WITHDRAW,
            Self::RegisterKey(_) => code::REGISTER_KEY,
            Self::RevokeKey(_) => code::REVOKE_KEY,
            Self::FullExit(_) => code::FULL_EXIT,
            Self::L1RegisterKey(_) => code::L1_REGISTER_KEY,
            Self::L1RevokeKey(_) => code::L1_REVOKE_KEY,
        }
    }

    /// Whether L1 orders it.
    pub fn is_l1(&self) -> bool {
        self.l1_record().is_some()
    }

    /// Blocks of the signed message; `None` where nobody signs.
    pub fn message(&self) -> Option<[Block; 2]> {
        match self {
            Self::Transfer(op) => Some(op.message()),
            Self::Withdraw(op) => Some(op.message()),
            Self::RegisterKey(op) => Some(op.message()),
            Self::RevokeKey(op) => Some(op.message()),
            _ => None,
        }
    }

    /// The key slot and the signature; `None` where nobody signs.
    pub fn signature(&self) -> Option<(KeySlot, &Signature)> {
        match self {
            Self::Transfer(op) => Some((op.key_slot, &op.signature)),
            Self::Withdraw(op) => Some((op.key_slot, &op.signature)),
            Self::RegisterKey(op) => Some((op.key_slot, &op.signature)),
            Self::RevokeKey(op) => Some((op.key_slot, &op.signature)),
            _ => None,
        }
    }

    /// The signature, to be replaced by one of the message.
    pub fn signature_mut(&mut self) -> Option<&mut Signature> {
        match self {
            Self::Transfer(op) => Some(&mut op.signature),
            Self::Withdraw(op) => Some(&mut op.signature),
            Self::RegisterKey(op) => Some(&mut op.signature),
            Self::RevokeKey(op) => Some(&mut op.signature),
            _ => None,
        }
    }

    /// Blocks that the L1CHAIN cell absorbs; `None` where the operation is not from L1.
    pub fn l1_record(&self) -> Option<Vec<Block>> {
        match self {
            Self::Deposit(op) => Some(op.record().to_vec()),
            Self::FullExit(op) => Some(op.record().to_vec()),
            Self::L1RegisterKey(op) => Some(op.record().to_vec()),
            Self::L1RevokeKey(op) => Some(op.record().to_vec()),
            _ => None,
        }
    }
}

macro_rules! variants {
    ($($name:ident),*) => { $(
        impl From<$name> for FundOp {
            fn from(op: $name) -> Self {
                Self::$name(op)
            }
        }
    )* };
}

variants!(
    BeginBatch,
    Deposit,
    Transfer,
    Withdraw,
    RegisterKey,
    RevokeKey,
    FullExit,
    L1RegisterKey,
    L1RevokeKey
);

impl Rule for FundOp {
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<Receipt, Reject> {
        match self {
            Self::BeginBatch(op) => op.run(env, log),
            Self::Deposit(op) => op.run(env, log),
            Self::Transfer(op) => op.run(env, log),
            Self::Withdraw(op) => op.run(env, log),
            Self::RegisterKey(op) => op.run(env, log),
            Self::RevokeKey(op) => op.run(env, log),
            Self::FullExit(op) => op.run(env, log),
            Self::L1RegisterKey(op) => op.run(env, log),
            Self::L1RevokeKey(op) => op.run(env, log),
        }
    }
}
