//! The verifier agrees with risc0's own on real seals, and on seals with every part damaged.

#[path = "../../src/tests/parts.rs"]
mod parts;

use std::panic::{AssertUnwindSafe, catch_unwind};

use parts::parts;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use risc0_circuit_rv32im::Rv32imV2Claim;
use tsz_segment::circuit::{Circuit, GLOBALS};
use tsz_segment::shape::{self, QUERIES};

/// Seals that are damaged in one place anywhere.
const LIES: usize = 300;
/// Order of the field.
const P: u32 = 0x7800_0001;

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks::<4>().0.iter().map(|w| u32::from_le_bytes(*w)).collect()
}

fn guests(file: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../../../../guests/{file}", env!("CARGO_MANIFEST_DIR"))).expect("fixture")
}

/// One run in segments of 2^15 and 2^14 cycles.
fn seals() -> [Vec<u32>; 2] {
    [0, 1].map(|k| words(&guests(&format!("fixtures/grid-{k}.seal"))))
}

/// The only seal of a committed run of another program: the last thing in its reply, behind 116 bytes.
fn other() -> Vec<u32> {
    words(&guests("runs/block-0.run")[116..])
}

/// risc0's verdict; a panic of it is a refusal.
fn reference(seal: &[u32]) -> bool {
    catch_unwind(AssertUnwindSafe(|| {
        risc0_circuit_rv32im::verify(seal).is_ok() && Rv32imV2Claim::decode(seal).is_ok()
    }))
    .unwrap_or(false)
}

/// Panics of risc0's verifier are verdicts, and there are many; those of the tests are told.
fn hush() {
    std::panic::set_hook(Box::new(|panic| {
        if panic.location().is_none_or(|place| !place.file().contains("risc0")) {
            eprintln!("{panic}");
        }
    }));
}

#[test]
fn claims_are_those_of_risc0() {
    for seal in seals().into_iter().chain([other()]) {
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
    hush();
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

/// Another canonical felt, so that both look at what the word says: the next one, any, the one at the other end.
fn damage(rng: &mut StdRng, word: u32) -> u32 {
    let other = match rng.random_range(0..3) {
        0 => word + 1,
        1 => rng.random_range(0..P),
        _ => P - 1 - word,
    };
    if other == word || other == P { word ^ 1 } else { other }
}

/// Each part by itself: the public felts, each tree's top, the coefficients, the last polynomial, and of each of the
/// 50 queries each row and each path.
fn refuse_every_part(seal: &[u32], seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    hush();
    let (mut at, mut lies) = (0, 0);
    for (name, words) in parts(seal) {
        let place = at + rng.random_range(0..words);
        // queries are alike: ends of their parts in three of them
        let query = name.strip_prefix("query ").and_then(|rest| rest.split(':').next());
        let ends = query.is_none_or(|number| ["0", "23", "49"].contains(&number));
        let places = if ends { vec![at, place, at + words - 1] } else { vec![place] };
        for place in places {
            let mut lie = seal.to_vec();
            lie[place] = damage(&mut rng, lie[place]);
            let ours = tsz_segment::verify(&lie).is_ok();
            let theirs = reference(&lie);
            assert!(!ours && !theirs, "{name}, word {}: ours {ours}, risc0's {theirs}", place - at);
            lies += 1;
        }
        at += words;
    }
    assert_eq!(at, seal.len());
    assert!(lies > 2 * QUERIES * 6, "{lies}");
}

#[test]
fn a_damage_of_any_part_of_2_to_the_15_is_refused_by_both() {
    refuse_every_part(&seals()[0], 21);
}

#[test]
fn a_damage_of_any_part_of_2_to_the_14_is_refused_by_both() {
    refuse_every_part(&seals()[1], 22);
}

/// Parts of one valid seal in another one of its size, and one query in the place of another.
#[test]
fn parts_of_other_seals_are_refused_by_both() {
    let ([seal, _], other) = (seals(), other());
    hush();
    let parts = parts(&seal);
    let mut starts = vec![0];
    starts.extend(parts.iter().scan(0, |at, (_, words)| {
        *at += words;
        Some(*at)
    }));
    let first = parts.iter().position(|(name, _)| name.starts_with("query 0")).expect("queries");
    let mut alike = Vec::new();
    for (k, (name, _)) in parts.iter().enumerate().take(first + 12) {
        let mut lie = seal.clone();
        lie[starts[k]..starts[k + 1]].copy_from_slice(&other[starts[k]..starts[k + 1]]);
        let (ours, theirs) = (tsz_segment::verify(&lie).is_ok(), reference(&lie));
        assert_eq!((ours, theirs), (lie == seal, lie == seal), "{name}");
        if lie == seal {
            alike.push(name.as_str());
        }
    }
    // the control column depends on nothing but the size, and all its rows are alike
    assert_eq!(alike, ["version", "size", "top of code", "query 0: row 1", "query 0: path 1"]);
    let query = (seal.len() - starts[first]) / QUERIES;
    for k in 0..QUERIES {
        let mut lie = seal.clone();
        let from = starts[first] + (k + 1) % QUERIES * query;
        lie.copy_within(from..from + query, starts[first] + k * query);
        assert!(tsz_segment::verify(&lie).is_err() && !reference(&lie), "query {k}");
    }
}

/// A felt has one word.
#[test]
fn a_second_word_of_a_felt_is_refused_by_both() {
    let seal = &seals()[1];
    let mut at = 0;
    hush();
    for (name, words) in parts(seal).into_iter().take_while(|(name, _)| !name.starts_with("query 1")) {
        for place in [at, at + words - 1] {
            let mut lie = seal.clone();
            lie[place] += P;
            assert!(tsz_segment::verify(&lie).is_err() && !reference(&lie), "{name}");
        }
        at += words;
    }
}
