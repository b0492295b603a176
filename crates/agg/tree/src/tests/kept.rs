//! Programs whose keys come from what an earlier run kept.

use tsz_plonk::{Builder, Value};
use tsz_stark::Profile;

use super::*;
use crate::NodeProgram;

const PROFILE: Profile = Profile::InsecureNode;

fn circuit(power: usize) -> Builder {
    let mut b = Builder::new();
    let x = b.input();
    let product = (1..power).fold(x, |product, _| b.mul(product, x));
    b.expose(product);
    b
}

#[test]
fn kept_columns_make_the_key_if_they_are_those_of_the_program_and_shape() {
    let program = |power, log: usize| NodeProgram::new(circuit(power), PROFILE, log..=log).unwrap();
    let own = program(3, 6);
    let vk = *own.vk().digest();
    let committed = |program: &NodeProgram| program.prover().proving_key().committed().unwrap();
    let made =
        |kept: Option<&[u8]>| NodeProgram::with_committed(circuit(3), PROFILE, 6..=6, &vk, kept).unwrap();
    let kept = committed(&own);
    let (same, was_kept) = made(Some(&kept));
    assert!(was_kept && *same.vk().digest() == vk);
    let (publics, proof) = same.prover().prove(&[Value::from(F::from_u32(5))]).unwrap();
    assert_eq!(publics[0], F::from_u32(125));
    tsz_plonk::verify(own.vk(), &publics, &proof).unwrap();
    let (other, tall) = (committed(&program(4, 6)), committed(&program(3, 7)));
    for kept in [None, Some(&other[..]), Some(&tall), Some(&kept[..kept.len() - 1]), Some(&[])] {
        let (anew, was_kept) = made(kept);
        assert!(!was_kept && *anew.vk().digest() == vk);
    }
}
