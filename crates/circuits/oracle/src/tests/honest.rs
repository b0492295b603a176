//! Honest updates satisfy the circuit.

use tsz_air::{Tamper, assert_degrees};
use tsz_stark::{Profile, setup};
use tsz_trade::HOUR_MS;

use super::world::*;
use crate::class::Counts;
use crate::prove::public_values;

#[test]
fn accepts_every_kind_of_op() {
    judge(&every_update().witness()).unwrap();
    judge(&every_sample().witness()).unwrap();
}

#[test]
fn accepts_the_last_minute_of_an_hour_in_the_far_future() {
    let mut world = World::new();
    world.context.time = (1 << 48) / HOUR_MS * HOUR_MS - 1;
    let hour = (world.context.time / HOUR_MS) as u32;
    assert!(hour >> 24 != 0);
    let cell = tsz_ledger::MkfCell { hour, ..tsz_ledger::MkfCell::default() };
    world.view.set(tsz_ledger::Key::mkf(0), tsz_ledger::Cell::to_leaf(&cell));
    world.set_sum(0, 0, 59);
    world.apply(world.sample(0, &[1, 2, 3, 4]));
    judge(&world.witness()).unwrap();
    assert!(world.try_apply(world.sample(0, &[1, 2, 3, 4])).is_err());
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
    let world = every_op();
    let counts = Counts::of(&world.params, world.records.iter().map(|r| &r.op));
    assert_eq!((counts.updates, counts.reports), (8, 37));
    assert_eq!((counts.samples, counts.premiums), (8, 36));
    assert!(!SMALL.holds(&counts)); // 73 signatures
    assert!(SMALL.holds(&Counts { premiums: 27, ..counts }));
    assert!(!SMALL.holds(&Counts { premiums: 28, ..counts }));
}

#[test]
fn no_constraint_exceeds_degree_3() {
    let pk = setup(SMALL.circuit(Profile::Base)).unwrap();
    println!("{}", tsz_air::report(pk.vk().tables()));
    assert_degrees(pk.vk().tables());
}

/// Columns that are free in some rows: witnesses of one case only, and what a move needs where no bound counts.
const CONDITIONAL: [&str; 8] = [
    "premium negative_inv",
    "sample sign.sum_inv",
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
    constrained(&every_update());
    constrained(&every_sample());
}

fn constrained(world: &World) {
    let witness = world.witness();
    let airs = SMALL.circuit(Profile::Base).airs;
    let counts = Counts::of(&world.params, world.records.iter().map(|r| &r.op));
    let [markets, signers] = [counts.markets, counts.signers];
    let mut rows = vec![1, markets, signers + 1, 1];
    rows.extend([counts.reports, counts.updates, counts.premiums, counts.samples]);
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
