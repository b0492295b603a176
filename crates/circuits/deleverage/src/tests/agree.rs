//! Ledger and circuit say the same of ops, cells and prices that differ in one value from what the ledger accepted.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tsz_hash::Digest;
use tsz_ledger::{Cell, Key, MkoCell, MkpCell, MkrCell, PosCell, SubCell};
use tsz_stf::{Trusted, View};
use tsz_trade::{Party, TradeContext, TradeOp, apply_with};
use tsz_types::*;

use super::props::{history, who};
use super::world::*;
use crate::record::DeleverageRecord;

fn pick<T: Copy>(rng: &mut StdRng, of: &[T]) -> T {
    of[rng.random_range(0..of.len())]
}

/// Another op of the kind.
fn other_op(op: &mut TradeOp, rng: &mut StdRng) {
    match op {
        TradeOp::AdlRank(op) => {
            let n = op.holders.len();
            match rng.random_range(0..6) {
                0 => op.restart ^= true,
                1 => op.class = (op.class + rng.random_range(1..16)) % 16,
                2 => op.market = market((op.market.get() + 1) % MARKETS),
                3 if n > 0 => _ = op.holders.remove(rng.random_range(0..n)),
                4 if n > 1 => op.holders.swap(0, n - 1),
                _ => op.holders.push(who(rng)),
            }
        }
        TradeOp::Adl(op) => match rng.random_range(0..3) {
            0 => op.target = who(rng),
            1 => op.market = market((op.market.get() + 1) % MARKETS),
            _ => {
                let other = who(rng);
                op.counterparty = pick(rng, &[other, WHALE, Party::INSURANCE]);
            }
        },
        TradeOp::ForceLiquidate(op) => match rng.random_range(0..4) {
            0 => op.target = who(rng),
            1 => op.market = market(rng.random_range(0..6)),
            2 => op.sender.0[rng.random_range(0..20usize)] ^= 1,
            _ => {
                let other = who(rng);
                op.counterparty = pick(rng, &[None, Some(other), Some(WHALE)]);
            }
        },
        other => panic!("{other:?} is of another family"),
    }
}

/// The cell with something else, by a little or a lot, if it can be.
fn other_leaf(key: Key, leaf: &Digest, rng: &mut StdRng) -> Option<Digest> {
    let by: i128 = pick(rng, &[1, -1, 1_000_000, -1_000_000, 1 << 45, -(1 << 45)]);
    let (one, up) = (by.signum() as i64, by > 0);
    let near = |x: u64| if up { x.checked_add(1) } else { x.checked_sub(1) };
    let kind = |key: Key| key.raw() >> 32;
    Some(match kind(key) {
        k if k == kind(Key::mkp(0)) => {
            let cell = MkpCell::from_leaf(leaf).ok()?;
            let mark = u32::try_from(i64::from(cell.mark) + one).ok().filter(|mark| *mark > 0)?;
            let price_ts = if up { cell.price_ts } else { cell.price_ts.checked_sub(60_000)? };
            pick(rng, &[MkpCell { mark, ..cell }, MkpCell { price_ts, ..cell }]).to_leaf()
        }
        k if k == kind(Key::mko(0)) => {
            let cell = MkoCell::from_leaf(leaf).ok()?;
            let open_interest = near(cell.open_interest)?;
            let moves = near(cell.moves)?;
            pick(rng, &[MkoCell { moves, ..cell }, MkoCell { open_interest, ..cell }]).to_leaf()
        }
        k if k == kind(Key::mkr(0, 0, 0)) => {
            let cell = MkrCell::from_leaf(leaf).ok()?;
            let rank = if up { cell.rank + 1 } else { cell.rank.checked_sub(1)? };
            let remaining = near(cell.remaining)?;
            pick(rng, &[MkrCell { rank, ..cell }, MkrCell { remaining, ..cell }]).to_leaf()
        }
        _ if key.raw() >> 38 != 0 => return None,
        _ => match PosCell::from_leaf(leaf) {
            Ok(cell) if key.lo() & 511 >= 256 => {
                let size = cell.size() + one;
                (cell.size() != 0 && size != 0).then(|| PosCell::new(size, cell.funding()).ok())??.to_leaf()
            }
            _ if key.lo() & 511 == 0 => {
                let cell = SubCell::from_leaf(leaf).ok()?;
                let collateral = Collateral::new(cell.collateral.get() + by).ok()?;
                SubCell { collateral, ..cell }.to_leaf()
            }
            _ => return None,
        },
    })
}

/// One value of the op, or of one cell that it only reads, is another one.
fn disturb(world: &mut World, record: &mut DeleverageRecord, rng: &mut StdRng) {
    if rng.random_bool(0.4) {
        return other_op(&mut record.op, rng);
    }
    let written = |key: Key| record.accesses.iter().any(|access| access.write && access.key == key);
    let keys: Vec<Key> =
        record.accesses.iter().map(|access| access.key).filter(|key| !written(*key)).collect();
    if keys.is_empty() {
        return other_op(&mut record.op, rng);
    }
    let key = pick(rng, &keys);
    let Some(leaf) = other_leaf(key, &world.view.get(key), rng) else { return };
    world.view.set(key, leaf);
    for access in record.accesses.iter_mut().filter(|access| access.key == key) {
        (access.old, access.new) = (leaf, leaf);
    }
}

#[test]
fn circuit_and_ledger_agree_on_what_differs_in_one_value() {
    let mut rng = StdRng::seed_from_u64(3);
    // by kind of op: the same log, another one
    let mut seen = [[0; 2]; 3];
    for seed in 200..204 {
        let (world, _, before) = history(seed, 40);
        for (record, state) in world.records.iter().zip(before) {
            let mut lie = state;
            let mut record = DeleverageRecord { index: 0, ..record.clone() };
            disturb(&mut lie, &mut record, &mut rng);
            let ctx = TradeContext { batch: &lie.context, params: &lie.params };
            let applied = apply_with(&lie.view, &ctx, 0, &record.op, &Trusted);
            let agrees = applied.is_ok_and(|applied| applied.accesses == record.accesses);
            let kind = match record.op {
                TradeOp::AdlRank(_) => 0,
                TradeOp::Adl(_) => 1,
                _ => 2,
            };
            seen[kind][usize::from(!agrees)] += 1;
            lie.records = vec![record];
            assert_eq!(verdict(&lie) == "nowhere", agrees, "seed {seed}: {:?}", lie.records);
        }
    }
    println!("{seen:?}");
    assert!(seen.iter().all(|[same, other]| *same > 3 && *other > 2), "{seen:?}");
}
