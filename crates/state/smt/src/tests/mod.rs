//! Against a naive model, and against lies.

mod multiproof;
mod tree;

use crate::bench::Mix;
use crate::{DEPTH, Digest, Tree, empty};
use std::collections::BTreeMap;
use tsz_hash::{ZERO, compress};

/// Map of populated leaves with the root by definition.
#[derive(Clone, Default)]
pub(crate) struct Model(pub BTreeMap<u64, Digest>);

impl Model {
    pub fn write(&mut self, updates: &[(u64, Digest)]) {
        for (key, value) in updates {
            if *value == ZERO {
                self.0.remove(key)
            } else {
                self.0.insert(*key, *value)
            };
        }
    }

    pub fn get(&self, key: u64) -> Digest {
        self.0.get(&key).copied().unwrap_or(ZERO)
    }

    pub fn root(&self) -> Digest {
        let leaves: Vec<(u64, Digest)> = self.0.iter().map(|(k, v)| (*k, *v)).collect();
        subtree(&leaves, 0)
    }
}

fn subtree(leaves: &[(u64, Digest)], depth: usize) -> Digest {
    match leaves {
        [] => *empty(depth),
        [(_, value)] if depth == DEPTH => *value,
        _ => {
            let mid = leaves.partition_point(|(key, _)| key >> (39 - depth) & 1 == 0);
            compress(&subtree(&leaves[..mid], depth + 1), &subtree(&leaves[mid..], depth + 1))
        }
    }
}

/// Keys of the real layout: few accounts, sub-accounts and cells, so that batches meet and collide; some private,
/// some of system cells.
pub(crate) fn random_key(mix: &mut Mix) -> u64 {
    let (realm, system) = (mix.next() % 4 / 3, mix.next() % 8 / 7);
    let cell = [0, 1, 2, 3, 128, 129, 256, 257][mix.next() as usize % 8];
    let sub = mix.next() % 8 / 6;
    realm << 39 | system << 38 | (mix.next() % 20) << 14 | sub << 9 | cell
}

/// Distinct random updates; about a quarter removes.
pub(crate) fn random_batch(mix: &mut Mix, count: usize) -> Vec<(u64, Digest)> {
    let mut batch = BTreeMap::new();
    for _ in 0..count {
        let value = if mix.next().is_multiple_of(4) { ZERO } else { mix.digest() };
        batch.insert(random_key(mix), value);
    }
    let mut batch: Vec<_> = batch.into_iter().collect();
    let turn = mix.next() as usize % batch.len().max(1);
    batch.rotate_left(turn);
    batch
}

pub(crate) fn random_tree(mix: &mut Mix, count: usize) -> (Tree, Model) {
    let batch = random_batch(mix, count);
    let mut model = Model::default();
    model.write(&batch);
    (Tree::from_leaves(&batch).unwrap(), model)
}
