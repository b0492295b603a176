//! Tables side by side: as the tables alone, with no tie between the parts but the bus.

use std::ops::Range;

use p3_field::PrimeCharacteristicRing;
use tsz_air::{BaseAir, TableAir, Tamper, Trace, Violation, check};
use tsz_stark::{F, Profile, TableInfo, VerifyError};

use super::lies::{demo, polynomial_program};
use super::satisfied;
use crate::machine::publics_of;
use crate::tables::poseidon2;
use crate::{
    Arrangement, Builder, CompileError, Program, Prover, Shape, Value, coordinates, from_coordinates, verify,
};

/// The demo program with the tables of nodes side by side, its traces and its public values.
struct Case {
    prover: Prover,
    traces: Vec<Trace>,
    publics: Vec<F>,
}

impl Case {
    fn new() -> Self {
        let (b, inputs) = demo();
        Self::of(b, &inputs)
    }

    fn of(b: Builder, inputs: &[Value]) -> Self {
        let rows = crate::rows(&b);
        let shape = Shape { arrangement: Arrangement::Node, ..Shape::fitting(Profile::InsecureNode, &rows) };
        let prover = Program::compile(b, shape).unwrap().keys().unwrap();
        let witness = prover.program().run(inputs).unwrap();
        let traces = prover.program().traces(&witness);
        Self { prover, traces, publics: witness.publics }
    }

    /// A cell by the name of its column.
    fn cell(&mut self, row: usize, name: &str) -> &mut F {
        let airs = self.prover.program().circuit().airs;
        let place = |(table, air): (usize, &crate::PlonkAir)| {
            air.column_names().iter().position(|column| column == name).map(|column| (table, column))
        };
        let (table, column) = airs.iter().enumerate().find_map(place).unwrap();
        let trace = &mut self.traces[table];
        &mut trace.values[row * trace.width + column]
    }

    fn quad(&mut self, row: usize, name: &str) -> Value {
        from_coordinates(core::array::from_fn(|k| *self.cell(row, &format!("{name}[{k}]"))))
    }

    fn set_quad(&mut self, row: usize, name: &str, value: Value) {
        for (k, x) in coordinates(value).into_iter().enumerate() {
            *self.cell(row, &format!("{name}[{k}]")) = x;
        }
    }

    fn check(&self) -> Result<(), Violation> {
        let publics = publics_of(self.prover.vk(), &self.publics);
        check(&self.prover.program().circuit().airs, &self.traces, &publics)
    }

    /// Proves the traces; whether the proof is accepted.
    fn accepted(&self) -> bool {
        let publics = publics_of(self.prover.vk(), &self.publics);
        let proof = tsz_stark::prove(self.prover.proving_key(), &self.traces, &publics).unwrap();
        match verify(self.prover.vk(), &self.publics, &proof.to_bytes().unwrap()) {
            Ok(()) => true,
            Err(VerifyError::Invalid(_)) => false,
            Err(e) => panic!("{e}"),
        }
    }
}

/// Columns of the permutation of a row: after `alu`.
const PERMUTATION: Range<usize> = 16..16 + poseidon2::WIDTH;

fn is_bus(violation: &Violation) -> bool {
    matches!(violation, Violation::Bus { bus, .. } if bus == "wit")
}

#[test]
fn tables_side_by_side_prove_what_they_prove_apart() {
    let case = Case::new();
    case.check().unwrap();
    assert!(case.accepted());
    let (b, inputs) = demo();
    let (apart, witness) = satisfied(b, &inputs);
    assert_eq!(case.publics, witness.publics);
    let tables = case.prover.vk().tables();
    let names: Vec<&str> = tables.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["alu+poseidon2+horner", "pack", "bits+public"]);
    // Main columns are the same, those of LogUp and of the quotient fewer.
    let apart = apart.keys().unwrap();
    type Of = fn(&TableInfo) -> usize;
    let sum = |tables: &[TableInfo], of: Of| -> usize { tables.iter().map(of).sum() };
    let same: [Of; 3] = [|t| t.width, |t| t.preprocessed_width, |t| t.interactions];
    let fewer: [Of; 2] = [|t| t.aux_width, |t| t.quotient_chunks];
    for same in same {
        assert_eq!(sum(tables, same), sum(apart.vk().tables(), same));
    }
    for fewer in fewer {
        assert!(sum(tables, fewer) < sum(apart.vk().tables(), fewer));
    }
    assert!(tables.iter().all(|t| t.degree <= 9));
}

#[test]
fn a_row_of_a_part_is_tied_to_no_other_part_of_its_row() {
    // A row where arithmetic is in use and the permutation is padding: another permutation there changes nothing.
    let mut case = Case::new();
    let rows = case.prover.program().rows();
    assert!(rows.poseidon2 < rows.alu);
    let at = case.traces[0].width * rows.poseidon2;
    assert_ne!(case.traces[0].values[PERMUTATION], case.traces[0].values[at..][PERMUTATION]);
    case.traces[0].values.copy_within(PERMUTATION, at + PERMUTATION.start);
    case.check().unwrap();
    assert!(case.accepted());
}

/// Constraints of each part, in the order of the AIR: four results; the bit, rounds with their cubes; powers, results, chains. Of the
/// other AIR those of `bits`, then one for each public value.
const CONSTRAINTS: [(&str, Range<usize>); 5] =
    [("alu", 0..4), ("poseidon2", 4..288), ("horner", 288..312), ("bits", 0..34), ("public", 34..usize::MAX)];

#[test]
fn every_part_keeps_its_constraints() {
    let lies: [(usize, &str); 9] = [
        (3, "alu.d[0]"),
        (2, "poseidon2.out[15]"),
        (2, "poseidon2.round[0]"),
        (0, "poseidon2.bit"),
        (1, "horner.before[0]"),
        (1, "horner.alpha[3]"),
        (1, "horner.step[2]"),
        (0, "bits.high_all"),
        (0, "public.value[3]"),
    ];
    for (row, column) in lies {
        let mut case = Case::new();
        *case.cell(row, column) += F::ONE;
        let Violation::Constraint { air, constraint, .. } = case.check().unwrap_err() else {
            panic!("{column}: no constraint")
        };
        let (part, range) = CONSTRAINTS.iter().find(|(part, _)| column.starts_with(part)).unwrap();
        assert!(
            air.split('+').any(|name| name == *part) && range.contains(&constraint),
            "{column}: {constraint}"
        );
        assert!(!case.accepted(), "{column}");
    }
}

/// The last row of a polynomial starts from another value, and all that follows from it is said: only the rows of the
/// chain do not meet.
#[test]
fn rows_of_a_chain_meet_side_by_side() {
    let (b, inputs) = polynomial_program();
    let mut case = Case::of(b, &inputs);
    case.check().unwrap();
    case.set_quad(2, "horner.before", Value::ONE);
    let [high, low] = ["horner.high", "horner.low"].map(|name| case.quad(2, name));
    let after = (inputs[0] + high) * inputs[0] + low;
    case.set_quad(2, "horner.after", after);
    case.set_quad(0, "x", after);
    case.set_quad(0, "public.value", after);
    case.publics[..4].copy_from_slice(&coordinates(after));
    let found = case.check().unwrap_err();
    assert!(
        matches!(&found, Violation::Constraint { row: 1, constraint: 296..312, .. }),
        "the next row's start: {found}"
    );
    assert!(!case.accepted());
}

/// The committed programs agree; the AIRs do not.
#[test]
fn tables_apart_and_side_by_side_have_keys_of_their_own() {
    let (b, inputs) = demo();
    let fitting = Shape::fitting(Profile::InsecureNode, &crate::rows(&b));
    let [apart, beside] = [Arrangement::Apart, Arrangement::Node].map(|arrangement| {
        let shape = Shape { arrangement, log_pack: 7, log_bits: 8, log_public: 8, ..fitting };
        Program::compile(b.clone(), shape).unwrap().keys().unwrap()
    });
    assert_eq!(apart.vk().preprocessed_commitment(), beside.vk().preprocessed_commitment());
    assert_ne!(apart.vk().digest(), beside.vk().digest());
    for (one, other) in [(&apart, &beside), (&beside, &apart)] {
        let (publics, proof) = one.prove(&inputs).unwrap();
        verify(one.vk(), &publics, &proof).unwrap();
        assert!(verify(other.vk(), &publics, &proof).is_err());
    }
}

#[test]
fn the_bus_joins_parts_of_one_row_as_it_joins_tables() {
    // The permutation of another row: its constraints hold, but the other parts of the row are not concerned.
    let mut case = Case::new();
    let width = case.traces[0].width;
    case.traces[0].values.copy_within(width + PERMUTATION.start..width + PERMUTATION.end, PERMUTATION.start);
    assert!(is_bus(&case.check().unwrap_err()) && !case.accepted());
    let mut case = Case::new();
    *case.cell(0, "x[0]") += F::ONE;
    assert!(is_bus(&case.check().unwrap_err()) && !case.accepted());
    // A public value and the bits beside it.
    let mut case = Case::new();
    case.publics[0] += F::ONE;
    *case.cell(0, "public.value[0]") += F::ONE;
    assert!(is_bus(&case.check().unwrap_err()) && !case.accepted());
}

#[test]
fn every_column_is_constrained() {
    let case = Case::new();
    let rows = case.prover.program().rows();
    let publics = publics_of(case.prover.vk(), &case.publics);
    Tamper {
        airs: &case.prover.program().circuit().airs,
        traces: &case.traces,
        public_values: &publics,
        // Not every part of a row is in use: some changes go unnoticed.
        real_rows: &[rows.alu.max(rows.poseidon2).max(rows.horner), rows.pack, 1],
        trials: 96,
        seed: 7,
    }
    .assert_constrained(&[]);
}

#[test]
fn next_rows_are_those_of_the_part() {
    let airs = Case::new().prover.program().circuit().airs;
    let names = airs[0].column_names();
    let next: Vec<&str> = airs[0].main_next_row_columns().iter().map(|k| names[*k].as_str()).collect();
    let quad = |name: &'static str| (0..4).map(move |k| format!("horner.{name}[{k}]"));
    assert_eq!(next, quad("alpha").chain(quad("before")).collect::<Vec<_>>());
}

#[test]
fn tables_of_several_heights_do_not_stand_side_by_side() {
    let (b, _): (Builder, _) = demo();
    let shape = Shape::fitting(Profile::InsecureNode, &crate::rows(&b));
    for shape in [
        Shape { arrangement: Arrangement::Node, log_horner: shape.log_alu + 1, ..shape },
        Shape { arrangement: Arrangement::InsecureNode, log_public: shape.log_bits + 1, ..shape },
    ] {
        assert_eq!(Program::compile(b.clone(), shape).unwrap_err(), CompileError::Arrangement);
    }
}
