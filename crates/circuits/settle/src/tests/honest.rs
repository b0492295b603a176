//! Honest ops satisfy the circuit.

use tsz_air::{Tamper, assert_degrees};
use tsz_stark::{Profile, setup};
use tsz_trade::Party;

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
    world.give(Party::INSURANCE, 1 << 60);
    for k in 0..64 {
        set(&mut world, &Case { funding: [k, 2 * k, -k - 1], ..CASE });
        world.apply(World::pair(0, 7));
    }
    for account in 0..64 {
        world.give(party(4 + account, 0), -1);
        world.apply(World::absorb(4 + account, 0));
    }
    let counts = Counts::of(&world.params, &world.records).unwrap();
    assert!(SMALL.holds(&counts), "{counts:?}");
    judge(&world.witness()).unwrap();
    world.give(party(4, 0), -1);
    world.apply(World::absorb(4, 0));
    assert!(!SMALL.holds(&Counts::of(&world.params, &world.records).unwrap()));
    assert!(world.try_witness().is_err());
}

#[test]
fn no_constraint_exceeds_degree_3() {
    let pk = setup(SMALL.circuit(Profile::Base)).unwrap();
    println!("{}", tsz_air::report(pk.vk().tables()));
    assert_degrees(pk.vk().tables());
}

/// Columns that are free in some rows.
const CONDITIONAL: [&str; 11] = [
    // inverses of what is zero
    "pair long.flat_inv",
    "pair short.flat_inv",
    "pair long.cash.sign.sum_inv",
    "pair short.cash.sign.sum_inv",
    "pair insurance.sign.sum_inv",
    // a settlement that pays nothing may be looked up or not
    "pair long.is_due",
    "pair short.is_due",
    "market imf_inv",
    "price mark_inv",
    "price age",
    "price is_frozen",
];

#[test]
fn every_cell_is_constrained() {
    let world = every_op();
    let witness = world.witness();
    let airs = SMALL.circuit(Profile::Base).airs;
    let counts = Counts::of(&world.params, &world.records).unwrap();
    let Counts { markets, rules, prices, settles, pairs, debts, .. } = counts;
    let mut rows = vec![1, markets, rules, prices, settles, pairs, debts];
    rows.resize(airs.len(), 0);
    let publics = public_values(&witness.claim);
    let tamper = Tamper {
        airs: &airs,
        traces: &witness.traces,
        public_values: &publics,
        real_rows: &rows,
        trials: 96,
        seed: 7,
    };
    let mut bad = Vec::new();
    for r in tamper.columns().into_iter().filter(|r| r.trials > 0) {
        let column = r.column.split('[').next().unwrap_or_default();
        let conditional = CONDITIONAL.contains(&format!("{} {column}", r.table).as_str());
        if r.noticed == 0 || r.noticed < r.trials && !conditional {
            bad.push(format!("{} {}: {} of {}", r.table, r.column, r.noticed, r.trials));
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}
