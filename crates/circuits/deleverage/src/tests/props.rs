//! The circuit accepts what the ledger accepts, and nothing that differs from it in one felt.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tsz_air::{F, PrimeCharacteristicRing};
use tsz_ledger::{Cell, Key, MkrCell};
use tsz_stf::View;
use tsz_trade::ops::{Adl, AdlRank};
use tsz_trade::{Party, Side, TradeOp};

use super::world::*;

fn wide(rng: &mut StdRng, bits: u32) -> u64 {
    rng.random_range(0..=u64::MAX >> (64 - bits)) >> rng.random_range(0..bits)
}

fn signed(rng: &mut StdRng, bits: u32) -> i64 {
    let x = wide(rng, bits) as i64;
    if rng.random_bool(0.5) { x } else { -x }
}

pub(super) fn who(rng: &mut StdRng) -> Party {
    party(rng.random_range(2..7), rng.random_range(0..2))
}

/// Positions, collateral, tokens, prices, funding.
fn shuffle(w: &mut World, rng: &mut StdRng) {
    for m in 0..MARKETS {
        if rng.random_bool(0.5) {
            w.set_funding(m, signed(rng, 30));
        }
        let age = if rng.random_bool(0.2) { 10_000_000 } else { rng.random_range(0..60_000) };
        w.set_price(m, 900 + wide(rng, 8) as u32, TIME - age);
    }
    for _ in 0..6 {
        let (p, m) = (who(rng), rng.random_range(0..MARKETS));
        let bits = [4, 12, 18][rng.random_range(0..3usize)];
        w.hold(p, m, signed(rng, bits), signed(rng, 25));
        w.give_margin(p, if rng.random_bool(0.7) { 0 } else { wide(rng, 50).into() });
    }
    if rng.random_bool(0.3) {
        w.hold(Party::INSURANCE, rng.random_range(0..MARKETS), signed(rng, 12), 0);
    }
    for m in 0..MARKETS {
        w.balance(m);
    }
    for p in World::everybody() {
        if p != WHALE && rng.random_bool(0.5) {
            let scale = rng.random_range(0..50u32);
            w.set_tav(p, i128::from(signed(rng, 20)) << scale);
        }
    }
}

/// Pages of a complete ranking of what a target needs, or of anything.
fn pages(w: &World, rng: &mut StdRng, target: Party, m: u8) -> Vec<TradeOp> {
    let mut all = w.rank(target, m);
    if rng.random_bool(0.1) {
        all.class = rng.random_range(0..17);
    }
    if rng.random_bool(0.1) {
        all.side = if all.side == Side::Buy { Side::Sell } else { Side::Buy };
    }
    if rng.random_bool(0.1) {
        all.holders.reverse();
    }
    let size = rng.random_range(1..6usize);
    let page =
        |(k, page): (usize, &[Party])| AdlRank { restart: k == 0, holders: page.to_vec(), ..all.clone() };
    all.holders.chunks(size).enumerate().map(page).map(TradeOp::from).collect()
}

/// What is tried against a target: its ranking, closes against some holders, demands on L1.
fn attempts(w: &World, rng: &mut StdRng, target: Party, m: u8) -> Vec<TradeOp> {
    let mut list = if rng.random_bool(0.9) { pages(w, rng, target, m) } else { Vec::new() };
    let mut holders = w.holders(target, m);
    if rng.random_bool(0.1) {
        holders.push(who(rng));
    }
    for _ in 0..4 {
        let counterparty = holders[rng.random_range(0..holders.len())];
        list.push(Adl { target, market: market(m), counterparty }.into());
        if rng.random_bool(0.2) {
            let with = if rng.random_bool(0.9) { Some(counterparty) } else { None };
            list.push(w.force(target, m, with).into());
        }
    }
    if rng.random_bool(0.2) {
        list.push(w.force(party(rng.random_range(0..9), 1), rng.random_range(0..6), None).into());
    }
    list
}

/// Ops on worlds that change; what the ledger refuses with the world before it; the worlds before what it accepts.
pub(super) fn history(seed: u64, ops: usize) -> (World, Vec<(World, TradeOp)>, Vec<World>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut world = bankrupt();
    let (mut refused, mut accepted) = (Vec::new(), Vec::new());
    while world.records.len() < ops {
        if rng.random_bool(0.5) {
            shuffle(&mut world, &mut rng);
        }
        let m = rng.random_range(0..MARKETS);
        let open = |p: &Party| *p != WHALE && world.size(*p, m) != 0;
        let targets: Vec<Party> = World::everybody().into_iter().filter(open).collect();
        if targets.is_empty() {
            continue;
        }
        let target = targets[rng.random_range(0..targets.len())];
        if rng.random_bool(0.8) {
            world.set_tav(target, -i128::from(wide(&mut rng, 50)));
        }
        if target != Party::INSURANCE {
            let own = if rng.random_bool(0.7) { 0 } else { wide(&mut rng, 60) };
            world.give(Party::INSURANCE, own.into());
        }
        for mut op in attempts(&world, &mut rng, target, m) {
            if let TradeOp::ForceLiquidate(op) = &mut op {
                op.serial = world.force(target, m, None).serial;
            }
            let before = World { records: Vec::new(), ..world.clone() };
            if world.records.len() == ops {
                continue;
            }
            match world.try_apply(op.clone()) {
                Ok(_) => accepted.push(before),
                Err(_) => refused.push((before, op)),
            }
        }
    }
    (world, refused, accepted)
}

#[test]
fn circuit_accepts_random_histories_of_the_ledger() {
    let mut kinds = [0; 3];
    let mut lengths = std::collections::BTreeSet::new();
    for seed in 0..12 {
        let (world, ..) = history(seed, 40);
        for record in &world.records {
            match &record.op {
                TradeOp::AdlRank(_) => kinds[0] += 1,
                TradeOp::Adl(_) => kinds[1] += 1,
                _ => {
                    kinds[2] += 1;
                    lengths.insert(record.accesses.len());
                }
            }
        }
        assert_eq!(verdict(&world), "nowhere", "seed {seed}");
    }
    println!("{kinds:?} {lengths:?}");
    assert!(kinds.iter().all(|n| *n > 20) && lengths.len() > 8, "{kinds:?} {lengths:?}");
}

/// The log that a rule would give if it did not refuse: that of an op that is accepted, on the refused one's cells.
#[test]
fn circuit_refuses_what_the_ledger_refuses() {
    let mut tried = 0;
    for seed in 100..106 {
        for (world, op) in history(seed, 30).1.into_iter().take(40) {
            let TradeOp::Adl(op) = op else { continue };
            let mut able = world.clone();
            let m = op.market.get();
            if op.target == op.counterparty
                || able.size(op.target, m) == 0
                || able.size(op.counterparty, m) == 0
            {
                continue;
            }
            for k in 0..MARKETS {
                let ticks = tsz_ledger::MkpCell::from_leaf(&able.view.get(Key::mkp(k.into()))).unwrap().mark;
                able.set_price(k, ticks, TIME);
            }
            able.set_tav(op.target, -1);
            able.set_tav(op.counterparty, 1 << 90);
            if op.target != Party::INSURANCE {
                able.set_tav(Party::INSURANCE, -1);
            }
            let class = able.class(op.target, m).unwrap_or(15);
            let side = u32::from(able.size(op.target, m) > 0);
            let cell = MkrCell { moves: able.mko(m).moves, price_ts: TIME, rank: 1, ..MkrCell::default() };
            able.view.set(Key::mkr(m.into(), side, class.into()), cell.to_leaf());
            if able.try_apply(op).is_err() {
                continue;
            }
            // what was found is what was there, what is left is what the rule would have left
            for access in &mut able.records[0].accesses {
                access.old = world.view.get(access.key);
                if !access.write {
                    access.new = access.old;
                }
            }
            assert_ne!(verdict(&able), "nowhere", "seed {seed}: {:?}", able.records);
            tried += 1;
        }
    }
    assert!(tried > 20, "{tried}");
}

#[test]
fn circuit_refuses_access_logs_that_differ_in_one_felt() {
    let mut rng = StdRng::seed_from_u64(99);
    let (world, ..) = history(1, 10);
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
                assert_ne!(verdict(&lie), "nowhere", "op {index} access {access} case {case}");
            }
        }
    }
}
