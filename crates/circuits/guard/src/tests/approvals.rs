//! Lies about approvals and revocations.

use tsz_ext::{ApproveExtension, key};
use tsz_hash::Digest;
use tsz_ledger::{Access, Key};
use tsz_stf::View;
use tsz_types::*;

use super::world::*;
use crate::record::ApprovalOp;
use crate::tables::approve::Approve;
use crate::tables::revoke::Revoke;

/// One honest approval with two limits.
fn one() -> World {
    let mut world = World::new();
    world.approve(2, 3, &[limit(QUOTE, 100), limit(BASE, 7)]);
    world
}

/// One honest revocation.
fn one_revoked() -> World {
    let mut world = one();
    let op = world.revocation(2, 3);
    world.change(ApprovalOp::Revoke(op)).unwrap();
    world.approvals.remove(0);
    world
}

fn log(change: impl Fn(&mut [Access])) -> String {
    let mut world = one();
    change(&mut world.approvals[0].accesses);
    world.approval_verdict()
}

/// The approval replaced by another one, signed or not; the accesses stay.
fn replaced(sign: bool, change: impl Fn(&mut ApproveExtension)) -> String {
    let mut world = one();
    let ApprovalOp::Approve(op) = &world.approvals[0].op else { unreachable!() };
    let mut op = op.clone();
    change(&mut op);
    if sign {
        op = world.sign(op);
    }
    world.approvals[0].op = ApprovalOp::Approve(op);
    world.approval_verdict()
}

#[test]
fn honest_ones_are_accepted() {
    assert_eq!(one().approval_verdict(), "nowhere");
    assert_eq!(one_revoked().approval_verdict(), "nowhere");
    assert_eq!(replaced(true, |_| ()), "nowhere");
}

#[test]
fn rejects_a_forged_signature() {
    assert_eq!(replaced(false, |op| op.signature = secret(3).sign(&Digest::default())), "bus:schnorr");
    let mut world = one_revoked();
    let ApprovalOp::Revoke(op) = &mut world.approvals[0].op else { unreachable!() };
    op.signature = secret(2).sign(&Digest::default());
    assert_eq!(world.approval_verdict(), "bus:schnorr");
}

#[test]
fn rejects_other_content_than_the_signed_one() {
    let changes: [fn(&mut ApproveExtension); 8] = [
        |op| op.program[7] += f(1),
        |op| op.terms[0] += f(1),
        |op| op.expiry = TimeMs::new(TIME + 2).unwrap(),
        |op| op.limits[0] = limit(QUOTE, 101),
        |op| op.limits[1] = limit(BASE + 1, 7),
        |op| op.limits.truncate(1),
        |op| op.slot = slot(4),
        |op| op.sub = sub(1),
    ];
    for (k, change) in changes.into_iter().enumerate() {
        assert_ne!(replaced(false, change), "nowhere", "change {k}");
        // signed, but not what the cells say
        assert_ne!(replaced(true, change), "nowhere", "change {k}, signed");
    }
}

#[test]
fn rejects_a_key_without_the_right_or_expired_or_of_another() {
    for key_slot in [1, 2] {
        let mut world = one();
        let places = [Key::key_a(2, key_slot), Key::key_b(2, key_slot)];
        for (k, key) in places.into_iter().enumerate() {
            world.approvals[0].accesses[k] = Access::read(key, world.view.get(key));
        }
        let ApprovalOp::Approve(op) = &mut world.approvals[0].op else { unreachable!() };
        op.key_slot = KeySlot::new(key_slot as u8).unwrap();
        assert_eq!(world.approval_verdict(), "approve");
    }
    let mut world = one();
    let key = Key::key_a(3, 0);
    world.approvals[0].accesses[0] = Access::read(key, world.view.get(key));
    assert_ne!(world.approval_verdict(), "nowhere");
    let mut world = one();
    world.context.time += 1;
    assert_eq!(world.approval_verdict(), "approve");
}

#[test]
fn rejects_a_replayed_approval() {
    let mut world = one();
    let again = world.approvals[0].clone();
    world.approve(2, 3, &[limit(QUOTE, 100), limit(BASE, 7)]);
    world.approvals[1].op = again.op;
    assert_ne!(world.approval_verdict(), "nowhere");
}

#[test]
fn rejects_writes_of_other_values_and_cells() {
    // accesses 3..10 are the cells of the slot
    for access in 2..10 {
        for felt in 0..8 {
            assert_eq!(log(|log| log[access].new[felt] += f(1)), "bus:val", "{access} {felt}");
        }
    }
    assert_eq!(log(|log| log[5].old[2] += f(1)), "bus:val");
    assert_eq!(log(|log| log[6].key = key::limit(account(2), sub(0), slot(3), 1)), "bus:key");
    assert_eq!(log(|log| log[3].key = key::program(account(2), sub(1), slot(3))), "bus:key");
    assert_eq!(log(|log| log[9].write = false), "bus:key");
    for access in 2..5 {
        for felt in 0..8 {
            let mut world = one_revoked();
            world.approvals[0].accesses[access].new[felt] += f(1);
            assert_eq!(world.approval_verdict(), "bus:val", "{access} {felt}");
        }
    }
}

#[test]
fn rejects_no_program_and_reserved_accounts() {
    let mut world = World::new();
    let mut op = world.approval(2, 3, &[]);
    op.program = Digest::default();
    let op = world.sign(op);
    assert!(world.change(ApprovalOp::Approve(op.clone())).is_err());
    world.approve(2, 3, &[]);
    world.approvals[0].op = ApprovalOp::Approve(op);
    world.approvals[0].accesses[3].new = Digest::default();
    assert_eq!(world.approval_verdict(), "approve");
    // keys of the reserved accounts sign nothing
    for n in [0, 1] {
        let mut world = World::new();
        for place in [Key::key_a, Key::key_b] {
            world.view.set(place(n, 0), world.view.get(place(2, 0)));
        }
        world.approve(2, 3, &[]);
        let ApprovalOp::Approve(op) = &world.approvals[0].op else { unreachable!() };
        let mut op = ApproveExtension { account: account(n), ..op.clone() };
        op.signature = secret(2).sign(&tsz_stf::chain(&world.context.system, &op.message()));
        world.approvals[0].op = ApprovalOp::Approve(op);
        for access in &mut world.approvals[0].accesses {
            access.key = Key::new(access.key.raw() - (u64::from(2 - n) << 14)).unwrap();
        }
        assert_eq!(world.approval_verdict(), "approve", "{n}");
    }
}

#[test]
fn rejects_limits_out_of_order_too_large_or_without_a_token() {
    let with = |edits: &[(usize, &str, tsz_air::F)]| one().approval_verdict_with::<Approve<()>>(0, edits);
    assert_eq!(with(&[]), "nowhere");
    assert_eq!(with(&[(0, "limits[2].is_present", f(1))]), "approve");
    assert_eq!(with(&[(0, "limits[0].is_present", -f(1))]), "approve");
    assert_eq!(with(&[(0, "limits[3].token", f(9))]), "approve");
    assert_eq!(with(&[(0, "limits[3].units.digits[0]", f(9))]), "approve");
    assert_ne!(with(&[(0, "limits[1].token", f(200)), (0, "limits[1].gap", f(200))]), "nowhere");
    // positions are the last of what a limit may be of
    let mut world = World::new();
    world.approve(2, 3, &[limit(QUOTE, 5), limit(127, 6), limit(POSITIONS, 7)]);
    assert_eq!(world.approval_verdict(), "nowhere");
    let op = world.approval(2, 4, &[limit(POSITIONS, 1), limit(QUOTE, 1)]);
    assert!(world.change(ApprovalOp::Approve(op)).is_err());
    // a number beyond, signed and written
    let mut beyond = World::new();
    beyond.approve(2, 3, &[limit(POSITIONS, 7)]);
    let edits = [(0, "limits[0].token", f(1)), (0, "limits[0].gap", f(1))];
    assert_eq!(beyond.approval_verdict_with::<Approve<()>>(0, &[]), "nowhere");
    assert!(beyond.approval_verdict_with::<Approve<()>>(0, &edits).starts_with("bus:"));
    // a limit in units whose digits are none
    let digits = [(0, "limits[0].units.digits[0]", f(4096)), (0, "limits[0].units.digits[1]", -f(1))];
    assert_ne!(with(&digits), "nowhere");
    let mut world = World::new();
    let op = world.approval(2, 3, &[limit(BASE, 1), limit(QUOTE, 1)]);
    assert!(world.change(ApprovalOp::Approve(op.clone())).is_err());
    let sorted = [limit(QUOTE, 1), limit(BASE, 1)];
    world.approve(2, 3, &sorted);
    world.approvals[0].op = ApprovalOp::Approve(op);
    assert_ne!(world.approval_verdict(), "nowhere");
}

#[test]
fn rejects_padding_that_acts() {
    let edits = [(1, "is_real", f(1))];
    assert_ne!(one().approval_verdict_with::<Approve<()>>(0, &edits), "nowhere");
    assert_ne!(one().approval_verdict_with::<Revoke<()>>(1, &edits), "nowhere");
}

#[test]
fn rejects_slots_and_sub_accounts_that_there_are_not() {
    let with = |edits: &[(usize, &str, tsz_air::F)]| one().approval_verdict_with::<Approve<()>>(0, edits);
    // 32 sub-accounts up and one slot down is the same number in the message
    assert_ne!(with(&[(0, "place.sub", f(32)), (0, "place.slot", -f(1))]), "nowhere");
    assert_ne!(with(&[(0, "place.slot", f(4))]), "nowhere");
}
