//! Poseidon2 of width 24 as risc0's machine has it (x^7, 4 + 21 + 4 rounds, Horizen's matrices): one permutation a row.
//!
//! # What is proven
//! Every row holds `in[24]`, all intermediate values and the final state of the permutation, and provides
//! `(in, P(in)[16..24])` on bus `p2_24` with multiplicity `mult`: one step of a sponge of rate 16 and capacity 8 in
//! overwrite mode, which commits to journals (docs/src/extensions.md).
//!
//! The constraints are those of Plonky3's Poseidon2 AIR, with the linear layers of [`Layers`]. The round constants
//! are Plonky3's; the matrices are not. Source: eprint 2023/323, section 5 and appendix B.
//!
//! `mult` is free for the reason that it is in [`crate::poseidon2`]: a row is a true statement whatever it is.
//!
//! # Cost
//! 451 main columns, 8 LogUp columns, degree 3, no next row.

mod air;
#[cfg(test)]
mod tests;
mod trace;

pub use air::{MULT, Poseidon24Table, WIDTH};
pub use trace::trace;

use core::array::from_fn;

use p3_baby_bear::{
    BABYBEAR_POSEIDON2_RC_24_EXTERNAL_FINAL, BABYBEAR_POSEIDON2_RC_24_EXTERNAL_INITIAL,
    BABYBEAR_POSEIDON2_RC_24_INTERNAL,
};
use p3_poseidon2::GenericPoseidon2LinearLayers;
use tsz_air::{Count, F, InteractionBuilder, LookupBus, PrimeCharacteristicRing};

/// `p2_24`: in\[24\], out_hi\[8\]. Provided by `poseidon24`: `out_hi = P(in)[16..24]`.
pub const P2_24: LookupBus<'static> = LookupBus::new("p2_24");
/// Felts of the state.
pub const STATE: usize = 24;
/// Felts that a step absorbs.
pub const RATE: usize = 16;

/// Looks up one step of the sponge: `out` is the capacity after `block`, on rows where the boolean `flag` is 1.
pub fn step<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    block: [AB::Expr; RATE],
    capacity: [AB::Expr; 8],
    out: [AB::Expr; 8],
    flag: AB::Expr,
) {
    P2_24.lookup_key(builder, block.into_iter().chain(capacity).chain(out), Count::bounded(flag, 1));
}

/// Diagonal of the internal matrix less one: the matrix is `1 + diag`.
const DIAGONAL: [u32; STATE] = [
    0x409133f0, 0x1667a8a1, 0x06a6c7b6, 0x6f53160e, 0x273b11d1, 0x03176c5d, 0x72f9bbf9, 0x73ceba91,
    0x5cdef81d, 0x01393285, 0x46daee06, 0x065d7ba6, 0x52d72d6f, 0x05dd05e0, 0x3bab4b63, 0x6ada3842,
    0x2fc5fbec, 0x770d61b0, 0x5715aae9, 0x03ef0e90, 0x75b6c770, 0x242adf5f, 0x00d0ca4c, 0x36c0e388,
];

/// The linear layers: circ(2 M4, M4, .., M4) with M4 of Horizen, and all ones plus a diagonal.
#[derive(Clone, Copy, Debug)]
pub struct Layers;

impl GenericPoseidon2LinearLayers<STATE> for Layers {
    fn internal_linear_layer<R: PrimeCharacteristicRing>(state: &mut [R; STATE]) {
        let sum: R = state.iter().cloned().sum();
        for (x, diagonal) in state.iter_mut().zip(DIAGONAL) {
            *x = sum.clone() + x.clone() * R::from_u32(diagonal);
        }
    }

    fn external_linear_layer<R: PrimeCharacteristicRing>(state: &mut [R; STATE]) {
        let mut sums: [R; 4] = from_fn(|_| R::ZERO);
        for at in (0..STATE).step_by(4) {
            let mixed = m4(from_fn(|k| state[at + k].clone()));
            for (k, x) in mixed.into_iter().enumerate() {
                sums[k] += x.clone();
                state[at + k] = x;
            }
        }
        for (k, x) in state.iter_mut().enumerate() {
            *x += sums[k % 4].clone();
        }
    }
}

/// The 4x4 matrix [[5, 7, 1, 3], [4, 6, 1, 1], [1, 3, 5, 7], [1, 1, 4, 6]].
fn m4<R: PrimeCharacteristicRing>([a, b, c, d]: [R; 4]) -> [R; 4] {
    let (ab, cd) = (a + b.clone(), c + d.clone());
    let (p, q) = (b.double() + cd.clone(), d.double() + ab.clone());
    let (r, s) = (cd.double().double() + q.clone(), ab.double().double() + p.clone());
    [q + s.clone(), s, p + r.clone(), r]
}

/// The permutation.
pub fn permute(state: &mut [F; STATE]) {
    let full = |state: &mut [F; STATE], constants: &[F; STATE]| {
        for (x, constant) in state.iter_mut().zip(constants) {
            *x = (*x + *constant).exp_const_u64::<7>();
        }
        Layers::external_linear_layer(state);
    };
    Layers::external_linear_layer(state);
    BABYBEAR_POSEIDON2_RC_24_EXTERNAL_INITIAL.iter().for_each(|constants| full(state, constants));
    for constant in BABYBEAR_POSEIDON2_RC_24_INTERNAL {
        state[0] = (state[0] + constant).exp_const_u64::<7>();
        Layers::internal_linear_layer(state);
    }
    BABYBEAR_POSEIDON2_RC_24_EXTERNAL_FINAL.iter().for_each(|constants| full(state, constants));
}

/// The capacity after a block: what [`step`] looks up.
pub fn absorb(block: &[F; RATE], capacity: &[F; 8]) -> [F; 8] {
    let mut state = from_fn(|k| if k < RATE { block[k] } else { capacity[k - RATE] });
    permute(&mut state);
    from_fn(|k| state[RATE + k])
}
