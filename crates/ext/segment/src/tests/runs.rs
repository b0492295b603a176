//! Runs: what is accepted, and lies about program, output, order and end.

use super::{IMAGE, OUTPUT, seals};
use crate::{End, RunError, SegmentClaim, verify, verify_run};

#[test]
fn seals_of_risc0_are_accepted() {
    let [first, second] = seals().map(|seal| verify(&seal).unwrap());
    let end = End { code: 0, more: 0, output: OUTPUT };
    assert_eq!(first, SegmentClaim { po2: 15, pre: IMAGE, post: second.pre, end: None });
    assert_eq!((second.po2, second.end), (14, Some(end)));
    assert_ne!(first.post, first.pre);
}

#[test]
fn a_run_is_accepted() {
    assert_eq!(verify_run(&IMAGE, &OUTPUT, &seals()), Ok(()));
}

#[test]
fn a_run_of_another_program_is_refused() {
    let mut image = IMAGE;
    image[7] ^= 1;
    assert!(matches!(verify_run(&image, &OUTPUT, &seals()), Err(RunError::Image { .. })));
}

#[test]
fn a_run_with_another_output_is_refused() {
    let mut output = OUTPUT;
    output[0] ^= 1;
    assert!(matches!(verify_run(&IMAGE, &output, &seals()), Err(RunError::Output { .. })));
}

#[test]
fn segments_that_are_missing_or_in_another_order_are_refused() {
    let [first, second] = seals();
    let run = |seals: &[&Vec<u32>]| verify_run(&IMAGE, &OUTPUT, seals);
    assert_eq!(run(&[]), Err(RunError::Segments(0)));
    assert_eq!(run(&[&first]), Err(RunError::End(0)));
    assert!(matches!(run(&[&second]), Err(RunError::Image { .. })));
    assert!(matches!(run(&[&second, &first]), Err(RunError::Image { .. })));
    assert_eq!(run(&[&first, &first]), Err(RunError::Chain(1)));
    assert_eq!(run(&[&first, &second, &second]), Err(RunError::End(1)));
    assert_eq!(verify_run(&IMAGE, &OUTPUT, &vec![&first; 2049]), Err(RunError::Segments(2049)));
}
