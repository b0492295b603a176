//! The path-compressed trie: what is stored in memory.

use crate::{DEPTH, empty, goes_right};
use std::sync::Arc;
use tsz_hash::{Digest, compress};

/// A populated subtree hanging below a branch (or the root of the tree).
///
/// The edge from the parent down to `child` may skip levels whose other side is empty.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// Digest at the top of the edge: one level below the parent branch (depth 0 for the root).
    pub top: Digest,
    /// What the edge ends in.
    pub child: Child,
}

/// End of an edge.
#[derive(Clone, Debug)]
pub(crate) enum Child {
    /// A leaf with a non-zero value.
    Leaf {
        /// Its position.
        key: u64,
        /// Its 8 felts.
        value: Digest,
    },
    /// A node whose two sides are both populated.
    Branch(Arc<Branch>),
}

/// A node of the trie. Both sides are populated except while a batch is being written.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    /// First position below this branch: its first `depth` bits are the branch's path, the rest are zero.
    pub key: u64,
    /// Depth of the branch, `0..40`.
    pub depth: u8,
    pub left: Option<Link>,
    pub right: Option<Link>,
}

impl Child {
    /// Any position below this child.
    pub fn key(&self) -> u64 {
        match self {
            Self::Leaf { key, .. } => *key,
            Self::Branch(branch) => branch.key,
        }
    }

    /// Depth at which the child itself sits: 40 for a leaf.
    pub fn depth(&self) -> usize {
        match self {
            Self::Leaf { .. } => DEPTH,
            Self::Branch(branch) => usize::from(branch.depth),
        }
    }

    /// Digest of the node of depth `depth` on the edge above the child.
    pub fn lift(&self, depth: usize) -> Digest {
        let mut digest = match self {
            Self::Leaf { value, .. } => *value,
            Self::Branch(branch) => {
                let below = usize::from(branch.depth) + 1;
                compress(&top(&branch.left, below), &top(&branch.right, below))
            }
        };
        for d in (depth..self.depth()).rev() {
            let none = empty(d + 1);
            digest =
                if goes_right(self.key(), d) { compress(none, &digest) } else { compress(&digest, none) };
        }
        digest
    }
}

/// Digest of a slot whose edge starts at `depth`.
pub(crate) fn top(slot: &Option<Link>, depth: usize) -> Digest {
    slot.as_ref().map_or(*empty(depth), |link| link.top)
}

/// Iterator over the non-empty leaves in ascending order of position.
pub struct Leaves<'a> {
    stack: Vec<&'a Link>,
}

impl<'a> Leaves<'a> {
    pub(crate) fn new(root: Option<&'a Link>) -> Self {
        Self { stack: root.into_iter().collect() }
    }
}

impl Iterator for Leaves<'_> {
    type Item = (u64, Digest);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match &self.stack.pop()?.child {
                Child::Leaf { key, value } => return Some((*key, *value)),
                Child::Branch(branch) => self.stack.extend(branch.right.iter().chain(&branch.left)),
            }
        }
    }
}
