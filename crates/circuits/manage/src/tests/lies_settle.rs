//! One test for each lie about settlements.

use tsz_ledger::{Access, Cell, Key, MkfCell, PosCell, SubCell};
use tsz_types::{Collateral, FundingIndex};

use super::world::*;

/// A long of 7 lots that pays 7 * 4,101 * 3 of 1,000,000.
fn one() -> World {
    let mut world = World::new();
    world.hold(7, 1_000_000, 5, 8);
    world.apply(World::settle());
    assert_eq!(world.sub().collateral.get(), 1_000_000 - 7 * 4_101 * 3);
    world
}

fn index(i: i64) -> FundingIndex {
    FundingIndex::new(i).unwrap()
}

/// The honest settlement with another collateral left.
fn left(change: impl Fn(i128) -> i128) -> String {
    let mut world = one();
    let cell = world.sub();
    let collateral = Collateral::new(change(cell.collateral.get())).unwrap();
    world.records[0].accesses[2].new = SubCell { collateral, ..cell }.to_leaf();
    verdict(&world)
}

#[test]
fn the_honest_settlement_is_accepted() {
    assert_eq!(left(|c| c), "nowhere");
}

#[test]
fn rejects_another_payment() {
    for by in [1, -1, 1 << 24, 4_101, 2 * 7 * 4_101 * 3] {
        assert_eq!(left(|c| c + by), "settle", "{by}");
    }
    assert_eq!(left(|c| -c), "settle");
    // nothing is paid
    assert_eq!(left(|_| 1_000_000), "settle");
}

#[test]
fn rejects_positions_that_change() {
    for pos in [(8, 8), (-7, 8), (7, 7), (7, -8), (7, 5)] {
        let mut world = one();
        world.records[0].accesses[3].new = PosCell::new(pos.0, index(pos.1)).unwrap().to_leaf();
        assert_eq!(verdict(&world), "bus:val", "{pos:?}");
    }
    for felt in 5..8 {
        let mut world = one();
        world.records[0].accesses[2].new[felt] += f(1);
        assert_eq!(verdict(&world), "bus:val");
    }
}

#[test]
fn rejects_a_position_that_is_not_there() {
    let mut world = one();
    let access = &mut world.records[0].accesses[3];
    access.old = PosCell::default().to_leaf();
    access.new = access.old;
    assert_ne!(verdict(&world), "nowhere");
    let mut world = World::new();
    world.hold(0, 5, 0, 0);
    assert!(world.try_apply(World::settle()).is_err());
}

#[test]
fn rejects_a_stale_funding_index() {
    // a tick is due
    let mut world = one();
    let access = &mut world.records[0].accesses[1];
    access.old = MkfCell { funding: index(8), hour: HOUR - 1 }.to_leaf();
    access.new = access.old;
    assert_eq!(verdict(&world), "bus:val");
    // the index of another moment
    let mut world = one();
    let access = &mut world.records[0].accesses[1];
    access.old = MkfCell { funding: index(9), hour: HOUR }.to_leaf();
    access.new = access.old;
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_cells_of_others() {
    let other = tsz_trade::Party { account: tsz_types::AccountId::FEES, ..PARTY };
    for (at, key) in [
        (0, Key::mkp(2)),
        (1, Key::mkf(2)),
        (2, other.sub_key()),
        (3, other.pos_key(market(1))),
        (3, PARTY.pos_key(market(2))),
    ] {
        let mut world = one();
        world.records[0].accesses[at].key = key;
        assert_eq!(verdict(&world), "bus:key", "{at}");
    }
    let mut world = one();
    let access = world.records[0].accesses[3];
    world.records[0].accesses[3] = Access { write: false, new: access.old, ..access };
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_another_multiplier() {
    let mut world = World::new();
    world.hold(7, 1_000_000, 5, 8);
    world.params.perps[1].qm = tsz_types::QuoteMultiplier::new(1).unwrap();
    world.apply(World::settle());
    assert_eq!(verdict(&world), "bus:p2");
}

#[test]
fn rejects_widths_that_wrap() {
    // 2^94 is too much to pay at once, whatever the collateral could bear
    let mut world = World::new();
    world.hold(1 << 47, 0, 1 << 35, 0);
    assert!(world.try_apply(World::settle()).is_err());
    // collateral of 96 bits
    let mut world = World::new();
    world.hold(1, (1 << 95) - 4_102, 1, 0);
    world.apply(World::settle());
    assert_eq!(verdict(&world), "nowhere");
    let access = &mut world.records[0].accesses[2];
    access.old[0] += f(1);
    access.new = [f(0), f(0), f(0), f(1 << 23), f(0), access.new[5], f(0), f(0)];
    assert_eq!(verdict(&world), "bus:range12");
    // -0
    let mut world = World::new();
    world.hold(-1, 4_101, 1, 0);
    world.apply(World::settle());
    assert_eq!(world.sub().collateral.get(), 0);
    assert_eq!(verdict(&world), "nowhere");
    world.records[0].accesses[2].new[4] = f(1);
    assert_eq!(verdict(&world), "settle");
}
