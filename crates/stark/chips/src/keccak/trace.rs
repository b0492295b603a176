//! Trace generation.

use rayon::prelude::*;
use thiserror::Error;
use tsz_air::{Columns, F, PrimeCharacteristicRing, RowMajorMatrix, Trace};

use super::columns::KeccakCols;
use super::{BITS, CONSTANT_BITS, KeccakTable, LANES, LIMBS, RATE, RC, ROWS, source};

/// A block that is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absorb {
    /// Its lanes.
    pub block: [u64; RATE],
    /// Lookups of the hash.
    pub uses: u32,
}

/// More hashes than blocks.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{needed} hashes do not fit in {blocks} blocks")]
pub struct TooManyHashes {
    /// Hashes given.
    pub needed: usize,
    /// Blocks of the table.
    pub blocks: usize,
}

/// The block of a message with its padding; what is beyond 135 bytes is cut off.
pub fn block(message: &[u8]) -> [u64; RATE] {
    let mut bytes = [0u8; 8 * RATE];
    let end = message.len().min(bytes.len() - 1);
    bytes[..end].copy_from_slice(&message[..end]);
    bytes[end] ^= 0x01;
    bytes[8 * RATE - 1] ^= 0x80;
    core::array::from_fn(|k| (0..8).rev().fold(0, |acc, i| acc << 8 | u64::from(bytes[8 * k + i])))
}

/// A state in the midst of a round.
struct Round {
    before: [u64; LANES],
    parity: [u64; 5],
    theta: [u64; LANES],
    chi: [u64; LANES],
    after: [u64; LANES],
}

fn round(before: [u64; LANES], constant: u64) -> Round {
    let parity: [u64; 5] = core::array::from_fn(|x| (0..5).fold(0, |acc, y| acc ^ before[x + 5 * y]));
    let flip = |x: usize| parity[(x + 4) % 5] ^ parity[(x + 1) % 5].rotate_left(1);
    let theta: [u64; LANES] = core::array::from_fn(|lane| before[lane] ^ flip(lane % 5));
    let rotated: [u64; LANES] = core::array::from_fn(|lane| {
        let (from, rotation) = source(lane);
        theta[from].rotate_left(rotation as u32)
    });
    let chi: [u64; LANES] = core::array::from_fn(|lane| {
        let (x, y) = (lane % 5, lane / 5);
        rotated[lane] ^ (!rotated[(x + 1) % 5 + 5 * y] & rotated[(x + 2) % 5 + 5 * y])
    });
    let mut after = chi;
    after[0] ^= constant;
    Round { before, parity, theta, chi, after }
}

fn initial(block: &[u64; RATE]) -> [u64; LANES] {
    core::array::from_fn(|lane| block.get(lane).copied().unwrap_or(0))
}

/// The hash of a block: 32 bytes.
pub fn hash(block: &[u64; RATE]) -> [u8; 32] {
    let state = RC.iter().fold(initial(block), |state, constant| round(state, *constant).after);
    core::array::from_fn(|k| state[k / 8].to_le_bytes()[k % 8])
}

fn bits(lane: u64) -> [F; BITS] {
    core::array::from_fn(|z| F::from_bool(lane >> z & 1 == 1))
}

fn limbs(lane: u64) -> [F; LIMBS] {
    core::array::from_fn(|l| F::from_u32((lane >> (16 * l)) as u32 & 0xffff))
}

fn block_rows(mut state: [u64; LANES], uses: u32, mut put: impl FnMut(usize, &KeccakCols<F>)) {
    for (r, constant) in RC.iter().enumerate() {
        let round = round(state, *constant);
        let mut row = KeccakCols::fill(F::ZERO);
        row.before = round.before.map(limbs);
        row.parity = round.parity.map(bits);
        row.parity_after =
            core::array::from_fn(|x| bits((0..5).fold(0, |acc, y| acc ^ round.theta[x + 5 * y])));
        row.theta = round.theta.map(bits);
        row.chi = CONSTANT_BITS.map(|z| F::from_bool(round.chi[0] >> z & 1 == 1));
        row.after = round.after.map(limbs);
        row.uses = if r == 0 || r == ROWS - 1 { F::from_u32(uses) } else { F::ZERO };
        put(r, &row);
        state = round.after;
    }
}

/// Cells of the permutation of any state.
#[cfg(test)]
pub(super) fn rows_of(state: [u64; LANES], uses: u32) -> Vec<F> {
    let width = KeccakCols::<F>::WIDTH;
    let mut out = F::zero_vec(width * ROWS);
    block_rows(state, uses, |r, row| row.to_row(&mut out[r * width..(r + 1) * width]));
    out
}

/// The trace; block `k` of `absorbed` has the id k + 1. Idle blocks absorb zeros.
///
/// # Errors
/// [`TooManyHashes`].
pub fn trace(table: &KeccakTable, absorbed: &[Absorb]) -> Result<Trace, TooManyHashes> {
    let (needed, blocks) = (absorbed.len(), table.blocks());
    if needed > blocks {
        return Err(TooManyHashes { needed, blocks });
    }
    let idle = Absorb { block: [0; RATE], uses: 0 };
    let width = KeccakCols::<F>::WIDTH;
    let mut cells = F::zero_vec(width << table.log_height());
    cells.par_chunks_exact_mut(width * ROWS).enumerate().for_each(|(k, out)| {
        let Absorb { block, uses } = absorbed.get(k).unwrap_or(&idle);
        block_rows(initial(block), *uses, |r, row| row.to_row(&mut out[r * width..(r + 1) * width]));
    });
    Ok(RowMajorMatrix::new(cells, width))
}
