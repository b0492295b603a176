//! One test for each lie about positions, prices and judgements.

use tsz_hash::PrimeField32;
use tsz_ledger::{Access, Cell, Key, MkfCell, MkpCell, PosCell, SubCell};
use tsz_stf::View;
use tsz_trade::invariants;
use tsz_trade::ops::PerpTrade;
use tsz_trade::order::Side;
use tsz_trade::params::Status;
use tsz_trade::{HOUR_MS, Party};
use tsz_types::*;

use super::lies::under;
use super::world::*;

/// Account 2 holds positions in markets 1 and 4 and trades in market 0.
fn three() -> World {
    let mut world = World::new();
    world.hold(2, 1, 12, 5);
    world.hold(2, 4, -3, -9);
    world.apply(world.trade(0, 10, 1_000));
    assert_eq!(verdict(&world), "nowhere");
    world
}

/// First access of the taker's judgement.
const TABLE: usize = 16;

fn set(access: &mut Access, cell: &impl Cell) {
    access.old = cell.to_leaf();
    access.new = access.old;
}

fn sub(world: &World, access: usize, new: bool) -> SubCell {
    let access = &world.records[0].accesses[access];
    SubCell::from_leaf(if new { &access.new } else { &access.old }).unwrap()
}

/// Changes the collateral of an access by an amount, before and after alike.
fn shift_collateral(world: &mut World, access: usize, by: i128) {
    let shifted = |cell: SubCell| {
        let collateral = Collateral::new(cell.collateral.get() + by).unwrap();
        SubCell { collateral, ..cell }.to_leaf()
    };
    let (old, new) = (sub(world, access, false), sub(world, access, true));
    let access = &mut world.records[0].accesses[access];
    (access.old, access.new) = (shifted(old), shifted(new));
}

#[test]
fn rejects_a_position_left_out_of_the_sum() {
    let mut world = three();
    world.records[0].accesses.drain(TABLE + 3..TABLE + 6);
    assert_ne!(verdict(&world), "nowhere");
    let mut world = three();
    world.records[0].accesses.drain(TABLE..TABLE + 6);
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_a_position_counted_twice() {
    let mut world = three();
    let accesses = &mut world.records[0].accesses;
    let again: Vec<_> = accesses[TABLE..TABLE + 3].to_vec();
    accesses.splice(TABLE..TABLE, again);
    // the count of the liar's cell allows it
    accesses[10].old[5] += f(1);
    accesses[10].new[5] += f(1);
    assert_eq!(verdict(&world), "bus:range12");
}

#[test]
fn rejects_positions_out_of_order() {
    let mut world = three();
    let accesses = &mut world.records[0].accesses;
    for k in 0..3 {
        accesses.swap(TABLE + k, TABLE + 3 + k);
    }
    assert_eq!(verdict(&world), "bus:range12");
}

#[test]
fn rejects_the_ops_own_position_among_the_others() {
    let mut world = World::new();
    world.hold(2, 1, 12, 5);
    world.apply(world.trade(0, 10, 1_000));
    let view = world.view.clone();
    let accesses = &mut world.records[0].accesses;
    for (k, key) in [Key::pos(2, 0, 0), Key::mkp(0), Key::mkf(0)].into_iter().enumerate() {
        accesses[TABLE + k] = Access::read(key, view.get(key));
    }
    assert_eq!(verdict(&world), "position");
}

#[test]
fn rejects_an_empty_position_and_that_of_another() {
    let mut world = three();
    set(&mut world.records[0].accesses[TABLE], &PosCell::default());
    assert_ne!(verdict(&world), "nowhere");
    for key in [Key::pos(3, 0, 1), Key::pos(2, 1, 1), Key::pos(2, 0, 2)] {
        let mut world = three();
        world.records[0].accesses[TABLE].key = key;
        assert_eq!(verdict(&world), "bus:key");
    }
}

#[test]
fn rejects_a_stale_funding_index() {
    let hour = |h: u32| MkfCell { hour: h, ..MkfCell::default() };
    let now = (TIME / HOUR_MS) as u32;
    for access in [1, TABLE + 2] {
        for wrong in [now - 1, now + 1] {
            let mut world = three();
            set(&mut world.records[0].accesses[access], &hour(wrong));
            assert_ne!(verdict(&world), "nowhere", "access {access} hour {wrong}");
        }
    }
    // the position is not settled at the index of the market
    let mut world = three();
    world.records[0].accesses[11].new[3] += f(1);
    assert_eq!(verdict(&world), "bus:val");
}

#[test]
fn rejects_a_price_that_is_too_old_by_a_millisecond_or_missing() {
    let old = |ms| MkpCell { index: 1_000, mark: 1_000, price_ts: TIME - 60_000 - ms, settled: false };
    for access in [0, TABLE + 1] {
        let mut world = three();
        set(&mut world.records[0].accesses[access], &old(0));
        assert_eq!(verdict(&world), "nowhere", "access {access}");
        set(&mut world.records[0].accesses[access], &old(1));
        assert_ne!(verdict(&world), "nowhere", "access {access}");
        set(&mut world.records[0].accesses[access], &MkpCell::default());
        assert_ne!(verdict(&world), "nowhere", "access {access}");
    }
    // a frozen price has any age
    let mut world = three();
    set(&mut world.records[0].accesses[TABLE + 4], &old(1 << 30));
    assert_eq!(verdict(&world), "nowhere");
    assert_ne!(under(&world, |p| p.perps[4].status = Status::Open), "nowhere");
}

#[test]
fn rejects_prices_of_another_market() {
    for (access, key) in [(0, Key::mkp(1)), (1, Key::mkf(1)), (TABLE + 2, Key::mkf(0))] {
        let mut world = three();
        world.records[0].accesses[access].key = key;
        assert_eq!(verdict(&world), "bus:key");
    }
}

/// TAV less IMR of account 2 as the state is.
fn surplus(world: &World) -> i128 {
    let party = Party { account: account(2), sub: SubId::MIN };
    let margin = invariants::margin(&world.view, &world.params, TIME, party).unwrap();
    margin.tav - margin.imr
}

#[test]
fn rejects_a_transition_below_the_initial_margin_by_a_millionth() {
    let mut world = three();
    let surplus = surplus(&world);
    shift_collateral(&mut world, 10, -surplus);
    assert_eq!(verdict(&world), "nowhere");
    shift_collateral(&mut world, 10, -1);
    assert_eq!(verdict(&world), "judge");
}

#[test]
fn rejects_a_judgement_left_out() {
    let mut world = three();
    let surplus = surplus(&world);
    shift_collateral(&mut world, 10, -surplus - 1);
    // the liar says that no positions are left, and reads none
    let accesses = &mut world.records[0].accesses;
    accesses[10].old[5] -= f(2);
    accesses[10].new[5] -= f(3);
    accesses.drain(TABLE..TABLE + 6);
    assert_ne!(verdict(&world), "nowhere");
}

/// Account 4, between MMR and IMR, sells 400 of 2000 lots.
fn reduction() -> World {
    let mut world = World::new();
    world.hold(4, 2, 400, 0);
    ill_with(&mut world, 0);
    assert_eq!(verdict(&world), "nowhere");
    world
}

fn ill_with(world: &mut World, funding: i64) {
    world.set_funding(0, funding);
    world.hold(4, 0, 2_000, funding);
    world.set_collateral(4, -2_750_000_000_000);
    let mut op = world.trade(0, 400, 1_000);
    op.maker = world.order(4, 0, Side::Sell, 400, 1_000);
    op.maker_fee = rate(0);
    world.apply(op);
}

#[test]
fn rejects_a_ratio_that_falls() {
    // TAV < 0 before and after alike: less margin makes the ratio worse
    let mut world = reduction();
    shift_collateral(&mut world, 12, -460_000_000_000);
    assert_eq!(verdict(&world), "ratio");
    // TAV = 0 keeps the ratio, one millionth less does not
    let tav = 450_000_000_000;
    let mut world = reduction();
    shift_collateral(&mut world, 12, -tav);
    assert_eq!(verdict(&world), "nowhere");
    shift_collateral(&mut world, 12, -1);
    assert_eq!(verdict(&world), "ratio");
}

#[test]
fn rejects_growth_of_an_account_that_is_not_healthy() {
    // the same figures, but the account bought
    let mut world = World::new();
    world.hold(4, 2, 400, 0);
    world.hold(4, 0, 2_000, 0);
    let mut op = world.sale(0, 1, 1_000);
    op.maker = world.order(4, 0, Side::Buy, 1, 1_000);
    world.apply(PerpTrade { maker_fee: rate(0), ..op });
    assert_eq!(verdict(&world), "nowhere");
    shift_collateral(&mut world, 12, -3_250_000_000_000);
    assert_eq!(verdict(&world), "judge");
}

#[test]
fn rejects_growth_beyond_the_last_tier() {
    let world = three();
    let bound = |n| {
        move |p: &mut tsz_trade::Params| {
            p.perps[0].tiers.truncate(1);
            p.perps[0].tiers[0].bound = Notional::new(n).unwrap();
        }
    };
    assert_eq!(under(&world, bound(10_000)), "nowhere");
    assert_eq!(under(&world, bound(9_999)), "judge");
}

#[test]
fn the_tier_before_the_bound_and_after_it() {
    // the requirement of 10,000 rises from 10% to 50% beyond the bound: TAV is between
    let mut world = three();
    let surplus = surplus(&world);
    shift_collateral(&mut world, 10, -surplus);
    let tiers = |n| {
        move |p: &mut tsz_trade::Params| {
            p.perps[0].tiers[0].bound = Notional::new(n).unwrap();
            p.perps[0].tiers[1].imf = Fraction::new(5_000).unwrap();
        }
    };
    assert_eq!(under(&world, tiers(10_000)), "nowhere");
    assert_eq!(under(&world, tiers(9_999)), "judge");
}

#[test]
fn rejects_a_33rd_position() {
    let mut world = three();
    let access = &mut world.records[0].accesses[12];
    // the maker opens its first position; a liar's cell says it held 32
    assert_eq!(access.old[5].as_canonical_u32(), 0);
    access.old[5] = f(32);
    access.new[5] = f(33);
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_margin_tokens_that_nobody_reads() {
    let mut world = three();
    let access = &mut world.records[0].accesses[10];
    access.old[5] += f(64);
    access.new[5] += f(64);
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_a_collateral_with_another_sign() {
    let mut world = three();
    world.records[0].accesses[12].new[4] = f(1);
    assert_eq!(verdict(&world), "bus:val");
}

#[test]
fn a_settled_market_values_longs_at_the_index_and_shorts_at_the_mark() {
    // account 2 is short 3 lots of market 4, whose qm is 7: its price is the mark
    let named = |index, mark| MkpCell { index, mark, price_ts: 5, settled: true };
    let mut world = three();
    let surplus = surplus(&world);
    shift_collateral(&mut world, 10, -surplus);
    assert_eq!(verdict(&world), "nowhere");
    set(&mut world.records[0].accesses[TABLE + 4], &named(2_000, 1_000));
    assert_eq!(verdict(&world), "nowhere");
    set(&mut world.records[0].accesses[TABLE + 4], &named(1_000, 1_001));
    assert_eq!(verdict(&world), "judge");
    // the op's own market has one price
    let mut world = three();
    set(&mut world.records[0].accesses[0], &named(1_000, 1_000));
    assert_eq!(verdict(&world), "perp");
}
