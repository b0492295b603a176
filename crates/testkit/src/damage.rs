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
    fn empty_input_is_extended() {
        assert!(damaged(&[], 1, 20).all(|(kind, copy)| kind == Damage::Extend && !copy.is_empty()));
    }
}
