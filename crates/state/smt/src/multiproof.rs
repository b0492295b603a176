//! Batched multi-proof: old and new root of a batch from one shared set of inner nodes.

use crate::node::Link;
use crate::plan::Plan;
use crate::write::Write;
use crate::{DEPTH, Error, empty};
use rayon::prelude::*;
use std::collections::BTreeMap;
use tsz_hash::{Digest, compress};

/// A leaf that a batch reads (`old == new`) or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch {
    /// Position, below 2^40.
    pub key: u64,
    /// Value before the batch.
    pub old: Digest,
    /// Value after the batch.
    pub new: Digest,
}

/// One inner node that has a touched leaf below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeRow {
    /// Depth of this node, `0..40`; its children have depth `depth + 1`.
    pub depth: u8,
    /// Index of this node within its depth, below `2^depth`.
    pub index: u64,
    /// Left child before the batch.
    pub left_old: Digest,
    /// Left child after the batch.
    pub left_new: Digest,
    /// Right child before the batch.
    pub right_old: Digest,
    /// Right child after the batch.
    pub right_new: Digest,
    /// Whether a touched leaf is below (or is) the left child; if not, its old and new digests are equal.
    pub left_touched: bool,
    /// The same for the right child. At least one of the two holds.
    pub right_touched: bool,
    /// `compress(left_old, right_old)`.
    pub out_old: Digest,
    /// `compress(left_new, right_new)`.
    pub out_new: Digest,
}

/// Rows of a batch with the roots that they connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultiProof {
    /// Root before the batch.
    pub old_root: Digest,
    /// Root after the batch.
    pub new_root: Digest,
    /// Every inner node above a touched leaf: root first, then by depth and index. None for an empty batch.
    pub rows: Vec<NodeRow>,
}

/// A planned and hashed batch.
pub(crate) struct Batch {
    plan: Plan,
    keys: Vec<u64>,
    values: Vec<Digest>,
    changed: Vec<Vec<bool>>,
    old: Vec<Vec<Digest>>,
    new: Vec<Vec<Digest>>,
    root: Digest,
}

impl Batch {
    /// Plans and hashes touches that are sorted and distinct.
    pub fn new(root: Option<&Link>, touches: &[Touch]) -> Result<Self, Error> {
        let keys: Vec<u64> = touches.iter().map(|touch| touch.key).collect();
        let values: Vec<Digest> = touches.iter().map(|touch| touch.new).collect();
        let plan = Plan::new(root, &keys, true);
        if let Some((touch, value)) =
            touches.iter().zip(&plan.old).find(|(touch, value)| touch.old != **value)
        {
            let (expected, got) = (Box::new(*value), Box::new(touch.old));
            return Err(Error::StaleValue { key: touch.key, expected, got });
        }
        let changed = plan.changed(touches.iter().map(|touch| touch.old != touch.new).collect());
        let old = plan.old_digests();
        let new = plan.digests(values.clone(), |depth, pos| (!changed[depth][pos]).then(|| old[depth][pos]));
        let root = root.map_or(*empty(0), |link| link.top);
        Ok(Self { plan, keys, values, changed, old, new, root })
    }

    /// The write of the new values.
    pub fn write(&self) -> Write<'_> {
        Write {
            plan: &self.plan,
            keys: &self.keys,
            values: &self.values,
            digests: &self.new,
            changed: &self.changed,
        }
    }

    /// The rows for the circuit.
    pub fn proof(&self) -> MultiProof {
        let mut rows = Vec::with_capacity(self.plan.levels.iter().map(Vec::len).sum());
        for (depth, level) in self.plan.levels.iter().enumerate() {
            rows.par_extend(level.par_iter().enumerate().with_min_len(1024).map(|(pos, node)| {
                let (left_old, right_old) = node.children(&self.old[depth + 1]);
                let (left_new, right_new) = node.children(&self.new[depth + 1]);
                NodeRow {
                    depth: depth as u8,
                    index: node.index,
                    left_old,
                    left_new,
                    right_old,
                    right_new,
                    left_touched: node.left,
                    right_touched: node.right,
                    out_old: self.old[depth][pos],
                    out_new: self.new[depth][pos],
                }
            }));
        }
        let root = |digests: &[Vec<Digest>]| digests[0].first().copied().unwrap_or(self.root);
        MultiProof { old_root: root(&self.old), new_root: root(&self.new), rows }
    }
}

/// Why rows are not a proof of a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// There are touches and no rows, or rows and no touches.
    #[error("no root row")]
    NoRoot,
    /// Rows are not strictly ascending by depth and index, or are out of range.
    #[error("row (depth {depth}, index {index}) is out of order or out of range")]
    Order {
        /// Depth of the row.
        depth: u8,
        /// Index of the row.
        index: u64,
    },
    /// An output is not the compression of the children.
    #[error("row (depth {depth}, index {index}) is hashed wrongly")]
    Hash {
        /// Depth of the row.
        depth: u8,
        /// Index of the row.
        index: u64,
    },
    /// An untouched child has different digests before and after, or no child is touched.
    #[error("row (depth {depth}, index {index}) changes an untouched child or touches none")]
    Untouched {
        /// Depth of the row.
        depth: u8,
        /// Index of the row.
        index: u64,
    },
    /// A row (or a touch, at depth 40) has no parent that carries its digests, or the root row not the roots.
    #[error("node (depth {depth}, index {index}) does not match its parent")]
    Unlinked {
        /// Depth of the node.
        depth: u8,
        /// Index of the node.
        index: u64,
    },
    /// A parent claims a touched child for which there is no row or touch.
    #[error("touched node (depth {depth}, index {index}) is missing")]
    Missing {
        /// Depth of the node.
        depth: u8,
        /// Index of the node.
        index: u64,
    },
}

/// Checks that the rows take `old_root` to `new_root` by exactly these touches: the statement of the transition
/// circuit's Merkle tables, without a tree at hand. Reference for tests; never panics.
///
/// # Errors
/// The first fact that does not hold.
pub fn verify_rows(proof: &MultiProof, touches: &[Touch]) -> Result<(), RowError> {
    // what a parent (or the statement, for the root) says about a child: it must be claimed exactly once
    let mut expected: BTreeMap<(u8, u64), (Digest, Digest)> = BTreeMap::new();
    if proof.rows.is_empty() && touches.is_empty() && proof.old_root == proof.new_root {
        return Ok(());
    }
    if proof.rows.is_empty() {
        return Err(RowError::NoRoot);
    }
    expected.insert((0, 0), (proof.old_root, proof.new_root));
    let mut last = None;
    for row in &proof.rows {
        let (depth, index) = (row.depth, row.index);
        let ascending = last.is_none_or(|last| last < (depth, index));
        if !ascending || usize::from(depth) >= DEPTH || index >= 1 << depth {
            return Err(RowError::Order { depth, index });
        }
        last = Some((depth, index));
        if expected.remove(&(depth, index)) != Some((row.out_old, row.out_new)) {
            return Err(RowError::Unlinked { depth, index });
        }
        for (at, child) in check_row(row)?.into_iter().enumerate() {
            if let Some(child) = child {
                expected.insert((depth + 1, 2 * index + at as u64), child);
            }
        }
    }
    for touch in touches {
        let at = (DEPTH as u8, touch.key);
        if expected.remove(&at) != Some((touch.old, touch.new)) {
            return Err(RowError::Unlinked { depth: at.0, index: at.1 });
        }
    }
    match expected.into_keys().next() {
        Some((depth, index)) => Err(RowError::Missing { depth, index }),
        None => Ok(()),
    }
}

/// Local checks of a row; returns the digests of its touched children.
fn check_row(row: &NodeRow) -> Result<[Option<(Digest, Digest)>; 2], RowError> {
    let (depth, index) = (row.depth, row.index);
    if compress(&row.left_old, &row.right_old) != row.out_old
        || compress(&row.left_new, &row.right_new) != row.out_new
    {
        return Err(RowError::Hash { depth, index });
    }
    let none = !row.left_touched && !row.right_touched;
    let left = !row.left_touched && row.left_old != row.left_new;
    let right = !row.right_touched && row.right_old != row.right_new;
    if none || left || right {
        return Err(RowError::Untouched { depth, index });
    }
    Ok([
        row.left_touched.then_some((row.left_old, row.left_new)),
        row.right_touched.then_some((row.right_old, row.right_new)),
    ])
}
