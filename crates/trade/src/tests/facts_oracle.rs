//! Prices, premiums and funding ticks.

use alloc::vec;
use alloc::vec::Vec;

use super::world::*;
use crate::ops::*;
use crate::params::Status;
use crate::*;
use tsz_types::*;

fn report(signer: u8, index: u32, mark: u32, ts: u64) -> PriceReport {
    let ts = TimeMs::new(ts).unwrap();
    PriceReport { signer, index, mark, confidence: 1, ts, breaker: false, signature: blank() }
}

fn update(reports: Vec<PriceReport>) -> OracleUpdate {
    OracleUpdate { market: market(0), reports }
}

fn flat(p: u32, ts: u64) -> OracleUpdate {
    update((0..3).map(|s| report(s, p, p, ts)).collect())
}

#[test]
fn takes_lower_medians_and_the_oldest_time() {
    let mut w = World::new();
    let t = TIME + 100;
    let reports = vec![report(0, 1_001, 998, t), report(2, 1_005, 1_003, t - 50), report(3, 999, 1_002, t)];
    w.apply(update(reports.clone())).unwrap();
    assert_eq!((w.mkp(0).index, w.mkp(0).mark, w.mkp(0).price_ts), (1_001, 1_002, t - 50));
    let mut four = reports;
    four.iter_mut().for_each(|r| r.ts = TimeMs::new(t + 1).unwrap());
    four.push(report(4, 1_050, 1_050, t + 1));
    w.apply(update(four)).unwrap();
    assert_eq!((w.mkp(0).index, w.mkp(0).mark), (1_001, 1_002)); // the lower of the middle two
}

#[test]
fn needs_a_quorum_of_distinct_known_signers() {
    let w = World::new();
    let r = |s| report(s, 1_000, 1_000, TIME + 1);
    assert_eq!(w.dry(update(vec![r(0), r(1)])), Err(TradeReject::Quorum { quorum: 3, reports: 2 }));
    assert_eq!(w.dry(update(vec![])), Err(TradeReject::Quorum { quorum: 3, reports: 0 }));
    assert_eq!(w.dry(update(vec![r(0), r(1), r(1)])), Err(TradeReject::Signer { place: 2, signer: 1 }));
    assert_eq!(w.dry(update(vec![r(1), r(0), r(2)])), Err(TradeReject::Signer { place: 1, signer: 0 }));
    assert_eq!(w.dry(update(vec![r(0), r(1), r(5)])), Err(TradeReject::Signer { place: 2, signer: 5 }));
    assert!(w.dry(update((0..5).map(r).collect())).is_ok());
    let zero = update(vec![r(0), r(1), report(2, 1_000, 0, TIME + 1)]);
    assert_eq!(w.dry(zero), Err(TradeReject::ZeroPrice { place: 2 }));
}

#[test]
fn prices_are_in_time() {
    let mut w = World::new();
    assert!(matches!(w.dry(flat(1_000, TIME)), Err(TradeReject::PriceTime { .. }))); // not after the previous
    assert!(w.dry(flat(1_000, TIME + 5_000)).is_ok());
    assert!(matches!(w.dry(flat(1_000, TIME + 5_001)), Err(TradeReject::PriceTime { .. })));
    // and not before the last ones by more than they may be ahead, however long one may be used
    w.batch.time += 5_001;
    assert!(w.dry(flat(1_000, TIME + 1)).is_ok());
    w.batch.time += 1;
    assert!(matches!(w.dry(flat(1_000, TIME + 1)), Err(TradeReject::PriceTime { .. })));
}

#[test]
fn moves_are_bounded_but_for_the_circuit_breaker() {
    let mut w = World::new();
    assert!(w.dry(flat(1_100, TIME + 1)).is_ok());
    assert!(matches!(
        w.dry(flat(1_101, TIME + 1)),
        Err(TradeReject::Deviation { old: 1_000, new: 1_101, .. })
    ));
    assert!(w.dry(flat(900, TIME + 1)).is_ok());
    assert!(w.dry(flat(899, TIME + 1)).is_err());
    let mut op = flat(500, TIME + 1);
    op.reports[0].breaker = true;
    assert!(w.dry(op.clone()).is_err()); // all who sign stand by it
    op.reports.iter_mut().for_each(|r| r.breaker = true);
    w.apply(op).unwrap();
    w.params.perps[0].status = Status::Settling;
    assert!(matches!(w.dry(flat(500, TIME + 2)), Err(TradeReject::MarketStatus { .. })));
}

fn sample(premiums: [i32; 3]) -> PremiumSample {
    let report = |k: usize| PremiumReport { signer: k as u8, premium: premiums[k], signature: blank() };
    PremiumSample { market: market(0), reports: (0..3).map(report).collect() }
}

#[test]
fn one_premium_for_each_minute_that_has_begun() {
    let mut w = World::new(); // minute 5 of the hour: six samples are due
    for k in 1..=6 {
        w.apply(sample([10_000; 3])).unwrap();
        assert_eq!((w.mks(0).sum, w.mks(0).minute), (k * 10_000, k as u8));
    }
    let early = w.dry(sample([10_000; 3]));
    assert_eq!(early, Err(TradeReject::Minute { minute: 6, now: 5 }));
    w.batch.time += 60_000;
    w.set_price(0, 700); // what a signer said about its minute does not depend on the price of now
    w.apply(sample([-30_000, -10_000, 1_000_000])).unwrap();
    assert_eq!(w.mks(0).sum, 50_000);
    w.batch.time = (TIME / HOUR_MS) * HOUR_MS + 59 * 60_000; // nor on its age
    while w.mks(0).minute < 60 {
        w.apply(sample([0; 3])).unwrap();
    }
    assert_eq!(w.dry(sample([0; 3])), Err(TradeReject::Minute { minute: 60, now: 59 }));
}

#[test]
fn a_premium_is_at_most_everything() {
    let mut w = World::new();
    assert!(w.dry(sample([1_000_000; 3])).is_ok());
    for p in [1_000_001, -1_000_001, i32::MIN] {
        let op = sample([0, p, 0]);
        assert_eq!(w.dry(op), Err(TradeReject::Premium { place: 1, premium: p }));
    }
    w.apply(sample([-1_000_000; 3])).unwrap();
    assert_eq!(w.mks(0).sum, -1_000_000);
    let one = |s: u8| PremiumReport { signer: s, premium: 1, signature: blank() };
    let few = PremiumSample { market: market(0), reports: vec![one(0), one(1)] };
    assert!(matches!(w.dry(few), Err(TradeReject::Quorum { .. })));
}

#[test]
fn a_tick_ends_an_hour_once() {
    let mut w = World::new();
    w.apply(w.perp(party(2, 0), party(3, 0), 0, 10, 1_000)).unwrap();
    let tick = FundingTick { market: market(0) };
    assert!(matches!(w.dry(tick.clone()), Err(TradeReject::HourOpen { .. })));
    w.batch.time = (TIME / HOUR_MS + 3) * HOUR_MS - 1;
    let hour = w.mkf(0).hour;
    w.apply(tick.clone()).unwrap();
    w.apply(tick.clone()).unwrap(); // one for each hour that is over
    assert_eq!((w.mkf(0).hour, w.mkf(0).funding.get()), (hour + 2, 24_000));
    assert!(matches!(w.dry(tick.clone()), Err(TradeReject::HourOpen { .. })));
    w.batch.time += 1;
    assert!(w.dry(tick).is_ok());
}

#[test]
fn an_hour_with_a_sample_missing_has_no_premium() {
    for (samples, index) in [(59, 12_000), (60, 1_187_000)] {
        let mut w = World::new();
        w.apply(w.perp(party(2, 0), party(3, 0), 0, 10, 1_000)).unwrap();
        w.batch.time = (TIME / HOUR_MS) * HOUR_MS + 59 * 60_000;
        for _ in 0..samples {
            w.apply(sample([10_000; 3])).unwrap();
        }
        w.batch.time += 60_000;
        w.apply(FundingTick { market: market(0) }).unwrap();
        // the rate of 100, or the premium of 10,000 less the clamp of 500, an eighth of it
        assert_eq!(w.mkf(0).funding.get(), index, "{samples}");
        assert_eq!((w.mks(0).sum, w.mks(0).minute), (0, 0));
    }
}

#[test]
fn a_new_market_starts_at_the_present_hour() {
    let mut p = params();
    p.perps.push(perp_market(3, 1));
    let mut w = World::new();
    w.params = p;
    w.view.set(tsz_ledger::Key::mkf(3), tsz_hash::ZERO);
    let op = w.perp(party(2, 0), party(3, 0), 3, 1, 1_000);
    assert!(matches!(w.dry(op.clone()), Err(TradeReject::FundingDue { hour: 0, .. })));
    w.apply(FundingTick { market: market(3) }).unwrap();
    assert_eq!(u64::from(w.mkf(3).hour), TIME / HOUR_MS);
    assert!(matches!(w.dry(op.clone()), Err(TradeReject::Stale { .. })));
    let first = OracleUpdate { market: market(3), ..flat(1_000, TIME) };
    w.apply(first).unwrap();
    w.apply(op).unwrap();
}

#[test]
fn funding_over_a_week_is_paid_by_one_side_to_the_other() {
    let mut w = World::new();
    let (a, b) = (party(2, 0), party(3, 0));
    w.apply(w.perp(a, b, 0, 100, 1_000)).unwrap();
    let before = (w.margin(a).tav, w.margin(b).tav);
    for _ in 0..24 * 7 {
        w.advance(HOUR_MS);
    }
    let paid = 168 * 12 * 1_000 * 100;
    assert_eq!((w.margin(a).tav - before.0, w.margin(b).tav - before.1), (-paid, paid));
}
