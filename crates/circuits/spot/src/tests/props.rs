//! The circuit accepts what the ledger accepts, and nothing that differs from it in one felt.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tsz_air::{F, PrimeCharacteristicRing};
use tsz_ledger::Key;
use tsz_trade::ops::SpotTrade;
use tsz_trade::order::{SelfTrade, Side, Tif};
use tsz_types::*;

use super::world::*;

/// A random trade, sensible often enough to be accepted.
fn random_trade(w: &World, rng: &mut StdRng) -> SpotTrade {
    let market = [0u16, 0, 1, 3][rng.random_range(0..4usize)];
    let p = if market == 3 { rng.random_range(1..6) } else { 1 + rng.random_range(0..3u32) };
    let signed = |rng: &mut StdRng, side| {
        let who = rng.random_range(1..6u32);
        let mut order = w.order(who, market, side, rng.random_range(1..20), p);
        let t = &mut order.order.terms;
        let slot = rng.random_range(0..3u8);
        t.slot = Slot::new(slot).unwrap();
        t.sub = SubId::new(rng.random_range(0..2)).unwrap();
        t.nonce = w.ord(who, t.sub.get(), slot).next_nonce;
        if rng.random_bool(0.1) {
            t.nonce = Nonce::new(t.nonce.get() + rng.random_range(1..1 << 25)).unwrap();
        }
        t.tif = [Tif::Gtt, Tif::Gtt, Tif::Ioc, Tif::Fok, Tif::PostOnly][rng.random_range(0..5usize)];
        t.self_trade = if rng.random_bool(0.5) { SelfTrade::Decrement } else { SelfTrade::Reject };
        t.broker = account(rng.random_range(0..7));
        t.broker_rate = rate([0, 0, 1, 300][rng.random_range(0..4usize)]);
        order
    };
    let side = if rng.random_bool(0.5) { Side::Buy } else { Side::Sell };
    let other = if side == Side::Buy { Side::Sell } else { Side::Buy };
    let (taker, maker) = (signed(rng, side), signed(rng, other));
    let most = taker.order.terms.lots.get().min(maker.order.terms.lots.get());
    SpotTrade {
        lots: lots(rng.random_range(1..=most)),
        taker_fee: rate(rng.random_range(0..2_600)),
        maker_fee: rate(rng.random_range(0..1_100)),
        close_taker: taker.order.terms.tif == Tif::Ioc && rng.random_bool(0.5),
        taker,
        maker,
    }
}

fn history(seed: u64, trades: usize) -> World {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut world = World::new();
    for _ in 0..120 * trades {
        if world.records.len() == trades {
            break;
        }
        let op = match world.records.last() {
            // the same maker again, so that partial fills go on
            Some(last) if rng.random_bool(0.3) => {
                SpotTrade { taker: random_trade(&world, &mut rng).taker, lots: lots(1), ..last.op.clone() }
            }
            _ => random_trade(&world, &mut rng),
        };
        // A rejected trade is one that the operator leaves out.
        let _ = world.try_apply(op);
    }
    world
}

#[test]
fn circuit_accepts_random_histories_of_the_ledger() {
    for seed in 0..12 {
        let world = history(seed, 30);
        assert!(world.records.len() >= 12, "seed {seed}: {} trades", world.records.len());
        judge(&world.witness()).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    }
}

#[test]
fn circuit_refuses_access_logs_that_differ_in_one_felt() {
    let mut rng = StdRng::seed_from_u64(99);
    let world = history(1, 6);
    for index in 0..world.records.len() {
        for access in 0..world.records[index].accesses.len() {
            let mut lie = World { records: world.records.clone(), ..World::new() };
            let a = &mut lie.records[index].accesses[access];
            let felt = rng.random_range(0..8usize);
            match rng.random_range(0..3) {
                0 => a.key = Key::new(a.key.raw() ^ 1 << rng.random_range(0..40u32)).unwrap(),
                1 => a.write = !a.write,
                _ if a.write => a.new[felt] += F::ONE,
                _ => continue, // what is only read is for the transition proof to know
            }
            let refused = lie.try_witness().map_or(true, |witness| judge(&witness).is_err());
            assert!(refused, "trade {index} access {access}: not noticed");
        }
    }
}
