//! Honest trades satisfy the circuit.

use tsz_air::{Tamper, assert_degrees};
use tsz_stark::{Profile, setup};

use super::world::*;
use crate::class::Counts;
use crate::prove::public_values;

#[test]
fn accepts_every_kind_of_trade() {
    let world = every_trade();
    judge(&world.witness()).unwrap();
}

#[test]
fn accepts_one_trade() {
    let mut world = World::new();
    world.apply(world.trade(0, 10, 1_000));
    judge(&world.witness()).unwrap();
}

#[test]
fn accepts_an_empty_range() {
    let witness = World::new().witness();
    assert_eq!(witness.claim.start, witness.claim.end);
    judge(&witness).unwrap();
}

#[test]
fn no_constraint_exceeds_degree_3() {
    let pk = setup(SMALL.circuit(Profile::Base)).unwrap();
    println!("{}", tsz_air::report(pk.vk().tables()));
    assert_degrees(pk.vk().tables());
}
