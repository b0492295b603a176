//! The ladder: A <- 2 A + T for the digits of two multipliers at once.

use num_bigint::BigUint;
use tsz_air::{
    Air, AirBuilder, BaseAir, Columns, Count, F, InteractionBuilder, Matrix, PrimeCharacteristicRing,
    RowMajorMatrix, TableAir, Trace, WindowAccess,
};

use super::columns::{LadderCols, LadderFixed};
use super::curve::Curve;
use super::{LADDER_ROWS, Part, STEP_IDENTITIES, STEPS, weight};
use crate::bigint::mulmod::{check_bytes, check_carries};
use crate::bigint::{Identity, Number, QUOTIENT, Ring, assert_identity, balanced, evaluate};
use crate::collect::{Asked, collect_by};

/// The AIR; its fixed columns depend on the height.
#[derive(Clone, Debug)]
pub struct LadderTable {
    curve: &'static Curve,
    part: Part,
}

impl LadderTable {
    /// The table of some blocks.
    pub fn new(curve: &'static Curve, part: Part) -> Self {
        Self { curve, part }
    }

    /// The fixed columns of a row.
    pub(super) fn fixed(&self, row: usize) -> LadderFixed<F> {
        let mut fixed = LadderFixed::fill(F::ZERO);
        let (block, at) = (row / LADDER_ROWS, row % LADDER_ROWS);
        let Part { first, blocks, .. } = self.part;
        if at == 0 && block <= blocks {
            fixed.id = F::from_usize(first + block);
            fixed.is_start = F::from_bool(block < blocks);
            fixed.is_end = F::from_bool(block > 0);
        } else if at > 0 && block < blocks {
            fixed.id = F::from_usize(first + block + 1);
            fixed.is_step = F::ONE;
            fixed.weights = core::array::from_fn(|k| F::from_u32(weight(at - 1, k)));
        }
        fixed
    }
}

impl TableAir for LadderTable {
    fn name(&self) -> String {
        format!("{}_ladder{}", self.curve.name, self.part.suffix())
    }
    fn column_names(&self) -> Vec<String> {
        <LadderCols<F> as Columns<F>>::names()
    }
}

impl BaseAir<F> for LadderTable {
    fn width(&self) -> usize {
        LadderCols::<F>::WIDTH
    }
    fn preprocessed_width(&self) -> usize {
        LadderFixed::<F>::WIDTH
    }
    fn preprocessed_trace(&self) -> Option<Trace> {
        let width = LadderFixed::<F>::WIDTH;
        let mut cells = F::zero_vec(width << self.part.log_height);
        cells.chunks_exact_mut(width).enumerate().for_each(|(r, out)| self.fixed(r).to_row(out));
        Some(RowMajorMatrix::new(cells, width))
    }
}

/// What identities read of a row.
pub(super) struct Step<E> {
    x: Number<E>,
    slope_sum: Number<E>,
    x_sum: Number<E>,
    slope_acc: Number<E>,
    term_x: Number<E>,
    /// The ordinate of T with its sign, on steps.
    term_y: Number<E>,
    is_step: E,
    is_start: E,
    is_end: E,
}

impl<E: Ring> Step<E> {
    pub(super) fn new<V: Into<E> + Copy>(row: &LadderCols<V>, fixed: [E; 3]) -> Self {
        let [is_step, is_start, is_end] = fixed;
        let sign = E::int(2) * row.bits[0].into() - E::int(1);
        Self {
            x: balanced(&row.x),
            slope_sum: balanced(&row.slope_sum),
            x_sum: balanced(&row.x_sum),
            slope_acc: balanced(&row.slope_acc),
            term_x: balanced(&row.term_x),
            term_y: balanced(&row.term_y).times(&(is_step.clone() * sign)),
            is_step,
            is_start,
            is_end,
        }
    }

    /// Adds (or subtracts) the ordinate of the A that a step starts from: l1 (x_A - x_T) + y_T.
    fn ordinate(&self, f: Identity<E>, sign: i64) -> Identity<E> {
        let gate = self.is_step.clone() * E::int(sign);
        let f = f.product(&self.slope_sum.times(&gate), &self.x.sub(&self.term_x));
        if sign < 0 { f.minus(&self.term_y) } else { f.plus(&self.term_y) }
    }

    /// The four identities of a row and the next.
    pub(super) fn identities(&self, next: &Self) -> [Identity<E>; STEP_IDENTITIES] {
        let gate = &self.is_step;
        let (sum, acc) = (self.slope_sum.times(gate), self.slope_acc.times(gate));
        // l1^2 = x_S + x_A + x_T.
        let first = self.x_sum.add(&self.x);
        let x_sum =
            Identity::new().product(&sum, &self.slope_sum).minus(&first.add(&self.term_x).times(gate));
        // 2 y_A = (l1 + l2)(x_A - x_S) with y_A = l1 (x_A - x_T) + y_T.
        let both = Identity::new()
            .product(&sum, &first.sub(&self.term_x.double()))
            .product(&acc, &self.x_sum.sub(&self.x))
            .plus(&self.term_y.double());
        // l2^2 = x_A' + x_A + x_S.
        let x_next = Identity::new().product(&acc, &self.slope_acc).minus(&first.add(&next.x).times(gate));
        // l2 (x_A - x_A') - y_A = y_A'; at a start the ordinate held there, at an end the one held there.
        let line = Identity::new().product(&acc, &self.x.sub(&next.x));
        let line = self.ordinate(line, -1).plus(&self.slope_acc.times(&self.is_start));
        let line = next.ordinate(line, -1).minus(&next.slope_sum.times(&next.is_end));
        [x_sum, both, x_next, line]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for LadderTable {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = LadderCols::from_row(main.current_slice());
        let next = LadderCols::from_row(main.next_slice());
        let (fixed, next_fixed) = {
            let preprocessed = builder.preprocessed();
            let read = LadderFixed::<AB::Var>::from_row;
            (read(preprocessed.current_slice()), read(preprocessed.next_slice()))
        };
        eval_digits(builder, &row, &next, &fixed);
        // A block starts at the abscissa that the boundary provides.
        for (x, start) in next.x.into_iter().zip(row.x_sum) {
            builder.assert_zero(fixed.is_start * (x - start));
        }
        eval_apart(builder, &row, &fixed, &self.curve.field.value);
        self.eval_identities(builder, [&row, &next], [&fixed, &next_fixed]);
        self.eval_messages(builder, &row, &fixed);
    }
}

fn flags<AB: AirBuilder>(fixed: &LadderFixed<AB::Var>) -> [AB::Expr; 3] {
    [fixed.is_step, fixed.is_start, fixed.is_end].map(Into::into)
}

/// Bits are boolean, sum up to the limbs of A and B from a start on, and name T.
fn eval_digits<AB: AirBuilder<F = F>>(
    builder: &mut AB,
    row: &LadderCols<AB::Var>,
    next: &LadderCols<AB::Var>,
    fixed: &LadderFixed<AB::Var>,
) {
    let [a, b] = row.bits;
    builder.assert_bool(a);
    builder.assert_bool(b);
    builder.assert_eq(row.is_diff, a + b - (a * b).double());
    for (bit, sums, next_sums) in [(a, row.sum_a, next.sum_a), (b, row.sum_b, next.sum_b)] {
        for ((sum, after), weight) in sums.into_iter().zip(next_sums).zip(fixed.weights) {
            builder.assert_zero(fixed.is_start * after);
            // Weights are 0 but on steps.
            builder.assert_zero(fixed.is_step * (after - sum) - weight * bit);
        }
    }
}

/// x_A and x_T are not congruent modulo p: their difference is none of 0, p, -p, as an element of the field.
fn eval_apart<AB: AirBuilder<F = F>>(
    builder: &mut AB,
    row: &LadderCols<AB::Var>,
    fixed: &LadderFixed<AB::Var>,
    modulus: &BigUint,
) {
    let d = evaluate(&balanced::<AB::Expr, _>(&row.x).sub(&balanced(&row.term_x)));
    let p = AB::Expr::from(residue(modulus));
    builder.assert_eq(row.apart_square, d.clone() * d.clone());
    builder.assert_eq(row.apart, d * (row.apart_square.into() - p.clone() * p));
    builder.assert_eq(row.apart * row.apart_inv, fixed.is_step);
}

/// A number as an element of the field.
pub(super) fn residue(x: &BigUint) -> F {
    use tsz_air::PrimeField32;
    let rest = x % F::ORDER_U32;
    F::from_u64(rest.to_u64_digits().first().copied().unwrap_or(0))
}

impl LadderTable {
    /// What the rows of the table look up.
    pub(super) fn asked(&self, trace: &Trace) -> Asked {
        collect_by(self, trace, &[], |builder| {
            let row = LadderCols::from_row(builder.main().current_slice());
            let fixed = LadderFixed::from_row(builder.preprocessed().current_slice());
            self.eval_messages(builder, &row, &fixed);
        })
    }

    fn eval_identities<AB: AirBuilder<F = F>>(
        &self,
        builder: &mut AB,
        rows: [&LadderCols<AB::Var>; 2],
        fixed: [&LadderFixed<AB::Var>; 2],
    ) {
        let [step, next] = [0, 1].map(|k| Step::<AB::Expr>::new(rows[k], flags::<AB>(fixed[k])));
        let modulus = self.curve.field.limbs::<AB::Expr>();
        let zero: [bool; QUOTIENT] = self.curve.field.limbs.map(|m| m == 0);
        let columns = rows[0].quotients.iter().zip(&rows[0].carries);
        for (f, (quotient, carries)) in step.identities(&next).into_iter().zip(columns) {
            assert_identity(builder, f, (&modulus, &zero), quotient, carries);
        }
    }

    fn eval_messages<AB: InteractionBuilder<F = F>>(
        &self,
        builder: &mut AB,
        row: &LadderCols<AB::Var>,
        fixed: &LadderFixed<AB::Var>,
    ) {
        for number in [row.x, row.slope_sum, row.x_sum, row.slope_acc] {
            check_bytes(builder, &number, AB::Expr::ONE);
        }
        check_bytes(builder, row.quotients.as_flattened(), AB::Expr::ONE);
        check_carries(builder, row.carries.as_flattened());

        let buses = &self.curve.buses;
        let id: AB::Expr = fixed.id.into();
        let term = row.term_x.into_iter().chain(row.term_y).map(Into::into);
        let point = [id.clone(), row.is_diff.into()].into_iter().chain(term);
        buses.point.lookup_key(builder, point, Count::bounded(fixed.is_step.into(), 1));

        builder.assert_zero((AB::Expr::ONE - fixed.is_start.into()) * row.start_uses);
        let start = row.x_sum.into_iter().chain(row.slope_acc).map(Into::into);
        buses.start.table_entry(
            builder,
            core::iter::once(id.clone() + AB::Expr::ONE).chain(start),
            row.start_uses,
        );
        builder.assert_zero((AB::Expr::ONE - fixed.is_end.into()) * row.end_uses);
        let end = row.sum_a.into_iter().chain(row.sum_b).chain(row.x).chain(row.slope_sum).map(Into::into);
        buses.end.table_entry(builder, core::iter::once(id).chain(end), row.end_uses);
    }
}

/// Rows of a ladder trace with all but quotients and carries; solves the identities.
pub(super) fn finish(table: &LadderTable, mut rows: Vec<LadderCols<F>>) -> Trace {
    use rayon::prelude::*;
    let height = 1 << table.part.log_height;
    let idle = super::trace::idle_step();
    rows.resize(height, idle);
    let modulus = &table.curve.field;
    let p = residue(&modulus.value);
    let solved: Vec<_> = (0..height)
        .into_par_iter()
        .map(|r| {
            let step = |r: usize| {
                let fixed = table.fixed(r % height);
                let flags = [fixed.is_step, fixed.is_start, fixed.is_end].map(Into::into);
                Step::<crate::bigint::Int>::new(&rows[r % height], flags)
            };
            step(r).identities(&step(r + 1)).map(|f| f.solve(modulus))
        })
        .collect();
    let width = LadderCols::<F>::WIDTH;
    let mut trace = RowMajorMatrix::new(F::zero_vec(width << table.part.log_height), width);
    debug_assert_eq!(trace.height(), height);
    trace.values.par_chunks_exact_mut(width).zip(rows).zip(solved).enumerate().for_each(
        |(r, ((out, mut row), solved))| {
            for (k, solved) in solved.iter().enumerate() {
                row.quotients[k] = solved.quotient.map(F::from_u8);
                row.carries[k] = solved.carries.map(F::from_u16);
            }
            let d = evaluate(&balanced::<F, _>(&row.x).sub(&balanced(&row.term_x)));
            row.apart_square = d * d;
            row.apart = d * (row.apart_square - p * p);
            let is_step = (1..=STEPS).contains(&(r % LADDER_ROWS)) && table.fixed(r).is_step == F::ONE;
            row.apart_inv = if is_step { super::trace::inverse(row.apart) } else { F::ZERO };
            row.to_row(out);
        },
    );
    trace
}
