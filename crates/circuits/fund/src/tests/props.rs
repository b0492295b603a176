//! The circuit accepts what the ledger accepts, and nothing that differs from it in one felt.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tsz_air::{F, PrimeCharacteristicRing};
use tsz_ledger::{Cell, CtlCell, Key, OrdCell};
use tsz_stf::*;
use tsz_trade::ops::{CancelAll, CancelOrder};
use tsz_trade::{Op, TradeOp};
use tsz_types::*;

use super::oracle::judge;
use super::world::*;

/// A random op, sensible often enough to be accepted.
fn random_op(w: &World, rng: &mut StdRng) -> FundOp {
    let from = account(rng.random_range(0..6));
    let owner = if rng.random_bool(0.7) { OWNER } else { OTHER };
    let bucket = if rng.random_bool(0.5) { Bucket::Balance } else { Bucket::Collateral };
    let to_bucket = if rng.random_bool(0.5) { Bucket::Balance } else { Bucket::Collateral };
    let quote = bucket.is_collateral() || to_bucket.is_collateral();
    let token = token(if quote || rng.random_bool(0.5) { 0 } else { 5 });
    let size: u32 = rng.random_range(0..60);
    let units = units(rng.random_range(0..=1u64 << size));
    let from_sub = sub(rng.random_range(0..4));
    let key = rng.random_range(0..2usize);
    let (key_slot, nonce) = (slot(key as u8), w.nonce(2, from_sub.get()));
    let to_account = account(rng.random_range(0..5));
    let to_sub = sub(rng.random_range(0..4));
    match rng.random_range(0..12) {
        0..4 => {
            let t = Transfer {
                sub: from_sub,
                bucket,
                to_account,
                to_sub,
                to_bucket,
                token,
                units,
                nonce,
                key_slot,
                ..w.transfer()
            };
            w.sign(key, t)
        }
        4 => w.sign(key, Withdraw { sub: from_sub, bucket, token, units, nonce, key_slot, ..w.withdraw() }),
        5 => w.sign(0, RegisterKey { slot: slot(rng.random_range(2..48)), ..w.register() }),
        6 => w.sign(0, RevokeKey { slot: slot(rng.random_range(2..48)), ..w.revoke() }),
        7 | 8 => Deposit { account: from, sub: to_sub, bucket, token, units, owner, ..w.deposit(0) }.into(),
        9 => FullExit { account: from, sub: from_sub, bucket, token, sender: owner, ..w.exit() }.into(),
        10 => L1RegisterKey {
            account: from,
            slot: slot(rng.random_range(2..48)),
            sender: owner,
            ..w.l1_register()
        }
        .into(),
        _ => {
            L1RevokeKey { account: from, slot: slot(rng.random_range(2..48)), sender: owner, ..w.l1_revoke() }
                .into()
        }
    }
}

/// A random cancel by account 2, more often with the next nonce than with another.
fn random_cancel(w: &World, rng: &mut StdRng) -> TradeOp {
    let n = sub(rng.random_range(0..2));
    let order_slot = Slot::new(rng.random_range(0..3)).unwrap();
    let key = rng.random_range(0..2usize);
    if rng.random_bool(0.5) {
        let cell = w.view.get(Key::ord(2, n.get().into(), order_slot.get().into()));
        let next = OrdCell::from_leaf(&cell).unwrap().next_nonce.get();
        let width = rng.random_range(1..31);
        let far = rng.random_range(0..1u32 << width);
        let nonce =
            nonce([next, next.wrapping_add(far), next.saturating_sub(1)][rng.random_range(0..3usize)]);
        let op =
            CancelOrder { sub: n, slot: order_slot, nonce, key_slot: slot(key as u8), ..w.cancel_order() };
        return w.sign_cancel(key, op);
    }
    let ctl = CtlCell::from_leaf(&w.view.get(Key::ctl(2, n.get().into()))).unwrap();
    let CtlCell { nonce, kill_epoch } = ctl;
    let not_before = TimeMs::new(TIME - rng.random_range(0..1 << 30)).unwrap();
    let op = CancelAll { sub: n, nonce, kill_epoch, not_before, key_slot: slot(key as u8), ..w.cancel_all() };
    w.sign_cancel(key, op)
}

fn history(seed: u64, ops: usize) -> World {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut world = World::new();
    world.begin();
    for _ in 0..20 * ops {
        if world.records.len() == ops {
            break;
        }
        // A rejected op is one that the operator leaves out.
        if rng.random_bool(0.2) {
            let op = random_cancel(&world, &mut rng);
            let _ = world.try_cancel(op);
        } else {
            let op = random_op(&world, &mut rng);
            let _ = world.try_apply(op);
        }
    }
    world
}

#[test]
fn circuit_accepts_random_histories_of_the_ledger() {
    for seed in 0..24 {
        let world = history(seed, 40);
        assert!(world.records.len() > 30, "seed {seed}: {} ops", world.records.len());
        judge(&SMALL, &world.witness()).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    }
}

#[test]
fn circuit_refuses_access_logs_that_differ_in_one_felt() {
    let mut rng = StdRng::seed_from_u64(99);
    let world = history(1, 40);
    let mut tried = 0;
    for index in 0..world.records.len() {
        for access in 0..world.records[index].accesses.len() {
            let mut lie = World {
                view: world.view.clone(),
                keys: vec![],
                records: world.records.clone(),
                ..World::new()
            };
            let a = &mut lie.records[index].accesses[access];
            let felt = rng.random_range(0..8usize);
            let by = F::from_u32(if rng.random_bool(0.5) { 1 } else { rng.random_range(1..1 << 24) });
            match rng.random_range(0..4) {
                0 => a.key = Key::new(a.key.raw() ^ 1 << rng.random_range(0..40u32)).unwrap(),
                1 => a.write = !a.write,
                2 if a.write => a.new[felt] += by,
                _ => {
                    // Cells that an op reads and does not judge may hold anything: the transition proof knows.
                    if free_to_read(&lie.records[index].op, access, felt) {
                        continue;
                    }
                    lie.records[index].accesses[access].old[felt] += by;
                    let a = &mut lie.records[index].accesses[access];
                    // -0 is in no cell: every writer sees to that, and a reader need not
                    if felt == 4 && a.old[..4] == [F::ZERO; 4] {
                        continue;
                    }
                    if !a.write {
                        a.new = a.old;
                    }
                }
            }
            tried += 1;
            // A key id that no key has cannot even be put into the signature tables.
            let refused = lie.try_witness().map_or(true, |witness| judge(&SMALL, &witness).is_err());
            let record = &lie.records[index];
            assert!(
                refused,
                "op {index} access {access}: not noticed: {:?} {:?}",
                record.op, record.accesses
            );
        }
    }
    assert!(tried > 100);
}

/// Old values that may be another without making the op wrong: overwritten key slots and account cells, the parts of a head that
/// only a later op reads, a foreign owner of a refused op, chains (their new value is another then, which is
/// noticed), expiries and minima that leave room.
fn free_to_read(op: &Op, access: usize, felt: usize) -> bool {
    let op = match op {
        Op::Fund(op) => op,
        Op::Trade(TradeOp::CancelOrder(_)) => return access == 1 && felt < 4 || access == 2,
        Op::Trade(_) | Op::Auth(_) | Op::Ext(_) => return access == 1 && felt < 4,
    };
    match (op, access) {
        (FundOp::BeginBatch(_), _) | (FundOp::Deposit(_), 3) => true,
        (FundOp::Transfer(_), 0) => felt < 5,
        (FundOp::Transfer(_), 2) | (FundOp::Withdraw(_), 1) => felt < 4,
        (FundOp::Withdraw(_), 3) => true,
        (FundOp::RegisterKey(_) | FundOp::RevokeKey(_), 1 | 3 | 4) => true,
        (FundOp::L1RegisterKey(_) | FundOp::L1RevokeKey(_), 2..5) => true,
        (FundOp::FullExit(_), 2) => true,
        _ => false,
    }
}
