//! Proofs of the committed grid guest on the run that the ledger's tests make.
#![cfg(feature = "prove")]

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;
use tsz_ext_prover::{Guest, GuestError, Words, verify};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../guests").join(name)
}

fn guest() -> Guest {
    Guest::from_elf(&std::fs::read(path("elf/grid.elf")).unwrap()).unwrap()
}

/// Digest and input of the run.
fn run() -> (Words, Vec<u32>) {
    let text = std::fs::read_to_string(path("fixtures/grid.txt")).unwrap();
    let words: Vec<u32> = text.lines().map(|w| w.parse().unwrap()).collect();
    (words[..8].try_into().unwrap(), words[8..].to_vec())
}

#[test]
fn proves_and_refuses_lies() {
    let (digest, input) = run();
    let guest = guest();
    let proof = guest.execute(&input, 15).unwrap().prove().unwrap();
    verify(&guest.root(), &digest, &proof).unwrap();
    let mut other = digest;
    other[7] ^= 1;
    assert!(matches!(verify(&guest.root(), &other, &proof), Err(GuestError::Output { .. })));
    let mut root = guest.root();
    root[0] ^= 1;
    assert!(matches!(verify(&root, &digest, &proof), Err(GuestError::Image { .. })));
    assert!(matches!(
        verify(&guest.root(), &digest, &tsz_ext_prover::Proof { seals: vec![] }),
        Err(GuestError::Segments(0))
    ));
    let mut twice = proof.clone();
    twice.seals.push(proof.seals[0].clone());
    assert!(verify(&guest.root(), &digest, &twice).is_err());
    // a change anywhere, and cuts
    let seal = &proof.seals[0];
    let places = (0..120).chain((120..seal.len()).step_by(seal.len() / 40)).chain([seal.len() - 1]);
    for at in places {
        for flip in [1, 1 << 31] {
            let mut lied = proof.clone();
            lied.seals[0][at] ^= flip;
            assert!(verify(&guest.root(), &digest, &lied).is_err(), "word {at}, flip {flip:#x}");
        }
    }
    for len in [0, 1, 90, 91, 92, seal.len() / 2, seal.len() - 1] {
        let mut lied = proof.clone();
        lied.seals[0].truncate(len);
        assert!(verify(&guest.root(), &digest, &lied).is_err(), "{len} words");
    }
    let mut longer = proof.clone();
    longer.seals[0].push(0);
    assert!(verify(&guest.root(), &digest, &longer).is_err());
}

#[test]
fn segments_follow_each_other() {
    let (_, input) = run();
    let guest = guest();
    // the first operation alone, in the smallest segments
    let len = 4 + 10 * input[9] as usize + input[12] as usize;
    let input = [&[1], &input[1..9 + len]].concat();
    let execution = guest.execute(&input, 14).unwrap();
    assert_eq!(execution.output, guest.execute(&input, 18).unwrap().output);
    assert!(execution.po2.len() > 1, "{:?}", execution.po2);
    let proof = execution.prove().unwrap();
    let (root, output) = (guest.root(), execution.output);
    verify(&root, &output, &proof).unwrap();
    let with = |change: &dyn Fn(&mut Vec<Vec<u32>>)| {
        let mut lied = proof.clone();
        change(&mut lied.seals);
        verify(&root, &output, &lied)
    };
    let last = proof.seals.len() - 1;
    assert!(matches!(with(&|s| s.truncate(last)), Err(GuestError::End(k)) if k == last - 1));
    assert!(matches!(with(&|s| drop(s.remove(0))), Err(GuestError::Image { .. })));
    assert!(matches!(with(&|s| s.swap(0, 1)), Err(GuestError::Image { .. })));
    assert!(matches!(with(&|s| s.insert(1, s[0].clone())), Err(GuestError::Chain(1))));
    assert!(matches!(with(&|s| s.push(s[last].clone())), Err(GuestError::End(k)) if k == last));
}
