//! Lies about cancels.

use tsz_air::{F, PrimeCharacteristicRing};
use tsz_hash::Digest;
use tsz_ledger::{Access, Cell, CtlCell, Key, OrdCell};
use tsz_stf::View;
use tsz_trade::TradeOp;
use tsz_trade::ops::{CancelAll, CancelOrder};
use tsz_types::*;

use super::lies::{access, f, verdict, verdict_with_cells};
use super::world::*;
use crate::tables as t;

fn one(key: usize, op: impl Fn(&World) -> TradeOp) -> World {
    let mut world = World::new();
    let op = world.sign_cancel(key, op(&world));
    world.cancel(op);
    world
}

fn one_order() -> World {
    one(0, |w| w.cancel_order().into())
}

fn one_all() -> World {
    one(0, |w| w.cancel_all().into())
}

#[test]
fn the_honest_cancels_are_accepted() {
    assert_eq!((verdict(&one_order()), verdict(&one_all())), ("nowhere".into(), "nowhere".into()));
}

#[test]
fn rejects_a_forged_signature_of_a_cancel() {
    assert_eq!(verdict(&one(2, |w| w.cancel_order().into())), "bus:schnorr");
    assert_eq!(verdict(&one(2, |w| w.cancel_all().into())), "bus:schnorr");
}

#[test]
fn rejects_a_cancel_by_a_key_that_may_not_trade() {
    for mut world in [one_order(), one_all()] {
        // the key cells of slot 1 hold a key of internal transfers only
        for (k, key) in [Key::key_a(2, 1), Key::key_b(2, 1)].into_iter().enumerate() {
            let value = world.view.get(key);
            *access(&mut world, k) = Access::read(key, value);
        }
        match &mut world.records[0].op {
            tsz_trade::Op::Trade(TradeOp::CancelOrder(op)) => op.key_slot = slot(1),
            tsz_trade::Op::Trade(TradeOp::CancelAll(op)) => op.key_slot = slot(1),
            _ => unreachable!(),
        }
        assert!(verdict(&world).starts_with("cancel"));
    }
}

#[test]
fn rejects_a_cancel_of_another_account() {
    let mut world = one(2, |w| CancelOrder { account: account(3), ..w.cancel_order() }.into());
    assert_eq!(verdict(&world), "nowhere");
    // account 3 signs, the slot of account 2 moves
    access(&mut world, 2).key = Key::ord(2, 1, 7);
    assert_eq!(verdict(&world), "bus:key");
}

#[test]
fn rejects_a_cancel_up_to_a_nonce_before_the_next() {
    let mut world = one_order();
    access(&mut world, 2).old = OrdCell::fresh(nonce(6)).to_leaf();
    assert_ne!(verdict(&world), "nowhere");
    // the slot's own nonce may end
    access(&mut world, 2).old = OrdCell::fresh(nonce(5)).to_leaf();
    assert_eq!(verdict(&world), "nowhere");
    access(&mut world, 2).old = OrdCell::fresh(nonce(0x100_0000)).to_leaf();
    assert_ne!(verdict(&world), "nowhere");
}

#[test]
fn rejects_a_slot_that_keeps_its_fill_its_tag_or_its_nonce() {
    for felt in 0..8 {
        let mut world = one_order();
        access(&mut world, 2).new[felt] += F::ONE;
        assert_eq!(verdict(&world), "bus:val", "felt {felt}");
    }
}

#[test]
fn rejects_a_cancel_with_the_last_nonce() {
    // nonce 2^32 - 1 would be followed by a high limb of 256
    let mut world = one(0, |w| CancelOrder { nonce: nonce(u32::MAX - 1), ..w.cancel_order() }.into());
    assert_eq!(verdict(&world), "nowhere");
    let last = world.sign_cancel(0, CancelOrder { nonce: nonce(u32::MAX), ..world.cancel_order() });
    world.records[0].op = last.into();
    let new = &mut access(&mut world, 2).new;
    (new[0], new[1]) = (F::ZERO, f(256));
    assert_eq!(verdict(&world), "bus:range12");
}

#[test]
fn rejects_a_carry_that_is_not_there() {
    let edits = [(0, "carry", F::ONE)];
    assert_eq!(verdict_with_cells::<t::Cancel<()>>(&one_order(), 7, &edits), "cancel");
    let edits = [(0, "nonce.carry", F::ONE)];
    assert_ne!(verdict_with_cells::<t::CancelAll<()>>(&one_all(), 8, &edits), "nowhere");
}

#[test]
fn rejects_a_cancel_of_all_before_its_time() {
    let mut world = one_all();
    let late = TimeMs::new(TIME + 1).unwrap();
    let op = world.sign_cancel(0, CancelAll { not_before: late, nonce: nonce(0), ..initial(&world) });
    world.records[0].op = op.into();
    assert_eq!(verdict(&world), "cancel_all");
}

/// The cancel that the first record holds.
fn initial(world: &World) -> CancelAll {
    match world.records[0].op.as_trade() {
        Some(TradeOp::CancelAll(op)) => op.clone(),
        _ => unreachable!(),
    }
}

#[test]
fn rejects_a_cancel_of_all_that_is_replayed_or_of_another_epoch() {
    let mut world = one_all();
    let first = initial(&world);
    // signed for nonce 0 and epoch 0; the cell is one further in one of them
    for (nonce_, epoch) in [(1, 0), (0, 1)] {
        let found = CtlCell { nonce: nonce(nonce_), kill_epoch: KillEpoch::new(epoch).unwrap() };
        let left = CtlCell { nonce: nonce(nonce_ + 1), kill_epoch: KillEpoch::new(epoch + 1).unwrap() };
        let op = world.sign_cancel(0, first.clone());
        world.records[0].op = op.into();
        (access(&mut world, 2).old, access(&mut world, 2).new) = (found.to_leaf(), left.to_leaf());
        assert_eq!(verdict(&world), "bus:schnorr");
    }
}

#[test]
fn rejects_a_kill_epoch_or_a_nonce_that_stays() {
    for felt in [0, 2] {
        let mut world = one_all();
        access(&mut world, 2).new[felt] = F::ZERO;
        assert_eq!(verdict(&world), "bus:val");
    }
    let mut world = one_all();
    access(&mut world, 2).new = Digest::default();
    assert_eq!(verdict(&world), "bus:val");
}
