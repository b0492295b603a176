//! Lies about leaves and nodes of the state tree.

use tsz_air::{F, PrimeCharacteristicRing};
use tsz_hash::{Digest, compress};
use tsz_ledger::{Access, Key};
use tsz_smt::{Touch, Tree};

use super::fixture::*;
use crate::leaf::LeafCols;
use crate::merkle::{self, MerkleCols};
use crate::witness::Witness;

/// Replaces the tree's part: these leaves go from their first to their second value.
fn retouch(witness: &mut Witness<'_>, tree: &Tree, touches: &[(Key, Digest, Digest)]) {
    let touches: Vec<Touch> =
        touches.iter().map(|(key, old, new)| Touch { key: key.raw(), old: *old, new: *new }).collect();
    let proof = tree.multiproof(&touches).unwrap();
    witness.merkle = merkle::rows(&proof.rows);
    (witness.claim.s0, witness.claim.sn) = (proof.old_root, proof.new_root);
}

fn leaf<'w>(witness: &'w mut Witness<'_>, key: Key) -> &'w mut LeafCols<F> {
    let [hi, lo] = key.felts();
    witness.leaf.iter_mut().find(|row| row.hi == hi && row.lo == lo).unwrap()
}

fn touches(witness: &Witness<'_>) -> Vec<(Key, Digest, Digest)> {
    use tsz_air::PrimeField32;
    let key = |row: &LeafCols<F>| {
        Key::new(u64::from(row.hi.as_canonical_u32()) << 14 | u64::from(row.lo.as_canonical_u32())).unwrap()
    };
    witness.leaf.iter().map(|row| (key(row), row.init, row.last)).collect()
}

#[test]
fn rejects_a_write_that_does_not_reach_the_tree() {
    let (tree, ops) = story();
    // the leaf row forgets the writes, and the tree agrees with it
    let mut w = witness(&tree, &ops);
    let b = leaf(&mut w, B);
    b.last = b.init;
    let cells = touches(&w);
    retouch(&mut w, &tree, &cells);
    assert_eq!(verdict(&w), "bus mem");
    // the leaf row knows them, the tree does not
    let mut w = witness(&tree, &ops);
    retouch(&mut w, &tree, &cells);
    assert_eq!(verdict(&w), "bus node");
    // the leaf row ends with an earlier write
    let mut w = witness(&tree, &ops);
    let b = leaf(&mut w, B);
    (b.last, b.ts) = (value(20), F::TWO);
    let cells = touches(&w);
    retouch(&mut w, &tree, &cells);
    assert_eq!(verdict(&w), "bus mem");
}

#[test]
fn rejects_a_leaf_that_is_not_in_the_tree() {
    let (tree, ops) = story();
    // the batch replays on another state than the one with root S0
    let other = Tree::from_leaves(&[(A.raw(), value(10)), (B.raw(), value(11))]).unwrap();
    let mut w = witness(&tree, &ops);
    let cells: Vec<_> = touches(&w).into_iter().filter(|(key, ..)| *key != Key::HEAD).collect();
    retouch(&mut w, &other, &cells);
    assert_eq!(verdict(&w), "bus node");
    // no leaf row at all
    let mut w = witness(&tree, &ops);
    w.leaf.pop();
    assert_eq!(verdict(&w), "bus mem");
}

#[test]
fn rejects_a_wrong_sibling() {
    let (tree, ops) = story();
    let honest = witness(&tree, &ops);
    let at = honest.merkle.iter().position(|row| row.r_touched == F::ZERO && row.w != F::ZERO).unwrap();
    let mut w = honest.clone();
    (w.merkle[at].r_old, w.merkle[at].r_new) = (value(50), value(50));
    assert_eq!(verdict(&w), "bus p2");
    let row = &mut w.merkle[at];
    (row.out_old, row.out_new) = (compress(&row.l_old, &row.r_old), compress(&row.l_new, &row.r_new));
    assert_eq!(verdict(&w), "bus node");
    // another sibling for the new root only
    let mut w = honest.clone();
    w.merkle[at].r_new = value(50);
    assert_eq!(verdict(&w), "table merkle");
}

#[test]
fn rejects_a_leaf_at_another_position() {
    let (tree, ops) = story();
    let mut w = witness(&tree, &ops);
    // the memory's key is the leaf's, so both move; the tree does not
    let [hi, lo] = B.felts();
    for row in w.access.iter_mut().filter(|row| row.hi == hi && row.lo == lo) {
        row.lo += F::ONE;
    }
    leaf(&mut w, B).lo += F::ONE;
    assert_eq!(verdict(&w), "bus key");
    let mut w = witness(&tree, &ops);
    leaf(&mut w, B).lo += F::ONE;
    assert_eq!(verdict(&w), "bus mem");
}

/// Op 1 finds `B` as before the batch, because `B` has two leaf rows; memory balances.
fn double_spend() -> (Tree, Ops) {
    let (tree, _) = story();
    let ops = vec![
        (algorithm(1), vec![Access::write(B, value(11), value(20))]),
        (algorithm(2), vec![Access::write(B, value(20), value(21))]),
    ];
    (tree, ops)
}

fn spend_twice<'a>(tree: &Tree, ops: &'a Ops, forged: &'a [Access]) -> Witness<'a> {
    let mut w = witness(tree, ops);
    w.access[1].old = value(11);
    w.access[1].gap_lo = F::ONE;
    w.leaf[0].ts = F::ONE;
    w.leaf[0].last = value(20);
    w.leaf.push(LeafCols { ts: F::TWO, last: value(21), ..w.leaf[0] });
    w.segments[1].ops[0].1 = forged;
    let lie = vec![ops[0].clone(), (ops[1].0, forged.to_vec())];
    let set = tsz_ledger::TransitionSet::from_ops(context().digest(), &lie).unwrap().0;
    (w.set, w.claim.set_root) = (crate::set::rows(&set), set.root());
    w
}

#[test]
fn rejects_two_leaf_rows_for_one_key() {
    let (tree, ops) = double_spend();
    let forged = [Access::write(B, value(11), value(21))];
    assert_eq!(verdict(&spend_twice(&tree, &ops, &forged)), "bus node");
}

#[test]
fn rejects_an_extra_root() {
    let (tree, ops) = double_spend();
    let forged = [Access::write(B, value(11), value(21))];
    let mut w = spend_twice(&tree, &ops, &forged);
    // two trees: the second one carries the second leaf row, from the same old root
    retouch(&mut w, &tree, &[(B, value(11), value(20))]);
    let first = w.merkle.clone();
    retouch(&mut w, &tree, &[(B, value(11), value(21))]);
    w.merkle.extend(first);
    assert_eq!(verdict(&w), "bus node");
    // both trees with the same roots: the second leaf row ends like the first
    let same = [Access::write(B, value(11), value(20))];
    let mut w = spend_twice(&tree, &ops, &same);
    w.access[1].new = value(20);
    w.leaf[1].last = value(20);
    retouch(&mut w, &tree, &[(B, value(11), value(20))]);
    let copy = w.merkle.clone();
    w.merkle.extend(copy);
    assert_eq!(verdict(&w), "bus node");
    // without the second tree only its node messages are missing
    w.merkle.truncate(w.merkle.len() / 2);
    assert_eq!(verdict(&w), "bus node");
}

#[test]
fn rejects_upper_and_lower_part_swapped() {
    let (tree, ops) = story();
    let honest = witness(&tree, &ops);
    let flip = |row: &MerkleCols<F>, lower: bool| MerkleCols {
        is_lower: F::from_bool(lower),
        child_hi: if lower { row.hi } else { row.hi.double() },
        ..*row
    };
    for (at, row) in honest.merkle.iter().enumerate() {
        let mut w = honest.clone();
        let lower = row.is_lower == F::ONE;
        w.merkle[at] = flip(row, !lower);
        // only the first row of the lower part has a position that both parts may have
        let expected = if lower && row.w == F::ZERO { "bus node" } else { "table merkle" };
        if at % 16 == 0 || expected == "bus node" {
            assert_eq!(verdict(&w), expected, "row {at}");
        }
    }
    // a wrong position of the children
    let mut w = honest.clone();
    w.merkle[3].child_hi += F::ONE;
    assert_eq!(verdict(&w), "table merkle");
}

#[test]
fn rejects_padding_that_swallows_a_node() {
    let (tree, ops) = story();
    let mut w = witness(&tree, &ops);
    // the row above B's leaf is not real: it takes the change and passes nothing on
    let at = w.merkle.iter().rposition(|row| row.l_new != row.l_old).unwrap();
    w.merkle[at].is_real = F::ZERO;
    assert_eq!(verdict(&w), "table merkle");
}
