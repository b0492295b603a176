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
    use tsz_ext_sdk::{Fault, Leaf, merkle};
    let compress =
        |l: &Leaf, r: &Leaf| crate::words(&tsz_hash::compress(&l.map(F::from_u32), &r.map(F::from_u32)));
    let leaves: alloc::vec::Vec<_> =
        (2..9).map(|n| (tsz_ledger::Key::bal(n, 1, 3).raw(), [F::from_u32(n); 8])).collect();
    let tree = tsz_smt::Tree::from_leaves(&leaves).unwrap();
    let root = crate::words(&tree.root());
    let key = tsz_ext_sdk::Key::bal(5, 1, 3);
    let mut siblings = tree.proof(leaves[3].0).siblings.map(|s| crate::words(&s));
    siblings.reverse(); // the tree gives them from the root down
    assert_eq!(merkle::check(compress, &root, key, &[5; 8], &siblings), Ok(()));
    assert_eq!(merkle::check(compress, &root, key, &[6; 8], &siblings), Err(Fault::Cell));
    assert_eq!(
        merkle::check(compress, &root, tsz_ext_sdk::Key::bal(6, 1, 3), &[5; 8], &siblings),
        Err(Fault::Cell)
    );
    assert_eq!(merkle::check(compress, &root, key, &[5; 8], &siblings[1..]), Err(Fault::Shape));
}
