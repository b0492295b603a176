//! Values that users and guests depend on.

use crate::poseidon24::{WIDTH, permute};
use crate::terms_digest;
use tsz_hash::{F, PrimeCharacteristicRing, PrimeField32};

#[test]
fn permutation_is_pinned() {
    // compared with risc0's own in crates/ext/prover
    let mut state = [F::ZERO; WIDTH];
    permute(&mut state);
    let got: [u32; 4] = core::array::from_fn(|k| state[k].as_canonical_u32());
    assert_eq!(got, PINNED);
}

#[test]
fn terms_are_bound_with_their_length() {
    assert_ne!(terms_digest(&[1]), terms_digest(&[1, 0]));
    assert_ne!(terms_digest(&[]), terms_digest(&[0]));
    assert_ne!(terms_digest(&[0; 16]), terms_digest(&[0; 17]));
}

const PINNED: [u32; 4] = [972705262, 946791486, 1172739502, 607725896];

#[test]
fn merkle_proofs_of_the_state_tree_check() {
    use tsz_ext_sdk::{Fault, P, poseidon2};
    let leaves: alloc::vec::Vec<_> =
        (2..9).map(|n| (tsz_ledger::Key::bal(n, 1, 3).raw(), [F::from_u32(n); 8])).collect();
    let tree = tsz_smt::Tree::from_leaves(&leaves).unwrap();
    let root = crate::words(&tree.root());
    let key = tsz_ext_sdk::Key::bal(5, 1, 3);
    let mut siblings = tree.proof(leaves[3].0).siblings.map(|s| crate::words(&s));
    siblings.reverse(); // the tree gives them from the root down
    assert_eq!(poseidon2::check(&root, key, &[5; 8], &siblings), Ok(()));
    assert_eq!(poseidon2::check(&root, key, &[6; 8], &siblings), Err(Fault::Cell));
    let other = tsz_ext_sdk::Key::bal(6, 1, 3);
    assert_eq!(poseidon2::check(&root, other, &[5; 8], &siblings), Err(Fault::Cell));
    assert_eq!(poseidon2::check(&root, key, &[5; 8], &siblings[1..]), Err(Fault::Shape));
    // the run of guests-bench/merkle: its output, then its input
    let input = [&[key.hi, key.lo], &[5; 8][..], siblings.as_flattened()].concat();
    super::check_words("guests-bench/fixtures/merkle", &[&root, &root, &input[..]].concat());
    // a key of more bits has no place, and a felt no second word
    for wide in
        [tsz_ext_sdk::Key { hi: key.hi | 1 << 26, ..key }, tsz_ext_sdk::Key { lo: key.lo | 1 << 14, ..key }]
    {
        assert_eq!(poseidon2::check(&root, wide, &[5; 8], &siblings), Err(Fault::Shape));
    }
    assert_eq!(poseidon2::check(&root, key, &[5 + P, 5, 5, 5, 5, 5, 5, 5], &siblings), Err(Fault::Word));
    for (level, felt) in [(0, 0), (7, 3), (39, 7)] {
        let mut twice = siblings;
        twice[level][felt] += P;
        assert_eq!(poseidon2::check(&root, key, &[5; 8], &twice), Err(Fault::Word));
        twice[level][felt] = (siblings[level][felt] + 1) % P;
        assert_eq!(poseidon2::check(&root, key, &[5; 8], &twice), Err(Fault::Cell));
    }
}

/// The program's own permutation is the system's.
#[test]
fn compression_is_that_of_the_state_tree() {
    use tsz_ext_sdk::{P, poseidon2};
    let expected = |l: [u32; 8], r: [u32; 8]| {
        crate::words(&tsz_hash::compress(&l.map(F::from_u32), &r.map(F::from_u32)))
    };
    let ends = [0, 1, P / 2, P / 2 + 1, P - 2, P - 1];
    for l in ends {
        for r in ends {
            assert_eq!(poseidon2::compress(&[l; 8], &[r; 8]), expected([l; 8], [r; 8]), "{l} {r}");
        }
    }
    // one word of each place, then a walk through the field
    let mut node = [0; 8];
    for k in 0..16 {
        let mut words = [0; 16];
        words[k] = P - 1;
        let (l, r) = (core::array::from_fn(|i| words[i]), core::array::from_fn(|i| words[8 + i]));
        node = poseidon2::compress(&l, &r);
        assert_eq!(node, expected(l, r), "{k}");
    }
    let mut last = [7; 8];
    for _ in 0..2_000 {
        let next = poseidon2::compress(&last, &node);
        assert_eq!(next, expected(last, node));
        (last, node) = (node, next);
    }
}
