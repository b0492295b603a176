//! One test for each lie about a ForcedClose: fills that are none, requests that are refused without a reason.

use tsz_air::Trace;
use tsz_gadgets::layout::names;
use tsz_gadgets::product::{digits12, felts};
use tsz_ledger::{Cell, Key, SubCell};
use tsz_trade::TradeCode::*;
use tsz_trade::ops::ForcedClose;
use tsz_trade::order::Side;
use tsz_trade::params::{Params, Status};
use tsz_types::*;

use super::world::*;
use crate::class::ORDER;
use crate::tables::Forced;
use crate::trace::op_traces;
use crate::witness::Witness;

/// Places in the log of a party without other positions.
const SUB: usize = 5;

/// Account 2 is long 900 lots of market 0 with 200,000 of TAV.
fn state() -> World {
    let mut world = World::new();
    ailing(&mut world, 2, 900, 200_000_000_000);
    world
}

fn filled() -> World {
    let mut world = state();
    world.ends(world.forced(2, 0, 300, 960), Ok);
    assert_eq!(verdict(&world), "nowhere");
    world
}

fn refused(change: impl Fn(&mut ForcedClose), code: tsz_trade::TradeCode) -> World {
    let mut world = state();
    let mut op = world.demand(2, 0, 300);
    change(&mut op);
    world.ends(op, code);
    assert_eq!(verdict(&world), "nowhere");
    world
}

fn op(world: &mut World) -> &mut ForcedClose {
    let tsz_trade::TradeOp::ForcedClose(op) = &mut world.records[0].op else { panic!("no forced close") };
    op
}

/// Another request, its record absorbed, its maker's order signed anew, in the log of this one.
fn forged(mut world: World, change: impl Fn(&mut ForcedClose)) -> String {
    change(op(&mut world));
    let record = op(&mut world).record();
    let chain = &mut world.records[0].accesses[1];
    chain.new = record.iter().fold(chain.old, |cap, block| tsz_hash::step(block, &cap));
    world.records[0].op = world.signed(world.records[0].op.clone());
    verdict(&world)
}

fn under(mut world: World, change: impl Fn(&mut Params)) -> String {
    change(&mut world.params);
    world.context.params = world.params.hash();
    verdict(&world)
}

fn shift(world: &mut World, access: usize, by: i128) {
    let access = &mut world.records[0].accesses[access];
    for leaf in [&mut access.old, &mut access.new] {
        let cell = SubCell::from_leaf(leaf).unwrap();
        let collateral = Collateral::new(cell.collateral.get() + by).unwrap();
        *leaf = SubCell { collateral, ..cell }.to_leaf();
    }
}

#[test]
fn rejects_a_request_that_is_cut_off_without_a_reason() {
    // not the owner or no market, settling, the position
    for (len, table) in [(3, "bus:range12"), (5, "forced"), (7, "target")] {
        let mut world = filled();
        world.records[0].accesses.truncate(len);
        assert_eq!(verdict(&world), table, "{len}");
    }
}

/// A true no-op whose row gives another reason.
fn swapped(world: &World, from: &str, to: &str, more: &[(&str, u32)]) -> String {
    tampered(world, &[&[(from, 0), (to, 1)], more].concat())
}

/// The first request, columns of its row changed.
fn tampered(world: &World, columns: &[(&str, u32)]) -> String {
    let mut ops =
        op_traces(&SMALL, &world.context, &world.params, &world.records).expect("a row for the record");
    let set = |trace: &mut Trace, column: &str, value: u32| {
        let at = names::<Forced<()>>().iter().position(|name| name == column).expect("a column");
        trace.values[at] = f(value);
    };
    let forced = &mut ops.traces[ORDER + 3];
    for (column, value) in columns {
        set(forced, column, *value);
    }
    let start = world.context.digest();
    match Witness::assemble(&SMALL, &world.context, &world.records, start, ops) {
        Err(_) => "witness".into(),
        Result::Ok(witness) => told(judge(&witness)),
    }
}

#[test]
fn rejects_reasons_that_are_not_true() {
    let wrong = refused(|op| op.side = Side::Buy, WrongSide);
    for to in ["is_none", "is_empty", "is_huge"] {
        assert_eq!(swapped(&wrong, "is_wrong", to, &[]), "forced", "{to}");
    }
    assert_eq!(swapped(&wrong, "is_wrong", "is_bulky", &[]), "bus:range12");
    // 300 - 900 - 1 = -601
    let gap = [("gap[0].lo", 4_096 - 601), ("gap[0].hi", 4_095), ("gap_borrow", 1)];
    let gap = [&gap[..], &[("gap[1].lo", 4_095), ("gap[1].hi", 4_095)]].concat();
    assert_eq!(swapped(&wrong, "is_wrong", "is_beyond", &[]), "forced");
    assert_eq!(swapped(&wrong, "is_wrong", "is_over", &gap), "forced");
    let over = refused(|op| op.lots = Lots::new(901).unwrap(), TooManyLots);
    assert_eq!(swapped(&over, "is_over", "is_wrong", &[("gap[0].lo", 0)]), "forced");
    assert_eq!(swapped(&over, "is_over", "is_settling", &[]), "forced");
}

#[test]
fn rejects_refusals_at_the_edge() {
    let over = refused(|op| op.lots = Lots::new(901).unwrap(), TooManyLots);
    assert_eq!(forged(over.clone(), |op| op.lots = Lots::new(902).unwrap()), "nowhere");
    assert_eq!(forged(over, |op| op.lots = Lots::new(900).unwrap()), "target");
    let empty = refused(|op| op.lots = Lots::MIN, TooManyLots);
    assert_eq!(forged(empty, |op| op.lots = Lots::new(1).unwrap()), "target");
    let outside = refused(|op| op.limit = price(951), OutsideBand);
    assert_eq!(forged(outside, |op| op.limit = price(950)), "target");
    let ends = refused(|op| op.limit = price(951), OutsideBand);
    assert_eq!(forged(ends, |op| op.limit = Price::MIN), "target");
    let wrong = refused(|op| op.side = Side::Buy, WrongSide);
    assert_eq!(forged(wrong, |op| op.side = Side::Sell), "target");
    let other = refused(|op| op.sender = EthAddress([8; 20]), NotOwner);
    assert_eq!(forged(other, |op| op.sender = OWNER), "bus:range12");
    let unlisted = refused(|op| op.market = MarketId::new(6).unwrap(), NoMarket);
    assert_ne!(forged(unlisted.clone(), |op| op.market = MarketId::new(5).unwrap()), "nowhere");
    let more = |p: &mut Params| p.perps.push(p.perps[0].clone());
    assert_ne!(under(unlisted, more), "nowhere");
    let settling = refused(|op| op.market = MarketId::new(3).unwrap(), Settling);
    assert_eq!(under(settling, |p| p.perps[3].status = Status::Open), "forced");
}

/// Account 2 is long 30,000 lots, which the last tier does not hold.
fn bulky() -> World {
    let mut world = World::new();
    ailing(&mut world, 2, 30_000, 16_000_000_000_000);
    world
}

fn bound(n: u128) -> impl Fn(&mut Params) {
    move |p| p.perps[0].tiers[2].bound = Notional::new(n).unwrap()
}

#[test]
fn rejects_the_wrong_side_of_the_last_bound_by_a_unit() {
    let mut beyond = bulky();
    beyond.ends(beyond.demand(2, 0, 20_001), TooManyLots);
    assert_eq!(verdict(&beyond), "nowhere");
    assert_eq!(under(beyond.clone(), bound(20_000_999)), "nowhere");
    assert_eq!(under(beyond.clone(), bound(20_001_000)), "target");
    // the same of a no-op for another reason: a true one is only not counted, a false one cannot be filled in
    for (n, where_) in [(20_001, "bus:tier"), (20_000, "forced")] {
        let mut wrong = bulky();
        wrong.ends(ForcedClose { side: Side::Buy, ..wrong.demand(2, 0, n) }, WrongSide);
        let bound = [("cap.prev[0]", 20_000_000 - (1 << 24)), ("cap.prev[1]", 1)];
        let gap = if n == 20_001 {
            vec![("cap.gap[0].lo", 999)]
        } else {
            let limbs = ["cap.gap[0].lo", "cap.gap[0].hi", "cap.gap[1].lo", "cap.gap[1].hi"];
            let more = ["cap.gap[2].lo", "cap.gap[2].hi"];
            let ones = ["cap.borrows[0]", "cap.borrows[1]"].map(|name| (name, 1));
            limbs.into_iter().chain(more).map(|name| (name, 4_095)).chain(ones).collect()
        };
        let fractions =
            [("cap.fractions[0]", 5_000), ("cap.fractions[1]", 2_500), ("cap.fractions[2]", 1_500)];
        let all = (0..3).map(|k| (["cap.bound[0]", "cap.bound[1]", "cap.bound[2]"][k], (1 << 24) - 1));
        let columns: Vec<_> = bound.into_iter().chain(gap).chain(fractions).chain(all).collect();
        assert_eq!(swapped(&wrong, "is_wrong", "is_beyond", &columns), where_, "{n}");
    }
    let mut filled = bulky();
    filled.ends(filled.forced(2, 0, 20_000, 1_000), Ok);
    assert_eq!(verdict(&filled), "nowhere");
    assert_eq!(under(filled.clone(), bound(19_999_999)), "forced");
    // a bound that no tier has
    let higher = [("cap.bound[0]", 20_000_001 - (1 << 24)), ("cap.gap[0].lo", 1)];
    assert_eq!(tampered(&filled, &higher), "bus:tier");
}

#[test]
fn rejects_more_positions_than_a_sub_account_may_have() {
    for (count, where_) in [(32, "nowhere"), (33, "bus:range12"), (63, "bus:range12")] {
        let mut world = refused(|op| op.side = Side::Buy, WrongSide);
        let access = &mut world.records[0].accesses[SUB];
        (access.old[5], access.new[5]) = (f(count), f(count));
        assert_eq!(verdict(&world), where_, "{count}");
    }
}

#[test]
fn rejects_a_limit_outside_the_band_that_is_the_end_of_the_range() {
    // a no-op for the wrong side, of a sale at a mark of which 5 % are not conceded: only the end makes a difference
    for (at, where_) in [(2, "bus:listed"), (1, "forced")] {
        let mut world = World::new();
        world.set_price(0, at, TIME - 10);
        world.hold(2, 0, -9, 0);
        let op = ForcedClose { side: Side::Sell, limit: price(at), ..world.demand(2, 0, 5) };
        world.ends(op, WrongSide);
        let columns = [("listed.band", 500), ("band.gap[0]", 500 * at - 1)];
        assert_eq!(swapped(&world, "is_wrong", "is_outside", &columns), where_, "{at}");
    }
}

#[test]
fn rejects_the_end_of_the_range_where_it_is_not() {
    let mut world = World::new();
    world.set_price(0, 2, TIME - 10);
    world.hold(2, 0, 9, 0);
    world.set_collateral(2, 1 << 40);
    world.ends(ForcedClose { limit: price(2), ..world.demand(2, 0, 5) }, OutsideBand);
    assert_eq!(verdict(&world), "nowhere");
    assert_eq!(forged(world.clone(), |op| op.limit = price(1)), "target");
    assert_eq!(tampered(&world, &[("is_end", 1), ("edge_inv", 0)]), "forced");
    assert_eq!(tampered(&world, &[("is_end", 1), ("edge", 0), ("edge_inv", 0)]), "forced");
}

#[test]
fn only_the_end_of_the_range_has_no_distance_from_it() {
    let limbs = [0, 1, 2, 254, 255].map(|hi: u32| hi << 24);
    let lows = [0, 1, 2, 3, 4_095, 4_096, 4_097, (1 << 24) - 2, (1 << 24) - 1];
    for limit in limbs.into_iter().flat_map(|hi| lows.map(|low| hi | low)) {
        for side in [Side::Buy, Side::Sell] {
            let row = Forced {
                is_real: f(1),
                is_buy: f(u32::from(side == Side::Buy)),
                limit: felts(digits12(limit.into())),
                ..Forced::default()
            };
            let end = if side == Side::Buy { u32::MAX } else { 1 };
            assert_eq!(row.edge() == f(0), limit == end, "{limit} {side:?}");
        }
    }
}

#[test]
fn rejects_a_refusal_of_what_must_be_paired() {
    let mut world = state();
    world.ends(world.demand(2, 4, 5), NoPosition);
    let pos = tsz_ledger::PosCell::new(5, FundingIndex::new(0).unwrap()).unwrap();
    world.records[0].accesses[6].old = pos.to_leaf();
    world.records[0].accesses[6].new = pos.to_leaf();
    assert_eq!(verdict(&world), "forced");
}

#[test]
fn rejects_the_wrong_side_of_mmr_by_a_millionth() {
    let mut world = World::new();
    ailing(&mut world, 2, 900, 44_999_999_999);
    world.ends(world.demand(2, 0, 300), Liquidatable);
    assert_eq!(verdict(&world), "nowhere");
    shift(&mut world, SUB, 1);
    assert_eq!(verdict(&world), "target");
    let mut world = World::new();
    ailing(&mut world, 2, 900, 45_000_000_000);
    world.ends(world.forced(2, 0, 300, 1_000), Ok);
    assert_eq!(verdict(&world), "nowhere");
    shift(&mut world, SUB, -1);
    shift(&mut world, 11, -1);
    assert_eq!(verdict(&world), "target");
}

#[test]
fn rejects_other_requests_and_other_fills() {
    let changes: [fn(&mut ForcedClose); 10] = [
        |op| op.party.account = AccountId::new(3).unwrap(),
        |op| op.party.sub = SubId::new(1).unwrap(),
        |op| op.market = MarketId::new(1).unwrap(),
        |op| op.side = Side::Buy,
        |op| op.lots = Lots::new(299).unwrap(),
        |op| op.limit = price(951),
        |op| op.sender = EthAddress([8; 20]),
        |op| op.fill.as_mut().unwrap().taker_fee = rate(1),
        |op| op.fill.as_mut().unwrap().maker_fee = rate(1),
        |op| op.fill.as_mut().unwrap().maker.order.terms.price = price(961),
    ];
    for (k, change) in changes.into_iter().enumerate() {
        assert_ne!(forged(filled(), change), "nowhere", "change {k}");
    }
    // the limit may be another one that concedes the band
    assert_eq!(forged(filled(), |op| op.limit = price(950)), "nowhere");
    // the price concedes more than the band
    assert_eq!(under(filled(), |p| p.perps[0].forced_band = Fraction::new(400).unwrap()), "nowhere");
    assert_eq!(under(filled(), |p| p.perps[0].forced_band = Fraction::new(399).unwrap()), "close");
    let mut world = state();
    let mut op = world.forced(2, 0, 300, 1_000);
    op.fill.as_mut().unwrap().taker_fee = rate(2_000);
    world.ends(op, Ok);
    assert_eq!(under(world.clone(), |p| p.perps[0].taker_cap = rate(2_000)), "nowhere");
    assert_eq!(under(world, |p| p.perps[0].taker_cap = rate(1_999)), "close");
}

#[test]
fn rejects_a_serial_or_a_chain_that_does_not_go_on() {
    for access in 0..2 {
        for felt in 0..8 {
            let mut world = filled();
            world.records[0].accesses[access].new[felt] += f(1);
            assert_ne!(verdict(&world), "nowhere", "{access} {felt}");
        }
    }
}

#[test]
fn rejects_cells_that_are_not_the_rules() {
    let world = filled();
    for access in 0..world.records[0].accesses.len() {
        for felt in 0..6 {
            let mut lie = world.clone();
            let changed = &mut lie.records[0].accesses[access];
            if changed.write {
                changed.new[felt] += f(1);
                assert_ne!(verdict(&lie), "nowhere", "access {access} felt {felt}");
            }
        }
        let mut lie = world.clone();
        lie.records[0].accesses[access].key = Key::pos(2, 3, 9);
        assert_ne!(verdict(&lie), "nowhere", "access {access}");
        let mut lie = world.clone();
        lie.records[0].accesses[access].write ^= true;
        assert_ne!(verdict(&lie), "nowhere", "access {access}");
    }
}

#[test]
fn rejects_a_party_whose_ratio_falls_by_a_millionth() {
    // 300 of 900 lots at 950 for a fee of 285: 45 (TAV - 15,285) = 30 TAV
    let mut world = World::new();
    ailing(&mut world, 2, 900, 45_855_000_000);
    let mut op = world.forced(2, 0, 300, 950);
    op.fill.as_mut().unwrap().taker_fee = rate(1_000);
    world.ends(op, Ok);
    assert_eq!(verdict(&world), "nowhere");
    for access in [SUB, 11] {
        shift(&mut world, access, -1);
    }
    assert_eq!(verdict(&world), "ratio");
}
