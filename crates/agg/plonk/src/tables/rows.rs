//! Traces put together on all cores.

use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;
use tsz_air::{RowMajorMatrix, Trace};
use tsz_stark::F;

/// The rows of traces of one height side by side.
pub(crate) fn beside(mut traces: Vec<Trace>) -> Trace {
    if traces.len() == 1 {
        return traces.swap_remove(0);
    }
    let width: usize = traces.iter().map(|t| t.width).sum();
    let height = traces.first().map_or(0, |t| t.values.len() / t.width.max(1));
    let mut values = F::zero_vec(width * height);
    values.par_chunks_exact_mut(width.max(1)).enumerate().for_each(|(row, mut out)| {
        for trace in &traces {
            let (own, rest) = out.split_at_mut(trace.width);
            own.copy_from_slice(&trace.values[row * trace.width..(row + 1) * trace.width]);
            out = rest;
        }
    });
    RowMajorMatrix::new(values, width)
}

/// A trace with a bit behind each row.
pub(crate) fn with_bits(trace: &Trace, bits: &[bool]) -> Trace {
    let width = trace.width + 1;
    let mut values = F::zero_vec(width * bits.len());
    let rows = trace.values.par_chunks_exact(trace.width.max(1));
    values.par_chunks_exact_mut(width).zip(rows).zip(bits).for_each(|((out, row), bit)| {
        out[..trace.width].copy_from_slice(row);
        out[trace.width] = F::from_bool(*bit);
    });
    RowMajorMatrix::new(values, width)
}
