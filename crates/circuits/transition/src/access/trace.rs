//! Rows of the access table, and the memory they are checked against.

use std::collections::HashMap;

use thiserror::Error;
use tsz_air::{Columns, F, PrimeCharacteristicRing, PrimeField32, Requests};
use tsz_hash::Digest;
use tsz_ledger::{Access, Key};

use super::columns::AccessCols;

/// One distinct cell that the batch touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touched {
    /// The cell.
    pub key: Key,
    /// Value before the batch.
    pub old: Digest,
    /// Value after the last access so far.
    pub new: Digest,
    /// Time of the last access so far.
    pub ts: u32,
}

/// An access log that the state does not bear out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CellError {
    /// The access claims an old value that the cell does not hold.
    #[error("op {op}, access {access}: stale old value of key {key:?}")]
    Stale {
        /// Sequence number of the op.
        op: usize,
        /// Number of the access in the op.
        access: usize,
        /// The cell.
        key: Key,
    },
    /// A read that changes the value.
    #[error("op {op}, access {access}: a read of key {key:?} changes it")]
    ReadWrites {
        /// Sequence number of the op.
        op: usize,
        /// Number of the access in the op.
        access: usize,
        /// The cell.
        key: Key,
    },
}

/// Distinct touched cells in the order of first access.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    index: HashMap<u64, usize>,
    cells: Vec<Touched>,
}

impl Memory {
    /// The touched cells.
    pub fn cells(&self) -> &[Touched] {
        &self.cells
    }

    /// The cell of a key; read from `state` when it is touched for the first time.
    fn cell(&mut self, key: Key, state: &impl Fn(Key) -> Digest) -> &mut Touched {
        let fresh = self.cells.len();
        let at = *self.index.entry(key.raw()).or_insert(fresh);
        if at == fresh {
            let old = state(key);
            self.cells.push(Touched { key, old, new: old, ts: 0 });
        }
        &mut self.cells[at]
    }
}

/// Replays the access logs of `(slot, accesses)` on `state` (the value of a cell before the batch).
///
/// # Errors
/// [`CellError`] when an access does not find the value that it claims, or a read changes it.
pub fn rows<'a>(
    ops: impl IntoIterator<Item = (usize, &'a [Access])>,
    state: impl Fn(Key) -> Digest,
) -> Result<(Vec<AccessCols<F>>, Memory), CellError> {
    let mut memory = Memory::default();
    let mut rows = Vec::new();
    for (op, (slot, accesses)) in ops.into_iter().enumerate() {
        let mut w = 0;
        for (j, access) in accesses.iter().enumerate() {
            let ts = rows.len() as u32 + 1;
            let cell = memory.cell(access.key, &state);
            let at = |e: fn(usize, usize, Key) -> CellError| e(op, j, access.key);
            if cell.new != access.old {
                return Err(at(|op, access, key| CellError::Stale { op, access, key }));
            }
            if !access.write && access.new != access.old {
                return Err(at(|op, access, key| CellError::ReadWrites { op, access, key }));
            }
            let gap = ts - 1 - cell.ts;
            cell.new = access.new;
            cell.ts = ts;
            let [hi, lo] = access.key.felts();
            rows.push(AccessCols {
                is_real: F::ONE,
                is_last: F::from_bool(j + 1 == accesses.len()),
                write: F::from_bool(access.write),
                i: F::from_usize(op),
                j: F::from_usize(j),
                slot: F::from_usize(slot),
                n: F::from_usize(accesses.len()),
                w: F::from_u32(w),
                hi,
                lo,
                ts: F::from_u32(ts),
                gap_lo: F::from_u32(gap & 0xfff),
                gap_hi: F::from_u32(gap >> 12),
                old: access.old,
                new: access.new,
            });
            w += u32::from(access.write);
        }
    }
    Ok((rows, memory))
}

/// Row `at` after the last access of `ops` ops: time runs on.
pub fn pad(at: usize, ops: usize) -> AccessCols<F> {
    AccessCols { i: F::from_usize(ops), ts: F::from_usize(at + 1), ..AccessCols::fill(F::ZERO) }
}

/// Asks for what the rows look up.
pub fn request(rows: &[AccessCols<F>], requests: &mut Requests) {
    for row in rows.iter().filter(|row| row.is_real == F::ONE) {
        requests.range(row.gap_lo.as_canonical_u32());
        requests.range(row.gap_hi.as_canonical_u32());
        if row.is_last == F::ONE {
            requests.range(row.n.as_canonical_u32());
        }
    }
}
