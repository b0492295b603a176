//! Constraints of the access table. Degree budget: 3 (the LogUp columns that hold two messages); the rest has 2.

use tsz_air::{
    Air, AirBuilder, BaseAir, Columns, F, InteractionBuilder, PrimeCharacteristicRing, TableAir,
    WindowAccess, bus,
};

use super::columns::AccessCols;

/// The access table's AIR.
#[derive(Clone, Copy, Debug)]
pub struct AccessAir;

impl TableAir for AccessAir {
    fn name(&self) -> String {
        "access".into()
    }
    fn column_names(&self) -> Vec<String> {
        <AccessCols<F> as Columns<F>>::names()
    }
}

impl BaseAir<F> for AccessAir {
    fn width(&self) -> usize {
        AccessCols::<F>::WIDTH
    }
    fn num_public_values(&self) -> usize {
        1
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for AccessAir {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = AccessCols::<AB::Var>::from_row(main.current_slice());
        let next = AccessCols::<AB::Var>::from_row(main.next_slice());
        let ops = builder.public_values()[0];
        eval_flags(builder, &row);
        eval_order(builder, &row, &next, ops);
        eval_op(builder, &row, &next);
        send_tuple(builder, &row);
        replay(builder, &row);
    }
}

/// Flags are boolean and set on real rows only; a read leaves the value.
fn eval_flags<AB: AirBuilder<F = F>>(builder: &mut AB, c: &AccessCols<AB::Var>) {
    builder.assert_bools([c.is_real, c.is_last, c.write]);
    builder.when(c.is_last).assert_one(c.is_real);
    builder.when(c.write).assert_one(c.is_real);
    builder.when(AB::Expr::ONE - c.write).assert_eq_arrays(c.new, c.old);
}

/// Real rows are a prefix that starts with op 0 and ends with the last access of op N - 1; time runs on.
fn eval_order<AB: AirBuilder<F = F>>(
    builder: &mut AB,
    c: &AccessCols<AB::Var>,
    d: &AccessCols<AB::Var>,
    ops: AB::PublicVar,
) {
    let mut first = builder.when_first_row();
    first.assert_one(c.is_real);
    first.assert_one(c.ts);
    first.assert_zeros([c.i, c.j, c.w]);
    let mut t = builder.when_transition();
    t.when(d.is_real).assert_one(c.is_real);
    t.assert_eq(d.ts, c.ts + F::ONE);
    t.assert_eq(d.i, c.i + c.is_last);
    let mut last = builder.when_last_row();
    last.assert_eq(c.is_last, c.is_real);
    last.assert_eq(c.i + c.is_last, ops);
}

/// Inside an op j and w count, n and slot stay; the last access is number n - 1.
fn eval_op<AB: AirBuilder<F = F>>(builder: &mut AB, c: &AccessCols<AB::Var>, d: &AccessCols<AB::Var>) {
    let mut t = builder.when_transition();
    let mut inside = t.when(c.is_real - c.is_last);
    inside.assert_one(d.is_real);
    inside.assert_eq(d.j, c.j + F::ONE);
    inside.assert_eq(d.w, c.w + c.write);
    inside.assert_eq(d.n, c.n);
    inside.assert_eq(d.slot, c.slot);
    t.when(c.is_last).assert_zeros([d.j, d.w]);
    builder.when(c.is_last).assert_eq(c.n, c.j + F::ONE);
}

/// What the tuple table hashes.
fn send_tuple<AB: InteractionBuilder<F = F>>(builder: &mut AB, c: &AccessCols<AB::Var>) {
    let nv = c.n + c.w + c.write;
    bus::op::send(builder, [c.i.into(), c.slot.into(), c.n.into(), nv], c.is_last);
    let hi = c.write * F::from_u32(1 << 26) + c.hi;
    bus::key::send(builder, [c.i, c.j], [hi, c.lo.into()], c.is_real);
    bus::val::send(builder, [c.i, c.j], c.old, c.is_real);
    bus::val::send(builder, [c.i.into(), c.n + c.w], c.new, c.write);
    bus::range12::lookup(builder, [c.n], c.is_last);
}

/// Offline memory: the cell's state before and after, at an earlier and at this time.
fn replay<AB: InteractionBuilder<F = F>>(builder: &mut AB, c: &AccessCols<AB::Var>) {
    let gap = c.gap_hi * F::from_u32(1 << 12) + c.gap_lo;
    let before = c.ts - F::ONE - gap;
    bus::mem::receive(builder, [c.hi, c.lo], c.old, [before], c.is_real);
    bus::mem::send(builder, [c.hi, c.lo], c.new, [c.ts], c.is_real);
    bus::range12::lookup(builder, [c.gap_lo], c.is_real);
    bus::range12::lookup(builder, [c.gap_hi], c.is_real);
}
