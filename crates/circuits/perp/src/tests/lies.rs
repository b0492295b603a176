//! One test for each lie about orders, fees and legs. A liar fills every table as if the lie were true: only the lie
//! itself may fail.

use tsz_air::{F, PrimeCharacteristicRing, Violation};
use tsz_gadgets::layout::{Columns, from_slice};
use tsz_hash::Digest;
use tsz_ledger::{Cell, CtlCell, Key, KeyPolicy, MkoCell, OrdCell, Permission, Permissions, Scheme};
use tsz_stf::View;
use tsz_trade::ops::PerpTrade;
use tsz_trade::order::{SelfTrade, Side, Tif, Trigger};
use tsz_trade::params::Status;
use tsz_types::*;

use super::world::*;
use crate::tables::Trade;
use crate::trace::op_traces;
use crate::witness::Witness;

/// One honest trade of 10 lots at 1000.
fn one() -> World {
    let mut world = World::new();
    world.apply(world.trade(0, 10, 1_000));
    world
}

/// An honest trade whose orders are replaced by others, signed anew; the accesses stay.
fn forged(change: impl Fn(&mut PerpTrade)) -> String {
    let mut world = one();
    let mut op = world.fill(0).clone();
    change(&mut op);
    world.set_fill(0, world.sign(op));
    verdict(&world)
}

/// The honest trade under other parameters, which the context names.
pub fn under(world: &World, change: impl Fn(&mut tsz_trade::Params)) -> String {
    let mut world = world.clone();
    change(&mut world.params);
    world.context.params = world.params.hash();
    verdict(&world)
}

#[test]
fn the_honest_trade_is_accepted() {
    assert_eq!(forged(|_| ()), "nowhere");
    assert_eq!(under(&one(), |_| ()), "nowhere");
}

#[test]
fn rejects_other_parameters_than_those_of_the_context() {
    let mut world = one();
    world.params.perps[0].taker_cap = rate(2_001);
    assert_ne!(verdict(&world), "nowhere");
    let mut world = one();
    world.params.oracle.max_age += 1;
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_a_forged_signature() {
    let mut world = one();
    world.fill_mut(0).maker.signature = World::blank();
    assert_eq!(verdict(&world), "bus:schnorr");
}

#[test]
fn rejects_a_limit_missed_by_one_tick() {
    assert_ne!(forged(|op| op.taker.order.terms.price = price(999)), "nowhere");
    // a taker that is filled at once leaves no tag: one tick more is another honest trade
    assert_eq!(forged(|op| op.taker.order.terms.price = price(1_001)), "nowhere");
}

#[test]
fn rejects_a_price_off_the_makers_limit_by_a_tick() {
    assert_ne!(forged(|op| op.maker.order.terms.price = price(999)), "nowhere");
}

#[test]
fn rejects_an_open_position_that_takes_its_count_from_the_mask() {
    // what SUB of the maker says: one margin token and -1 positions, then one and none, so that nothing is judged
    let mut world = one();
    let sub = &mut world.records[0].accesses[12];
    (sub.old[5], sub.new[5]) = (f(63), f(64));
    let mut ops = op_traces(&SMALL, &world.context, &world.params, &world.records).unwrap();
    let width = <Trade<F> as Columns<F>>::WIDTH;
    let mut row: Trade<F> = from_slice(&ops.traces[2].values[..width]);
    let leg = &mut row.maker.leg;
    assert_eq!((leg.flat_after, leg.negative_after), (F::ZERO, F::ZERO));
    (leg.positions, leg.is_bare, leg.bare_inv, leg.mask[0]) = (F::ZERO, F::ONE, F::ZERO, F::ONE);
    (row.maker.judged, row.maker.reads) = (F::ZERO, F::ZERO);
    let mut cells = ops.traces[2].values.iter_mut();
    row.write(&mut |x| *cells.next().unwrap() = *x);
    let start = world.context.digest();
    let witness = Witness::assemble(&SMALL, &world.context, &world.records, start, ops).unwrap();
    assert!(matches!(judge(&witness), Err(Violation::Constraint { air, .. }) if air == "perp"));
}

#[test]
fn rejects_legs_that_do_not_match() {
    // SUB and POS of both, the fee account, the open interest
    for access in 10..16 {
        let mut world = one();
        world.records[0].accesses[access].new[0] += f(1);
        assert_eq!(verdict(&world), "bus:val", "access {access}");
    }
}

#[test]
fn rejects_a_fill_above_the_signed_size_and_no_lots() {
    assert_ne!(forged(|op| op.taker.order.terms.lots = lots(9)), "nowhere");
    assert_ne!(forged(|op| op.maker.order.terms.lots = lots(9)), "nowhere");
    assert_ne!(forged(|op| op.lots = lots(0)), "nowhere");
}

#[test]
fn rejects_another_order_with_the_same_nonce() {
    let mut world = World::new();
    for _ in 0..2 {
        world.apply(PerpTrade { lots: lots(3), ..world.trade(0, 10, 1_000) });
    }
    assert_eq!(verdict(&world), "nowhere");
    // the second fill is of another order: the tag that it leaves follows
    world.fill_mut(1).maker.order.terms.max_taker_fee = rate(1);
    world.set_fill(1, world.sign(world.fill(1).clone()));
    let tag = tsz_trade::Order::digest(&world.fill(1).maker.order, &world.context.system);
    world.records[1].accesses[9].new[4..8].copy_from_slice(&tag[..4]);
    assert_eq!(verdict(&world), "perp");
}

#[test]
fn rejects_expired_and_killed_orders_and_keys_that_may_not_trade() {
    assert_ne!(forged(|op| op.maker.order.terms.expiry = TimeMs::new(TIME).unwrap()), "nowhere");
    for (permissions, expiry) in
        [(Permissions::ALL, TIME), ([Permission::Withdraw].into_iter().collect(), TIME + 1)]
    {
        let mut world = one();
        let policy = KeyPolicy { scheme: Scheme::Schnorr, permissions, expiry: TimeMs::new(expiry).unwrap() };
        let access = &mut world.records[0].accesses[3];
        access.old = Some(policy).to_leaf();
        access.new = access.old;
        assert_eq!(verdict(&world), "order");
    }
    let mut world = one();
    let killed = CtlCell { nonce: Nonce::MIN, kill_epoch: KillEpoch::new(1).unwrap() };
    let access = &mut world.records[0].accesses[4];
    access.old = killed.to_leaf();
    access.new = access.old;
    assert_eq!(verdict(&world), "bus:val");
}

#[test]
fn rejects_a_market_that_is_another_closed_settling_or_unlisted() {
    let both = |op: &mut PerpTrade, m| {
        op.taker.order.market = market(m);
        op.maker.order.market = market(m);
    };
    assert_eq!(forged(|op| op.maker.order.market = market(1)), "perp");
    assert_ne!(forged(|op| both(op, 1)), "nowhere");
    assert_ne!(forged(|op| both(op, 99)), "nowhere");
    for status in [Status::Closed, Status::Settling, Status::ReduceOnly] {
        assert_eq!(under(&one(), |p| p.perps[0].status = status), "perp", "{status:?}");
    }
}

#[test]
fn rejects_a_fee_above_a_cap_and_fees_that_leak() {
    assert_ne!(forged(|op| op.taker.order.terms.max_taker_fee = rate(1_999)), "nowhere");
    assert_ne!(forged(|op| op.maker.order.terms.max_maker_fee = rate(699)), "nowhere");
    assert_ne!(forged(|op| op.maker.order.terms.max_maker_fee = rate(-1)), "nowhere");
    assert_ne!(forged(|op| op.taker_fee = rate(1_999)), "nowhere");
    assert_ne!(forged(|op| op.maker_fee = rate(701)), "nowhere");
    assert_ne!(under(&one(), |p| p.perps[0].taker_cap = rate(1_999)), "nowhere");
    assert_ne!(under(&one(), |p| p.perps[0].maker_cap = rate(699)), "nowhere");
}

#[test]
fn rejects_a_rebate_above_the_fee() {
    let mut world = World::new();
    let mut op = world.trade(0, 10, 1_000);
    op.maker_fee = rate(-2_000);
    world.apply(op);
    assert_eq!(verdict(&world), "nowhere");
    // one millionth more: the maker's and the fee account's cells follow, and the latter pays
    world.fill_mut(0).maker_fee = rate(-2_001);
    let n = 10_000;
    world.records[0].accesses[12].new[0] += f(n);
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_a_broker_rate_above_the_fee_and_beside_a_rebate() {
    let mut world = World::new();
    let mut op = world.trade(0, 10, 1_000);
    op.maker.order.terms.broker = account(5);
    op.maker.order.terms.broker_rate = rate(700);
    world.apply(op);
    assert_eq!(verdict(&world), "nowhere");
    let honest = world.fill(0).clone();
    let mut op = honest.clone();
    op.maker.order.terms.broker_rate = rate(701);
    world.set_fill(0, world.sign(op));
    assert_ne!(verdict(&world), "nowhere");
    world.set_fill(0, PerpTrade { maker_fee: rate(-1), ..honest });
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_a_broker_that_does_not_exist() {
    let mut world = World::new();
    let mut op = world.trade(0, 10, 1_000);
    op.maker.order.terms.broker = account(5);
    op.maker.order.terms.broker_rate = rate(1);
    world.apply(op);
    let access = &mut world.records[0].accesses[14];
    access.old[4] = f(5);
    access.new = access.old;
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_roles_that_do_not_suit_the_orders() {
    assert_eq!(forged(|op| op.maker.order.terms.side = Side::Buy), "perp");
    assert_eq!(forged(|op| op.taker.order.terms.tif = Tif::PostOnly), "perp");
    assert_eq!(forged(|op| op.maker.order.terms.tif = Tif::Ioc), "perp");
    assert_eq!(forged(|op| op.maker.order.terms.tif = Tif::Fok), "perp");
    assert_eq!(forged(|op| op.close_taker = true), "perp");
    let fok = |op: &mut PerpTrade| {
        op.taker.order.terms.tif = Tif::Fok;
        op.taker.order.terms.lots = lots(11);
    };
    assert_eq!(forged(fok), "perp");
}

#[test]
fn rejects_a_trigger_that_is_not_met_by_one_tick() {
    assert_eq!(forged(|op| op.taker.order.trigger = Trigger::Above(price(1_000))), "nowhere");
    assert_eq!(forged(|op| op.taker.order.trigger = Trigger::Below(price(1_000))), "nowhere");
    assert_ne!(forged(|op| op.taker.order.trigger = Trigger::Above(price(1_001))), "nowhere");
    assert_ne!(forged(|op| op.taker.order.trigger = Trigger::Below(price(999))), "nowhere");
    assert_ne!(forged(|op| op.maker.order.trigger = Trigger::Above(price(1_001))), "nowhere");
}

#[test]
fn rejects_a_position_that_grows_by_an_order_that_reduces() {
    assert_eq!(forged(|op| op.taker.order.reduce_only = true), "perp");
    assert_eq!(forged(|op| op.maker.order.reduce_only = true), "perp");
    // a flip is no reduction: 10 lots long, 11 sold
    let mut world = one();
    world.apply(place(&world, world.sale(0, 11, 1_000), 2, 2));
    let mut op = world.fill(1).clone();
    op.taker.order.reduce_only = true;
    world.set_fill(1, world.sign(op));
    assert_eq!(verdict(&world), "perp");
    // insurance only reduces
    let mut world = World::new();
    world.set_collateral(1, 1 << 60);
    world.hold(1, 0, -9, 0);
    let mut op = world.trade(0, 9, 1_000);
    op.taker.order.terms.account = account(1);
    op.taker.key_slot = KeySlot::new(1).unwrap();
    world.apply(op);
    assert_eq!(verdict(&world), "nowhere");
    let access = &mut world.records[0].accesses[11];
    access.old = Digest::default();
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_a_trade_of_the_fee_account() {
    let mut world = one();
    let mut op = world.fill(0).clone();
    op.maker.order.terms.account = account(0);
    world.set_fill(0, world.sign(op));
    assert_eq!(verdict(&world), "order");
}

#[test]
fn rejects_a_self_trade_that_the_taker_refuses() {
    let mut world = World::new();
    let mut op = world.trade(0, 10, 1_000);
    op.maker = world.order(2, 0, Side::Sell, 10, 1_000);
    op.maker.order.terms.slot = Slot::new(9).unwrap();
    op.taker.order.terms.self_trade = SelfTrade::Decrement;
    world.apply(op);
    assert_eq!(verdict(&world), "nowhere");
    let mut op = world.fill(0).clone();
    op.taker.order.terms.self_trade = SelfTrade::Reject;
    world.set_fill(0, world.sign(op));
    assert_eq!(verdict(&world), "perp");
}

#[test]
fn rejects_a_replayed_slot_nonce_and_a_slot_that_is_not_moved() {
    let mut world = one();
    world.records[0].accesses[9].old = OrdCell::fresh(Nonce::new(1).unwrap()).to_leaf();
    assert_eq!(verdict(&world), "perp");
    let mut world = one();
    world.records[0].accesses[5].new = Digest::default();
    assert_eq!(verdict(&world), "bus:val");
}

#[test]
fn rejects_another_accounts_key_and_another_cell() {
    let mut world = one();
    let key = Key::key_a(4, 4);
    let value = world.view.get(key);
    world.records[0].accesses[2] = tsz_ledger::Access::read(key, value);
    assert_ne!(verdict(&world), "nowhere");
    for (access, key) in
        [(10, Key::sub(2, 1)), (11, Key::pos(2, 0, 1)), (14, Key::sub(1, 0)), (15, Key::mko(1))]
    {
        let mut world = one();
        world.records[0].accesses[access].key = key;
        assert_eq!(verdict(&world), "bus:key");
    }
}

#[test]
fn rejects_open_interest_above_the_cap_by_one() {
    let world = one();
    let cap = |n| move |p: &mut tsz_trade::Params| p.perps[0].oi_cap = Notional::new(n).unwrap();
    assert_eq!(under(&world, cap(20_000)), "nowhere");
    assert_ne!(under(&world, cap(19_999)), "nowhere");
    // one that does not grow is not capped
    let mut world = World::new();
    world.apply(world.trade(0, 10, 1_000));
    world.apply(place(&world, world.sale(0, 4, 1_000), 2, 2));
    world.records.remove(0);
    assert_eq!(under(&world, cap(1)), "nowhere");
}

#[test]
fn rejects_open_interest_that_wraps() {
    let mut world = one();
    let access = &mut world.records[0].accesses[15];
    access.old = MkoCell { open_interest: (1 << 56) - 1, moves: 0 }.to_leaf();
    access.new = MkoCell { open_interest: 19, moves: 1 }.to_leaf();
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_moves_that_are_not_counted() {
    for wrong in [0, 2, 1 << 24] {
        let mut world = one();
        world.records[0].accesses[15].new[3] = f(wrong);
        assert_eq!(verdict(&world), "bus:val");
    }
}
