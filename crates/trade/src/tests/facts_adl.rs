//! ADL: rankings in pages, who can bear a close, forced liquidation, and what stale prices of others do.

use alloc::vec;
use alloc::vec::Vec;

use super::world::*;
use crate::ops::*;
use crate::params::Status;
use crate::*;
use tsz_risk::Health;
use tsz_stf::Reject;

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

fn adl(counterparty: Party) -> Adl {
    Adl { target: target(), market: market(0), counterparty }
}

/// A world in which the other side is ranked.
fn ranked(insurance: u64, mark: u32) -> World {
    let mut w = world(insurance, mark);
    w.apply(w.rank(target(), 0)).unwrap();
    w
}

#[test]
fn adl_takes_the_best_ranked_opposite_position() {
    let mut w = world(0, 850);
    // account 4 has less behind more exposure: a higher score
    let tav = w.margin(party(4, 0)).tav;
    w.give(party(4, 0), 200_000 * M - tav);
    w.apply(w.rank(target(), 0)).unwrap();
    let worse = w.dry(adl(party(3, 0)));
    assert!(matches!(worse, Err(TradeReject::Rank { best, got }) if best > got), "{worse:?}");
    let before = w.margin(party(4, 0)).tav;
    w.apply(adl(party(4, 0))).unwrap(); // as much as it has
    assert_eq!((w.size(party(4, 0), 0), w.size(target(), 0)), (0, 400));
    assert_eq!(w.margin(party(4, 0)).tav, before - 600 * 50 * M); // closed at 900 instead of 850
    // the ranking still stands, but nobody in it is as good
    assert!(matches!(w.dry(adl(party(3, 0))), Err(TradeReject::Rank { .. })));
    w.apply(w.rank(target(), 0)).unwrap();
    w.apply(adl(party(3, 0))).unwrap();
    assert_eq!((w.oi(0), w.collateral(target())), (0, 0));
}

#[test]
fn nobody_is_spared_behind_a_small_position() {
    let mut w = world(0, 1_000);
    w.apply(w.perp(party(5, 0), party(6, 0), 0, 10, 1_000)).unwrap();
    w.set_price(0, 850);
    for p in [party(3, 0), party(6, 0)] {
        // the same leverage: the same score
        let exposure = w.size(p, 0).unsigned_abs() as i128 * 850 * M;
        w.give(p, exposure / 2 - w.margin(p).tav);
    }
    let tav = w.margin(party(4, 0)).tav;
    w.give(party(4, 0), 5_000_000 * M - tav);
    w.apply(w.rank(target(), 0)).unwrap();
    assert!(matches!(w.dry(adl(party(6, 0))), Err(TradeReject::Rank { .. })));
    assert!(w.dry(adl(party(3, 0))).is_ok());
}

#[test]
fn a_ranking_is_complete_and_of_the_present() {
    let mut w = world(0, 850);
    assert!(matches!(w.dry(adl(party(4, 0))), Err(TradeReject::OtherRanking { .. })));
    let page = |w: &World, restart, holders: &[Party]| AdlRank {
        restart,
        holders: holders.to_vec(),
        ..w.rank(target(), 0)
    };
    let (a, b) = (party(3, 0), party(4, 0));
    w.apply(page(&w, true, &[a])).unwrap();
    assert_eq!(w.dry(adl(a)), Err(TradeReject::RankingIncomplete { market: market(0), remaining: 600 }));
    assert_eq!(w.dry(page(&w, false, &[a])), Err(TradeReject::Holders { place: 0 }));
    assert_eq!(w.dry(page(&w, true, &[b, a])), Err(TradeReject::Holders { place: 1 }));
    assert_eq!(w.dry(page(&w, true, &[a, a])), Err(TradeReject::Holders { place: 1 }));
    assert_eq!(
        w.dry(page(&w, false, &[party(5, 0)])),
        Err(TradeReject::NotOpposite { account: party(5, 0).account })
    );
    w.apply(page(&w, false, &[b])).unwrap();
    assert!(w.dry(adl(b)).is_ok());
    // a ranking of another class or side does not serve
    let mut other = w.rank(target(), 0);
    other.class += 1;
    w.view.set(tsz_ledger::Key::mkr(0, 1, u32::from(other.class) - 1), tsz_hash::ZERO);
    w.apply(other).unwrap();
    assert!(matches!(w.dry(adl(b)), Err(TradeReject::OtherRanking { .. })));
    let class = AdlRank { class: 16, ..w.rank(target(), 0) };
    assert_eq!(w.dry(class), Err(TradeReject::LossClass { class: 16 }));
    w.apply(w.rank(target(), 0)).unwrap();
    // a new price, and a trade in the market, end it; trades elsewhere do not
    w.apply(w.perp(party(5, 0), party(6, 0), 1, 1, 1_000)).unwrap();
    assert!(w.dry(adl(b)).is_ok());
    let mut later = w.batch.time;
    w.batch.time += 1;
    w.set_price(0, 850);
    assert!(matches!(w.dry(adl(b)), Err(TradeReject::OtherRanking { .. })));
    assert!(matches!(w.dry(page(&w, false, &[b])), Err(TradeReject::OtherRanking { .. })));
    core::mem::swap(&mut later, &mut w.batch.time);
    w.set_price(0, 850);
    assert!(w.dry(adl(b)).is_ok());
    w.apply(w.perp(party(5, 0), party(6, 0), 0, 1, 850)).unwrap();
    assert!(matches!(w.dry(adl(b)), Err(TradeReject::OtherRanking { .. })));
}

#[test]
fn adl_passes_over_those_who_could_not_bear_it() {
    let mut w = world(0, 850); // a loss of 50 a lot, 5.9%: class 7 covers 6.25%, 31,875 for 600 lots
    let (a, b) = (party(3, 0), party(4, 0));
    let m = w.margin(b);
    assert_eq!(m.imr, 51_000 * M); // 10%, more than the loss: health is what counts
    w.give(b, m.imr + M - 1 - m.tav); // one unit is for the rounding of the zero quote
    w.apply(w.rank(target(), 0)).unwrap();
    assert_eq!(w.dry(adl(b)), Err(TradeReject::CannotBear { account: b.account, class: 7 }));
    assert!(w.dry(adl(a)).is_ok());
    w.give(b, 1);
    w.apply(w.rank(target(), 0)).unwrap();
    assert!(matches!(w.dry(adl(a)), Err(TradeReject::Rank { .. })));
    w.apply(adl(b)).unwrap();
    let m = w.margin(b);
    assert!(m.tav >= m.imr);
}

#[test]
fn a_loss_above_initial_margin_needs_as_much_behind_every_lot() {
    let mut w = world(0, 700); // TAV -200,000, 28.6%: class 10 covers 50% = 210,000 for 600 lots
    let (a, b) = (party(3, 0), party(4, 0));
    let m = w.margin(b);
    w.give(b, 210_000 * M + M - 1 - m.tav);
    w.apply(w.rank(target(), 0)).unwrap();
    assert_eq!(w.dry(adl(b)), Err(TradeReject::CannotBear { account: b.account, class: 10 }));
    assert!(w.dry(adl(a)).is_ok());
    w.give(b, 1);
    // positions elsewhere need their margin beside it
    w.apply(w.perp(b, party(5, 0), 1, 1, 1_000)).unwrap();
    w.apply(w.rank(target(), 0)).unwrap();
    assert!(matches!(w.dry(adl(b)), Err(TradeReject::CannotBear { .. })));
    w.give(b, 1_000 * M); // 10,000 at 10%
    w.apply(w.rank(target(), 0)).unwrap();
    w.apply(adl(b)).unwrap();
    let m = w.margin(b);
    assert!(m.tav >= m.imr);
}

#[test]
fn adl_is_for_what_insurance_cannot_take() {
    let mut w = ranked(30_000, 850);
    let m = w.margin(party(4, 0));
    w.give(party(4, 0), 200_000 * M - m.tav);
    w.apply(w.rank(target(), 0)).unwrap();
    assert!(w.dry(adl(party(4, 0))).is_ok());
    w.give(Party::INSURANCE, 100_000 * M);
    assert_eq!(w.dry(adl(party(4, 0))), Err(TradeReject::TakeoverPossible { lots: lots(600) }));
    // and for nobody who is well
    let w = ranked(0, 920); // TAV 20,000 < CMR 27,600: a gain for the counterparty, class 0
    assert_eq!(w.rank(target(), 0).class, 0);
    assert!(w.dry(adl(party(4, 0))).is_ok());
    let w = ranked(0, 940);
    assert!(matches!(w.dry(adl(party(4, 0))), Err(TradeReject::Health { .. })));
}

#[test]
fn insurance_itself_can_be_deleveraged() {
    let mut w = world(100_000, 850);
    w.apply(Takeover { target: target(), market: market(0), lots: lots(740) }).unwrap();
    w.set_price(0, 788); // insurance: 63,000 - 740 * 62 < CMR
    assert!(w.margin(Party::INSURANCE).health() >= Health::FullLiquidation);
    let takeover = Takeover { target: Party::INSURANCE, market: market(0), lots: lots(740) };
    assert!(matches!(w.dry(takeover), Err(TradeReject::ReservedParty { .. })));
    w.apply(w.rank(Party::INSURANCE, 0)).unwrap();
    w.apply(Adl { target: Party::INSURANCE, ..adl(party(4, 0)) }).unwrap();
    assert_eq!(w.size(Party::INSURANCE, 0), 140);
}

#[test]
fn stale_markets_elsewhere_stop_neither_takeover_nor_adl() {
    let mut w = world(200_000, 850);
    // insurance and a holder have positions in a market whose feed stops
    w.apply(w.perp(party(6, 0), party(4, 0), 1, 1, 1_000)).unwrap();
    w.view.set(Party::INSURANCE.pos_key(market(2)), tsz_hash::ZERO);
    w.batch.time += 60_001;
    w.set_price(0, 850);
    assert!(matches!(w.dry(w.perp(party(4, 0), party(7, 0), 0, 1, 850)), Err(TradeReject::Stale { .. })));
    let takeover = Takeover { target: target(), market: market(0), lots: lots(1_000) };
    assert!(w.dry(takeover.clone()).is_ok());
    w.give(Party::INSURANCE, -200_000 * M);
    w.apply(w.rank(target(), 0)).unwrap();
    assert!(w.dry(adl(party(4, 0))).is_ok());
    // but the market itself must be priced
    w.batch.time += 60_001;
    assert!(matches!(w.dry(takeover), Err(TradeReject::Stale { .. })));
    assert!(matches!(w.dry(adl(party(4, 0))), Err(TradeReject::Stale { .. })));
}

#[test]
fn a_stale_token_of_insurance_stops_nothing() {
    let mut w = World::with(params(), 500_000, 0);
    let t = target();
    w.apply(w.perp(t, party(3, 0), 1, 100, 1_000)).unwrap();
    w.give_margin(t, -1_000 * M);
    w.give(t, -50_000 * M - w.margin(t).tav);
    w.give(Party::INSURANCE, 1_000_000 * M);
    w.give_margin(Party::INSURANCE, 1);
    w.batch.time += 60_001; // token 1 is priced by market 0
    w.set_price(1, 1_000);
    w.apply(Takeover { target: t, market: market(1), lots: lots(100) }).unwrap();
    w.give(t, -5 * M);
    w.apply(AbsorbDebt { target: t }).unwrap();
}

fn force(w: &World, counterparty: Option<Party>) -> ForceLiquidate {
    ForceLiquidate { serial: w.serial(), target: target(), market: market(0), sender: OWNER, counterparty }
}

fn code(w: &mut World, op: impl Into<TradeOp>) -> TradeCode {
    w.apply(op).unwrap().code
}

#[test]
fn forced_liquidation_takes_over_deleverages_or_says_why_not() {
    let mut w = world(0, 940);
    let op = force(&w, None);
    assert_eq!(code(&mut w, op.clone()), TradeCode::NotBankrupt);
    assert!(matches!(w.dry(op), Err(TradeReject::Base(Reject::Serial { .. }))));
    let none = ForceLiquidate { market: market(7), ..force(&w, None) };
    assert_eq!(code(&mut w, none), TradeCode::NoMarket);
    let none = ForceLiquidate { market: market(1), ..force(&w, None) };
    assert_eq!(code(&mut w, none), TradeCode::NoPosition);
    let own = ForceLiquidate { target: Party::INSURANCE, ..force(&w, None) };
    assert_eq!(code(&mut w, own), TradeCode::Reserved);
    w.set_price(0, 850);
    w.batch.time += 10 * 60_000; // the last price counts whatever its age
    // it waits for the operator's ranking, which any number of holders fits
    assert!(matches!(w.dry(force(&w, None)), Err(TradeReject::OtherRanking { .. })));
    w.apply(w.rank(target(), 0)).unwrap();
    assert_eq!(w.dry(force(&w, None)), Err(TradeReject::NoFill));
    assert!(matches!(w.dry(force(&w, Some(party(3, 0)))), Err(TradeReject::Rank { .. })));
    let op = force(&w, Some(party(4, 0)));
    assert_eq!(code(&mut w, op), TradeCode::Ok);
    assert_eq!(w.size(target(), 0), 400);
    let mut w = world(1_000_000, 850);
    let op = force(&w, None);
    assert_eq!(code(&mut w, op), TradeCode::Ok);
    assert_eq!(w.size(Party::INSURANCE, 0), 1_000);
    w.params.perps[0].status = Status::Settling;
    let op = force(&w, None);
    assert_eq!(code(&mut w, op), TradeCode::Settling);
}

#[test]
fn forced_liquidation_without_a_counterparty_is_a_no_op() {
    let mut w = world(0, 850);
    for p in [party(3, 0), party(4, 0)] {
        let m = w.margin(p);
        w.give(p, m.mmr - m.tav);
    }
    w.apply(w.rank(target(), 0)).unwrap();
    let op = force(&w, None);
    assert_eq!(code(&mut w, op), TradeCode::NoCounterparty);
    // nor where the close costs more than any class: no ranking is needed
    w.give(target(), -100_000_000 * M);
    let op = force(&w, None);
    assert_eq!(code(&mut w, op), TradeCode::NoCounterparty);
    assert_eq!(w.dry(adl(party(3, 0))), Err(TradeReject::NoLossClass));
}

#[test]
fn a_side_of_many_holders_is_ranked_in_pages() {
    let mut p = params();
    p.collateral = vec![];
    let mut w = World::with(p, 500_000, 0);
    // 30 sub-accounts of two accounts are short a lot each in three markets; the target is long against them
    let t = target();
    w.give(t, 500_000 * M);
    let shorts: Vec<_> = (3..5).flat_map(|a| (2..32).map(move |s| party(a, s))).collect();
    for s in &shorts {
        w.give(*s, 100_000 * M);
        for m in 0..3 {
            w.apply(w.perp(t, *s, m, 1, 1_000)).unwrap();
        }
    }
    w.give(t, -10_000 * M - w.margin(t).tav);
    let one = AdlRank { holders: shorts.clone(), ..w.rank(t, 0) };
    for (k, page) in shorts.chunks(20).enumerate() {
        w.apply(AdlRank { restart: k == 0, holders: page.to_vec(), ..one.clone() }).unwrap();
    }
    let cell = w.view_cell(tsz_ledger::Key::mkr(0, 1, one.class.into()));
    w.apply(one).unwrap();
    assert_eq!(cell, w.view_cell(tsz_ledger::Key::mkr(0, 1, w.rank(t, 0).class.into())));
    for s in &shorts {
        w.apply(adl(*s)).unwrap(); // all alike: one ranking serves them all
    }
    assert_eq!(w.size(t, 0), 0);
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
                let sizes = [all, all / 2, all / 4, 2];
                let took = sizes.iter().any(|n| {
                    *n > 0 && w.apply(Takeover { target: who, market: market(0), lots: lots(*n) }).is_ok()
                });
                if took {
                    continue;
                }
                w.apply(w.rank(who, 0)).unwrap();
                let done = (3..10).map(|a| party(a, 0)).any(|c| {
                    let op = Adl { target: who, market: market(0), counterparty: c };
                    w.size(c, 0) < 0 && w.apply(op).is_ok()
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
