//! Batch reductions and polynomials: two quads a row, that of the higher power first, each a step
//! `acc' = acc * step + T(q)`.
//!
//! # What is proven
//! `alpha2` is the square of alpha on every row. Rows are of two kinds, by the preprocessed `whole`:
//! - batch reduction: `step = alpha^4` and `T(q) = sum_k mask_k q_k alpha^k`, masks preprocessed;
//! - polynomial: `step = alpha` and `T(q) = q` as an extension element; all masks are 0.
//!
//! Where the preprocessed `chain` is 1 the next row has the same alpha and starts where this one ends; where the
//! preprocessed `first` is 1 the row starts from 0. The last row of the table is never chained, so nothing wraps
//! around. The quad that is missing in front of an odd number has masks of 0 in a batch reduction, so its cells count
//! for nothing; in a polynomial it reads the constant 0.
//!
//! 28 main columns (8 of them read on the next row too), 20 preprocessed, 4 messages, degree 5. Padding: zeros.

use std::ops::Range;
use std::sync::Arc;

use p3_field::PrimeCharacteristicRing;
use tsz_air::{Air, Columns, InteractionBuilder, RowMajorMatrix, Trace, WindowAccess, columns};
use tsz_stark::F;

use super::{ext_mul, preprocess, program_table, slot, value};
use crate::ir::{NONE, Value, coordinates};
use crate::layout::{Layout, QUADS, WHOLE};
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
        /// alpha^4, or alpha on rows of polynomials; constrained.
        step: [4],
        /// Four base field values, or an extension element, of the higher power.
        high: [4],
        /// As `high`, of the lower power.
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
        /// Boolean: the row is one of a polynomial.
        whole,
        /// Zero: with the other tables of its height a row is whole quads, which hash without packing.
        zero,
        /// Booleans: which coordinates of high and low count.
        mask: [8],
    }
}

/// Preprocessed columns after addresses and multiplicities.
const FLAGS: usize = 4 + 4 * QUADS;

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
            let masks = &layout.masks[row];
            let first = layout.horner.row(row)[QUADS] != NONE;
            let flags = [layout.chains[row], first, is_whole(masks), false];
            let mask = |k: usize| masks[k / 4] >> (k % 4) & 1 == 1;
            core::array::from_fn::<F, FLAGS, _>(|k| {
                F::from_bool(if k < flags.len() { flags[k] } else { mask(k - flags.len()) })
            })
        };
        Self { program: preprocess(layout, &layout.horner, log_height, extra) }
    }
}

/// Whether a row is one of a polynomial: all of its quads are.
fn is_whole(masks: &[u8; QUADS]) -> bool {
    masks[QUADS - 1] == WHOLE
}

program_table!(HornerAir, "horner", HornerCols);

impl<AB: InteractionBuilder<F = F>> Air<AB> for HornerAir {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row: HornerCols<AB::Var> = HornerCols::from_row(main.current_slice());
        let next: HornerCols<AB::Var> = HornerCols::from_row(main.next_slice());
        let program: HornerProgram<AB::Var> = HornerProgram::from_row(builder.preprocessed().current_slice());
        let expr = |x: [AB::Var; 4]| x.map(Into::<AB::Expr>::into);
        let [alpha, alpha2] = [expr(row.alpha), expr(row.alpha2)];
        let step = expr(row.step);
        let (square, alpha4) = (ext_mul(&alpha, &alpha), ext_mul(&alpha2, &alpha2));
        for k in 0..4 {
            builder.assert_eq(alpha2[k].clone(), square[k].clone());
            let other = (alpha[k].clone() - alpha4[k].clone()) * program.whole;
            builder.assert_eq(step[k].clone(), alpha4[k].clone() + other);
        }
        // T(q) = (m0 q0 + m1 q1 alpha) + (m2 q2 + m3 q3 alpha) alpha^2, or q.
        let term = |quad: [AB::Var; 4], mask: &[AB::Var]| -> [AB::Expr; 4] {
            let q: [AB::Expr; 4] = core::array::from_fn(|k| quad[k] * mask[k]);
            let pair = |j: usize| -> [AB::Expr; 4] {
                core::array::from_fn(|k| {
                    let own = if k == 0 { q[j].clone() } else { AB::Expr::ZERO };
                    own + alpha[k].clone() * q[j + 1].clone()
                })
            };
            let (low, high) = (pair(0), ext_mul(&pair(2), &alpha2));
            core::array::from_fn(|k| low[k].clone() + high[k].clone() + quad[k] * program.whole)
        };
        let next_step = |acc: [AB::Expr; 4], term: [AB::Expr; 4]| -> [AB::Expr; 4] {
            let moved = ext_mul(&acc, &step);
            core::array::from_fn(|k| moved[k].clone() + term[k].clone())
        };
        let middle = next_step(expr(row.before), term(row.high, &program.mask[..4]));
        let after = next_step(middle, term(row.low, &program.mask[4..]));
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
        let (wires, masks) = (layout.horner.row(row), &layout.masks[row]);
        if wires[QUADS] != NONE {
            (alpha, acc) = (value(values, wires[QUADS]), Value::ZERO);
        }
        let before = acc;
        let mut quads = [Value::ZERO; QUADS];
        for ((quad, wire), mask) in quads.iter_mut().zip(wires).zip(masks) {
            *quad = value(values, *wire);
            acc = horner_step(alpha, acc, *quad, *mask);
        }
        let alpha2 = alpha * alpha;
        let step = if is_whole(masks) { alpha } else { alpha2 * alpha2 };
        HornerCols {
            alpha: coordinates(alpha),
            before: coordinates(before),
            alpha2: coordinates(alpha2),
            step: coordinates(step),
            high: coordinates(quads[0]),
            low: coordinates(quads[1]),
            after: coordinates(acc),
        }
        .to_row(out);
    }
    RowMajorMatrix::new(cells, width)
}
