//! The circuit accepts what the ledger accepts, and nothing that differs from it in one felt.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tsz_air::{F, PrimeCharacteristicRing};
use tsz_ledger::{Access, Cell, Key, MkpCell, MksCell};
use tsz_stf::View;
use tsz_trade::TradeOp;
use tsz_trade::ops::{OracleUpdate, PremiumSample};

use super::world::*;

/// A random update, sensible often enough to be accepted.
fn random_update(w: &World, rng: &mut StdRng) -> OracleUpdate {
    let m = rng.random_range(0..4u8);
    let base = w.price(m).index.max(1);
    let mut signers: Vec<u8> = (0..SIGNERS as u8).filter(|_| rng.random_bool(0.8)).collect();
    if rng.random_bool(0.05) && signers.len() > 1 {
        signers[0] = signers[1];
    }
    let wide = rng.random_bool(0.3);
    let breaker = rng.random_bool(0.2);
    let now = w.context.time;
    let near = |rng: &mut StdRng| {
        let span = if wide { base / 5 } else { base / 12 } + 2;
        (base + rng.random_range(0..span)).saturating_sub(rng.random_range(0..span)).max(1)
    };
    let report = |signer: &u8| {
        let t = now + rng.random_range(0..5_010) - rng.random_range(0..60_020).min(now);
        let index = near(rng);
        let mut report = w.report(*signer, index, t);
        report.mark = near(rng);
        report.confidence = rng.random();
        report.breaker = breaker && rng.random_bool(0.95);
        report
    };
    OracleUpdate { market: market(m), reports: signers.iter().map(report).collect() }
}

/// A random sample, sensible often enough to be accepted.
fn random_sample(w: &World, rng: &mut StdRng) -> PremiumSample {
    let signers: Vec<u8> = (0..SIGNERS as u8).filter(|_| rng.random_bool(0.85)).collect();
    let span = [2, 1_000, 1_000_001][rng.random_range(0..3usize)];
    let mut op = w.sample(rng.random_range(0..4u8), &vec![0; signers.len()]);
    for (report, signer) in op.reports.iter_mut().zip(signers) {
        report.signer = signer;
        report.premium = rng.random_range(-span..=span);
    }
    op
}

fn random_op(w: &World, rng: &mut StdRng) -> TradeOp {
    if rng.random_bool(0.5) { random_update(w, rng).into() } else { random_sample(w, rng).into() }
}

/// A history, and the ops that the ledger refused with the access log that it would have had.
fn history(seed: u64, ops: usize) -> (World, Vec<(World, TradeOp)>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut world = World::new();
    for m in 0..3 {
        if rng.random_bool(0.7) {
            world.set_price(m, rng.random_range(1..u32::MAX - 10) >> rng.random_range(0..32), TIME - 60_000);
        }
    }
    let mut refused = Vec::new();
    for _ in 0..400 {
        if world.records.len() == ops {
            break;
        }
        let op = random_op(&world, &mut rng);
        if world.try_apply(op.clone()).is_err() {
            refused.push((World { records: Vec::new(), ..world.clone() }, op));
        }
    }
    (world, refused)
}

#[test]
fn circuit_accepts_random_histories_of_the_ledger() {
    for seed in 0..16 {
        let (world, _) = history(seed, 10);
        assert!(world.records.len() >= 3, "seed {seed}: {} ops", world.records.len());
        judge(&world.witness()).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    }
}

/// The log that an op would have if no rule stood against it.
fn claimed(w: &World, op: &TradeOp) -> Option<Vec<Access>> {
    match op {
        TradeOp::OracleUpdate(op) => {
            let key = Key::mkp(op.market.get().into());
            Some(vec![Access::write(key, w.view.get(key), price(op)?.to_leaf())])
        }
        TradeOp::PremiumSample(op) => {
            let [mkf, mks] = [Key::mkf(op.market.get().into()), Key::mks(op.market.get().into())];
            let premiums: Vec<i32> = op.reports.iter().map(|r| r.premium).collect();
            let median = tsz_risk::oracle::lower_median(&premiums).ok()?;
            let MksCell { sum, minute } = w.sum(op.market.get());
            let new = MksCell { sum: sum + i64::from(median), minute: minute + 1 };
            let read = Access::read(mkf, w.view.get(mkf));
            Some(vec![read, Access::write(mks, w.view.get(mks), new.to_leaf())])
        }
        _ => None,
    }
}

fn price(op: &OracleUpdate) -> Option<MkpCell> {
    let median = |prices: Vec<u32>| tsz_risk::oracle::lower_median(&prices).ok();
    Some(MkpCell {
        index: median(op.reports.iter().map(|r| r.index).collect())?,
        mark: median(op.reports.iter().map(|r| r.mark).collect())?,
        price_ts: op.reports.iter().map(|r| r.ts.get()).min()?,
        settled: false,
    })
}

#[test]
fn circuit_refuses_what_the_ledger_refuses() {
    let mut tried = 0;
    for seed in 100..104 {
        for (mut world, op) in history(seed, 10).1.into_iter().take(24) {
            let Some(accesses) = claimed(&world, &op) else { continue };
            let op = world.sign(op);
            world.records = vec![crate::OracleRecord { index: 0, op, accesses }];
            let refused = world.try_witness().map_or(true, |witness| judge(&witness).is_err());
            assert!(refused, "seed {seed}: {:?}", world.records[0].op);
            tried += 1;
        }
    }
    assert!(tried > 40, "{tried}");
}

#[test]
fn circuit_refuses_access_logs_that_differ_in_one_felt() {
    let mut rng = StdRng::seed_from_u64(99);
    let (world, _) = history(1, 8);
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
