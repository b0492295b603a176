//! The circuit accepts what the ledger accepts, and nothing that differs from it in one felt or one field.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tsz_air::{F, PrimeCharacteristicRing};
use tsz_hash::Digest;
use tsz_ledger::{Cell, Key, MkpCell, SubCell};
use tsz_stf::{Trusted, View};
use tsz_trade::ops::Takeover;
use tsz_trade::{Party, TradeContext, TradeOp, apply_with};
use tsz_types::*;

use super::world::*;
use crate::LiquidateRecord;

/// Accounts in trouble, insurance that may be poor, prices and funding that move.
fn random_world(rng: &mut StdRng) -> World {
    let mut world = World::new();
    if rng.random_bool(0.3) {
        world.set_collateral(1, 1 << rng.random_range(30..48));
    }
    for account in 2..6 {
        let size = rng.random_range(1..6_000i64) * if rng.random_bool(0.5) { 1 } else { -1 };
        let m = rng.random_range(0..2u8);
        world.hold(account, m, size, rng.random_range(-1_000..1_000));
        if rng.random_bool(0.4) {
            world.hold(account, 1 - m, rng.random_range(1..9), 7);
        }
        if rng.random_bool(0.3) {
            world.set_margin(account, rng.random_range(1..1 << 40));
        }
        let unit = if m == 0 { 1_000 } else { 10_000 };
        let kept = rng.random_range(-100..100i128);
        let value = i128::from(size) * unit * 1_000_000;
        world.set_collateral(account, -value + value.abs() * kept / 1_000);
    }
    world.set_funding(0, rng.random_range(-100_000..100_000));
    world
}

fn random_takeover(world: &World, rng: &mut StdRng) -> Takeover {
    let most = [2, 300, 6_000][rng.random_range(0..3usize)];
    world.op(rng.random_range(2..6), rng.random_range(0..2), rng.random_range(1..most))
}

/// What the ledger did, with the world before each.
fn history(seed: u64) -> (World, Vec<World>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut world = random_world(&mut rng);
    let mut before = Vec::new();
    for _ in 0..40 {
        if rng.random_bool(0.1) {
            world.set_price(0, rng.random_range(950..1_050), TIME - rng.random_range(0..61_000));
        }
        let (state, op) = (world.clone(), random_takeover(&world, &mut rng));
        // what is refused is left out
        if world.try_apply(op).is_ok() {
            before.push(state);
        }
    }
    (world, before)
}

#[test]
fn circuit_accepts_random_histories_of_the_ledger() {
    let mut accepted = 0;
    for seed in 0..12 {
        let (world, _) = history(seed);
        accepted += world.records.len();
        judge(&world.try_witness().unwrap()).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    }
    assert!(accepted > 60, "{accepted} takeovers");
}

/// The log with another price, or another collateral before and after, and the world that it is of.
fn disturb(world: &mut World, record: &mut LiquidateRecord, rng: &mut StdRng) {
    let TradeOp::Takeover(op) = &mut record.op else { panic!("no takeover") };
    let by: i128 = [1, -1, 1_000_000, -1_000_000, 1 << 40, -(1 << 40)][rng.random_range(0..6usize)];
    let key = match rng.random_range(0..5) {
        0 => return op.lots = Lots::new((op.lots.get() as i128 + by.signum()) as u64).unwrap(),
        1 => return op.target.account = AccountId::new(rng.random_range(1..6)).unwrap(),
        2 => op.target.sub_key(),
        3 => Party::INSURANCE.sub_key(),
        _ => Key::mkp(op.market.get().into()),
    };
    let change = |leaf: &mut Digest| {
        if key == Key::mkp(u32::from(op.market.get())) {
            let cell = MkpCell::from_leaf(leaf).unwrap();
            let mark = (i64::from(cell.mark) + by.signum() as i64) as u32;
            *leaf = MkpCell { mark, ..cell }.to_leaf();
        } else {
            let cell = SubCell::from_leaf(leaf).unwrap();
            let collateral = Collateral::new(cell.collateral.get() + by).unwrap();
            *leaf = SubCell { collateral, ..cell }.to_leaf();
        }
    };
    let mut leaf = world.view.get(key);
    change(&mut leaf);
    world.view.set(key, leaf);
    for access in record.accesses.iter_mut().filter(|access| access.key == key) {
        change(&mut access.old);
        change(&mut access.new);
    }
}

#[test]
fn circuit_and_ledger_agree_on_what_differs_in_one_field() {
    let mut rng = StdRng::seed_from_u64(3);
    let (mut same, mut other) = (0, 0);
    for seed in 0..6 {
        let (world, before) = history(seed);
        for (record, state) in world.records.iter().zip(before) {
            for _ in 0..3 {
                let mut lie = World { records: Vec::new(), ..state.clone() };
                let mut record = LiquidateRecord { index: 0, ..record.clone() };
                disturb(&mut lie, &mut record, &mut rng);
                let ctx = TradeContext { batch: &lie.context, params: &lie.params };
                let applied = apply_with(&lie.view, &ctx, 0, &record.op, &Trusted);
                let agrees = applied.is_ok_and(|applied| applied.accesses == record.accesses);
                lie.records = vec![record];
                let accepted = lie.try_witness().is_ok_and(|witness| judge(&witness).is_ok());
                assert_eq!(accepted, agrees, "seed {seed}: {:?}", lie.records);
                if agrees { same += 1 } else { other += 1 }
            }
        }
    }
    assert!(same > 20 && other > 40, "{same} are the same, {other} are not");
}

#[test]
fn circuit_refuses_access_logs_that_differ_in_one_felt() {
    let mut rng = StdRng::seed_from_u64(99);
    let (world, _) = history(1);
    for index in 0..world.records.len() {
        for access in 0..world.records[index].accesses.len() {
            let mut lie = world.clone();
            let a = &mut lie.records[index].accesses[access];
            match rng.random_range(0..3) {
                0 => a.key = Key::new(a.key.raw() ^ 1 << rng.random_range(0..40u32)).unwrap(),
                1 => a.write = !a.write,
                _ if a.write => a.new[rng.random_range(0..8usize)] += F::ONE,
                _ => continue, // what is only read is for the transition proof to know
            }
            let refused = lie.try_witness().map_or(true, |witness| judge(&witness).is_err());
            assert!(refused, "op {index} access {access}: not noticed");
        }
    }
}
