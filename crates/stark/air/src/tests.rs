//! The kit on a small circuit: values in range, their zero test, a free column, messages between two tables.

use tsz_stark::{Circuit, Profile, prove, setup, verify};

use crate::gadget::{IsZero, compose, eval_is_zero, select};
use crate::*;

columns! {
    /// One row of the sender.
    struct SenderCols {
        /// Boolean: the row is real.
        is_real,
        /// Two limbs of 12 bits.
        limbs: [2],
        /// Zero test of the value.
        zero: IsZero,
        /// 7 if the value is 0, else the value: sent.
        out,
        /// Rows of arrays, to test the layout; not constrained.
        grid: [2; 3],
    }
}

columns! {
    /// One row of the receiver.
    struct ReceiverCols {
        /// Boolean: the row is real.
        is_real,
        /// The value received.
        value,
    }
}

columns! {
    /// The range table; its values are preprocessed.
    struct TableCols {
        /// Lookups of the value of this row.
        mult,
    }
}

#[derive(Clone)]
struct Sender;
#[derive(Clone)]
struct Receiver;
#[derive(Clone)]
struct Table;

air_enum! {
    /// The tables.
    enum DemoAir { Sender(Sender), Receiver(Receiver), Table(Table) }
}

macro_rules! table {
    ($air:ident, $cols:ident, $name:literal) => {
        impl TableAir for $air {
            fn name(&self) -> String {
                $name.into()
            }
            fn column_names(&self) -> Vec<String> {
                <$cols<F> as Columns<F>>::names()
            }
        }
    };
}
table!(Sender, SenderCols, "sender");
table!(Receiver, ReceiverCols, "receiver");
table!(Table, TableCols, "table");

impl BaseAir<F> for Sender {
    fn width(&self) -> usize {
        SenderCols::<F>::WIDTH
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for Sender {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = SenderCols::from_row(main.current_slice());
        builder.assert_bool(row.is_real);
        for limb in row.limbs {
            bus::range12::lookup(builder, [limb], row.is_real);
        }
        let value: AB::Expr = compose(row.limbs, RANGE_BITS);
        eval_is_zero(builder, value.clone(), &row.zero);
        builder.assert_eq(row.out, select(row.zero.is_zero, AB::Expr::from_u32(7), value));
        bus::setnode::send(builder, [row.is_real], [row.out; 8], row.is_real);
    }
}

impl BaseAir<F> for Receiver {
    fn width(&self) -> usize {
        ReceiverCols::<F>::WIDTH
    }
    fn num_public_values(&self) -> usize {
        1
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for Receiver {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = ReceiverCols::from_row(main.current_slice());
        let next = ReceiverCols::from_row(main.next_slice());
        builder.assert_bool(row.is_real);
        // Real rows come first.
        builder.when_transition().assert_zero(next.is_real * (AB::Expr::ONE - row.is_real));
        let first = builder.public_values()[0];
        builder.when_first_row().assert_eq(row.value, first);
        bus::setnode::receive(builder, [AB::Expr::ONE], [row.value; 8], row.is_real);
    }
}

impl BaseAir<F> for Table {
    fn width(&self) -> usize {
        TableCols::<F>::WIDTH
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
    fn preprocessed_width(&self) -> usize {
        1
    }
    fn preprocessed_trace(&self) -> Option<Trace> {
        Some(RowMajorMatrix::new((0..1 << 12).map(F::from_u32).collect(), 1))
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for Table {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = TableCols::from_row(main.current_slice());
        let value = builder.preprocessed().current_slice()[0];
        bus::range12::provide(builder, [value], row.mult);
    }
}

const REAL: usize = 50;

fn airs() -> Vec<DemoAir> {
    vec![Sender.into(), Receiver.into(), Table.into()]
}

fn witness() -> (Vec<Trace>, Vec<Vec<F>>) {
    let mut requests = Requests::new();
    let zero_row = || {
        let mut row = SenderCols::fill(F::ZERO);
        row.zero = IsZero::new(F::ZERO);
        row.out = F::from_u32(7);
        row
    };
    let mut senders = vec![];
    let mut receivers = vec![];
    for i in 0..REAL as u64 {
        let value = i * 300_007 % (1 << 24);
        let mut row = zero_row();
        row.is_real = F::ONE;
        row.limbs = requests.limbs(value);
        row.zero = IsZero::new(F::from_u64(value));
        row.out = F::from_u64(if value == 0 { 7 } else { value });
        receivers.push(ReceiverCols { is_real: F::ONE, value: row.out });
        senders.push(row);
    }
    let mults: Vec<_> = requests.range.iter().map(|n| TableCols { mult: F::from_u32(*n) }).collect();
    let traces = vec![
        from_rows_padded(&senders, 6, |_| zero_row()),
        from_rows(&receivers, log_height(REAL)),
        from_rows(&mults, RANGE_BITS),
    ];
    (traces, vec![vec![], vec![F::from_u32(7)], vec![]])
}

#[test]
fn honest_traces_pass_the_check_and_the_proof() {
    let (traces, publics) = witness();
    check(&airs(), &traces, &publics).unwrap();
    let heights = [6, 6, RANGE_BITS];
    let pk = setup(Circuit::new(Profile::InsecureTest, airs().into_iter().zip(heights))).unwrap();
    println!("{}", report(pk.vk().tables()));
    assert_degrees(pk.vk().tables());
    let proof = prove(&pk, &traces, &publics).unwrap().to_bytes().unwrap();
    verify(pk.vk(), &proof, &publics).unwrap();
}

#[test]
fn the_check_names_table_row_and_constraint() {
    let (mut traces, publics) = witness();
    traces[0].values[5 * SenderCols::<F>::WIDTH] = F::TWO;
    let violation = check(&airs(), &traces, &publics).unwrap_err();
    assert_eq!(violation, Violation::Constraint { air: "sender".into(), row: 5, constraint: 0 });
}

#[test]
fn the_check_names_the_message_that_does_not_balance() {
    let (mut traces, publics) = witness();
    traces[1].values[9 * ReceiverCols::<F>::WIDTH + 1] += F::ONE;
    let violation = check(&airs(), &traces, &publics).unwrap_err();
    assert!(matches!(&violation, Violation::Bus { bus, .. } if bus == "setnode"), "{violation}");
    let (traces, mut publics) = witness();
    publics[1][0] += F::ONE;
    assert!(matches!(check(&airs(), &traces, &publics), Err(Violation::Constraint { row: 0, .. })));
    publics[1].pop();
    assert!(matches!(check(&airs(), &traces, &publics), Err(Violation::Shape { .. })));
}

#[test]
fn a_limb_out_of_range_by_one_has_no_table_entry() {
    let (mut traces, publics) = witness();
    // 2^12 in the low limb and one less in the high limb: the value is the same.
    let at = (0..REAL).find(|i| traces[0].values[i * SenderCols::<F>::WIDTH + 2] > F::ZERO).unwrap();
    let width = SenderCols::<F>::WIDTH;
    traces[0].values[at * width + 1] += F::from_u32(1 << 12);
    traces[0].values[at * width + 2] -= F::ONE;
    let violation = check(&airs(), &traces, &publics).unwrap_err();
    assert!(matches!(&violation, Violation::Bus { bus, .. } if bus == "range12"), "{violation}");
}

#[test]
fn tampering_finds_exactly_the_free_columns() {
    let (traces, publics) = witness();
    let airs = airs();
    let tamper = Tamper {
        airs: &airs,
        traces: &traces,
        public_values: &publics,
        real_rows: &[REAL, REAL, 1 << RANGE_BITS],
        trials: 8,
        seed: 1,
    };
    let grid: Vec<String> = (0..6).map(|k| format!("grid[{}][{}]", k / 2, k % 2)).collect();
    let allow: Vec<(&str, &str)> = grid.iter().map(|name| ("sender", name.as_str())).collect();
    tamper.assert_constrained(&allow);
    let free: Vec<_> =
        tamper.columns().into_iter().filter(|r| r.noticed == 0).map(|r| (r.table, r.column)).collect();
    assert_eq!(free.len(), 6, "{free:?}");
}

#[test]
fn rows_round_trip_through_slices() {
    let width = SenderCols::<F>::WIDTH;
    assert_eq!(width, 1 + 2 + 2 + 1 + 6);
    let row: Vec<F> = (0..width as u32).map(F::from_u32).collect();
    let cols = SenderCols::from_row(&row);
    assert_eq!(cols.zero.inv, F::from_u32(4));
    assert_eq!(cols.grid[2][1], F::from_u32(11));
    let mut back = vec![F::ZERO; width];
    cols.to_row(&mut back);
    assert_eq!(row, back);
    assert_eq!(<SenderCols<F> as Columns<F>>::names()[4], "zero.inv");
    assert_eq!(<SenderCols<F> as Columns<F>>::names().len(), width);
}

#[test]
fn requests_mirror_the_hash() {
    let mut requests = Requests::new();
    let (l, r) = ([F::ONE; 8], [F::TWO; 8]);
    assert_eq!(requests.compress(&l, &r), tsz_hash::compress(&l, &r));
    assert_eq!(requests.step(&l, &r), tsz_hash::step(&l, &r));
    let mut other = Requests::new();
    other.range(4095);
    other.range(4096);
    other.p2([F::ZERO; 16]);
    requests.merge(other);
    assert_eq!((requests.p2.len(), requests.range[4095]), (3, 1));
    assert_eq!(requests.range.iter().sum::<u32>(), 1);
}
