//! The tuple table against a source of messages that says whatever a test wants.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tsz_air::{
    Air, BaseAir, Columns, F, InteractionBuilder, PrimeCharacteristicRing, Requests, TableAir, Tamper, Trace,
    Violation, WindowAccess, air_enum, bus, check, columns, from_rows, log_height,
};
use tsz_hash::{Digest, ZERO};
use tsz_ledger::tuple::key_felts;
use tsz_ledger::{Access, Key, TupleSponge};

use super::*;
use crate::poseidon2::Poseidon2Table;

columns! {
    /// One message to the tuple table.
    struct SourceCols {
        /// Message on `op`.
        is_op,
        /// Message on `key`.
        is_key,
        /// Message on `val`.
        is_val,
        /// Message received on `seg`.
        is_seg,
        /// The fields.
        m: [10],
    }
}

#[derive(Clone)]
struct Source {
    mode: Mode,
}

impl TableAir for Source {
    fn name(&self) -> String {
        "source".into()
    }
}

impl BaseAir<F> for Source {
    fn width(&self) -> usize {
        SourceCols::<F>::WIDTH
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for Source {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let c = SourceCols::<AB::Var>::from_row(main.current_slice());
        let head = [c.m[0], c.m[1]];
        let rest: [AB::Var; 8] = core::array::from_fn(|k| c.m[2 + k]);
        bus::op::send(builder, [c.m[0], c.m[1], c.m[2], c.m[3]], c.is_op);
        bus::key::send(builder, head, [c.m[2], c.m[3]], c.is_key);
        bus::val::send(builder, head, rest, c.is_val);
        if self.mode == Mode::Transition {
            bus::seg::receive(builder, head, rest, c.is_seg);
        }
    }
}

air_enum! {
    /// Tables of the test.
    enum TestAir { Tuple(TupleAir), Source(Source), Poseidon2(Poseidon2Table) }
}

fn felts<const N: usize>(values: [u32; N]) -> [F; 10] {
    core::array::from_fn(|k| values.get(k).map_or(F::ZERO, |v| F::from_u32(*v)))
}

fn with_value(head: [u32; 2], value: &Digest) -> [F; 10] {
    core::array::from_fn(|k| if k < 2 { F::from_u32(head[k]) } else { value[k - 2] })
}

/// Messages of the ops of a segment.
fn messages(segment: &Segment<'_>) -> Vec<SourceCols<F>> {
    let none = SourceCols::fill(F::ZERO);
    let mut out = Vec::new();
    for (i, accesses) in &segment.ops {
        let n = accesses.len() as u32;
        let writes = accesses.iter().filter(|a| a.write);
        let nv = n + writes.clone().count() as u32;
        out.push(SourceCols { is_op: F::ONE, m: felts([*i, segment.slot, n, nv]), ..none });
        for (j, a) in accesses.iter().enumerate() {
            let mut m = felts([*i, j as u32]);
            m[2..4].copy_from_slice(&key_felts(a));
            out.push(SourceCols { is_key: F::ONE, m, ..none });
            out.push(SourceCols { is_val: F::ONE, m: with_value([*i, j as u32], &a.old), ..none });
        }
        for (k, a) in writes.enumerate() {
            out.push(SourceCols { is_val: F::ONE, m: with_value([*i, n + k as u32], &a.new), ..none });
        }
    }
    out
}

struct Case {
    airs: Vec<TestAir>,
    traces: Vec<Trace>,
    publics: Vec<Vec<F>>,
    rows: Vec<usize>,
}

impl Case {
    /// Traces that hash `segments` while the source sends the messages of `sent` (and takes the ends).
    fn new(mode: Mode, start: Digest, segments: &[Segment<'_>], sent: &[Segment<'_>]) -> Self {
        let mut requests = Requests::new();
        let need: usize = segments.iter().map(segment_rows).sum();
        let tuple = generate(log_height(need), start, segments, &mut requests).unwrap();
        let mut source: Vec<_> = sent.iter().flat_map(messages).collect();
        if mode == Mode::Transition {
            source.extend(segments.iter().zip(&tuple.ends).map(|(s, end)| SourceCols {
                is_seg: F::ONE,
                m: with_value([s.slot, s.ops.len() as u32], end),
                ..SourceCols::fill(F::ZERO)
            }));
        }
        let p2_height = log_height(requests.p2.len());
        let p2 = crate::poseidon2::traces(&requests.p2, &[p2_height]).unwrap().remove(0);
        let mut public = start.to_vec();
        if mode == Mode::Exec {
            public.extend(tuple.ends[0]);
            public.push(F::from_usize(segments[0].ops.len()));
        }
        let rows = vec![tuple.rows, source.len(), requests.p2.len()];
        Self {
            airs: vec![TupleAir { mode }.into(), Source { mode }.into(), Poseidon2Table::new().into()],
            traces: vec![tuple.trace, from_rows(&source, log_height(source.len())), p2],
            publics: vec![public, vec![], vec![]],
            rows,
        }
    }

    fn check(&self) -> Result<(), Violation> {
        check(&self.airs, &self.traces, &self.publics)
    }

    fn cell(&mut self, row: usize) -> &mut [F] {
        let width = self.traces[0].width;
        &mut self.traces[0].values[row * width..(row + 1) * width]
    }
}

fn digest(rng: &mut StdRng) -> Digest {
    core::array::from_fn(|_| F::from_u32(rng.random_range(0..1 << 30)))
}

fn accesses(rng: &mut StdRng, n: usize) -> Vec<Access> {
    let mut one = || {
        let key = Key::new(rng.random_range(0..1 << 40)).unwrap();
        let old = digest(rng);
        if rng.random() { Access::write(key, old, digest(rng)) } else { Access::read(key, old) }
    };
    (0..n).map(|_| one()).collect()
}

fn logs(seed: u64, sizes: &[usize]) -> Vec<Vec<Access>> {
    let mut rng = StdRng::seed_from_u64(seed);
    sizes.iter().map(|n| accesses(&mut rng, *n)).collect()
}

fn segment(slot: u32, first: u32, logs: &[Vec<Access>]) -> Segment<'_> {
    Segment { slot, ops: (first..).zip(logs.iter().map(Vec::as_slice)).collect() }
}

const START: Digest = [F::TWO; 8];

#[test]
fn accepts_ops_of_every_number_of_keys_in_both_modes() {
    let logs = logs(1, &[1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 40]);
    let one = [segment(0, 0, &logs)];
    Case::new(Mode::Exec, START, &one, &one).check().unwrap();
    let three = [segment(0, 0, &logs[..4]), segment(5, 100, &logs[4..5]), segment(63, 200, &logs[5..])];
    Case::new(Mode::Transition, START, &three, &three).check().unwrap();
}

#[test]
fn ends_are_the_native_commitments() {
    let logs = logs(2, &[6, 3, 9]);
    let mut native = TupleSponge::new(START);
    for (i, log) in (7..).zip(&logs) {
        native.absorb(i, log);
    }
    let tuple = generate(7, START, &[segment(0, 7, &logs)], &mut Requests::new()).unwrap();
    assert_eq!(tuple.ends, [native.commitment()]);
}

#[test]
fn accepts_an_empty_range_only_in_mode_exec() {
    let none = [segment(0, 0, &[])];
    let case = Case::new(Mode::Exec, START, &none, &none);
    assert_eq!(case.publics[0][8..16], START);
    case.check().unwrap();
    assert!(Case::new(Mode::Transition, START, &none, &none).check().is_err());
}

#[test]
fn accepts_a_table_that_is_full_to_the_last_row() {
    let logs = logs(3, &[1; 100]);
    let mut ops = segment(0, 0, &logs);
    while segment_rows(&ops) > 64 {
        ops.ops.pop();
    }
    let used = segment_rows(&ops);
    let pad: Vec<Access> =
        accesses(&mut StdRng::seed_from_u64(4), 3).iter().map(|a| Access::read(a.key, a.old)).collect();
    ops.ops.pop();
    while segment_rows(&ops) + op_rows(3, 0) <= 64 {
        let i = ops.ops.len() as u32;
        ops.ops.push((i, &pad));
    }
    assert!(used <= 64);
    let case = Case::new(Mode::Exec, START, &[ops.clone()], &[ops]);
    assert_eq!(case.traces[0].values.len() / case.traces[0].width, 64);
    case.check().unwrap();
}

#[test]
fn refuses_ops_that_do_not_fit() {
    let logs = logs(5, &[40]);
    let one = [segment(0, 0, &logs)];
    assert!(matches!(generate(6, START, &one, &mut Requests::new()), Err(Overflow { have: 64, .. })));
}

#[test]
fn rejects_a_tuple_other_than_the_one_sent() {
    let sent = logs(6, &[5, 6]);
    let lies: [fn(&mut Vec<Vec<Access>>); 7] = [
        |l| l[0][4].key = Key::HEAD,
        |l| l[0][1].old[3] += F::ONE,
        |l| l[1].swap(0, 1),
        |l| l.swap(0, 1),
        |l| l[1].truncate(5),
        |l| l.truncate(1),
        |l| {
            let again = l[1][5];
            l[1].push(again);
        },
    ];
    for (k, lie) in lies.iter().enumerate() {
        let mut hashed = sent.clone();
        lie(&mut hashed);
        let case = Case::new(Mode::Exec, START, &[segment(0, 0, &hashed)], &[segment(0, 0, &sent)]);
        assert!(case.check().is_err(), "lie {k}");
    }
}

#[test]
fn rejects_an_op_hashed_in_two_segments() {
    let l = logs(7, &[5, 6]);
    let two = [segment(0, 0, &l), segment(1, 1, &l[1..])];
    assert!(Case::new(Mode::Transition, START, &two, &[segment(0, 0, &l)]).check().is_err());
}

#[test]
fn rejects_an_op_under_another_slot() {
    let l = logs(8, &[5, 6]);
    let hashed = [segment(0, 0, &l[..1]), segment(1, 1, &l[1..])];
    let sent = [segment(0, 0, &l[..1]), segment(2, 1, &l[1..])];
    assert!(Case::new(Mode::Transition, START, &hashed, &sent).check().is_err());
}

#[test]
fn rejects_wrong_public_values() {
    let l = logs(9, &[5, 6]);
    let one = [segment(0, 0, &l)];
    for k in 0..17 {
        let mut case = Case::new(Mode::Exec, START, &one, &one);
        case.publics[0][k] += F::ONE;
        assert!(case.check().is_err(), "public value {k}");
    }
}

#[test]
fn rejects_a_second_segment_in_mode_exec() {
    let l = logs(10, &[5, 6]);
    let two = [segment(0, 0, &l[..1]), segment(0, 1, &l[1..])];
    assert!(Case::new(Mode::Exec, START, &two, &two).check().is_err());
}

#[test]
fn rejects_a_segment_that_starts_from_another_capacity() {
    let l = logs(11, &[5, 6]);
    let two = [segment(0, 0, &l[..1]), segment(1, 1, &l[1..])];
    // the same traces, but the second segment continues the first: only the start of the second is wrong
    let mut requests = Requests::new();
    let a = generate(6, START, &two[..1], &mut requests).unwrap();
    let b = generate(6, a.ends[0], &two[1..], &mut requests).unwrap();
    let mut case = Case::new(Mode::Transition, START, &two, &two);
    let (width, rows) = (case.traces[0].width, a.rows);
    case.traces[0].values[rows * width..(rows + b.rows) * width]
        .copy_from_slice(&b.trace.values[..b.rows * width]);
    case.traces[2] = crate::poseidon2::traces(&requests.p2, &[6]).unwrap().remove(0);
    assert!(matches!(case.check(), Err(Violation::Constraint { .. })));
}

#[test]
fn rejects_a_block_in_the_padding_and_a_block_without_end() {
    let l = logs(12, &[3, 3]);
    let one = [segment(0, 0, &l)];
    let honest = Case::new(Mode::Exec, START, &one, &one);
    let (used, width) = (honest.rows[0], honest.traces[0].width);
    // a copy of the last value block after the end row
    let mut case = Case::new(Mode::Exec, START, &one, &one);
    let copy = case.cell(used - 2).to_vec();
    case.cell(used + 1)[..width].copy_from_slice(&copy);
    assert!(matches!(case.check(), Err(Violation::Constraint { .. })));
    // the end row turned into padding
    let mut case = Case::new(Mode::Exec, START, &one, &one);
    case.cell(used - 1).fill(F::ZERO);
    assert!(matches!(case.check(), Err(Violation::Constraint { .. })));
}

#[test]
fn rejects_a_felt_hidden_in_the_place_of_an_absent_key() {
    let l = logs(13, &[2]);
    let one = [segment(0, 0, &l)];
    let mut case = Case::new(Mode::Exec, START, &one, &one);
    let mut row = TupleCols::from_row(case.cell(0));
    row.msg[6] = F::ONE;
    row.to_row(case.cell(0));
    assert!(matches!(case.check(), Err(Violation::Constraint { .. })));
    assert_ne!(ZERO, START);
}

#[test]
fn every_column_is_constrained() {
    let l = logs(14, &[1, 3, 4, 7, 9]);
    for (mode, segments) in [
        (Mode::Exec, vec![segment(0, 0, &l)]),
        (Mode::Transition, vec![segment(0, 0, &l[..2]), segment(9, 2, &l[2..])]),
    ] {
        let case = Case::new(mode, START, &segments, &segments);
        Tamper {
            airs: &case.airs[..],
            traces: &case.traces,
            public_values: &case.publics,
            real_rows: &case.rows,
            trials: 24,
            seed: 15,
        }
        // the source takes ends in mode Transition only
        .assert_constrained(if mode == Mode::Exec { &[("source", "3")] } else { &[] });
    }
}
