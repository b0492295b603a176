//! Random damage to the bytes of a bundle: refused, and never a panic.

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

use super::*;

fn refuse(bytes: &[u8]) {
    assert!(check(bytes, &verifier(), None).is_err());
}

#[test]
fn rejects_every_truncation() {
    let bytes = bundle().to_bytes();
    for len in 0..bytes.len() {
        refuse(&bytes[..len]);
    }
}

#[test]
fn rejects_a_flipped_bit_in_every_byte() {
    // Every byte once, with one random bit. No bit of a bundle is without meaning.
    let bytes = bundle().to_bytes();
    let mut rng = StdRng::seed_from_u64(1);
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << rng.random_range(0..8);
        refuse(&damaged);
    }
}

#[test]
fn rejects_random_stretches_and_noise() {
    let bytes = bundle().to_bytes();
    let mut rng = StdRng::seed_from_u64(2);
    for _ in 0..4000 {
        let mut damaged = bytes.clone();
        let at = rng.random_range(0..damaged.len());
        let end = (at + rng.random_range(1..40)).min(damaged.len());
        rng.fill_bytes(&mut damaged[at..end]);
        if damaged != bytes {
            refuse(&damaged);
        }
    }
    for _ in 0..2000 {
        let mut noise = bytes[..10].to_vec();
        noise.resize(rng.random_range(10..2000), 0);
        rng.fill_bytes(&mut noise[10..]);
        refuse(&noise);
    }
}

#[test]
fn rejects_moved_and_repeated_pieces() {
    let bytes = bundle().to_bytes();
    let mut rng = StdRng::seed_from_u64(3);
    for _ in 0..2000 {
        let mut damaged = bytes.clone();
        let from = rng.random_range(0..damaged.len());
        let to = (from + rng.random_range(1..64)).min(damaged.len());
        let piece: Vec<u8> = damaged[from..to].to_vec();
        if rng.random() {
            damaged.drain(from..to);
        } else {
            let at = rng.random_range(0..damaged.len());
            damaged.splice(at..at, piece);
        }
        refuse(&damaged);
    }
}

#[test]
fn a_huge_length_allocates_nothing() {
    let mut bytes = bundle().to_bytes();
    bytes[6..10].copy_from_slice(&u32::MAX.to_le_bytes());
    refuse(&bytes);
    bytes[6..10].copy_from_slice(&4096u32.to_le_bytes());
    refuse(&bytes);
}
