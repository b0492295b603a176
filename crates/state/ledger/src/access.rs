//! Access logs.

use crate::key::Key;
use tsz_hash::Digest;

/// Value of a cell; the empty leaf is zero.
pub type Leaf = Digest;

/// One access of an op: what the cell held before and after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// The cell.
    pub key: Key,
    /// Whether the op writes the cell; a read has `new == old`.
    pub write: bool,
    /// Value before.
    pub old: Leaf,
    /// Value after.
    pub new: Leaf,
}

impl Access {
    /// A read.
    pub fn read(key: Key, value: Leaf) -> Self {
        Self { key, write: false, old: value, new: value }
    }

    /// A write.
    pub fn write(key: Key, old: Leaf, new: Leaf) -> Self {
        Self { key, write: true, old, new }
    }
}
