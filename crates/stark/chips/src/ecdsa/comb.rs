//! Multiples of the generator: a comb of 32 windows of a byte, and its entries.

use rayon::prelude::*;
use tsz_air::{
    Air, AirBuilder, BaseAir, Columns, Count, F, InteractionBuilder, PrimeCharacteristicRing, RowMajorMatrix,
    TableAir, Trace, WindowAccess,
};

use super::columns::{CombCols, CombFixed};
use super::curve::Curve;
use super::{COMB_IDENTITIES, COMB_ROWS, ENTRIES_LOG_HEIGHT, Part, WINDOWS};
use crate::bigint::mulmod::{check_bytes, check_carries};
use crate::bigint::{Identity, Int, LIMBS, Number, QUOTIENT, Ring, assert_identity, balanced};
use crate::collect::{Asked, collect_by};

/// The AIR of the additions; its fixed columns depend on the height.
#[derive(Clone, Debug)]
pub struct CombTable {
    curve: &'static Curve,
    part: Part,
}

impl CombTable {
    /// The table of some blocks.
    pub fn new(curve: &'static Curve, part: Part) -> Self {
        Self { curve, part }
    }

    /// The fixed columns of a row.
    pub(super) fn fixed(&self, row: usize) -> CombFixed<F> {
        let mut fixed = CombFixed::fill(F::ZERO);
        let (block, at) = (row / COMB_ROWS, row % COMB_ROWS);
        let Part { first, blocks, .. } = self.part;
        if at == 0 && block <= blocks {
            fixed.id = F::from_usize(first + block);
            fixed.is_start = F::from_bool(block < blocks);
            fixed.is_end = F::from_bool(block > 0);
        } else if at > 0 && block < blocks {
            fixed.id = F::from_usize(first + block + 1);
            fixed.window = F::from_usize(at - 1);
            fixed.is_add = F::ONE;
        }
        fixed
    }
}

impl TableAir for CombTable {
    fn name(&self) -> String {
        format!("{}_comb{}", self.curve.name, self.part.suffix())
    }
    fn column_names(&self) -> Vec<String> {
        <CombCols<F> as Columns<F>>::names()
    }
}

impl BaseAir<F> for CombTable {
    fn width(&self) -> usize {
        CombCols::<F>::WIDTH
    }
    fn preprocessed_width(&self) -> usize {
        CombFixed::<F>::WIDTH
    }
    fn preprocessed_trace(&self) -> Option<Trace> {
        let width = CombFixed::<F>::WIDTH;
        let mut cells = F::zero_vec(width << self.part.log_height);
        cells.chunks_exact_mut(width).enumerate().for_each(|(r, out)| self.fixed(r).to_row(out));
        Some(RowMajorMatrix::new(cells, width))
    }
}

/// What identities read of a row.
pub(super) struct Addition<E> {
    x: Number<E>,
    slope: Number<E>,
    entry_x: Number<E>,
    entry_y: Number<E>,
    is_add: E,
    is_start: E,
    is_end: E,
}

impl<E: Ring> Addition<E> {
    pub(super) fn new<V: Into<E> + Copy>(row: &CombCols<V>, [is_add, is_start, is_end]: [E; 3]) -> Self {
        Self {
            x: balanced(&row.x),
            slope: balanced(&row.slope),
            entry_x: balanced(&row.entry_x),
            entry_y: balanced(&row.entry_y),
            is_add,
            is_start,
            is_end,
        }
    }

    /// The two identities of a row and the next; `start_y` is the ordinate of the first C.
    pub(super) fn identities(&self, next: &Self, start_y: &[u8; LIMBS]) -> [Identity<E>; COMB_IDENTITIES] {
        let slope = self.slope.times(&self.is_add);
        // l^2 = x_C' + x_C + x_T.
        let sum = next.x.add(&self.x).add(&self.entry_x);
        let x = Identity::new().product(&slope, &self.slope).minus(&sum.times(&self.is_add));
        // y_C' = l (x_T - x_C') - y_T, and y_C = y_T - l (x_T - x_C).
        let y = Identity::new()
            .product(&slope, &self.entry_x.sub(&next.x))
            .minus(&self.entry_y.times(&self.is_add))
            .plus(&Number::constant(start_y).times(&self.is_start))
            .product(&next.slope.times(&next.is_add), &next.entry_x.sub(&next.x))
            .minus(&next.entry_y.times(&next.is_add))
            .minus(&next.slope.times(&next.is_end));
        [x, y]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for CombTable {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = CombCols::from_row(main.current_slice());
        let next = CombCols::from_row(main.next_slice());
        let (fixed, next_fixed) = {
            let preprocessed = builder.preprocessed();
            let read = CombFixed::<AB::Var>::from_row;
            (read(preprocessed.current_slice()), read(preprocessed.next_slice()))
        };
        let start = self.curve.balanced(&self.curve.comb_start.x);
        for (x, start) in next.x.into_iter().zip(start) {
            builder.assert_zero(fixed.is_start * (x.into() - AB::Expr::from_u8(start)));
        }
        self.eval_identities(builder, [&row, &next], [&fixed, &next_fixed]);
        self.eval_messages(builder, &row, &fixed);
    }
}

impl CombTable {
    /// What the rows of the table look up.
    pub(super) fn asked(&self, trace: &Trace) -> Asked {
        collect_by(self, trace, &[], |builder| {
            let row = CombCols::from_row(builder.main().current_slice());
            let fixed = CombFixed::from_row(builder.preprocessed().current_slice());
            self.eval_messages(builder, &row, &fixed);
        })
    }

    fn eval_identities<AB: AirBuilder<F = F>>(
        &self,
        builder: &mut AB,
        rows: [&CombCols<AB::Var>; 2],
        fixed: [&CombFixed<AB::Var>; 2],
    ) {
        let flags = |f: &CombFixed<AB::Var>| [f.is_add, f.is_start, f.is_end].map(Into::into);
        let [row, next] = [0, 1].map(|k| Addition::<AB::Expr>::new(rows[k], flags(fixed[k])));
        let modulus = self.curve.field.limbs::<AB::Expr>();
        let zero: [bool; QUOTIENT] = self.curve.field.limbs.map(|m| m == 0);
        let start_y = self.curve.balanced(&self.curve.comb_start.y);
        let columns = rows[0].quotients.iter().zip(&rows[0].carries);
        for (f, (quotient, carries)) in row.identities(&next, &start_y).into_iter().zip(columns) {
            assert_identity(builder, f, (&modulus, &zero), quotient, carries);
        }
    }

    fn eval_messages<AB: InteractionBuilder<F = F>>(
        &self,
        builder: &mut AB,
        row: &CombCols<AB::Var>,
        fixed: &CombFixed<AB::Var>,
    ) {
        check_bytes(builder, &row.x, AB::Expr::ONE);
        check_bytes(builder, &row.slope, AB::Expr::ONE);
        check_bytes(builder, row.quotients.as_flattened(), AB::Expr::ONE);
        check_carries(builder, row.carries.as_flattened());

        let buses = &self.curve.buses;
        let (id, window): (AB::Expr, AB::Expr) = (fixed.id.into(), fixed.window.into());
        let point = row.entry_x.into_iter().chain(row.entry_y).map(Into::into);
        let entry = [window.clone(), row.digit.into()].into_iter().chain(point);
        buses.entry.lookup_key(builder, entry, Count::bounded(fixed.is_add.into(), 1));

        builder.assert_zero((AB::Expr::ONE - fixed.is_add.into()) * row.digit_uses);
        buses.digit.table_entry(builder, [id.clone(), window, row.digit.into()], row.digit_uses);
        builder.assert_zero((AB::Expr::ONE - fixed.is_end.into()) * row.end_uses);
        let end = row.x.into_iter().chain(row.slope).map(Into::into);
        buses.multiple.table_entry(builder, core::iter::once(id).chain(end), row.end_uses);
    }
}

/// Rows of a comb trace with all but quotients and carries; solves the identities.
pub(super) fn finish(table: &CombTable, mut rows: Vec<CombCols<F>>) -> Trace {
    let height = 1 << table.part.log_height;
    rows.resize(height, super::trace::idle_addition());
    let (curve, modulus) = (table.curve, &table.curve.field);
    let start_y = curve.balanced(&curve.comb_start.y);
    let addition = |r: usize| {
        let fixed = table.fixed(r % height);
        let flags = [fixed.is_add, fixed.is_start, fixed.is_end].map(Into::into);
        Addition::<Int>::new(&rows[r % height], flags)
    };
    let solved: Vec<_> = (0..height)
        .into_par_iter()
        .map(|r| addition(r).identities(&addition(r + 1), &start_y).map(|f| f.solve(modulus)))
        .collect();
    let width = CombCols::<F>::WIDTH;
    let mut cells = F::zero_vec(width << table.part.log_height);
    for ((out, mut row), solved) in cells.chunks_exact_mut(width).zip(rows).zip(solved) {
        for (k, solved) in solved.iter().enumerate() {
            row.quotients[k] = solved.quotient.map(F::from_u8);
            row.carries[k] = solved.carries.map(F::from_u16);
        }
        row.to_row(out);
    }
    RowMajorMatrix::new(cells, width)
}

/// The entries of the comb: row `256 window + digit` is (digit + 1) 256^window G.
#[derive(Clone, Debug)]
pub struct EntryTable {
    curve: &'static Curve,
}

impl EntryTable {
    /// The entries of a curve.
    pub fn new(curve: &'static Curve) -> Self {
        Self { curve }
    }

    /// The trace for numbers of lookups by row.
    pub fn trace(counts: &[u32]) -> Trace {
        RowMajorMatrix::new(counts.iter().map(|n| F::from_u32(*n)).collect(), 1)
    }
}

/// Columns of an entry: window, digit, x, y.
const ENTRY_WIDTH: usize = 2 + 2 * LIMBS;

impl TableAir for EntryTable {
    fn name(&self) -> String {
        format!("{}_entry", self.curve.name)
    }
    fn column_names(&self) -> Vec<String> {
        vec!["mult".into()]
    }
}

impl BaseAir<F> for EntryTable {
    fn width(&self) -> usize {
        1
    }
    fn preprocessed_width(&self) -> usize {
        ENTRY_WIDTH
    }
    fn preprocessed_trace(&self) -> Option<Trace> {
        let mut cells = Vec::with_capacity(ENTRY_WIDTH << ENTRIES_LOG_HEIGHT);
        for (row, point) in self.curve.comb.iter().enumerate().take(256 * WINDOWS) {
            cells.extend([row / 256, row % 256].map(F::from_usize));
            cells.extend([&point.x, &point.y].iter().flat_map(|c| self.curve.balanced(c).map(F::from_u8)));
        }
        Some(RowMajorMatrix::new(cells, ENTRY_WIDTH))
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for EntryTable {
    fn eval(&self, builder: &mut AB) {
        let entry: Vec<AB::Expr> =
            builder.preprocessed().current_slice().iter().map(|v| (*v).into()).collect();
        let mult = builder.main().current_slice()[0];
        self.curve.buses.entry.table_entry(builder, entry, mult);
    }
}
