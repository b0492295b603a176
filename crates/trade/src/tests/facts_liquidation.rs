//! Liquidation, takeover, ADL, debts and forced operations.

use alloc::vec;
use alloc::vec::Vec;

use super::world::*;
use crate::ops::*;
use crate::params::Status;
use crate::*;
use tsz_ledger::{Cell, Key, L1InCell};
use tsz_risk::Health;
use tsz_stf::{Reject, View};
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

fn adl(n: u64, counterparty: Party) -> Adl {
    let holders = vec![party(3, 0), party(4, 0)];
    Adl { target: target(), market: market(0), lots: lots(n), counterparty, holders }
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
    assert!(matches!(w.dry(op), Err(TradeReject::NoPosition { .. } | TradeReject::ReservedParty { .. })));
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
    assert_eq!(w.dry(adl(740, party(4, 0))), Err(TradeReject::TakeoverPossible { lots: lots(740) }));
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

#[test]
fn adl_takes_the_best_ranked_opposite_position() {
    let mut w = world(0, 850);
    // account 4 has less behind more exposure: a higher score
    let tav = w.margin(party(4, 0)).tav;
    w.give(party(4, 0), 200_000 * M - tav);
    let worse = w.dry(adl(400, party(3, 0)));
    assert!(matches!(worse, Err(TradeReject::Score { best: Some(b), got: Some(g) }) if b > g), "{worse:?}");
    let before = w.margin(party(4, 0)).tav;
    assert!(matches!(w.dry(adl(601, party(4, 0))), Err(TradeReject::Lots { .. })));
    w.apply(adl(600, party(4, 0))).unwrap();
    assert_eq!((w.size(party(4, 0), 0), w.size(target(), 0)), (0, 400));
    assert_eq!(w.margin(party(4, 0)).tav, before - 600 * 50 * M); // closed at 900 instead of 850
    let rest = Adl { holders: vec![party(3, 0)], ..adl(400, party(3, 0)) };
    w.apply(rest).unwrap();
    assert_eq!((w.oi(0), w.collateral(target())), (0, 0));
}

#[test]
fn adl_needs_the_complete_list_of_the_other_side() {
    let w = world(0, 850);
    let with = |holders: Vec<Party>| w.dry(Adl { holders, ..adl(400, party(3, 0)) });
    let (a, b) = (party(3, 0), party(4, 0));
    assert_eq!(with(vec![a]), Err(TradeReject::HoldersIncomplete { expected: 1_000, found: 400 }));
    assert_eq!(with(vec![b, a]), Err(TradeReject::Holders { place: 1 }));
    assert_eq!(with(vec![a, a, b]), Err(TradeReject::Holders { place: 1 }));
    assert_eq!(with(vec![target(), a, b]), Err(TradeReject::NotOpposite { place: 0 }));
    assert_eq!(with(vec![a, b, party(5, 0)]), Err(TradeReject::NotOpposite { place: 2 }));
    let nobody = w.dry(Adl { counterparty: party(5, 0), ..adl(400, a) });
    assert!(matches!(nobody, Err(TradeReject::Score { got: None, .. })));
}

#[test]
fn adl_passes_over_those_for_whom_it_would_be_illegal_or_who_are_ill() {
    let mut w = world(0, 850);
    // account 4 at health 2 is no candidate, whatever its score
    let m = w.margin(party(4, 0));
    w.give(party(4, 0), m.mmr - 1 - m.tav);
    assert!(matches!(w.dry(adl(400, party(4, 0))), Err(TradeReject::Score { got: None, .. })));
    assert!(w.dry(adl(400, party(3, 0))).is_ok());
    // at exactly MMR its ratio would fall by a close at a loss: illegal, so the next is taken
    w.give(party(4, 0), 1);
    assert!(matches!(w.dry(adl(400, party(4, 0))), Err(TradeReject::Score { got: None, .. })));
    assert!(w.dry(adl(400, party(3, 0))).is_ok());
}

#[test]
fn insurance_itself_can_be_deleveraged() {
    let mut w = world(100_000, 850);
    w.apply(takeover(740)).unwrap();
    w.set_price(0, 788); // insurance: 63,000 - 740 * 62 < CMR
    assert!(w.margin(Party::INSURANCE).health() >= Health::FullLiquidation);
    let op = Adl { target: Party::INSURANCE, ..adl(600, party(4, 0)) };
    assert!(matches!(
        w.dry(Takeover { target: Party::INSURANCE, ..takeover(1) }),
        Err(TradeReject::ReservedParty { .. })
    ));
    let outcome = w.dry(op.clone());
    let op = if outcome.is_ok() { op } else { Adl { counterparty: party(3, 0), lots: lots(400), ..op } };
    w.apply(op).unwrap();
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

fn force(w: &World, counterparty: Option<Party>, holders: Vec<Party>) -> ForceLiquidate {
    let L1InCell { next } = L1InCell::from_leaf(&w.view.get(Key::L1IN)).unwrap();
    ForceLiquidate { serial: next, target: target(), market: market(0), sender: OWNER, counterparty, holders }
}

fn code(w: &mut World, op: impl Into<TradeOp>) -> TradeCode {
    w.apply(op).unwrap().code
}

#[test]
fn forced_liquidation_takes_over_deleverages_or_says_why_not() {
    let mut w = world(0, 940);
    let op = force(&w, None, vec![]);
    assert_eq!(code(&mut w, op.clone()), TradeCode::NotBankrupt);
    assert!(matches!(w.dry(op), Err(TradeReject::Base(Reject::Serial { .. }))));
    let none = ForceLiquidate { market: market(7), ..force(&w, None, vec![]) };
    assert_eq!(code(&mut w, none), TradeCode::NoMarket);
    let none = ForceLiquidate { market: market(1), ..force(&w, None, vec![]) };
    assert_eq!(code(&mut w, none), TradeCode::NoPosition);
    let own = ForceLiquidate { target: Party::INSURANCE, ..force(&w, None, vec![]) };
    assert_eq!(code(&mut w, own), TradeCode::Reserved);
    w.set_price(0, 850);
    let holders = vec![party(3, 0), party(4, 0)];
    assert_eq!(w.dry(force(&w, None, holders.clone())), Err(TradeReject::NoFill));
    let op = force(&w, Some(party(3, 0)), holders.clone());
    let outcome = w.dry(op.clone());
    let op = if outcome.is_ok() { op } else { force(&w, Some(party(4, 0)), holders) };
    w.batch.time += 10 * 60_000; // the last price counts whatever its age
    assert_eq!(code(&mut w, op), TradeCode::Ok);
    assert!(w.size(target(), 0) < 1_000);
    let mut w = world(1_000_000, 850);
    let op = force(&w, None, vec![]);
    assert_eq!(code(&mut w, op), TradeCode::Ok);
    assert_eq!(w.size(Party::INSURANCE, 0), 1_000);
    w.params.perps[0].status = Status::Settling;
    let op = force(&w, None, vec![]);
    assert_eq!(code(&mut w, op), TradeCode::Settling);
}

#[test]
fn forced_liquidation_without_a_counterparty_is_a_no_op() {
    let mut w = world(0, 850);
    for p in [party(3, 0), party(4, 0)] {
        let m = w.margin(p);
        w.give(p, m.mmr - 1 - m.tav);
    }
    let op = force(&w, None, vec![party(3, 0), party(4, 0)]);
    assert_eq!(code(&mut w, op), TradeCode::NoCounterparty);
}

fn forced(w: &World, n: u64, limit: u32, at: Option<u32>) -> ForcedClose {
    let L1InCell { next } = L1InCell::from_leaf(&w.view.get(Key::L1IN)).unwrap();
    let fill = at.map(|p| ForcedFill {
        maker: w.order(party(5, 0), 0, Side::Buy, n, p),
        taker_fee: rate(0),
        maker_fee: rate(0),
    });
    ForcedClose {
        serial: next,
        party: target(),
        market: market(0),
        side: Side::Sell,
        lots: lots(n),
        limit: price(limit),
        sender: OWNER,
        fill,
    }
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

#[test]
fn a_cascade_runs_through_insurance_into_adl() {
    let mut w = world(30_000, 1_000);
    let longs = [party(6, 0), party(7, 0), party(8, 0)];
    for l in longs {
        w.apply(w.perp(l, party(9, 0), 0, 500, 1_000)).unwrap();
        let tav = w.margin(l).tav;
        w.give(l, 60_000 * M - tav);
    }
    for mark in [930, 880, 850] {
        w.set_price(0, mark);
        for who in [target(), longs[0], longs[1], longs[2]] {
            while w.size(who, 0) != 0 && w.margin(who).health() >= Health::FullLiquidation {
                let all = w.size(who, 0) as u64;
                let sizes = [all, all / 2, all / 4, 1];
                let took = sizes.iter().any(|n| {
                    *n > 0 && w.apply(Takeover { target: who, market: market(0), lots: lots(*n) }).is_ok()
                });
                if took {
                    continue;
                }
                let holders: Vec<_> = (3..10).map(|a| party(a, 0)).filter(|p| w.size(*p, 0) < 0).collect();
                let done = holders.iter().any(|h| {
                    let n = all.min(w.size(*h, 0).unsigned_abs());
                    let op = Adl {
                        target: who,
                        market: market(0),
                        lots: lots(n),
                        counterparty: *h,
                        holders: holders.clone(),
                    };
                    w.apply(op).is_ok()
                });
                assert!(done, "{who:?} at {mark} is stuck");
            }
        }
    }
    assert!(w.margin(Party::INSURANCE).tav >= 0);
    assert!(
        [target(), longs[0], longs[1], longs[2]].iter().all(|p| w.collateral(*p) >= 0 || w.size(*p, 0) != 0)
    );
}
