//! The circuit accepts what the ledger accepts, and nothing that differs from it in one felt or one field.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tsz_air::{F, PrimeCharacteristicRing};
use tsz_ledger::Key;
use tsz_stf::Trusted;
use tsz_trade::ops::{Direction, MarginTransfer, PerpTrade};
use tsz_trade::order::{SelfTrade, Side, Tif, Trigger};
use tsz_trade::{TradeContext, TradeOp, apply_with};
use tsz_types::*;

use super::world::*;

fn pick<T: Copy>(rng: &mut StdRng, of: &[T]) -> T {
    of[rng.random_range(0..of.len())]
}

/// A random trade, sensible often enough to be accepted.
fn random_trade(w: &World, rng: &mut StdRng) -> PerpTrade {
    let m = pick(rng, &[0, 0, 1, 1, 2]);
    let p = rng.random_range(960..1_040u32);
    let side = pick(rng, &[Side::Buy, Side::Sell]);
    let other = if side == Side::Buy { Side::Sell } else { Side::Buy };
    let who = [rng.random_range(1..6u32), rng.random_range(2..6u32)];
    let mut signed = [side, other].into_iter().zip(who).map(|(side, who)| {
        let mut order = w.order(who, m, side, rng.random_range(1..200), p);
        let slot = rng.random_range(0..3u8);
        order.order.reduce_only = rng.random_bool(0.1);
        order.order.trigger = match rng.random_range(0..8) {
            0 => Trigger::Above(price(1_000)),
            1 => Trigger::Below(price(rng.random_range(990..1_010))),
            _ => Trigger::None,
        };
        let t = &mut order.order.terms;
        t.slot = Slot::new(slot).unwrap();
        t.sub = SubId::new(pick(rng, &[0, 0, 0, 1])).unwrap();
        t.nonce = w.ord(who, t.sub.get(), slot).next_nonce;
        t.tif = pick(rng, &[Tif::Gtt, Tif::Gtt, Tif::Ioc, Tif::Fok, Tif::PostOnly]);
        t.self_trade = pick(rng, &[SelfTrade::Decrement, SelfTrade::Reject]);
        t.broker = account(rng.random_range(0..6));
        t.broker_rate = rate(pick(rng, &[0, 0, 1, 300]));
        order
    });
    let (taker, maker) = (signed.next().unwrap(), signed.next().unwrap());
    drop(signed);
    let most = taker.order.terms.lots.get().min(maker.order.terms.lots.get());
    PerpTrade {
        lots: lots(rng.random_range(1..=most)),
        taker_fee: rate(rng.random_range(0..2_100)),
        maker_fee: rate(rng.random_range(-900..1_050)),
        close_taker: taker.order.terms.tif == Tif::Ioc && rng.random_bool(0.5),
        taker,
        maker,
    }
}

/// A random movement of margin.
fn random_margin(w: &World, rng: &mut StdRng) -> TradeOp {
    let who = rng.random_range(2..6);
    let token = pick(rng, &[0, 5, 5, 100, 9, 127, 6]);
    if rng.random_bool(0.2) {
        return w.exit(pick(rng, &[who, 77]), token).into();
    }
    let direction = pick(rng, &[Direction::In, Direction::Out]);
    let most = pick(rng, &[1u128 << 20, 30_000_000_000]);
    let mut op = w.transfer(who, direction, token, rng.random_range(1..most));
    if rng.random_bool(0.3) {
        op.amount = Balance::new(1 << 40).unwrap(); // all, where that is held
    }
    op.into()
}

/// A world of little margin where prices and funding move.
fn history(seed: u64, trades: usize) -> (World, Vec<World>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut world = World::new();
    let mut before = Vec::new();
    for k in 2..6 {
        world.set_collateral(k, 25_000_000_000);
        for token in [0, 5, 9, 100, 127] {
            world.set_balance(k, token, 1 << 40);
        }
    }
    for _ in 0..200 * trades {
        if world.records.len() == trades {
            break;
        }
        if rng.random_bool(0.02) {
            world.set_price(rng.random_range(0..3), rng.random_range(950..1_050));
            world.set_funding(rng.random_range(0..3), rng.random_range(-9_000_000..9_000_000));
        }
        let snapshot = world.clone();
        // A rejected trade is one that the operator leaves out.
        let op = match rng.random_bool(0.1) {
            true => random_margin(&world, &mut rng),
            false => random_trade(&world, &mut rng).into(),
        };
        if world.try_op(op).is_ok() {
            before.push(snapshot);
        }
    }
    (world, before)
}

#[test]
fn circuit_accepts_random_histories_of_the_ledger() {
    for seed in 0..6 {
        let (world, _) = history(seed, 30);
        assert!(world.records.len() >= 12, "seed {seed}: {} trades", world.records.len());
        judge(&world.witness()).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    }
}

#[test]
fn circuit_refuses_access_logs_that_differ_in_one_felt() {
    let mut rng = StdRng::seed_from_u64(99);
    let (world, _) = history(1, 4);
    for index in 0..world.records.len() {
        for access in 0..world.records[index].accesses.len() {
            let mut lie = world.clone();
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

/// Changes one field of a trade.
fn mutate(op: &mut PerpTrade, rng: &mut StdRng) {
    let up = rng.random_bool(0.5);
    let step = |x: u64| if up { x + 1 } else { x.saturating_sub(1) };
    let kind = rng.random_range(0..14);
    let order = if rng.random_bool(0.5) { &mut op.taker.order } else { &mut op.maker.order };
    let t = &mut order.terms;
    match kind {
        0 => t.lots = lots(step(t.lots.get())),
        1 => t.price = price(step(t.price.get().into()).max(1) as u32),
        2 => t.side = if t.side == Side::Buy { Side::Sell } else { Side::Buy },
        3 => t.tif = pick(rng, &[Tif::Gtt, Tif::Ioc, Tif::Fok, Tif::PostOnly]),
        4 => t.max_taker_fee = rate(rng.random_range(0..2_500)),
        5 => t.max_maker_fee = rate(rng.random_range(-1_000..1_000)),
        6 => t.broker_rate = rate(rng.random_range(0..500)),
        7 => order.reduce_only = !order.reduce_only,
        8 => {
            order.trigger =
                pick(rng, &[Trigger::None, Trigger::Above(price(1_000)), Trigger::Below(price(999))])
        }
        9 => t.nonce = Nonce::new(step(t.nonce.get().into()) as u32).unwrap(),
        10 => op.lots = lots(step(op.lots.get())),
        11 => op.taker_fee = rate(rng.random_range(0..2_000)),
        12 => op.maker_fee = rate(rng.random_range(-900..1_000)),
        _ => op.close_taker = !op.close_taker,
    }
}

#[test]
fn circuit_and_ledger_agree_on_trades_that_differ_in_one_field() {
    let mut rng = StdRng::seed_from_u64(7);
    let (world, before) = history(3, 12);
    let is_trade = |k: &usize| matches!(world.records[*k].op, TradeOp::PerpTrade(_));
    let trades: Vec<usize> = (0..before.len()).filter(is_trade).collect();
    let (mut same, mut other) = (0, 0);
    for round in 0..60 {
        let index = trades[round % trades.len()];
        let (record, state) = (&world.records[index], &before[index]);
        let mut op = world.fill(index).clone();
        mutate(&mut op, &mut rng);
        let ctx = TradeContext { batch: &state.context, params: &state.params };
        let applied = apply_with(&state.view, &ctx, 0, &op.clone().into(), &Trusted);
        let agrees = applied.is_ok_and(|applied| applied.accesses == record.accesses);
        let mut lie = world.clone();
        lie.records =
            vec![crate::PerpRecord { index: 0, op: world.sign(op.clone()).into(), ..record.clone() }];
        let accepted = lie.try_witness().is_ok_and(|witness| judge(&witness).is_ok());
        assert_eq!(accepted, agrees, "trade {index}: {op:?} instead of {:?}", record.op);
        if agrees { same += 1 } else { other += 1 }
    }
    assert!(same > 3 && other > 20, "{same} are the same trade, {other} are not");
}

/// Changes one field of a movement of margin.
fn mutate_margin(op: &TradeOp, rng: &mut StdRng) -> TradeOp {
    match op.clone() {
        TradeOp::MarginTransfer(op) => {
            let amount = op.amount.get() + u128::from(rng.random_bool(0.5));
            match rng.random_range(0..5) {
                0 => MarginTransfer { amount: Balance::new(amount).unwrap(), ..op },
                1 => MarginTransfer { account: account(rng.random_range(1..6)), ..op },
                2 => MarginTransfer { token: TokenId::new(pick(rng, &[0, 5, 9, 100])).unwrap(), ..op },
                3 => MarginTransfer { direction: pick(rng, &[Direction::In, Direction::Out]), ..op },
                _ => MarginTransfer { sub: SubId::new(rng.random_range(0..2)).unwrap(), ..op },
            }
            .into()
        }
        TradeOp::MarginExit(mut op) => {
            match rng.random_range(0..3) {
                0 => op.token = TokenId::new(pick(rng, &[0, 5, 6, 9, 100])).unwrap(),
                1 => op.party.account = account(rng.random_range(1..6)),
                _ => op.sender = EthAddress([pick(rng, &[7, 8]); 20]),
            }
            op.into()
        }
        other => other,
    }
}

#[test]
fn circuit_and_ledger_agree_on_movements_of_margin_that_differ_in_one_field() {
    let mut rng = StdRng::seed_from_u64(8);
    let (mut same, mut other) = (0, 0);
    for seed in 0..3 {
        let (world, before) = history(seed, 30);
        for (index, state) in before.iter().enumerate() {
            let record = &world.records[index];
            if matches!(record.op, TradeOp::PerpTrade(_)) {
                continue;
            }
            for _ in 0..4 {
                let mut op = mutate_margin(&record.op, &mut rng);
                let ctx = TradeContext { batch: &state.context, params: &state.params };
                let applied = apply_with(&state.view, &ctx, 0, &op, &Trusted);
                let agrees = applied.is_ok_and(|applied| applied.accesses == record.accesses);
                if let TradeOp::MarginTransfer(transfer) = op {
                    op = world.sign_transfer(transfer).into();
                }
                let mut lie = world.clone();
                lie.records = vec![crate::PerpRecord { index: 0, op: op.clone(), ..record.clone() }];
                let accepted = lie.try_witness().is_ok_and(|witness| judge(&witness).is_ok());
                assert_eq!(accepted, agrees, "op {index}: {op:?} instead of {:?}", record.op);
                if agrees { same += 1 } else { other += 1 }
            }
        }
    }
    assert!(same > 3 && other > 15, "{same} are the same, {other} are not");
}
