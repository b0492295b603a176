//! Trace matrices from rows.

use rayon::prelude::*;

use crate::{Columns, F, RowMajorMatrix, Trace};
use p3_field::PrimeCharacteristicRing;

/// log2 of the least height that holds `rows` rows, at least [`tsz_stark::MIN_LOG_HEIGHT`].
pub fn log_height(rows: usize) -> usize {
    (rows.max(1).next_power_of_two().trailing_zeros() as usize).max(tsz_stark::MIN_LOG_HEIGHT)
}

/// A trace of `2^log_height` rows: the given rows, then all-zero rows.
///
/// # Panics
/// If the rows do not fit.
pub fn from_rows<C: Columns<F> + Sync>(rows: &[C], log_height: usize) -> Trace {
    from_rows_padded(rows, log_height, |_| C::fill(F::ZERO))
}

/// A trace of `2^log_height` rows: the given rows, then `pad(row index)`.
///
/// # Panics
/// If the rows do not fit.
pub fn from_rows_padded<C: Columns<F> + Sync>(
    rows: &[C],
    log_height: usize,
    pad: impl Fn(usize) -> C + Sync,
) -> Trace {
    let height = 1 << log_height;
    assert!(rows.len() <= height, "{} rows do not fit in 2^{log_height}", rows.len());
    let mut values = F::zero_vec(height * C::WIDTH);
    values.par_chunks_exact_mut(C::WIDTH).enumerate().for_each(|(i, out)| match rows.get(i) {
        Some(row) => row.to_row(out),
        None => pad(i).to_row(out),
    });
    RowMajorMatrix::new(values, C::WIDTH)
}
