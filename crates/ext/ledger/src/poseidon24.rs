//! The hash of a guest: [`tsz_poseidon24`] as a sponge over terms and journals.

use tsz_ext_sdk::{Leaf, RATE};
use tsz_hash::{F, PrimeCharacteristicRing, PrimeField32};
pub use tsz_poseidon24::{WIDTH, permute};

/// Absorbs whole blocks of 16 canonical felts into a capacity, in overwrite mode: [`tsz_ext_sdk::Absorb`].
pub fn absorb(capacity: &mut Leaf, words: &[u32]) {
    for block in words.chunks_exact(RATE) {
        let mut state: [F; WIDTH] =
            core::array::from_fn(|k| F::from_u32(if k < RATE { block[k] } else { capacity[k - RATE] }));
        permute(&mut state);
        *capacity = core::array::from_fn(|k| state[RATE + k].as_canonical_u32());
    }
}
