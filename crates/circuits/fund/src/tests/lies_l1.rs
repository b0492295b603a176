//! Lies about L1 operations and the opening of a batch.

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32};
use tsz_stf::*;

use super::lies::{access, f, one, place, verdict, verdict_with_cells};
use super::oracle::judge;
use super::world::*;
use crate::tables as t;

#[test]
fn rejects_deposit_credited_and_refunded() {
    let mut world = World::new();
    world.expect(Code::Ok, |w| w.deposit(2).into());
    let Some(FundOp::Deposit(op)) = world.records[0].op.as_fund().cloned() else { unreachable!() };
    let record = OutRecord {
        op: code::DEPOSIT,
        account: op.account,
        sub: op.sub,
        bucket: op.bucket,
        token: op.token,
        units: op.units,
        to: op.owner,
    };
    let out = access(&mut world, 5);
    out.new = chain(&out.old, &record.blocks());
    assert_eq!(verdict(&world), "bus:val");
    let edits = [(0, "is_refund", F::ONE)];
    assert_eq!(verdict_with_cells::<t::Deposit<()>>(&world, 1, &edits), "deposit");
}

#[test]
fn rejects_refund_of_a_deposit_to_an_account_that_exists() {
    let world = one(|w| w.deposit(2).into());
    let edits = [(0, "is_refund", F::ONE), (0, "is_credit", -F::ONE)];
    assert_eq!(verdict_with_cells::<t::Deposit<()>>(&world, 1, &edits), "deposit");
}

#[test]
fn rejects_deposit_that_takes_over_an_account() {
    // Account 2 is "created" again for another owner.
    let mut world = one(|w| w.deposit(2).into());
    let owner = OWNER.to_felts();
    let acct = access(&mut world, 3);
    acct.new[..7].copy_from_slice(&owner);
    acct.new[0] += F::ONE;
    assert_eq!(verdict(&world), "bus:val");
    let edits = [(0, "is_create", F::ONE), (0, "is_credit", -F::ONE)];
    assert_eq!(verdict_with_cells::<t::Deposit<()>>(&world, 1, &edits), "deposit");
}

#[test]
fn rejects_full_exit_leaving_more_dust() {
    let mut world = one(|w| w.exit().into());
    let Some(FundOp::FullExit(op)) = world.records[0].op.as_fund().cloned() else { unreachable!() };
    let cell = access(&mut world, 3);
    cell.new[0] += f(1_000_000);
    let lost = tsz_gadgets::magnitude(&cell.old) - tsz_gadgets::magnitude(&cell.new);
    let record = OutRecord {
        op: code::FULL_EXIT,
        account: op.account,
        sub: op.sub,
        bucket: op.bucket,
        token: op.token,
        units: units((lost / 1_000_000) as u64),
        to: op.sender,
    };
    let out = access(&mut world, 4);
    out.new = chain(&out.old, &record.blocks());
    assert_eq!(verdict(&world), "exit");
}

#[test]
fn rejects_exit_by_non_owner() {
    let mut world = one(|w| w.exit().into());
    let Some(FundOp::FullExit(op)) = world.records[0].op.as_fund().cloned() else { unreachable!() };
    // The thief replaces the sender everywhere and claims success.
    let thief = FullExit { sender: OTHER, ..op };
    world.records[0].op = FundOp::from(thief).into();
    let old = access(&mut world, 1).old;
    access(&mut world, 1).new = chain(&old, &thief.record());
    let edits = [(0, "is_ok", F::ONE), (0, "owner.is_other", -F::ONE)];
    assert_eq!(verdict_with_cells::<t::Exit<()>>(&world, 6, &edits), "exit");
}

#[test]
fn rejects_refused_exit_of_the_owner() {
    // The operator withholds an exit: no reason that it could give is true.
    let world = one(|w| w.exit().into());
    for reason in ["owner.is_absent", "owner.is_other", "is_reserved", "is_open", "is_negative"] {
        let edits = [(0, "is_ok", -F::ONE), (0, reason, F::ONE)];
        assert_eq!(verdict_with_cells::<t::Exit<()>>(&world, 6, &edits), "exit");
    }
    let edits = [(0, "is_ok", -F::ONE)];
    assert_eq!(verdict_with_cells::<t::Exit<()>>(&world, 6, &edits), "exit");
}

#[test]
fn rejects_l1_key_change_by_non_owner() {
    let mut world = World::new();
    world.expect(Code::NotOwner, |w| L1RegisterKey { sender: OTHER, ..w.l1_register() }.into());
    let Some(FundOp::L1RegisterKey(op)) = world.records[0].op.as_fund().cloned() else { unreachable!() };
    access(&mut world, 3).new = op.key_id;
    assert_eq!(verdict(&world), "bus:val");
    let edits = [(0, "is_ok", F::ONE), (0, "owner.is_other", -F::ONE)];
    assert_eq!(verdict_with_cells::<t::L1Key<()>>(&world, 5, &edits), "l1key");
}

#[test]
fn rejects_l1_serial_skipped() {
    let mut world = one(|w| w.exit().into());
    access(&mut world, 0).new[0] += F::ONE;
    assert_eq!(verdict(&world), "bus:val");
}

#[test]
fn rejects_l1_record_changed() {
    let mut world = one(|w| w.exit().into());
    let Some(FundOp::FullExit(op)) = world.records[0].op.as_fund().cloned() else { unreachable!() };
    let old = access(&mut world, 1).old;
    access(&mut world, 1).new = chain(&old, &FullExit { sub: sub(9), ..op }.record());
    assert_eq!(verdict(&world), "bus:val");
}

#[test]
fn rejects_begin_twice() {
    let mut world = World::new();
    world.begin();
    let again = world.records[0].clone();
    world.records.push(again);
    assert_eq!(verdict(&world), "begin");
}

#[test]
fn rejects_begin_that_the_claim_does_not_name() {
    let mut world = World::new();
    world.begin();
    let mut witness = world.witness();
    witness.claim.has_begin = false;
    assert_eq!(place(judge(&SMALL, &witness)), "begin");
}

#[test]
fn rejects_begin_under_other_parameters_than_the_state_has() {
    let mut world = World::new();
    world.begin();
    let mut witness = world.witness();
    witness.claim.context.params[7] += f(1);
    assert_ne!(place(judge(&SMALL, &witness)), "nowhere");
}

#[test]
fn rejects_time_going_back() {
    let mut world = World::new();
    world.begin();
    let head = access(&mut world, 0);
    let time = head.new[2].as_canonical_u32();
    head.old[2] = f(time);
    head.old[3] = head.new[3];
    assert_eq!(verdict(&world), "nowhere");
    access(&mut world, 0).old[2] = f(time + 1);
    assert_eq!(verdict(&world), "begin");
}

#[test]
fn rejects_batch_number_skipped() {
    let mut world = World::new();
    world.begin();
    world.context.batch = 2;
    assert_eq!(verdict(&world), "bus:val");
}
