//! Lifts of the segments of a real run (`guests/fixtures/grid-*.seal`), and lies about them.

mod guests;
mod parts;
mod runs;
mod timing;

use p3_field::PrimeCharacteristicRing;
use tsz_plonk::{Program, RunError, Value};
use tsz_segment::circuit::Circuit;
use tsz_segment::shape::Shape;
use tsz_segment::{Seal, SegmentError, verify as verify_seal};
use tsz_stark::{F, Profile, VerifyError};

use crate::{Lift, LiftError, PUBLICS, build, claim, inputs};

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks::<4>().0.iter().map(|w| u32::from_le_bytes(*w)).collect()
}

/// A segment of 2^15 cycles.
fn first() -> Vec<u32> {
    words(include_bytes!("../../../../../guests/fixtures/grid-0.seal"))
}

/// A segment of 2^14 cycles, the last one of its run.
fn second() -> Vec<u32> {
    words(include_bytes!("../../../../../guests/fixtures/grid-1.seal"))
}

fn program(po2: u32) -> Program {
    let shape = Shape::new(po2).unwrap();
    Program::fitted(build(Circuit::rv32im().unwrap(), &shape), Profile::InsecureNode).unwrap()
}

#[test]
fn programs_accept_seals_and_expose_their_claims() {
    for (po2, seal) in [(15, first()), (14, second())] {
        let program = program(po2);
        let witness = program.run(&inputs(&Seal::parse(&seal).unwrap())).unwrap();
        assert_eq!(witness.publics.len(), PUBLICS);
        assert_eq!(claim(po2, &witness.publics), verify_seal(&seal).map_err(|_| SegmentError::Data));
    }
}

#[test]
fn a_lift_is_proven_and_verified() {
    let lift = Lift::new(14, Profile::InsecureNode).unwrap();
    let seal = second();
    let (publics, proof) = lift.prove(&seal).unwrap();
    assert_eq!(lift.verify(&publics, &proof).unwrap(), verify_seal(&seal).unwrap());
    for k in 0..PUBLICS {
        let mut wrong = publics.clone();
        wrong[k] = F::from_bool(wrong[k] == F::ZERO);
        assert!(matches!(lift.verify(&wrong, &proof), Err(LiftError::Verify(VerifyError::Invalid(_)))));
    }
    // a half of a word is below 2^16
    let mut wide = publics.clone();
    wide[0] = F::from_u32(1 << 16);
    assert!(matches!(lift.verify(&wide, &proof), Err(LiftError::Seal(SegmentError::Global(54)))));
    assert!(lift.verify(&publics[1..], &proof).is_err());
    assert!(matches!(lift.prove(&first()), Err(LiftError::Size { expected: 14, got: 15 })));
}

/// Every part of a seal, damaged: some gate does not hold.
#[test]
fn programs_refuse_damaged_seals() {
    let program = program(14);
    let honest = Seal::parse(&second()).unwrap();
    let refused = |name: &str, damage: &dyn Fn(&mut Seal)| {
        let mut seal = honest.clone();
        damage(&mut seal);
        let result = program.run(&inputs(&seal));
        assert!(matches!(result, Err(RunError::Gate { .. })), "{name}");
    };
    refused("first global", &|seal| seal.globals[0] += F::ONE);
    refused("last global", &|seal| seal.globals[89] += F::ONE);
    for k in 0..4 {
        let other = honest.trees[(k + 1) % 4].clone();
        refused("tree", &move |seal| seal.trees[k] = other.clone());
    }
    for k in [0, 119, 400, 789, 790, 805] {
        refused("coefficient", &move |seal| seal.coefficients[k][k % 4] += F::ONE);
    }
    let other = honest.folds[1].clone();
    refused("round", &move |seal| seal.folds[0] = other.clone());
    for k in [0, 1, honest.last.len() - 1] {
        refused("last", &move |seal| seal.last[k] += F::ONE);
    }
    for query in [0, 31, 49] {
        for tree in 0..4 {
            refused("row", &move |seal| *seal.queries[query].rows[tree].row.last_mut().unwrap() += F::ONE);
            refused("path", &move |seal| seal.queries[query].rows[tree].siblings[5][7] += F::ONE);
        }
        for round in 0..2 {
            refused("fold", &move |seal| seal.queries[query].folds[round].row[17] += F::ONE);
            refused("path", &move |seal| seal.queries[query].folds[round].siblings[0][0] += F::ONE);
        }
    }
    refused("order of queries", &|seal| seal.queries.swap(3, 4));
}

/// Every witness value counts: one that is changed makes a gate fail.
#[test]
fn every_witness_value_is_bound() {
    let program = program(14);
    let honest = inputs(&Seal::parse(&second()).unwrap());
    assert_eq!(honest.len(), program.inputs());
    let step = honest.len() / 150;
    for at in (0..honest.len()).step_by(step) {
        let mut lie = honest.clone();
        lie[at] += Value::ONE;
        assert!(matches!(program.run(&lie), Err(RunError::Gate { .. })), "value {at}");
    }
}

#[test]
fn words_that_are_no_seal_have_no_lift() {
    let shape = Shape::new(12);
    assert_eq!(shape, Err(SegmentError::Size(12)));
    assert!(matches!(Lift::new(25, Profile::InsecureNode), Err(LiftError::Seal(SegmentError::Size(25)))));
}
