//! The circuit accepts what the ledger accepts, and nothing that differs from it in one felt.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tsz_air::{F, PrimeCharacteristicRing};
use tsz_ledger::Key;
use tsz_trade::ops::{AbsorbDebt, SeizeToken, SettlePair};
use tsz_trade::{Party, TradeOp};

use super::world::*;

fn wide(rng: &mut StdRng, bits: u32) -> u64 {
    rng.random_range(0..=u64::MAX >> (64 - bits)) >> rng.random_range(0..bits)
}

fn signed(rng: &mut StdRng, bits: u32) -> i64 {
    let x = wide(rng, bits) as i64;
    if rng.random_bool(0.5) { x } else { -x }
}

fn random_case(rng: &mut StdRng) -> Case {
    let bits = [8, 20, 48][rng.random_range(0..3usize)];
    let (a, b) = (wide(rng, 32).max(1) as u32, wide(rng, 32).max(1) as u32);
    let lots = wide(rng, bits);
    let more = |rng: &mut StdRng| if rng.random_bool(0.3) { lots.max(1) } else { wide(rng, bits).max(1) };
    let cash = |rng: &mut StdRng| i128::from(signed(rng, 62)) << rng.random_range(0..32u32);
    Case {
        market: rng.random_range(0..MARKETS),
        prices: (a.min(b), a.max(b)),
        long: more(rng),
        short: more(rng),
        lots,
        cash: core::array::from_fn(|_| cash(rng)),
        funding: core::array::from_fn(|_| signed(rng, 40)),
    }
}

/// Pairs and debts; what the ledger refuses is kept with the world before it.
fn history(seed: u64, ops: usize) -> (World, Vec<(World, TradeOp)>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut world = World::new();
    let mut refused = Vec::new();
    while world.records.len() < ops {
        let case = random_case(&mut rng);
        set(&mut world, &case);
        let kind = rng.random_range(0..10);
        let op: TradeOp = if kind < 5 {
            let insurance = rng.random_bool(0.1);
            let long = if insurance { Party::INSURANCE } else { party(2, 0) };
            if insurance {
                world.hold(long, case.market, case.long as i64, case.funding[0]);
            }
            SettlePair { long, ..World::pair(case.market, case.lots) }.into()
        } else {
            let target = party(rng.random_range(0..6), rng.random_range(3..5));
            world.give(target, i128::from(signed(&mut rng, 60)));
            if rng.random_bool(0.7) {
                for m in 0..MARKETS {
                    world.hold(Party::INSURANCE, m, 0, 0);
                }
            }
            let place = rng.random_range(0..3u8);
            world.set_price(wide(&mut rng, 20).max(1) as u32, TIME - 59_999 - wide(&mut rng, 2));
            let held = u128::from(wide(&mut rng, 62)) << rng.random_range(0..30u32);
            for m in 0..MARKETS {
                world.hold(target, m, 0, 0);
                if kind >= 8 && rng.random_bool(0.2) {
                    world.hold(target, m, signed(&mut rng, 20), signed(&mut rng, 30));
                }
            }
            for place in 0..3 {
                world.deposit(Party::INSURANCE, place, 0);
                world.deposit(target, place, 0);
            }
            if kind < 8 {
                if rng.random_bool(0.5) {
                    world.deposit(Party::INSURANCE, place, held);
                }
                AbsorbDebt { target }.into()
            } else {
                world.deposit(target, place, held);
                let amount = if rng.random_bool(0.3) { held } else { held >> rng.random_range(0..60u32) };
                SeizeToken { target, ..World::seize(place, amount) }.into()
            }
        };
        let before = World { records: Vec::new(), ..world.clone() };
        if world.try_apply(op.clone()).is_err() {
            refused.push((before, op));
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

/// The log that a rule would give if it did not refuse: that of an op that is accepted, on the refused one's cells.
#[test]
fn circuit_refuses_what_the_ledger_refuses() {
    let mut tried = 0;
    for seed in 100..106 {
        for (world, op) in history(seed, 30).1.into_iter().take(16) {
            let TradeOp::SettlePair(op) = op else { continue };
            let mut able = world.clone();
            let m = op.market.get();
            let size = op.lots.get().max(1) as i64;
            able.name(m, 900, 1_100);
            able.funding(m, 0);
            able.hold(op.long, m, size, 0);
            able.hold(op.short, m, -size, 0);
            able.give(op.long, 0);
            able.give(op.short, 0);
            able.give(Party::INSURANCE, 0);
            let with = SettlePair { lots: lots(size as u64), ..op.clone() };
            if able.try_apply(with).is_err() {
                continue;
            }
            // what was found is what was there, what is left is what the rule would have left
            able.records[0].op = op.into();
            for access in &mut able.records[0].accesses {
                access.old = tsz_stf::View::get(&world.view, access.key);
                if !access.write {
                    access.new = access.old;
                }
            }
            let refused = able.try_witness().map_or(true, |witness| judge(&witness).is_err());
            assert!(refused, "seed {seed}: {:?}", able.records);
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
