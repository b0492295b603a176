//! Trace of the tuple table.

use thiserror::Error;
use tsz_air::{Columns, F, PrimeCharacteristicRing, Requests, RowMajorMatrix, Trace};
use tsz_hash::{Block, Digest};
use tsz_ledger::Access;
use tsz_ledger::tuple::{KEYS_BLOCK, KEYS_FIRST, blocks};

use super::columns::TupleCols;

/// The ops of one slot, in the order in which they are absorbed.
#[derive(Clone, Debug)]
pub struct Segment<'a> {
    /// Slot of the transition set; 0 in mode Exec.
    pub slot: u32,
    /// Sequence number and accesses (1 to 4095 of them) of each op.
    pub ops: Vec<(u32, &'a [Access])>,
}

/// What the other tables and the public values need from the tuple table.
#[derive(Clone, Debug)]
pub struct TupleTrace {
    /// The trace.
    pub trace: Trace,
    /// Rows that are not padding.
    pub rows: usize,
    /// Capacity at the end of each segment.
    pub ends: Vec<Digest>,
}

/// The ops do not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("tuple table: {need} rows needed, {have} available")]
pub struct Overflow {
    /// Rows that the ops take.
    pub need: usize,
    /// Rows of the table.
    pub have: usize,
}

/// Rows of an op with `n` accesses of which `w` are writes.
pub const fn op_rows(n: usize, w: usize) -> usize {
    1 + n.saturating_sub(KEYS_FIRST).div_ceil(KEYS_BLOCK) + n + w
}

/// Rows of a segment.
pub fn segment_rows(segment: &Segment<'_>) -> usize {
    let rows = |accesses: &[Access]| op_rows(accesses.len(), accesses.iter().filter(|a| a.write).count());
    1 + segment.ops.iter().map(|(_, accesses)| rows(accesses)).sum::<usize>()
}

/// Fills a table of `2^log_height` rows; every segment starts from the capacity `start`.
///
/// Asks `requests` for one permutation a block. Mode Exec takes one segment, which may be empty; mode Transition takes non-empty ones.
///
/// # Errors
/// [`Overflow`] when the rows do not suffice.
///
/// # Panics
/// If an op has no access or more than 4095.
pub fn generate(
    log_height: usize,
    start: Digest,
    segments: &[Segment<'_>],
    requests: &mut Requests,
) -> Result<TupleTrace, Overflow> {
    let (need, have) = (segments.iter().map(segment_rows).sum(), 1 << log_height);
    if need > have {
        return Err(Overflow { need, have });
    }
    let mut values = F::zero_vec(have * TupleCols::<F>::WIDTH);
    let mut ends = Vec::with_capacity(segments.len());
    let mut rows = values.chunks_exact_mut(TupleCols::<F>::WIDTH);
    let mut push = |cols: &TupleCols<F>| {
        if let Some(row) = rows.next() {
            cols.to_row(row);
        }
    };
    for segment in segments {
        let mut cap = start;
        let mut last = blank(segment.slot);
        for (i, accesses) in &segment.ops {
            let (blocks, _) = blocks(*i, accesses);
            let n = accesses.len();
            let keys = 1 + n.saturating_sub(KEYS_FIRST).div_ceil(KEYS_BLOCK);
            last = TupleCols {
                i: F::from_u32(*i),
                n: F::from_usize(n),
                nv: F::from_usize(blocks.len() - keys),
                cnt: last.cnt + F::ONE,
                ..blank(segment.slot)
            };
            for (at, block) in blocks.iter().enumerate() {
                push(&block_row(&last, at, keys, n, block, cap));
                cap = requests.step(block, &cap);
            }
        }
        push(&TupleCols { is_end: F::ONE, cnt: last.cnt, cap, ..blank(segment.slot) });
        ends.push(cap);
    }
    Ok(TupleTrace { trace: RowMajorMatrix::new(values, TupleCols::<F>::WIDTH), rows: need, ends })
}

/// A row of a segment before anything is known.
fn blank(slot: u32) -> TupleCols<F> {
    TupleCols { slot: F::from_u32(slot), ..TupleCols::fill(F::ZERO) }
}

/// Row of block `at` of an op whose first `keys` blocks hold its `n` keys.
fn block_row(
    op: &TupleCols<F>,
    at: usize,
    keys: usize,
    n: usize,
    block: &Block,
    cap: Digest,
) -> TupleCols<F> {
    let mut row = TupleCols { msg: *block, cap, ..*op };
    if at >= keys {
        row.is_val = F::ONE;
        row.pos = F::from_usize(at - keys);
        return row;
    }
    row.is_first = F::from_bool(at == 0);
    row.is_key = F::from_bool(at != 0);
    row.pos = F::from_usize(KEYS_BLOCK * at) - F::ONE;
    // pair q of block `at` is key 4 * at + q - 1
    row.present = core::array::from_fn(|k| F::from_bool(KEYS_BLOCK * at + k < n));
    row
}
