//! Honest ops satisfy the circuit.

use tsz_air::{Tamper, assert_degrees};
use tsz_stark::{Profile, setup};

use super::world::*;
use crate::class::Counts;
use crate::prove::public_values;

#[test]
fn accepts_every_kind_of_op() {
    judge(&every_op().witness()).unwrap();
}

#[test]
fn accepts_an_empty_range() {
    let witness = World::new().witness();
    assert_eq!(witness.claim.start, witness.claim.end);
    judge(&witness).unwrap();
}

#[test]
fn a_full_class_has_a_witness() {
    let mut world = World::new();
    for _ in 0..64 {
        world.set(0, Cells { sum: -12_345, ..CELLS });
        world.apply(World::tick(0));
    }
    let counts = Counts::of(&world.params, world.records.iter().map(|r| &r.op));
    assert!(SMALL.holds(&counts));
    judge(&world.witness()).unwrap();
    world.set(0, CELLS);
    world.apply(World::tick(0));
    assert!(world.try_witness().is_err());
}

#[test]
fn no_constraint_exceeds_degree_3() {
    let pk = setup(SMALL.circuit(Profile::Base)).unwrap();
    println!("{}", tsz_air::report(pk.vk().tables()));
    assert_degrees(pk.vk().tables());
}

/// Columns that are free in some rows.
const CONDITIONAL: [&str; 15] = [
    "settle payment.gap_sign.sum_inv",
    "settle new_sign.sum_inv",
    "settle old_negative",
    // at a bound of a clamp both sides say the same
    "tick rate.inner.is_",
    "tick rate.outer.is_",
    // inverses of what is zero
    "tick idle.interest_inv",
    "tick idle.status_inv",
    "tick sign.sum_inv",
    // signs of zero
    "tick rate.sum_negative",
    "tick gain.negative",
    "tick funding_negative",
    "tick rate.full_inv",
    "settle_market status_inv",
    // MKP is found where the market settles only
    "settle_market old",
    // an idle tick adds nothing to the hour
    "tick hour_carry",
];

#[test]
fn every_cell_is_constrained() {
    let world = every_op();
    let witness = world.witness();
    let airs = SMALL.circuit(Profile::Base).airs;
    let counts = Counts::of(&world.params, world.records.iter().map(|r| &r.op));
    let mut rows = vec![
        1,
        counts.markets,
        1,
        counts.ticks,
        counts.settles,
        counts.set_params,
        counts.set_token,
        counts.settle_market,
    ];
    rows.resize(airs.len(), 0);
    let publics = public_values(&witness.claim);
    let tamper = Tamper {
        airs: &airs,
        traces: &witness.traces,
        public_values: &publics,
        real_rows: &rows,
        trials: 128,
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
