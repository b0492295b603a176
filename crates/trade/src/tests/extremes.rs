//! Numbers at the ends of their ranges: whatever the state and the operation, there is an outcome and no panic, and
//! what is accepted keeps the invariants.

use alloc::vec;

use super::rng::Rng;
use super::world::*;
use crate::ops::*;
use crate::*;
use tsz_ledger::{BatchContext, Cell, Key, MkfCell, MkoCell, MkpCell, MksCell, PosCell, SubCell};
use tsz_types::*;

/// A number of at most `bits` bits, often at an end.
pub fn edge(r: &mut Rng, bits: u32) -> u64 {
    let max = u64::MAX >> (64 - bits);
    match r.below(6) {
        0 => max - r.below(3).min(max),
        1 => r.below(3).min(max),
        2 => (1 << r.below(bits.into())) - 1,
        _ => (r.next() ^ r.next() << 40) & max,
    }
}

fn signed(r: &mut Rng, bits: u32) -> i64 {
    let magnitude = edge(r, bits) as i64;
    if r.one_in(2) { magnitude } else { -magnitude }
}

fn scatter(w: &mut World, r: &mut Rng) {
    for m in 0..3u8 {
        let price = |r: &mut Rng| edge(r, 32).max(1) as u32;
        let mkp = MkpCell { index: price(r), mark: price(r), price_ts: TIME, settled: r.one_in(9) };
        w.view.set(Key::mkp(m.into()), mkp.to_leaf());
        let funding = FundingIndex::new(signed(r, 63)).unwrap();
        w.view.set(Key::mkf(m.into()), MkfCell { funding, hour: (TIME / HOUR_MS) as u32 }.to_leaf());
        w.view.set(Key::mko(m.into()), MkoCell { open_interest: edge(r, 56), moves: edge(r, 48) }.to_leaf());
        w.view.set(Key::mks(m.into()), MksCell { sum: signed(r, 26), minute: r.below(61) as u8 }.to_leaf());
        w.params.perps[usize::from(m)].qm = QuoteMultiplier::new(edge(r, 20).max(1) as u32).unwrap();
        w.params.perps[usize::from(m)].oi_cap = Notional::MAX;
    }
    for who in [party(2, 0), party(3, 0), Party::INSURANCE, Party::FEES] {
        let mut pos_count = 0;
        for m in 0..3u8 {
            let size = if r.one_in(2) { 0 } else { signed(r, 48) };
            let pos = PosCell::new(size, FundingIndex::new(signed(r, 63)).unwrap()).unwrap();
            pos_count += u8::from(!pos.is_empty());
            w.view.set(who.pos_key(market(m)), pos.to_leaf());
        }
        let magnitude = i128::from(edge(r, 63)) << r.below(32);
        let collateral = Collateral::new(if r.one_in(2) { magnitude } else { -magnitude }).unwrap();
        w.view.set(who.sub_key(), SubCell { collateral, pos_count, ..w.sub(who) }.to_leaf());
    }
}

#[test]
fn no_state_and_no_operation_panics() {
    let mut r = Rng::new(7);
    let (mut ok, mut bad) = (0u32, 0u32);
    for _ in 0..4_000 {
        let mut w = World::new();
        scatter(&mut w, &mut r);
        let (a, b, m) = (party(2, 0), party(3, 0), r.below(3) as u8);
        let n = edge(&mut r, 48).max(1);
        let p = edge(&mut r, 32).max(1) as u32;
        let mut trade = w.perp(a, b, m, n, p);
        (trade.taker_fee, trade.maker_fee) = (rate(2_000), rate(-2_000));
        let spot = w.spot(a, b, (m % 2).into(), n, p);
        let size = w.size(a, m);
        let lots_of = |r: &mut Rng| lots(edge(r, 48));
        let side = if size > 0 { Side::Buy } else { Side::Sell };
        let maker = w.order(b, m, side, n, p);
        let take = lots(size.unsigned_abs());
        let ops: [TradeOp; 11] = [
            trade.into(),
            spot.into(),
            Liquidate { target: a, market: market(m), maker, lots: lots_of(&mut r), maker_fee: rate(0) }
                .into(),
            Takeover { target: a, market: market(m), lots: take }.into(),
            Adl { target: a, market: market(m), counterparty: b }.into(),
            AdlRank { market: market(m), side, class: r.below(16) as u8, restart: true, holders: vec![b] }
                .into(),
            FundingSettle { party: a, market: market(m) }.into(),
            FundingTick { market: market(m) }.into(),
            SettlePair { market: market(m), long: a, short: b, lots: lots_of(&mut r) }.into(),
            SeizeToken { target: a, token: token(1), amount: Balance::new(edge(&mut r, 63).into()).unwrap() }
                .into(),
            AbsorbDebt { target: a }.into(),
        ];
        if r.one_in(3) {
            w.params.perps[usize::from(m)].status = params::Status::Settling;
        }
        let time = if r.one_in(3) { edge(&mut r, 64) } else { TIME };
        w.batch = BatchContext { time, ..w.batch };
        for op in ops {
            let outcome = w.dry(op.clone());
            let _ = invariants::margin(&w.view, &w.params, time, a);
            if outcome.is_ok() {
                ok += 1
            } else {
                bad += 1
            }
            if let Err(e) = outcome {
                assert!(!std::format!("{e}").is_empty());
            }
        }
    }
    assert!(ok > 1_000 && bad > 1_000, "{ok} accepted, {bad} rejected");
}

#[test]
fn a_collateral_that_would_leave_its_width_is_rejected() {
    let mut w = World::new();
    let (a, b) = (party(2, 0), party(3, 0));
    let full = SubCell { collateral: Collateral::MAX, ..SubCell::default() };
    w.view.set(b.sub_key(), full.to_leaf());
    let op = w.perp(a, b, 0, 1, 1_000);
    assert!(matches!(w.dry(op), Err(TradeReject::Base(tsz_stf::Reject::Width { .. }))));
}

#[test]
fn a_fill_of_2_to_the_56_is_rejected() {
    let mut w = World::with(params(), 1 << 55, 0);
    w.params.perps[0].oi_cap = Notional::MAX;
    let (a, b) = (party(2, 0), party(3, 0));
    let op = w.perp(a, b, 0, 1 << 46, 1 << 10);
    assert!(matches!(w.dry(op), Err(TradeReject::Risk(_))));
}
