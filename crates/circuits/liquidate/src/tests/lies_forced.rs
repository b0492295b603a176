//! One test for each lie about a ForcedClose: fills that are none, requests that are refused without a reason.

use tsz_air::Trace;
use tsz_gadgets::layout::names;
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
    let mut ops =
        op_traces(&SMALL, &world.context, &world.params, &world.records).expect("a row for the record");
    let set = |trace: &mut Trace, column: &str, value: u32| {
        let at = names::<Forced<()>>().iter().position(|name| name == column).expect("a column");
        trace.values[at] = f(value);
    };
    let forced = &mut ops.traces[ORDER + 3];
    set(forced, from, 0);
    set(forced, to, 1);
    for (column, value) in more {
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
