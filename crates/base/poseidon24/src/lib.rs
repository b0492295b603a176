//! Poseidon2 of width 24 over BabyBear as risc0 has it: x^7, 4 + 21 + 4 rounds, Horizen's matrices.
//!
//! The round constants are Plonky3's; external and internal matrix differ from Plonky3's. The zkVM has an
//! instruction for it, and its proofs are Merkle trees and transcripts of it. Source: eprint 2023/323, section 5 and
//! appendix B.
#![no_std]

use p3_baby_bear::{
    BABYBEAR_POSEIDON2_RC_24_EXTERNAL_FINAL, BABYBEAR_POSEIDON2_RC_24_EXTERNAL_INITIAL,
    BABYBEAR_POSEIDON2_RC_24_INTERNAL, BabyBear as F,
};
use p3_field::PrimeCharacteristicRing;

/// Felts of the state: 16 of rate, 8 of capacity.
pub const WIDTH: usize = 24;
/// Felts absorbed by one permutation.
pub const RATE: usize = 16;
/// Eight felts.
pub type Digest = [F; 8];

/// Diagonal of the internal matrix less one: the matrix is `1 + diag`.
pub const DIAGONAL: [u32; WIDTH] = [
    0x409133f0, 0x1667a8a1, 0x06a6c7b6, 0x6f53160e, 0x273b11d1, 0x03176c5d, 0x72f9bbf9, 0x73ceba91,
    0x5cdef81d, 0x01393285, 0x46daee06, 0x065d7ba6, 0x52d72d6f, 0x05dd05e0, 0x3bab4b63, 0x6ada3842,
    0x2fc5fbec, 0x770d61b0, 0x5715aae9, 0x03ef0e90, 0x75b6c770, 0x242adf5f, 0x00d0ca4c, 0x36c0e388,
];
const DIAGONAL_FELTS: [F; WIDTH] = F::new_array(DIAGONAL);

/// The permutation.
pub fn permute(state: &mut [F; WIDTH]) {
    external(state);
    for constants in &BABYBEAR_POSEIDON2_RC_24_EXTERNAL_INITIAL {
        full_round(state, constants);
    }
    for constant in BABYBEAR_POSEIDON2_RC_24_INTERNAL {
        state[0] = (state[0] + constant).exp_const_u64::<7>();
        let sum: F = state.iter().copied().sum();
        for (x, diagonal) in state.iter_mut().zip(DIAGONAL_FELTS) {
            *x = sum + *x * diagonal;
        }
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

/// The external matrix, circ(2 M4, M4, .., M4), over any ring that holds the field: also the expressions of an AIR.
pub fn external<R: PrimeCharacteristicRing>(state: &mut [R; WIDTH]) {
    let mut sums = [R::ZERO, R::ZERO, R::ZERO, R::ZERO];
    for chunk in state.as_chunks_mut::<4>().0 {
        *chunk = m4(core::mem::take(chunk));
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += x.clone();
        }
    }
    for (k, x) in state.iter_mut().enumerate() {
        *x += sums[k % 4].clone();
    }
}

/// The 4x4 matrix [[5, 7, 1, 3], [4, 6, 1, 1], [1, 3, 5, 7], [1, 1, 4, 6]].
fn m4<R: PrimeCharacteristicRing>([a, b, c, d]: [R; 4]) -> [R; 4] {
    let (ab, cd) = (a + b.clone(), c + d.clone());
    let (p, q) = (b.double() + cd.clone(), d.double() + ab.clone());
    let (r, s) = (cd.double().double() + q.clone(), ab.double().double() + p.clone());
    [q + s.clone(), s, p + r.clone(), r]
}

/// The internal matrix, `1 + diag`, over any ring that holds the field.
pub fn internal<R: PrimeCharacteristicRing>(state: &mut [R; WIDTH]) {
    let sum: R = state.iter().cloned().sum();
    for (x, diagonal) in state.iter_mut().zip(DIAGONAL) {
        *x = sum.clone() + x.clone() * R::from_u32(diagonal);
    }
}

/// Hash of felts: a sponge in overwrite mode from the zero state. A last block that is not full is filled with zeros,
/// so only messages of one length may be compared; an empty message is one block of zeros.
pub fn hash(felts: impl IntoIterator<Item = F>) -> Digest {
    let mut state = [F::ZERO; WIDTH];
    let (mut at, mut permuted) = (0, false);
    for felt in felts {
        state[at] = felt;
        at += 1;
        permuted = at == RATE;
        if permuted {
            permute(&mut state);
            at = 0;
        }
    }
    if !permuted {
        state[at..RATE].fill(F::ZERO);
        permute(&mut state);
    }
    prefix(&state)
}

/// Node of a Merkle tree: the hash of its two children.
pub fn compress(left: &Digest, right: &Digest) -> Digest {
    let mut state = [F::ZERO; WIDTH];
    state[..8].copy_from_slice(left);
    state[8..16].copy_from_slice(right);
    permute(&mut state);
    prefix(&state)
}

fn prefix(state: &[F; WIDTH]) -> Digest {
    core::array::from_fn(|k| state[k])
}

/// The felt that a word of risc0's proofs stands for: words are in Montgomery form, `x * 2^32`.
pub fn from_montgomery(word: u32) -> F {
    /// 2^-32.
    const INVERSE: F = F::new(943_718_400);
    F::new(word) * INVERSE
}

#[cfg(test)]
mod tests {
    use super::*;
    use p3_field::{Field, PrimeField32};

    /// Result for the state 0, 1, .., 23: the vector of risc0-zkp 3.0.5.
    const VECTOR: [u32; WIDTH] = [
        0x2ed3e23d, 0x12921fb0, 0x0e659e79, 0x61d81dc9, 0x32bae33b, 0x62486ae3, 0x1e681b60, 0x24b91325,
        0x2a2ef5b9, 0x50e8593e, 0x5bc818ec, 0x10691997, 0x35a14520, 0x2ba6a3c5, 0x279d47ec, 0x55014e81,
        0x5953a67f, 0x2f403111, 0x6b8828ff, 0x1801301f, 0x2749207a, 0x3dc9cf21, 0x3c985ba2, 0x57a99864,
    ];

    #[test]
    fn permutation_is_that_of_risc0() {
        let mut state: [F; WIDTH] = core::array::from_fn(F::from_usize);
        permute(&mut state);
        assert_eq!(state.map(|x| x.as_canonical_u32()), VECTOR);
    }

    #[test]
    fn matrices_of_rings_are_those_of_the_permutation() {
        let mut state: [F; WIDTH] = core::array::from_fn(F::from_usize);
        external(&mut state);
        for constants in &BABYBEAR_POSEIDON2_RC_24_EXTERNAL_INITIAL {
            full_round(&mut state, constants);
        }
        for constant in BABYBEAR_POSEIDON2_RC_24_INTERNAL {
            state[0] = (state[0] + constant).exp_const_u64::<7>();
            internal(&mut state);
        }
        for constants in &BABYBEAR_POSEIDON2_RC_24_EXTERNAL_FINAL {
            full_round(&mut state, constants);
        }
        assert_eq!(state.map(|x| x.as_canonical_u32()), VECTOR);
    }

    #[test]
    fn a_hash_is_a_sponge_that_fills_with_zeros() {
        let felts: [F; 32] = core::array::from_fn(|k| F::from_usize(k + 1));
        let mut state = [F::ZERO; WIDTH];
        state[..16].copy_from_slice(&felts[..16]);
        permute(&mut state);
        assert_eq!(hash(felts[..16].iter().copied()), prefix(&state));
        let (l, r) = (core::array::from_fn(|k| felts[k]), core::array::from_fn(|k| felts[8 + k]));
        assert_eq!(compress(&l, &r), prefix(&state));
        state[..16].fill(F::ZERO);
        state[0] = felts[16];
        permute(&mut state);
        assert_eq!(hash(felts[..17].iter().copied()), prefix(&state));
        let mut zeros = [F::ZERO; WIDTH];
        permute(&mut zeros);
        assert_eq!(hash([]), prefix(&zeros));
    }

    #[test]
    fn words_are_in_montgomery_form() {
        assert_eq!(from_montgomery(1), F::TWO.exp_u64(32).inverse());
        assert_eq!(from_montgomery(268_435_454), F::ONE);
    }
}
