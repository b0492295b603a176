//! Golden: the tables of messages and records of docs/src/fund.md.

use super::world::*;
use crate::*;
use tsz_codec::{Encode, decode_all};
use tsz_hash::{F, PrimeCharacteristicRing, step};
use tsz_ledger::{Permission, Scheme};
use tsz_types::{Bucket, EthAddress, L1Serial, TimeMs};

fn block(felts: [u32; 8]) -> [F; 8] {
    felts.map(F::from_u32)
}

fn address() -> EthAddress {
    EthAddress(core::array::from_fn(|k| k as u8))
}

const ADDRESS: [u32; 7] = [0x111213, 0x0e0f10, 0x0b0c0d, 0x08090a, 0x050607, 0x020304, 1];
const A: [u32; 7] = ADDRESS;

fn wide_units() -> tsz_types::Units {
    units(11 | 12 << 24 | 13 << 48)
}

fn key_id() -> [F; 8] {
    block([21, 22, 23, 24, 25, 26, 27, 28])
}

#[test]
fn messages_are_pinned() {
    let world = World::new();
    let n = nonce(31 | 32 << 24);
    let transfer = Transfer {
        sub: sub(3),
        bucket: Bucket::Collateral,
        to_sub: sub(4),
        units: wide_units(),
        nonce: n,
        ..world.transfer()
    };
    let blocks = [block([3, 2, 7, 5, 11, 12, 13, 32]), block([3, 8, 0, 0, 0, 0, 0, 31])];
    assert_eq!(transfer.message(), blocks);
    let withdraw = Withdraw { units: wide_units(), nonce: n, to: address(), ..world.withdraw() };
    let blocks = [block([4, 2, 0, 0, 11, 12, 13, 32]), block([A[0], A[1], A[2], A[3], A[4], A[5], A[6], 31])];
    assert_eq!(withdraw.message(), blocks);
    let expiry = TimeMs::new(41 | 42 << 24).unwrap();
    let permissions = [Permission::Trade, Permission::Extension].into_iter().collect();
    let scheme = Scheme::P256;
    let register = RegisterKey { scheme, permissions, expiry, nonce: n, ..world.register(key_id()) };
    assert_eq!(register.message(), [block([5, 2, 7 + 128, 33, 41, 42, 31, 32]), key_id()]);
    let (account, slot, key_slot) = (account(2), slot(7), slot(0));
    let revoke = RevokeKey { account, slot, nonce: n, key_slot, signature: world.blank() };
    assert_eq!(revoke.message(), [block([6, 2, 7, 0, 0, 0, 31, 32]), block([0; 8])]);
    let system = world.batch.system;
    let digest = step(&revoke.message()[1], &step(&revoke.message()[0], &system));
    assert_eq!(message(&system, &revoke.message()), digest);
}

#[test]
fn records_are_pinned() {
    let serial = L1Serial::new(51 | 52 << 24 | 53 << 48).unwrap();
    let deposit = Deposit { serial, units: wide_units(), owner: address(), sub: sub(3), ..deposit(0, 9) };
    let blocks = [
        block([2, 51, 52, 53, 9, 5 * 64 + 6, 11, 12]),
        block([13, A[0], A[1], A[2], A[3], A[4], A[5], A[6]]),
    ];
    assert_eq!(deposit.record(), blocks);
    let exit = FullExit { serial, bucket: Bucket::Collateral, token: token(0), ..full_exit(0, 9, address()) };
    let sender = [A[0], A[1], A[2], A[3], A[4], A[5], A[6]];
    let with_sender = |head: u32| {
        let [a, b, c, d, e, f, g] = sender;
        block([head, a, b, c, d, e, f, g])
    };
    assert_eq!(exit.record(), [block([7, 51, 52, 53, 9, 1, 0, 0]), with_sender(0)]);
    let (account, slot, sender) = (account(9), slot(47), address());
    let expiry = TimeMs::new(41 | 42 << 24).unwrap();
    let permissions = [Permission::Withdraw].into_iter().collect();
    let (scheme, key_id) = (Scheme::Secp256k1, key_id());
    let register = L1RegisterKey { serial, account, slot, key_id, scheme, permissions, expiry, sender };
    assert_eq!(register.record(), [block([8, 51, 52, 53, 9, 47 + 256, 8, 41]), with_sender(42), key_id]);
    let revoke = L1RevokeKey { serial, account, slot, sender };
    assert_eq!(revoke.record(), [block([9, 51, 52, 53, 9, 47, 0, 0]), with_sender(0), block([0; 8])]);
    let (sub, bucket, token) = (sub(31), Bucket::Balance, token(127));
    let out = OutRecord { op: 4, account, sub, bucket, token, units: wide_units(), to: address() };
    let blocks = [
        block([4, 9, 127 * 64 + 62, 11, 12, 13, 0, 0]),
        block([A[0], A[1], A[2], A[3], A[4], A[5], A[6], 0]),
    ];
    assert_eq!(out.blocks(), blocks);
}

#[test]
fn operations_round_trip_as_bytes() {
    let world = World::new();
    let (account, slot, sender) = (account(9), slot(47), address());
    let serial = L1Serial::MAX;
    let revoke = RevokeKey { account, slot, nonce: nonce(4), key_slot: slot, signature: world.blank() };
    let register = L1RegisterKey {
        serial,
        account,
        slot,
        key_id: key_id(),
        scheme: Scheme::Oidc,
        permissions: tsz_ledger::Permissions::ALL,
        expiry: TimeMs::MAX,
        sender,
    };
    let ops: [FundOp; 9] = [
        BeginBatch {}.into(),
        deposit(1, 2).into(),
        world.transfer().into(),
        world.withdraw().into(),
        world.register(key_id()).into(),
        revoke.into(),
        full_exit(3, 4, sender).into(),
        register.into(),
        L1RevokeKey { serial, account, slot, sender }.into(),
    ];
    for (code, op) in (1u8..).zip(&ops) {
        let bytes = op.to_bytes();
        assert_eq!(bytes[0], code);
        assert_eq!(decode_all::<FundOp>(&bytes).as_ref(), Ok(op));
        assert!(decode_all::<FundOp>(&bytes[..bytes.len() - 1]).is_err());
        let json = serde_json::to_string(op).unwrap();
        assert_eq!(serde_json::from_str::<FundOp>(&json).unwrap(), *op);
    }
    assert!(decode_all::<FundOp>(&[0]).is_err());
    assert!(decode_all::<FundOp>(&[10]).is_err());
}
