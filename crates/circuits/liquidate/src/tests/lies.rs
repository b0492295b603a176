//! One test for each lie. A liar fills every table as if the lie were true: only the lie itself may fail.

use tsz_ledger::{Access, Cell, Key, MkfCell, MkpCell, PosCell, SubCell};
use tsz_trade::{Party, TradeOp, invariants};
use tsz_types::*;

use super::world::*;

/// Account 2 is long 2,000 lots of market 0 and short 3 of market 1, a little below CMR; insurance takes 300.
fn one() -> World {
    let mut world = World::new();
    world.hold(2, 0, 2_000, 70);
    world.hold(2, 1, -3, 5);
    world.set_collateral(2, -1_900_000_000_000);
    world.apply(2, 0, 300);
    assert_eq!(verdict(&world), "nowhere");
    world
}

/// Places in the log: the target's table, SUB of insurance, SUB and POS of the target.
const TABLE: usize = 2;
const OWN: usize = 5;
const SUB: usize = 7;

fn set(access: &mut Access, cell: &impl Cell) {
    access.old = cell.to_leaf();
    access.new = access.old;
}

/// Shifts the collateral in an access before and after alike.
fn shift(world: &mut World, access: usize, by: i128) {
    let access = &mut world.records[0].accesses[access];
    for leaf in [&mut access.old, &mut access.new] {
        let cell = SubCell::from_leaf(leaf).unwrap();
        let collateral = Collateral::new(cell.collateral.get() + by).unwrap();
        *leaf = SubCell { collateral, ..cell }.to_leaf();
    }
}

#[test]
fn rejects_a_target_that_is_healthy_enough_by_a_millionth() {
    // what is left of CMR, from the state before
    let mut state = World::new();
    state.hold(2, 0, 2_000, 70);
    state.hold(2, 1, -3, 5);
    state.set_collateral(2, -1_900_000_000_000);
    let party = Party { account: AccountId::new(2).unwrap(), sub: SubId::MIN };
    let margin = invariants::margin(&state.view, &state.params, TIME, party).unwrap();
    let collateral = -1_900_000_000_000 - (margin.tav - margin.cmr);
    state.set_collateral(2, collateral);
    assert!(state.try_apply(state.op(2, 0, 300)).is_err());
    state.set_collateral(2, collateral - 1);
    let mut world = state.clone();
    world.apply(2, 0, 300);
    assert_eq!(verdict(&world), "nowhere");
    // the same log, its payment untouched: the zero quote is the same but for the rounding
    shift(&mut world, SUB, 1);
    assert_eq!(verdict(&world), "target");
}

#[test]
fn rejects_a_price_one_unit_beyond_the_zero_quote() {
    for by in [-1_000_000, 1_000_000, 1] {
        let mut world = one();
        // the target gets more, insurance pays it, and the reverse
        for (access, by) in [(SUB, by), (SUB + 2, -by)] {
            let access = &mut world.records[0].accesses[access];
            let cell = SubCell::from_leaf(&access.new).unwrap();
            let collateral = Collateral::new(cell.collateral.get() + by).unwrap();
            access.new = SubCell { collateral, ..cell }.to_leaf();
        }
        assert_eq!(verdict(&world), "bus:val", "{by}");
    }
}

#[test]
fn rejects_other_lots_other_parties_and_other_markets() {
    let changes: [fn(&mut tsz_trade::ops::Takeover); 5] = [
        |op| op.lots = Lots::new(299).unwrap(),
        |op| op.lots = Lots::MIN,
        |op| op.target.account = AccountId::new(3).unwrap(),
        |op| op.target.sub = SubId::new(1).unwrap(),
        |op| op.market = MarketId::new(1).unwrap(),
    ];
    for (k, change) in changes.into_iter().enumerate() {
        let mut world = one();
        let TradeOp::Takeover(op) = &mut world.records[0].op else { panic!("no takeover") };
        change(op);
        assert_ne!(verdict(&world), "nowhere", "change {k}");
    }
    // more lots than there are would turn the position
    let mut world = one();
    let TradeOp::Takeover(op) = &mut world.records[0].op else { panic!("no takeover") };
    op.lots = Lots::new(2_001).unwrap();
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_cells_that_are_not_the_rules() {
    let world = one();
    for access in 0..world.records[0].accesses.len() {
        for felt in 0..6 {
            let mut lie = world.clone();
            let changed = &mut lie.records[0].accesses[access];
            if changed.write {
                changed.new[felt] += f(1);
                assert_ne!(verdict(&lie), "nowhere", "access {access} felt {felt}");
            }
        }
        let mut lie = world.clone();
        lie.records[0].accesses[access].key = Key::pos(2, 3, 9);
        assert_ne!(verdict(&lie), "nowhere", "access {access}");
        let mut lie = world.clone();
        lie.records[0].accesses[access].write ^= true;
        assert_ne!(verdict(&lie), "nowhere", "access {access}");
    }
}

#[test]
fn rejects_a_position_left_out_or_of_another_or_at_a_stale_index() {
    let mut world = one();
    world.records[0].accesses.drain(TABLE..TABLE + 3);
    assert_ne!(verdict(&world), "nowhere");
    let mut world = one();
    set(&mut world.records[0].accesses[TABLE], &PosCell::default());
    assert_ne!(verdict(&world), "nowhere");
    let mut world = one();
    let hour = MkfCell { hour: 1, ..MkfCell::default() };
    set(&mut world.records[0].accesses[TABLE + 2], &hour);
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_old_prices_of_the_target_and_missing_ones() {
    let old = |ms| MkpCell { index: 1_000, mark: 1_000, price_ts: TIME - 60_000 - ms, settled: false };
    for access in [0, TABLE + 1] {
        let mut world = one();
        set(&mut world.records[0].accesses[access], &old(0));
        assert_eq!(verdict(&world), "nowhere", "access {access}");
        for cell in [old(1), MkpCell::default()] {
            set(&mut world.records[0].accesses[access], &cell);
            assert_ne!(verdict(&world), "nowhere", "access {access}");
        }
    }
}

#[test]
fn rejects_an_insurance_that_cannot_bear_it_by_a_millionth() {
    let world = one();
    let mut state = World::new();
    state.view.commit(&world.records[0].accesses);
    let party = Party { account: AccountId::INSURANCE, sub: SubId::MIN };
    state.params = world.params.clone();
    let margin = invariants::margin(&state.view, &state.params, TIME, party).unwrap();
    let spare = margin.tav - margin.imr;
    let told = |by: i128| {
        let mut world = world.clone();
        shift(&mut world, SUB + 2, by);
        let found = world.records[0].accesses[SUB + 2].old;
        (world.records[0].accesses[OWN].old, world.records[0].accesses[OWN].new) = (found, found);
        verdict(&world)
    };
    assert_eq!(told(-spare), "nowhere");
    assert_eq!(told(-spare - 1), "judge");
}
