//! Bytes of operations: one encoding each, and no bytes that are another.

use super::world::*;
use crate::*;
use alloc::vec::Vec;
use proptest::prelude::*;
use tsz_codec::{CodecError, Decode, Encode, decode_all};
use tsz_ext_sdk::{MAX_ACCESSES, MAX_ARGS, MAX_PARTIES, P};
use tsz_ledger::Key;
use tsz_types::{KeySlot, Nonce, TimeMs};

fn approvers() -> impl Strategy<Value = Approver> {
    (0u32..1 << 24, 0u8..32, 0u8..7).prop_map(|(a, s, k)| Approver {
        account: account(a),
        sub: super::world::sub(s),
        slot: slot(k),
    })
}

fn extensions() -> impl Strategy<Value = ExtOp> {
    let touch = (0u64..1 << 40, any::<bool>()).prop_map(|(key, write)| Touch { key, write });
    let parts = (
        prop::array::uniform8(0u32..P),
        prop::collection::vec(approvers(), 0..=MAX_PARTIES),
        prop::collection::vec(touch, 0..40),
        prop::collection::vec(0u32..P, 0..100),
    );
    parts.prop_map(|(program, parties, cells, args)| {
        let program = program.map(<tsz_hash::F as tsz_hash::PrimeCharacteristicRing>::from_u32);
        ExtOp::Extension(Extension { program, parties, cells, args })
    })
}

/// Approvals, revocations, operations; the signatures are of other messages.
fn operations() -> impl Strategy<Value = ExtOp> {
    let world = World::new();
    let signature = world.keys[0].sign(&id(9));
    let limits = prop::collection::vec((0u8..=128, 0u64..1 << 60).prop_map(|(t, n)| limit(t, n)), 0..=4);
    let head = (approvers(), 0u64..1 << 48, limits, 0u32..1 << 30, 0u8..16, 0u32..P);
    let signed = head.prop_map(move |(place, expiry, limits, nonce, key_slot, n)| {
        let Approver { account, sub, slot } = place;
        let (nonce, key_slot) = (Nonce::new(nonce).unwrap(), KeySlot::new(key_slot).unwrap());
        let expiry = TimeMs::new(expiry).unwrap();
        let (program, terms) = (id(n), id(n / 2));
        if n % 4 == 0 {
            ExtOp::RevokeExtension(RevokeExtension { account, sub, slot, nonce, key_slot, signature })
        } else {
            ExtOp::ApproveExtension(ApproveExtension {
                account,
                sub,
                slot,
                program,
                terms,
                expiry,
                limits,
                nonce,
                key_slot,
                signature,
            })
        }
    });
    prop_oneof![signed, extensions()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn operations_survive_their_bytes(op in operations()) {
        let bytes = op.to_bytes();
        prop_assert_eq!(u32::from(bytes[0]), op.code());
        prop_assert_eq!(decode_all::<ExtOp>(&bytes), Ok(op));
        let longer = [&bytes[..], &[0]].concat();
        let trailing = Err(CodecError::Trailing { at: bytes.len(), left: 1 });
        prop_assert_eq!(decode_all::<ExtOp>(&longer), trailing);
        for len in 0..bytes.len() {
            prop_assert!(decode_all::<ExtOp>(&bytes[..len]).is_err(), "{}", len);
        }
    }

    #[test]
    fn changed_bytes_are_another_operation_or_none(
        op in operations(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..8),
    ) {
        let bytes = op.to_bytes();
        for (at, change) in changes {
            let mut changed = bytes.clone();
            changed[at.index(bytes.len())] ^= change;
            if let Ok(other) = decode_all::<ExtOp>(&changed) {
                prop_assert_eq!(other.to_bytes(), changed);
                prop_assert_ne!(&other, &op);
            }
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(
        code in 80u8..83,
        bytes in prop::collection::vec(prop_oneof![Just(0u8), Just(1), any::<u8>()], 0..400),
    ) {
        let bytes = [&[code], &bytes[..]].concat();
        if let Ok(op) = decode_all::<ExtOp>(&bytes) {
            prop_assert_eq!(op.to_bytes(), bytes);
        }
    }
}

fn refused(bytes: &[u8], what: &str) {
    let error = decode_all::<ExtOp>(bytes).unwrap_err();
    assert!(matches!(error, CodecError::Invalid { what: got, .. } if got == what), "{error}");
}

#[test]
fn bytes_are_pinned() {
    let world = World::new();
    let op = operation(id(7), &[2, 3], &[bal(2, BASE), Touch::read(Key::HEAD)], &[5, P - 1]);
    let bytes = ExtOp::Extension(op).to_bytes();
    let mut expected = Vec::from([82]);
    (0..8).for_each(|_| expected.extend([7, 0, 0, 0]));
    expected.extend([2, 0, 0, 0, 2, 0, 0, 0, 0, 3, 0, 0, 0, 0]); // account (3), sub, slot
    expected.extend([2, 0, 0, 0]);
    for (key, write) in [(Key::bal(2, 0, 5), 1), (Key::HEAD, 0)] {
        expected.extend(key.raw().to_le_bytes());
        expected.push(write);
    }
    expected.extend([2, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0x78]);
    assert_eq!(bytes, expected);
    let approval = world.approval(2, id(1), id(2), &[limit(QUOTE, 3), limit(BASE, 4)]);
    let bytes = ExtOp::ApproveExtension(approval).to_bytes();
    assert_eq!(bytes[..6], [80, 2, 0, 0, 0, 0]);
    assert_eq!(bytes.len(), 1 + 5 + 64 + 6 + 4 + 2 * 9 + 4 + 1 + tsz_sig::SIGNATURE_BYTES);
    let revocation = ExtOp::RevokeExtension(world.revocation(2)).to_bytes();
    assert_eq!(revocation[..6], [81, 2, 0, 0, 0, 0]);
    assert_eq!(revocation.len(), 1 + 5 + 4 + 1 + tsz_sig::SIGNATURE_BYTES);
}

#[test]
fn second_representations_and_long_lists_are_refused() {
    let op = operation(id(7), &[2, 3], &[bal(2, BASE)], &[5]);
    let bytes = ExtOp::Extension(op).to_bytes();
    let with = |at: usize, new: &[u8]| {
        let mut changed = bytes.clone();
        changed[at..at + new.len()].copy_from_slice(new);
        changed
    };
    refused(&with(0, &[83]), "op code");
    refused(&with(1, &P.to_le_bytes()), "felt");
    refused(&with(41, &[7]), "approval slot"); // of the first party
    let key = 33 + 4 + 10 + 4;
    refused(&with(key, &(1u64 << 40).to_le_bytes()), "key");
    refused(&with(key + 8, &[2]), "bool");
    refused(&with(key + 13, &P.to_le_bytes()), "felt");
    // a list above its bound is refused by its length, whatever follows
    for (at, max) in [(33, MAX_PARTIES), (key - 4, MAX_ACCESSES), (key + 9, MAX_ARGS)] {
        let longer = [&with(at, &(max as u32 + 1).to_le_bytes())[..], &[0; 40_000]].concat();
        let error = decode_all::<ExtOp>(&longer).unwrap_err();
        assert!(matches!(error, CodecError::Length { max: bound, .. } if bound == max as u64), "{error}");
    }
    assert!(<ExtOp as Decode>::MIN_LEN <= bytes.len());
}

/// What the ledger took is what its bytes say.
#[test]
fn an_operation_acts_as_its_bytes() {
    let mut grid = super::grid::Grid::new(super::grid::intent(true, 11, 6));
    let op = ExtOp::Extension(grid.operation([100, 200], &[(2, 1)]));
    let read = decode_all::<ExtOp>(&op.to_bytes()).unwrap();
    let approvals = grid.world.revocation(2);
    let revoke = decode_all(&ExtOp::RevokeExtension(approvals).to_bytes()).unwrap();
    grid.world.apply(read, &[(id(super::grid::GRID), tsz_ext_apps::grid::program)]).unwrap();
    grid.world.apply(revoke, &[]).unwrap();
}
