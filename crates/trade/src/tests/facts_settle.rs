//! The end of a market.

use super::world::*;
use crate::ops::*;
use crate::params::Status;
use crate::*;
use tsz_stf::Reject;
use tsz_types::*;

const M: i128 = 1_000_000;

/// Account 2 is long 1,000 lots from 1,000 and bankrupt by 100,000 at 900; account 3 is short 600, account 4 400.
/// Insurance has nothing. The market settles.
fn world() -> World {
    let mut p = params();
    p.collateral = alloc::vec![];
    let mut w = World::with(p, 500_000, 0);
    let a = party(2, 0);
    w.apply(w.perp(a, party(3, 0), 0, 600, 1_000)).unwrap();
    w.apply(w.perp(a, party(4, 0), 0, 400, 1_000)).unwrap();
    w.set_price(0, 900);
    w.give(a, -100_000 * M - w.margin(a).tav);
    w.params.perps[0].status = Status::Settling;
    w
}

fn name(w: &World, long: u32, short: u32) -> SettleMarket {
    SettleMarket { serial: w.serial(), market: market(0), long: price(long), short: price(short) }
}

fn pair(short: u32, n: u64) -> SettlePair {
    SettlePair { market: market(0), long: party(2, 0), short: party(short, 0), lots: lots(n) }
}

#[test]
fn nobody_is_paid_before_the_prices_are_named() {
    let mut w = world();
    assert_eq!(w.dry(pair(3, 600)), Err(TradeReject::NotSettled { market: market(0) }));
    assert!(matches!(w.dry(name(&w, 901, 900)), Err(TradeReject::SettlePrices { .. })));
    let op = SettleMarket { market: market(9), ..name(&w, 900, 1_000) };
    assert_eq!(w.apply(op).unwrap().code, TradeCode::NoMarket);
    let op = SettleMarket { market: market(1), ..name(&w, 900, 1_000) };
    assert_eq!(w.apply(op).unwrap().code, TradeCode::NotSettling);
    let op = name(&w, 900, 1_000);
    assert_eq!(w.apply(op.clone()).unwrap().code, TradeCode::Ok);
    assert!(matches!(w.dry(op), Err(TradeReject::Base(Reject::Serial { .. }))));
    let op = name(&w, 1, 1);
    assert_eq!(w.apply(op).unwrap().code, TradeCode::Settled); // once and for good
    assert_eq!((w.mkp(0).index, w.mkp(0).mark, w.mkp(0).settled), (900, 1_000, true));
}

#[test]
fn winners_share_by_lots_what_bankrupt_losers_lack() {
    let mut w = world();
    // a debt of 100,000 over 1,000 short lots: 100 each
    w.apply(name(&w, 900, 1_000)).unwrap();
    let before = [3, 4].map(|a| w.margin(party(a, 0)).tav);
    // their shares are part of what they are worth from now on
    w.apply(pair(4, 400)).unwrap();
    w.apply(pair(3, 600)).unwrap();
    let after = [3, 4].map(|a| w.margin(party(a, 0)).tav);
    assert_eq!(before, after);
    assert_eq!(before[0] - w.collateral(party(3, 0)), 0);
    assert_eq!(w.collateral(Party::INSURANCE), 100_000 * M);
    assert_eq!(w.collateral(party(2, 0)), -100_000 * M);
    w.apply(AbsorbDebt { target: party(2, 0) }).unwrap();
    assert_eq!((w.collateral(party(2, 0)), w.collateral(Party::INSURANCE), w.oi(0)), (0, 0, 0));
}

#[test]
fn a_settled_market_values_each_side_at_its_price() {
    let mut w = world();
    let (long, short) = (party(2, 0), party(3, 0));
    let before = (w.margin(long).tav, w.margin(short).tav);
    w.apply(name(&w, 890, 1_000)).unwrap();
    assert_eq!(w.margin(long).tav - before.0, -1_000 * 10 * M);
    assert_eq!(w.margin(short).tav - before.1, -600 * 100 * M);
    // so nothing that the settlement will take can be taken out before
    let free = (w.margin(short).tav - w.margin(short).imr) as u128;
    assert!(w.dry(w.margin_transfer(short, Direction::Out, 0, free)).is_ok());
    assert!(w.dry(w.margin_transfer(short, Direction::Out, 0, free + 1)).is_err());
    // whatever the age of the price
    w.batch.time += 10 * 60_000;
    assert!(w.dry(w.margin_transfer(short, Direction::Out, 0, free)).is_ok());
}

#[test]
fn pairs_are_of_a_long_and_a_short_with_the_lots() {
    let mut w = world();
    w.apply(name(&w, 900, 950)).unwrap();
    assert!(matches!(w.dry(pair(3, 601)), Err(TradeReject::Lots { .. })));
    assert!(matches!(w.dry(pair(3, 0)), Err(TradeReject::Lots { .. })));
    assert!(matches!(w.dry(pair(5, 1)), Err(TradeReject::Lots { .. })));
    let swapped = SettlePair { long: party(3, 0), short: party(2, 0), ..pair(3, 1) };
    assert!(matches!(w.dry(swapped), Err(TradeReject::Lots { .. })));
    assert!(w.dry(pair(3, 600)).is_ok());
}

#[test]
fn nothing_else_happens_in_a_settling_market() {
    let mut w = world();
    w.apply(name(&w, 900, 900)).unwrap();
    let status = |r: Result<Applied, TradeReject>| matches!(r, Err(TradeReject::MarketStatus { .. }));
    assert!(status(w.dry(w.perp(party(5, 0), party(6, 0), 0, 1, 900))));
    assert!(status(w.dry(Takeover { target: party(2, 0), market: market(0), lots: lots(1) })));
    assert!(status(w.dry(Adl { target: party(2, 0), market: market(0), counterparty: party(3, 0) })));
    assert!(status(w.dry(w.rank(party(2, 0), 0))));
    // even if a state that cannot be says otherwise, a settled price stays
    w.params.perps[0].status = Status::Open;
    let ts = TimeMs::new(TIME + 1).unwrap();
    let report = |signer| PriceReport {
        signer,
        index: 900,
        mark: 900,
        confidence: 0,
        ts,
        breaker: false,
        signature: blank(),
    };
    let op = OracleUpdate { market: market(0), reports: (0..3).map(report).collect() };
    assert!(status(w.dry(op)));
}

/// The demand that L1 has in its queue holds the operator to pairing the whole position.
#[test]
fn the_owner_can_force_a_settled_position_to_be_paired() {
    let mut w = world();
    let demand = |w: &World, who: Party| ForcedClose {
        serial: w.serial(),
        party: who,
        market: market(0),
        side: Side::Buy,
        lots: lots(1),
        limit: Price::MAX,
        sender: OWNER,
        fill: None,
    };
    let c = party(3, 0);
    // nobody is paid before the prices are named
    let op = demand(&w, c);
    assert_eq!(w.apply(op).unwrap().code, TradeCode::Settling);
    w.apply(name(&w, 900, 900)).unwrap();
    let unpaired = |size| Err(TradeReject::Unpaired { account: c.account, market: market(0), size });
    assert_eq!(w.dry(demand(&w, c)), unpaired(-600));
    // one lot is not enough, whatever the demand names
    w.apply(pair(3, 599)).unwrap();
    assert_eq!(w.dry(demand(&w, c)), unpaired(-1));
    w.apply(pair(3, 1)).unwrap();
    let op = demand(&w, c);
    assert_eq!(w.apply(op).unwrap().code, TradeCode::NoPosition);
    // what was paid can leave
    let all = w.collateral(c) as u128;
    assert!(w.dry(w.margin_transfer(c, Direction::Out, 0, all)).is_ok());
}

#[test]
fn a_token_whose_market_settles_counts_nothing_and_blocks_nothing() {
    let mut p = params();
    p.perps[0].status = Status::Settling;
    assert!(p.validate().is_err());
    p.collateral[0].haircut = fraction(0);
    assert_eq!(p.validate(), Ok(()));
    let mut w = World::new();
    let a = party(2, 0);
    w.apply(w.perp(a, party(3, 0), 1, 10, 1_000)).unwrap();
    let tav = w.margin(a).tav;
    w.params = p;
    w.batch.time += 10 * 60_000;
    w.set_price(1, 1_000);
    assert_eq!(w.margin(a).tav, tav - 90_000 * M);
    assert!(w.dry(w.perp(party(3, 0), a, 1, 10, 1_000)).is_ok());
    assert!(w.dry(w.margin_transfer(a, Direction::Out, 1, 1_000 * M as u128)).is_ok());
}

#[test]
fn tokens_are_listed_and_changed_by_governance() {
    let mut w = World::new();
    let op = |w: &World, listed, minimum| SetToken {
        serial: w.serial(),
        token: token(9),
        listed,
        minimum: Units::new(minimum).unwrap(),
    };
    w.apply(op(&w, true, 5)).unwrap();
    let key = tsz_ledger::Key::tok(9);
    let cell = tsz_ledger::TokCell { listed: true, minimum: Units::new(5).unwrap() };
    assert_eq!(w.view_cell(key), tsz_ledger::Cell::to_leaf(&cell));
    assert!(matches!(
        w.dry(SetToken { serial: L1Serial::MIN, ..op(&w, false, 0) }),
        Err(TradeReject::Base(Reject::Serial { .. }))
    ));
    w.apply(op(&w, false, 0)).unwrap();
    assert_eq!(w.view_cell(key), tsz_hash::ZERO);
}
