//! One test for each lie about debts.

use tsz_ledger::{Access, Cell, SubCell};
use tsz_trade::{Party, TradeOp};
use tsz_types::Collateral;

use super::world::*;

const DEBT: i128 = (1 << 60) + 7;
const FUND: i128 = (1 << 61) + 5;

/// Account 4 owes, and insurance pays.
fn one() -> World {
    let mut world = World::new();
    world.give(Party::INSURANCE, FUND);
    world.give(party(4, 3), -DEBT);
    world.apply(World::absorb(4, 3));
    assert_eq!(world.sub(Party::INSURANCE).collateral.get(), FUND - DEBT);
    assert_eq!(world.sub(party(4, 3)), SubCell::default());
    world
}

fn cell(micros: i128, pos_count: u8, mask: u8) -> tsz_hash::Digest {
    SubCell { collateral: Collateral::new(micros).unwrap(), pos_count, mask }.to_leaf()
}

fn lie(at: usize, change: impl Fn(&mut Access)) -> String {
    let mut world = one();
    change(&mut world.records[0].accesses[at]);
    verdict(&world)
}

#[test]
fn the_honest_payment_is_accepted() {
    assert_eq!(lie(0, |_| ()), "nowhere");
}

#[test]
fn rejects_a_debtor_that_is_none() {
    let mut world = World::new();
    world.give(Party::INSURANCE, FUND);
    world.give(party(4, 3), DEBT);
    assert!(world.try_apply(World::absorb(4, 3)).is_err());
    assert_eq!(lie(0, |access| access.old = cell(DEBT, 0, 0)), "bus:val");
    // nothing owed: the cell -0 does not exist, 0 is no debt
    assert_eq!(lie(0, |access| access.old = cell(0, 0, 0)), "bus:val");
}

#[test]
fn rejects_a_debtor_that_has_something_left() {
    for (pos_count, mask) in [(1, 0), (0, 1), (0, 8), (32, 15)] {
        let verdict = lie(0, |access| {
            access.old = cell(-DEBT, pos_count, mask);
            access.new = cell(0, pos_count, mask);
        });
        assert_eq!(verdict, "bus:val", "{pos_count} {mask}");
    }
}

#[test]
fn rejects_a_debt_that_is_not_paid_in_full() {
    for rest in [-1, 1, -DEBT, DEBT] {
        assert_eq!(lie(0, |access| access.new = cell(rest, 0, 0)), "bus:val", "{rest}");
    }
    for left in [FUND, FUND - DEBT + 1, FUND - DEBT - 1, FUND + DEBT, DEBT - FUND] {
        assert_eq!(lie(1, |access| access.new = cell(left, 0, 0)), "bus:val", "{left}");
    }
}

#[test]
fn rejects_insurance_that_pays_what_it_does_not_have() {
    let mut world = World::new();
    world.give(Party::INSURANCE, DEBT - 1);
    world.give(party(4, 3), -DEBT);
    assert!(world.try_apply(World::absorb(4, 3)).is_err());
    let short = |access: &mut Access| {
        access.old = cell(DEBT - 1, 0, 0);
        access.new = cell(-1, 0, 0);
    };
    assert_eq!(lie(1, short), "judge");
}

/// Insurance with 5 lots at 900 and collateral that is just enough to pay, or not.
fn judged(spare: i128) -> World {
    let mut world = World::new();
    // value 4,500 quote units, a tenth of it required
    world.give(Party::INSURANCE, DEBT - 4_050_000_000 + spare);
    world.give(party(4, 3), -DEBT);
    world.hold(Party::INSURANCE, 0, 5, 0);
    world
}

#[test]
fn rejects_insurance_below_its_initial_margin_by_a_millionth() {
    let mut world = judged(0);
    world.apply(World::absorb(4, 3));
    assert_eq!(world.records[0].accesses.len(), 5);
    assert_eq!(verdict(&world), "nowhere");
    assert!(judged(-1).try_apply(World::absorb(4, 3)).is_err());
    let access = &mut world.records[0].accesses[1];
    access.old = SubCell { pos_count: 1, ..judged(-1).sub(Party::INSURANCE) }.to_leaf();
    access.new = cell(-4_050_000_001, 1, 0);
    assert_eq!(verdict(&world), "judge");
}

#[test]
fn rejects_insurance_whose_positions_are_not_judged() {
    let mut world = judged(7);
    world.apply(World::absorb(4, 3));
    // the judgement left out
    let mut lie = world.clone();
    lie.records[0].accesses.truncate(2);
    assert_ne!(verdict(&lie), "nowhere");
    // a position left out, with and without its count
    let mut lie = world.clone();
    lie.hold(Party::INSURANCE, 1, 3, 0);
    lie.records.clear();
    lie.give(party(4, 3), -5);
    lie.give(Party::INSURANCE, 5);
    lie.apply(World::absorb(4, 3));
    assert_eq!(verdict(&lie), "nowhere");
    lie.records[0].accesses.truncate(5);
    assert_ne!(verdict(&lie), "nowhere");
    // a position of another
    let mut lie = world;
    lie.records[0].accesses[2].key = party(4, 3).pos_key(market(0));
    assert_eq!(verdict(&lie), "bus:key");
}

#[test]
fn insurance_is_judged_at_the_last_prices() {
    let mut world = judged(7);
    world.hold(Party::INSURANCE, 2, 1, 0);
    world.set_price(1_000, 5);
    world.apply(World::absorb(4, 3));
    assert_eq!(verdict(&world), "nowhere");
    // but not without one
    let access = &mut world.records[0].accesses[6];
    access.old = tsz_hash::Digest::default();
    access.new = access.old;
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_a_mask_of_insurance_that_changes() {
    // tokens are no positions: nothing is judged
    let mask = |after: u8| {
        lie(1, |access| {
            access.old = cell(FUND, 0, 13);
            access.new = cell(FUND - DEBT, 0, after);
        })
    };
    assert_eq!(mask(13), "nowhere");
    assert_eq!(mask(12), "bus:val");
    assert_eq!(mask(15), "bus:val");
}

#[test]
fn rejects_the_reserved_accounts_as_debtors() {
    for account in [Party::FEES, party(1, 3)] {
        let mut world = one();
        let TradeOp::AbsorbDebt(op) = &mut world.records[0].op else { panic!() };
        op.target = account;
        world.records[0].accesses[0].key = account.sub_key();
        assert_eq!(verdict(&world), "absorb", "{account:?}");
    }
}

#[test]
fn rejects_cells_of_others() {
    for (at, key) in [
        (0, party(5, 3).sub_key()),
        (0, party(4, 2).sub_key()),
        (0, party(4, 3).pos_key(market(0))),
        (1, Party::FEES.sub_key()),
        (1, party(1, 1).sub_key()),
    ] {
        assert_eq!(lie(at, |access| access.key = key), "bus:key");
    }
    assert_eq!(lie(1, |access| access.write = false), "bus:key");
}
