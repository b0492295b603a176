//! Membership proof of one leaf; an empty leaf is proven like any other.

use crate::{CAPACITY, DEPTH, goes_right};
use tsz_hash::{Digest, compress};

/// The digests beside the path from the root to one leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// `siblings[d]` is the child, off the path, of the path's node of depth `d`: the first is next to the top,
    /// the last is the neighbouring leaf.
    pub siblings: [Digest; DEPTH],
}

impl Proof {
    /// Root of the tree that has `value` at `key` beside these siblings.
    pub fn root(&self, key: u64, value: &Digest) -> Digest {
        self.siblings.iter().enumerate().rev().fold(*value, |digest, (depth, sibling)| {
            if goes_right(key, depth) { compress(sibling, &digest) } else { compress(&digest, sibling) }
        })
    }

    /// Whether the tree of this root has `value` (zeros: nothing) at `key`. False for a key of more than 40 bits.
    pub fn verify(&self, root: &Digest, key: u64, value: &Digest) -> bool {
        key < CAPACITY && self.root(key, value) == *root
    }
}
