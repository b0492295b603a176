use super::{Model, random_batch, random_key, random_tree};
use crate::bench::{self, Mix, position};
use crate::packed::compress_where;
use crate::{CAPACITY, DEPTH, Error, Tree, empty};
use proptest::prelude::*;
use tsz_hash::{F, PrimeCharacteristicRing, ZERO, compress};

#[test]
fn empty_tree_has_default_digests() {
    let tree = Tree::new();
    assert_eq!(tree.root(), *empty(0));
    assert_eq!(*empty(DEPTH), ZERO);
    assert_eq!(*empty(39), compress(&ZERO, &ZERO));
    assert!(tree.is_empty() && tree.leaves().next().is_none());
    assert!(tree.proof(5).verify(&tree.root(), 5, &ZERO));
}

#[test]
fn packed_compression_equals_scalar() {
    let mut mix = Mix(3);
    for count in [1, 7, 8, 9, 100, 1500] {
        let pairs: Vec<_> = (0..count).map(|_| (mix.digest(), mix.digest())).collect();
        let mut out = vec![ZERO; count];
        compress_where(&mut out, |i| if i % 5 == 3 { Ok(pairs[i].1) } else { Err(pairs[i]) });
        for (i, (l, r)) in pairs.iter().enumerate() {
            assert_eq!(out[i], if i % 5 == 3 { *r } else { compress(l, r) }, "pair {i} of {count}");
        }
    }
}

#[test]
fn extreme_keys_are_leaves_like_any_other() {
    let mut mix = Mix(4);
    let leaves =
        [(0, mix.digest()), (1, mix.digest()), (CAPACITY - 1, mix.digest()), (1 << 39, mix.digest())];
    let tree = Tree::from_leaves(&leaves).unwrap();
    let mut model = Model::default();
    model.write(&leaves);
    assert_eq!(tree.root(), model.root());
    for (key, value) in leaves {
        assert_eq!(tree.get(key), value);
        assert!(tree.proof(key).verify(&tree.root(), key, &value));
    }
}

#[test]
fn rejects_key_out_of_range_and_duplicate_key() {
    let mut mix = Mix(5);
    let (mut tree, model) = random_tree(&mut mix, 50);
    let value = mix.digest();
    assert_eq!(tree.update(&[(1, value), (CAPACITY, value)]), Err(Error::KeyOutOfRange { key: CAPACITY }));
    assert_eq!(tree.update(&[(1, value), (7, value), (1, ZERO)]), Err(Error::DuplicateKey { key: 1 }));
    assert_eq!(tree.root(), model.root());
    assert!(!tree.proof(3).verify(&tree.root(), CAPACITY | 3, &tree.get(3)));
    assert_eq!(tree.get(CAPACITY | 3), ZERO);
}

#[test]
fn removing_every_leaf_restores_the_empty_root() {
    let mut mix = Mix(6);
    let (mut tree, model) = random_tree(&mut mix, 300);
    let removals: Vec<_> = model.0.keys().map(|key| (*key, ZERO)).collect();
    let (first, second) = removals.split_at(removals.len() / 3);
    tree.update(first).unwrap();
    assert_ne!(tree.root(), *empty(0));
    tree.update(second).unwrap();
    assert_eq!(tree.root(), *empty(0));
    assert!(tree.is_empty());
}

#[test]
fn proof_of_another_value_or_key_or_sibling_fails() {
    let mut mix = Mix(7);
    let (tree, model) = random_tree(&mut mix, 200);
    let (key, value) = model.0.iter().next().unwrap();
    let proof = tree.proof(*key);
    assert!(proof.verify(&tree.root(), *key, value));
    assert!(!proof.verify(&tree.root(), *key, &ZERO));
    assert!(!proof.verify(&tree.root(), *key ^ 1, value));
    for depth in 0..DEPTH {
        let mut bad = proof.clone();
        bad.siblings[depth][3] += F::ONE;
        assert!(!bad.verify(&tree.root(), *key, value), "sibling {depth}");
    }
}

#[test]
fn bulk_load_equals_small_batches() {
    let mut mix = Mix(8);
    let leaves: Vec<_> = (0..70_000).map(|a| (position(a, 0, a % 3), mix.digest())).collect();
    let bulk = Tree::from_leaves(&leaves).unwrap();
    let mut small = Tree::new();
    for part in leaves.rchunks(9_999) {
        small.update(part).unwrap();
    }
    assert_eq!(bulk, small);
    assert!(bulk.leaves().eq(leaves.iter().copied()));
}

#[test]
fn benchmark_runs_small() {
    let report = bench::run(1 << 12, 5, 256, 3).unwrap();
    assert!(report.updates_per_second > 0.0 && report.rows > 256);
}

/// Prints the numbers of the target: run with `--ignored --nocapture`.
#[test]
#[ignore = "measurement"]
fn measure_target() {
    println!("{:?}", bench::run(1 << 20, 1, 4096, 15).unwrap());
    println!("{:?}", bench::run(1 << 20, 1, 8000, 5).unwrap());
}

/// Memory of a full population: run with `--ignored --nocapture`.
#[test]
#[ignore = "measurement"]
fn measure_dense_accounts() {
    println!("{:?}", bench::run(1 << 20, 5, 4096, 15).unwrap());
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().filter(|line| line.starts_with("Vm")).for_each(|line| println!("{line}"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn batches_equal_the_model(seed: u64, sizes in prop::collection::vec(0usize..200, 1..6)) {
        let mut mix = Mix(seed);
        let (mut tree, mut model) = random_tree(&mut mix, 100);
        for size in sizes {
            let before = (tree.snapshot(), model.clone());
            let batch = random_batch(&mut mix, size);
            tree.update(&batch).unwrap();
            let root = tree.root();
            model.write(&batch);
            prop_assert_eq!(root, model.root());
            prop_assert!(tree.leaves().eq(model.0.iter().map(|(k, v)| (*k, *v))));
            for _ in 0..20 {
                let key = random_key(&mut mix);
                prop_assert_eq!(tree.get(key), model.get(key));
                prop_assert!(tree.proof(key).verify(&root, key, &model.get(key)));
                prop_assert!(before.0.proof(key).verify(&before.1.root(), key, &before.1.get(key)));
            }
            prop_assert_eq!(before.0.root(), before.1.root());
            prop_assert!(before.0.leaves().eq(before.1.0.iter().map(|(k, v)| (*k, *v))));
        }
    }

    #[test]
    fn order_and_grouping_do_not_matter(seed: u64) {
        let mut mix = Mix(seed);
        let batch = random_batch(&mut mix, 150);
        let mut one_by_one = Tree::new();
        for update in &batch {
            one_by_one.update(&[*update]).unwrap();
        }
        prop_assert_eq!(&one_by_one, &Tree::from_leaves(&batch).unwrap());
        // the trie is canonical: writing and removing another batch leaves no trace
        let other = random_batch(&mut mix, 150);
        let restore: Vec<_> = other.iter().map(|(key, _)| (*key, one_by_one.get(*key))).collect();
        let mut tree = one_by_one.snapshot();
        tree.update(&other).unwrap();
        tree.update(&restore).unwrap();
        prop_assert_eq!(format!("{tree:?}"), format!("{:?}", Tree::from_leaves(&batch).unwrap()));
    }
}
