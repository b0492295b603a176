//! Trace generation from requests.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use p3_baby_bear::GenericPoseidon2LinearLayersBabyBear;
use p3_poseidon2_air::generate_trace_rows;
use rayon::prelude::*;
use thiserror::Error;
use tsz_air::{F, PrimeCharacteristicRing, RowMajorMatrix, Trace};

use super::air::{
    HALF_FULL_ROUNDS, MULT, PARTIAL_ROUNDS, PERM_WIDTH, SBOX_DEGREE, SBOX_REGISTERS, WIDTH, constants,
};

/// More distinct permutations than rows.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{needed} distinct permutations do not fit in {rows} rows")]
pub struct TableFull {
    /// Distinct permutations requested.
    pub needed: usize,
    /// Rows of all tables together.
    pub rows: usize,
}

/// Distinct inputs in order of first request, each with its number of requests.
pub fn dedupe(requests: &[[F; 16]]) -> Vec<([F; 16], u32)> {
    let mut distinct: Vec<([F; 16], u32)> = Vec::with_capacity(requests.len());
    let mut rows: HashMap<[F; 16], u32, BuildHasherDefault<FeltHasher>> =
        HashMap::with_capacity_and_hasher(requests.len(), Default::default());
    for input in requests {
        let row = *rows.entry(*input).or_insert_with(|| {
            distinct.push((*input, 0));
            distinct.len() as u32 - 1
        });
        distinct[row as usize].1 += 1;
    }
    distinct
}

/// One trace for each height: the distinct requests fill the tables in order, the rest is padding.
///
/// # Errors
/// [`TableFull`] if the distinct requests exceed the rows.
pub fn traces(requests: &[[F; 16]], log_heights: &[usize]) -> Result<Vec<Trace>, TableFull> {
    let distinct = dedupe(requests);
    let rows = log_heights.iter().map(|h| 1 << h).sum();
    if distinct.len() > rows {
        return Err(TableFull { needed: distinct.len(), rows });
    }
    let mut rest = &distinct[..];
    let trace = |&log_height: &usize| {
        let (here, later) = rest.split_at(rest.len().min(1 << log_height));
        rest = later;
        table(here, 1 << log_height)
    };
    Ok(log_heights.iter().map(trace).collect())
}

fn table(distinct: &[([F; 16], u32)], height: usize) -> Trace {
    let mut inputs: Vec<[F; 16]> = distinct.iter().map(|(input, _)| *input).collect();
    inputs.resize(height, [F::ZERO; 16]);
    let permutations = generate_trace_rows::<
        F,
        GenericPoseidon2LinearLayersBabyBear,
        16,
        SBOX_DEGREE,
        SBOX_REGISTERS,
        HALF_FULL_ROUNDS,
        PARTIAL_ROUNDS,
    >(inputs, &constants(), 0);
    let mut values = F::zero_vec(height * WIDTH);
    values
        .par_chunks_exact_mut(WIDTH)
        .zip(permutations.values.par_chunks_exact(PERM_WIDTH))
        .enumerate()
        .for_each(|(i, (row, permutation))| {
            row[..PERM_WIDTH].copy_from_slice(permutation);
            row[MULT] = F::from_u32(distinct.get(i).map_or(0, |(_, count)| *count));
        });
    RowMajorMatrix::new(values, WIDTH)
}

/// Multiplicative hash of felts. Requests come from the prover's own traces, so nobody chooses collisions.
#[derive(Default)]
struct FeltHasher(u64);

impl Hasher for FeltHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }
    fn write_u32(&mut self, v: u32) {
        self.write_u64(v.into());
    }
    fn write_u64(&mut self, v: u64) {
        self.0 = (self.0.rotate_left(23) ^ v).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    fn write_usize(&mut self, v: usize) {
        self.write_u64(v as u64);
    }
}
