//! Seeded batches and the naive model.
#![allow(dead_code)] // each test binary uses its part

use std::collections::BTreeMap;
use tsz_hash::ZERO;
use tsz_smt::bench::{Mix, position};
use tsz_smt::{Digest, Tree};

pub type Leaves = BTreeMap<u64, Digest>;

/// Distinct updates over 200 accounts of 4 cells; about a fifth removes.
pub fn batch(seed: u64, count: usize) -> Vec<(u64, Digest)> {
    let mut mix = Mix(seed.wrapping_mul(0x1234_5678_9abc_def1));
    let mut batch = Leaves::new();
    for _ in 0..count {
        let key = position(mix.next() % 200, mix.next() % 2, [0, 1, 2, 128][mix.next() as usize % 4]);
        let value = if mix.next().is_multiple_of(5) { ZERO } else { mix.digest() };
        batch.insert(key, value);
    }
    batch.into_iter().collect()
}

pub fn write(model: &mut Leaves, updates: &[(u64, Digest)]) {
    for (key, value) in updates {
        if *value == ZERO {
            model.remove(key)
        } else {
            model.insert(*key, *value)
        };
    }
}

pub fn tree(model: &Leaves) -> Tree {
    Tree::from_leaves(&model.iter().map(|(k, v)| (*k, *v)).collect::<Vec<_>>()).unwrap()
}
