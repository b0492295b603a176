//! Honest updates satisfy the circuit.

use tsz_air::{Tamper, assert_degrees};
use tsz_stark::{Profile, setup};

use super::world::*;
use crate::class::Counts;
use crate::prove::public_values;

#[test]
fn accepts_every_kind_of_update() {
    let world = every_update();
    judge(&world.witness()).unwrap();
}

#[test]
fn accepts_an_empty_range_and_a_full_table() {
    let witness = World::new().witness();
    assert_eq!(witness.claim.start, witness.claim.end);
    judge(&witness).unwrap();
    let mut world = World::new();
    for k in 0..16 {
        let mut op = world.update(0, &[1_000, 1_001, 1_002, 1_003]);
        op.reports.iter_mut().for_each(|r| r.ts = ts(TIME - 20 + k));
        world.apply(op);
    }
    judge(&world.witness()).unwrap();
    world.apply(world.update(1, &[1_000; 4]));
    assert!(world.try_witness().is_err());
}

#[test]
fn the_class_holds_what_its_tables_hold() {
    let world = every_update();
    let counts = Counts::of(&world.params, world.records.iter().map(|r| &r.op));
    assert_eq!((counts.updates, counts.reports), (8, 37));
    assert!(SMALL.holds(&counts));
    assert!(!SMALL.holds(&Counts { reports: 65, ..counts }));
}

#[test]
fn no_constraint_exceeds_degree_3() {
    let pk = setup(SMALL.circuit(Profile::Base)).unwrap();
    println!("{}", tsz_air::report(pk.vk().tables()));
    assert_degrees(pk.vk().tables());
}

/// Columns that are free in some rows: witnesses of one case only, and what a move needs where no bound counts.
const CONDITIONAL: [&str; 6] = [
    "update moves_index.slack",
    "update moves_mark.slack",
    "update moves_index.carries",
    "update moves_mark.carries",
    // a price that does not move neither rises nor falls
    "update moves_index.falls",
    "update moves_mark.falls",
];

#[test]
fn every_cell_is_constrained() {
    let world = every_update();
    let witness = world.witness();
    let airs = SMALL.circuit(Profile::Base).airs;
    let counts = Counts::of(&world.params, world.records.iter().map(|r| &r.op));
    let mut rows = vec![1, counts.markets, counts.signers + 1, counts.reports, counts.updates];
    rows.resize(airs.len(), 0);
    let publics = public_values(&witness.claim);
    let tamper = Tamper {
        airs: &airs,
        traces: &witness.traces,
        public_values: &publics,
        real_rows: &rows,
        trials: 64,
        seed: 7,
    };
    let mut bad = Vec::new();
    for r in tamper.columns().into_iter().filter(|r| r.trials > 0) {
        let conditional =
            CONDITIONAL.iter().any(|name| format!("{} {}", r.table, r.column).starts_with(name));
        if r.noticed == 0 || r.noticed < r.trials && !conditional {
            bad.push(format!("{} {}: {} of {}", r.table, r.column, r.noticed, r.trials));
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}
