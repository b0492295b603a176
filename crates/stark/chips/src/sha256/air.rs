//! Constraints.

use tsz_air::{
    Air, AirBuilder, BaseAir, Columns, Count, F, InteractionBuilder, PrimeCharacteristicRing, RowMajorMatrix,
    TableAir, Trace, WindowAccess,
};

use super::columns::{Sha256Cols, Sha256Fixed};
use super::{K, ROUNDS, ROWS, STATE, WORDS};

/// The AIR; its fixed columns depend on the height.
#[derive(Clone, Copy, Debug)]
pub struct Sha256Table {
    log_height: usize,
}

impl Sha256Table {
    /// A table of 2^log_height rows.
    pub fn new(log_height: usize) -> Self {
        Self { log_height }
    }

    /// Compressions that the table holds.
    pub fn blocks(&self) -> usize {
        (1 << self.log_height) / ROWS
    }

    /// log2 of the rows.
    pub fn log_height(&self) -> usize {
        self.log_height
    }

    fn fixed(&self, row: usize) -> Sha256Fixed<F> {
        let mut fixed = Sha256Fixed::fill(F::ZERO);
        let (block, at) = (row / ROWS, row % ROWS);
        if block >= self.blocks() {
            return fixed;
        }
        fixed.id = F::from_usize(block + 1);
        match at {
            0 => fixed.is_init = F::ONE,
            17 => fixed.is_out = F::ONE,
            _ => {
                fixed.is_round = F::ONE;
                fixed.is_words = F::from_bool(at <= 4);
                fixed.is_schedule = F::from_bool(at > 4);
                fixed.words = if at <= 4 { F::from_usize(at - 1) } else { F::ZERO };
                fixed.k = core::array::from_fn(|j| {
                    let k = K[ROUNDS * (at - 1) + j];
                    [k & 0xffff, k >> 16].map(F::from_u32)
                });
            }
        }
        fixed
    }
}

impl TableAir for Sha256Table {
    fn name(&self) -> String {
        "sha256".into()
    }
    fn column_names(&self) -> Vec<String> {
        <Sha256Cols<F> as Columns<F>>::names()
    }
}

impl BaseAir<F> for Sha256Table {
    fn width(&self) -> usize {
        Sha256Cols::<F>::WIDTH
    }
    fn preprocessed_width(&self) -> usize {
        Sha256Fixed::<F>::WIDTH
    }
    fn preprocessed_trace(&self) -> Option<Trace> {
        let width = Sha256Fixed::<F>::WIDTH;
        let mut cells = F::zero_vec(width << self.log_height);
        cells.chunks_exact_mut(width).enumerate().for_each(|(r, out)| self.fixed(r).to_row(out));
        Some(RowMajorMatrix::new(cells, width))
    }
}

type Word<E> = [E; 32];

fn word<E: PrimeCharacteristicRing, V: Into<E> + Copy>(bits: &[V; 32]) -> Word<E> {
    bits.map(Into::into)
}

fn rotated<E: Clone>(x: &Word<E>, by: usize) -> Word<E> {
    core::array::from_fn(|i| x[(i + by) % 32].clone())
}

fn shifted<E: PrimeCharacteristicRing>(x: &Word<E>, by: usize) -> Word<E> {
    core::array::from_fn(|i| x.get(i + by).cloned().unwrap_or(E::ZERO))
}

/// x + y + z - 2 (xy + yz + zx) + 4 xyz bit by bit.
fn xor<E: PrimeCharacteristicRing>(x: Word<E>, y: Word<E>, z: Word<E>) -> Word<E> {
    core::array::from_fn(|i| {
        let (x, y, z) = (x[i].clone(), y[i].clone(), z[i].clone());
        let xy = x.clone() + y.clone() - (x * y).double();
        xy.clone() + z.clone() - (xy * z).double()
    })
}

/// The lower and upper half of a word. Messages resolve expressions as trees, and `double` would double them.
fn halves<E: PrimeCharacteristicRing>(x: &Word<E>) -> [E; 2] {
    [0, 16].map(|at| x[at..at + 16].iter().rev().fold(E::ZERO, |acc, b| acc * E::TWO + b.clone()))
}

fn add<E: PrimeCharacteristicRing>(x: [E; 2], y: [E; 2]) -> [E; 2] {
    let ([x0, x1], [y0, y1]) = (x, y);
    [x0 + y0, x1 + y1]
}

fn small_sigma<E: PrimeCharacteristicRing>(x: &Word<E>, [a, b, c]: [usize; 3]) -> [E; 2] {
    halves(&xor(rotated(x, a), rotated(x, b), shifted(x, c)))
}

fn big_sigma<E: PrimeCharacteristicRing>(x: &Word<E>, [a, b, c]: [usize; 3]) -> [E; 2] {
    halves(&xor(rotated(x, a), rotated(x, b), rotated(x, c)))
}

/// What follows from the bits of a row, the next row and the constants: t1, t2, schedule and pending of the next row.
pub(super) struct Derived<E> {
    pub t1: [[E; 2]; ROUNDS],
    pub t2: [[E; 2]; ROUNDS],
    pub schedule: [[E; 2]; ROUNDS],
    pub pending: [[[E; 2]; ROUNDS]; 3],
}

impl<E: PrimeCharacteristicRing> Derived<E> {
    pub(super) fn new<V: Into<E> + Copy>(
        row: &Sha256Cols<V>,
        next: &Sha256Cols<V>,
        k: [[E; 2]; ROUNDS],
    ) -> Self {
        let history = |x: &[[V; 32]; ROUNDS], y: &[[V; 32]; ROUNDS]| -> Vec<Word<E>> {
            x.iter().chain(y).map(word).collect()
        };
        let (a, e, w) = (history(&row.a, &next.a), history(&row.e, &next.e), history(&row.w, &next.w));
        let t1 = core::array::from_fn(|j| {
            let (e1, f, g) = (&e[j + 3], &e[j + 2], &e[j + 1]);
            let ch: Word<E> =
                core::array::from_fn(|i| g[i].clone() + e1[i].clone() * (f[i].clone() - g[i].clone()));
            let sum = add(halves(&e[j]), big_sigma(e1, [6, 11, 25]));
            add(add(sum, halves(&ch)), add(k[j].clone(), halves(&w[j + 4])))
        });
        let t2 = core::array::from_fn(|j| {
            let (x, y, z) = (&a[j + 3], &a[j + 2], &a[j + 1]);
            let maj: Word<E> = core::array::from_fn(|i| {
                let both = x[i].clone() * y[i].clone();
                let one = x[i].clone() + y[i].clone() - both.double();
                both + one * z[i].clone()
            });
            add(big_sigma(x, [2, 13, 22]), halves(&maj))
        });
        let felts = |x: [[V; 2]; ROUNDS]| x.map(|h| h.map(Into::into));
        let mut schedule: [[E; 2]; ROUNDS] = felts(row.pending_1);
        let (mut later, mut latest): ([[E; 2]; ROUNDS], [[E; 2]; ROUNDS]) =
            (felts(row.pending_2), felts(row.pending_3));
        let mut first: [[E; 2]; ROUNDS] = core::array::from_fn(|j| halves(&w[j]));
        for j in 0..ROUNDS {
            // s1(w_(t-2)): of this row for j < 2, else of the next.
            schedule[j] = add(schedule[j].clone(), small_sigma(&w[j + 2], [17, 19, 10]));
            if j < 3 {
                later[j] = add(later[j].clone(), halves(&w[j + 1]));
                first[j] = add(first[j].clone(), small_sigma(&w[j + 1], [7, 18, 3]));
            }
        }
        schedule[3] = add(schedule[3].clone(), halves(&w[0]));
        latest[3] = add(latest[3].clone(), small_sigma(&w[0], [7, 18, 3]));
        Self { t1, t2, schedule, pending: [later, latest, first] }
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for Sha256Table {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = Sha256Cols::from_row(main.current_slice());
        let next = Sha256Cols::from_row(main.next_slice());
        let (fixed, next_fixed) = {
            let preprocessed = builder.preprocessed();
            let read = Sha256Fixed::<AB::Var>::from_row;
            (read(preprocessed.current_slice()), read(preprocessed.next_slice()))
        };
        let bits = row.a.into_iter().chain(row.e).chain(row.w).flatten();
        let carries = row.carry_e.into_iter().flatten();
        let carries = carries.chain(row.carry_a.into_iter().chain(row.carry_w).flatten());
        for bit in bits.chain(carries) {
            builder.assert_bool(bit);
        }
        let derived = Derived::<AB::Expr>::new(&row, &next, next_fixed.k.map(|h| h.map(Into::into)));
        eval_derived(builder, &next, derived);
        eval_rounds(builder, &row, &next, &next_fixed);
        eval_state(builder, &row, &next, &fixed, &next_fixed);
        eval_messages(builder, &row, &fixed);
    }
}

fn eval_derived<AB: AirBuilder>(builder: &mut AB, next: &Sha256Cols<AB::Var>, derived: Derived<AB::Expr>) {
    let columns = [next.t1, next.t2, next.schedule, next.pending_1, next.pending_2, next.pending_3];
    let [p1, p2, p3] = derived.pending;
    let formulas = [derived.t1, derived.t2, derived.schedule, p1, p2, p3];
    for (column, formula) in
        columns.into_iter().flatten().flatten().zip(formulas.into_iter().flatten().flatten())
    {
        builder.assert_eq(column, formula);
    }
}

fn bits<E: PrimeCharacteristicRing, V: Into<E> + Copy>(bits: &[V]) -> E {
    bits.iter().rev().fold(E::ZERO, |acc, b| acc * E::TWO + (*b).into())
}

/// `sum = halves + 2^16 carries`, the carry of the lower half going into the upper, if `flag`.
fn assert_word<AB: AirBuilder>(
    builder: &mut AB,
    flag: AB::Expr,
    sum: [AB::Expr; 2],
    halves: [AB::Expr; 2],
    carries: [AB::Expr; 2],
) {
    let radix = AB::Expr::from_u32(1 << 16);
    let ([lo, hi], [x, y], [c, d]) = (sum, halves, carries);
    builder.assert_zero(flag.clone() * (lo - x - c.clone() * radix.clone()));
    builder.assert_zero(flag * (hi + c - y - d * radix));
}

fn eval_rounds<AB: AirBuilder>(
    builder: &mut AB,
    row: &Sha256Cols<AB::Var>,
    next: &Sha256Cols<AB::Var>,
    fixed: &Sha256Fixed<AB::Var>,
) {
    for j in 0..ROUNDS {
        let d = halves::<AB::Expr>(&word(&row.a[j]));
        let (a, e) = (halves::<AB::Expr>(&word(&next.a[j])), halves::<AB::Expr>(&word(&next.e[j])));
        let felts = |x: [AB::Var; 2]| x.map(Into::<AB::Expr>::into);
        let c = &next.carry_e[j];
        let carries = [bits(&c[..3]), bits(&c[3..])];
        assert_word(builder, fixed.is_round.into(), add(d.clone(), felts(next.t1[j])), e.clone(), carries);
        let c = &next.carry_a[j];
        let carries = [bits::<AB::Expr, _>(&c[..2]), bits(&c[2..])].map(|x| x - AB::Expr::ONE);
        let [d0, d1] = d;
        let [x, y] = add(e, felts(next.t2[j]));
        assert_word(builder, fixed.is_round.into(), [x - d0, y - d1], a, carries);
        let c = &next.carry_w[j];
        let carries = [bits(&c[..2]), bits(&c[2..])];
        let w = halves::<AB::Expr>(&word(&next.w[j]));
        assert_word(builder, fixed.is_schedule.into(), felts(next.schedule[j]), w, carries);
    }
}

/// Halves of a state row in the order of bytes.
fn state<E: PrimeCharacteristicRing, V: Into<E> + Copy>(row: &Sha256Cols<V>) -> [E; 16] {
    let words = row.a.iter().rev().chain(row.e.iter().rev());
    let halves: Vec<E> = words.flat_map(|w| halves::<E>(&word(w)).into_iter().rev()).collect();
    core::array::from_fn(|k| halves[k].clone())
}

fn eval_state<AB: AirBuilder<F = F>>(
    builder: &mut AB,
    row: &Sha256Cols<AB::Var>,
    next: &Sha256Cols<AB::Var>,
    fixed: &Sha256Fixed<AB::Var>,
    next_fixed: &Sha256Fixed<AB::Var>,
) {
    let (now, out) = (state::<AB::Expr, _>(row), state::<AB::Expr, _>(next));
    let carries: Vec<AB::Var> = next.carry_e.into_iter().flatten().collect();
    for ((now, h), next_h) in now.iter().zip(row.h_in).zip(next.h_in) {
        builder.assert_zero(fixed.is_init * (now.clone() - h));
        builder.assert_zero((AB::Expr::ONE - next_fixed.is_init) * (next_h - h));
    }
    for word in 0..8 {
        let (hi, lo) = (2 * word, 2 * word + 1);
        let sum = [lo, hi].map(|k| now[k].clone() + row.h_in[k]);
        let carries = [carries[lo].into(), carries[hi].into()];
        assert_word(builder, next_fixed.is_out.into(), sum, [out[lo].clone(), out[hi].clone()], carries);
    }
}

fn eval_messages<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    row: &Sha256Cols<AB::Var>,
    fixed: &Sha256Fixed<AB::Var>,
) {
    let idle = AB::Expr::ONE - fixed.is_words - fixed.is_out;
    builder.assert_zero(idle * row.uses);
    let id: AB::Expr = fixed.id.into();
    let halves = row.w.iter().flat_map(|w| halves::<AB::Expr>(&word(w)).into_iter().rev());
    let words: Vec<AB::Expr> = [id.clone(), fixed.words.into()].into_iter().chain(halves).collect();
    WORDS.table_entry(builder, words, fixed.is_words * row.uses);
    let h_in = row.h_in.into_iter().map(Into::into);
    let fields: Vec<AB::Expr> = core::iter::once(id).chain(h_in).chain(state::<AB::Expr, _>(row)).collect();
    STATE.table_entry(builder, fields, fixed.is_out * row.uses);
}

/// Looks up `h_out = compress(h_in, block)` as block number `id` if `flag`. Halves are in the order of bytes.
pub fn lookup<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    id: AB::Expr,
    h_in: [AB::Expr; 16],
    block: [AB::Expr; 32],
    h_out: [AB::Expr; 16],
    flag: AB::Expr,
) {
    for (k, words) in block.chunks_exact(8).enumerate() {
        lookup_words(builder, id.clone(), AB::Expr::from_usize(k), words.to_vec(), flag.clone());
    }
    lookup_state(builder, id, h_in, h_out, flag);
}

/// Looks up eight halves of block number `id`, those of its words 4 `part` and up, if `flag`.
pub fn lookup_words<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    id: AB::Expr,
    part: AB::Expr,
    halves: Vec<AB::Expr>,
    flag: AB::Expr,
) {
    let fields: Vec<AB::Expr> = [id, part].into_iter().chain(halves).collect();
    WORDS.lookup_key(builder, fields, Count::bounded(flag, 1));
}

/// Looks up `h_out = compress(h_in, ..)` of block number `id` if `flag`.
pub fn lookup_state<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    id: AB::Expr,
    h_in: [AB::Expr; 16],
    h_out: [AB::Expr; 16],
    flag: AB::Expr,
) {
    let fields = core::iter::once(id).chain(h_in).chain(h_out);
    STATE.lookup_key(builder, fields, Count::bounded(flag, 1));
}
