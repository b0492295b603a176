//! Edges: exactly at a boundary and one beyond it, leaves that go and come back, the short side of the rules.

use super::world::*;
use crate::ops::*;
use crate::*;
use tsz_ledger::cells::is_empty;
use tsz_ledger::{Cell, Key};
use tsz_risk::Health;
use tsz_types::*;

const M: i128 = 1_000_000;

/// Sets the funding index of market 0; what positions have not settled joins the totals.
fn fund(w: &mut World, index: i64) {
    let funding = FundingIndex::new(index).unwrap();
    let cell = tsz_ledger::MkfCell { funding, ..w.mkf(0) };
    w.view.set(Key::mkf(0), cell.to_leaf());
    w.totals = invariants::Totals::of(w.view.leaves(), &w.params).unwrap().tokens;
}

#[test]
fn a_price_may_be_used_up_to_its_greatest_age() {
    let mut w = World::new();
    let op = w.perp(party(2, 0), party(3, 0), 0, 1, 1_000);
    w.batch.time += 60_000;
    assert!(w.dry(op.clone()).is_ok());
    w.batch.time += 1;
    assert!(matches!(w.dry(op), Err(TradeReject::Stale { .. })));
}

#[test]
fn sub_accounts_of_one_account_are_two_parties() {
    let mut w = World::new();
    let (a, b) = (party(2, 0), party(2, 1));
    w.apply(w.perp(a, b, 0, 10, 1_000)).unwrap();
    assert_eq!((w.size(a, 0), w.size(b, 0)), (10, -10));
    w.apply(w.spot(a, b, 0, 1, 1_000)).unwrap();
}

#[test]
fn the_cap_of_open_interest_counts_what_a_flip_adds() {
    let mut w = World::new();
    let (a, b, c) = (party(2, 0), party(3, 0), party(4, 0));
    w.params.perps[0].oi_cap = notional(200_000);
    w.apply(w.perp(a, b, 0, 80, 1_000)).unwrap(); // 160 of 200 lots
    // a turns 80 long into 40 short: c takes over 80 of its long lots and 40 more
    let n = |flip: u64| w.perp(c, a, 0, 80 + flip, 1_000);
    assert!(w.dry(n(20)).is_ok());
    assert_eq!(w.dry(n(21)), Err(TradeReject::OpenInterestCap { notional: 202_000, cap: 200_000 }));
    // a flip against a closing party adds what the flip adds
    assert!(w.dry(w.perp(b, a, 0, 80, 1_000)).is_ok());
    assert!(w.dry(w.perp(b, a, 0, 180, 1_000)).is_ok());
    assert!(w.dry(w.perp(b, a, 0, 181, 1_000)).is_err());
}

#[test]
fn funding_is_due_from_the_opening_on_and_once() {
    let mut w = World::new();
    let (a, b) = (party(2, 0), party(3, 0));
    fund(&mut w, 5_000_000);
    let before = w.collateral(a);
    w.apply(w.perp(a, b, 0, 10, 1_000)).unwrap(); // opened in the middle of a period
    assert_eq!(w.collateral(a), before - 10_000 * M);
    fund(&mut w, 5_000_300);
    let settle = FundingSettle { party: a, market: market(0) };
    let before = w.collateral(a);
    w.apply(settle.clone()).unwrap();
    assert_eq!(w.collateral(a), before - 10 * 300);
    w.apply(settle).unwrap();
    assert_eq!(w.collateral(a), before - 10 * 300);
    // growth settles first; what is added owes nothing for the past
    fund(&mut w, 5_000_400);
    let before = w.collateral(a);
    w.apply(w.perp(a, b, 0, 90, 1_000)).unwrap();
    assert_eq!(w.collateral(a), before - 10 * 100 - 90_000 * M);
}

#[test]
fn a_position_that_comes_back_owes_nothing_for_the_time_between() {
    let mut w = World::new();
    let (a, b) = (party(2, 0), party(3, 0));
    w.apply(w.perp(a, b, 0, 10, 1_000)).unwrap();
    w.apply(w.perp(b, a, 0, 10, 1_000)).unwrap();
    assert!(is_empty(&w.view_cell(a.pos_key(market(0)))));
    assert!(w.dry(FundingSettle { party: a, market: market(0) }).is_err());
    fund(&mut w, 70_000);
    let before = w.collateral(a);
    w.apply(w.perp(a, b, 0, 10, 1_000)).unwrap();
    assert_eq!((w.collateral(a), w.sub(a).pos_count), (before - 10_000 * M, 1));
}

#[test]
fn a_balance_that_comes_back_is_a_leaf_again() {
    let mut w = World::new();
    let (a, b) = (party(2, 0), party(3, 0));
    w.apply(w.spot(a, b, 0, 100, 1)).unwrap(); // all of the seller's
    assert!(is_empty(&w.view_cell(b.bal_key(token(1)))));
    w.apply(w.spot(b, a, 0, 1, 1)).unwrap();
    assert_eq!(w.balance(b, 1), 10 * M as u128);
}

/// Account 2 is short 7 lots of market 1 (10 units a tick) from 1,000, its TAV is `tav` at `mark`; no tokens.
fn short(mark: u32, tav: i128) -> World {
    let mut p = params();
    p.collateral.clear();
    let mut w = World::with(p, 500_000, 1_000_000);
    let a = party(2, 0);
    w.apply(w.perp(party(3, 0), a, 1, 7, 1_000)).unwrap();
    w.set_price(1, mark);
    w.give(a, tav - w.margin(a).tav);
    w
}

#[test]
fn a_short_is_closed_at_its_zero_quote_rounded_down() {
    let a = party(2, 0);
    let takeover = |n| Takeover { target: a, market: market(1), lots: lots(n) };
    // bankrupt by 1,000.000001: the whole position at 79,170 - 1,000.000001, down
    let mut w = short(1_131, -1_000 * M - 1);
    let receipt = w.apply(takeover(7)).unwrap();
    assert_eq!((receipt.quote, w.sub(a).pos_count), (79_170 - 1_001, 0));
    assert_eq!(w.collateral(a), M - 1); // the rounding is the account's
    // with something left the quote is above the mark, still rounded down
    let mut w = short(1_131, 2_000 * M + 500_000);
    assert_eq!(w.margin(a).health(), Health::FullLiquidation);
    let receipt = w.apply(takeover(7)).unwrap();
    assert_eq!((receipt.quote, w.collateral(a)), (79_170 + 2_000, 500_000));
    // a part keeps the ratio of TAV to MMR or lifts it
    let mut w = short(1_131, 2_000 * M + 500_000);
    let before = w.margin(a);
    w.apply(takeover(3)).unwrap();
    let after = w.margin(a);
    assert!(before.tav * after.mmr <= after.tav * before.mmr);
}

#[test]
fn a_long_is_closed_at_its_zero_quote_rounded_up() {
    let a = party(2, 0);
    let takeover = Takeover { target: a, market: market(1), lots: lots(7) };
    let long = |mark: u32, tav: i128| {
        let mut w = short(1_000, 0);
        let spare = 100_000 * M - w.margin(a).tav;
        w.give(a, spare);
        w.apply(w.perp(a, party(3, 0), 1, 14, 1_000)).unwrap(); // from 7 short to 7 long
        w.set_price(1, mark);
        w.give(a, tav - w.margin(a).tav);
        w
    };
    for (tav, quote) in [
        (-1_000 * M - 1, 60_900 + 1_001), // bankrupt: above the mark, up
        (-1_000 * M, 60_900 + 1_000),
        (1_500 * M + 500_000, 60_900 - 1_500), // something left: below the mark, still up
    ] {
        let mut w = long(870, tav);
        let receipt = w.apply(takeover.clone()).unwrap();
        assert_eq!(receipt.quote, quote);
        assert_eq!(w.collateral(a), tav + (quote - 60_900) * M); // at least zero: the rounding is the account's
        assert!((0..M).contains(&w.collateral(a)));
    }
}

#[test]
fn a_zero_quote_may_be_negative() {
    let a = party(2, 0);
    let mut w = short(1_131, -100_000 * M); // worth -79,170 and 20,830 more than that short
    let maker = w.order(party(5, 0), 1, Side::Sell, 7, 1);
    let op = Liquidate { target: a, market: market(1), maker, lots: lots(7), maker_fee: rate(0) };
    assert!(matches!(w.dry(op), Err(TradeReject::WorseThanZeroQuote { quote: -20_830, .. })));
    let receipt = w.apply(Takeover { target: a, market: market(1), lots: lots(7) }).unwrap();
    assert_eq!((receipt.quote, w.collateral(a)), (-20_830, 0));
}

#[test]
fn a_shorts_liquidation_pays_at_most_its_zero_quote() {
    let a = party(2, 0);
    let w = short(1_131, 2_001 * M); // zero quote 81,171 for 7 lots: 1,159.5 a tick
    let at = |p| {
        let maker = w.order(party(5, 0), 1, Side::Sell, 7, p);
        Liquidate { target: a, market: market(1), maker, lots: lots(7), maker_fee: rate(0) }
    };
    assert!(w.dry(at(1_159)).is_ok());
    assert!(matches!(w.dry(at(1_160)), Err(TradeReject::WorseThanZeroQuote { quote: 81_171, .. })));
}

#[test]
fn a_takeover_leaves_a_position_only_above_the_least_notional() {
    let w = short(1_131, -1);
    // one lot is 11,310 quote units
    assert!(w.dry(Takeover { target: party(2, 0), market: market(1), lots: lots(1) }).is_ok());
    let mut w = World::with(params(), 500_000, 1_000_000);
    let a = party(2, 0);
    w.apply(w.perp(a, party(3, 0), 0, 2, 1_000)).unwrap();
    w.give_margin(a, -1_000 * M);
    w.give(a, -1 - w.margin(a).tav);
    let op = |n| Takeover { target: a, market: market(0), lots: lots(n) };
    assert!(w.dry(op(1)).is_ok());
    w.set_price(0, 999);
    assert!(matches!(w.dry(op(1)), Err(TradeReject::SmallClose { notional: 999, min: 1_000 })));
    assert!(w.dry(op(2)).is_ok());
}

#[test]
fn a_forced_close_must_fit_one_maker() {
    let mut w = World::with(params(), 15_000_000, 0);
    let (a, b, c) = (party(2, 0), party(3, 0), party(4, 0));
    w.apply(w.perp(a, b, 0, 15_000, 1_000)).unwrap();
    w.set_price(0, 2_000); // 30,000,000 where the last tier ends at 20,000,000
    w.give(c, 100_000_000 * M);
    let with = |w: &World, n: u64, at: u32| ForcedClose {
        serial: w.serial(),
        party: a,
        market: market(0),
        side: Side::Sell,
        lots: lots(n),
        limit: price(at),
        sender: OWNER,
        fill: Some(ForcedFill {
            maker: w.order(c, 0, Side::Buy, n, at),
            taker_fee: rate(0),
            maker_fee: rate(0),
        }),
    };
    // nobody without a position could take one lot more
    let op = ForcedClose { limit: price(1), ..with(&w, 10_001, 2_000) };
    assert_eq!(w.apply(op).unwrap().code, TradeCode::TooManyLots);
    let at_bound = ForcedClose { limit: price(1), ..with(&w, 10_000, 2_000) };
    assert!(w.dry(at_bound.clone()).is_ok());
    // who has some already cannot take as many, whatever the price: that is for the operator to see
    w.apply(with_limit(with(&w, 1, 2_000), 1)).unwrap();
    let op = with_limit(with(&w, 10_000, 2_000), 1);
    assert!(matches!(w.dry(op), Err(TradeReject::TierBound { .. })));
    assert_eq!(w.apply(with_limit(with(&w, 9_999, 2_000), 1)).unwrap().code, TradeCode::Ok);
}

fn with_limit(op: ForcedClose, limit: u32) -> ForcedClose {
    ForcedClose { limit: price(limit), ..op }
}

#[test]
fn a_forced_close_at_the_ends_of_the_range_concedes_all() {
    let closes = |mark: u32, side: Side, limit: u32| {
        let mut w = World::with(params(), 15_000, 0);
        w.params.perps[0].oi_cap = Notional::MAX;
        w.params.perps[0].tiers[2].bound = Notional::MAX;
        let (a, b) = (party(2, 0), party(3, 0));
        let (a, b) = if side == Side::Sell { (a, b) } else { (b, a) };
        w.set_price(0, mark);
        for who in [a, b] {
            w.give(who, 1 << 80);
        }
        w.apply(w.perp(a, b, 0, 5, mark)).unwrap();
        w.dry(ForcedClose {
            serial: w.serial(),
            party: party(2, 0),
            market: market(0),
            side,
            lots: lots(5),
            limit: price(limit),
            sender: OWNER,
            fill: None,
        })
        .map(|applied| applied.receipt.code)
    };
    let (served, refused) = (Err(TradeReject::NoFill), Ok(TradeCode::OutsideBand));
    // 5 % from 1 is below 1, from 2^32 - 1 above it
    assert_eq!(closes(1, Side::Sell, 1), served);
    assert_eq!(closes(2, Side::Sell, 1), served);
    assert_eq!(closes(2, Side::Sell, 2), refused);
    assert_eq!(closes(u32::MAX, Side::Buy, u32::MAX), served);
    assert_eq!(closes(u32::MAX, Side::Buy, u32::MAX - 1), refused);
    assert_eq!(closes(1, Side::Buy, 2), served);
    assert_eq!(closes(1, Side::Buy, 1), refused);
}

#[test]
fn a_forced_close_must_fit_one_fill() {
    let mut w = World::with(params(), 1 << 55, 0);
    w.params.perps[0].oi_cap = Notional::MAX;
    w.params.perps[0].tiers[2].bound = Notional::MAX;
    let (a, b) = (party(2, 0), party(3, 0));
    w.apply(w.perp(a, b, 0, 1 << 40, 1_000)).unwrap();
    w.set_price(0, 1 << 17); // the position has outgrown 2^56
    let with = |w: &World, n: u64| ForcedClose {
        serial: w.serial(),
        party: a,
        market: market(0),
        side: Side::Sell,
        lots: lots(n),
        limit: price(1),
        sender: OWNER,
        fill: None,
    };
    assert_eq!(w.apply(with(&w, 1 << 40)).unwrap().code, TradeCode::TooManyLots);
    assert_eq!(w.apply(with(&w, 1 << 39)).unwrap().code, TradeCode::TooManyLots);
    assert_eq!(w.dry(with(&w, (1 << 39) - 1)), Err(TradeReject::NoFill));
}
