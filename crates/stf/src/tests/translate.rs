//! The implementation's operations for the model's plain numbers.

use tsz_hash::Digest;
use tsz_ledger::{KeyPolicy, Permissions, Scheme};
use tsz_sig::Signature;
use tsz_types::{AccountId, Bucket, EthAddress, L1Serial, SubId, TimeMs};

use super::model::{Auth, Op, Place, Slot};
use super::world::{account, nonce, slot, sub, token, units};
use crate::*;

/// An address in bytes and as the model's number: few, and all below 2^128.
pub fn person(n: u8) -> (EthAddress, u128) {
    let mut bytes = [0; 20];
    bytes[19] = n + 1;
    bytes[8] = 0x80;
    (EthAddress(bytes), (u128::from(n) + 1) | (0x80 << 88))
}

fn address(number: &u128) -> EthAddress {
    person(*number as u8 - 1).0
}

fn place(p: &Place) -> (AccountId, SubId, Bucket) {
    let bucket = if p.2 == 1 { Bucket::Collateral } else { Bucket::Balance };
    (account(p.0 as u32), sub(p.1 as u8), bucket)
}

fn key(slot: &Slot) -> (Digest, KeyPolicy) {
    let scheme = Scheme::from_code(slot.1 as u32).unwrap();
    let permissions = Permissions::from_bits(slot.2 as u32).unwrap();
    (slot.0, KeyPolicy { scheme, permissions, expiry: TimeMs::new(slot.3 as u64).unwrap() })
}

/// The part of the operation that says who signs.
pub fn auth(op: &Op) -> Option<&Auth> {
    match op {
        Op::Transfer { auth, .. }
        | Op::Withdraw { auth, .. }
        | Op::RegisterKey { auth, .. }
        | Op::RevokeKey { auth, .. } => Some(auth),
        _ => None,
    }
}

/// The operation, with `signature` where one is needed.
pub fn translate(op: &Op, signature: Signature) -> FundOp {
    match auth(op) {
        Some(auth) => signed(op, nonce(auth.nonce as u32), slot(auth.slot as u8), signature),
        None => from_l1(op),
    }
}

fn signed(op: &Op, nonce: tsz_types::Nonce, key_slot: tsz_types::KeySlot, signature: Signature) -> FundOp {
    match op {
        Op::Transfer { from, to, token: t, units: u, .. } => {
            let ((account, sub, bucket), (to_account, to_sub, to_bucket)) = (place(from), place(to));
            let (token, units) = (token(*t as u8), units(*u as u64));
            let from = Transfer {
                account,
                sub,
                bucket,
                to_account,
                to_sub,
                to_bucket,
                token,
                units,
                nonce,
                key_slot,
                signature,
            };
            from.into()
        }
        Op::Withdraw { from, token: t, units: u, to, .. } => {
            let (account, sub, bucket) = place(from);
            let (token, units, to) = (token(*t as u8), units(*u as u64), address(to));
            Withdraw { account, sub, bucket, token, units, to, nonce, key_slot, signature }.into()
        }
        Op::RegisterKey { account: a, slot: s, key: k, .. } => {
            let (account, slot) = (account(*a as u32), slot(*s as u8));
            let (key_id, KeyPolicy { scheme, permissions, expiry }) = key(k);
            RegisterKey { account, slot, key_id, scheme, permissions, expiry, nonce, key_slot, signature }
                .into()
        }
        Op::RevokeKey { account: a, slot: s, .. } => {
            let (account, slot) = (account(*a as u32), slot(*s as u8));
            RevokeKey { account, slot, nonce, key_slot, signature }.into()
        }
        _ => unreachable!("nobody signs {op:?}"),
    }
}

fn from_l1(op: &Op) -> FundOp {
    let number = |s: &u128| L1Serial::new(*s as u64).unwrap();
    match op {
        Op::Deposit { serial, to, token: t, units: u, owner } => {
            let (account, sub, bucket) = place(to);
            let (serial, owner) = (number(serial), address(owner));
            Deposit { serial, account, sub, bucket, token: token(*t as u8), units: units(*u as u64), owner }
                .into()
        }
        Op::FullExit { serial, from, token: t, sender } => {
            let (account, sub, bucket) = place(from);
            let (serial, token, sender) = (number(serial), token(*t as u8), address(sender));
            FullExit { serial, account, sub, bucket, token, sender }.into()
        }
        Op::L1Key { serial, account: a, slot: s, key: k, sender } => {
            let (serial, account, slot) = (number(serial), account(*a as u32), slot(*s as u8));
            let sender = address(sender);
            let Some(k) = k else {
                return L1RevokeKey { serial, account, slot, sender }.into();
            };
            let (key_id, KeyPolicy { scheme, permissions, expiry }) = key(k);
            L1RegisterKey { serial, account, slot, key_id, scheme, permissions, expiry, sender }.into()
        }
        _ => unreachable!("{op:?} is signed"),
    }
}
