use super::{random_batch, random_key, random_tree};
use crate::bench::Mix;
use crate::{CAPACITY, DEPTH, Error, MultiProof, RowError, Touch, Tree, verify_rows};
use proptest::prelude::*;
use std::collections::BTreeMap;
use tsz_hash::{Digest, F, PrimeCharacteristicRing};

/// Touches of a batch and of some keys that are only read.
fn touches(mix: &mut Mix, tree: &Tree, writes: &[(u64, Digest)], reads: usize) -> Vec<Touch> {
    let mut all = BTreeMap::new();
    for _ in 0..reads {
        let key = random_key(mix);
        all.insert(key, Touch { key, old: tree.get(key), new: tree.get(key) });
    }
    all.extend(writes.iter().map(|(key, new)| (*key, Touch { key: *key, old: tree.get(*key), new: *new })));
    let mut all: Vec<_> = all.into_values().collect();
    all.reverse();
    all
}

fn sample(seed: u64) -> (MultiProof, Vec<Touch>) {
    let mut mix = Mix(seed);
    let (tree, _) = random_tree(&mut mix, 150);
    let writes = random_batch(&mut mix, 30);
    let touches = touches(&mut mix, &tree, &writes, 15);
    (tree.multiproof(&touches).unwrap(), touches)
}

#[test]
fn empty_batch_has_no_rows() {
    let (tree, _) = random_tree(&mut Mix(1), 20);
    let proof = tree.multiproof(&[]).unwrap();
    assert_eq!((proof.old_root, proof.new_root), (tree.root(), tree.root()));
    assert!(proof.rows.is_empty());
    verify_rows(&proof, &[]).unwrap();
}

#[test]
fn rejects_stale_value_and_bad_keys() {
    let mut mix = Mix(2);
    let (mut tree, model) = random_tree(&mut mix, 20);
    let (key, value) = model.0.iter().next().map(|(k, v)| (*k, *v)).unwrap();
    let (old, new) = (mix.digest(), mix.digest());
    let got = tree.update_with_multiproof(&[Touch { key, old, new }]);
    assert_eq!(got, Err(Error::StaleValue { key, expected: Box::new(value), got: Box::new(old) }));
    let touch = Touch { key, old: value, new };
    assert_eq!(tree.multiproof(&[touch, touch]), Err(Error::DuplicateKey { key }));
    let far = Touch { key: CAPACITY, ..touch };
    assert_eq!(tree.multiproof(&[far]), Err(Error::KeyOutOfRange { key: CAPACITY }));
    assert_eq!(tree.root(), model.root());
}

#[test]
fn one_touch_has_one_row_per_level() {
    let (tree, _) = random_tree(&mut Mix(3), 50);
    let (old, new) = (tree.get(77), Mix(4).digest());
    let proof = tree.multiproof(&[Touch { key: 77, old, new }]).unwrap();
    assert_eq!(proof.rows.len(), DEPTH);
    for (depth, row) in proof.rows.iter().enumerate() {
        assert_eq!((usize::from(row.depth), row.index), (depth, 77 >> (DEPTH - depth)));
    }
}

#[test]
fn verification_rejects_any_changed_digest() {
    let (proof, touches) = sample(5);
    verify_rows(&proof, &touches).unwrap();
    for at in (0..proof.rows.len()).step_by(7) {
        for field in 0..6 {
            let mut bad = proof.clone();
            let row = &mut bad.rows[at];
            let digests = [
                &mut row.left_old,
                &mut row.left_new,
                &mut row.right_old,
                &mut row.right_new,
                &mut row.out_old,
                &mut row.out_new,
            ];
            digests.into_iter().nth(field).unwrap()[at % 8] += F::ONE;
            assert!(verify_rows(&bad, &touches).is_err(), "row {at} field {field}");
        }
    }
    let mut bad = proof.clone();
    bad.new_root[0] += F::ONE;
    assert_eq!(verify_rows(&bad, &touches), Err(RowError::Unlinked { depth: 0, index: 0 }));
}

#[test]
fn verification_rejects_omitted_added_and_reordered_nodes() {
    let (proof, touches) = sample(6);
    for at in (0..proof.rows.len()).step_by(5) {
        let mut bad = proof.clone();
        bad.rows.remove(at);
        assert!(verify_rows(&bad, &touches).is_err(), "omitted row {at}");
        let mut bad = proof.clone();
        bad.rows.insert(at, proof.rows[at]);
        assert!(verify_rows(&bad, &touches).is_err(), "duplicated row {at}");
        let mut bad = proof.clone();
        let last = bad.rows.len() - 1;
        bad.rows.swap(at, if at == last { 0 } else { at + 1 });
        assert!(verify_rows(&bad, &touches).is_err(), "swapped row {at}");
        let mut bad = proof.clone();
        bad.rows[at].left_touched ^= true;
        assert!(verify_rows(&bad, &touches).is_err(), "flag of row {at}");
    }
    for at in 0..touches.len() {
        let mut bad = touches.clone();
        let touch = bad.remove(at);
        assert_eq!(
            verify_rows(&proof, &bad),
            Err(RowError::Missing { depth: 40, index: touch.key }),
            "access omitted"
        );
        bad.extend([touch, touch]);
        assert!(verify_rows(&proof, &bad).is_err(), "access duplicated");
        let mut bad = touches.clone();
        bad[at].new[0] += F::ONE;
        assert!(verify_rows(&proof, &bad).is_err(), "write that does not reach the tree");
        let mut bad = touches.clone();
        bad[at].old[7] += F::ONE;
        assert!(verify_rows(&proof, &bad).is_err(), "read of a stale value");
    }
    assert_eq!(verify_rows(&MultiProof { rows: vec![], ..proof }, &touches), Err(RowError::NoRoot));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn rows_connect_the_roots(seed: u64, population in 0usize..300, writes in 0usize..120, reads in 0usize..60) {
        let mut mix = Mix(seed);
        let (tree, mut model) = random_tree(&mut mix, population);
        let batch = random_batch(&mut mix, writes);
        let touches = touches(&mut mix, &tree, &batch, reads);
        let proof = tree.multiproof(&touches).unwrap();
        prop_assert_eq!(verify_rows(&proof, &touches), Ok(()));
        prop_assert_eq!(proof.old_root, tree.root());
        model.write(&batch);
        prop_assert_eq!(proof.new_root, model.root());
        prop_assert!(proof.rows.is_sorted_by_key(|row| (row.depth, row.index)));

        let mut plain = tree.snapshot();
        plain.update(&batch).unwrap();
        prop_assert_eq!(plain.root(), proof.new_root);
        let mut fused = tree.snapshot();
        prop_assert_eq!(&fused.update_with_multiproof(&touches).unwrap(), &proof);
        prop_assert_eq!(format!("{fused:?}"), format!("{plain:?}"));
    }
}
