//! Every part of a seal damaged.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::GLOBALS;
use super::parts::parts;
use super::seals;
use crate::{SegmentError, Tree, verify};

/// Adds 1 to a word, in the field.
fn damage(seal: &mut [u32], at: usize) {
    seal[at] = if seal[at] + 1 == 0x7800_0001 { 0 } else { seal[at] + 1 };
}

#[test]
fn parts_cover_the_seal() {
    for seal in seals() {
        assert_eq!(parts(&seal).iter().map(|(_, words)| words).sum::<usize>(), seal.len());
    }
}

#[test]
fn a_damage_of_any_part_is_refused() {
    let [_, seal] = seals();
    let mut rng = StdRng::seed_from_u64(3);
    let mut at = 0;
    for (name, words) in parts(&seal) {
        // openings: queries are alike, so a few of them
        let seldom = name.starts_with("query")
            && !["query 0", "query 23", "query 49"].iter().any(|q| name.starts_with(q));
        let places = if seldom { vec![] } else { vec![at, at + words - 1, at + rng.random_range(0..words)] };
        for place in places {
            let mut lie = seal.clone();
            damage(&mut lie, place);
            let error = verify(&lie).expect_err(&name);
            let expected = match name.as_str() {
                "version" => error == SegmentError::Version,
                "size" => matches!(error, SegmentError::Length { .. }),
                // no constraint reads the control register, but the challenges that follow depend on it
                "coefficients" | "check" => {
                    matches!(error, SegmentError::Constraints | SegmentError::Opening { .. })
                }
                name if name.starts_with("query") => matches!(error, SegmentError::Opening { .. }),
                // the challenges are others
                _ => true,
            };
            assert!(expected, "{name}: {error}");
        }
        at += words;
    }
}

#[test]
fn openings_are_told_apart() {
    let [_, seal] = seals();
    let (mut at, parts) = (0, parts(&seal));
    let trees = [Tree::Group(0), Tree::Group(1), Tree::Group(2), Tree::Check, Tree::Fold(0), Tree::Fold(1)];
    for (name, words) in parts {
        if let Some(row) = name.strip_prefix("query 0: row ") {
            let mut lie = seal.clone();
            damage(&mut lie, at);
            let tree = trees[row.parse::<usize>().unwrap()];
            assert_eq!(verify(&lie), Err(SegmentError::Opening { query: 0, tree }));
        }
        at += words;
    }
}

#[test]
fn words_that_are_no_seal_are_refused() {
    let [first, seal] = seals();
    for cut in [0, 1, 2, 91, 92, 1000, seal.len() - 1] {
        assert!(verify(&seal[..cut]).is_err());
    }
    let mut longer = seal.clone();
    longer.push(0);
    assert!(matches!(verify(&longer), Err(SegmentError::Length { .. })));
    for size in [0, 12, 25, 31, 64, u32::MAX] {
        let mut lie = seal.clone();
        lie[1 + GLOBALS] = size;
        assert_eq!(verify(&lie), Err(SegmentError::Size(size)));
    }
    // the first segment's size with the second one's words
    let mut lie = seal.clone();
    lie[1 + GLOBALS] = first[1 + GLOBALS];
    assert!(matches!(verify(&lie), Err(SegmentError::Length { .. })));
    for at in [1, 500, seal.len() - 1] {
        let mut lie = seal.clone();
        // the same felt in another representation
        lie[at] = lie[at].wrapping_add(0x7800_0001);
        assert_eq!(verify(&lie), Err(SegmentError::Felt(at)));
    }
    let mut rng = StdRng::seed_from_u64(4);
    let mut noise: Vec<u32> = (0..seal.len()).map(|_| rng.random_range(0..0x7800_0001)).collect();
    noise[0] = 2;
    noise[1 + GLOBALS] = seal[1 + GLOBALS];
    assert!(verify(&noise).is_err());
}

#[test]
fn a_flipped_bit_anywhere_is_refused() {
    let [_, seal] = seals();
    let mut rng = StdRng::seed_from_u64(5);
    for k in 0..100 {
        let mut lie = seal.clone();
        let at = rng.random_range(k * seal.len() / 100..(k + 1) * seal.len() / 100);
        lie[at] ^= 1 << rng.random_range(0..32);
        assert!(verify(&lie).is_err(), "word {at}");
    }
}
