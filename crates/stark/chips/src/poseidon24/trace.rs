//! Trace generation from lookups.

use core::array::from_fn;

use p3_poseidon2_air::generate_trace_rows;
use tsz_air::{F, PrimeCharacteristicRing, RowMajorMatrix, Trace};

use super::air::{
    HALF_FULL_ROUNDS, MULT, PARTIAL_ROUNDS, PERM_WIDTH, SBOX_DEGREE, SBOX_REGISTERS, WIDTH, constants,
};
use super::{Layers, P2_24, STATE};
use crate::collect::Asked;
use crate::poseidon2::TableFull;

/// The table for the lookups on `p2_24`: one row for each distinct input.
///
/// # Errors
/// [`TableFull`] if the distinct inputs exceed `2^log_height`.
pub fn trace(asked: &Asked, log_height: usize) -> Result<Trace, TableFull> {
    let distinct = asked.messages(P2_24.name());
    let rows = 1 << log_height;
    if distinct.len() > rows {
        return Err(TableFull { needed: distinct.len(), rows });
    }
    let mut inputs: Vec<[F; STATE]> =
        distinct.iter().map(|(message, _)| from_fn(|k| message[k])).collect();
    inputs.resize(rows, [F::ZERO; STATE]);
    let permutations = generate_trace_rows::<
        F,
        Layers,
        STATE,
        SBOX_DEGREE,
        SBOX_REGISTERS,
        HALF_FULL_ROUNDS,
        PARTIAL_ROUNDS,
    >(inputs, &constants(), 0);
    let mut values = F::zero_vec(rows * WIDTH);
    let perms = permutations.values.chunks_exact(PERM_WIDTH);
    for (i, (row, permutation)) in values.chunks_exact_mut(WIDTH).zip(perms).enumerate() {
        row[..PERM_WIDTH].copy_from_slice(permutation);
        row[MULT] = F::from_u32(distinct.get(i).map_or(0, |(_, count)| *count));
    }
    Ok(RowMajorMatrix::new(values, WIDTH))
}
