//! Honest operations satisfy the circuit.

use tsz_air::{Tamper, assert_degrees};
use tsz_ext::{Run, words};
use tsz_ledger::Key;
use tsz_stark::{Profile, setup};

use super::super::world as plain;
use super::world::*;
use crate::class::Counts;
use crate::margin::{MarginCounts, margin_public_values};
use crate::record::RecordError;
use crate::trace::MarginRows;
use crate::{Class, Witness, WitnessError};

#[test]
fn accepts_every_kind_of_operation() {
    let world = every_operation();
    let counts = MarginCounts::of(&world.params, &world.w.records).unwrap();
    println!("{counts:?}");
    judge(&world.witness().unwrap()).unwrap();
}

#[test]
fn accepts_what_the_plain_circuit_accepts_and_nothing_at_all() {
    let mut world = World::new();
    world.w.context.params = world.params.hash();
    judge(&world.witness().unwrap()).unwrap();
    let plain = plain::every_operation();
    world.w.records = plain.records;
    judge(&world.witness().unwrap()).unwrap();
}

#[test]
fn the_plain_circuit_refuses_operations_with_legs() {
    let world = every_operation();
    let index = world.w.records[0].index;
    assert_eq!(Counts::of(&world.w.records), Err(RecordError::Legs { index }));
    let start = world.w.context.digest();
    let class: &Class = &plain::TINY;
    let witness = Witness::new(class, &world.w.context, plain::program(), &world.w.records, start, start);
    assert_eq!(witness.map(|_| ()), Err(WitnessError::Record(RecordError::Legs { index })));
}

#[test]
fn the_journal_is_the_one_that_a_guest_commits_to() {
    let world = every_operation();
    let ops: Vec<_> = world.w.records.iter().map(|r| (&r.op, &r.accesses[..])).collect();
    let run = Run::new(&words(&world.w.context.digest()), &ops).unwrap();
    assert_eq!(words(&world.witness().unwrap().claim.journal_end), run.end);
}

#[test]
fn no_constraint_exceeds_degree_3() {
    let pk = setup(TINY.circuit(Profile::Base)).unwrap();
    println!("{}", tsz_air::report(pk.vk().tables()));
    assert_degrees(pk.vk().tables());
}

/// Witnesses that only some rows use; in the others any value does.
const CONDITIONAL: [&str; 31] = [
    "leg_cell cell.at",
    "leg_cell cell.party.place",
    "leg_cell cell.party.slot",
    "leg_cell cell.party.epoch",
    "leg_cell cell.party.tokens",
    "leg_cell cell.apart_inv",
    "leg_cell cell.new",
    "leg_cell cell.old_digits",
    "leg_cell cell.new_digits",
    "leg_cell cell.rise",
    "leg_cell cell.carries",
    "leg_cell cell.borrow",
    "leg_cell is_leg",
    "money carries",
    "leg pays",
    "leg falls",
    "leg bare_inv",
    "leg opposes",
    "leg follows",
    "leg moved.flat_before_inv",
    "leg moved.flat_after_inv",
    "leg moved.positions_inv",
    "leg moved.negative_inv",
    "leg moved.short_before",
    "leg moved.last",
    "leg moved.is_due",
    "leg limit",
    "crossing interest.value_carries",
    "crossing interest.room",
    "crossing interest.grew",
    "crossing listed",
];

/// Witnesses that no row here uses: of a balance without a limit, of collateral below zero. The plain circuit's test and
/// those of liquidations change them.
const UNUSED: [&str; 2] = ["leg_cell cell.apart_inv", "leg moved.negative_inv"];

#[test]
fn every_cell_is_constrained() {
    let world = every_operation();
    let witness = world.witness().unwrap();
    let airs = TINY.circuit(Profile::Base).airs;
    let rows = MarginRows::of(&world.w.context, &world.params, &world.w.records).unwrap();
    let mut lengths = vec![0; airs.len()];
    lengths[1] = rows.plain.operations.len();
    lengths[3] = rows.plain.cells.len();
    lengths[5] = rows.plain.money.len();
    lengths[7] = rows.legs.len();
    lengths[8] = rows.crossings.len();
    let publics = margin_public_values(&witness.claim, witness.traces.len());
    let tamper = Tamper {
        airs: &airs,
        traces: &witness.traces,
        public_values: &publics,
        real_rows: &lengths,
        trials: 24,
        seed: 7,
    };
    let mut bad = Vec::new();
    for r in tamper.columns().into_iter().filter(|r| r.trials > 0) {
        let column = r.column.split('[').next().unwrap_or_default();
        let name = format!("{} {column}", r.table);
        let conditional = CONDITIONAL.iter().any(|c| name.starts_with(c));
        let is_unused = UNUSED.iter().any(|c| name == *c);
        if r.noticed == 0 && !is_unused || r.noticed < r.trials && !conditional {
            bad.push(format!("{} {}: {} of {}", r.table, r.column, r.noticed, r.trials));
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}

#[test]
fn a_leg_may_stand_beside_reads_of_what_it_moves() {
    let mut world = World::new();
    let legs = [(3, -3_000 * MICROS), (-3, 3_000 * MICROS)];
    let reads = [Key::sub(2, 0), Key::pos(2, 0, 0), Key::mkp(0), Key::mkf(0), Key::mko(0)];
    let op = world.operation(&BOTH, 0, &legs, &[], &reads);
    world.try_apply(op).unwrap();
    assert_eq!(world.verdict(), "nowhere");
}
