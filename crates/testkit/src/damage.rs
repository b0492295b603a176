//! Seeded damage to byte strings.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Kinds of damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// One to three bits flipped.
    Flip,
    /// The end cut off.
    Truncate,
    /// A stretch of at most 64 bytes replaced by random ones.
    Overwrite,
    /// One to sixteen random bytes appended.
    Extend,
}

const KINDS: [Damage; 4] = [Damage::Flip, Damage::Truncate, Damage::Overwrite, Damage::Extend];

/// `count` damaged copies of `bytes`, each different from the original; the same seed gives the same copies.
///
/// Empty input can only be extended.
pub fn damaged(bytes: &[u8], seed: u64, count: usize) -> impl Iterator<Item = (Damage, Vec<u8>)> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut k = 0;
    std::iter::repeat_with(move || {
        let kind = if bytes.is_empty() { Damage::Extend } else { KINDS[k % KINDS.len()] };
        k += 1;
        (kind, apply(kind, bytes, &mut rng))
    })
    .filter(move |(_, copy)| copy != bytes)
    .take(count)
}

fn apply(kind: Damage, bytes: &[u8], rng: &mut StdRng) -> Vec<u8> {
    let mut copy = bytes.to_vec();
    match kind {
        Damage::Flip => {
            for _ in 0..rng.random_range(1..=3) {
                let at = rng.random_range(0..copy.len());
                copy[at] ^= 1 << rng.random_range(0..8);
            }
        }
        Damage::Truncate => copy.truncate(rng.random_range(0..copy.len())),
        Damage::Overwrite => {
            let at = rng.random_range(0..copy.len());
            let end = (at + rng.random_range(1..=64)).min(copy.len());
            rng.fill(&mut copy[at..end]);
        }
        Damage::Extend => {
            let mut tail = vec![0; rng.random_range(1..=16)];
            rng.fill(&mut tail[..]);
            copy.extend(tail);
        }
    }
    copy
}

/// Numbers at and beyond the edges of the types in text formats, and things that are no numbers.
const EDGES: [&str; 14] = [
    "0",
    "-1",
    "1e400",
    "0.5",
    "127",
    "255",
    "65535",
    "4294967295",
    "4294967296",
    "281474976710656",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "null",
    "\"\"",
];

/// `count` damaged copies of a text, each different from the original; the same seed gives the same copies.
///
/// Beside what [`damaged`] does to bytes: numbers become edge numbers, stretches are removed, repeated or moved,
/// and characters of several bytes come in.
pub fn damaged_text(text: &str, seed: u64, count: usize) -> impl Iterator<Item = String> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut k = 0;
    std::iter::repeat_with(move || {
        k += 1;
        apply_text(k, text, &mut rng)
    })
    .filter(move |copy| copy != text)
    .take(count)
}

fn apply_text(k: usize, text: &str, rng: &mut StdRng) -> String {
    let mut bytes = text.as_bytes().to_vec();
    if bytes.is_empty() {
        return "\u{e9}".repeat(rng.random_range(1..9));
    }
    let from = rng.random_range(0..bytes.len());
    let to = (from + rng.random_range(1..48)).min(bytes.len());
    match k % 6 {
        0 => {
            let start = (from..bytes.len()).find(|at| bytes[*at].is_ascii_digit()).unwrap_or(from);
            let digits = bytes[start..].iter().take_while(|b| b.is_ascii_digit()).count();
            let edge = EDGES[rng.random_range(0..EDGES.len())];
            bytes.splice(start..start + digits, edge.bytes());
        }
        1 => drop(bytes.drain(from..to)),
        2 => {
            let piece = bytes[from..to].to_vec();
            let at = rng.random_range(0..=bytes.len());
            bytes.splice(at..at, piece);
        }
        3 => {
            let piece: Vec<u8> = bytes.drain(from..to).collect();
            let at = rng.random_range(0..=bytes.len());
            bytes.splice(at..at, piece);
        }
        4 => drop(bytes.splice(from..from + 1, "\u{1F4A5}".bytes())),
        _ => bytes = apply(KINDS[k / 6 % KINDS.len()], &bytes, rng),
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_differ_from_the_original_and_repeat_with_the_seed() {
        let bytes: Vec<u8> = (0..200).collect();
        let copies: Vec<_> = damaged(&bytes, 7, 400).collect();
        assert_eq!(copies.len(), 400);
        assert!(copies.iter().all(|(_, copy)| *copy != bytes));
        assert!(KINDS.iter().all(|kind| copies.iter().any(|(k, _)| k == kind)));
        assert_eq!(copies, damaged(&bytes, 7, 400).collect::<Vec<_>>());
        assert_ne!(copies, damaged(&bytes, 8, 400).collect::<Vec<_>>());
    }

    #[test]
    fn texts_differ_from_the_original_and_repeat_with_the_seed() {
        let text = "{\"a\": 12, \"b\": [3, 4]}";
        let copies: Vec<_> = damaged_text(text, 7, 300).collect();
        assert!(copies.len() == 300 && copies.iter().all(|copy| copy != text));
        assert_eq!(copies, damaged_text(text, 7, 300).collect::<Vec<_>>());
        assert!(copies.iter().any(|copy| copy.contains("18446744073709551616")));
        assert_eq!(damaged_text("", 1, 5).count(), 5);
    }

    #[test]
    fn empty_input_is_extended() {
        assert!(damaged(&[], 1, 20).all(|(kind, copy)| kind == Damage::Extend && !copy.is_empty()));
    }
}
