//! The leaf table: every distinct cell that the batch touches, one a row.
//!
//! **Proven.** Each real row is a leaf of the tree at (hi, lo), `init` before and `last` after the batch (bus
//! `node`); the memory of the batch starts the cell with `init` at time 0 and ends it with `last` (bus `mem`). The
//! tree has one node for each position, so a cell has one row. 20 columns, 4 LogUp columns, degree 2, one-row.

mod air;
mod columns;

pub use air::LeafAir;
pub use columns::LeafCols;

use tsz_air::{F, PrimeCharacteristicRing};

use crate::access::Touched;

/// Rows of the touched cells.
pub fn rows(cells: &[Touched]) -> Vec<LeafCols<F>> {
    let row = |cell: &Touched| {
        let [hi, lo] = cell.key.felts();
        LeafCols { is_real: F::ONE, hi, lo, ts: F::from_u32(cell.ts), init: cell.old, last: cell.new }
    };
    cells.iter().map(row).collect()
}
