//! One test for each lie. A liar fills every table as if the lie were true: only the lie itself may fail.

use tsz_air::PrimeCharacteristicRing;
use tsz_hash::Digest;
use tsz_ledger::{Cell, Key, MkfCell, MksCell};
use tsz_trade::params::Status;
use tsz_types::FundingIndex;

use super::world::*;

/// One honest tick of market 0.
fn one(cells: Cells) -> World {
    let mut world = World::new();
    world.set(0, cells);
    world.apply(World::tick(0));
    world
}

/// The honest tick that leaves another MKF cell.
fn leaves(cells: Cells, change: impl Fn(&mut i64, &mut u32)) -> String {
    let mut world = one(cells);
    let MkfCell { funding, mut hour } = world.mkf(0);
    let mut index = funding.get();
    change(&mut index, &mut hour);
    let cell = MkfCell { funding: FundingIndex::new(index).unwrap(), hour };
    world.records[0].accesses[3].new = cell.to_leaf();
    verdict(&world)
}

#[test]
fn the_honest_tick_is_accepted() {
    assert_eq!(leaves(CELLS, |_, _| ()), "nowhere");
    assert_eq!(leaves(Cells { interest: 0, hour: 5, ..CELLS }, |_, _| ()), "nowhere");
}

#[test]
fn rejects_another_funding_index() {
    for by in [1, -1, 1 << 24, -(1 << 24), 1_000, 12_500, -12_000] {
        assert_eq!(leaves(CELLS, |index, _| *index += by), "tick", "{by}");
    }
    // the other sign
    assert_eq!(leaves(CELLS, |index, _| *index = -*index), "tick");
    // funding paid although nobody holds a position, or not although somebody does
    assert_eq!(leaves(Cells { interest: 0, ..CELLS }, |index, _| *index += 12_000), "tick");
    assert_eq!(leaves(CELLS, |index, _| *index = 0), "tick");
}

#[test]
fn rejects_division_rounded_away_from_zero() {
    // rate 601 premium less the clamp of 500 is 101, an eighth 12; 13 would be the ceiling
    let cells = Cells { sum: 60 * 601 + 59, ..CELLS };
    assert_eq!(one(cells).mkf(0).funding.get(), 12_000);
    assert_eq!(leaves(cells, |index, _| *index = 13_000), "tick");
    // -7 / 8 is 0, not -1
    let mut world = World::new();
    world.set(2, Cells { sum: -60 * 7 - 59, ..CELLS });
    world.apply(World::tick(2));
    assert_eq!(world.mkf(2).funding.get(), 0);
    assert_eq!(verdict(&world), "nowhere");
    world.records[0].accesses[3].new =
        MkfCell { funding: FundingIndex::new(-1_000).unwrap(), hour: HOUR }.to_leaf();
    assert_eq!(verdict(&world), "tick");
}

#[test]
fn rejects_a_premium_of_an_hour_that_is_not_full() {
    let cells = Cells { sum: 60_000_000, minute: 59, ..CELLS };
    assert_eq!(one(cells).mkf(0).funding.get(), 12_000);
    // what 60 samples would give: the big clamp
    assert_eq!(one(Cells { minute: 60, ..cells }).mkf(0).funding.get(), 5_000_000);
    assert_eq!(leaves(cells, |index, _| *index = 5_000_000), "tick");
    assert_eq!(leaves(Cells { minute: 60, ..cells }, |index, _| *index = 12_000), "tick");
    // by 59ths
    assert_eq!(leaves(Cells { sum: 60 * 601, ..cells }, |index, _| *index = 13_000), "tick");
}

#[test]
fn rejects_a_tick_applied_twice() {
    // the second tick of the hour, as if it were due
    let mut world = one(CELLS);
    let mut second = world.records[0].clone();
    second.index = 1;
    second.accesses[2].old = second.accesses[2].new;
    second.accesses[3].old = second.accesses[3].new;
    second.accesses[3].new =
        MkfCell { funding: FundingIndex::new(24_000).unwrap(), hour: HOUR + 1 }.to_leaf();
    world.records.push(second);
    assert_eq!(verdict(&world), "tick");
    // the hour stays
    assert_eq!(leaves(CELLS, |_, hour| *hour -= 1), "tick");
}

#[test]
fn rejects_a_tick_skipped() {
    let cells = Cells { hour: HOUR - 2, ..CELLS };
    assert_eq!(leaves(cells, |_, _| ()), "nowhere");
    assert_eq!(leaves(cells, |_, hour| *hour += 1), "tick");
    // a jump of a market where somebody holds a position
    assert_eq!(leaves(Cells { hour: HOUR - 9, ..CELLS }, |_, hour| *hour = HOUR), "tick");
    // an idle market that moves by one hour only
    let idle = Cells { interest: 0, hour: HOUR - 9, ..CELLS };
    assert_eq!(leaves(idle, |_, hour| *hour = HOUR - 8), "tick");
}

#[test]
fn rejects_an_hour_that_is_not_over() {
    let mut world = one(CELLS);
    world.context.time -= 3_600_000;
    assert_eq!(verdict(&world), "tick");
    let mut world = one(Cells { interest: 0, ..CELLS });
    world.context.time -= 3_600_000;
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_samples_that_are_kept() {
    let mut world = one(Cells { sum: 7, ..CELLS });
    world.records[0].accesses[2].new = MksCell { sum: 7, minute: 0 }.to_leaf();
    assert_eq!(verdict(&world), "bus:val");
    world.records[0].accesses[2].new = MksCell { sum: 0, minute: 60 }.to_leaf();
    assert_eq!(verdict(&world), "bus:val");
}

#[test]
fn rejects_other_rules_of_funding() {
    for change in [
        (|p| p.perps[0].funding.small = 499) as fn(&mut tsz_trade::Params),
        |p| p.perps[0].funding.big = 39_999,
        |p| p.perps[0].funding.rate = tsz_types::Rate::new(-100).unwrap(),
        |p| p.perps[0].status = Status::Settling,
        |p| p.perps.swap(0, 1),
    ] {
        let mut world = World::new();
        world.set(0, Cells { sum: 60 * 30_000, ..CELLS });
        change(&mut world.params);
        world.apply(World::tick(0));
        assert_eq!(verdict(&world), "bus:p2");
    }
}

#[test]
fn rejects_a_settling_market_that_pays_and_an_open_one_that_does_not() {
    let mut world = World::new();
    world.apply(World::tick(4));
    let cell = MkfCell { funding: FundingIndex::new(12_000).unwrap(), hour: HOUR };
    world.records[0].accesses[3].new = cell.to_leaf();
    assert_eq!(verdict(&world), "tick");
}

#[test]
fn rejects_cells_of_another_market() {
    for access in 0..4 {
        let mut world = one(CELLS);
        let key = world.records[0].accesses[access].key;
        world.records[0].accesses[access].key = Key::new(key.raw() + 1).unwrap();
        assert_eq!(verdict(&world), "bus:key", "{access}");
    }
}

#[test]
fn rejects_minus_zero_and_an_index_of_64_bits() {
    let cells = Cells { funding: -12_000, ..CELLS };
    assert_eq!(one(cells).mkf(0).funding.get(), 0);
    let mut world = one(cells);
    world.records[0].accesses[3].new[3] = f(1);
    assert_eq!(verdict(&world), "tick");
    let mut world = World::new();
    world.set(0, Cells { funding: i64::MAX - 12_000, ..CELLS });
    world.apply(World::tick(0));
    assert_eq!(verdict(&world), "nowhere");
    // one more would need 64 bits
    let access = &mut world.records[0].accesses[3];
    access.old = MkfCell { funding: FundingIndex::new(i64::MAX - 11_999).unwrap(), hour: HOUR - 1 }.to_leaf();
    access.new[0] = f(0);
    access.new[1] = f(0);
    access.new[2] = f(1 << 15);
    assert_eq!(verdict(&world), "bus:range12");
}

#[test]
fn rejects_another_hash_than_the_record_names() {
    let mut world = World::new();
    world.apply(world.set_params([f(9); 8]));
    assert_eq!(verdict(&world), "nowhere");
    for k in 0..8 {
        let mut lie = world.clone();
        lie.records[0].accesses[2].new[k] += f(1);
        assert_eq!(verdict(&lie), "bus:val", "{k}");
    }
}

#[test]
fn rejects_another_listing_than_the_record_names() {
    let mut world = World::new();
    world.apply(world.set_token(5, true, 1 << 50));
    assert_eq!(verdict(&world), "nowhere");
    for k in 0..8 {
        let mut lie = world.clone();
        lie.records[0].accesses[2].new[k] += f(1);
        assert_eq!(verdict(&lie), "bus:val", "{k}");
    }
    let mut lie = world.clone();
    lie.records[0].accesses[2].key = Key::tok(6);
    assert_eq!(verdict(&lie), "bus:key");
    // listed twice over: no flag of the cell, in the record as well
    let mut witness = world.witness();
    let width = witness.traces[6].width;
    let names = tsz_air::TableAir::column_names(&crate::tables::SetTokenAir);
    let at = names.iter().position(|name| name == "listed").unwrap();
    assert!(at < width);
    witness.traces[6].values[at] = f(2);
    assert!(judge(&witness).is_err());
}

#[test]
fn rejects_a_serial_skipped_and_a_record_left_out() {
    let mut world = World::new();
    world.apply(world.set_params([f(9); 8]));
    let mut lie = world.clone();
    lie.records[0].accesses[0].new[0] += f(1);
    assert_eq!(verdict(&lie), "bus:val");
    let mut lie = world.clone();
    let access = &mut lie.records[0].accesses[1];
    access.new = access.old;
    assert_eq!(verdict(&lie), "bus:val");
    let mut lie = world.clone();
    lie.records[0].accesses[2].key = Key::VKROOT;
    assert_eq!(verdict(&lie), "bus:key");
    let mut lie = world;
    lie.records[0].accesses[1].old = Digest::default();
    lie.records[0].accesses[1].old[0] = f(1);
    assert_eq!(verdict(&lie), "bus:val");
}

/// Changes cells of one table of the honest witness and says whether it is noticed.
fn tampered(table: usize, cells: &[(usize, &str, u32)]) -> bool {
    use tsz_air::TableAir;
    let mut witness = every_op().witness();
    let names = SMALL.circuit(tsz_stark::Profile::Base).airs[table].column_names();
    for (row, column, by) in cells {
        let at = names.iter().position(|name| name == column).unwrap();
        let width = witness.traces[table].width;
        witness.traces[table].values[row * width + at] += f(*by);
    }
    judge(&witness).is_err()
}

#[test]
fn rejects_padding_that_acts() {
    assert!(tampered(3, &[(20, "is_real", 1)]));
    assert!(tampered(5, &[(2, "is_real", 1)]));
    assert!(tampered(6, &[(3, "is_real", 1)]));
    assert!(tampered(4, &[(10, "is_real", 1)]));
    assert!(tampered(1, &[(5, "funding_uses", 1)]));
    assert!(tampered(2, &[(1, "uses", 1)]));
}

#[test]
fn rejects_a_clamp_on_the_wrong_side() {
    use tsz_air::{F, PrimeField32};
    let minus = F::ORDER_U32 - 1;
    // row 0: the premium is above, so the inner clamp is low; it is called high, inside
    assert!(tampered(3, &[(0, "rate.inner.is_low", minus), (0, "rate.inner.is_high", 1)]));
    assert!(tampered(3, &[(0, "rate.inner.is_low", minus)]));
}

#[test]
fn rejects_a_remainder_out_of_range() {
    // 60 average + rest with one less in the average and 60 more in the rest
    let minus = tsz_air::F::ZERO - tsz_air::F::ONE;
    let minus = tsz_air::PrimeField32::as_canonical_u32(&minus);
    assert!(tampered(3, &[(0, "rate.average.lo", minus), (0, "rate.rest", 60), (0, "rate.premium", minus)]));
    assert!(tampered(3, &[(0, "gain.eighth", minus), (0, "gain.rest", 8)]));
}
