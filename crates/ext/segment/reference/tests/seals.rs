//! The verifier agrees with risc0's own on real seals and on damaged ones.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use risc0_circuit_rv32im::Rv32imV2Claim;

/// Seals that are damaged in one place.
const LIES: usize = 300;

fn seals() -> [Vec<u32>; 2] {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../guests/fixtures");
    [0, 1].map(|k| {
        let bytes = std::fs::read(format!("{folder}/grid-{k}.seal")).expect("fixture");
        bytes.as_chunks::<4>().0.iter().map(|w| u32::from_le_bytes(*w)).collect()
    })
}

/// risc0's verdict; a panic of it is a refusal.
fn reference(seal: &[u32]) -> bool {
    catch_unwind(AssertUnwindSafe(|| {
        risc0_circuit_rv32im::verify(seal).is_ok() && Rv32imV2Claim::decode(seal).is_ok()
    }))
    .unwrap_or(false)
}

#[test]
fn claims_are_those_of_risc0() {
    for seal in seals() {
        assert!(reference(&seal));
        let (theirs, ours) =
            (Rv32imV2Claim::decode(&seal).expect("claim"), tsz_segment::verify(&seal).expect("seal"));
        assert_eq!(theirs.pre_state.as_words(), ours.pre);
        assert_eq!(theirs.post_state.as_words(), ours.post);
        assert_eq!(theirs.output.map(|x| x.as_words().to_vec()), ours.end.map(|end| end.output.to_vec()));
        let code = theirs.terminate_state.map(|state| (u32::from(state.a0), u32::from(state.a1)));
        assert_eq!(code, ours.end.map(|end| (end.code, end.more)));
    }
}

#[test]
fn verdicts_on_damaged_seals_agree() {
    let seals = seals();
    let mut rng = StdRng::seed_from_u64(7);
    std::panic::set_hook(Box::new(|_| {}));
    for k in 0..LIES {
        let mut lie = seals[k % 2].clone();
        // half of the lies in the parts that decide everything, half of them all over the seal
        let (from, end) =
            if k % 4 < 2 { (0, 6000) } else { (k * lie.len() / LIES, (k + 1) * lie.len() / LIES) };
        let at = rng.random_range(from..end);
        match k % 5 {
            0 => lie[at] ^= 1 << rng.random_range(0..32),
            1 => lie[at] = 0,
            2 => lie[at] = rng.random(),
            3 => lie.truncate(at),
            _ => lie.swap(at, end - 1),
        }
        let ours = tsz_segment::verify(&lie).is_ok();
        assert_eq!(ours, reference(&lie), "lie {k} at {at}");
        assert_eq!(ours, seals.contains(&lie), "lie {k} at {at}");
    }
}
