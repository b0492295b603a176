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
    let verdict = lie(1, |access| {
        access.old = cell(DEBT - 1, 0, 0);
        access.new = cell(-1, 0, 0);
    });
    assert_eq!(verdict, "absorb");
}

#[test]
fn rejects_insurance_whose_positions_are_not_judged() {
    let mut world = World::new();
    world.give(Party::INSURANCE, FUND);
    world.give(party(4, 3), -DEBT);
    world.hold(Party::INSURANCE, 0, 5, 0);
    world.apply(World::absorb(4, 3));
    // the judgement left out
    world.records[0].accesses.truncate(2);
    assert_ne!(verdict(&world), "nowhere");
    // a mask of tokens is no position
    let verdict = lie(1, |access| {
        access.old = cell(FUND, 0, 13);
        access.new = cell(FUND - DEBT, 0, 13);
    });
    assert_eq!(verdict, "nowhere");
    let verdict = lie(1, |access| {
        access.old = cell(FUND, 0, 13);
        access.new = cell(FUND - DEBT, 0, 12);
    });
    assert_eq!(verdict, "bus:val");
}

#[test]
fn rejects_the_reserved_accounts_as_debtors() {
    for account in [Party::FEES, party(1, 3)] {
        let mut world = one();
        let TradeOp::AbsorbDebt(op) = &mut world.records[0].op else { panic!() };
        op.target = account;
        world.records[0].accesses[0].key = account.sub_key();
        assert_eq!(verdict(&world), "absorb");
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
