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
        world.deposit(party(4, 3), 0, 5);
        world.give(party(4, 3), -1);
        world.apply(World::seize(0, 1));
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
const CONDITIONAL: [&str; 28] = [
    // inverses of what is zero
    "pair long.flat_inv",
    "pair short.flat_inv",
    "pair long.cash.sign.sum_inv",
    "pair short.cash.sign.sum_inv",
    "pair insurance.sign.sum_inv",
    "absorb fund.cash.sign.sum_inv",
    "absorb fund.bare_inv",
    "seize fund.cash.sign.sum_inv",
    "seize fund.bare_inv",
    "seize cash.sign.sum_inv",
    "seize left_inv",
    "seize positions_inv",
    "seize factor_inv",
    "target others_inv",
    "target mask_inv",
    "market imf_inv",
    "price age.mark_inv",
    "worth age.mark_inv",
    "judge others_inv",
    "judge mask_inv",
    "ratio free_inv",
    // a settlement that pays nothing may be looked up or not
    "pair long.is_due",
    "pair short.is_due",
    "price age.is_young",
    "price is_frozen",
    "worth is_free",
    "price age.age",
    "worth age.age",
];

/// The judgements and targets of this circuit have no market of their own: their lots are 0, and a tier says nothing.
const UNUSED: [&str; 3] = ["judge before.tier.", "judge after.tier.", "target held.tier."];

#[test]
fn every_cell_is_constrained() {
    let world = every_op();
    let witness = world.witness();
    let airs = SMALL.circuit(Profile::Base).airs;
    let counts = Counts::of(&world.params, &world.records).unwrap();
    let Counts { markets, rules, collateral, margin, pairs, debts, seizures, targets, .. } = counts;
    let mut rows = vec![1, markets, rules, collateral];
    rows.extend(margin);
    rows.extend([pairs, debts, seizures, targets]);
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
        let unused = UNUSED.iter().any(|name| format!("{} {column}", r.table).starts_with(name));
        assert!(!unused || r.noticed == 0, "{} {}", r.table, r.column);
        if !unused && (r.noticed == 0 || r.noticed < r.trials && !conditional) {
            bad.push(format!("{} {}: {} of {}", r.table, r.column, r.noticed, r.trials));
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}
