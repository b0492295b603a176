//! One test for each lie about seized tokens.

use tsz_ledger::{Access, BalCell, Cell, Key, MkpCell, SubCell};
use tsz_trade::{Party, TradeOp};
use tsz_types::{Balance, Collateral};

use super::world::*;

/// Places of the accesses.
const MKP: usize = 0;
const GIVEN: usize = 1;
const TARGET: usize = 2;
const TAKEN: usize = 3;
const INSURANCE: usize = 4;

const HELD: u128 = 5_000_000;
const DEBT: i128 = 2_700_000;
/// 2.7 thousandths of a quote unit each: the debt needs no less.
const AMOUNT: u128 = 999_999_630;
const FUND: i128 = 1 << 60;

/// Account 4 gives `amount` of token 5 and keeps some.
fn give(amount: u128) -> World {
    let mut world = World::new();
    world.give(Party::INSURANCE, FUND);
    world.give(party(4, 3), -DEBT);
    world.deposit(party(4, 3), 0, AMOUNT + HELD);
    world.deposit(party(4, 3), 1, 77);
    world.deposit(Party::INSURANCE, 1, 3);
    world.try_apply(World::seize(0, amount)).unwrap();
    world
}

fn lie(at: usize, change: impl Fn(&mut Access)) -> String {
    let mut world = give(AMOUNT);
    change(&mut world.records[0].accesses[at]);
    verdict(&world)
}

fn balance(micros: u128) -> tsz_hash::Digest {
    BalCell { balance: Balance::new(micros).unwrap() }.to_leaf()
}

/// Changes the SUB cell that access `at` leaves.
fn left(at: usize, change: impl Fn(&mut i128, &mut SubCell)) -> String {
    lie(at, |access| {
        let mut cell = SubCell::from_leaf(&access.new).unwrap();
        let mut micros = cell.collateral.get();
        change(&mut micros, &mut cell);
        access.new = SubCell { collateral: Collateral::new(micros).unwrap(), ..cell }.to_leaf();
    })
}

#[test]
fn the_honest_seizure_is_accepted() {
    let world = give(AMOUNT);
    let (target, insurance) = (world.sub(party(4, 3)), world.sub(Party::INSURANCE));
    assert_eq!((target.collateral.get(), target.mask), (0, 3));
    assert_eq!((insurance.collateral.get(), insurance.mask), (FUND - DEBT, 3));
    assert_eq!((world.mbal(party(4, 3), 0), world.mbal(Party::INSURANCE, 0)), (HELD, AMOUNT));
    for at in 0..5 {
        assert_eq!(lie(at, |_| ()), "nowhere");
    }
}

#[test]
fn rejects_another_price_of_the_token() {
    for by in [1, -1, 1 << 24, DEBT, -DEBT] {
        assert_eq!(left(TARGET, |micros, _| *micros += by), "bus:val", "{by}");
        assert_eq!(left(INSURANCE, |micros, _| *micros += by), "bus:val", "{by}");
    }
}

/// The honest witness with cells of the first row changed.
fn tampered(world: &World, cells: &[(&str, tsz_air::F)]) -> bool {
    use tsz_air::TableAir;
    let mut witness = world.witness();
    let names = crate::tables::SeizeAir.column_names();
    for (column, by) in cells {
        let plain =
            |name: &str| name.replace(['[', ']'], ".").replace("..", ".").trim_end_matches('.').to_owned();
        let at = names.iter().position(|name| plain(name) == *column);
        let at = at.unwrap_or_else(|| panic!("{column}: {names:?}"));
        witness.traces[crate::class::PAIR + 2].values[at] += *by;
    }
    judge(&witness).is_err()
}

#[test]
fn rejects_rounding_in_the_other_direction() {
    // the value of 1 is 0.0027: 1, not 0
    let mut world = World::new();
    world.give(Party::INSURANCE, FUND);
    world.give(party(4, 3), -1);
    world.deposit(party(4, 3), 0, 9);
    world.apply(World::seize(0, 1));
    assert_eq!(world.sub(party(4, 3)).collateral.get(), 0);
    assert_eq!(verdict(&world), "nowhere");
    let mut lie = world.clone();
    lie.records[0].accesses[TARGET].new = SubCell { mask: 1, ..world.sub(party(9, 9)) }.to_leaf();
    lie.records[0].accesses[TARGET].new[0] = f(1);
    lie.records[0].accesses[TARGET].new[4] = f(1);
    assert_eq!(verdict(&lie), "bus:val");
    let minus = f(0) - f(1);
    assert!(tampered(&world, &[("quote.value.0", minus)]));
    assert!(tampered(&world, &[("quote.value.0", f(1))]));
    assert!(!tampered(&world, &[]));
}

#[test]
fn rejects_more_than_the_debt_needs() {
    let mut world = World::new();
    world.give(Party::INSURANCE, FUND);
    world.give(party(4, 3), -DEBT);
    world.deposit(party(4, 3), 0, AMOUNT + HELD);
    assert!(world.try_apply(World::seize(0, AMOUNT + 1)).is_err());
    // with a debt that asks for it, told of the smaller one
    world.give(party(4, 3), -DEBT - 1);
    world.apply(World::seize(0, AMOUNT + 1));
    assert_eq!(verdict(&world), "nowhere");
    let access = &mut world.records[0].accesses[TARGET];
    let cell = |micros: i128| {
        SubCell { collateral: Collateral::new(micros).unwrap(), pos_count: 0, mask: 1 }.to_leaf()
    };
    (access.old, access.new) = (cell(-DEBT), cell(0));
    assert_eq!(verdict(&world), "seize");
}

#[test]
fn rejects_nothing_and_more_than_there_is() {
    let mut world = give(AMOUNT);
    let TradeOp::SeizeToken(op) = &mut world.records[0].op else { panic!() };
    op.amount = Balance::MIN;
    for at in 1..5 {
        world.records[0].accesses[at].new = world.records[0].accesses[at].old;
    }
    assert_ne!(verdict(&world), "nowhere");
    let mut world = give(AMOUNT);
    let access = &mut world.records[0].accesses[GIVEN];
    access.old = balance(AMOUNT - 1);
    access.new = balance((1 << 96) - 1);
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_balances_that_do_not_move_together() {
    for micros in [HELD + 1, HELD - 1, AMOUNT + HELD, 0] {
        assert_eq!(lie(GIVEN, |access| access.new = balance(micros)), "bus:val", "{micros}");
    }
    for micros in [AMOUNT + 1, AMOUNT - 1, 0] {
        assert_eq!(lie(TAKEN, |access| access.new = balance(micros)), "bus:val", "{micros}");
    }
}

#[test]
fn rejects_masks_that_do_not_follow() {
    for mask in [2, 1, 7, 0] {
        assert_eq!(left(TARGET, |_, cell| cell.mask = mask), "bus:val", "{mask}");
        assert_eq!(left(INSURANCE, |_, cell| cell.mask = mask), "bus:val", "{mask}");
    }
    // the last of it
    let mut world = World::new();
    world.give(Party::INSURANCE, FUND);
    world.give(party(4, 3), -DEBT);
    world.deposit(party(4, 3), 0, AMOUNT);
    world.apply(World::seize(0, AMOUNT));
    assert_eq!(world.sub(party(4, 3)), SubCell::default());
    assert_eq!(verdict(&world), "nowhere");
    world.records[0].accesses[TARGET].new[5] = f(64);
    assert_eq!(verdict(&world), "bus:val");
}

#[test]
fn rejects_a_target_without_debt_and_one_whose_positions_are_not_read() {
    let mut world = World::new();
    world.give(party(4, 3), DEBT);
    world.deposit(party(4, 3), 0, AMOUNT);
    assert!(world.try_apply(World::seize(0, 1)).is_err());
    assert_ne!(lie(TARGET, |access| access.old[4] = f(0)), "nowhere");
    let counted = lie(TARGET, |access| {
        access.old[5] += f(1);
        access.new[5] += f(1);
    });
    assert_ne!(counted, "nowhere");
}

#[test]
fn rejects_the_reserved_accounts_as_targets() {
    let target = party(1, 3);
    let mut world = give(AMOUNT);
    let TradeOp::SeizeToken(op) = &mut world.records[0].op else { panic!() };
    op.target = target;
    world.records[0].accesses[GIVEN].key = target.mbal_key(0);
    world.records[0].accesses[TARGET].key = target.sub_key();
    assert_eq!(verdict(&world), "seize");
}

#[test]
fn rejects_a_token_without_a_young_price() {
    let mut world = World::new();
    world.give(Party::INSURANCE, FUND);
    world.give(party(4, 3), -DEBT);
    world.deposit(party(4, 3), 0, AMOUNT);
    world.set_price(1_000, TIME - 60_001);
    assert!(world.try_apply(World::seize(0, 1)).is_err());
    let old = lie(MKP, |access| {
        access.old = MkpCell { index: 1_000, mark: 1_000, price_ts: TIME - 60_001, settled: false }.to_leaf();
        access.new = access.old;
    });
    assert_eq!(old, "seize");
    // another price
    let other = lie(MKP, |access| {
        access.old = MkpCell { index: 999, mark: 1_000, price_ts: TIME, settled: false }.to_leaf();
        access.new = access.old;
    });
    assert_ne!(other, "nowhere");
    // a token that counts nothing needs no young one
    let mut world = World::new();
    world.give(Party::INSURANCE, FUND);
    world.give(party(4, 3), -DEBT);
    world.deposit(party(4, 3), 2, AMOUNT);
    world.set_price(1_000, 5);
    world.apply(World::seize(2, 4_500));
    assert_eq!(verdict(&world), "nowhere");
    // one that never had a price is worth nothing
    world.give(party(4, 3), -DEBT);
    world.view.set(Key::mkp(2), tsz_hash::ZERO);
    world.apply(World::seize(2, AMOUNT - 4_500));
    assert_eq!(world.sub(party(4, 3)).mask, 0);
    assert_eq!(verdict(&world), "nowhere");
}

#[test]
fn rejects_other_parameters_of_the_token() {
    for change in [
        (|p| p.collateral[0].haircut = tsz_types::Fraction::new(9_001).unwrap())
            as fn(&mut tsz_trade::Params),
        |p| p.collateral[0].units_per_lot += 1,
        |p| p.collateral.swap(0, 1),
        |p| p.collateral[0].market = market(1),
        |p| p.oracle.max_age += 1,
    ] {
        let mut world = World::new();
        world.give(Party::INSURANCE, FUND);
        world.give(party(4, 3), -DEBT);
        world.deposit(party(4, 3), 0, AMOUNT + HELD);
        world.set_price(1_000, TIME - 60_000);
        world.name(1, 1_000, 1_000);
        let cell = MkpCell { index: 1_000, mark: 1_000, price_ts: TIME, settled: false };
        world.view.set(Key::mkp(1), cell.to_leaf());
        change(&mut world.params);
        let place = world.params.collateral.iter().position(|t| t.token.get() == 5).unwrap();
        world.deposit(party(4, 3), place as u8, AMOUNT);
        world.apply(World::seize(0, 5));
        assert_eq!(verdict(&world), "bus:p2");
    }
}

#[test]
fn rejects_insurance_that_is_not_judged() {
    let mut world = World::new();
    world.give(Party::INSURANCE, FUND);
    world.hold(Party::INSURANCE, 2, 4, 0);
    world.give(party(4, 3), -DEBT);
    world.deposit(party(4, 3), 0, AMOUNT);
    world.apply(World::seize(0, 5));
    assert_eq!(world.records[0].accesses.len(), 5 + 2 + 3);
    assert_eq!(verdict(&world), "nowhere");
    let mut lie = world.clone();
    lie.records[0].accesses.truncate(5);
    assert_ne!(verdict(&lie), "nowhere");
    // the token just bought is left out of the judgement
    let mut lie = world.clone();
    lie.records[0].accesses.drain(5..7);
    assert_ne!(verdict(&lie), "nowhere");
    // insurance that cannot pay
    let access = &mut world.records[0].accesses[INSURANCE];
    for leaf in [&mut access.old, &mut access.new] {
        leaf[2] = f(1 << 12);
        leaf[4] = f(1);
    }
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_cells_of_others() {
    for (at, key) in [
        (MKP, Key::mkp(1)),
        (GIVEN, party(4, 2).mbal_key(0)),
        (GIVEN, party(4, 3).mbal_key(1)),
        (GIVEN, party(5, 3).mbal_key(0)),
        (TARGET, party(4, 2).sub_key()),
        (TAKEN, party(1, 1).mbal_key(0)),
        (TAKEN, Party::INSURANCE.mbal_key(1)),
        (TAKEN, Party::FEES.mbal_key(0)),
        (INSURANCE, Party::FEES.sub_key()),
    ] {
        assert_ne!(lie(at, |access| access.key = key), "nowhere", "{at}");
    }
    for at in 0..5 {
        assert_ne!(lie(at, |access| access.write = !access.write), "nowhere", "{at}");
    }
}

/// A debtor with positions, below MMR by `short` millionths.
fn ill(short: i128) -> World {
    let mut world = World::new();
    let target = party(4, 3);
    world.give(Party::INSURANCE, FUND);
    world.set_price(1_000, TIME);
    world.deposit(target, 0, AMOUNT);
    world.deposit(target, 1, 77);
    world.hold(target, 2, 7, 40);
    // the long of a settled market is worth 900 a lot
    world.hold(target, 0, 3, 0);
    world.give(target, -1);
    let figures = tsz_trade::invariants::margin(&world.view, &world.params, TIME, target).unwrap();
    world.give(target, -1 + figures.mmr - short - figures.tav);
    world
}

#[test]
fn rejects_a_target_with_positions_that_is_healthy_enough_by_a_millionth() {
    assert!(ill(0).try_apply(World::seize(0, AMOUNT)).is_err());
    let mut world = ill(1);
    world.apply(World::seize(0, AMOUNT));
    assert_eq!(world.records[0].accesses.len(), 2 * 2 + 2 * 3 + 5);
    assert_eq!(verdict(&world), "nowhere");
    // one millionth less of debt, before and after
    let access = &mut world.records[0].accesses[10 + TARGET];
    for leaf in [&mut access.old, &mut access.new] {
        let cell = SubCell::from_leaf(leaf).unwrap();
        let collateral = Collateral::new(cell.collateral.get() + 1).unwrap();
        *leaf = SubCell { collateral, ..cell }.to_leaf();
    }
    assert_eq!(verdict(&world), "target");
}

#[test]
fn rejects_a_target_whose_positions_are_not_judged() {
    let mut world = ill(1);
    world.apply(World::seize(0, 5));
    for (from, to) in [(0, 10), (4, 7), (7, 10), (0, 2), (2, 4)] {
        let mut lie = world.clone();
        lie.records[0].accesses.drain(from..to);
        assert_ne!(verdict(&lie), "nowhere", "{from}..{to}");
    }
    // told to be one without positions
    let mut lie = world.clone();
    lie.records[0].accesses.drain(..10);
    let access = &mut lie.records[0].accesses[TARGET];
    for leaf in [&mut access.old, &mut access.new] {
        leaf[5] -= f(2);
    }
    assert_eq!(verdict(&lie), "nowhere", "such a cell is for the transition proof to refuse");
    // another number of positions, a count that moves
    for (old, new) in [(1, 1), (0, 1)] {
        let mut lie = world.clone();
        let access = &mut lie.records[0].accesses[10 + TARGET];
        access.old[5] -= f(old);
        access.new[5] -= f(new);
        assert_ne!(verdict(&lie), "nowhere");
    }
    // a table at stale prices, and that of another
    let mut lie = world.clone();
    lie.set_price(1_000, TIME - 60_001);
    for access in &mut lie.records[0].accesses {
        if access.key == Key::mkp(2) {
            access.old = tsz_stf::View::get(&lie.view, access.key);
            access.new = access.old;
        }
    }
    assert_ne!(verdict(&lie), "nowhere");
    world.records[0].accesses[4].key = party(4, 2).pos_key(market(0));
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_a_token_of_haircut_0_that_is_not_paid() {
    let mut world = World::new();
    world.give(Party::INSURANCE, FUND);
    world.give(party(4, 3), -6_000);
    world.deposit(party(4, 3), 2, AMOUNT);
    assert!(world.try_apply(World::seize(2, 11)).is_err());
    world.apply(World::seize(2, 10));
    assert_eq!(world.sub(party(4, 3)).collateral.get(), 0);
    assert_eq!(verdict(&world), "nowhere");
    assert!(tampered(&world, &[("is_whole", f(0) - f(1))]));
    for at in [TARGET, INSURANCE] {
        let access = &mut world.records[0].accesses[at];
        let (old, new) = (access.old, access.new);
        access.new = [old[0], old[1], old[2], old[3], old[4], new[5], new[6], new[7]];
    }
    assert_eq!(verdict(&world), "bus:val");
}
