//! Honest ops satisfy the circuit.

use tsz_air::assert_degrees;
use tsz_stark::{Profile, setup};

use super::oracle::{judge, sweep};
use super::world::*;
use crate::class::counts;

#[test]
fn accepts_every_kind_of_op_and_every_outcome() {
    let world = every_op();
    judge(&SMALL, &world.witness()).unwrap();
}

#[test]
fn accepts_an_empty_range() {
    let world = World::new();
    let witness = world.witness();
    assert_eq!((witness.claim.count, witness.claim.start), (0, witness.claim.end));
    judge(&SMALL, &witness).unwrap();
}

#[test]
fn accepts_a_range_without_begin() {
    let mut world = World::new();
    let op = world.sign(0, world.transfer());
    world.apply(op);
    let witness = world.witness();
    assert!(!witness.claim.has_begin);
    judge(&SMALL, &witness).unwrap();
}

#[test]
fn no_constraint_exceeds_degree_3() {
    let pk = setup(SMALL.circuit(Profile::Base)).unwrap();
    println!("{}", tsz_air::report(pk.vk().tables()));
    assert_degrees(pk.vk().tables());
}

/// Witnesses that only some cases use; in the others any value does.
const CONDITIONAL: [&str; 10] = [
    "cancel carry_inv",       // only where the low limb of the nonce is not the largest
    "deposit bucket.sum_inv", // only a negative result has to be shown not to be -0
    "transfer credit.sum_inv",
    "deposit out.mid",    // only a refund hashes
    "exit out.mid",       // only a successful exit hashes
    "exit account_inv",   // only a successful exit excludes account 1
    "exit pos_count_inv", // only where open positions are the reason
    "exit owner.weights", // only where another owner is the reason, and only at limbs that differ
    "l1key owner.weights",
    "transfer account_diff_inv", // only where the accounts differ
];

#[test]
fn every_cell_of_an_op_is_constrained() {
    let world = every_op();
    let results = sweep(&SMALL, &world.witness(), counts(&world.records), 24);
    for r in results.iter().filter(|r| r.trials > 0) {
        let column = r.column.split('[').next().unwrap_or_default();
        let name = format!("{} {column}", r.table);
        let conditional = CONDITIONAL.contains(&name.as_str());
        assert!(r.noticed > 0 || name.contains("weights"), "{name}: nothing constrains it");
        assert!(
            r.noticed == r.trials || conditional,
            "{name}: {} of {} changes noticed",
            r.noticed,
            r.trials
        );
    }
}
