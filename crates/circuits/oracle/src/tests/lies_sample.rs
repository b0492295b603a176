//! One test for each lie about premiums.

use tsz_air::Violation;
use tsz_ledger::{Cell, Key, MkfCell, MksCell};
use tsz_trade::ops::PremiumSample;
use tsz_trade::{HOUR_MS, TradeOp};

use super::world::*;

fn verdict(world: &World) -> String {
    let Ok(witness) = world.try_witness() else { return "witness".into() };
    match judge(&witness) {
        Ok(()) => "nowhere".into(),
        Err(Violation::Shape { air }) => format!("shape {air}"),
        Err(Violation::Constraint { air, .. }) => air,
        Err(Violation::Bus { bus, .. }) => format!("bus:{bus}"),
    }
}

/// One honest sample of -2 to a sum of 7 at minute 3.
fn one() -> World {
    let mut world = World::new();
    world.set_sum(0, 7, 3);
    world.apply(world.sample(0, &[-2, 5, -9, -1]));
    assert_eq!(world.sum(0), MksCell { sum: 5, minute: 4 });
    world.set_sum(0, 7, 3); // as it was when the reports were signed
    world
}

/// The honest sample changed and signed anew; the accesses stay.
fn forged(change: impl Fn(&mut PremiumSample)) -> String {
    let mut world = one();
    if let TradeOp::PremiumSample(op) = &mut world.records[0].op {
        change(op);
    }
    world.records[0].op = world.sign(world.records[0].op.clone());
    verdict(&world)
}

/// The honest sample with other cells.
fn cells(old: MksCell, new: MksCell) -> String {
    let mut world = one();
    world.set_sum(0, old.sum, old.minute);
    world.records[0].op = world.sign(world.records[0].op.clone());
    world.records[0].accesses[1].old = old.to_leaf();
    world.records[0].accesses[1].new = new.to_leaf();
    verdict(&world)
}

fn cell(sum: i64, minute: u8) -> MksCell {
    MksCell { sum, minute }
}

#[test]
fn the_honest_sample_is_accepted() {
    assert_eq!(forged(|_| ()), "nowhere");
    assert_eq!(cells(cell(7, 3), cell(5, 4)), "nowhere");
    assert_eq!(cells(cell(1, 5), cell(-1, 6)), "nowhere");
}

#[test]
fn rejects_another_sum_than_the_median_gives() {
    for sum in [6, 4, -5, 9, 0] {
        assert_eq!(cells(cell(7, 3), cell(sum, 4)), "bus:range12", "{sum}");
    }
    // the upper median of four
    assert_eq!(forged(|op| op.reports[0].premium = -1), "bus:range12");
    // sums that differ from the median by a carry
    assert_ne!(cells(cell(1 << 24, 3), cell((1 << 24) + 5, 4)), "nowhere");
    assert_ne!(cells(cell(7, 3), cell(-5, 4)), "nowhere");
}

#[test]
fn rejects_minus_zero() {
    let mut world = World::new();
    world.set_sum(0, 2, 3);
    world.apply(world.sample(0, &[-2; 4]));
    world.set_sum(0, 2, 3);
    assert_eq!(verdict(&world), "nowhere");
    world.records[0].accesses[1].new[2] = f(1);
    assert_eq!(verdict(&world), "sample");
}

#[test]
fn rejects_a_minute_taken_twice_or_skipped() {
    assert_ne!(cells(cell(7, 3), cell(5, 3)), "nowhere");
    assert_ne!(cells(cell(7, 3), cell(5, 5)), "nowhere");
    // reports of minute 3 for minute 4
    let mut world = one();
    world.records[0].accesses[1].old = cell(7, 4).to_leaf();
    world.records[0].accesses[1].new = cell(5, 5).to_leaf();
    assert_eq!(verdict(&world), "bus:schnorr");
}

#[test]
fn rejects_a_minute_that_has_not_begun() {
    assert_eq!(cells(cell(7, 5), cell(5, 6)), "nowhere"); // the batch time is in minute 5
    assert_eq!(cells(cell(7, 6), cell(5, 7)), "bus:range12");
}

#[test]
fn rejects_reports_of_another_hour() {
    let mut world = one();
    world.context.time += HOUR_MS;
    let hour = (world.context.time / HOUR_MS) as u32;
    let access = &mut world.records[0].accesses[0];
    let funding = MkfCell::from_leaf(&access.old).unwrap().funding;
    access.old = MkfCell { funding, hour }.to_leaf();
    access.new = access.old;
    assert_eq!(verdict(&world), "bus:schnorr");
}

#[test]
fn rejects_a_sample_while_a_tick_is_due() {
    let mut world = one();
    world.context.time += HOUR_MS;
    world.records[0].op = world.sign(world.records[0].op.clone());
    assert_eq!(verdict(&world), "bus:val");
}

#[test]
fn rejects_signers_that_do_not_count() {
    assert_eq!(forged(|op| op.reports.truncate(3)), "bus:range12");
    assert_eq!(forged(|op| op.reports[3].signer = 2), "bus:range12");
    assert_eq!(forged(|op| op.reports[3].signer = 9), "witness");
    let mut world = one();
    if let TradeOp::PremiumSample(op) = &mut world.records[0].op {
        op.reports[1].signature = World::blank();
    }
    assert_eq!(verdict(&world), "bus:schnorr");
}

#[test]
fn rejects_a_premium_above_one() {
    let mut world = World::new();
    world.apply(world.sample(0, &[1_000_000, 1, 1, 1]));
    world.set_sum(0, 0, 0);
    assert_eq!(verdict(&world), "nowhere");
    for premium in [1_000_001, -1_000_001, i32::MIN] {
        if let TradeOp::PremiumSample(op) = &mut world.records[0].op {
            op.reports[0].premium = premium;
        }
        world.records[0].op = world.sign(world.records[0].op.clone());
        assert_ne!(verdict(&world), "nowhere", "{premium}");
    }
}

#[test]
fn rejects_a_sample_of_another_market() {
    let mut world = one();
    if let TradeOp::PremiumSample(op) = &mut world.records[0].op {
        op.market = market(1);
    }
    world.records[0].accesses[0].key = Key::mkf(1);
    world.records[0].accesses[1].key = Key::mks(1);
    assert_eq!(verdict(&world), "bus:schnorr");
    let mut world = one();
    world.records[0].accesses[1].key = Key::mks(1);
    assert_eq!(verdict(&world), "bus:key");
    let mut world = one();
    world.records[0].accesses[0].key = Key::mkf(1);
    assert_eq!(verdict(&world), "bus:key");
}

#[test]
fn rejects_a_clock_that_is_wrong() {
    use tsz_air::{PrimeCharacteristicRing, TableAir};
    let clock = 3;
    let names = SMALL.circuit(tsz_stark::Profile::Base).airs[clock].column_names();
    let at = |name: &str| names.iter().position(|n| n == name).unwrap();
    for column in ["hour.lo", "hour_hi", "minute", "ms.lo", "ms_left.lo", "time[1]"] {
        let mut witness = one().witness();
        witness.traces[clock].values[at(column)] += f(1);
        assert!(judge(&witness).is_err(), "{column}");
    }
    // 60 minutes instead of an hour
    let mut witness = one().witness();
    let values = &mut witness.traces[clock].values;
    values[at("hour.lo")] -= f(1);
    values[at("minute")] += f(60);
    assert!(judge(&witness).is_err());
    let mut witness = one().witness();
    let width = names.len();
    witness.traces[clock].values[width + at("uses")] = tsz_air::F::ONE;
    assert!(matches!(judge(&witness), Err(Violation::Constraint { air, .. }) if air == "clock"));
}
