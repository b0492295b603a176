use alloc::vec::Vec;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tsz_codec::{Encode, decode_all};

use super::*;

fn digest(rng: &mut StdRng) -> Digest {
    core::array::from_fn(|_| F::from_u32(rng.random_range(0..F::ORDER_U32)))
}

fn entries(n: usize, seed: u64) -> Vec<VkEntry> {
    let mut rng = StdRng::seed_from_u64(seed);
    (0..n).map(|_| VkEntry { algorithm: digest(&mut rng), vk: digest(&mut rng) }).collect()
}

/// The tree by its definition: all 2^16 leaves.
fn naive_root(entries: &[VkEntry]) -> Digest {
    let mut sorted = entries.to_vec();
    sorted.sort();
    let mut layer: Vec<Digest> = sorted.iter().map(VkEntry::digest).collect();
    layer.resize(MAX_ENTRIES, ZERO);
    while layer.len() > 1 {
        layer = layer.chunks(2).map(|p| compress(&p[0], &p[1])).collect();
    }
    layer[0]
}

#[test]
fn root_is_that_of_the_full_tree_of_sorted_leaves() {
    for n in [0, 1, 2, 3, 17] {
        let list = entries(n, n as u64);
        assert_eq!(VkTree::new(list.clone()).unwrap().root(), naive_root(&list));
    }
}

#[test]
fn every_entry_has_a_proof_and_no_other_has() {
    let list = entries(9, 1);
    let tree = VkTree::new(list[..8].to_vec()).unwrap();
    for entry in &list[..8] {
        let proof = tree.prove(entry).unwrap();
        assert!(proof.verify(&tree.root(), entry));
        assert!(!proof.verify(&tree.root(), &list[8]));
        assert_eq!(decode_all(&proof.to_bytes()), Ok(proof));
    }
    assert_eq!(tree.prove(&list[8]), None);
}

#[test]
fn rejects_a_key_under_another_algorithm() {
    let list = entries(4, 2);
    let tree = VkTree::new(list.clone()).unwrap();
    let swapped = VkEntry { algorithm: list[0].algorithm, vk: list[1].vk };
    assert_eq!(tree.prove(&swapped), None);
    for entry in &list {
        assert!(!tree.prove(entry).unwrap().verify(&tree.root(), &swapped));
    }
}

#[test]
fn rejects_a_changed_path() {
    let list = entries(5, 3);
    let tree = VkTree::new(list.clone()).unwrap();
    let proof = tree.prove(&list[2]).unwrap();
    for level in 0..VK_TREE_DEPTH {
        let mut other = proof;
        other.siblings[level][7] += F::ONE;
        assert!(!other.verify(&tree.root(), &list[2]));
        let mut other = proof;
        other.index ^= 1 << level;
        assert!(!other.verify(&tree.root(), &list[2]));
    }
}

#[test]
fn adding_an_entry_changes_the_root_and_keeps_the_others_listed() {
    let list = entries(6, 4);
    let before = VkTree::new(list[..5].to_vec()).unwrap();
    let after = VkTree::new(list.clone()).unwrap();
    assert_ne!(before.root(), after.root());
    for entry in &list[..5] {
        assert!(after.prove(entry).unwrap().verify(&after.root(), entry));
    }
}

#[test]
fn the_order_of_the_list_does_not_matter_and_duplicates_are_refused() {
    let mut list = entries(7, 5);
    let root = VkTree::new(list.clone()).unwrap().root();
    list.reverse();
    assert_eq!(VkTree::new(list.clone()).unwrap().root(), root);
    list.push(list[0]);
    assert!(matches!(VkTree::new(list), Err(VkTreeError::Duplicate(_))));
}

#[test]
fn one_algorithm_may_have_several_keys() {
    let mut list = entries(3, 6);
    list[1].algorithm = list[0].algorithm;
    list[2].algorithm = list[0].algorithm;
    let tree = VkTree::new(list.clone()).unwrap();
    assert!(list.iter().all(|e| tree.prove(e).unwrap().verify(&tree.root(), e)));
}

#[test]
fn the_transition_algorithm_is_no_family() {
    // Kinds are the first felt of the preimage: 1 for precompiles, 2 for transition circuits.
    assert_ne!(transition_algorithm(), hash(Domain::Algorithm, &[F::ONE, F::ONE, F::ONE]));
}
