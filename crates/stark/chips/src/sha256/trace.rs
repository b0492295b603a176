//! Trace generation.

use rayon::prelude::*;
use thiserror::Error;
use tsz_air::{Columns, F, PrimeCharacteristicRing, PrimeField32, RowMajorMatrix, Trace};

use super::air::Derived;
use super::columns::Sha256Cols;
use super::{IV, K, ROUNDS, ROWS, Sha256Table};

/// A compression to prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compression {
    /// State before.
    pub h_in: [u32; 8],
    /// Message words.
    pub block: [u32; 16],
    /// Lookups of the block.
    pub uses: u32,
}

/// More compressions than blocks.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{needed} compressions do not fit in {blocks} blocks")]
pub struct TooManyBlocks {
    /// Compressions given.
    pub needed: usize,
    /// Blocks of the table.
    pub blocks: usize,
}

/// The compression function; also the registers after each round and the schedule.
fn run(h_in: &[u32; 8], block: &[u32; 16]) -> ([u32; 8], Vec<[u32; 2]>, [u32; 64]) {
    let mut w = [0; 64];
    w[..16].copy_from_slice(block);
    for t in 16..64 {
        let s0 = w[t - 15].rotate_right(7) ^ w[t - 15].rotate_right(18) ^ (w[t - 15] >> 3);
        let s1 = w[t - 2].rotate_right(17) ^ w[t - 2].rotate_right(19) ^ (w[t - 2] >> 10);
        w[t] = w[t - 16].wrapping_add(s0).wrapping_add(w[t - 7]).wrapping_add(s1);
    }
    let mut s = *h_in;
    let mut registers = Vec::with_capacity(64);
    for t in 0..64 {
        let [a, b, c, d, e, f, g, h] = s;
        let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let t1 = h.wrapping_add(s1).wrapping_add(e & f ^ !e & g).wrapping_add(K[t]).wrapping_add(w[t]);
        let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let t2 = s0.wrapping_add(a & b ^ a & c ^ b & c);
        s = [t1.wrapping_add(t2), a, b, c, d.wrapping_add(t1), e, f, g];
        registers.push([s[0], s[4]]);
    }
    (core::array::from_fn(|k| h_in[k].wrapping_add(s[k])), registers, w)
}

/// The compression function.
pub fn compress(h_in: &[u32; 8], block: &[u32; 16]) -> [u32; 8] {
    run(h_in, block).0
}

/// The blocks of a message with its padding.
pub fn digest_blocks(message: &[u8]) -> Vec<[u32; 16]> {
    let mut bytes = message.to_vec();
    bytes.push(0x80);
    bytes.resize((bytes.len() + 8).div_ceil(64) * 64 - 8, 0);
    bytes.extend((8 * message.len() as u64).to_be_bytes());
    let word = |w: &[u8]| w.iter().fold(0, |acc, b| acc << 8 | u32::from(*b));
    let block = |b: &[u8]| core::array::from_fn(|k| word(&b[4 * k..4 * k + 4]));
    bytes.chunks_exact(64).map(block).collect()
}

fn bits(x: u32) -> [F; 32] {
    core::array::from_fn(|i| F::from_u32(x >> i & 1))
}

fn few<const N: usize>(x: u32) -> [F; N] {
    core::array::from_fn(|i| F::from_u32(x >> i & 1))
}

/// The rows of a block with their bits.
fn block_rows(compression: &Compression) -> [Sha256Cols<F>; ROWS] {
    let Compression { h_in, block, uses } = compression;
    let (h_out, registers, w) = run(h_in, block);
    let halves = |h: &[u32; 8]| -> [F; 16] {
        core::array::from_fn(|k| F::from_u32(if k % 2 == 0 { h[k / 2] >> 16 } else { h[k / 2] & 0xffff }))
    };
    core::array::from_fn(|r| {
        let mut row = Sha256Cols::fill(F::ZERO);
        row.h_in = halves(h_in);
        if r == 0 || r == ROWS - 1 {
            let h = if r == 0 { h_in } else { &h_out };
            row.a = core::array::from_fn(|j| bits(h[3 - j]));
            row.e = core::array::from_fn(|j| bits(h[7 - j]));
        } else {
            let t = ROUNDS * (r - 1);
            row.a = core::array::from_fn(|j| bits(registers[t + j][0]));
            row.e = core::array::from_fn(|j| bits(registers[t + j][1]));
            row.w = core::array::from_fn(|j| bits(w[t + j]));
        }
        row.uses = if (1..=4).contains(&r) || r == ROWS - 1 { F::from_u32(*uses) } else { F::ZERO };
        row
    })
}

fn low(x: &[F; 2], k: usize) -> i64 {
    // Sums before carries are below 2^19.
    i64::from(x[k].as_canonical_u32())
}

fn value(bits: &[F; 32]) -> [i64; 2] {
    let x = bits.iter().rev().fold(0u64, |acc, b| acc << 1 | u64::from(b.as_canonical_u32()));
    [(x & 0xffff) as i64, (x >> 16) as i64]
}

/// Carries out of the lower and the upper half of a sum.
fn carries(sum: [i64; 2]) -> [i64; 2] {
    let lo = sum[0] >> 16;
    [lo, (sum[1] + lo) >> 16]
}

fn fill_carries(row: &mut Sha256Cols<F>, before: &Sha256Cols<F>, at: usize) {
    if at == ROWS - 1 {
        let words = |r: &Sha256Cols<F>| -> Vec<[i64; 2]> {
            r.a.iter().rev().chain(r.e.iter().rev()).map(value).collect()
        };
        let mut flat = [F::ZERO; 6 * ROUNDS];
        for (k, now) in words(before).into_iter().enumerate() {
            let h = |i: usize| i64::from(row.h_in[i].as_canonical_u32());
            let c = carries([now[0] + h(2 * k + 1), now[1] + h(2 * k)]);
            (flat[2 * k + 1], flat[2 * k]) = (F::from_u32(c[0] as u32 & 1), F::from_u32(c[1] as u32 & 1));
        }
        row.carry_e = core::array::from_fn(|j| core::array::from_fn(|i| flat[6 * j + i]));
        return;
    }
    for j in 0..ROUNDS {
        let (d, e) = (value(&before.a[j]), value(&row.e[j]));
        let c = carries([0, 1].map(|k| d[k] + low(&row.t1[j], k)));
        let pair = |c: [i64; 2], n: u32| (c[0] as u32) | (c[1] as u32) << n;
        row.carry_e[j] = few(pair(c, 3));
        let c = carries([0, 1].map(|k| e[k] - d[k] + low(&row.t2[j], k)));
        row.carry_a[j] = few(pair([c[0] + 1, c[1] + 1], 2));
        let c = carries([0, 1].map(|k| low(&row.schedule[j], k)));
        row.carry_w[j] = few(pair(c, 2));
    }
}

/// The trace; idle blocks compress zeros.
///
/// # Errors
/// [`TooManyBlocks`].
pub fn trace(table: &Sha256Table, compressions: &[Compression]) -> Result<Trace, TooManyBlocks> {
    let (needed, blocks) = (compressions.len(), table.blocks());
    if needed > blocks {
        return Err(TooManyBlocks { needed, blocks });
    }
    let idle = Compression { h_in: IV, block: [0; 16], uses: 0 };
    let height = 1 << table.log_height();
    let mut rows: Vec<Sha256Cols<F>> = (0..blocks)
        .into_par_iter()
        .flat_map_iter(|k| block_rows(compressions.get(k).unwrap_or(&idle)))
        .collect();
    let last = rows.last().map_or([F::ZERO; 16], |r| r.h_in);
    let mut trailing = Sha256Cols::fill(F::ZERO);
    trailing.h_in = last;
    rows.resize(height, trailing);
    // Pending sums reach three rows back, so a second round settles those of the first rows.
    for r in (0..height).chain(0..4) {
        let before = rows[(r + height - 1) % height];
        let (at, inside) = (r % ROWS, r < blocks * ROWS);
        let is_round = inside && (1..=16).contains(&at);
        let k = core::array::from_fn(|j| {
            let k = if is_round { K[ROUNDS * (at - 1) + j] } else { 0 };
            [k & 0xffff, k >> 16].map(F::from_u32)
        });
        let row = &mut rows[r];
        let derived = Derived::<F>::new(&before, row, k);
        (row.t1, row.t2, row.schedule) = (derived.t1, derived.t2, derived.schedule);
        [row.pending_1, row.pending_2, row.pending_3] = derived.pending;
        if inside && at > 0 {
            fill_carries(row, &before, at);
        }
    }
    let width = Sha256Cols::<F>::WIDTH;
    let mut cells = F::zero_vec(width * height);
    cells.par_chunks_exact_mut(width).zip(rows).for_each(|(out, row)| row.to_row(out));
    Ok(RowMajorMatrix::new(cells, width))
}
