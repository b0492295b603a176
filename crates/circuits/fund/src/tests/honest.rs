//! Honest ops satisfy the circuit.

use tsz_air::assert_degrees;
use tsz_stark::{Profile, setup};

use super::oracle::{judge, unnoticed};
use super::world::*;
use crate::circuit::{Class, counts};

#[test]
fn accepts_every_kind_of_op_and_every_outcome() {
    let world = every_op();
    judge(Class::Small, &world.witness()).unwrap();
}

#[test]
fn accepts_an_empty_range() {
    let world = World::new();
    let witness = world.witness();
    assert_eq!((witness.claim.count, witness.claim.start), (0, witness.claim.end));
    judge(Class::Small, &witness).unwrap();
}

#[test]
fn accepts_a_range_without_begin() {
    let mut world = World::new();
    let op = world.sign(0, world.transfer());
    world.apply(op);
    let witness = world.witness();
    assert!(!witness.claim.has_begin);
    judge(Class::Small, &witness).unwrap();
}

#[test]
fn no_constraint_exceeds_degree_3() {
    let pk = setup(Class::Small.circuit(Profile::Base)).unwrap();
    println!("{}", tsz_air::report(pk.vk().tables()));
    assert_degrees(pk.vk().tables());
}

#[test]
fn every_cell_of_an_op_is_constrained() {
    let world = every_op();
    let free = unnoticed(Class::Small, &world.witness(), counts(&world.records), 24);
    println!("{free:#?}");
    assert!(free.is_empty());
}
