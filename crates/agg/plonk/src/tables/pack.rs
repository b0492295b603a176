//! Quads and their coordinates.
//!
//! # What is proven
//! The slot of the quad says `(x0, x1, x2, x3)` and the slots of the coordinates say `(xk, 0, 0, 0)`, of the same
//! four columns: no constraint is needed. Whichever slots define, the row packs, splits, or gives base field
//! witness values a home.
//!
//! 4 main columns, 12 preprocessed, 5 messages, degree 3 (LogUp), no next row. Padding: zeros.

use std::ops::Range;
use std::sync::Arc;

use p3_field::PrimeCharacteristicRing;
use tsz_air::{Air, Columns, InteractionBuilder, RowMajorMatrix, Trace, WindowAccess, columns};
use tsz_stark::F;

use super::{embed, preprocess, program_table, slot, value};
use crate::ir::{NONE, Value, coordinates};
use crate::layout::Layout;

columns! {
    /// Main columns.
    pub(crate) struct PackCols {
        /// Coordinates of the quad.
        x: [4],
    }
}

columns! {
    /// Preprocessed columns.
    struct PackProgram {
        /// Addresses of the quad and of its coordinates.
        address: [5],
        /// Signed multiplicities.
        multiplicity: [5],
        /// Zeros: a row of whole quads is hashed without packing.
        zero: [2],
    }
}

/// The AIR.
#[derive(Clone)]
pub struct PackAir {
    pub(super) program: Arc<Trace>,
}

impl PackAir {
    const NEXT_ROW: Range<usize> = 0..0;

    pub(crate) fn new(layout: &Layout, log_height: usize) -> Self {
        Self { program: preprocess(layout, &layout.pack, log_height, |_| [F::ZERO; 2]) }
    }
}

program_table!(PackAir, "pack", PackCols);

impl<AB: InteractionBuilder<F = F>> Air<AB> for PackAir {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row: PackCols<AB::Var> = PackCols::from_row(main.current_slice());
        let program: PackProgram<AB::Var> = PackProgram::from_row(builder.preprocessed().current_slice());
        slot(builder, program.address[0], row.x.map(Into::into), program.multiplicity[0]);
        for (k, x) in row.x.into_iter().enumerate() {
            slot(builder, program.address[k + 1], embed(x), program.multiplicity[k + 1]);
        }
    }
}

/// The trace.
pub(crate) fn trace(layout: &Layout, values: &[Value], log_height: usize) -> Trace {
    let width = PackCols::<F>::WIDTH;
    let mut cells = F::zero_vec(width << log_height);
    for (row, out) in cells.chunks_exact_mut(width).enumerate().take(layout.pack.rows()) {
        let wires = layout.pack.row(row);
        if wires[0] == NONE {
            // Witness values without a quad.
            for (cell, wire) in out.iter_mut().zip(&wires[1..]) {
                *cell = coordinates(value(values, *wire))[0];
            }
        } else {
            out.copy_from_slice(&coordinates(values[wires[0] as usize]));
        }
    }
    RowMajorMatrix::new(cells, width)
}
