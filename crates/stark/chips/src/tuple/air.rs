//! Constraints of the tuple table. Degree budget: 3, reached by the rules that look at two kinds at once.

use core::array::from_fn;

use tsz_air::{
    Air, AirBuilder, BaseAir, Columns, F, InteractionBuilder, PrimeCharacteristicRing, TableAir,
    WindowAccess, bus,
};

use super::columns::TupleCols;

/// Which proof the table belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A precompile proof: one segment; public start (8), end (8), count.
    Exec,
    /// The transition proof: a segment for each slot; public start (8).
    Transition,
}

/// The tuple table's AIR.
#[derive(Clone, Copy, Debug)]
pub struct TupleAir {
    /// Which proof the table belongs to.
    pub mode: Mode,
}

impl TableAir for TupleAir {
    fn name(&self) -> String {
        match self.mode {
            Mode::Exec => "tuple_exec".into(),
            Mode::Transition => "tuple".into(),
        }
    }
    fn column_names(&self) -> Vec<String> {
        <TupleCols<F> as Columns<F>>::names()
    }
}

impl BaseAir<F> for TupleAir {
    fn width(&self) -> usize {
        TupleCols::<F>::WIDTH
    }
    fn num_public_values(&self) -> usize {
        match self.mode {
            Mode::Exec => 17,
            Mode::Transition => 8,
        }
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for TupleAir {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = TupleCols::<AB::Var>::from_row(main.current_slice());
        let next = TupleCols::<AB::Var>::from_row(main.next_slice());
        let publics = builder.public_values().to_vec();
        Eval::<AB> { builder, c: row, d: next }.rules();
        self.eval_segments(builder, &row, &next, &publics);
        self.eval_interactions(builder, &row, &next);
    }
}

/// The rules that both modes share: the builder, this row and the next.
struct Eval<'a, AB: AirBuilder> {
    builder: &'a mut AB,
    c: TupleCols<AB::Var>,
    d: TupleCols<AB::Var>,
}

impl<AB: AirBuilder<F = F>> Eval<'_, AB> {
    fn rules(&mut self) {
        self.kinds();
        self.first_block();
        self.order();
        self.positions();
        self.constants();
    }

    fn keys(&self) -> AB::Expr {
        keys::<AB>(&self.c)
    }

    /// Kinds exclude each other; presence flags are a prefix; absent keys are zero.
    fn kinds(&mut self) {
        let (c, keys) = (self.c, self.keys());
        let builder = &mut *self.builder;
        builder.assert_bools([c.is_first, c.is_key, c.is_val, c.is_end]);
        builder.assert_bools(c.present);
        builder.assert_bool(keys.clone() + c.is_val + c.is_end);
        builder.when(c.present[0]).assert_one(keys.clone());
        builder.when(c.present[1]).assert_one(c.present[0]);
        builder.when(c.present[2]).assert_one(c.present[1]);
        for q in 0..3 {
            let absent = keys.clone() * (AB::Expr::ONE - c.present[q]);
            builder.when(absent).assert_zeros([c.msg[2 * q + 2], c.msg[2 * q + 3]]);
        }
    }

    /// The first block says i and the counts, and holds at least one key.
    fn first_block(&mut self) {
        let c = self.c;
        let mut first = self.builder.when(c.is_first);
        first.assert_eq(c.msg[0], c.i);
        first.assert_eq(c.msg[1], c.nv * F::from_u32(1 << 12) + c.n);
        first.assert_zero(c.pos + F::ONE);
        first.assert_one(c.present[0]);
    }

    /// Which kind may follow which: first, keys, values of an op; then the next op or the end row; padding last.
    fn order(&mut self) {
        let (c, d, keys) = (self.c, self.d, self.keys());
        let mut t = self.builder.when_transition();
        t.when(d.is_key).assert_one(keys.clone());
        t.when(d.is_val).assert_one(keys.clone() + c.is_val);
        t.when(d.is_first).assert_one(c.is_val + c.is_end);
        t.when(d.is_end).assert_one(c.is_val);
        t.when(keys.clone()).assert_one(d.is_key + d.is_val);
        t.when(c.is_val).assert_one(d.is_val + d.is_first + d.is_end);
        // the capacity after a block is in the next row, and the last row has none
        self.builder.when_last_row().assert_zero(keys + c.is_val);
    }

    /// Keys are numbered 0..n without a gap, then values 0..nv.
    fn positions(&mut self) {
        let (c, d, keys) = (self.c, self.d, self.keys());
        let after = c.pos + F::ONE;
        let mut t = self.builder.when_transition();
        t.when(d.is_key).assert_eq(d.pos, c.pos + F::from_u32(4));
        // only the last block of keys may have absent ones
        t.when(keys.clone() * d.is_key).assert_one(c.present[2]);
        let mut keys_done = t.when(keys * d.is_val);
        keys_done.assert_eq(after.clone() + c.present[0] + c.present[1] + c.present[2], c.n);
        keys_done.assert_zero(d.pos);
        t.when(c.is_val * d.is_val).assert_eq(d.pos, after.clone());
        let op_done = (AB::Expr::ONE - d.is_val) * c.is_val;
        t.when(op_done).assert_eq(after, c.nv);
    }

    /// i, n and nv are constant over an op.
    fn constants(&mut self) {
        let (c, d) = (self.c, self.d);
        let mut t = self.builder.when_transition();
        let mut same_op = t.when(d.is_key + d.is_val);
        same_op.assert_eq(d.i, c.i);
        same_op.assert_eq(d.n, c.n);
        same_op.assert_eq(d.nv, c.nv);
    }
}

impl TupleAir {
    /// Starts, counts and ends of segments.
    fn eval_segments<AB: AirBuilder<F = F>>(
        &self,
        builder: &mut AB,
        c: &TupleCols<AB::Var>,
        d: &TupleCols<AB::Var>,
        publics: &[AB::PublicVar],
    ) {
        let start: [AB::Expr; 8] = from_fn(|k| publics[k].into());
        let mut first_row = builder.when_first_row();
        match self.mode {
            Mode::Exec => first_row.assert_one(c.is_first + c.is_end),
            Mode::Transition => first_row.assert_one(c.is_first),
        }
        first_row.assert_eq_arrays(c.cap, start.clone());
        first_row.assert_eq(c.cnt, c.is_first);

        let mut t = builder.when_transition();
        let mut inside = t.when(block::<AB>(c));
        inside.assert_eq(d.slot, c.slot);
        inside.assert_eq(d.cnt, c.cnt + d.is_first);
        let restart = c.is_end * d.is_first;
        match self.mode {
            Mode::Exec => {
                t.assert_zero(restart);
                let mut end = builder.when(c.is_end);
                end.assert_eq_arrays(c.cap, from_fn::<AB::Expr, 8, _>(|k| publics[8 + k].into()));
                end.assert_eq(c.cnt, publics[16]);
            }
            Mode::Transition => {
                let mut restart = t.when(restart);
                restart.assert_one(d.cnt);
                restart.assert_eq_arrays(d.cap, start);
            }
        }
    }

    fn eval_interactions<AB: InteractionBuilder<F = F>>(
        &self,
        builder: &mut AB,
        c: &TupleCols<AB::Var>,
        d: &TupleCols<AB::Var>,
    ) {
        bus::step(builder, c.msg, c.cap, d.cap, block::<AB>(c));
        bus::op::receive(builder, [c.i, c.slot, c.n, c.nv], c.is_first);
        for q in 0..4 {
            let at = [c.i.into(), c.pos + F::from_usize(q)];
            let flag = if q == 0 { c.is_key } else { c.present[q - 1] };
            bus::key::receive(builder, at, [c.msg[2 * q], c.msg[2 * q + 1]], flag);
        }
        bus::val::receive(builder, [c.i, c.pos], c.msg, c.is_val);
        if self.mode == Mode::Transition {
            bus::seg::send(builder, [c.slot, c.cnt], c.cap, c.is_end);
        }
    }
}

/// First or key block.
fn keys<AB: AirBuilder>(c: &TupleCols<AB::Var>) -> AB::Expr {
    c.is_first + c.is_key
}

/// Any block.
fn block<AB: AirBuilder>(c: &TupleCols<AB::Var>) -> AB::Expr {
    keys::<AB>(c) + c.is_val
}
