//! Lies about accesses, ops and slots. Each is told with everything else made to fit.

use tsz_air::{F, Field, PrimeCharacteristicRing};
use tsz_ledger::Access;
use tsz_stark::Profile;

use super::fixture::*;
use crate::access::AccessCols;
use crate::verify;
use crate::witness::Witness;

/// Replays `replayed`, while tuples, set and set root are those of `hashed`.
fn mixed<'a>(replayed: &'a Ops, hashed: &'a Ops) -> Witness<'a> {
    let (tree, _) = story();
    let (lie, truth) = (witness(&tree, replayed), witness(&tree, hashed));
    let mut mixed = Witness { segments: truth.segments, set: truth.set, ..lie };
    mixed.claim.set_root = truth.claim.set_root;
    mixed
}

fn row<'w>(witness: &'w mut Witness<'_>, op: usize, access: usize) -> &'w mut AccessCols<F> {
    let at = [F::from_usize(op), F::from_usize(access)];
    witness.access.iter_mut().find(|row| [row.i, row.j] == at).unwrap()
}

#[test]
fn rejects_access_omitted() {
    let (_, ops) = story();
    let mut lie = ops.clone();
    lie[2].1.remove(2);
    assert_eq!(verdict(&mixed(&lie, &ops)), "bus key");
    assert_eq!(verdict(&mixed(&ops, &lie)), "bus key");
}

#[test]
fn rejects_access_duplicated() {
    let (_, ops) = story();
    let mut lie = ops.clone();
    let again = lie[0].1[0];
    lie[0].1.insert(0, again);
    assert_eq!(verdict(&mixed(&lie, &ops)), "bus key");
    assert_eq!(verdict(&mixed(&ops, &lie)), "bus key");
}

#[test]
fn rejects_access_reordered() {
    let (_, ops) = story();
    let mut lie = ops.clone();
    lie[0].1.swap(0, 1);
    assert_eq!(verdict(&mixed(&lie, &ops)), "bus key");
}

#[test]
fn rejects_a_read_of_a_stale_value() {
    let (tree, ops) = story();
    // op 1 reads from B what was there before op 0
    let mut lie = ops.clone();
    lie[1].1[0] = Access::read(B, value(11));
    let mut w = witness(&tree, &ops);
    let r = row(&mut w, 1, 0);
    (r.old, r.new) = (value(11), value(11));
    (r.gap_lo, r.gap_hi) = (r.ts - F::ONE, F::ZERO);
    w.segments[1].ops[0].1 = &lie[1].1;
    let set = tsz_ledger::TransitionSet::from_ops(context().digest(), &lie).unwrap().0;
    (w.set, w.claim.set_root) = (crate::set::rows(&set), set.root());
    assert_eq!(verdict(&w), "bus mem");
}

#[test]
fn rejects_ops_executed_in_another_order_than_numbered() {
    // op 1 finds B as it was, then op 0 finds what op 1 left: a chain that goes back in time
    let (tree, _) = story();
    let forward = vec![
        (algorithm(2), vec![Access::write(B, value(11), value(21))]),
        (algorithm(1), vec![Access::write(B, value(21), value(20))]),
    ];
    let mut w = witness(&tree, &forward);
    let swapped: Ops = vec![forward[1].clone(), forward[0].clone()];
    let set = tsz_ledger::TransitionSet::from_ops(context().digest(), &swapped).unwrap().0;
    (w.set, w.claim.set_root) = (crate::set::rows(&set), set.root());
    for (segment, (i, (_, log))) in w.segments.iter_mut().zip((0..).zip(&swapped)) {
        segment.ops = vec![(i, log)];
    }
    let (a, b) = (w.access[0], w.access[1]);
    let time = [F::ONE, F::TWO];
    // each row keeps its place, takes the other's values and points at the other's time
    w.access[0] = AccessCols { old: b.old, new: b.new, gap_lo: time[0] - F::ONE - time[1], ..a };
    w.access[1] = AccessCols { old: a.old, new: a.new, gap_lo: time[1] - F::ONE, ..b };
    for (at, slot) in [(0, 0), (1, 1)] {
        w.access[at].slot = F::from_u32(slot);
    }
    w.leaf[0].ts = time[0];
    assert_eq!(verdict(&w), "bus range12");
    // hiding the negative gap in the upper limb does not help
    w.access[0].gap_hi = w.access[0].gap_lo * F::from_u32(1 << 12).inverse();
    w.access[0].gap_lo = F::ZERO;
    assert_eq!(verdict(&w), "bus range12");
}

#[test]
fn rejects_a_read_that_writes() {
    let (tree, ops) = story();
    let mut w = witness(&tree, &ops);
    row(&mut w, 2, 2).new = value(30);
    assert_eq!(verdict(&w), "table access");
}

#[test]
fn rejects_a_padding_row_that_writes() {
    let (tree, ops) = story();
    let mut w = witness(&tree, &ops);
    let (at, last) = (w.access.len(), w.access[w.access.len() - 1]);
    let pad = crate::access::pad(at, ops.len());
    w.access.push(AccessCols { write: F::ONE, n: last.n, old: last.new, new: value(30), ..pad });
    assert_eq!(verdict(&w), "table access");
    // a padding row cannot end an op either
    w.access[at] = AccessCols { is_last: F::ONE, ..pad };
    assert_eq!(verdict(&w), "table access");
}

#[test]
fn rejects_a_real_row_behind_the_padding() {
    let (tree, ops) = story();
    let mut w = witness(&tree, &ops);
    let last = w.access.pop().unwrap();
    w.access.push(AccessCols { i: last.i, ts: last.ts, ..crate::access::pad(0, 0) });
    w.access.push(AccessCols { ts: last.ts + F::ONE, ..last });
    assert_eq!(verdict(&w), "table access");
}

#[test]
fn rejects_an_op_without_its_last_access() {
    let (tree, ops) = story();
    let mut w = witness(&tree, &ops);
    // op 0 is said to have one access; the second row goes on as if it belonged to it
    let r = row(&mut w, 0, 0);
    (r.is_last, r.n) = (F::ONE, F::ONE);
    assert_eq!(verdict(&w), "table access");
    let mut w = witness(&tree, &ops);
    row(&mut w, 0, 1).is_last = F::ZERO;
    assert_eq!(verdict(&w), "table access");
}

#[test]
fn rejects_an_op_counted_under_another_slot() {
    let (tree, ops) = story();
    let mut w = witness(&tree, &ops);
    for access in 0..3 {
        row(&mut w, 1, access).slot = F::ZERO;
    }
    assert_eq!(verdict(&w), "bus op");
    // in the middle of an op
    let mut w = witness(&tree, &ops);
    row(&mut w, 1, 1).slot = F::ZERO;
    assert_eq!(verdict(&w), "table access");
}

#[test]
fn rejects_a_slot_beyond_the_set() {
    let (tree, ops) = story();
    let mut w = witness(&tree, &ops);
    for access in 0..3 {
        row(&mut w, 1, access).slot = F::from_u32(64);
    }
    w.segments[1].slot = 64;
    assert_eq!(verdict(&w), "bus seg");
}

#[test]
fn rejects_two_segments_in_one_slot() {
    let (tree, ops) = story();
    let mut w = witness(&tree, &ops);
    for access in 0..3 {
        row(&mut w, 1, access).slot = F::ZERO;
    }
    w.segments[1].slot = 0;
    assert_eq!(verdict(&w), "bus seg");
}

#[test]
fn rejects_tuples_swapped_between_two_ops() {
    let (tree, ops) = story();
    let mut lie = ops.clone();
    lie.swap(0, 2);
    let set = tsz_ledger::TransitionSet::from_ops(context().digest(), &lie).unwrap().0;
    let mut w = witness(&tree, &ops);
    (w.set, w.claim.set_root) = (crate::set::rows(&set), set.root());
    (w.segments[0].ops[0].1, w.segments[0].ops[1].1) = (&lie[0].1, &lie[2].1);
    assert_eq!(verdict(&w), "bus key");
    // also when only the numbers are swapped
    w = mixed(&ops, &ops);
    w.segments[0].ops[0].0 = 2;
    w.segments[0].ops[1].0 = 0;
    assert_eq!(verdict(&w), "bus key");
}

#[test]
fn rejects_a_wrong_number_of_ops() {
    let (tree, ops) = story();
    for lie in [2, 4] {
        let mut w = witness(&tree, &ops);
        w.claim.ops = lie;
        // the padding is laid out for the lie
        assert_eq!(verdict(&w), "table access");
    }
    let mut w = witness(&tree, &ops);
    w.set[64].count += F::ONE;
    assert_eq!(verdict(&w), "bus p2");
}

#[test]
fn rejects_a_key_with_a_forged_write_bit() {
    let (tree, ops) = story();
    // op 2 writes the old value to A; the row reads instead, and hides the write bit in the key
    let mut w = witness(&tree, &ops);
    let r = row(&mut w, 2, 0);
    r.write = F::ZERO;
    r.hi += F::from_u32(1 << 26);
    assert_eq!(verdict(&w), "table access");
    for access in 1..4 {
        row(&mut w, 2, access).w -= F::ONE;
    }
    assert_eq!(verdict(&w), "bus mem");
}

#[test]
fn rejects_a_set_leaf_that_nobody_hashed() {
    let (tree, ops) = story();
    let mut w = witness(&tree, &ops);
    w.set[100].digest = value(1);
    assert_eq!(verdict(&w), "table set");
    let mut w = witness(&tree, &ops);
    w.set[64 + 2].used = F::ONE;
    assert_eq!(verdict(&w), "bus p2");
    let mut w = witness(&tree, &ops);
    w.set[3].used = F::ONE;
    assert_eq!(verdict(&w), "table set");
    let mut w = witness(&tree, &ops);
    w.set.swap(64, 65);
    assert_eq!(verdict(&w), "bus seg");
}

#[test]
fn rejects_every_public_value_changed() {
    let (tree, ops) = story();
    for k in 0..33 {
        let mut w = witness(&tree, &ops);
        match k {
            0..8 => w.claim.s0[k] += F::ONE,
            8..16 => w.claim.sn[k - 8] += F::ONE,
            16..24 => w.claim.set_root[k - 16] += F::ONE,
            24..32 => w.claim.context[k - 24] += F::ONE,
            _ => w.claim.ops += 1,
        }
        assert_ne!(verdict(&w), "accepted", "public value {k}");
    }
}

#[test]
fn the_verifier_refuses_what_the_check_refuses() {
    let pk = TINY.setup(Profile::InsecureTest).unwrap();
    let (_, ops) = story();
    let mut short = ops.clone();
    short[2].1.remove(2);
    let (tree, _) = story();
    let mut forged = witness(&tree, &ops);
    forged.leaf[1].last = value(40);
    let mut read = witness(&tree, &ops);
    row(&mut read, 2, 2).new = value(30);
    for lie in [mixed(&short, &ops), forged, read] {
        assert_ne!(verdict(&lie), "accepted");
        let (claim, proof) = lie.prove(&pk).unwrap();
        assert!(matches!(verify(pk.vk(), &claim, &proof), Err(crate::VerifyError::Stark(_))));
    }
}
