//! Liquidation, takeover, ADL, debts and forced operations.

use alloc::vec;

use super::world::*;
use crate::ops::*;
use crate::params::Status;
use crate::*;
use tsz_risk::Health;
use tsz_types::*;

const M: i128 = 1_000_000;

fn target() -> Party {
    party(2, 0)
}

/// The target is long 1000 lots from 1000 with TAV 100,000; shorts: account 3 has 400, account 4 has 600. No
/// collateral tokens. Insurance has `insurance`.
fn world(insurance: u64, mark: u32) -> World {
    let mut p = params();
    p.collateral = vec![];
    let mut w = World::with(p, 500_000, insurance);
    let t = target();
    w.apply(w.perp(t, party(3, 0), 0, 400, 1_000)).unwrap();
    w.apply(w.perp(t, party(4, 0), 0, 600, 1_000)).unwrap();
    let tav = w.margin(t).tav;
    w.give(t, 100_000 * M - tav);
    w.set_price(0, mark);
    w
}

fn liquidate(w: &World, n: u64, p: u32) -> Liquidate {
    let maker = w.order(party(5, 0), 0, Side::Buy, 1_000, p);
    Liquidate { target: target(), market: market(0), maker, lots: lots(n), maker_fee: rate(0) }
}

fn takeover(n: u64) -> Takeover {
    Takeover { target: target(), market: market(0), lots: lots(n) }
}

#[test]
fn health_thresholds_are_strict() {
    // 950: TAV 50,000 >= MMR 47,500; 947: TAV 47,000 < 47,350
    let w = world(0, 950);
    assert!(matches!(
        w.dry(liquidate(&w, 1, 950)),
        Err(TradeReject::Health { got: Health::PreLiquidation, .. })
    ));
    let mut w = world(0, 950);
    let m = w.margin(target());
    w.give(target(), m.mmr - m.tav);
    assert!(matches!(w.dry(liquidate(&w, 1, 950)), Err(TradeReject::Health { .. })));
    w.give(target(), -1);
    assert!(w.dry(liquidate(&w, 1, 950)).is_ok());
    assert!(matches!(w.dry(takeover(1)), Err(TradeReject::Health { got: Health::PartialLiquidation, .. })));
}

#[test]
fn liquidates_at_the_zero_quote_and_no_worse() {
    let mut w = world(0, 920); // TAV 20,000 < CMR 27,600: zero price 900
    assert_eq!(w.margin(target()).health(), Health::FullLiquidation);
    let worse = w.dry(liquidate(&w, 1_000, 899));
    assert!(matches!(worse, Err(TradeReject::WorseThanZeroQuote { quote: 900_000, notional: 899_000, .. })));
    w.apply(liquidate(&w, 1_000, 900)).unwrap();
    assert_eq!((w.collateral(target()), w.size(target(), 0)), (0, 0));
    assert_eq!(w.collateral(Party::INSURANCE), 0); // no surplus, no fee
}

#[test]
fn the_surplus_pays_the_liquidation_fee() {
    let mut w = world(0, 920);
    w.apply(liquidate(&w, 1_000, 905)).unwrap(); // surplus 5,000, fee 1% of 905,000 = 9,050: all of it
    assert_eq!((w.collateral(target()), w.collateral(Party::INSURANCE)), (0, 5_000 * M));
    let mut w = world(0, 920);
    w.apply(liquidate(&w, 1_000, 915)).unwrap(); // surplus 15,000, fee 9,150
    assert_eq!((w.collateral(target()), w.collateral(Party::INSURANCE)), (5_850 * M, 9_150 * M));
}

#[test]
fn partial_liquidation_is_minimal() {
    let w = world(0, 940); // TAV 40,000 < MMR 47,000; closing at 940 costs 9.4 a lot and frees 94
    assert_eq!(w.margin(target()).health(), Health::PartialLiquidation);
    assert!(w.dry(liquidate(&w, 1, 940)).is_ok());
    assert!(w.dry(liquidate(&w, 639, 940)).is_ok());
    assert!(matches!(w.dry(liquidate(&w, 640, 940)), Err(TradeReject::TooMuch { .. })));
    assert!(matches!(w.dry(liquidate(&w, 0, 940)), Err(TradeReject::Lots { .. })));
    let mut whole = liquidate(&w, 1_001, 940);
    whole.maker.order.terms.lots = lots(2_000);
    assert!(matches!(w.dry(whole), Err(TradeReject::Lots { .. })));
}

#[test]
fn partial_liquidation_concedes_at_most_the_band() {
    let mut w = world(0, 940); // TAV 40,000: the zero price is 902, the band ends at 893
    w.params.perps[0].forced_band = fraction(200); // now at 921.2
    assert_eq!(w.dry(liquidate(&w, 10, 921)), Err(TradeReject::OutsideBand { price: price(921), mark: 940 }));
    assert!(w.dry(liquidate(&w, 10, 922)).is_ok());
    let m = w.margin(target());
    w.give(target(), m.cmr - 1 - m.tav); // below CMR the zero quote is the only bound
    assert!(w.dry(liquidate(&w, 10, 921)).is_ok());
}

#[test]
fn insurance_is_liquidated_like_anyone() {
    let mut w = world(100_000, 850);
    w.apply(takeover(740)).unwrap(); // TAV 63,000 at 850, MMR 31,450
    w.set_price(0, 804);
    assert_eq!(w.margin(Party::INSURANCE).health(), Health::PartialLiquidation);
    let maker = w.order(party(5, 0), 0, Side::Buy, 1_000, 804);
    let op =
        Liquidate { target: Party::INSURANCE, market: market(0), maker, lots: lots(100), maker_fee: rate(0) };
    let tav = w.margin(Party::INSURANCE).tav;
    w.apply(op).unwrap();
    assert_eq!((w.size(Party::INSURANCE, 0), w.margin(Party::INSURANCE).tav), (640, tav)); // its fee is its own
}

#[test]
fn a_liquidations_counterparty_follows_the_rules_of_orders() {
    let w = world(0, 920);
    let mut op = liquidate(&w, 10, 920);
    op.maker.order.terms.side = Side::Sell;
    assert_eq!(w.dry(op), Err(TradeReject::SameSide));
    let mut op = liquidate(&w, 10, 920);
    op.maker.order.reduce_only = true;
    assert!(matches!(w.dry(op), Err(TradeReject::NotReducing { .. })));
    let mut op = liquidate(&w, 10, 920);
    op.maker_fee = rate(-1);
    assert_eq!(w.dry(op), Err(TradeReject::NetFee { net: -1 }));
    let op = Liquidate { maker: w.order(target(), 0, Side::Buy, 10, 920), ..liquidate(&w, 10, 920) };
    assert!(matches!(w.dry(op), Err(TradeReject::SelfTrade { .. })));
    let op = Liquidate { target: Party::INSURANCE, ..liquidate(&w, 10, 920) };
    assert!(matches!(w.dry(op), Err(TradeReject::NoPosition { .. })));
    let mut poor = world(0, 920);
    let left = poor.collateral(party(5, 0));
    poor.give(party(5, 0), -left);
    assert!(matches!(poor.dry(liquidate(&poor, 10, 920)), Err(TradeReject::Illegal { .. })));
}

#[test]
fn insurance_takes_over_within_its_margin() {
    let mut w = world(100_000, 850); // TAV -50,000: zero price 900, a loss of 50 a lot; IMR 85 a lot
    assert_eq!(w.margin(target()).health(), Health::Bankrupt);
    assert!(matches!(w.dry(takeover(741)), Err(TradeReject::InsuranceMargin { .. })));
    assert!(matches!(w.dry(takeover(1)), Err(TradeReject::SmallClose { notional: 850, min: 1_000 })));
    w.apply(takeover(740)).unwrap();
    assert_eq!((w.size(Party::INSURANCE, 0), w.size(target(), 0), w.oi(0)), (740, 260, 2_000));
    let m = w.margin(Party::INSURANCE);
    assert_eq!((m.tav, m.imr), (63_000 * M, 62_900 * M));
    // insurance gets rid of it by an order that reduces
    let w2 = w.perp(party(5, 0), Party::INSURANCE, 0, 740, 850);
    w.apply(w2).unwrap();
    assert_eq!(w.sub(Party::INSURANCE).pos_count, 0);
}

#[test]
fn a_closed_target_is_left_with_nothing_and_no_debt() {
    let mut w = world(1_000_000, 850);
    w.apply(takeover(1_000)).unwrap();
    assert_eq!((w.collateral(target()), w.sub(target()).pos_count), (0, 0));
    assert_eq!(w.margin(Party::INSURANCE).tav, 950_000 * M);
}

fn debtor(insurance: u64) -> World {
    let mut w = World::with(params(), 500_000, insurance);
    let d = party(2, 0);
    let have = w.collateral(d);
    w.give(d, -have - 45_000 * M); // tokens are worth 90,000
    w
}

fn seize(amount: u128) -> SeizeToken {
    SeizeToken { target: party(2, 0), token: token(1), amount: Balance::new(amount).unwrap() }
}

#[test]
fn insurance_seizes_as_much_as_the_debt_needs() {
    let mut w = debtor(100_000); // 90 millionths of value for a millionth of token
    assert!(matches!(w.dry(seize(500_000_001)), Err(TradeReject::SeizesTooMuch { .. })));
    assert!(matches!(w.dry(seize(0)), Err(TradeReject::NoLots)));
    let other = SeizeToken { token: token(2), ..seize(1) };
    assert!(matches!(w.dry(other), Err(TradeReject::NotCollateral { .. })));
    w.apply(seize(400_000_000)).unwrap();
    assert_eq!(w.collateral(party(2, 0)), -9_000 * M);
    w.apply(seize(100_000_000)).unwrap();
    assert_eq!((w.collateral(party(2, 0)), w.margin_balance(Party::INSURANCE)), (0, 500_000_000));
    assert!(matches!(w.dry(seize(1)), Err(TradeReject::NoDebt { .. })));
}

#[test]
fn a_token_of_haircut_0_is_seized_at_its_whole_value() {
    let mut w = debtor(100_000);
    w.params.collateral[0].haircut = tsz_types::Fraction::MIN;
    // an hour without a price: the last one counts
    w.batch.time += HOUR_MS - 1;
    assert!(matches!(w.dry(seize(450_000_001)), Err(TradeReject::SeizesTooMuch { .. })));
    w.apply(seize(450_000_000)).unwrap();
    assert_eq!((w.collateral(party(2, 0)), w.margin_balance(party(2, 0))), (0, 550_000_000));
    assert_eq!(w.collateral(Party::INSURANCE), 55_000 * M);
    // one that never had a price keeps no debt from being absorbed
    let mut w = debtor(100_000);
    w.params.collateral[0].haircut = tsz_types::Fraction::MIN;
    w.view.set(tsz_ledger::Key::mkp(0), tsz_hash::ZERO);
    w.apply(seize(1_000_000_000)).unwrap();
    assert_eq!((w.collateral(party(2, 0)), w.margin_balance(party(2, 0))), (-45_000 * M, 0));
    w.apply(AbsorbDebt { target: party(2, 0) }).unwrap();
    assert_eq!((w.collateral(party(2, 0)), w.collateral(Party::INSURANCE)), (0, 55_000 * M));
}

#[test]
fn insurance_seizes_and_absorbs_only_with_money() {
    let w = debtor(0);
    // what it buys is worth what it pays: legal with debt as long as the value after haircut covers it
    assert!(w.dry(seize(1_000)).is_ok());
    let mut w = debtor(0);
    w.give_margin(party(2, 0), -1_000 * M);
    let absorb = AbsorbDebt { target: party(2, 0) };
    assert!(matches!(w.dry(absorb.clone()), Err(TradeReject::Uncovered { .. })));
    w.give(Party::INSURANCE, 45_000 * M - 1);
    assert!(w.dry(absorb.clone()).is_err());
    w.give(Party::INSURANCE, 1);
    w.apply(absorb.clone()).unwrap();
    assert_eq!((w.collateral(party(2, 0)), w.collateral(Party::INSURANCE)), (0, 0));
    assert!(matches!(w.dry(absorb), Err(TradeReject::NoDebt { .. })));
}

#[test]
fn debts_with_tokens_or_positions_are_not_absorbed() {
    let w = debtor(100_000);
    let absorb = AbsorbDebt { target: party(2, 0) };
    assert!(matches!(w.dry(absorb.clone()), Err(TradeReject::HoldsTokens { mask: 1, .. })));
    let mut w = world(100_000, 1_000);
    w.give(target(), -w.collateral(target()) - 1);
    assert!(matches!(w.dry(absorb), Err(TradeReject::OpenPositions { .. })));
    let reserved = AbsorbDebt { target: Party::INSURANCE };
    assert!(matches!(w.dry(reserved), Err(TradeReject::ReservedParty { .. })));
}

fn code(w: &mut World, op: impl Into<TradeOp>) -> TradeCode {
    w.apply(op).unwrap().code
}

fn forced(w: &World, n: u64, limit: u32, at: Option<u32>) -> ForcedClose {
    let fill = at.map(|p| ForcedFill {
        maker: w.order(party(5, 0), 0, Side::Buy, n, p),
        taker_fee: rate(0),
        maker_fee: rate(0),
    });
    ForcedClose {
        serial: w.serial(),
        party: target(),
        market: market(0),
        side: Side::Sell,
        lots: lots(n),
        limit: price(limit),
        sender: OWNER,
        fill,
    }
}

/// What `Params::validate` refuses: with a negative cap of makers nobody could close a position of another.
#[test]
fn every_close_has_a_fill_without_fees_but_where_makers_must_be_paid() {
    let with_caps = |mark: u32, taker, maker| {
        let mut w = world(0, mark);
        (w.params.perps[0].taker_cap, w.params.perps[0].maker_cap) = (taker, maker);
        w
    };
    let fill = |w: &World, taker: i32, maker: i32| {
        let mut op = forced(w, 10, 950, Some(1_000));
        let fill = op.fill.as_mut().unwrap();
        (fill.taker_fee, fill.maker_fee) = (rate(taker), rate(maker));
        w.dry(op).map(|applied| applied.receipt.code)
    };
    let w = with_caps(1_000, rate(0), rate(0));
    assert_eq!(w.params.validate(), Ok(()));
    assert_eq!(fill(&w, 0, 0), Ok(TradeCode::Ok));
    assert_eq!(fill(&w, 0, -1), Err(TradeReject::NetFee { net: -1 }));
    let w = with_caps(1_000, rate(0), rate(-1));
    assert!(w.params.validate().is_err());
    assert!(matches!(fill(&w, 0, 0), Err(TradeReject::Fee { max: -1, .. })));
    assert_eq!(fill(&w, 0, -1), Err(TradeReject::NetFee { net: -1 }));
    assert!(matches!(fill(&w, 1, -1), Err(TradeReject::Fee { max: 0, .. })));
    // a taker's fee would make up for it in a forced close, a liquidation has none
    let bad = with_caps(947, rate(1), rate(-1));
    let liquidated = |w: &World, maker: i32| {
        w.dry(Liquidate { maker_fee: rate(maker), ..liquidate(w, 1, 947) })
            .map(|applied| applied.receipt.code)
    };
    assert!(matches!(liquidated(&bad, 0), Err(TradeReject::Fee { max: -1, .. })));
    assert_eq!(liquidated(&bad, -1), Err(TradeReject::NetFee { net: -1 }));
    assert_eq!(liquidated(&with_caps(947, rate(0), rate(0)), 0), Ok(TradeCode::Ok));
}

#[test]
fn forced_closes_have_few_ways_out() {
    let mut w = world(0, 1_000);
    let op = ForcedClose { sender: EthAddress([1; 20]), ..forced(&w, 10, 1_000, None) };
    assert_eq!(code(&mut w, op), TradeCode::NotOwner);
    let op = ForcedClose { market: market(1), ..forced(&w, 10, 1_000, None) };
    assert_eq!(code(&mut w, op), TradeCode::NoPosition);
    let op = ForcedClose { side: Side::Buy, ..forced(&w, 10, 1_000, None) };
    assert_eq!(code(&mut w, op), TradeCode::WrongSide);
    let op = forced(&w, 1_001, 1_000, None);
    assert_eq!(code(&mut w, op), TradeCode::TooManyLots);
    for (limit, expected) in [(951, TradeCode::OutsideBand), (1_051, TradeCode::OutsideBand)] {
        let op = forced(&w, 10, limit, None);
        assert_eq!(code(&mut w, op), expected);
    }
    assert_eq!(w.dry(forced(&w, 10, 950, None)), Err(TradeReject::NoFill));
    assert_eq!(w.dry(forced(&w, 10, 1, None)), Err(TradeReject::NoFill));
    // the fill concedes at most the band, whatever the limit
    assert!(matches!(w.dry(forced(&w, 10, 1, Some(949))), Err(TradeReject::ForcedLimit { .. })));
    assert!(w.dry(forced(&w, 10, 1, Some(950))).is_ok());
    w.params.perps[0].status = Status::ReduceOnly; // the maker need not reduce
    let op = forced(&w, 10, 950, Some(1_000));
    assert_eq!(code(&mut w, op), TradeCode::Ok);
    assert_eq!((w.size(target(), 0), w.size(party(5, 0), 0)), (990, 10));
    w.set_price(0, 940);
    let op = forced(&w, 10, 890, None);
    assert_eq!(code(&mut w, op), TradeCode::Liquidatable);
}
