//! Random operations: the circuit accepts what the native guard accepts, and nothing else.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tsz_air::PrimeCharacteristicRing;
use tsz_ledger::Key;

use super::world::*;

/// Legs that mostly sum to nothing, at prices around the mark, of lots of several sizes.
fn legs(rng: &mut StdRng, parties: usize) -> Vec<Asked> {
    let mut lots: Vec<i64> = (1..parties)
        .map(|_| {
            let size = [3, 12, 40, 120][rng.random_range(0..4)];
            rng.random_range(-size..=size)
        })
        .collect();
    lots.push(-lots.iter().sum::<i64>());
    let mut legs: Vec<Asked> =
        lots.into_iter().map(|n| (n, -i128::from(n) * rng.random_range(950..1_050) * MICROS)).collect();
    // whoever comes first takes what is left, if it has a leg
    let rest: i128 = legs.iter().map(|leg| leg.1).sum();
    if let Some(first) = legs.iter_mut().find(|leg| leg.0 != 0) {
        first.1 -= rest;
    }
    if rng.random_ratio(1, 16) {
        legs[0].1 += rng.random_range(-1..=1);
    }
    if rng.random_ratio(1, 16) {
        legs[0].0 += rng.random_range(-1..=1);
    }
    legs
}

fn stir(world: &mut World, rng: &mut StdRng) {
    match rng.random_range(0..8) {
        0 => world.set_price(rng.random_range(0..3), rng.random_range(900..1_100), TIME - 1_000),
        1 => world.set_funding(rng.random_range(0..3), rng.random_range(-1_000_000..1_000_000)),
        2 => world.set_price(1, 1_000, TIME - 60_000 - u64::from(rng.random_bool(0.5))),
        3 => world.set_price(1, 1_000, TIME),
        4 => world.set_collateral(rng.random_range(2..5), rng.random_range(1_000..60_000) * MICROS),
        5 => world.set_margin(rng.random_range(2..5), rng.random_range(0..1 << 33)),
        _ => {}
    }
}

#[test]
fn judges_like_the_native_guard() {
    let rng = &mut StdRng::seed_from_u64(82);
    let mut world = World::new();
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..150 {
        stir(&mut world, rng);
        let parties = if rng.random_bool(0.5) { &ALL[..] } else { &BOTH[..] };
        let market = [0, 0, 0, 1, 2][rng.random_range(0..5)];
        let legs = legs(rng, parties.len());
        // the balance moves too, within its own limit and beyond it
        let paid = rng.random_range(-60..=60) * MICROS;
        let sets = [world.w.moved(2, 0, 0, -paid), world.w.moved(3, 0, 0, paid)];
        let sets = if rng.random_ratio(1, 3) { &sets[..] } else { &sets[..0] };
        let op = world.operation(parties, market, &legs, sets, &[]);
        world.w.records.clear();
        let mut forged = world.clone();
        let asked: Vec<_> = legs.iter().copied().enumerate().filter(|(_, leg)| leg.0 != 0).collect();
        // a liar who is not held to limits, sums and requirements
        let mut easy = params();
        easy.perps.iter_mut().for_each(|market| {
            if market.status == tsz_trade::params::Status::ReduceOnly {
                market.status = tsz_trade::params::Status::Open;
            }
        });
        easy.oracle.max_age = 1 << 30;
        let made = !asked.is_empty() && forged.forge(op.clone(), market, &asked, &easy).is_some();
        match world.try_apply(op) {
            Ok(()) => {
                accepted += 1;
                assert_eq!(world.verdict(), "nowhere");
                if made {
                    assert_eq!(world.w.records[0].accesses, forged.w.records[0].accesses);
                }
            }
            Err(reason) if made => {
                refused += 1;
                assert_ne!(forged.verdict(), "nowhere", "{reason}");
            }
            Err(_) => {}
        }
    }
    println!("{accepted} accepted, {refused} refused");
    assert!(accepted > 15 && refused > 10, "{accepted} accepted, {refused} refused");
}

#[test]
fn refuses_access_logs_that_differ_in_one_felt() {
    let rng = &mut StdRng::seed_from_u64(99);
    let world = every_operation();
    for index in 0..world.w.records.len() {
        // of legs and limits: what a program reads and stores is its own
        let op = &world.w.records[index].op;
        let first = 3 * op.parties.len() + op.cells.len();
        for access in first..world.w.records[index].accesses.len() {
            if rng.random_bool(0.5) {
                continue;
            }
            let mut lie = world.clone();
            let a = &mut lie.w.records[index].accesses[access];
            let felt = rng.random_range(0..8usize);
            match rng.random_range(0..3) {
                0 => a.key = Key::new(a.key.raw() ^ 1 << rng.random_range(0..40u32)).unwrap(),
                1 => a.write = !a.write,
                _ if a.write => a.new[felt] += tsz_air::F::ONE,
                _ => continue, // what is only read is for the transition proof to know
            }
            assert_ne!(lie.verdict(), "nowhere", "operation {index} access {access}: not noticed");
        }
    }
}
