//! Constraints of the tables.

use std::borrow::Cow;

use tsz_air::{
    Air, AirBuilder, BaseAir, Columns, Count, F, InteractionBuilder, PrimeCharacteristicRing, RowMajorMatrix,
    TableAir, Trace, WindowAccess, bus,
};
use tsz_sig::challenge::{LIMB_BITS, LIMBS};
use tsz_sig::comb::{START, fixed_base};
use tsz_sig::curve::Curve;
use tsz_sig::{Point, Septic};

use super::columns::{LadderCols, SigCols};
use super::septic::Sept;
use super::{COMB, COMB_LOG_HEIGHT, ENTRIES, HIGH_SHIFT, ROWS, SCHNORR, STEPS};

/// One signature a row: hashes the challenge and provides `sig`.
#[derive(Clone, Copy, Debug, Default)]
pub struct SigTable;

impl TableAir for SigTable {
    fn name(&self) -> String {
        "sig".into()
    }
    fn column_names(&self) -> Vec<String> {
        <SigCols<F> as Columns<F>>::names()
    }
}

impl BaseAir<F> for SigTable {
    fn width(&self) -> usize {
        SigCols::<F>::WIDTH
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
    /// Admits two lookups a LogUp column.
    fn max_constraint_degree(&self) -> Option<usize> {
        Some(3)
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for SigTable {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = SigCols::from_row(main.current_slice());
        builder.assert_bool(row.is_real);
        builder.assert_zero((AB::Expr::ONE - row.is_real) * row.mult);
        bus::step(builder, row.key_id, row.msg, row.h1, row.is_real);
        bus::step(builder, row.r_id, row.h1, row.h2, row.is_real);
        for hi in row.hi {
            bus::range12::lookup(builder, [hi], row.is_real);
            bus::range12::lookup(builder, [hi + AB::Expr::from_u32(HIGH_SHIFT)], row.is_real);
        }
        let shift = AB::Expr::from_u32(1 << LIMB_BITS);
        let limbs = core::array::from_fn(|k| row.h2[k] - row.hi[k] * shift.clone());
        let count = Count::bounded(row.is_real.into(), 1);
        SCHNORR.lookup_key(builder, statement::<AB>(row.key_id, limbs, row.r_id), count);
        bus::sig::provide(builder, row.key_id, row.msg, row.mult);
    }
}

/// The message of bus `schnorr`.
fn statement<AB: AirBuilder>(
    key_id: [AB::Var; 8],
    limbs: [AB::Expr; LIMBS],
    r_id: [AB::Var; 8],
) -> Vec<AB::Expr> {
    key_id.map(Into::into).into_iter().chain(limbs).chain(r_id.map(Into::into)).collect()
}

/// [`ROWS`] rows a signature: R = s*G + c*P + 2^120 H.
#[derive(Clone, Debug)]
pub struct LadderTable {
    periodic: Vec<Vec<F>>,
}

/// Periodic columns: first row, last row, number of the row, and weight of the row's first bit in each limb.
#[derive(Clone)]
struct Periodic<E> {
    first: E,
    last: E,
    number: E,
    weights: [E; LIMBS],
}

impl LadderTable {
    /// The table.
    pub fn new() -> Self {
        let column = |f: &dyn Fn(usize) -> u32| (0..ROWS).map(|row| F::from_u32(f(row))).collect();
        let mut periodic: Vec<Vec<F>> = vec![
            column(&|r| u32::from(r == 0)),
            column(&|r| u32::from(r == ROWS - 1)),
            column(&|r| r as u32),
        ];
        periodic.extend((0..LIMBS).map(|k| column(&|row| weight(row, k))));
        Self { periodic }
    }
}

impl Default for LadderTable {
    fn default() -> Self {
        Self::new()
    }
}

/// Weight in limb `limb` of the lowest bit of a row: rows take the bits of e from the highest.
pub(super) fn weight(row: usize, limb: usize) -> u32 {
    match (LIMBS * LIMB_BITS).checked_sub(STEPS * (row + 1)) {
        Some(bit) if bit / LIMB_BITS == limb => 1 << (bit % LIMB_BITS),
        _ => 0,
    }
}

impl TableAir for LadderTable {
    fn name(&self) -> String {
        "schnorr".into()
    }
    fn column_names(&self) -> Vec<String> {
        <LadderCols<F> as Columns<F>>::names()
    }
}

impl BaseAir<F> for LadderTable {
    fn width(&self) -> usize {
        LadderCols::<F>::WIDTH
    }
    fn num_periodic_columns(&self) -> usize {
        self.periodic.len()
    }
    fn periodic_columns(&self) -> Cow<'_, [Vec<F>]> {
        Cow::Borrowed(&self.periodic)
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for LadderTable {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = LadderCols::from_row(main.current_slice());
        let next = LadderCols::from_row(main.next_slice());
        let values = builder.periodic_values();
        let periodic = Periodic {
            first: values[0].into(),
            last: values[1].into(),
            number: values[2].into(),
            weights: core::array::from_fn(|k| values[3 + k].into()),
        };
        eval_key(builder, &row, &next, &periodic);
        eval_challenge(builder, &row, &next, &periodic);
        eval_apart(builder, &row);
        eval_ladder(builder, &row, &next, &periodic);
        eval_comb(builder, &row, &next, &periodic);
        eval_messages(builder, &row, &periodic);
    }
}

fn assert_zero<AB: AirBuilder>(builder: &mut AB, x: Sept<AB::Expr>) {
    for c in x.0 {
        builder.assert_zero(c);
    }
}

fn assert_zero_when<AB: AirBuilder>(builder: &mut AB, flag: &AB::Expr, x: Sept<AB::Expr>) {
    assert_zero(builder, x.scale(flag));
}

/// P is on the curve and is the same on all rows of a block.
fn eval_key<AB: AirBuilder<F = F>>(
    builder: &mut AB,
    row: &LadderCols<AB::Var>,
    next: &LadderCols<AB::Var>,
    periodic: &Periodic<AB::Expr>,
) {
    let (x, y) = (Sept::<AB::Expr>::read(&row.key_x), Sept::read(&row.key_y));
    let a = AB::Expr::from(<Septic as Curve<7>>::A);
    // y^2 = x^3 + a x + b.
    let rhs = x.square().mul(&x).add(&x.scale(&a)).add(&Sept::constant(&<Septic as Curve<7>>::B));
    assert_zero(builder, y.square().sub(&rhs));
    let inner = AB::Expr::ONE - periodic.last.clone();
    assert_zero_when(builder, &inner, Sept::read(&next.key_x).sub(&x));
    assert_zero_when(builder, &inner, Sept::read(&next.key_y).sub(&y));
}

/// Bits are boolean and sum up to the limbs of e.
fn eval_challenge<AB: AirBuilder<F = F>>(
    builder: &mut AB,
    row: &LadderCols<AB::Var>,
    next: &LadderCols<AB::Var>,
    periodic: &Periodic<AB::Expr>,
) {
    let mut byte = AB::Expr::ZERO;
    for bit in row.bits {
        builder.assert_bool(bit);
        byte = byte.double() + bit;
    }
    let inner = AB::Expr::ONE - periodic.last.clone();
    for k in 0..LIMBS {
        builder.assert_zero(periodic.first.clone() * row.limbs[k]);
        // The weights of the last row are 0.
        let step = inner.clone() * (next.limbs[k] - row.limbs[k]);
        builder.assert_eq(step, periodic.weights[k].clone() * byte.clone());
    }
}

/// x_A != x_P before every step: a weighted sum of the felts of the difference has an inverse.
fn eval_apart<AB: AirBuilder<F = F>>(builder: &mut AB, row: &LadderCols<AB::Var>) {
    let weights = row.weights.map(AB::Expr::from);
    for (x, inverse) in row.x.iter().zip(row.inverse) {
        let apart = AB::Expr::dot_product::<7>(&weights, &Sept::read(x).sub(&Sept::read(&row.key_x)).0);
        builder.assert_one(apart * inverse);
    }
}

/// Eight steps A <- 2A + d P, and A goes to the next row of the block.
fn eval_ladder<AB: AirBuilder<F = F>>(
    builder: &mut AB,
    row: &LadderCols<AB::Var>,
    next: &LadderCols<AB::Var>,
    periodic: &Periodic<AB::Expr>,
) {
    let (key_x, key_y) = (Sept::<AB::Expr>::read(&row.key_x), Sept::read(&row.key_y));
    let x: [Sept<AB::Expr>; STEPS] = core::array::from_fn(|j| Sept::read(&row.x[j]));
    let slope_acc: [Sept<AB::Expr>; STEPS] = core::array::from_fn(|j| Sept::read(&row.slope_acc[j]));
    let (y_first, y_last) = (Sept::<AB::Expr>::read(&row.y_first), Sept::read(&row.y_last));
    let mut twice_y = Vec::with_capacity(STEPS);
    let mut x_out = Vec::with_capacity(STEPS);
    for j in 0..STEPS {
        let slope_sum = Sept::read(&row.slope_sum[j]);
        let x_sum = slope_sum.square().sub(&x[j]).sub(&key_x);
        // 2 y_A = (l1 + l2)(x_A - x_R).
        let y2 = x[j].sub(&x_sum).mul(&slope_sum.add(&slope_acc[j]));
        x_out.push(slope_acc[j].square().sub(&x[j]).sub(&x_sum));
        // Where a column holds the ordinate it is used instead, for the degree.
        let held = if j == 0 { Some(&y_first) } else { (j == STEPS - 1).then_some(&y_last) };
        let y2 = match held {
            Some(y) => {
                assert_zero(builder, y2.sub(&y.double()));
                y.double()
            }
            None => y2,
        };
        // 2 l1 (x_A - x_P) = 2 y_A - 2 d y_P.
        let sign = AB::Expr::from(row.bits[j]).double() - AB::Expr::ONE;
        let rise = x[j].sub(&key_x).mul(&slope_sum).add(&key_y.scale(&sign)).double();
        assert_zero(builder, rise.sub(&y2));
        twice_y.push(y2);
    }
    for j in 0..STEPS - 1 {
        assert_zero(builder, x_out[j].sub(&x[j + 1]));
        // 2 l2 (x_A - x_A') = 2 y_A + 2 y_A'.
        let fall = x[j].sub(&x[j + 1]).mul(&slope_acc[j]).double();
        assert_zero(builder, fall.sub(&twice_y[j]).sub(&twice_y[j + 1]));
    }
    let inner = AB::Expr::ONE - periodic.last.clone();
    let next_x = Sept::read(&next.x[0]);
    let end = STEPS - 1;
    assert_zero_when(builder, &inner, x_out[end].sub(&next_x));
    let fall = x[end].sub(&next_x).mul(&slope_acc[end]);
    assert_zero_when(builder, &inner, fall.sub(&y_last).sub(&Sept::read(&next.y_first)));
}

/// y_C = y_T - l (x_T - x_C) before addition k.
fn comb_y<AB: AirBuilder<F = F>>(row: &LadderCols<AB::Var>, k: usize) -> Sept<AB::Expr> {
    let dx = Sept::<AB::Expr>::read(&row.entry_x[k]).sub(&Sept::read(&row.comb_x[k]));
    Sept::read(&row.entry_y[k]).sub(&dx.mul(&Sept::read(&row.comb_slope[k])))
}

/// Two additions C <- C + T from H on; C goes to the next row, and at the end of the block to the next ladder.
fn eval_comb<AB: AirBuilder<F = F>>(
    builder: &mut AB,
    row: &LadderCols<AB::Var>,
    next: &LadderCols<AB::Var>,
    periodic: &Periodic<AB::Expr>,
) {
    builder.assert_eq(row.window, periodic.number.clone() * F::from_usize(ENTRIES));
    let x: [Sept<AB::Expr>; ENTRIES] = core::array::from_fn(|k| Sept::read(&row.comb_x[k]));
    let slope: [Sept<AB::Expr>; ENTRIES] = core::array::from_fn(|k| Sept::read(&row.comb_slope[k]));
    let y: [Sept<AB::Expr>; ENTRIES] = core::array::from_fn(|k| comb_y::<AB>(row, k));
    let x_out: [Sept<AB::Expr>; ENTRIES] =
        core::array::from_fn(|k| slope[k].square().sub(&x[k]).sub(&Sept::read(&row.entry_x[k])));
    // y_C' = l (x_C - x_C') - y_C.
    let y_out = |k: usize, x_next: &Sept<AB::Expr>| x[k].sub(x_next).mul(&slope[k]).sub(&y[k]);
    assert_zero_when(builder, &periodic.first, x[0].sub(&Sept::constant(&START.x)));
    assert_zero_when(builder, &periodic.first, y[0].sub(&Sept::constant(&START.y)));
    for k in 0..ENTRIES - 1 {
        assert_zero(builder, x_out[k].sub(&x[k + 1]));
        assert_zero(builder, y_out(k, &x[k + 1]).sub(&y[k + 1]));
    }
    let end = ENTRIES - 1;
    let inner = AB::Expr::ONE - periodic.last.clone();
    let next_comb = Sept::read(&next.comb_x[0]);
    assert_zero_when(builder, &inner, x_out[end].sub(&next_comb));
    assert_zero_when(builder, &inner, y_out(end, &next_comb).sub(&comb_y::<AB>(next, 0)));
    let ladder = Sept::read(&next.x[0]);
    assert_zero_when(builder, &periodic.last, x_out[end].sub(&ladder));
    assert_zero_when(builder, &periodic.last, y_out(end, &ladder).sub(&Sept::read(&next.y_first)));
}

/// Entries are looked up on every row; the last row of a block provides its statement.
fn eval_messages<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    row: &LadderCols<AB::Var>,
    periodic: &Periodic<AB::Expr>,
) {
    for k in 0..ENTRIES {
        let window = row.window + AB::Expr::from_usize(k);
        let point = row.entry_x[k].into_iter().chain(row.entry_y[k]).map(Into::into);
        COMB.lookup_key(builder, core::iter::once(window).chain(point), 1);
    }
    builder.assert_zero((AB::Expr::ONE - periodic.last.clone()) * row.uses);
    let id = |x: [AB::Var; 7], y0: AB::Var| core::array::from_fn(|i| if i < 7 { x[i] } else { y0 });
    let (key_id, r_id) = (id(row.key_x, row.key_y[0]), id(row.x[0], row.y_first[0]));
    SCHNORR.table_entry(builder, statement::<AB>(key_id, row.limbs.map(Into::into), r_id), row.uses);
}

/// Multiples of G by window.
#[derive(Clone, Copy, Debug, Default)]
pub struct CombTable;

/// Entries in the order of rows: window and point; the last one repeats.
pub(super) fn comb_entries() -> impl Iterator<Item = (usize, Point)> {
    fixed_base().windows().iter().enumerate().flat_map(|(w, entries)| entries.iter().map(move |p| (w, *p)))
}

impl TableAir for CombTable {
    fn name(&self) -> String {
        "comb".into()
    }
    fn column_names(&self) -> Vec<String> {
        vec!["mult".into()]
    }
}

impl BaseAir<F> for CombTable {
    fn width(&self) -> usize {
        1
    }
    fn preprocessed_width(&self) -> usize {
        15
    }
    fn preprocessed_trace(&self) -> Option<Trace> {
        let mut rows: Vec<[F; 15]> = comb_entries()
            .map(|(w, p)| {
                let mut row = [F::from_usize(w); 15];
                row[1..8].copy_from_slice(&p.x.0);
                row[8..].copy_from_slice(&p.y.0);
                row
            })
            .collect();
        let last = rows.last().copied()?;
        rows.resize(1 << COMB_LOG_HEIGHT, last);
        Some(RowMajorMatrix::new(rows.into_flattened(), 15))
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for CombTable {
    fn eval(&self, builder: &mut AB) {
        let entry: [_; 15] = core::array::from_fn(|i| builder.preprocessed().current_slice()[i]);
        let mult = builder.main().current_slice()[0];
        COMB.table_entry(builder, entry, mult);
    }
}
