//! Random operations: the circuit accepts what the native guard accepts, and nothing else.

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use tsz_ext::key;
use tsz_ledger::{Key, Leaf};

use super::world::*;

/// Random parties, mostly approved and in order.
fn parties(rng: &mut impl Rng) -> Vec<(u32, u8)> {
    let mut all = vec![(2, 0), (3, 1), (4, 6)];
    all.retain(|_| rng.random_ratio(3, 4));
    if rng.random_ratio(1, 12) {
        all.push((rng.random_range(0..6), rng.random_range(0..7)));
    }
    all
}

/// Balances of tokens that move by amounts of several sizes; one party, mostly with a limit, pays what the others get.
fn moves(world: &World, parties: &[(u32, u8)], rng: &mut impl Rng) -> Vec<(Key, Leaf)> {
    let mut sets = Vec::new();
    for token in [QUOTE, BASE] {
        let may = |n: u32| n == 3 || n == 2 && token == QUOTE;
        let strict = rng.random_ratio(15, 16);
        let payers: Vec<u32> = parties.iter().map(|(n, _)| *n).filter(|n| !strict || may(*n)).collect();
        if payers.is_empty() {
            continue;
        }
        let payer = payers[rng.random_range(0..payers.len())];
        let mut others: Vec<u32> = parties.iter().map(|(n, _)| *n).filter(|n| *n != payer).collect();
        others.extend(
            [0, 5].into_iter().zip([2, 24]).filter(|(_, odds)| rng.random_ratio(1, *odds)).map(|x| x.0),
        );
        let mut sum = 0;
        for n in others {
            let size = [1, 1 << 12, 1 << 24, MICROS, 40 * MICROS][rng.random_range(0..5)];
            let low = if rng.random_ratio(1, 8) { -size } else { 0 };
            let change = rng.random_range(low..=size).max(-world.micros(Key::bal(n, 0, token.into())));
            sum += change;
            sets.push(world.moved(n, 0, token, change));
        }
        let off = if rng.random_ratio(1, 16) { rng.random_range(-1..=1) } else { 0 };
        sets.push(world.moved(payer, 0, token, off - sum));
    }
    sets
}

/// Storage, mostly as it may be.
fn storage(parties: &[(u32, u8)], rng: &mut impl Rng) -> Vec<(Key, Leaf)> {
    let mut sets = Vec::new();
    for (n, place) in parties {
        if rng.random_bool(0.5) {
            let epoch = if rng.random_ratio(1, 16) { 2 } else { 1 };
            sets.push(stored(*n, *place, rng.random_range(0..24), rng.random_range(0..9), epoch));
        }
    }
    sets
}

/// A cell that nobody may write.
fn stray(rng: &mut impl Rng) -> (Key, Leaf) {
    let keys = [
        Key::ctl(2, 0),
        Key::HEAD,
        Key::sub(3, 0),
        Key::bal(2, 1, 0),
        key::policy(account(2), sub(0), slot(0)),
        key::limit(account(3), sub(0), slot(1), 1),
        key::storage(account(3), sub(0), slot(2), 4),
    ];
    (keys[rng.random_range(0..keys.len())], Leaf::default())
}

#[test]
fn judges_like_the_native_guard() {
    let rng = &mut StdRng::seed_from_u64(40);
    let mut world = World::approved();
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..160 {
        let parties = parties(rng);
        let mut sets = moves(&world, &parties, rng);
        sets.extend(storage(&parties, rng));
        if rng.random_ratio(1, 16) {
            sets.push(stray(rng));
        }
        let reads: Vec<Key> =
            (0..rng.random_range(0..4)).map(|_| Key::mkp(rng.random_range(0..256))).collect();
        let op = world.operation(&parties, &sets, &reads);
        let mut forged = world.clone();
        forged.records.clear();
        world.records.clear();
        forged.forge(op.clone(), &sets);
        match world.try_apply(op) {
            Ok(()) => {
                accepted += 1;
                assert_eq!(world.verdict(), "nowhere");
                assert_eq!(world.records[0].accesses, forged.records[0].accesses);
            }
            Err(reason) => {
                refused += 1;
                assert_ne!(forged.verdict(), "nowhere", "{reason}");
            }
        }
    }
    println!("{accepted} accepted, {refused} refused");
    assert!(accepted > 30 && refused > 30, "{accepted} accepted, {refused} refused");
}
