//! Whole runs: one that is accepted, and lies about order, end and program.

use p3_field::PrimeCharacteristicRing;
use tsz_plonk::{Builder, Program, RunError, Value};
use tsz_recursion::{KeyValues, Verifier};
use tsz_segment::circuit::Circuit;
use tsz_segment::shape::Shape;
use tsz_segment::{SegmentError, verify as verify_seal, verify_run};
use tsz_stark::{F, Profile, Proof};

use super::{first, second};
use crate::{LiftError, RUN_PUBLICS, RunLift, build_run, values};

fn program(sizes: &[u32]) -> (Vec<Shape>, Program) {
    let shapes: Vec<Shape> = sizes.iter().map(|po2| Shape::new(*po2).unwrap()).collect();
    let builder = build_run(Circuit::rv32im().unwrap(), &shapes);
    (shapes, Program::fitted(builder, Profile::InsecureNode).unwrap())
}

/// Runs the program of these sizes on these seals.
fn run(sizes: &[u32], seals: &[Vec<u32>]) -> Result<Vec<F>, RunError> {
    let (shapes, program) = program(sizes);
    let inputs: Vec<Value> =
        shapes.iter().zip(seals).flat_map(|(shape, seal)| values(shape, seal).unwrap()).collect();
    program.run(&inputs).map(|witness| witness.publics)
}

#[test]
fn runs_expose_image_and_output() {
    let publics = run(&[15, 14], &[first(), second()]).unwrap();
    let claim = crate::run_claim(&publics).unwrap();
    assert_eq!(claim.image, verify_seal(&first()).unwrap().pre);
    verify_run(&claim.image, &claim.output, &[first(), second()]).unwrap();
}

#[test]
fn segments_in_another_order_or_missing_are_no_run() {
    let refused = |sizes: &[u32], seals: &[Vec<u32>]| {
        let result = run(sizes, seals);
        assert!(matches!(result, Err(RunError::Gate { gate: "assertion", .. })), "{result:?}");
    };
    // the last one terminates
    refused(&[15], &[first()]);
    // no other one does, and each goes on where the one before ended
    refused(&[14, 14], &[second(), second()]);
    refused(&[15, 15], &[first(), first()]);
    refused(&[14, 15], &[second(), first()]);
    // a run that starts in its middle is one of another image: who knows the program's image sees it
    let publics = run(&[14], &[second()]).unwrap();
    assert_eq!(crate::run_claim(&publics).unwrap().image, verify_seal(&second()).unwrap().pre);
}

/// A run is proven, and its proof, with seven tables, is verified by a program of the machine.
#[test]
fn a_run_is_proven_and_verified_in_the_machine() {
    let lift = RunLift::new(&[14], Profile::InsecureNode).unwrap();
    let (publics, proof) = lift.prove(&[second()]).unwrap();
    let claim = lift.verify(&publics, &proof).unwrap();
    assert_eq!(claim.output, verify_seal(&second()).unwrap().end.unwrap().output);
    let mut wrong = publics.clone();
    wrong[RUN_PUBLICS - 1] = F::from_bool(wrong[RUN_PUBLICS - 1] == F::ZERO);
    assert!(matches!(lift.verify(&wrong, &proof), Err(LiftError::Verify(_))));
    wrong[3] = F::from_u32(1 << 16);
    assert!(matches!(lift.verify(&wrong, &proof), Err(LiftError::Seal(SegmentError::Global(57)))));
    assert!(matches!(lift.prove(&[second(), second()]), Err(LiftError::Segments { expected: 1, got: 2 })));
    let vk = lift.prover().vk();
    let verifier = Verifier::new(&**vk);
    let mut b = Builder::new();
    let key = verifier.fixed_key(&mut b);
    let wires = verifier.input(&mut b);
    verifier.verify(&mut b, &key, &wires);
    for x in wires.publics().concat() {
        b.expose(x);
    }
    let outer = Program::fitted(b, Profile::InsecureNode).unwrap();
    let mut by_table = tsz_plonk::publics_of(vk, &publics);
    let proof = Proof::from_bytes(vk, &proof).unwrap();
    let inputs = verifier.values(&KeyValues::from(&**vk), &proof, &by_table).unwrap();
    assert_eq!(outer.run(&inputs).unwrap().publics, publics);
    by_table[5][0] += F::ONE;
    let inputs = verifier.values(&KeyValues::from(&**vk), &proof, &by_table);
    assert!(inputs.is_err() || outer.run(&inputs.unwrap()).is_err());
}

#[test]
fn programs_have_a_bounded_number_of_segments() {
    let sizes = |count| RunLift::new(&vec![13; count], Profile::InsecureNode).err();
    assert!(matches!(sizes(0), Some(LiftError::Segments { .. })));
    assert!(matches!(sizes(17), Some(LiftError::Segments { .. })));
    let size = RunLift::new(&[15, 12], Profile::InsecureNode).err();
    assert!(matches!(size, Some(LiftError::Seal(SegmentError::Size(12)))));
}
