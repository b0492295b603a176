//! Batch reductions: `acc' = acc * alpha^4 + q0 + q1 * alpha + q2 * alpha^2 + q3 * alpha^3`, one quad a row.
//!
//! # What is proven
//! The powers of alpha are powers on every row. Where the preprocessed `chain` is 1 the next row has the same alpha
//! and starts where this one ends; elsewhere alpha and the start come from the witness bus. The last row of the
//! table is never chained, so nothing wraps around.
//!
//! 28 main columns (24 of them read on the next row too), 9 preprocessed, 4 messages, degree 3. Padding: zeros.

use std::ops::Range;
use std::sync::Arc;

use p3_field::PrimeCharacteristicRing;
use tsz_air::{Air, Columns, InteractionBuilder, RowMajorMatrix, Trace, WindowAccess, columns};
use tsz_stark::F;

use super::{ext_mul, preprocess, program_table, slot, value};
use crate::ir::{NONE, Value, coordinates};
use crate::layout::Layout;
use crate::run::horner_step;

columns! {
    /// Main columns; each is an extension element or a quad.
    pub(crate) struct HornerCols {
        /// alpha; read from the bus or equal to the row before.
        alpha: [4],
        /// Result before this row; read from the bus or equal to the row before.
        before: [4],
        /// alpha^2; constrained.
        alpha2: [4],
        /// alpha^3; constrained.
        alpha3: [4],
        /// alpha^4; constrained.
        alpha4: [4],
        /// Four base field values.
        quad: [4],
        /// Result after this row; constrained.
        after: [4],
    }
}

columns! {
    /// Preprocessed columns.
    struct HornerProgram {
        /// Addresses of quad, alpha, before, after.
        address: [4],
        /// Signed multiplicities.
        multiplicity: [4],
        /// Boolean: the next row goes on.
        chain,
    }
}

/// The AIR.
#[derive(Clone)]
pub struct HornerAir {
    pub(super) program: Arc<Trace>,
}

impl HornerAir {
    /// alpha and `before`.
    const NEXT_ROW: Range<usize> = 0..8;

    pub(crate) fn new(layout: &Layout, log_height: usize) -> Self {
        let extra = |row: usize| [F::from_bool(layout.chains[row])];
        Self { program: preprocess(layout, &layout.horner, log_height, extra) }
    }
}

program_table!(HornerAir, "horner", HornerCols);

impl<AB: InteractionBuilder<F = F>> Air<AB> for HornerAir {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row: HornerCols<AB::Var> = HornerCols::from_row(main.current_slice());
        let next: HornerCols<AB::Var> = HornerCols::from_row(main.next_slice());
        let program: HornerProgram<AB::Var> = HornerProgram::from_row(builder.preprocessed().current_slice());
        let expr = |x: [AB::Var; 4]| x.map(Into::<AB::Expr>::into);
        let [alpha, alpha2, alpha3, alpha4] =
            [expr(row.alpha), expr(row.alpha2), expr(row.alpha3), expr(row.alpha4)];
        let claims = [
            (&alpha2, ext_mul(&alpha, &alpha)),
            (&alpha3, ext_mul(&alpha2, &alpha)),
            (&alpha4, ext_mul(&alpha2, &alpha2)),
        ];
        for (power, product) in claims {
            for (power, product) in power.iter().zip(product) {
                builder.assert_eq(power.clone(), product);
            }
        }
        let shifted = ext_mul(&expr(row.before), &alpha4);
        for (k, shifted) in shifted.into_iter().enumerate() {
            let own: AB::Expr = if k == 0 { row.quad[0].into() } else { AB::Expr::ZERO };
            let sum = own + alpha[k].clone() * row.quad[1] + alpha2[k].clone() * row.quad[2];
            builder.assert_eq(row.after[k], shifted + sum + alpha3[k].clone() * row.quad[3]);
            // The last row is never chained: see `trace` and `Layout`.
            builder.assert_zero((next.alpha[k] - row.alpha[k]) * program.chain);
            builder.assert_zero((next.before[k] - row.after[k]) * program.chain);
        }
        let slots = [row.quad, row.alpha, row.before, row.after];
        for (j, x) in slots.into_iter().enumerate() {
            slot(builder, program.address[j], expr(x), program.multiplicity[j]);
        }
    }
}

/// The trace.
pub(crate) fn trace(layout: &Layout, values: &[Value], log_height: usize) -> Trace {
    let width = HornerCols::<F>::WIDTH;
    let mut cells = F::zero_vec(width << log_height);
    let (mut alpha, mut acc) = (Value::ZERO, Value::ZERO);
    for (row, out) in cells.chunks_exact_mut(width).enumerate().take(layout.horner.rows()) {
        let wires = layout.horner.row(row);
        if wires[1] != NONE {
            (alpha, acc) = (value(values, wires[1]), value(values, wires[2]));
        }
        let quad = value(values, wires[0]);
        let before = acc;
        acc = horner_step(alpha, acc, quad);
        let alpha2 = alpha * alpha;
        HornerCols {
            alpha: coordinates(alpha),
            before: coordinates(before),
            alpha2: coordinates(alpha2),
            alpha3: coordinates(alpha2 * alpha),
            alpha4: coordinates(alpha2 * alpha2),
            quad: coordinates(quad),
            after: coordinates(acc),
        }
        .to_row(out);
    }
    RowMajorMatrix::new(cells, width)
}
