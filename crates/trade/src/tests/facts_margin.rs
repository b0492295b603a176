//! Collateral tokens: what backs positions, how it comes and goes.

use super::world::*;
use crate::ops::*;
use crate::*;
use tsz_stf::Reject;
use tsz_types::*;

const M: i128 = 1_000_000;

/// Account 2 is long 1,000 lots at 1,000: IMR 100,000. Its margin token is worth 90,000.
fn world(collateral: i128) -> World {
    let mut w = World::new();
    let a = party(2, 0);
    w.apply(w.perp(a, party(3, 0), 0, 1_000, 1_000)).unwrap();
    let tav = w.margin(a).tav - 90_000 * M;
    w.give(a, collateral - tav);
    w
}

#[test]
fn a_margin_token_leaves_only_down_to_initial_margin() {
    let mut w = world(60_000 * M); // TAV 150,000
    let a = party(2, 0);
    let out = |w: &World, micros| w.margin_transfer(a, Direction::Out, 1, micros);
    // 90 millionths of value for a millionth of the token
    let most = 50_000 * M as u128 / 90;
    assert!(matches!(w.dry(out(&w, most + 1)), Err(TradeReject::Uncovered { .. })));
    w.apply(out(&w, most)).unwrap();
    assert_eq!(w.margin_balance(a), 1_000_000_000 - most);
    assert_eq!(w.balance(a, 1), 1_000_000_000 + most);
    assert!(matches!(w.dry(out(&w, 1_000_000_000)), Err(TradeReject::Balance { .. })));
    assert!(matches!(w.dry(out(&w, 0)), Err(TradeReject::Base(Reject::ZeroUnits))));
    // BAL backs nothing: it can be sold whatever the positions need
    assert!(w.dry(w.spot(party(3, 0), a, 0, 100, 900)).is_ok());
}

#[test]
fn the_mask_follows_the_margin_balance() {
    let mut w = World::new();
    let a = party(2, 0);
    assert_eq!(w.sub(a).mask, 1);
    w.apply(w.margin_transfer(a, Direction::Out, 1, 999_999_999)).unwrap();
    assert_eq!((w.sub(a).mask, w.sub(a).holdings()), (1, 64));
    w.apply(w.margin_transfer(a, Direction::Out, 1, 1)).unwrap();
    assert_eq!((w.sub(a).mask, w.sub(a).holdings()), (0, 0));
    w.apply(w.margin_transfer(a, Direction::In, 1, 1)).unwrap();
    assert_eq!(w.sub(a).mask, 1);
}

#[test]
fn collateral_leaves_beside_positions_as_far_as_it_is_realised() {
    let mut w = world(60_000 * M);
    let (a, b) = (party(2, 0), party(3, 0));
    // the long paid 1,000,000: its collateral is negative, and nothing of it is to be had
    assert!(w.collateral(a) < 0);
    let op = w.margin_transfer(a, Direction::Out, 0, 1);
    assert!(matches!(w.dry(op), Err(TradeReject::Unsettled { .. })));
    // the short got as much: down to initial margin
    let free = (w.margin(b).tav - w.margin(b).imr) as u128;
    let op = w.margin_transfer(b, Direction::Out, 0, free + 1);
    assert!(matches!(w.dry(op), Err(TradeReject::Uncovered { .. })));
    let before = w.balance(b, 0);
    w.apply(w.margin_transfer(b, Direction::Out, 0, free)).unwrap();
    assert_eq!(w.balance(b, 0), before + free);
    // funding that is due and not settled counts
    let mut f = w.mkf(0);
    f.funding = FundingIndex::new(-1_000).unwrap();
    w.view.set(tsz_ledger::Key::mkf(0), tsz_ledger::Cell::to_leaf(&f));
    w.totals = invariants::Totals::of(w.view.leaves(), &w.params).unwrap().tokens;
    w.give(b, 2_000_000);
    w.give_margin(b, 1_000 * M);
    let keep = 1_000 * 1_000; // 1,000 lots pay 1,000 millionths each
    let all = w.collateral(b) as u128;
    let op = w.margin_transfer(b, Direction::Out, 0, all - keep + 1);
    assert!(matches!(w.dry(op), Err(TradeReject::Uncovered { .. } | TradeReject::Unsettled { .. })));
}

#[test]
fn unsettled_funding_must_stay_covered() {
    let mut w = World::new();
    let (a, b) = (party(2, 0), party(3, 0));
    w.apply(w.perp(a, b, 0, 10, 1_000)).unwrap();
    let mut f = w.mkf(0);
    f.funding = FundingIndex::new(100_000).unwrap();
    w.view.set(tsz_ledger::Key::mkf(0), tsz_ledger::Cell::to_leaf(&f));
    w.totals = invariants::Totals::of(w.view.leaves(), &w.params).unwrap().tokens;
    // the long owes 10 * 100,000; its token is worth far more than the margin of 10 lots
    let free = w.collateral(a) - 10 * 100_000;
    let op = w.margin_transfer(a, Direction::Out, 0, free as u128 + 1);
    assert_eq!(w.dry(op), Err(TradeReject::Unsettled { account: a.account, settled: -1 }));
    w.apply(w.margin_transfer(a, Direction::Out, 0, free as u128)).unwrap();
    // the short is owed as much, which it may already take
    let free = (w.margin(b).tav - w.margin(b).imr).min(w.collateral(b) + 10 * 100_000) as u128;
    assert!(w.dry(w.margin_transfer(b, Direction::Out, 0, free)).is_ok());
}

#[test]
fn without_positions_all_but_a_debt_may_leave() {
    let mut w = World::new();
    let a = party(2, 0);
    let all = w.collateral(a) as u128;
    // tokens would cover it, but collateral does not go below zero
    let op = w.margin_transfer(a, Direction::Out, 0, all + 1);
    assert!(matches!(w.dry(op), Err(TradeReject::Unsettled { settled: -1, .. })));
    w.apply(w.margin_transfer(a, Direction::Out, 0, all)).unwrap();
    w.give(a, -45_000 * M); // a debt that half of the token covers
    let half = 500_000_000;
    let op = w.margin_transfer(a, Direction::Out, 1, half + 1);
    assert!(matches!(w.dry(op), Err(TradeReject::Uncovered { imr: 0, .. })));
    w.apply(w.margin_transfer(a, Direction::Out, 1, half)).unwrap();
}

#[test]
fn margin_moves_by_the_word_of_a_key_and_once() {
    let mut w = World::new();
    let a = party(2, 0);
    let op = w.margin_transfer(a, Direction::In, 0, 5);
    w.apply(op.clone()).unwrap();
    assert!(matches!(w.dry(op), Err(TradeReject::Base(Reject::Nonce { .. }))));
    let op = w.margin_transfer(a, Direction::In, 2, 5);
    assert_eq!(w.dry(op), Err(TradeReject::NotCollateral { token: token(2) }));
    let mut op = w.margin_transfer(a, Direction::In, 0, 5);
    op.key_slot = KeySlot::new(3).unwrap();
    assert!(matches!(w.dry(op), Err(TradeReject::Base(Reject::NoKey { .. }))));
    let all = w.balance(a, 0);
    let op = w.margin_transfer(a, Direction::In, 0, all + 1);
    assert!(matches!(w.dry(op), Err(TradeReject::Balance { .. })));
    let op = w.margin_transfer(a, Direction::In, 0, 5);
    let ctx = TradeContext { batch: &w.batch, params: &w.params };
    let unsigned = apply(&w.view, &ctx, 1, &op.into());
    assert_eq!(unsigned.unwrap_err(), TradeReject::Base(Reject::Signature));
}

#[test]
fn a_stale_token_price_stops_what_could_hurt() {
    let mut w = world(60_000 * M);
    let a = party(2, 0);
    w.batch.time += 60_001;
    let op = w.margin_transfer(a, Direction::Out, 1, 1);
    assert!(matches!(w.dry(op), Err(TradeReject::Stale { .. })));
    assert!(w.dry(w.margin_transfer(a, Direction::In, 1, 1)).is_ok());
}

fn exit(w: &World, who: Party) -> MarginExit {
    MarginExit { serial: w.serial(), party: who, token: token(1), sender: OWNER }
}

#[test]
fn the_owner_can_force_margin_out() {
    let mut w = world(60_000 * M);
    let code = |w: &mut World, op: MarginExit| w.apply(op).unwrap().code;
    let (a, b) = (party(2, 0), party(4, 0));
    let op = MarginExit { sender: EthAddress([1; 20]), ..exit(&w, b) };
    assert_eq!(code(&mut w, op), TradeCode::NotOwner);
    let op = MarginExit { token: token(2), ..exit(&w, b) };
    assert_eq!(code(&mut w, op), TradeCode::NotCollateral);
    let op = exit(&w, a);
    assert_eq!(code(&mut w, op.clone()), TradeCode::OpenPositions);
    assert!(matches!(w.dry(op), Err(TradeReject::Base(Reject::Serial { .. }))));
    let have = w.collateral(b);
    w.give(b, -have - 1);
    let op = exit(&w, b);
    assert_eq!(code(&mut w, op), TradeCode::Negative);
    w.give(b, 1);
    let op = exit(&w, b);
    assert_eq!(code(&mut w, op), TradeCode::Ok);
    assert_eq!((w.margin_balance(b), w.balance(b, 1), w.sub(b).mask), (0, 2_000_000_000, 0));
    let op = exit(&w, b); // nothing is left: nothing moves
    assert_eq!(code(&mut w, op), TradeCode::Ok);
}

#[test]
fn insurance_turns_what_it_seized_into_collateral() {
    let mut w = World::new();
    let (d, i) = (party(2, 0), Party::INSURANCE);
    let have = w.collateral(d);
    w.give(d, -have - 45_000 * M);
    let amount = Balance::new(500_000_000).unwrap();
    w.apply(SeizeToken { target: d, token: token(1), amount }).unwrap();
    assert_eq!((w.margin_balance(i), w.sub(i).mask), (500_000_000, 1));
    w.apply(w.margin_transfer(i, Direction::Out, 1, 500_000_000)).unwrap();
    // it sells for the quote token and does not buy
    assert!(matches!(w.dry(w.spot(i, party(3, 0), 0, 1, 950)), Err(TradeReject::ReservedParty { .. })));
    let other = w.spot(party(3, 0), party(1, 1), 0, 1, 950); // sub-account 0 acts
    assert!(matches!(w.dry(other), Err(TradeReject::ReservedParty { .. })));
    w.apply(w.spot(party(3, 0), i, 0, 50, 950)).unwrap();
    assert_eq!(w.balance(i, 0), 50 * 950 * M as u128);
    let other = w.spot(party(3, 0), i, 1, 1, 1); // token 2 for token 1
    assert!(matches!(w.dry(other), Err(TradeReject::ReservedParty { .. })));
    let before = w.collateral(i);
    w.apply(w.margin_transfer(i, Direction::In, 0, 50 * 950 * M as u128)).unwrap();
    assert_eq!(w.collateral(i), before + 50 * 950 * M);
    // what it has in the quote token stays
    let op = w.margin_transfer(i, Direction::Out, 0, 1);
    assert!(matches!(w.dry(op), Err(TradeReject::ReservedParty { .. })));
}
