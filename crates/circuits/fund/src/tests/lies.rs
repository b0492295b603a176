//! One test for each lie. A liar fills every table as if the lie were true: only the lie itself may fail.

use tsz_air::{F, PrimeCharacteristicRing, Violation};
use tsz_hash::Digest;
use tsz_ledger::{Access, CtlCell, Key, Permission};
use tsz_stf::*;
use tsz_types::*;

use super::oracle::judge;
use super::world::*;
use crate::tables as t;
use crate::trace::op_traces;
use crate::witness::{Witness, WitnessError};
use tsz_gadgets::layout::{Columns, names};

/// Where a lie is noticed: `table` of a broken constraint, or `bus:name`.
pub fn verdict(world: &World) -> String {
    place(judge(&SMALL, &world.witness()))
}

pub fn place(result: Result<(), Violation>) -> String {
    match result {
        Ok(()) => "nowhere".into(),
        Err(Violation::Shape { air }) => format!("shape {air}"),
        Err(Violation::Constraint { air, .. }) => air,
        Err(Violation::Bus { bus, .. }) => format!("bus:{bus}"),
    }
}

/// Verdict after cells of one op table (row, column name, change) were set, with all lookups made anew.
pub fn verdict_with_cells<C: Columns<()>>(world: &World, table: usize, edits: &[(usize, &str, F)]) -> String {
    let class = &SMALL;
    let mut ops = op_traces(&world.context, &world.records, &class.ops).unwrap();
    let names = names::<C>();
    for (row, column, change) in edits {
        let at = names.iter().position(|n| n == column).expect("the column exists");
        ops.traces[table].values[row * names.len() + at] += *change;
    }
    let start = world.context.digest();
    place(judge(class, &Witness::assemble(class, &world.context, &world.records, start, ops).unwrap()))
}

pub fn one(op: impl Fn(&World) -> FundOp) -> World {
    let mut world = World::new();
    let op = op(&world);
    let op = world.sign(0, op);
    world.apply(op);
    world
}

fn one_transfer() -> World {
    one(|w| w.transfer().into())
}

pub fn access(world: &mut World, k: usize) -> &mut Access {
    &mut world.records[0].accesses[k]
}

pub fn f(x: u32) -> F {
    F::from_u32(x)
}

#[test]
fn rejects_forged_signature() {
    let mut world = World::new();
    let op = world.sign(1, world.transfer());
    world.apply(op);
    assert_eq!(verdict(&world), "bus:schnorr");
}

#[test]
fn rejects_another_accounts_key() {
    // Account 3 signs for account 2: the key cell is read from account 3.
    let mut world = World::new();
    let op = world.sign(2, world.transfer());
    world.apply(op);
    let key = Key::key_a(3, 0);
    let value = tsz_stf::View::get(&world.view, key);
    *access(&mut world, 1) = Access::read(key, value);
    assert_eq!(verdict(&world), "bus:key");
}

#[test]
fn rejects_replayed_nonce() {
    // The signature of nonce 0 is used again when the cell says 1.
    let mut world = one_transfer();
    let Some(FundOp::Transfer(first)) = world.records[0].op.as_fund().cloned() else { unreachable!() };
    world.apply(Transfer { nonce: nonce(1), ..first });
    assert_eq!(verdict(&world), "bus:schnorr");
}

#[test]
fn rejects_nonce_that_stays() {
    let mut world = one_transfer();
    access(&mut world, 3).new = Digest::default();
    assert_eq!(verdict(&world), "bus:val");
}

#[test]
fn rejects_the_last_nonce() {
    let mut world = World::new();
    use tsz_ledger::Cell;
    let last = CtlCell { nonce: nonce(u32::MAX), kill_epoch: KillEpoch::MIN };
    let before = CtlCell { nonce: nonce(u32::MAX - 1), ..last };
    world.view.set(Key::ctl(2, 0), before.to_leaf());
    let op = world.sign(0, world.transfer());
    world.apply(op);
    assert_eq!(verdict(&world), "nowhere");
    let op = world.sign(0, Transfer { nonce: nonce(u32::MAX), ..world.transfer() });
    world.records[0].op = op.into();
    let accesses = &mut world.records[0].accesses;
    accesses[3].old = last.to_leaf();
    accesses[3].new = last.to_leaf();
    accesses[3].new[0] = F::ZERO;
    accesses[3].new[1] = f(256);
    assert_eq!(verdict(&world), "bus:range12");
}

#[test]
fn rejects_balance_below_zero() {
    // 20 units out of 19.999999: the result wraps modulo 2^96.
    let mut world = one_transfer();
    let held = 19_999_999u32;
    let left = (1u128 << 96) - 1;
    let source = access(&mut world, 4);
    source.old = Digest::default();
    source.old[0] = f(held & 0xff_ffff);
    source.old[1] = f(held >> 24);
    for k in 0..4 {
        source.new[k] = f((left >> (24 * k)) as u32 & 0xff_ffff);
    }
    assert_eq!(verdict(&world), "bus:val");
}

#[test]
fn rejects_amount_limb_out_of_range_by_one() {
    // Digit 0 = 4096 and digit 1 one less: the same number of units with a digit out of range.
    let world = one(|w| Transfer { units: units(4096 + 5), ..w.transfer() }.into());
    let (old, new) = (tsz_gadgets::inverse(f(6)), tsz_gadgets::inverse(f(4101)));
    // Product carries and the inverse of the digit sum are made to fit: the range is all that is wrong.
    let edits = [
        (0, "units.digits[0]", f(4096)),
        (0, "units.digits[1]", -F::ONE),
        (0, "units.carries[0]", f(576)),
        (0, "units.carries[1]", f(244)),
        (0, "units_inv", new - old),
    ];
    assert_eq!(verdict_with_cells::<t::Transfer<()>>(&world, 2, &edits), "bus:range12");
}

#[test]
fn rejects_conservation_broken_by_one_unit() {
    let mut world = one_transfer();
    access(&mut world, 5).new[0] += f(1_000_000);
    assert_eq!(verdict(&world), "transfer");
}

#[test]
fn rejects_conservation_broken_by_one_millionth() {
    let mut world = one_transfer();
    access(&mut world, 4).new[0] += F::ONE;
    assert_eq!(verdict(&world), "bus:val");
}

#[test]
fn rejects_credit_to_another_bucket() {
    let mut world = one_transfer();
    access(&mut world, 5).key = Key::bal(3, 5, 5);
    assert_eq!(verdict(&world), "bus:key");
}

#[test]
fn rejects_expired_key() {
    let mut world = one_transfer();
    world.context.time = EXPIRY - 1;
    assert_eq!(verdict(&world), "nowhere");
    world.context.time = EXPIRY;
    assert_eq!(verdict(&world), "transfer");
}

#[test]
fn rejects_missing_permission_bit() {
    let mut world = one_transfer();
    let key_b = access(&mut world, 2);
    key_b.old[1] = f(63 - u32::from(Permission::TransferOut.bit()));
    key_b.new = key_b.old;
    assert_eq!(verdict(&world), "transfer");

    let mut world = one(|w| w.withdraw().into());
    let key_b = access(&mut world, 1);
    key_b.old[1] = f(63 - u32::from(Permission::Withdraw.bit()));
    key_b.new = key_b.old;
    assert_eq!(verdict(&world), "withdraw");

    let mut world = one(|w| w.register().into());
    let key_b = access(&mut world, 1);
    key_b.old[1] = f(63 - u32::from(Permission::ManageKeys.bit()));
    key_b.new = key_b.old;
    assert_eq!(verdict(&world), "key");
}

#[test]
fn rejects_internal_permission_for_another_account() {
    let mut world = World::new();
    let op = world.sign(1, Transfer { key_slot: slot(1), ..world.transfer() });
    let honest = Transfer { key_slot: slot(0), ..world.transfer() };
    world.apply(honest);
    let a = tsz_stf::View::get(&world.view, Key::key_a(2, 1));
    let b = tsz_stf::View::get(&world.view, Key::key_b(2, 1));
    world.records[0].op = op.into();
    *access(&mut world, 1) = Access::read(Key::key_a(2, 1), a);
    *access(&mut world, 2) = Access::read(Key::key_b(2, 1), b);
    assert_eq!(verdict(&world), "transfer");
}

#[test]
fn rejects_a_key_of_another_scheme() {
    let mut world = one_transfer();
    let key_b = access(&mut world, 2);
    key_b.old[0] = f(2);
    key_b.new = key_b.old;
    assert_eq!(verdict(&world), "bus:val");
}

#[test]
fn rejects_insurance_signs() {
    let mut world = one_transfer();
    let op = Transfer { account: AccountId::INSURANCE, ..world.transfer() };
    let op = world.sign(0, Transfer { nonce: nonce(0), ..op });
    world.records[0].op = op.into();
    let keys = [Key::key_a(1, 0), Key::key_b(1, 0), Key::ctl(1, 0), Key::bal(1, 0, 5)];
    for (k, key) in (1..5).zip(keys) {
        access(&mut world, k).key = key;
    }
    assert_eq!(verdict(&world), "transfer");
}

#[test]
fn rejects_transfer_to_itself() {
    let mut world = one_transfer();
    let op = Transfer { to_account: account(2), to_sub: sub(0), nonce: nonce(0), ..world.transfer() };
    let op = world.sign(0, op);
    world.records[0].op = op.into();
    let from = *access(&mut world, 4);
    *access(&mut world, 5) = Access::write(from.key, from.new, from.old);
    assert_eq!(verdict(&world), "transfer");
}

#[test]
fn rejects_transfer_to_the_next_account() {
    let mut world = one_transfer();
    let head = access(&mut world, 0);
    head.old[4] = f(3);
    head.new = head.old;
    assert_eq!(verdict(&world), "transfer");
}

#[test]
fn rejects_withdrawal_record_changed() {
    let mut world = one(|w| w.withdraw().into());
    let Some(FundOp::Withdraw(op)) = world.records[0].op.as_fund().cloned() else { unreachable!() };
    for forged in [
        OutRecord { to: OWNER, ..op.out_record() },
        OutRecord { units: units(op.units.get() + 1), ..op.out_record() },
        OutRecord { account: account(3), ..op.out_record() },
    ] {
        let out = access(&mut world, 5);
        out.new = chain(&out.old, &forged.blocks());
        assert_eq!(verdict(&world), "bus:val");
    }
}

#[test]
fn rejects_a_withdrawal_without_record() {
    let mut world = one(|w| w.withdraw().into());
    let out = access(&mut world, 5);
    out.new = out.old;
    assert_eq!(verdict(&world), "bus:val");
}

#[test]
fn rejects_minimum_withdrawal_minus_one() {
    let mut world = one(|w| w.withdraw().into());
    let least = 1 << 25;
    for (minimum, expected) in [(least, "nowhere"), (least + 1, "bus:range12")] {
        let token = access(&mut world, 3);
        token.old[1] = f(minimum & 0xff_ffff);
        token.old[2] = f(minimum >> 24);
        token.new = token.old;
        assert_eq!(verdict(&world), expected);
    }
}

#[test]
fn rejects_withdrawal_of_an_unlisted_token() {
    let mut world = one(|w| w.withdraw().into());
    let token = access(&mut world, 3);
    token.old[0] = F::ZERO;
    token.new = token.old;
    assert_eq!(verdict(&world), "bus:val");
}

#[test]
fn rejects_withdrawal_of_collateral_with_positions() {
    let mut world = one(|w| {
        Withdraw { sub: sub(1), bucket: Bucket::Collateral, nonce: w.nonce(2, 1), ..w.withdraw() }.into()
    });
    let cell = access(&mut world, 4);
    cell.old[5] = F::ONE;
    cell.new[5] = F::ONE;
    assert_eq!(verdict(&world), "bus:val");
}

#[test]
fn rejects_collateral_of_another_token() {
    let world = one_transfer();
    assert_eq!(verdict_with_cells::<t::Transfer<()>>(&world, 2, &[(0, "to.bucket", F::ONE)]), "transfer");
}

#[test]
fn rejects_padding_row_that_sends() {
    let world = one_transfer();
    for (real, expected) in [(F::ONE, "transfer"), (F::TWO, "transfer")] {
        let edits = [(1, "is_real", real)];
        assert_eq!(verdict_with_cells::<t::Transfer<()>>(&world, 2, &edits), expected);
    }
    let empty = World::new();
    let edits = [(1, "is_real", F::ONE)];
    assert_eq!(verdict_with_cells::<t::Begin<()>>(&empty, 0, &edits), "begin");
}

#[test]
fn rejects_op_kind_sent_with_another_n() {
    // The tuple leaves out one access; the op row says six.
    let world = one_transfer();
    let ops = op_traces(&world.context, &world.records, &SMALL.ops).unwrap();
    let mut records = world.records.clone();
    records[0].accesses.pop();
    let start = world.context.digest();
    let witness = Witness::assemble(&SMALL, &world.context, &records, start, ops).unwrap();
    assert_eq!(place(judge(&SMALL, &witness)), "bus:key");
}

#[test]
fn rejects_op_left_out_of_the_tuple_vector() {
    let world = one_transfer();
    let ops = op_traces(&world.context, &world.records, &SMALL.ops).unwrap();
    let start = world.context.digest();
    let witness = Witness::assemble(&SMALL, &world.context, &[], start, ops).unwrap();
    assert!(place(judge(&SMALL, &witness)).starts_with("bus:"));
}

#[test]
fn rejects_public_values_changed() {
    let honest = every_op().witness();
    let changed = |change: &dyn Fn(&mut tsz_ledger::ExecClaim)| {
        let mut witness = honest.clone();
        change(&mut witness.claim);
        place(judge(&SMALL, &witness))
    };
    assert_ne!(changed(&|c| c.count += 1), "nowhere");
    assert_ne!(changed(&|c| c.start[3] += F::ONE), "nowhere");
    assert_ne!(changed(&|c| c.end[7] += F::ONE), "nowhere");
    assert_ne!(changed(&|c| c.context.batch += 1), "nowhere");
    assert_ne!(changed(&|c| c.context.time -= 1), "nowhere");
    assert_ne!(changed(&|c| c.context.system[0] += F::ONE), "nowhere");
    assert_ne!(changed(&|c| c.has_begin = false), "nowhere");
}

#[test]
fn refuses_records_that_are_not_of_their_op() {
    let mut world = one_transfer();
    world.records[0].accesses.pop();
    let result = Witness::new(&SMALL, &world.context, &world.records, world.context.digest());
    assert!(matches!(result, Err(WitnessError::Record(_))));
}
