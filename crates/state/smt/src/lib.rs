//! Sparse Merkle tree of the state: 40 levels, leaves of 8 raw felts, Poseidon2 compression.
//!
//! - The root has depth 0 and a leaf has depth 40; the node of depth `d` above position `key` has index
//!   `key >> (40 - d)`. A position is a `u64` below `2^40`; its meaning belongs to the ledger.
//! - A leaf is its own digest: no hash is applied to it, and an empty leaf is all zeros. An inner node is
//!   [`tsz_hash::compress`]`(left, right)`, so an empty subtree has one fixed digest for each depth ([`empty`]).
//! - In memory the tree is a path-compressed binary trie: a branch exists only where both sides are populated,
//!   and keeps the digest of each child at the depth right below itself. Writing zeros removes the leaf, and the
//!   trie shrinks to what it would be had the leaf never been written.
//! - Branches are reference-counted and copied on write, so [`Tree::snapshot`] is a constant-time clone, and a
//!   tree without snapshots is changed in place.
//! - A batch is done in three steps: descend level by level from the root to the touched leaves (`plan`), hash
//!   level by level upwards with full SIMD packs on all cores ([`packed`]), write the trie (`write`).
//!   [`Tree::multiproof`] shares the first two and hands every touched node to the transition circuit.

pub mod bench;
mod multiproof;
mod node;
pub mod packed;
mod plan;
mod proof;
mod tree;
mod write;

#[cfg(test)]
mod tests;

pub use multiproof::{MultiProof, NodeRow, RowError, Touch, verify_rows};
pub use node::Leaves;
pub use proof::Proof;
pub use tree::Tree;
pub use tsz_hash::Digest;

use std::sync::LazyLock;
use tsz_hash::{ZERO, compress};

/// Number of levels: depth of a leaf.
pub const DEPTH: usize = 40;
/// Number of positions; a valid key is below it.
pub const CAPACITY: u64 = 1 << DEPTH;

/// Why a batch is refused; the tree is unchanged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A key does not fit in 40 bits.
    #[error("key {key:#x} is not below 2^40")]
    KeyOutOfRange {
        /// The offending key.
        key: u64,
    },
    /// A batch names one key twice.
    #[error("key {key:#x} occurs twice in one batch")]
    DuplicateKey {
        /// The offending key.
        key: u64,
    },
    /// The claimed old value of a touch is not the tree's.
    #[error("old value of key {key:#x} is not the tree's: expected {expected:?}, got {got:?}")]
    StaleValue {
        /// The key of the touch.
        key: u64,
        /// The value in the tree.
        expected: Box<Digest>,
        /// The value that the touch claims.
        got: Box<Digest>,
    },
}

static EMPTY: LazyLock<[Digest; DEPTH + 1]> = LazyLock::new(|| {
    let mut digests = [ZERO; DEPTH + 1];
    for depth in (0..DEPTH).rev() {
        digests[depth] = compress(&digests[depth + 1], &digests[depth + 1]);
    }
    digests
});

/// Digest of an empty subtree whose top has the given depth (`0..=40`).
pub fn empty(depth: usize) -> &'static Digest {
    &EMPTY[depth]
}

/// Which child of the node of depth `depth` is on the path to `key`: true for the right one.
fn goes_right(key: u64, depth: usize) -> bool {
    key >> (DEPTH - 1 - depth) & 1 == 1
}

/// Number of leading levels on which the paths of two keys agree, at most 40.
fn common_depth(a: u64, b: u64) -> usize {
    ((a ^ b).leading_zeros() as usize).saturating_sub(64 - DEPTH).min(DEPTH)
}
