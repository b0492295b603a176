//! Batch reductions: `acc' = (acc * alpha^4 + P(q)) * alpha^4 + P(r)`, two quads a row, where
//! `P(q) = sum_k mask_k q_k alpha^k`.
//!
//! # What is proven
//! `alpha2` and `alpha4` are powers of alpha on every row. Masks are preprocessed. Where the preprocessed `chain` is
//! 1 the next row has the same alpha and starts where this one ends; where the preprocessed `first` is 1 the row
//! starts from 0. The last row of the table is never chained, so nothing wraps around.
//!
//! 28 main columns (8 of them read on the next row too), 18 preprocessed, 4 messages, degree 5. Padding: zeros.

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
        /// Result before this row; 0 or equal to the row before.
        before: [4],
        /// alpha^2; constrained.
        alpha2: [4],
        /// alpha^4; constrained.
        alpha4: [4],
        /// Four base field values, the ones of higher powers.
        high: [4],
        /// Four base field values.
        low: [4],
        /// Result after this row; constrained.
        after: [4],
    }
}

columns! {
    /// Preprocessed columns.
    struct HornerProgram {
        /// Addresses of high, low, alpha, after.
        address: [4],
        /// Signed multiplicities.
        multiplicity: [4],
        /// Boolean: the next row goes on.
        chain,
        /// Boolean: the row starts from 0.
        first,
        /// Booleans: which coordinates of high and low count.
        mask: [8],
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
        let extra = |row: usize| {
            let bit = |k: usize| F::from_bool(layout.masks[row][k / 4] >> (k % 4) & 1 == 1);
            let first = layout.horner.row(row)[2] != NONE;
            let flags = [F::from_bool(layout.chains[row]), F::from_bool(first)];
            core::array::from_fn::<F, 10, _>(|k| if k < 2 { flags[k] } else { bit(k - 2) })
        };
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
        let [alpha, alpha2, alpha4] = [expr(row.alpha), expr(row.alpha2), expr(row.alpha4)];
        let claims = [(&alpha2, ext_mul(&alpha, &alpha)), (&alpha4, ext_mul(&alpha2, &alpha2))];
        for (power, product) in claims {
            for (power, product) in power.iter().zip(product) {
                builder.assert_eq(power.clone(), product);
            }
        }
        // P(q) = (m0 q0 + m1 q1 alpha) + (m2 q2 + m3 q3 alpha) alpha^2.
        let polynomial = |quad: [AB::Var; 4], mask: &[AB::Var]| -> [AB::Expr; 4] {
            let q: [AB::Expr; 4] = core::array::from_fn(|k| quad[k] * mask[k]);
            let pair = |j: usize| -> [AB::Expr; 4] {
                core::array::from_fn(|k| {
                    let own = if k == 0 { q[j].clone() } else { AB::Expr::ZERO };
                    own + alpha[k].clone() * q[j + 1].clone()
                })
            };
            let (low, high) = (pair(0), ext_mul(&pair(2), &alpha2));
            core::array::from_fn(|k| low[k].clone() + high[k].clone())
        };
        let sum = |x: [AB::Expr; 4], y: [AB::Expr; 4]| -> [AB::Expr; 4] {
            core::array::from_fn(|k| x[k].clone() + y[k].clone())
        };
        let (high, low) = (polynomial(row.high, &program.mask[..4]), polynomial(row.low, &program.mask[4..]));
        let middle = sum(ext_mul(&expr(row.before), &alpha4), high);
        let after = sum(ext_mul(&middle, &alpha4), low);
        for (k, after) in after.into_iter().enumerate() {
            builder.assert_eq(row.after[k], after);
            builder.assert_zero(program.first * row.before[k]);
            // The last row is never chained: see `trace` and `Layout`.
            builder.assert_zero((next.alpha[k] - row.alpha[k]) * program.chain);
            builder.assert_zero((next.before[k] - row.after[k]) * program.chain);
        }
        let slots = [row.high, row.low, row.alpha, row.after];
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
        if wires[2] != NONE {
            (alpha, acc) = (value(values, wires[2]), Value::ZERO);
        }
        let quads = [value(values, wires[0]), value(values, wires[1])];
        let before = acc;
        for (quad, mask) in quads.into_iter().zip(layout.masks[row]) {
            acc = horner_step(alpha, acc, quad, mask);
        }
        let alpha2 = alpha * alpha;
        HornerCols {
            alpha: coordinates(alpha),
            before: coordinates(before),
            alpha2: coordinates(alpha2),
            alpha4: coordinates(alpha2 * alpha2),
            high: coordinates(quads[0]),
            low: coordinates(quads[1]),
            after: coordinates(acc),
        }
        .to_row(out);
    }
    RowMajorMatrix::new(cells, width)
}
