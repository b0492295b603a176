//! Approvals are signed, counted, and end.

use super::world::*;
use crate::*;
use tsz_ledger::Cell;
use tsz_stf::{Reject, View};
use tsz_types::{AccountId, KeySlot};

#[test]
fn writes_what_was_signed() {
    let mut world = World::new();
    let op = world.approval(2, id(7), id(8), &[limit(QUOTE, 10), limit(BASE, 3)]);
    let accesses = world.apply(ExtOp::ApproveExtension(op), &[]).unwrap();
    assert_eq!(accesses.len(), 10);
    let (a, s, k) = (account(2), sub(0), slot(0));
    assert_eq!(world.view.get(key::program(a, s, k)), id(7));
    assert_eq!(world.view.get(key::terms(a, s, k)), id(8));
    let policy = ApprovalPolicy::from_leaf(&world.view.get(key::policy(a, s, k))).unwrap();
    let limits = [Some(token(QUOTE).into()), Some(token(BASE).into()), None, None];
    assert_eq!(policy, ApprovalPolicy { expiry: TIME + 500, epoch: 1, limits });
    assert_eq!(world.limit_used(2, 0), 0);
}

#[test]
fn a_limit_may_be_of_positions() {
    let mut world = World::new();
    let limits = [limit(BASE, 3), limit(POSITIONS, 5)];
    assert_eq!(limits[1].of, Limited::Positions);
    let op = world.approval(2, id(7), id(8), &limits);
    let named = op.message()[3].map(|felt| tsz_hash::PrimeField32::as_canonical_u32(&felt));
    assert_eq!(named[..4], [u32::from(BASE) + 1, 129, 0, 0]);
    world.apply(ExtOp::ApproveExtension(op), &[]).unwrap();
    let leaf = world.view.get(key::policy(account(2), sub(0), slot(0)));
    let policy = ApprovalPolicy::from_leaf(&leaf).unwrap();
    assert_eq!(policy.limit_of(Limited::Positions), Some(1));
    assert_eq!((policy.limit_of(token(BASE)), policy.limit_of(token(QUOTE))), (Some(0), None));
    assert_eq!(policy.to_leaf(), leaf);
    // it comes last, and once
    for limits in [[limit(POSITIONS, 5), limit(BASE, 3)], [limit(POSITIONS, 5); 2]] {
        let op = world.approval(3, id(7), id(8), &limits);
        assert_eq!(world.apply(ExtOp::ApproveExtension(op), &[]), Err(ExtReject::Limits));
    }
    assert_eq!(Limited::new(129), None);
}

#[test]
fn limits_in_json_name_a_token_or_positions() {
    let limits = [limit(BASE, 3), limit(POSITIONS, 5)];
    let text = serde_json::to_string(&limits).unwrap();
    assert_eq!(serde_json::from_str::<[Limit; 2]>(&text).unwrap(), limits);
    assert!(text.contains("\"positions\""), "{text}");
    for wrong in ["128", "\"margin\"", "-1", "null"] {
        let text = text.replace("\"positions\"", wrong);
        assert!(serde_json::from_str::<[Limit; 2]>(&text).is_err(), "{wrong}");
    }
}

#[test]
fn counts_the_approvals_of_a_slot() {
    let mut world = World::new();
    world.approve(2, id(7), id(8), &[]);
    world.approve(2, id(7), id(9), &[]);
    let revocation = world.revocation(2);
    world.apply(ExtOp::RevokeExtension(revocation), &[]).unwrap();
    world.nonces[2] += 1;
    let key = key::policy(account(2), sub(0), slot(0));
    let policy = ApprovalPolicy::from_leaf(&world.view.get(key)).unwrap();
    assert_eq!(policy, ApprovalPolicy { epoch: 2, ..ApprovalPolicy::default() });
    world.approve(2, id(7), id(9), &[]);
    assert_eq!(ApprovalPolicy::from_leaf(&world.view.get(key)).unwrap().epoch, 3);
    let last = ApprovalPolicy { epoch: (1 << 24) - 1, ..ApprovalPolicy::default() };
    world.view.set(key, last.to_leaf());
    let op = world.approval(2, id(7), id(9), &[]);
    assert_eq!(world.apply(ExtOp::ApproveExtension(op), &[]), Err(ExtReject::EpochExhausted));
}

#[test]
fn rejects_what_was_not_signed() {
    let mut world = World::new();
    let honest = world.approval(2, id(7), id(8), &[limit(QUOTE, 10)]);
    let forged = |change: fn(&mut ApproveExtension)| {
        let mut op = honest.clone();
        change(&mut op);
        ExtOp::ApproveExtension(op)
    };
    let lies: [fn(&mut ApproveExtension); 6] = [
        |op| op.program = id(9),
        |op| op.terms = id(9),
        |op| op.slot = slot(1),
        |op| op.limits = [limit(QUOTE, 11)].to_vec(),
        |op| op.limits = [limit(1, 10)].to_vec(),
        |op| op.expiry = tsz_types::TimeMs::MAX,
    ];
    for lie in lies {
        assert_eq!(world.apply(forged(lie), &[]), Err(Reject::Signature.into()));
    }
    // another account's key, replay
    let mut other = honest.clone();
    other.signature = world.sign(3, &other.message());
    assert_eq!(world.apply(ExtOp::ApproveExtension(other), &[]), Err(Reject::Signature.into()));
    world.apply(ExtOp::ApproveExtension(honest.clone()), &[]).unwrap();
    let replay = world.apply(ExtOp::ApproveExtension(honest), &[]);
    assert!(matches!(replay, Err(ExtReject::Base(Reject::Nonce { .. }))), "{replay:?}");
    // an approval is no revocation
    let mut revocation = world.revocation(2);
    world.nonces[2] = 1;
    revocation.nonce = tsz_types::Nonce::new(1).unwrap();
    assert_eq!(world.apply(ExtOp::RevokeExtension(revocation), &[]), Err(Reject::Signature.into()));
}

#[test]
fn a_key_needs_the_right() {
    let mut world = World::new();
    let mut op = world.approval(2, id(7), id(8), &[]);
    op.key_slot = KeySlot::new(1).unwrap();
    let refused = world.apply(ExtOp::ApproveExtension(op), &[]);
    assert!(matches!(refused, Err(ExtReject::Base(Reject::Permission { .. }))), "{refused:?}");
    for reserved in [AccountId::FEES, AccountId::INSURANCE] {
        let mut op = world.approval(2, id(7), id(8), &[]);
        op.account = reserved;
        let refused = world.apply(ExtOp::ApproveExtension(op), &[]);
        assert_eq!(refused, Err(Reject::Reserved { account: reserved }.into()));
    }
}

#[test]
fn limits_are_in_order() {
    let mut world = World::new();
    for limits in [&[limit(5, 1), limit(0, 1)][..], &[limit(5, 1), limit(5, 1)], &[limit(1, 1); 5]] {
        let op = world.approval(2, id(7), id(8), limits);
        assert_eq!(world.apply(ExtOp::ApproveExtension(op), &[]), Err(ExtReject::Limits));
    }
    let op = world.approval(2, tsz_hash::ZERO, id(8), &[]);
    assert_eq!(world.apply(ExtOp::ApproveExtension(op), &[]), Err(ExtReject::NoProgram));
}

#[test]
fn forms_read_back() {
    let world = World::new();
    let op = ExtOp::ApproveExtension(world.approval(2, id(7), id(8), &[limit(QUOTE, 10)]));
    let json = serde_json::to_string(&op).unwrap();
    assert_eq!(serde_json::from_str::<ExtOp>(&json).unwrap(), op);
    assert!(serde_json::from_str::<ExtOp>(&json.replace("\"slot\":0", "\"slot\":7")).is_err());
    let op = ExtOp::Extension(operation(id(7), &[2, 3], &[bal(2, 0)], &[1, 2]));
    assert_eq!(serde_json::from_str::<ExtOp>(&serde_json::to_string(&op).unwrap()).unwrap(), op);
}
