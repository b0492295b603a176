//! Every cell of the tables of this circuit is constrained.

use tsz_air::Tamper;
use tsz_stark::Profile;

use super::world::*;
use crate::class::{BEARER, Counts, MARGIN, PAGE, TARGET};
use crate::prove::public_values;

/// Columns that are free in some rows: inverses of what is zero, halves of no restart, which of two equal ranks is the
/// best, and sections of a forced liquidation that it does not reach.
fn is_conditional(table: &str, column: &str) -> bool {
    let name = column.split('[').next().unwrap_or_default();
    name.ends_with("_inv") || matches!((table, name), ("page", "odd") | ("holder", "is_best") | ("force", _))
}

#[test]
fn every_cell_is_constrained() {
    let world = everything();
    let witness = world.try_witness().unwrap();
    let airs = SMALL.circuit(Profile::Base).airs;
    let counts = Counts::of(&world.params, &world.records).unwrap();
    let mut rows = vec![0; airs.len()];
    rows[PAGE..MARGIN].copy_from_slice(&[counts.pages, counts.holders, counts.adls, counts.forces]);
    rows[TARGET..BEARER].copy_from_slice(&counts.targets);
    let [bearers, losses, refusals] = counts.judged;
    rows[BEARER..BEARER + 4].copy_from_slice(&[bearers, losses, refusals, 1]);
    let publics = public_values(&witness.claim);
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
        let name = format!("{} {}", r.table, r.column);
        let conditional = is_conditional(&r.table, &r.column);
        let is_unseen = r.noticed == 0 && !r.column.ends_with("_inv");
        if is_unseen || r.noticed < r.trials && !conditional {
            bad.push(format!("{name}: {} of {}", r.noticed, r.trials));
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}
