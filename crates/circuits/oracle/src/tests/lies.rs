//! One test for each lie. A liar fills every table as if the lie were true: only the lie itself may fail.

use tsz_air::Violation;
use tsz_hash::PrimeCharacteristicRing;
use tsz_ledger::{Access, Cell, Key, MkpCell};
use tsz_trade::TradeOp;
use tsz_trade::ops::OracleUpdate;
use tsz_trade::params::Status;
use tsz_types::Fraction;

use super::world::*;

/// Where a lie is noticed: `table` of a broken constraint, or `bus:name`.
fn verdict(world: &World) -> String {
    let Ok(witness) = world.try_witness() else { return "witness".into() };
    match judge(&witness) {
        Ok(()) => "nowhere".into(),
        Err(Violation::Shape { air }) => format!("shape {air}"),
        Err(Violation::Constraint { air, .. }) => air,
        Err(Violation::Bus { bus, .. }) => format!("bus:{bus}"),
    }
}

/// One honest update of five reports with median 1,002.
fn one() -> World {
    let mut world = World::new();
    world.apply(world.update(0, &[1_001, 1_003, 1_002, 1_000, 1_004]));
    world
}

fn op(world: &mut World) -> &mut OracleUpdate {
    match &mut world.records[0].op {
        TradeOp::OracleUpdate(op) => op,
        other => unreachable!("{other:?}"),
    }
}

/// The honest update changed and signed anew; the accesses stay.
fn forged(change: impl Fn(&mut OracleUpdate)) -> String {
    let mut world = one();
    change(op(&mut world));
    world.records[0].op = world.sign(world.records[0].op.clone());
    verdict(&world)
}

/// The honest update with another result in its log.
fn result(change: impl Fn(&mut MkpCell)) -> String {
    let mut world = one();
    let mut cell = world.price(0);
    change(&mut cell);
    world.records[0].accesses[0].new = cell.to_leaf();
    verdict(&world)
}

/// The honest update from another price.
fn found(change: impl Fn(&mut MkpCell)) -> String {
    let mut world = one();
    let mut cell = MkpCell { index: 1_000, mark: 1_000, price_ts: TIME - 1_000, settled: false };
    change(&mut cell);
    world.records[0].accesses[0].old = cell.to_leaf();
    verdict(&world)
}

#[test]
fn the_honest_update_is_accepted() {
    assert_eq!(forged(|_| ()), "nowhere");
    assert_eq!(result(|_| ()), "nowhere");
    assert_eq!(found(|_| ()), "nowhere");
}

#[test]
fn rejects_a_forged_signature() {
    let mut world = one();
    op(&mut world).reports[2].signature = World::blank();
    assert_eq!(verdict(&world), "bus:schnorr");
}

#[test]
fn rejects_a_report_that_another_signer_signed() {
    let mut world = one();
    let other = op(&mut world).reports[1].signature;
    op(&mut world).reports[0].signature = other;
    assert_eq!(verdict(&world), "bus:schnorr");
}

#[test]
fn rejects_a_duplicate_signer() {
    // Signer 3 counts twice: a second row by the same signer.
    let duplicate = |op: &mut OracleUpdate| {
        op.reports[4] = op.reports[3].clone();
        op.reports[4].index = 1_004;
        op.reports[4].mark = 1_005;
    };
    assert_eq!(forged(duplicate), "bus:range12");
    let duplicate_first = |op: &mut OracleUpdate| {
        let report = op.reports[4].clone();
        op.reports[4] = tsz_trade::ops::PriceReport { signer: 0, ..report };
    };
    assert_eq!(forged(duplicate_first), "bus:range12");
}

#[test]
fn rejects_signers_out_of_order() {
    assert_eq!(forged(|op| op.reports.swap(1, 2)), "bus:range12");
}

#[test]
fn rejects_an_unknown_signer() {
    assert_eq!(forged(|op| op.reports[4].signer = SIGNERS as u8), "witness");
    // The liar's parameters have one more signer than those in force.
    let mut world = one();
    let hash = world.params.hash();
    let mut signers = world.params.oracle.signers.clone();
    signers.pop();
    world.context.params = tsz_trade::Params {
        oracle: tsz_trade::params::OracleParams { signers, ..world.params.oracle.clone() },
        ..world.params.clone()
    }
    .hash();
    assert_ne!(hash, world.context.params);
    assert_eq!(verdict(&world), "bus:p2");
}

#[test]
fn rejects_quorum_minus_one() {
    let mut world = World::new();
    world.apply(world.update(0, &[1_001, 1_003, 1_002, 1_000]));
    assert_eq!(verdict(&world), "nowhere");
    let mut world = one();
    op(&mut world).reports.truncate(3);
    assert_eq!(verdict(&world), "bus:range12");
    // The liar's rules have a lower quorum than those in force.
    let mut world = one();
    op(&mut world).reports.truncate(3);
    world.params.oracle.quorum = 3;
    assert_eq!(verdict(&world), "bus:p2");
}

#[test]
fn rejects_the_upper_median_of_an_even_count() {
    let mut world = World::new();
    world.apply(world.update(0, &[1_001, 1_003, 1_002, 1_000]));
    assert_eq!(world.price(0).index, 1_001);
    let before = world.clone();
    for (index, mark) in [(1_002, 1_002), (1_001, 1_003), (1_000, 1_002), (1_001, 1_001)] {
        let mut world = before.clone();
        world.records[0].accesses[0].new = MkpCell { index, mark, price_ts: TIME, settled: false }.to_leaf();
        assert_eq!(verdict(&world), "bus:range12", "{index} {mark}");
    }
}

#[test]
fn rejects_a_median_that_nobody_reported() {
    let mut world = World::new();
    world.apply(world.update(0, &[1_000, 1_000, 1_004, 1_004]));
    world.records[0].accesses[0].new =
        MkpCell { index: 1_002, mark: 1_001, price_ts: TIME, settled: false }.to_leaf();
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_another_price_than_the_median() {
    assert_eq!(result(|cell| cell.index = 1_003), "bus:range12");
    assert_eq!(result(|cell| cell.index = 1_001), "bus:range12");
    assert_eq!(result(|cell| cell.mark = 1_002), "bus:range12");
    assert_eq!(result(|cell| cell.mark = 1_004), "bus:range12");
    assert_eq!(forged(|op| op.reports[2].index = 1_001), "bus:range12");
}

#[test]
fn rejects_a_time_that_is_not_the_smallest() {
    assert_eq!(result(|cell| cell.price_ts -= 1), "report");
    assert_ne!(result(|cell| cell.price_ts += 1), "nowhere");
    assert_ne!(forged(|op| op.reports[1].ts = ts(TIME - 1)), "nowhere");
}

#[test]
fn rejects_a_zero_price() {
    assert_eq!(forged(|op| op.reports[3].index = 0), "report");
    assert_eq!(forged(|op| op.reports[3].mark = 0), "report");
}

#[test]
fn rejects_a_time_that_does_not_follow() {
    assert_eq!(found(|cell| cell.price_ts = TIME - 1), "nowhere");
    assert_ne!(found(|cell| cell.price_ts = TIME), "nowhere");
    assert_ne!(found(|cell| cell.price_ts = TIME + (1 << 24)), "nowhere");
}

/// An update at `TIME + 7`, judged at another batch time.
fn judged_at(time: u64) -> String {
    let mut world = World::new();
    let mut op = world.update(0, &[1_001; 4]);
    op.reports.iter_mut().for_each(|r| r.ts = ts(TIME + 7));
    world.apply(op);
    world.context.time = time;
    verdict(&world)
}

#[test]
fn rejects_a_stale_and_a_future_time() {
    assert_eq!(judged_at(TIME + 7 - 5_000), "nowhere");
    assert_ne!(judged_at(TIME + 7 - 5_001), "nowhere");
    assert_eq!(judged_at(TIME + 7 + 5_000), "nowhere");
    assert_ne!(judged_at(TIME + 7 + 5_001), "nowhere");
    assert_ne!(judged_at(TIME + (1 << 25)), "nowhere");
    assert_ne!(judged_at(TIME - (1 << 25)), "nowhere");
}

/// An update from 1,000 to these prices (index and mark), with the breaker in the first `breakers` reports.
fn moved(index: u32, mark: u32, breakers: usize) -> String {
    let mut world = World::new();
    let mut op = world.update(0, &[index; 4]);
    op.reports.iter_mut().for_each(|r| (r.mark, r.breaker) = (mark, true));
    world.apply(op.clone());
    op.reports.iter_mut().skip(breakers).for_each(|r| r.breaker = false);
    world.records[0].op = world.sign(op);
    verdict(&world)
}

#[test]
fn rejects_a_deviation_without_the_breaker() {
    for (index, mark) in [(1_100, 900), (900, 1_100)] {
        assert_eq!(moved(index, mark, 0), "nowhere");
    }
    for (index, mark) in
        [(1_101, 1_000), (1_000, 1_101), (899, 1_000), (1_000, 899), (1, 1_000), (1_000, u32::MAX)]
    {
        assert_eq!(moved(index, mark, 4), "nowhere", "{index} {mark}");
        assert_eq!(moved(index, mark, 3), "update", "{index} {mark}");
        assert_eq!(moved(index, mark, 0), "update", "{index} {mark}");
    }
    // A wider bound than that in force.
    let mut world = World::new();
    world.params.oracle.max_deviation = Fraction::new(2_000).unwrap();
    world.apply(world.update(0, &[1_150; 4]));
    assert_eq!(verdict(&world), "bus:p2");
}

#[test]
fn rejects_a_first_price_where_there_was_one() {
    let mut world = World::new();
    world.apply(world.update(2, &[7, 7, 7, 7]));
    assert_eq!(verdict(&world), "nowhere");
    world.records[0].accesses[0].old = MkpCell { index: 1, mark: 1, price_ts: 1, settled: false }.to_leaf();
    assert_eq!(verdict(&world), "update");
}

#[test]
fn rejects_an_update_of_a_settling_or_another_market() {
    let mut world = one();
    world.params.perps[0].status = Status::Settling;
    world.context.params = world.params.hash();
    assert_eq!(verdict(&world), "update");
    assert_eq!(found(|cell| cell.settled = true), "bus:val");
    assert_eq!(result(|cell| cell.settled = true), "bus:val");
    let mut world = one();
    world.params.perps[3].status = Status::Open;
    assert_eq!(verdict(&world), "bus:p2");
    // Reports about market 0 for market 1.
    let mut world = one();
    op(&mut world).market = market(1);
    world.records[0].accesses[0].key = Key::mkp(1);
    assert_eq!(verdict(&world), "bus:schnorr");
    let mut world = one();
    world.records[0].accesses[0].key = Key::mkp(1);
    assert_eq!(verdict(&world), "bus:key");
    world.records[0].accesses[0].key = Key::mkf(0);
    assert_eq!(verdict(&world), "bus:key");
}

#[test]
fn rejects_a_report_of_another_system() {
    let mut world = one();
    world.context.system[0] += f(1);
    assert_eq!(verdict(&world), "bus:schnorr");
}

#[test]
fn rejects_an_update_that_is_only_a_read() {
    let mut world = one();
    let access = world.records[0].accesses[0];
    world.records[0].accesses[0] = Access { write: false, new: access.old, ..access };
    assert_ne!(verdict(&world), "nowhere");
}

/// Changes cells of one table of the honest witness and says where it is noticed.
fn tampered(table: usize, change: impl Fn(&mut dyn FnMut(usize, &str, u32))) -> String {
    use tsz_air::TableAir;
    let mut witness = one().witness();
    let names = SMALL.circuit(tsz_stark::Profile::Base).airs[table].column_names();
    change(&mut |row, column, value| {
        let at = names.iter().position(|name| name == column).unwrap();
        let width = witness.traces[table].width;
        witness.traces[table].values[row * width + at] = tsz_air::F::from_u32(value);
    });
    match judge(&witness) {
        Ok(()) => "nowhere".into(),
        Err(Violation::Constraint { air, .. }) => air,
        Err(Violation::Bus { bus, .. }) => format!("bus:{bus}"),
        Err(Violation::Shape { air }) => air,
    }
}

const REPORT: usize = 4;
const RULES: usize = 2;

#[test]
fn rejects_sums_that_start_or_end_elsewhere() {
    // The group is cut in two: the second part gives its own verdict.
    assert_ne!(tampered(REPORT, |set| set(2, "group.is_last", 1)), "nowhere");
    assert_eq!(tampered(REPORT, |set| set(4, "group.is_last", 0)), "report");
    // One more report counted in the first row, and in all that follow.
    let one_more = |set: &mut dyn FnMut(usize, &str, u32)| {
        for row in 0..5 {
            set(row, "sums.reports", row as u32 + 2);
        }
    };
    assert_eq!(tampered(REPORT, one_more), "report");
}

#[test]
fn rejects_padding_that_acts() {
    assert_eq!(tampered(REPORT, |set| set(5, "group.is_last", 1)), "report");
    assert_eq!(tampered(REPORT, |set| set(9, "group.is_real", 1)), "report");
    assert_eq!(tampered(RULES, |set| set(SIGNERS + 1, "uses", 1)), "rules");
    assert_eq!(tampered(5, |set| set(1, "is_real", 1)), "update");
    assert_eq!(tampered(1, |set| set(4, "feed_uses", 1)), "perps");
    assert_eq!(tampered(0, |set| set(1, "uses[2]", 1)), "params");
}

#[test]
fn rejects_rules_from_another_row() {
    assert_eq!(tampered(RULES, |set| set(1, "is_rules", 1)), "rules");
    assert_eq!(tampered(RULES, |set| set(0, "is_rules", 0)), "rules");
    assert_eq!(tampered(RULES, |set| set(2, "number", 1)), "rules");
    // a gap in the list: places after it would be others
    assert_eq!(tampered(RULES, |set| set(SIGNERS, "is_real", 0)), "rules");
}
