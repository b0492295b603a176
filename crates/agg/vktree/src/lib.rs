//! The vk tree: which verifying keys prove which algorithm (docs/src/vks.md).
//!
//! A binary Merkle tree of depth 16 over the sorted list of (algorithm id, vk digest). One algorithm may have
//! several keys (size classes), one key at most one entry per algorithm. Adding a circuit adds an entry and
//! changes the root, and nothing else of the system. The tree knows nothing of provers or of proofs.
#![no_std]
extern crate alloc;

use alloc::vec::Vec;
use core::cmp::Ordering;

use thiserror::Error;
use tsz_codec::codec_struct;
use tsz_hash::{Digest, Domain, F, PrimeCharacteristicRing, PrimeField32, ZERO, compress, hash};

/// Levels of the tree.
pub const VK_TREE_DEPTH: usize = 16;
/// Entries the tree can hold.
pub const MAX_ENTRIES: usize = 1 << VK_TREE_DEPTH;

/// The reserved algorithm id of transition circuits, `hash(Algorithm, [2, 1, 1])`.
///
/// Precompiles have kind 1 in the first felt, so no rule set of ops has this id.
pub fn transition_algorithm() -> Digest {
    hash(Domain::Algorithm, &[F::TWO, F::ONE, F::ONE])
}

/// One listed key: proofs of the key `vk` count for `algorithm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VkEntry {
    /// Algorithm id.
    pub algorithm: Digest,
    /// Digest of the verifying key.
    pub vk: Digest,
}

codec_struct!(VkEntry { algorithm: Digest, vk: Digest });

impl VkEntry {
    /// Digest of the leaf: `hash(VkLeaf, algorithm || vk)`.
    pub fn digest(&self) -> Digest {
        let mut felts = [F::ZERO; 16];
        felts[..8].copy_from_slice(&self.algorithm);
        felts[8..].copy_from_slice(&self.vk);
        hash(Domain::VkLeaf, &felts)
    }

    fn order(&self) -> [u32; 16] {
        let felt = |k: usize| if k < 8 { self.algorithm[k] } else { self.vk[k - 8] };
        core::array::from_fn(|k| felt(k).as_canonical_u32())
    }
}

impl PartialOrd for VkEntry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By algorithm id, then by vk digest, felt by felt on canonical values.
impl Ord for VkEntry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

/// Why a list of entries is not a vk tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum VkTreeError {
    /// More entries than leaves.
    #[error("{0} entries, at most {MAX_ENTRIES}")]
    TooMany(usize),
    /// The same pair twice; the value is its place in sorted order.
    #[error("entry {0} of the vk tree is listed twice")]
    Duplicate(usize),
}

/// Proof that an entry is in a tree: its position and the siblings from the leaf up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VkMembership {
    /// Position of the leaf.
    pub index: u16,
    /// Siblings, the leaf's first.
    pub siblings: [Digest; VK_TREE_DEPTH],
}

codec_struct!(VkMembership { index: u16, siblings: [Digest; VK_TREE_DEPTH] });

impl VkMembership {
    /// The root that the path leads to from `entry`.
    pub fn root(&self, entry: &VkEntry) -> Digest {
        self.siblings.iter().enumerate().fold(entry.digest(), |node, (level, sibling)| {
            if self.index >> level & 1 == 0 { compress(&node, sibling) } else { compress(sibling, &node) }
        })
    }

    /// Whether `entry` is in the tree with root `root`.
    pub fn verify(&self, root: &Digest, entry: &VkEntry) -> bool {
        self.root(entry) == *root
    }
}

/// The tree; unused leaves are zero and their parents are real compressions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VkTree {
    entries: Vec<VkEntry>,
    /// `layers[0]` are the leaf digests; only the nodes above entries are kept.
    layers: Vec<Vec<Digest>>,
    /// `empty[k]` is the node of level k above unused leaves only.
    empty: [Digest; VK_TREE_DEPTH + 1],
}

impl VkTree {
    /// Sorts the entries and hashes the tree.
    ///
    /// # Errors
    /// [`VkTreeError`] for a pair listed twice or too many pairs.
    pub fn new(entries: impl IntoIterator<Item = VkEntry>) -> Result<Self, VkTreeError> {
        let mut entries: Vec<VkEntry> = entries.into_iter().collect();
        if entries.len() > MAX_ENTRIES {
            return Err(VkTreeError::TooMany(entries.len()));
        }
        entries.sort_unstable();
        if let Some(k) = entries.windows(2).position(|w| w[0] == w[1]) {
            return Err(VkTreeError::Duplicate(k));
        }
        let mut empty = [ZERO; VK_TREE_DEPTH + 1];
        let mut layers = Vec::with_capacity(VK_TREE_DEPTH + 1);
        let mut layer: Vec<Digest> = entries.iter().map(VkEntry::digest).collect();
        for level in 0..VK_TREE_DEPTH {
            let zero = empty[level];
            empty[level + 1] = compress(&zero, &zero);
            let parents =
                layer.chunks(2).map(|pair| compress(&pair[0], pair.get(1).unwrap_or(&zero))).collect();
            layers.push(core::mem::replace(&mut layer, parents));
        }
        layers.push(layer);
        Ok(Self { entries, layers, empty })
    }

    /// The root; that of an empty tree is the compression of zeros.
    pub fn root(&self) -> Digest {
        self.node(VK_TREE_DEPTH, 0)
    }

    /// The entries in order.
    pub fn entries(&self) -> &[VkEntry] {
        &self.entries
    }

    /// The membership proof of an entry; `None` if it is not listed.
    pub fn prove(&self, entry: &VkEntry) -> Option<VkMembership> {
        let index = self.entries.binary_search(entry).ok()?;
        let siblings = core::array::from_fn(|level| self.node(level, (index >> level) ^ 1));
        Some(VkMembership { index: u16::try_from(index).ok()?, siblings })
    }

    fn node(&self, level: usize, index: usize) -> Digest {
        self.layers[level].get(index).copied().unwrap_or(self.empty[level])
    }
}

#[cfg(test)]
mod tests;
