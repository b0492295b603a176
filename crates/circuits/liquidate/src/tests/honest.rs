//! Honest takeovers satisfy the circuit.

use tsz_air::{Tamper, assert_degrees};
use tsz_stark::{Profile, setup};

use super::world::*;
use crate::Class;
use crate::class::Counts;
use crate::prove::public_values;

#[test]
fn accepts_every_kind_of_takeover() {
    let world = every_takeover();
    judge(&world.try_witness().unwrap()).unwrap();
    let counts = Counts::of(&world.params, &world.records).unwrap();
    assert_eq!(Class::fitting(&counts).map(|class| class.name), Some("small"));
}

#[test]
fn accepts_every_kind_of_liquidation() {
    judge(&every_liquidation().try_witness().unwrap()).unwrap();
}

#[test]
fn accepts_every_kind_of_forced_close() {
    judge(&every_demand().try_witness().unwrap()).unwrap();
}

#[test]
fn accepts_an_empty_range() {
    let witness = World::new().try_witness().unwrap();
    assert_eq!(witness.claim.start, witness.claim.end);
    judge(&witness).unwrap();
}

#[test]
fn no_constraint_exceeds_degree_3() {
    let pk = setup(SMALL.circuit(Profile::Base)).unwrap();
    println!("{}", tsz_air::report(pk.vk().tables()));
    assert_degrees(pk.vk().tables());
}

/// Witnesses that only some takeovers use; in the others any value does.
const CONDITIONAL: [&str; 12] = [
    "takeover high_inv",
    "takeover target.flat_after_inv",
    "takeover insurance.flat_before_inv",
    "takeover insurance.flat_after_inv",
    "takeover target.negative_inv",
    "takeover insurance.negative_inv",
    "takeover insurance.last",
    "takeover insurance.last_negative",
    "judge mask_inv",
    "judge others_inv",
    "target mask_inv",
    "target others_inv",
];

fn every_cell_is_constrained_in(world: &World) {
    let witness = world.try_witness().unwrap();
    let airs = SMALL.circuit(Profile::Base).airs;
    let counts = Counts::of(&world.params, &world.records).unwrap();
    let mut rows = vec![0; airs.len()];
    rows[1] = counts.orders;
    rows[2..5].copy_from_slice(&counts.ops);
    rows[5] = counts.lists[0];
    rows[11] = counts.margin[3];
    rows[15..17].copy_from_slice(&counts.targets);
    rows[17] = counts.minimals;
    let publics = public_values(&witness.claim, airs.len());
    let tamper = Tamper {
        airs: &airs,
        traces: &witness.traces,
        public_values: &publics,
        real_rows: &rows,
        trials: 48,
        seed: 7,
    };
    let mut bad = Vec::new();
    for r in tamper.columns().into_iter().filter(|r| r.trials > 0) {
        let column = r.column.split('[').next().unwrap_or_default();
        let conditional = CONDITIONAL.contains(&format!("{} {column}", r.table).as_str());
        if r.noticed < r.trials && !conditional {
            bad.push(format!("{} {}: {} of {}", r.table, r.column, r.noticed, r.trials));
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}

#[test]
fn every_cell_of_takeovers_is_constrained() {
    every_cell_is_constrained_in(&every_takeover());
}

#[test]
fn every_cell_of_liquidations_is_constrained() {
    every_cell_is_constrained_in(&every_liquidation());
}

#[test]
fn every_cell_of_forced_closes_is_constrained() {
    every_cell_is_constrained_in(&every_demand());
}
