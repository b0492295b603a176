//! One test for each lie. A liar fills every table as if the lie were true: only the lie itself may fail.

use tsz_ledger::{Access, Cell, Key, MkfCell, MkoCell, MkpCell, PosCell, SubCell};
use tsz_trade::params::Status;
use tsz_trade::{Party, TradeOp};
use tsz_types::Collateral;

use super::world::*;

/// Places of the accesses of a pair.
const MKP: usize = 0;
const MKF: usize = 1;
const LONG: usize = 2;
const SHORT: usize = 4;
const INSURANCE: usize = 6;
const MKO: usize = 7;

/// An honest pair.
fn one(case: &Case) -> World {
    let mut world = World::new();
    set(&mut world, case);
    world.apply(World::pair(case.market, case.lots));
    world
}

/// The pair of a case with an access changed.
fn lie(case: &Case, at: usize, change: impl Fn(&mut Access)) -> String {
    let mut world = one(case);
    change(&mut world.records[0].accesses[at]);
    verdict(&world)
}

/// Changes the SUB cell that access `at` leaves.
fn left(case: &Case, at: usize, change: impl Fn(&mut i128, &mut SubCell)) -> String {
    lie(case, at, |access| {
        let mut cell = SubCell::from_leaf(&access.new).unwrap();
        let mut micros = cell.collateral.get();
        change(&mut micros, &mut cell);
        access.new = SubCell { collateral: Collateral::new(micros).unwrap(), ..cell }.to_leaf();
    })
}

#[test]
fn the_honest_pair_is_accepted() {
    for at in [LONG, SHORT, INSURANCE] {
        assert_eq!(left(&CASE, at, |_, _| ()), "nowhere");
    }
    let w = one(&CASE);
    // 7 lots settle 7 * 3 or nothing, and close at 900 and 1,100
    assert_eq!(w.sub(party(2, 0)).collateral.get(), -5_000_000_000 - 21 + 7 * 900 * 1_000_000);
    assert_eq!(w.sub(party(3, 0)).collateral.get(), 20_000_000_000 - 7 * 1_100 * 1_000_000);
    assert_eq!(w.sub(Party::INSURANCE).collateral.get(), 7 * 200 * 1_000_000);
    assert_eq!((w.mko(0).open_interest, w.mko(0).moves), (2, 1));
}

#[test]
fn rejects_another_payment() {
    for at in [LONG, SHORT, INSURANCE] {
        for by in [1, -1, 1 << 24, -(1 << 24), 1 << 48, 21, 1_000_000, 7 * 200_000_000, -7 * 900_000_000] {
            assert_eq!(left(&CASE, at, |micros, _| *micros += by), "bus:val", "{at} {by}");
        }
        assert_eq!(left(&CASE, at, |micros, _| *micros = -*micros), "bus:val", "{at}");
    }
}

#[test]
fn rejects_a_payment_that_is_made_up_in_the_columns() {
    // the low limb of what is left, in the row and in the log
    let minus = f(0) - f(1);
    for (column, by) in [
        ("long.cash.after.0.lo", f(1)),
        ("short.cash.after.0.lo", minus),
        ("insurance.after.0.lo", f(1)),
        ("paid.micros.0", f(1)),
        ("owed.micros.1", minus),
        ("paid.quote.0", f(1)),
        ("owed.quote.0", minus),
        ("interest.left.0.lo", f(1)),
        ("long.lots_after.0", f(1)),
    ] {
        assert!(tampered(&[(column, by)]), "{column}");
    }
    assert!(!tampered(&[]));
}

/// The honest witness with cells of the first pair changed.
fn tampered(cells: &[(&str, tsz_air::F)]) -> bool {
    use tsz_air::TableAir;
    let mut witness = one(&Case { lots: 3, ..CASE }).witness();
    let names = crate::tables::PairAir.column_names();
    for (column, by) in cells {
        let plain =
            |name: &str| name.replace(['[', ']'], ".").replace("..", ".").trim_end_matches('.').to_owned();
        let at = names.iter().position(|name| plain(name) == *column);
        witness.traces[crate::class::PAIR].values[at.unwrap_or_else(|| panic!("{column}: {names:?}"))] += *by;
    }
    judge(&witness).is_err()
}

#[test]
fn rejects_more_lots_than_either_holds() {
    for case in [Case { long: 6, ..CASE }, Case { short: 6, ..CASE }] {
        let mut world = World::new();
        set(&mut world, &case);
        assert!(world.try_apply(World::pair(0, 7)).is_err());
        // the log as if there were enough: the position found is the transition proof's, so the lie is the one left
        let mut world = one(&Case { lots: 6, ..case });
        let TradeOp::SettlePair(op) = &mut world.records[0].op else { panic!() };
        op.lots = lots(7);
        assert_ne!(verdict(&world), "nowhere");
    }
}

#[test]
fn rejects_no_lots() {
    let mut world = one(&CASE);
    let TradeOp::SettlePair(op) = &mut world.records[0].op else { panic!() };
    op.lots = lots(0);
    for access in [2, 3, 4, 5, 6] {
        world.records[0].accesses[access].new = world.records[0].accesses[access].old;
    }
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_two_sides_that_are_the_same() {
    for (at, size) in [(LONG + 1, -7), (SHORT + 1, 9)] {
        let verdict = lie(&CASE, at, |access| {
            access.old =
                PosCell::new(size, PosCell::from_leaf(&access.old).unwrap().funding()).unwrap().to_leaf();
        });
        assert_ne!(verdict, "nowhere");
    }
    let mut world = one(&CASE);
    let TradeOp::SettlePair(op) = &mut world.records[0].op else { panic!() };
    (op.long, op.short) = (op.short, op.long);
    assert_eq!(verdict(&world), "bus:key");
}

#[test]
fn rejects_positions_left_otherwise() {
    for (at, size, funding) in
        [(LONG + 1, 1, 8), (LONG + 1, -1, 8), (SHORT + 1, -3, 8), (SHORT + 1, 2, 8), (SHORT + 1, -2, 7)]
    {
        let left = PosCell::new(size, index(funding)).unwrap().to_leaf();
        assert_eq!(lie(&CASE, at, |access| access.new = left), "bus:val", "{at} {size} {funding}");
    }
    // an empty position with an index or a sign
    for felt in 2..8 {
        assert_eq!(lie(&CASE, LONG + 1, |access| access.new[felt] += f(1)), "bus:val");
    }
}

#[test]
fn rejects_a_count_of_positions_that_does_not_move_with_them() {
    assert_eq!(left(&CASE, LONG, |_, cell| cell.pos_count += 1), "bus:val");
    assert_eq!(left(&CASE, SHORT, |_, cell| cell.pos_count -= 1), "bus:val");
    for at in [LONG, SHORT, INSURANCE] {
        assert_eq!(left(&CASE, at, |_, cell| cell.mask ^= 2), "bus:val");
    }
}

#[test]
fn rejects_funding_that_is_not_settled() {
    let unsettled = |micros: &mut i128, _: &mut SubCell| *micros += 21;
    assert_eq!(left(&CASE, LONG, unsettled), "bus:val");
    // not due although the index moved
    let mut world = World::new();
    set(&mut world, &CASE);
    world.apply(World::pair(0, 3));
    let mut witness = world.witness();
    let names = tsz_air::TableAir::column_names(&crate::tables::PairAir);
    let at = names.iter().position(|name| name == "long.is_due").unwrap();
    witness.traces[crate::class::PAIR].values[at] = f(0);
    assert!(judge(&witness).is_err());
    // a tick is due
    let stale = lie(&CASE, MKF, |access| {
        access.old = MkfCell { funding: index(8), hour: HOUR - 1 }.to_leaf();
        access.new = access.old;
    });
    assert_ne!(stale, "nowhere");
    // the index of another moment
    let other = lie(&CASE, MKF, |access| {
        access.old = MkfCell { funding: index(9), hour: HOUR }.to_leaf();
        access.new = access.old;
    });
    assert_ne!(other, "nowhere");
}

#[test]
fn rejects_a_market_without_named_prices() {
    let mut world = World::new();
    set(&mut world, &CASE);
    let cell = MkpCell { index: 900, mark: 1_100, price_ts: 77, settled: false };
    world.view.set(Key::mkp(0), cell.to_leaf());
    assert!(world.try_apply(World::pair(0, 7)).is_err());
    let unnamed = lie(&CASE, MKP, |access| {
        access.old = cell.to_leaf();
        access.new = access.old;
    });
    assert_eq!(unnamed, "pair");
    // other prices
    let mut world = one(&CASE);
    let access = &mut world.records[0].accesses[MKP];
    access.old = MkpCell { index: 901, settled: true, ..cell }.to_leaf();
    access.new = access.old;
    assert_eq!(verdict(&world), "bus:val");
}

#[test]
fn rejects_parameters_that_are_not_in_force() {
    for change in [
        (|p| p.perps[0].qm = tsz_types::QuoteMultiplier::new(2).unwrap()) as fn(&mut tsz_trade::Params),
        |p| p.perps.swap(0, 1),
        |p| p.perps[0].status = Status::Open,
    ] {
        let mut world = World::new();
        set(&mut world, &CASE);
        change(&mut world.params);
        world.apply(World::pair(0, 7));
        assert_eq!(verdict(&world), "bus:p2");
    }
    let mut world = one(&CASE);
    world.params.perps.clear();
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_open_interest_that_does_not_follow() {
    for (open_interest, moves) in [(16, 1), (9, 1), (3, 1), (1, 1), (2, 0), (2, 2), (2, 1 << 24)] {
        let cell = MkoCell { open_interest, moves }.to_leaf();
        assert_eq!(lie(&CASE, MKO, |access| access.new = cell), "bus:val", "{open_interest} {moves}");
    }
    // more is closed than is open
    let mut world = World::new();
    set(&mut world, &CASE);
    world.set_mko(0, 13, 0);
    assert!(world.try_apply(World::pair(0, 7)).is_err());
    let wraps = lie(&CASE, MKO, |access| {
        access.old = MkoCell { open_interest: 13, moves: 0 }.to_leaf();
        access.new = MkoCell { open_interest: (1 << 56) - 1, moves: 1 }.to_leaf();
    });
    assert_ne!(wraps, "nowhere");
    // the last count
    let mut world = World::new();
    set(&mut world, &CASE);
    world.set_mko(0, 16, (1 << 48) - 1);
    assert!(world.try_apply(World::pair(0, 7)).is_err());
    let wraps = lie(&CASE, MKO, |access| {
        access.old = MkoCell { open_interest: 16, moves: (1 << 48) - 1 }.to_leaf();
        access.new = MkoCell { open_interest: 2, moves: 0 }.to_leaf();
    });
    assert_ne!(wraps, "nowhere");
}

#[test]
fn rejects_cells_of_others() {
    for (at, key) in [
        (MKP, Key::mkp(2)),
        (MKF, Key::mkf(2)),
        (LONG, party(2, 1).sub_key()),
        (LONG + 1, party(4, 0).pos_key(market(0))),
        (LONG + 1, party(2, 0).pos_key(market(1))),
        (SHORT, party(2, 0).sub_key()),
        (SHORT + 1, party(2, 0).pos_key(market(0))),
        (INSURANCE, Party::FEES.sub_key()),
        (INSURANCE, party(1, 1).sub_key()),
        (MKO, Key::mko(1)),
    ] {
        assert_eq!(lie(&CASE, at, |access| access.key = key), "bus:key", "{at}");
    }
    for at in 0..8 {
        assert_ne!(lie(&CASE, at, |access| access.write = !access.write), "nowhere", "{at}");
    }
}

#[test]
fn rejects_widths_that_wrap() {
    let wide = (1 << 48) - 1;
    // a notional of 2^72
    let case = Case { long: wide, short: wide, lots: wide, prices: (1, 1 << 24), cash: [0; 3], ..CASE };
    let mut world = World::new();
    set(&mut world, &Case { prices: (1, (1 << 24) + 1), ..case });
    assert!(world.try_apply(World::pair(0, wide)).is_err());
    let mut world = one(&case);
    let access = &mut world.records[0].accesses[MKP];
    access.old = MkpCell { index: 1, mark: (1 << 24) + 1, price_ts: 77, settled: true }.to_leaf();
    access.new = access.old;
    assert_ne!(verdict(&world), "nowhere");
    // collateral of 96 bits
    let top = (1 << 95) - 1;
    let case = Case { cash: [top - 7 * 900_000_000 + 21, 0, 0], ..CASE };
    assert_eq!(left(&case, LONG, |_, _| ()), "nowhere");
    let mut world = World::new();
    set(&mut world, &Case { cash: [case.cash[0] + 1, 0, 0], ..case });
    assert!(world.try_apply(World::pair(0, 7)).is_err());
    let wraps = lie(&case, LONG, |access| {
        access.old[0] += f(1);
        access.new = [f(0), f(0), f(0), f(1 << 23), f(0), access.new[5], f(0), f(0)];
    });
    assert_eq!(wraps, "bus:range12");
    // -0
    let case = Case { cash: [-7 * 900_000_000 + 21, 0, 0], ..CASE };
    assert_eq!(left(&case, LONG, |_, _| ()), "nowhere");
    assert_eq!(lie(&case, LONG, |access| access.new[4] = f(1)), "bus:val");
    assert!(tampered(&[("long.cash.sign.negative", f(1))]));
}

#[test]
fn rejects_padding_that_acts() {
    use crate::class::{PAIR, PRICE};
    use tsz_air::TableAir;
    let witness = every_op().witness();
    let airs = SMALL.circuit(tsz_stark::Profile::Base).airs;
    for (table, row, column) in [
        (1, 10, "is_real"),
        (1, 10, "scale_uses"),
        (PRICE, 40, "is_real"),
        (PRICE, 40, "uses"),
        (PRICE + 1, 100, "is_real"),
        (PRICE + 1, 100, "uses"),
        (PAIR, 40, "is_real"),
        (PAIR, 40, "long.is_due"),
        (PAIR + 1, 40, "is_real"),
        (PAIR + 1, 40, "fund.judged"),
        (PAIR + 2, 40, "is_real"),
        (PAIR + 2, 40, "fund.judged"),
        (PAIR + 2, 40, "is_left"),
    ] {
        let mut lie = witness.clone();
        let at = airs[table].column_names().iter().position(|name| name == column).unwrap();
        let width = lie.traces[table].width;
        lie.traces[table].values[row * width + at] += f(1);
        assert!(judge(&lie).is_err(), "{table} {column}");
    }
}
