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
