//! Perpetual and spot trades.

use super::world::*;
use crate::ops::*;
use crate::params::Status;
use crate::*;
use tsz_ledger::{Cell, Key, MkpCell, PosCell};
use tsz_stf::View;
use tsz_types::*;

#[test]
fn a_trade_moves_sizes_collateral_fees_and_open_interest() {
    let mut w = World::new();
    let (a, b) = (party(2, 0), party(3, 0));
    let mut op = w.perp(a, b, 1, 50, 1_000); // N = 50 * 1000 * 10
    op.taker_fee = rate(1_000);
    op.maker_fee = rate(-200);
    op.maker.order.terms.max_maker_fee = rate(-200);
    let (before_a, before_b) = (w.collateral(a), w.collateral(b));
    w.apply(op).unwrap();
    assert_eq!((w.size(a, 1), w.size(b, 1), w.oi(1)), (50, -50, 100));
    assert_eq!(w.collateral(a) - before_a, -500_000 * 1_000_000 - 500_000 * 1_000);
    assert_eq!(w.collateral(b) - before_b, 500_000 * 1_000_000 + 500_000 * 200);
    assert_eq!(w.collateral(Party::FEES), 500_000 * 800);
    assert_eq!((w.sub(a).pos_count, w.sub(b).pos_count), (1, 1));
    // closing leaves the empty leaf and no count
    w.apply(w.perp(b, a, 1, 50, 1_000)).unwrap();
    assert_eq!((w.size(a, 1), w.sub(a).pos_count, w.oi(1)), (0, 0, 0));
    assert!(tsz_ledger::cells::is_empty(&w.view.get(a.pos_key(market(1)))));
}

#[test]
fn rejects_a_rebate_beyond_the_takers_fee() {
    let w = World::new();
    let mut op = w.perp(party(2, 0), party(3, 0), 0, 1, 1_000);
    (op.taker_fee, op.maker_fee) = (rate(100), rate(-101));
    assert_eq!(w.dry(op.clone()), Err(TradeReject::NetFee { net: -1 }));
    op.maker_fee = rate(-100);
    assert!(w.dry(op.clone()).is_ok());
    // a broker of the taker takes away from the rebate's source
    (op.taker.order.terms.broker, op.taker.order.terms.broker_rate) = (party(5, 0).account, rate(1));
    assert_eq!(w.dry(op), Err(TradeReject::NetFee { net: -1 }));
}

#[test]
fn brokers_share_the_fee_and_must_exist() {
    let mut w = World::new();
    let (a, b, broker) = (party(2, 0), party(3, 0), party(4, 0));
    let mut op = w.perp(a, b, 0, 10, 1_000);
    (op.taker_fee, op.maker_fee) = (rate(500), rate(300));
    (op.taker.order.terms.broker, op.taker.order.terms.broker_rate) = (broker.account, rate(500));
    (op.maker.order.terms.broker, op.maker.order.terms.broker_rate) = (b.account, rate(300));
    let before = (w.collateral(broker), w.collateral(b));
    w.apply(op.clone()).unwrap();
    assert_eq!(w.collateral(broker) - before.0, 10_000 * 500);
    assert_eq!(w.collateral(b) - before.1, 10_000 * 1_000_000); // its fee came back to it
    assert_eq!(w.collateral(Party::FEES), 0);
    let mut op = w.perp(a, b, 0, 10, 1_000);
    op.taker_fee = rate(500);
    (op.taker.order.terms.broker, op.taker.order.terms.broker_rate) = (party(99, 0).account, rate(1));
    assert!(matches!(w.dry(op.clone()), Err(TradeReject::Base(tsz_stf::Reject::NoAccount { .. }))));
    (op.taker.order.terms.broker, op.taker.order.terms.broker_rate) = (broker.account, rate(501));
    assert!(matches!(w.dry(op), Err(TradeReject::BrokerRate { .. })));
}

#[test]
fn initial_margin_binds_exactly() {
    // a notional of 1,000,000 is the last of the first tier: 10%
    let mut w = World::new();
    let (a, b) = (party(2, 1), party(3, 0));
    // token 1 on sub 1: 200 units / 10 per lot * 1000 * 0.9 = 18,000
    let tokens = 18_000i128 * 1_000_000;
    let need = 100_000i128 * 1_000_000; // IMR of 1,000,000
    w.give(a, need - tokens - w.collateral(a));
    let op = w.perp(a, b, 0, 1_000, 1_000);
    assert!(w.dry(op.clone()).is_ok());
    w.give(a, -1);
    match w.dry(op) {
        Err(TradeReject::Illegal { account, tav, imr, .. }) => {
            assert_eq!((account, tav, imr), (a.account, need - 1, need));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_flip_counts_once_and_needs_initial_margin() {
    let mut w = World::new();
    let (a, b) = (party(2, 0), party(3, 0));
    w.apply(w.perp(a, b, 0, 10, 1_000)).unwrap();
    w.apply(w.perp(b, a, 0, 25, 1_000)).unwrap();
    assert_eq!((w.size(a, 0), w.size(b, 0), w.sub(a).pos_count, w.oi(0)), (-15, 15, 1, 30));
    // at health 1 a flip is refused though nothing grows
    let imr = w.margin(a).imr;
    w.give(a, imr - 1 - w.margin(a).tav);
    let flip = w.perp(a, b, 0, 30, 1_000);
    assert!(matches!(w.dry(flip), Err(TradeReject::Illegal { .. })));
    let close = w.perp(a, b, 0, 15, 1_000);
    assert!(w.dry(close).is_ok());
}

#[test]
fn open_interest_cap_binds_on_growth_and_not_on_moves() {
    let mut w = World::new();
    w.params.perps[0].oi_cap = notional(200_000);
    let (a, b, c) = (party(2, 0), party(3, 0), party(4, 0));
    w.apply(w.perp(a, b, 0, 100, 1_000)).unwrap(); // exactly 200 lots * 1000
    let more = w.dry(w.perp(a, b, 0, 1, 1_000));
    assert_eq!(more, Err(TradeReject::OpenInterestCap { notional: 202_000, cap: 200_000 }));
    w.set_price(0, 1_090); // beyond the cap by price: positions may still change hands
    w.apply(w.perp(c, a, 0, 100, 1_090)).unwrap();
    // a flip that grows the sum is refused
    assert!(matches!(w.dry(w.perp(b, c, 0, 201, 1_090)), Err(TradeReject::OpenInterestCap { .. })));
}

#[test]
fn the_last_tier_bounds_growth_at_the_mark() {
    let mut w = World::with(params(), 1 << 40, 0);
    w.params.perps[0].oi_cap = notional(1 << 70);
    let (a, b) = (party(2, 0), party(3, 0));
    w.apply(w.perp(a, b, 0, 20_000, 1_000)).unwrap();
    let more = w.dry(w.perp(a, b, 0, 1, 1_000));
    assert_eq!(more, Err(TradeReject::TierBound { notional: 20_001_000, bound: 20_000_000 }));
    w.set_price(0, 1_001);
    w.apply(w.perp(b, a, 0, 1, 1_001)).unwrap(); // reducing is fine above the bound
}

#[test]
fn a_stale_price_stops_growth_but_not_the_way_out() {
    let mut w = World::new();
    let (a, b) = (party(2, 0), party(3, 0));
    w.apply(w.perp(a, b, 0, 10, 1_000)).unwrap();
    let max_age = w.params.oracle.max_age;
    w.batch.time += max_age; // exactly the maximal age
    assert!(w.dry(w.perp(a, b, 0, 1, 1_000)).is_ok());
    w.batch.time += 1;
    assert!(matches!(w.dry(w.perp(a, b, 0, 1, 1_000)), Err(TradeReject::Stale { .. })));
    assert!(matches!(w.dry(w.perp(b, a, 0, 9, 1_000)), Err(TradeReject::Stale { .. })));
    w.apply(w.perp(b, a, 0, 10, 1_000)).unwrap(); // both flat: nothing is judged
}

#[test]
fn a_position_in_another_stale_market_stops_risk() {
    let mut w = World::new();
    let (a, b) = (party(2, 0), party(3, 0));
    w.apply(w.perp(a, b, 1, 10, 1_000)).unwrap();
    w.batch.time += 50_000;
    w.set_price(0, 1_000);
    w.batch.time += 20_000;
    let stale = w.dry(w.perp(a, b, 0, 1, 1_000));
    assert!(matches!(stale, Err(TradeReject::Stale { market: m, .. }) if m == market(1)), "{stale:?}");
}

#[test]
fn rejects_trades_while_funding_is_due() {
    let mut w = World::new();
    w.batch.time = (TIME / HOUR_MS + 1) * HOUR_MS;
    w.set_price(0, 1_000);
    let op = w.perp(party(2, 0), party(3, 0), 0, 1, 1_000);
    assert!(matches!(w.dry(op.clone()), Err(TradeReject::FundingDue { .. })));
    w.apply(FundingTick { market: market(0) }).unwrap();
    assert!(w.dry(op).is_ok());
}

#[test]
fn reduce_only_follows_the_position_of_the_moment() {
    let mut w = World::new();
    let (a, b, c) = (party(2, 0), party(3, 0), party(4, 0));
    w.apply(w.perp(a, b, 0, 10, 1_000)).unwrap();
    let mut op = w.perp(b, a, 0, 10, 1_000);
    op.maker.order.reduce_only = true;
    assert!(w.dry(op.clone()).is_ok());
    w.apply(w.perp(c, a, 0, 4, 1_000)).unwrap(); // the position shrinks to 6
    op.maker.order.terms.nonce = w.ord(a, 0).next_nonce;
    op.taker.order.terms.nonce = w.ord(b, 0).next_nonce;
    assert_eq!(w.dry(op.clone()), Err(TradeReject::NotReducing { size: 6, lots: lots(10) }));
    op.lots = lots(6);
    w.apply(op).unwrap();
    assert_eq!(w.size(a, 0), 0);
}

#[test]
fn insurance_only_reduces_and_the_fee_account_never_trades() {
    let w = World::new();
    let op = w.perp(Party::INSURANCE, party(3, 0), 0, 1, 1_000);
    assert_eq!(w.dry(op), Err(TradeReject::NotReducing { size: 0, lots: lots(1) }));
    let op = w.perp(Party::FEES, party(3, 0), 0, 1, 1_000);
    assert_eq!(w.dry(op), Err(TradeReject::ReservedParty { account: AccountId::FEES }));
    let op = w.spot(Party::INSURANCE, party(3, 0), 0, 1, 1_000);
    assert_eq!(w.dry(op), Err(TradeReject::ReservedParty { account: AccountId::INSURANCE }));
}

#[test]
fn market_states_are_obeyed() {
    let mut w = World::new();
    let (a, b) = (party(2, 0), party(3, 0));
    w.apply(w.perp(a, b, 0, 10, 1_000)).unwrap();
    for status in [Status::Closed, Status::Settling] {
        w.params.perps[0].status = status;
        assert_eq!(
            w.dry(w.perp(a, b, 0, 1, 1_000)),
            Err(TradeReject::MarketStatus { market: market(0), status })
        );
    }
    w.params.perps[0].status = Status::ReduceOnly;
    assert!(matches!(w.dry(w.perp(a, b, 0, 1, 1_000)), Err(TradeReject::NotReducing { .. })));
    assert!(w.dry(w.perp(b, a, 0, 10, 1_000)).is_ok());
    assert_eq!(w.dry(w.perp(a, b, 9, 1, 1_000)), Err(TradeReject::NoMarket { market: market(9) }));
}

#[test]
fn self_trades_are_rejected_or_decrement() {
    let mut w = World::new();
    let a = party(2, 0);
    let mut op = w.perp(a, a, 0, 10, 1_000);
    assert!(matches!(w.dry(op.clone()), Err(TradeReject::SelfTrade { .. })));
    op.taker.order.terms.self_trade = SelfTrade::Decrement;
    assert!(matches!(w.dry(op.clone()), Err(TradeReject::SameSlot { .. })));
    op.maker.order.terms.slot = Slot::new(9).unwrap();
    op.lots = lots(4);
    let before = w.sub(a);
    w.apply(op).unwrap();
    assert_eq!(w.sub(a), before);
    assert_eq!((w.ord(a, 0).filled, w.ord(a, 9).filled, w.oi(0)), (lots(4), lots(4), 0));
    // another sub-account of the same account is another trader
    let mut op = w.perp(a, party(2, 1), 0, 1, 1_000);
    op.taker.order.terms.slot = Slot::new(3).unwrap();
    assert!(w.dry(op).is_ok());
}

#[test]
fn funding_is_settled_before_a_trade_and_nets_to_zero() {
    let mut w = World::new();
    let (a, b) = (party(2, 0), party(3, 0));
    w.apply(w.perp(a, b, 0, 100, 1_000)).unwrap();
    let before = (w.margin(a).tav, w.margin(b).tav);
    w.advance(HOUR_MS); // premium 0: rate 100 / 8 = 12 millionths of 1000 ticks
    assert_eq!(w.mkf(0).funding.get(), 12 * 1_000);
    assert_eq!(w.margin(a).tav - before.0, -100 * 12_000);
    assert_eq!(w.margin(b).tav - before.1, 100 * 12_000);
    let coll = w.collateral(a);
    w.apply(FundingSettle { party: a, market: market(0) }).unwrap();
    assert_eq!(w.collateral(a), coll - 100 * 12_000);
    w.apply(FundingSettle { party: a, market: market(0) }).unwrap(); // twice moves nothing
    assert_eq!(w.collateral(a), coll - 100 * 12_000);
    // a position opened now owes nothing of the past
    w.apply(w.perp(party(4, 0), b, 0, 1, 1_000)).unwrap();
    let pos = PosCell::from_leaf(&w.view.get(party(4, 0).pos_key(market(0)))).unwrap();
    assert_eq!(pos.funding(), w.mkf(0).funding);
    let none = w.dry(FundingSettle { party: party(7, 0), market: market(0) });
    assert!(matches!(none, Err(TradeReject::NoPosition { .. })));
}

#[test]
fn at_most_32_positions() {
    let mut p = params();
    p.perps = (0..40).map(|m| perp_market(m, 1)).collect();
    let mut w = World::with(p, 500_000, 0);
    let (a, b) = (party(2, 0), party(3, 0));
    for m in 0..32 {
        w.apply(w.perp(a, b, m, 1, 1_000)).unwrap();
    }
    assert!(matches!(w.dry(w.perp(a, party(4, 0), 33, 1, 1_000)), Err(TradeReject::TooManyPositions { .. })));
    w.apply(w.perp(b, a, 31, 1, 1_000)).unwrap();
    w.apply(w.perp(a, b, 39, 1, 1_000)).unwrap();
}

#[test]
fn spot_moves_both_tokens_with_fees_in_what_is_received() {
    let mut w = World::new();
    let (a, b, broker) = (party(2, 0), party(3, 0), party(4, 0));
    let mut op = w.spot(a, b, 0, 3, 1_000); // 30 units of token 1 for 3000 of token 0
    (op.taker_fee, op.maker_fee) = (rate(2_000), rate(1_000));
    (op.taker.order.terms.broker, op.taker.order.terms.broker_rate) = (broker.account, rate(500));
    let at = |w: &World, p| (w.balance(p, 0) as i128, w.balance(p, 1) as i128);
    let (a0, b0, c0) = (at(&w, a), at(&w, b), at(&w, broker));
    w.apply(op).unwrap();
    let (a1, b1, c1, f1) = (at(&w, a), at(&w, b), at(&w, broker), at(&w, Party::FEES));
    assert_eq!((a1.0 - a0.0, a1.1 - a0.1), (-3_000_000_000, 30_000_000 - 30 * 2_000));
    assert_eq!((b1.0 - b0.0, b1.1 - b0.1), (3_000_000_000 - 3_000 * 1_000, -30_000_000));
    assert_eq!((c1.0 - c0.0, c1.1 - c0.1), (0, 30 * 500));
    assert_eq!(f1, (3_000 * 1_000, 30 * 1_500));
}

#[test]
fn spot_takes_a_balance_to_zero_and_not_below() {
    let mut w = World::new();
    let (a, b) = (party(2, 0), party(3, 0));
    assert!(matches!(w.dry(w.spot(a, b, 0, 101, 1)), Err(TradeReject::Balance { .. })));
    w.apply(w.spot(a, b, 0, 100, 1)).unwrap(); // all 1000 units
    assert!(tsz_ledger::cells::is_empty(&w.view.get(b.bal_key(token(1)))));
}

#[test]
fn corrupt_cells_are_rejected_and_never_panic() {
    let mut w = World::new();
    let op = w.perp(party(2, 0), party(3, 0), 0, 1, 1_000);
    for access in w.dry(op.clone()).unwrap().accesses {
        let good = w.view.get(access.key);
        for felt in 0..8 {
            let mut leaf = good;
            leaf[felt] = -<tsz_hash::F as tsz_hash::PrimeCharacteristicRing>::ONE;
            w.view.set(access.key, leaf);
            let _ = w.dry(op.clone());
        }
        w.view.set(access.key, good);
    }
    w.view.set(Key::mkp(0), MkpCell::default().to_leaf());
    assert!(matches!(w.dry(op), Err(TradeReject::Stale { price_ts: 0, .. })));
}
