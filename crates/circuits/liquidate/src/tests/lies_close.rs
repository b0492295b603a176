//! One test for each lie about a Liquidate. A liar fills every table as if the lie were true: only the lie itself may fail.

use tsz_ledger::{
    Access, Cell, CtlCell, KeyPolicy, MkfCell, Permission, Permissions, PosCell, Scheme, SubCell,
};
use tsz_trade::invariants;
use tsz_trade::ops::Liquidate;
use tsz_trade::order::{Side, Tif, Trigger};
use tsz_trade::params::{Params, Status};
use tsz_types::*;

use super::world::*;
use crate::LiquidateRecord;

/// Places in the log of a target without other positions.
const ORD: usize = 5;
const TARGET: usize = 6;
const MAKER_SUB: usize = 8;
const INSURANCE: usize = 10;

/// Account 2 is long 900 lots of market 0 with `kept` of TAV; `lots` are closed at `price`.
fn close(kept: i128, lots: u64, price: u32) -> World {
    let mut world = World::new();
    ailing(&mut world, 2, 900, kept);
    world.try_apply(world.liquidate(2, 0, lots, price)).unwrap();
    assert_eq!(verdict(&world), "nowhere");
    world
}

fn one() -> World {
    close(40_000_000_000, 300, 999)
}

fn op(record: &mut LiquidateRecord) -> &mut Liquidate {
    let tsz_trade::TradeOp::Liquidate(op) = &mut record.op else { panic!("no liquidation") };
    op
}

/// Another op, signed anew, in the log of the honest one.
fn forged(mut world: World, change: impl Fn(&mut Liquidate)) -> String {
    change(op(&mut world.records[0]));
    world.records[0].op = world.signed(world.records[0].op.clone());
    verdict(&world)
}

/// The same log under other parameters, which the context names.
fn under(mut world: World, change: impl Fn(&mut Params)) -> String {
    change(&mut world.params);
    world.context.params = world.params.hash();
    verdict(&world)
}

fn set(access: &mut Access, cell: &impl Cell) {
    access.old = cell.to_leaf();
    access.new = access.old;
}

/// Adds to the collateral in an access, before and after alike or only after.
fn shift(world: &mut World, access: usize, by: i128, before: bool) {
    let access = &mut world.records[0].accesses[access];
    let leaves = if before { vec![&mut access.old, &mut access.new] } else { vec![&mut access.new] };
    for leaf in leaves {
        let cell = SubCell::from_leaf(leaf).unwrap();
        let collateral = Collateral::new(cell.collateral.get() + by).unwrap();
        *leaf = SubCell { collateral, ..cell }.to_leaf();
    }
}

#[test]
fn the_honest_close_is_accepted() {
    assert_eq!(forged(one(), |_| ()), "nowhere");
    assert_eq!(under(one(), |_| ()), "nowhere");
}

#[test]
fn rejects_a_target_that_is_healthy_enough_by_a_millionth() {
    // MMR is 45,000
    let mut world = close(44_999_999_999, 300, 1_000);
    shift(&mut world, TARGET, 1, true);
    assert_eq!(verdict(&world), "target");
    let mut world = World::new();
    ailing(&mut world, 2, 900, 45_000_000_000);
    assert!(world.try_apply(world.liquidate(2, 0, 300, 1_000)).is_err());
}

#[test]
fn rejects_a_price_one_unit_beyond_the_zero_quote_of_longs_and_shorts() {
    for (size, price) in [(900, 978), (-900, 1_022)] {
        let mut world = World::new();
        world.params.perps[0].liquidation_fee = rate(0);
        world.context.params = world.params.hash();
        // 300 lots gain exactly 6,600
        ailing(&mut world, 2, size, 19_800_000_000);
        world.try_apply(world.liquidate(2, 0, 300, price)).unwrap();
        assert_eq!(verdict(&world), "nowhere");
        // a millionth less, and the gain is rounded down: it would be 6,599
        shift(&mut world, TARGET, -1, true);
        assert_eq!(verdict(&world), "close");
        ailing(&mut world, 3, size, 19_799_999_999);
        assert!(world.try_apply(world.liquidate(3, 0, 300, price)).is_err());
    }
}

#[test]
fn rejects_a_price_off_the_makers_limit_by_a_tick() {
    for by in [-1, 1] {
        let price = |p: u32| p.wrapping_add_signed(by);
        let change = |op: &mut Liquidate| {
            let p = &mut op.maker.order.terms.price;
            *p = Price::new(price(p.get())).unwrap();
        };
        assert_ne!(forged(one(), change), "nowhere", "{by}");
    }
}

#[test]
fn rejects_another_liquidation_fee() {
    // by the rate, and by the surplus
    for (kept, price) in [(40_000_000_000, 999), (20_000_000_000, 979)] {
        for by in [-1, 1, 1_000_000] {
            let mut world = close(kept, 300, price);
            shift(&mut world, INSURANCE, by, false);
            shift(&mut world, TARGET, -by, false);
            assert_eq!(verdict(&world), "bus:val", "{kept} {by}");
        }
    }
    assert_ne!(under(one(), |p| p.perps[0].liquidation_fee = rate(9_999)), "nowhere");
}

#[test]
fn rejects_a_partial_close_beyond_the_band() {
    let world = || close(40_000_000_000, 300, 962);
    assert_eq!(under(world(), |p| p.perps[0].forced_band = Fraction::new(380).unwrap()), "nowhere");
    assert_eq!(under(world(), |p| p.perps[0].forced_band = Fraction::new(379).unwrap()), "close");
    // a target below CMR is closed at any price up to its zero quote
    let world = || close(26_999_999_999, 300, 975);
    assert_eq!(under(world(), |p| p.perps[0].forced_band = Fraction::new(0).unwrap()), "nowhere");
    let mut world = close(26_999_999_999, 300, 975);
    world.params.perps[0].forced_band = Fraction::new(0).unwrap();
    world.context.params = world.params.hash();
    shift(&mut world, TARGET, 1, true);
    assert_eq!(verdict(&world), "close");
}

#[test]
fn rejects_a_partial_close_of_more_lots_than_needed_by_a_millionth() {
    // after 556 lots TAV is 39,960 - 5,560, IMR 34,400
    let mut world = close(39_959_999_999, 557, 1_000);
    shift(&mut world, TARGET, 1, true);
    assert_eq!(verdict(&world), "minimal");
    let mut world = World::new();
    ailing(&mut world, 2, 900, 39_960_000_000);
    assert!(world.try_apply(world.liquidate(2, 0, 557, 1_000)).is_err());
    // in a partial close of one lot nothing is needed
    close(44_999_999_999, 1, 1_000);
}

#[test]
fn rejects_a_position_left_out_counted_twice_or_at_a_stale_index() {
    let world = || {
        let mut world = World::new();
        ailing(&mut world, 2, 900, -30_000_000_000);
        world.hold(2, 1, 7, 9);
        world.try_apply(world.liquidate(2, 0, 300, 1_000)).unwrap();
        assert_eq!(verdict(&world), "nowhere");
        world
    };
    let mut lie = world();
    lie.records[0].accesses.drain(2..5);
    assert_ne!(verdict(&lie), "nowhere");
    let mut lie = world();
    let twice: Vec<Access> = lie.records[0].accesses[2..5].to_vec();
    lie.records[0].accesses.splice(2..2, twice);
    assert_ne!(verdict(&lie), "nowhere");
    let mut lie = world();
    set(&mut lie.records[0].accesses[2], &PosCell::default());
    assert_ne!(verdict(&lie), "nowhere");
    for access in [1, 4] {
        let mut lie = world();
        set(&mut lie.records[0].accesses[access], &MkfCell { hour: 1, ..MkfCell::default() });
        assert_ne!(verdict(&lie), "nowhere", "{access}");
    }
}

#[test]
fn rejects_other_orders_of_the_maker() {
    let changes: [fn(&mut Liquidate); 13] = [
        |op| op.maker.order.terms.lots = Lots::new(299).unwrap(),
        |op| op.maker.order.terms.expiry = TimeMs::new(TIME).unwrap(),
        |op| op.maker.order.terms.side = Side::Sell,
        |op| op.maker.order.terms.tif = Tif::Ioc,
        |op| op.maker.order.terms.tif = Tif::Fok,
        |op| op.maker.order.terms.account = AccountId::new(7).unwrap(),
        |op| op.maker.order.terms.sub = SubId::new(1).unwrap(),
        |op| op.maker.order.terms.nonce = Nonce::new(1).unwrap(),
        |op| op.maker.order.terms.broker_rate = Rate::new(1).unwrap(),
        |op| op.maker.order.market = MarketId::new(1).unwrap(),
        |op| op.maker.order.reduce_only = true,
        |op| op.maker.order.trigger = Trigger::Above(Price::new(1_001).unwrap()),
        |op| op.maker_fee = Rate::new(-1).unwrap(),
    ];
    for (k, change) in changes.into_iter().enumerate() {
        assert_ne!(forged(one(), change), "nowhere", "change {k}");
    }
    let mut world = one();
    op(&mut world.records[0]).maker.signature = secret(0).sign(&Default::default());
    assert_eq!(verdict(&world), "bus:schnorr");
    for (permissions, expiry) in
        [(Permissions::ALL, TIME), ([Permission::Withdraw].into_iter().collect(), TIME + 1)]
    {
        let mut world = one();
        let policy = KeyPolicy { scheme: Scheme::Schnorr, permissions, expiry: TimeMs::new(expiry).unwrap() };
        set(&mut world.records[0].accesses[ORD - 2], &Some(policy));
        assert_eq!(verdict(&world), "order");
    }
    let mut world = one();
    let killed = CtlCell { nonce: Nonce::MIN, kill_epoch: KillEpoch::new(1).unwrap() };
    set(&mut world.records[0].accesses[ORD - 1], &killed);
    assert_eq!(verdict(&world), "bus:val");
}

#[test]
fn rejects_other_lots_targets_and_markets() {
    let changes: [fn(&mut Liquidate); 6] = [
        |op| op.lots = Lots::new(299).unwrap(),
        |op| op.lots = Lots::MIN,
        |op| op.target.account = AccountId::new(3).unwrap(),
        |op| op.target.sub = SubId::new(1).unwrap(),
        |op| op.target = party(MAKER),
        |op| op.market = MarketId::new(1).unwrap(),
    ];
    for (k, change) in changes.into_iter().enumerate() {
        assert_ne!(forged(one(), change), "nowhere", "change {k}");
    }
    // more lots than there are would turn the position
    let mut world = close(20_000_000_000, 900, 1_000);
    let pos = PosCell::new(899, FundingIndex::new(0).unwrap()).unwrap();
    world.records[0].accesses[TARGET + 1].old = pos.to_leaf();
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_a_market_that_is_closed_or_settling_and_an_old_price() {
    for status in [Status::Closed, Status::Settling, Status::ReduceOnly] {
        // in a reduce-only market the maker, who opens, may not
        assert_eq!(under(one(), |p| p.perps[0].status = status), "close", "{status:?}");
    }
    assert_eq!(under(one(), |p| p.oracle.max_age = 999), "close");
    assert_eq!(under(one(), |p| p.oracle.max_age = 1_000), "nowhere");
}

#[test]
fn rejects_a_maker_without_margin_by_a_millionth() {
    let world = one();
    let mut state = World::new();
    state.view.commit(&world.records[0].accesses);
    let margin = invariants::margin(&state.view, &state.params, TIME, party(MAKER)).unwrap();
    let told = |by: i128| {
        let mut world = world.clone();
        shift(&mut world, MAKER_SUB, by, true);
        verdict(&world)
    };
    assert_eq!(told(margin.imr - margin.tav), "nowhere");
    assert_eq!(told(margin.imr - margin.tav - 1), "judge");
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
        lie.records[0].accesses[access].key = tsz_ledger::Key::pos(2, 3, 9);
        assert_ne!(verdict(&lie), "nowhere", "access {access}");
        let mut lie = world.clone();
        lie.records[0].accesses[access].write ^= true;
        assert_ne!(verdict(&lie), "nowhere", "access {access}");
    }
}
