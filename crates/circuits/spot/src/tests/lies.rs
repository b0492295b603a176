//! One test for each lie. A liar fills every table as if the lie were true: only the lie itself may fail.

use tsz_air::Violation;
use tsz_hash::Digest;
use tsz_ledger::{BalCell, Cell, CtlCell, Key, KeyPolicy, OrdCell, Permission, Permissions, Scheme};
use tsz_stf::View;
use tsz_trade::ops::SpotTrade;
use tsz_trade::order::{SelfTrade, Side, Tif};
use tsz_types::*;

use super::world::*;

/// Where a lie is noticed: `table` of a broken constraint, or `bus:name`.
fn verdict(world: &World) -> String {
    let Ok(witness) = world.try_witness() else { return "witness".into() };
    match judge(&witness) {
        Ok(()) => "nowhere".into(),
        Err(Violation::Shape { air }) => format!("shape {air}"),
        Err(Violation::Constraint { air, .. }) => air,
        Err(Violation::Bus { bus, .. }) => format!("bus:{bus}"),
    }
}

/// One honest trade of 10 lots at 100.
fn one() -> World {
    let mut world = World::new();
    world.apply(world.trade(0, 10, 100));
    world
}

/// An honest trade whose orders are replaced by others, signed anew; the accesses stay.
fn forged(change: impl Fn(&mut SpotTrade)) -> String {
    let mut world = one();
    let mut op = world.records[0].op.clone();
    change(&mut op);
    world.records[0].op = world.sign(op);
    verdict(&world)
}

#[test]
fn the_honest_trade_is_accepted() {
    assert_eq!(forged(|_| ()), "nowhere");
}

#[test]
fn rejects_a_forged_signature() {
    let mut world = one();
    world.records[0].op.maker.signature = World::blank();
    assert_eq!(verdict(&world), "bus:schnorr");
}

#[test]
fn rejects_a_limit_missed_by_one_tick() {
    assert_ne!(forged(|op| op.taker.order.terms.price = price(99)), "nowhere");
    // a taker that is filled at once leaves no tag: one tick more is another honest trade
    assert_eq!(forged(|op| op.taker.order.terms.price = price(101)), "nowhere");
}

#[test]
fn rejects_a_price_off_the_makers_limit_by_a_tick() {
    // The legs are those of price 100, the maker signed 99.
    assert_eq!(forged(|op| op.maker.order.terms.price = price(99)), "bus:val");
}

#[test]
fn rejects_legs_that_do_not_match() {
    for access in 8..14 {
        let mut world = one();
        world.records[0].accesses[access].new[0] += f(1);
        assert_eq!(verdict(&world), "bus:val", "access {access}");
    }
}

#[test]
fn rejects_a_fill_above_the_signed_size() {
    assert_ne!(forged(|op| op.taker.order.terms.lots = lots(9)), "nowhere");
    assert_ne!(forged(|op| op.maker.order.terms.lots = lots(9)), "nowhere");
}

#[test]
fn rejects_no_lots() {
    let mut world = one();
    world.records[0].op.lots = lots(0);
    assert_eq!(verdict(&world), "spot");
}

#[test]
fn rejects_another_order_with_the_same_nonce() {
    let mut world = World::new();
    let partial = |w: &World| SpotTrade { lots: lots(3), ..w.trade(0, 10, 100) };
    world.apply(partial(&world));
    let before = world.clone();
    world.apply(partial(&world));
    assert_eq!(verdict(&world), "nowhere");
    // the second fill is of another order: only its expiry differs, the tags in the log follow
    let mut world = before;
    world.apply(partial(&world));
    let terms = &mut world.records[1].op.maker.order.terms;
    terms.max_taker_fee = rate(1);
    world.records[1].op = world.sign(world.records[1].op.clone());
    let tag = tsz_trade::Order::digest(&world.records[1].op.maker.order, &world.context.system);
    world.records[1].accesses[7].new[4..8].copy_from_slice(&tag[..4]);
    assert_eq!(verdict(&world), "spot");
}

#[test]
fn rejects_an_expired_order() {
    assert_ne!(forged(|op| op.maker.order.terms.expiry = TimeMs::new(TIME).unwrap()), "nowhere");
    let mut world = one();
    world.context.time += 1;
    world.records[0].op = world.sign(world.records[0].op.clone());
    assert_eq!(verdict(&world), "order");
}

#[test]
fn rejects_an_expired_key_and_a_key_that_may_not_trade() {
    for (permissions, expiry) in
        [(Permissions::ALL, TIME), ([Permission::Withdraw].into_iter().collect(), TIME + 1)]
    {
        let mut world = one();
        let policy = KeyPolicy { scheme: Scheme::Schnorr, permissions, expiry: TimeMs::new(expiry).unwrap() };
        let access = &mut world.records[0].accesses[1];
        access.old = Some(policy).to_leaf();
        access.new = access.old;
        assert_eq!(verdict(&world), "order");
    }
}

#[test]
fn rejects_a_killed_order() {
    let mut world = one();
    let killed = CtlCell { nonce: Nonce::MIN, kill_epoch: KillEpoch::new(1).unwrap() };
    let access = &mut world.records[0].accesses[2];
    access.old = killed.to_leaf();
    access.new = access.old;
    assert_eq!(verdict(&world), "bus:val");
}

#[test]
fn rejects_a_market_that_is_closed_unknown_or_another() {
    let market = |m| SpotMarketId::new(m).unwrap();
    let both = |op: &mut SpotTrade, m| {
        op.taker.order.market = market(m);
        op.maker.order.market = market(m);
    };
    assert_ne!(forged(|op| both(op, 2)), "nowhere"); // closed
    assert_ne!(forged(|op| both(op, 1)), "nowhere"); // other tokens
    assert_eq!(forged(|op| op.maker.order.market = market(1)), "spot");
    let mut world = one();
    world.set_params(|p| p.spots[0].status = tsz_trade::params::Status::Closed);
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_a_fee_above_either_cap_and_fees_that_leak() {
    assert_ne!(forged(|op| op.taker.order.terms.max_taker_fee = rate(1_999)), "nowhere");
    assert_ne!(forged(|op| op.maker.order.terms.max_maker_fee = rate(699)), "nowhere");
    assert_ne!(forged(|op| op.maker.order.terms.max_maker_fee = rate(-1)), "nowhere");
    assert_ne!(forged(|op| op.taker_fee = rate(1_999)), "nowhere");
    let mut world = one();
    world.set_params(|p| p.spots[0].taker_cap = rate(1_999));
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_a_broker_rate_above_the_fee() {
    let mut world = World::new();
    let mut op = world.trade(0, 10, 100);
    op.maker.order.terms.broker = account(5);
    op.maker.order.terms.broker_rate = rate(700);
    world.apply(op);
    assert_eq!(verdict(&world), "nowhere");
    let mut op = world.records[0].op.clone();
    op.maker.order.terms.broker_rate = rate(701);
    world.records[0].op = world.sign(op);
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_a_broker_that_does_not_exist() {
    let mut world = World::new();
    let mut op = world.trade(0, 10, 100);
    op.maker.order.terms.broker = account(5);
    op.maker.order.terms.broker_rate = rate(1);
    world.apply(op);
    let access = &mut world.records[0].accesses[12];
    access.old[4] = f(5);
    access.new = access.old;
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_orders_on_the_same_side() {
    assert_eq!(forged(|op| op.maker.order.terms.side = Side::Buy), "spot");
}

#[test]
fn rejects_roles_that_do_not_suit_the_orders() {
    assert_eq!(forged(|op| op.taker.order.terms.tif = Tif::PostOnly), "spot");
    assert_eq!(forged(|op| op.maker.order.terms.tif = Tif::Ioc), "spot");
    assert_eq!(forged(|op| op.maker.order.terms.tif = Tif::Fok), "spot");
    assert_eq!(forged(|op| op.close_taker = true), "spot");
    let fok = |op: &mut SpotTrade| {
        op.taker.order.terms.tif = Tif::Fok;
        op.taker.order.terms.lots = lots(11);
    };
    assert_eq!(forged(fok), "spot");
}

#[test]
fn rejects_a_self_trade_that_the_taker_refuses() {
    let mut world = World::new();
    let mut op = world.trade(0, 10, 100);
    op.maker = world.order(2, 0, Side::Sell, 10, 100);
    op.maker.order.terms.slot = Slot::new(9).unwrap();
    op.taker.order.terms.self_trade = SelfTrade::Decrement;
    world.apply(op);
    assert_eq!(verdict(&world), "nowhere");
    let mut op = world.records[0].op.clone();
    op.taker.order.terms.self_trade = SelfTrade::Reject;
    world.records[0].op = world.sign(op);
    assert_eq!(verdict(&world), "spot");
}

#[test]
fn rejects_a_replayed_slot_nonce() {
    let mut world = one();
    // the slot is past the order's nonce
    let access = &mut world.records[0].accesses[7];
    access.old = OrdCell::fresh(Nonce::new(1).unwrap()).to_leaf();
    assert_eq!(verdict(&world), "spot");
    let mut world = one();
    let second = world.records[0].op.clone();
    assert!(world.try_apply(second).is_err());
}

#[test]
fn rejects_a_slot_that_is_not_moved() {
    let mut world = one();
    world.records[0].accesses[3].new = Digest::default();
    assert_eq!(verdict(&world), "bus:val");
}

#[test]
fn rejects_a_balance_below_zero() {
    let mut world = one();
    // 10 lots at 100 cost 1,000 units: one millionth less is there
    let access = &mut world.records[0].accesses[8];
    access.old = BalCell { balance: Balance::new(999_999_999).unwrap() }.to_leaf();
    access.new = BalCell { balance: Balance::new((1 << 96) - 1).unwrap() }.to_leaf();
    assert_eq!(verdict(&world), "bus:val");
}

#[test]
fn rejects_another_accounts_key_and_another_cell() {
    let mut world = one();
    let key = Key::key_a(4, 4);
    let value = world.view.get(key);
    world.records[0].accesses[0] = tsz_ledger::Access::read(key, value);
    assert_ne!(verdict(&world), "nowhere");
    let mut world = one();
    world.records[0].accesses[13].key = Key::bal(4, 0, 0);
    assert_eq!(verdict(&world), "bus:key");
}

#[test]
fn rejects_a_trade_of_the_fee_account() {
    let mut world = one();
    let mut op = world.records[0].op.clone();
    op.maker.order.terms.account = account(0);
    world.records[0].op = world.sign(op);
    assert_eq!(verdict(&world), "order");
}

/// An honest trade in which account 4 acts, told as one of insurance: cells, orders and signatures are as if it were.
fn told_of_insurance(trade: impl Fn(&World) -> SpotTrade) -> String {
    let mut world = World::new();
    world.apply(trade(&world));
    let record = &mut world.records[0];
    for signed in [&mut record.op.taker, &mut record.op.maker] {
        if signed.order.terms.account == account(4) {
            signed.order.terms.account = account(1);
            signed.prepared = Default::default();
            signed.signature =
                secret(4).sign(&tsz_trade::Order::digest(&signed.order, &world.context.system));
        }
    }
    for access in &mut record.accesses {
        if access.key.raw() >> 14 & 0xff_ffff == 4 {
            access.key = Key::new(access.key.raw() - (3 << 14)).unwrap();
        }
    }
    verdict(&world)
}

#[test]
fn rejects_insurance_that_does_not_sell_for_token_0() {
    let with = |market, taker: (u32, Side), maker: (u32, Side)| {
        move |w: &World| SpotTrade {
            taker: w.order(taker.0, market, taker.1, 10, 100),
            maker: w.order(maker.0, market, maker.1, 10, 100),
            ..w.trade(market, 10, 100)
        }
    };
    let (buy, sell) = (Side::Buy, Side::Sell);
    for (market, place) in [(0, "nowhere"), (3, "nowhere"), (1, "spot")] {
        assert_eq!(told_of_insurance(with(market, (2, buy), (4, sell))), place, "market {market}");
        assert_eq!(told_of_insurance(with(market, (4, sell), (3, buy))), place, "market {market}");
    }
    assert_eq!(told_of_insurance(with(0, (4, buy), (3, sell))), "order");
    assert_eq!(told_of_insurance(with(0, (2, sell), (4, buy))), "order");
    let other_sub = |w: &World| {
        let mut op = with(0, (2, buy), (4, sell))(w);
        op.maker.order.terms.sub = SubId::new(1).unwrap();
        op
    };
    assert_eq!(told_of_insurance(other_sub), "order");
}

#[test]
fn rejects_markets_that_are_not_those_of_the_hash() {
    use tsz_trade::params::{Params, Status};
    let lies: [fn(&mut Params); 6] = [
        |p| p.spots[0].taker_cap = rate(3_001),
        |p| p.spots[2].status = Status::Open,
        |p| p.spots.truncate(3),
        |p| p.spots.push(p.spots[0]),
        |p| p.spots.swap(1, 3),
        |p| p.oracle.max_age += 1,
    ];
    for (k, lie) in lies.into_iter().enumerate() {
        let mut world = one();
        lie(&mut world.params);
        assert_eq!(verdict(&world), "bus:p2", "lie {k}");
    }
}

#[test]
fn rejects_a_market_row_that_is_not_in_the_chain() {
    let witness = one().witness();
    // one row more, hashed on after the digest was looked up
    let mut lie = witness.clone();
    let width = lie.traces[1].width;
    let at = |row: usize, name: &str| {
        let names = tsz_air::TableAir::column_names(&crate::tables::MarketAir);
        row * width + names.iter().position(|n| n == name).unwrap()
    };
    let (last, end) = (lie.traces[1].values.len() / width - 1, at(4, "link.is_end"));
    lie.traces[1].values[end] = f(1);
    lie.traces[1].values[at(last, "link.is_end")] = f(0);
    assert!(matches!(judge(&lie), Err(Violation::Constraint { air, .. }) if air == "market"));
    // a row that is real without being absorbed
    let mut lie = witness;
    lie.traces[1].values[at(9, "is_real")] = f(1);
    assert!(matches!(judge(&lie), Err(Violation::Bus { bus, .. }) if bus == "p2"));
}

#[test]
fn rejects_another_list_in_place_of_the_markets() {
    // a prover who opens P with two lists exchanged
    let mut world = one();
    world.params.perps.clear();
    world.set_params(|p| p.spots.push(p.spots[0]));
    let mut witness = world.witness();
    let mut digests = world.params.digests();
    digests.swap(1, 3);
    witness.traces[0] = tsz_gadgets::params::trace(&digests, [0, 1, 0, 0]);
    assert!(judge(&witness).is_err());
}
