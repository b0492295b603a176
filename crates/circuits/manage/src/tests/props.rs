//! The circuit accepts what the ledger accepts, and nothing that differs from it in one felt.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tsz_air::{F, PrimeCharacteristicRing};
use tsz_ledger::{Cell, Key, MkfCell, MksCell};
use tsz_trade::params::Status;
use tsz_types::FundingIndex;

use super::world::*;

fn random_cells(rng: &mut StdRng) -> Cells {
    let mut wide = |bits: u32| rng.random_range(0..1u64 << bits) >> rng.random_range(0..bits);
    let (index, interest, sum) = (wide(32) as u32, wide(56), wide(32) as i64);
    let minute = if wide(2) == 0 { wide(5) as u8 } else { 60 };
    let funding = (wide(62) as i64) * if wide(1) == 1 { 1 } else { -1 };
    let sum = if rng.random_bool(0.5) { sum } else { -sum };
    let interest = if rng.random_bool(0.1) { 0 } else { interest };
    Cells { index, interest, sum, funding, hour: HOUR.saturating_sub(rng.random_range(0..4)), minute }
}

/// Random markets and ticks; what the ledger refuses is kept with the world before it.
fn history(seed: u64, ops: usize) -> (World, Vec<(World, u8)>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut world = World::new();
    for m in &mut world.params.perps {
        m.funding.rate = tsz_types::Rate::new(rng.random_range(-(1 << 19) + 1..1 << 19)).unwrap();
        m.funding.small = rng.random_range(0..=40_000);
        m.funding.big = rng.random_range(0..=40_000);
        m.status = [Status::Open, Status::Settling, Status::Open][rng.random_range(0..3usize)];
    }
    world.params.validate().unwrap();
    world.context.params = world.params.hash();
    let mut refused = Vec::new();
    while world.records.len() < ops {
        let m = rng.random_range(0..5u8);
        world.set(m.into(), random_cells(&mut rng));
        let before = World { records: Vec::new(), ..world.clone() };
        if world.try_apply(World::tick(m)).is_err() {
            refused.push((before, m));
        }
        if rng.random_bool(0.2) {
            let m = rng.random_range(0..7u8);
            let mut ticks = || rng.random_range(0..=u32::MAX) >> rng.random_range(0..32);
            let (index, a, b) = (ticks(), ticks().max(1), ticks().max(1));
            if m < 5 && index % 3 != 0 {
                world.freeze(m.into(), index, index);
            }
            world.apply(world.name(m, a.min(b), a.max(b)));
        }
        if rng.random_bool(0.1) {
            world
                .apply(world.set_params(core::array::from_fn(|_| F::from_u32(rng.random_range(0..1 << 30)))));
        }
    }
    (world, refused)
}

#[test]
fn circuit_accepts_random_histories_of_the_ledger() {
    for seed in 0..24 {
        let (world, _) = history(seed, 40);
        judge(&world.witness()).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    }
}

#[test]
fn circuit_refuses_what_the_ledger_refuses() {
    let mut tried = 0;
    for seed in 100..108 {
        for (mut world, m) in history(seed, 30).1.into_iter().take(12) {
            // the log of the tick if it were due
            world.context.time += 3_600_000;
            let Ok(()) = world.try_apply(World::tick(m)) else { continue };
            world.context.time -= 3_600_000;
            assert_ne!(verdict(&world), "nowhere", "seed {seed}: {:?}", world.records);
            tried += 1;
        }
    }
    assert!(tried > 20, "{tried}");
}

#[test]
fn circuit_refuses_access_logs_that_differ_in_one_felt() {
    let mut rng = StdRng::seed_from_u64(99);
    let (world, _) = history(1, 12);
    for index in 0..world.records.len() {
        for access in 0..world.records[index].accesses.len() {
            for case in 0..3 {
                let mut lie = world.clone();
                let a = &mut lie.records[index].accesses[access];
                match case {
                    0 => a.key = Key::new(a.key.raw() ^ 1 << rng.random_range(0..40u32)).unwrap(),
                    1 => a.write = !a.write,
                    _ if a.write => a.new[rng.random_range(0..8usize)] += F::ONE,
                    _ => continue, // what is only read is for the transition proof to know
                }
                let refused = lie.try_witness().map_or(true, |witness| judge(&witness).is_err());
                assert!(refused, "op {index} access {access} case {case}: not noticed");
            }
        }
    }
}

#[test]
fn circuit_and_ledger_agree_on_the_widest_index() {
    let mut world = World::new();
    world.set(0, Cells { funding: i64::MAX - 11_999, ..CELLS });
    assert!(world.try_apply(World::tick(0)).is_err());
    let zero = MksCell::default().to_leaf();
    let wrapped = MkfCell { funding: FundingIndex::new(0).unwrap(), hour: HOUR };
    world.set(0, Cells { funding: i64::MAX - 12_000, ..CELLS });
    world.apply(World::tick(0));
    assert_eq!(verdict(&world), "nowhere");
    world.records[0].accesses[2].new = zero;
    world.records[0].accesses[3].new = wrapped.to_leaf();
    assert_ne!(verdict(&world), "nowhere");
}
