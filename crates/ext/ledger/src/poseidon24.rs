//! Poseidon2 of width 24 over BabyBear as risc0 has it: x^7, 4 + 21 + 4 rounds, Horizen's matrices.
//!
//! The rounds constants are Plonky3's; external and internal matrix differ from Plonky3's. The zkVM has an
//! instruction for it, so it hashes what a guest must hash: terms and journals. Source: eprint 2023/323, section 5
//! and appendix B.

use p3_baby_bear::{
    BABYBEAR_POSEIDON2_RC_24_EXTERNAL_FINAL, BABYBEAR_POSEIDON2_RC_24_EXTERNAL_INITIAL,
    BABYBEAR_POSEIDON2_RC_24_INTERNAL,
};
use tsz_ext_sdk::{Leaf, RATE};
use tsz_hash::{F, PrimeCharacteristicRing, PrimeField32};

/// Felts of the state: 16 of rate, 8 of capacity.
pub const WIDTH: usize = 24;

/// Diagonal of the internal matrix less one: the matrix is `1 + diag`.
const DIAGONAL: [u32; WIDTH] = [
    0x409133f0, 0x1667a8a1, 0x06a6c7b6, 0x6f53160e, 0x273b11d1, 0x03176c5d, 0x72f9bbf9, 0x73ceba91,
    0x5cdef81d, 0x01393285, 0x46daee06, 0x065d7ba6, 0x52d72d6f, 0x05dd05e0, 0x3bab4b63, 0x6ada3842,
    0x2fc5fbec, 0x770d61b0, 0x5715aae9, 0x03ef0e90, 0x75b6c770, 0x242adf5f, 0x00d0ca4c, 0x36c0e388,
];

/// The permutation.
pub fn permute(state: &mut [F; WIDTH]) {
    external(state);
    for constants in &BABYBEAR_POSEIDON2_RC_24_EXTERNAL_INITIAL {
        full_round(state, constants);
    }
    for constant in BABYBEAR_POSEIDON2_RC_24_INTERNAL {
        state[0] = (state[0] + constant).exp_const_u64::<7>();
        internal(state);
    }
    for constants in &BABYBEAR_POSEIDON2_RC_24_EXTERNAL_FINAL {
        full_round(state, constants);
    }
}

fn full_round(state: &mut [F; WIDTH], constants: &[F; WIDTH]) {
    for (x, c) in state.iter_mut().zip(constants) {
        *x = (*x + *c).exp_const_u64::<7>();
    }
    external(state);
}

/// circ(2 M4, M4, .., M4).
fn external(state: &mut [F; WIDTH]) {
    let mut sums = [F::ZERO; 4];
    for chunk in state.chunks_exact_mut(4) {
        chunk.copy_from_slice(&m4([chunk[0], chunk[1], chunk[2], chunk[3]]));
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += *x;
        }
    }
    for (k, x) in state.iter_mut().enumerate() {
        *x += sums[k % 4];
    }
}

/// The 4x4 matrix [[5, 7, 1, 3], [4, 6, 1, 1], [1, 3, 5, 7], [1, 1, 4, 6]].
fn m4([a, b, c, d]: [F; 4]) -> [F; 4] {
    let (ab, cd) = (a + b, c + d);
    let (p, q) = (b.double() + cd, d.double() + ab);
    let (r, s) = (cd.double().double() + q, ab.double().double() + p);
    [q + s, s, p + r, r]
}

fn internal(state: &mut [F; WIDTH]) {
    let sum: F = state.iter().copied().sum();
    for (x, diagonal) in state.iter_mut().zip(DIAGONAL) {
        *x = sum + *x * F::from_u32(diagonal);
    }
}

/// Absorbs whole blocks of 16 canonical felts into a capacity, in overwrite mode: [`tsz_ext_sdk::Absorb`].
pub fn absorb(capacity: &mut Leaf, words: &[u32]) {
    for block in words.chunks_exact(RATE) {
        let mut state: [F; WIDTH] =
            core::array::from_fn(|k| F::from_u32(if k < RATE { block[k] } else { capacity[k - RATE] }));
        permute(&mut state);
        *capacity = core::array::from_fn(|k| state[RATE + k].as_canonical_u32());
    }
}
