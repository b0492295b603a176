//! The circuit accepts what the ledger accepts, and nothing that differs from it in one felt or one field.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tsz_air::{F, PrimeCharacteristicRing};
use tsz_hash::Digest;
use tsz_ledger::{Cell, Key, MkpCell, SubCell};
use tsz_stf::{Trusted, View};
use tsz_trade::order::{PerpOrder, Side, Signed};
use tsz_trade::{Party, TradeContext, TradeOp, apply_with};
use tsz_types::*;

use super::world::*;
use crate::LiquidateRecord;

fn pick<T: Copy>(rng: &mut StdRng, of: &[T]) -> T {
    of[rng.random_range(0..of.len())]
}

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
            world.set_margin(account, rng.random_range(1..1 << 30));
        }
        let unit = if m == 0 { 1_000 } else { 10_000 };
        let kept = rng.random_range(-50..150i128);
        let value = i128::from(size) * unit * 1_000_000;
        world.set_collateral(account, -value + value.abs() * kept / 1_000);
    }
    for m in 0..2 {
        let size = pick(rng, &[-9_000, 9_000]);
        world.hold(7, m, size, 0);
    }
    world.set_collateral(7, 200_000_000_000_000);
    world.hold(8, 0, pick(rng, &[-4_000, 4_000]), 0);
    world.set_collateral(8, 20_000_000_000_000);
    world.set_funding(0, rng.random_range(-100_000..100_000));
    world
}

/// A maker on the other side: one that grows or one that may shrink.
fn random_maker(world: &World, rng: &mut StdRng, m: u8, side: Side, n: u64) -> Signed<PerpOrder> {
    let p = rng.random_range(945..1_055);
    let mut order = world.order(pick(rng, &[MAKER, MAKER, 7]), m, side, n + pick(rng, &[0, 5]), p);
    if rng.random_bool(0.3) {
        order.order.terms.broker = AccountId::new(rng.random_range(2..10)).unwrap();
        order.order.terms.broker_rate = rate(rng.random_range(0..200));
    }
    order.order.reduce_only = rng.random_bool(0.1);
    order
}

fn random_op(world: &World, rng: &mut StdRng) -> TradeOp {
    let most = pick(rng, &[2, 300, 6_000]);
    let (account, m, n) = (rng.random_range(2..6), rng.random_range(0..2), rng.random_range(1..most));
    let fee = rate(rng.random_range(-50..1_000));
    match rng.random_range(0..10) {
        0..2 => world.op(account, m, n).into(),
        2..6 => {
            let mut op = world.liquidate(account, m, n, 1_000);
            op.maker = random_maker(world, rng, m, op.maker.order.terms.side, n);
            op.maker_fee = fee;
            op.into()
        }
        _ => {
            let (account, m) =
                pick(rng, &[(8, 0), (8, 0), (8, 0), (8, 0), (account, m), (2, 3), (2, 4), (2, 7)]);
            let mut op = world.forced(account, m, n.min(900), 1_000);
            let fill = op.fill.as_mut().unwrap();
            fill.maker = random_maker(world, rng, m, fill.maker.order.terms.side, n);
            fill.maker_fee = fee;
            fill.taker_fee = rate(rng.random_range(0..2_100));
            if rng.random_bool(0.1) {
                op.sender = EthAddress([8; 20]);
            }
            if rng.random_bool(0.1) {
                op.limit = price(rng.random_range(940..1_060));
            }
            if rng.random_bool(0.1) {
                op.side = if op.side == Side::Buy { Side::Sell } else { Side::Buy };
            }
            op.into()
        }
    }
}

/// What the ledger did, with the world before each.
fn history(seed: u64) -> (World, Vec<World>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut world = random_world(&mut rng);
    let mut before = Vec::new();
    for _ in 0..200 {
        if world.records.len() == 30 {
            break;
        }
        if rng.random_bool(0.1) {
            world.set_price(0, rng.random_range(950..1_050), TIME - rng.random_range(0..61_000));
        }
        let (state, op) = (world.clone(), random_op(&world, &mut rng));
        // what is refused is left out
        if world.try_apply(op).is_ok() {
            before.push(state);
        }
    }
    (world, before)
}

#[test]
fn circuit_accepts_random_histories_of_the_ledger() {
    let mut kinds = std::collections::BTreeMap::new();
    for seed in 0..8 {
        let (world, _) = history(seed);
        for record in &world.records {
            let writes = record.accesses.iter().filter(|access| access.write).count();
            *kinds.entry((record.op.code(), writes)).or_insert(0) += 1;
        }
        judge(&world.try_witness().unwrap()).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    }
    // takeovers; closes without and with a broker; refused and filled requests
    for kind in [(51, 5), (50, 8), (50, 9), (41, 2), (41, 9), (41, 10)] {
        assert!(kinds.get(&kind).is_some_and(|n| *n > 3), "{kind:?} in {kinds:?}");
    }
}

fn maker(op: &mut TradeOp) -> Option<&mut Signed<PerpOrder>> {
    match op {
        TradeOp::Liquidate(op) => Some(&mut op.maker),
        TradeOp::ForcedClose(op) => op.fill.as_mut().map(|fill| &mut fill.maker),
        _ => None,
    }
}

fn parts(op: &mut TradeOp) -> (&mut Party, &mut MarketId, &mut Lots) {
    match op {
        TradeOp::Takeover(op) => (&mut op.target, &mut op.market, &mut op.lots),
        TradeOp::Liquidate(op) => (&mut op.target, &mut op.market, &mut op.lots),
        TradeOp::ForcedClose(op) => (&mut op.party, &mut op.market, &mut op.lots),
        other => panic!("{other:?} is of another family"),
    }
}

/// The log with another op, price, or collateral before and after, and the world that it is of.
fn disturb(world: &mut World, record: &mut LiquidateRecord, rng: &mut StdRng) {
    let by: i128 = pick(rng, &[1, -1, 1_000_000, -1_000_000, 1 << 40, -(1 << 40)]);
    let one = by.signum() as i64;
    let case = rng.random_range(0..8);
    if let (6..8, Some(order)) = (case, maker(&mut record.op)) {
        let terms = &mut order.order.terms;
        match case {
            6 => terms.price = price((i64::from(terms.price.get()) + one) as u32),
            _ => terms.lots = lots((terms.lots.get() as i64 + one) as u64),
        }
        return;
    }
    let account = maker(&mut record.op).map_or(1, |order| order.order.terms.account.get());
    let (target, market, n) = parts(&mut record.op);
    let key = match case {
        0 => return *n = lots((n.get() as i64 + one) as u64),
        1 => return target.account = AccountId::new(rng.random_range(1..6)).unwrap(),
        2 | 6 => target.sub_key(),
        3 | 7 => party(account).sub_key(),
        4 => Party::INSURANCE.sub_key(),
        _ => Key::mkp(market.get().into()),
    };
    let change = |leaf: &mut Digest| {
        if key == Key::mkp(u32::from(market.get())) {
            let cell = MkpCell::from_leaf(leaf).unwrap();
            let mark = u32::try_from(i64::from(cell.mark) + one).unwrap_or(0);
            *leaf = if mark == 0 { Digest::default() } else { MkpCell { mark, ..cell }.to_leaf() };
        } else {
            let cell = SubCell::from_leaf(leaf).unwrap();
            let collateral = Collateral::new(cell.collateral.get() + by).unwrap();
            *leaf = SubCell { collateral, ..cell }.to_leaf();
        }
    };
    let mut leaf = world.view.get(key);
    if leaf == Digest::default() && key == Key::mkp(market.get().into()) {
        return;
    }
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
            let mut lie = World { records: Vec::new(), ..state.clone() };
            let mut record = LiquidateRecord { index: 0, ..record.clone() };
            disturb(&mut lie, &mut record, &mut rng);
            record.op = lie.signed(record.op);
            let ctx = TradeContext { batch: &lie.context, params: &lie.params };
            let applied = apply_with(&lie.view, &ctx, 0, &record.op, &Trusted);
            let agrees = applied.is_ok_and(|applied| applied.accesses == record.accesses);
            lie.records = vec![record];
            let accepted = lie.try_witness().is_ok_and(|witness| judge(&witness).is_ok());
            assert_eq!(accepted, agrees, "seed {seed}: {:?}", lie.records);
            if agrees { same += 1 } else { other += 1 }
        }
    }
    assert!(same > 20 && other > 40, "{same} are the same, {other} are not");
}

#[test]
fn circuit_refuses_access_logs_that_differ_in_one_felt() {
    let mut rng = StdRng::seed_from_u64(99);
    let (world, _) = history(1);
    for record in &world.records {
        let mut alone = world.clone();
        alone.records = vec![LiquidateRecord { index: 0, ..record.clone() }];
        for access in 0..record.accesses.len() {
            let mut lie = alone.clone();
            let a = &mut lie.records[0].accesses[access];
            match rng.random_range(0..3) {
                0 => a.key = Key::new(a.key.raw() ^ 1 << rng.random_range(0..40u32)).unwrap(),
                1 => a.write = !a.write,
                _ if a.write => a.new[rng.random_range(0..8usize)] += F::ONE,
                _ => continue, // what is only read is for the transition proof to know
            }
            let refused = lie.try_witness().map_or(true, |witness| judge(&witness).is_err());
            assert!(refused, "op {} access {access}: not noticed", record.index);
        }
    }
}
