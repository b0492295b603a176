//! One test for each lie about the last prices of a market.

use tsz_ledger::{Access, Cell, Key, MkpCell};
use tsz_trade::TradeOp;
use tsz_trade::params::Status;

use super::world::*;

/// Market 4 at 1,000 gets the prices 900 and 1,100.
fn one() -> World {
    let mut world = World::new();
    world.freeze(4, 1_000, 1_001);
    world.apply(world.name(4, 900, 1_100));
    let cell = MkpCell { index: 900, mark: 1_100, price_ts: (1 << 48) - 1, settled: true };
    assert_eq!(world.mkp(4), cell);
    world
}

/// The honest op that leaves another MKP cell.
fn left(change: impl Fn(&mut MkpCell)) -> String {
    let mut world = one();
    let mut cell = world.mkp(4);
    change(&mut cell);
    world.records[0].accesses[2].new = cell.to_leaf();
    verdict(&world)
}

/// The op with other prices in op, record and cell.
fn named(long: u32, short: u32) -> String {
    let mut world = one();
    let TradeOp::SettleMarket(op) = &mut world.records[0].op else { panic!() };
    op.long = tsz_types::Price::new(long).unwrap();
    op.short = tsz_types::Price::new(short).unwrap();
    let record = op.record();
    let log = &mut world.records[0].accesses;
    log[1].new = record.iter().fold(log[1].old, |cap, block| tsz_hash::step(block, &cap));
    let cell = MkpCell { index: long, mark: short, ..MkpCell::from_leaf(&log[2].new).unwrap() };
    log[2].new = cell.to_leaf();
    verdict(&world)
}

#[test]
fn the_honest_prices_are_accepted() {
    assert_eq!(left(|_| ()), "nowhere");
    assert_eq!(named(900, 1_100), "nowhere");
    assert_eq!(named(1, u32::MAX), "nowhere");
    assert_eq!(named(1_000, 1_000), "nowhere");
}

#[test]
fn rejects_other_prices_than_the_record_names() {
    for change in [
        (|cell| cell.index += 1) as fn(&mut MkpCell),
        |cell| cell.mark -= 1,
        |cell| (cell.index, cell.mark) = (1_100, 900),
        |cell| (cell.index, cell.mark) = (1_000, 1_001),
        |cell| cell.price_ts -= 1,
        |cell| cell.settled = false,
    ] {
        assert_eq!(left(change), "bus:val");
    }
}

#[test]
fn rejects_a_long_price_above_the_short_one() {
    assert_eq!(named(1_001, 1_000), "settle_market");
    assert_eq!(named(1 << 24, (1 << 24) - 1), "settle_market");
}

/// A witness of [`one`] with other cells of the table.
fn tampered(world: &World, cells: &[(&str, tsz_air::F)]) -> bool {
    use tsz_air::TableAir;
    let mut witness = world.witness();
    let names = crate::tables::SettleMarketAir.column_names();
    for (column, value) in cells {
        let at = names.iter().position(|name| name == column).unwrap();
        witness.traces[7].values[at] = *value;
    }
    judge(&witness).is_err()
}

#[test]
fn rejects_a_price_of_nothing_and_wide_limbs() {
    // limbs of zero: no inverse
    let mut world = one();
    world.records[0].accesses[2].new[0] = f(0);
    assert_ne!(verdict(&world), "nowhere");
    let world = one();
    assert!(tampered(&world, &[("short.hi", f(256))]));
    assert!(tampered(&world, &[("market", f(260))]));
    assert!(!tampered(&world, &[]));
}

#[test]
fn rejects_prices_that_are_named_twice() {
    let mut world = one();
    world.apply(world.name(4, 1, 2));
    assert_eq!(world.mkp(4).index, 900);
    assert_eq!(verdict(&world), "nowhere");
    let mut lie = world.clone();
    let cell = MkpCell { index: 1, mark: 2, ..world.mkp(4) };
    lie.records[1].accesses[2].new = cell.to_leaf();
    assert_eq!(verdict(&lie), "bus:val");
    // settled as if it were not
    let mut lie = world;
    let old = MkpCell { settled: false, ..cell };
    lie.records[1].accesses[2].old = old.to_leaf();
    assert_eq!(verdict(&lie), "bus:val");
}

#[test]
fn rejects_prices_for_a_market_that_does_not_settle() {
    for m in [0, 1, 3] {
        let mut world = World::new();
        world.params.perps[usize::from(m)].status = Status::Settling;
        world.apply(world.name(m, 900, 1_100));
        assert_eq!(world.records[0].accesses.len(), 3);
        // the list of the claim says otherwise
        assert_eq!(verdict(&world), "bus:p2", "{m}");
    }
    // a no-op of an open market, as if it settled
    let mut world = World::new();
    world.apply(world.name(0, 900, 1_100));
    assert_eq!(world.records[0].accesses.len(), 2);
    assert_eq!(verdict(&world), "nowhere");
    let old = world.mkp(0).to_leaf();
    let new = MkpCell { index: 900, mark: 1_100, settled: true, ..world.mkp(0) }.to_leaf();
    world.records[0].accesses.push(Access { key: Key::mkp(0), write: true, old, new });
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_a_settling_market_that_gets_no_prices() {
    let mut world = one();
    world.records[0].accesses.pop();
    assert_ne!(verdict(&world), "nowhere");
    // also if it is said to be beyond the list: excess as if there were fewer markets
    let mut world = World::new();
    world.apply(world.name(5, 900, 1_100));
    assert_eq!(verdict(&world), "nowhere");
    for (market, excess) in [(4, f(0) - f(1)), (4, f(0)), (3, f(0) - f(2)), (5, f(1))] {
        assert!(tampered(&world, &[("market", f(market)), ("excess", excess)]));
    }
}

#[test]
fn rejects_a_number_of_markets_that_is_not_that_of_the_list() {
    use tsz_air::TableAir;
    let mut world = World::new();
    world.apply(world.name(9, 900, 1_100));
    let witness = world.witness();
    let names = tsz_gadgets::perps::PerpsAir.column_names();
    let at = |name: &str| names.iter().position(|n| n == name).unwrap();
    let width = names.len();
    let height = witness.traces[1].values.len() / width;
    for (row, column, by) in [
        // padding before the last row speaks
        (10, "status_uses", 1),
        (height - 2, "status_uses", 1),
        (height - 1, "number", 1),
        (3, "number", 1),
        (0, "number", 1),
        (2, "status_uses", 1),
    ] {
        let mut lie = witness.clone();
        lie.traces[1].values[row * width + at(column)] += f(by);
        assert!(judge(&lie).is_err(), "{row} {column}");
    }
    // all rows count from one
    let mut lie = witness.clone();
    for row in 0..height {
        lie.traces[1].values[row * width + at("number")] += f(1);
    }
    assert!(judge(&lie).is_err());
}

#[test]
fn rejects_cells_and_records_of_others() {
    let mut world = one();
    world.records[0].accesses[2].key = Key::mkp(3);
    assert_eq!(verdict(&world), "bus:key");
    let mut world = one();
    world.records[0].accesses[2].write = false;
    assert_ne!(verdict(&world), "nowhere");
    for access in 0..2 {
        for felt in 0..8 {
            let mut world = one();
            world.records[0].accesses[access].new[felt] += f(1);
            assert_eq!(verdict(&world), "bus:val");
        }
    }
}
