//! Arithmetic: one form of three extension values a row.
//!
//! # What is proven
//! `d = ab * a * b + ac * a * c + qa * a + qb * b + qc * c + k` in the extension field, with preprocessed
//! coefficients. A form of base field values is a base field value, so there is no second table for the base
//! field. Unused slots hold any value: their coefficients are 0 and so is their multiplicity.
//!
//! 16 main columns, 17 preprocessed, 4 messages, degree 3, no next row. Padding: all coefficients 0, d = 0.

use std::ops::Range;
use std::sync::Arc;

use p3_field::PrimeCharacteristicRing;
use tsz_air::{Air, Columns, InteractionBuilder, RowMajorMatrix, Trace, WindowAccess, columns};
use tsz_stark::F;

use super::{ext_mul, preprocess, program_table, slot, value};
use crate::ir::{Value, coordinates};
use crate::layout::Layout;

columns! {
    /// Main columns; each is an extension element.
    pub(crate) struct AluCols {
        /// First operand.
        a: [4],
        /// Second operand.
        b: [4],
        /// Third operand.
        c: [4],
        /// The form of the operands; constrained.
        d: [4],
    }
}

columns! {
    /// Preprocessed columns.
    struct AluProgram {
        /// Addresses of a, b, c, d.
        address: [4],
        /// Signed multiplicities of a, b, c, d.
        multiplicity: [4],
        /// Coefficient of a * b.
        ab,
        /// Coefficient of a * c.
        ac,
        /// Coefficients of a, b, c.
        linear: [3],
        /// Constant term.
        k: [4],
    }
}

/// The AIR.
#[derive(Clone)]
pub struct AluAir {
    pub(super) program: Arc<Trace>,
}

impl AluAir {
    const NEXT_ROW: Range<usize> = 0..0;

    pub(crate) fn new(layout: &Layout, log_height: usize) -> Self {
        let extra = |row: usize| {
            let f = &layout.forms[row];
            let k = coordinates(f.k);
            [f.ab, f.ac, f.a, f.b, f.c, k[0], k[1], k[2], k[3]]
        };
        Self { program: preprocess(layout, &layout.alu, log_height, extra) }
    }
}

program_table!(AluAir, "alu", AluCols);

impl<AB: InteractionBuilder<F = F>> Air<AB> for AluAir {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row: AluCols<AB::Var> = AluCols::from_row(main.current_slice());
        let program: AluProgram<AB::Var> = AluProgram::from_row(builder.preprocessed().current_slice());
        let [a, b, c, d] = [row.a, row.b, row.c, row.d].map(|x| x.map(Into::<AB::Expr>::into));
        // Sum of the factors of a first: one extension product a row.
        let factor: [AB::Expr; 4] =
            core::array::from_fn(|k| b[k].clone() * program.ab + c[k].clone() * program.ac);
        let product = ext_mul(&a, &factor);
        for (k, product) in product.into_iter().enumerate() {
            let linear: AB::Expr =
                [&a, &b, &c].iter().zip(program.linear).map(|(x, q)| x[k].clone() * q).sum();
            builder.assert_eq(d[k].clone(), product + linear + program.k[k]);
        }
        for (j, x) in [a, b, c, d].into_iter().enumerate() {
            slot(builder, program.address[j], x, program.multiplicity[j]);
        }
    }
}

/// The trace.
pub(crate) fn trace(layout: &Layout, values: &[Value], log_height: usize) -> Trace {
    let width = AluCols::<F>::WIDTH;
    let mut cells = F::zero_vec(width << log_height);
    for (row, out) in cells.chunks_exact_mut(width).enumerate().take(layout.alu.rows()) {
        for (quad, wire) in out.as_chunks_mut::<4>().0.iter_mut().zip(layout.alu.row(row)) {
            *quad = coordinates(value(values, *wire));
        }
    }
    RowMajorMatrix::new(cells, width)
}
