//! First half of a batch: which inner nodes are touched, what is beside them, and all their digests.

use crate::node::{Child, Link};
use crate::packed::compress_where;
use crate::{DEPTH, empty, goes_right};
use rayon::prelude::*;
use tsz_hash::{Digest, ZERO};

/// An inner node with at least one touched leaf below it.
pub(crate) struct Touched {
    /// Index within its depth.
    pub index: u64,
    /// Place in the next level's list of its first touched child (the right one follows the left one).
    pub child: u32,
    /// Whether a touched leaf is below the left child.
    pub left: bool,
    /// Whether a touched leaf is below the right child.
    pub right: bool,
    /// Digest of the untouched child, if there is one.
    pub sibling: Digest,
}

/// All touched nodes above a sorted list of distinct keys.
pub(crate) struct Plan {
    /// For each depth `0..40` the touched nodes in ascending index.
    pub levels: Vec<Vec<Touched>>,
    /// For each depth and touched node its digest before the batch, where the trie has it at hand; nothing at
    /// all unless it was asked for.
    known: Vec<Vec<Option<Digest>>>,
    /// Values of the keys before the batch, in key order.
    pub old: Vec<Digest>,
}

/// A touched node on the way down: the keys `lo..hi` are below it, and so is the trie's `at`.
#[derive(Clone, Copy)]
struct Visit<'a> {
    lo: u32,
    hi: u32,
    at: Option<&'a Link>,
    /// The node is at the top of `at`'s edge, where the trie keeps the digest.
    at_top: bool,
}

/// Below this many visits a level is descended by one task.
const LEVEL_TASK: usize = 512;

/// What the visits of one level, or a part of it, yield.
#[derive(Default)]
struct Descent<'a> {
    nodes: Vec<Touched>,
    known: Vec<Option<Digest>>,
    below: Vec<Visit<'a>>,
}

impl Plan {
    /// Walks from the root to `keys` (sorted, distinct, below 2^40), one level at a time, so that the cache
    /// misses of independent paths overlap. With `with_known`, [`Plan::old_digests`] hashes only what it must.
    pub fn new(root: Option<&Link>, keys: &[u64], with_known: bool) -> Self {
        let (mut levels, mut known) = (Vec::with_capacity(DEPTH), Vec::with_capacity(DEPTH));
        let mut visits = Vec::new();
        if !keys.is_empty() {
            visits.push(Visit { lo: 0, hi: keys.len() as u32, at: root, at_top: true });
        }
        for depth in 0..DEPTH {
            let level = Descent::level(&visits, depth, keys, with_known);
            levels.push(level.nodes);
            known.push(level.known);
            visits = level.below;
        }
        let value = |visit: &Visit<'_>| match visit.at.map(|link| &link.child) {
            Some(Child::Leaf { value, .. }) => *value,
            _ => ZERO,
        };
        Self { levels, known, old: visits.iter().map(value).collect() }
    }

    /// For each depth `0..=40` and touched node: whether a leaf below it changes.
    pub fn changed(&self, leaves: Vec<bool>) -> Vec<Vec<bool>> {
        let mut all = vec![leaves];
        for level in self.levels.iter().rev() {
            let below = &all[all.len() - 1];
            let any = |node: &Touched| {
                let child = node.child as usize;
                below[child] || (node.left && node.right && below[child + 1])
            };
            all.push(level.iter().map(any).collect());
        }
        all.reverse();
        all
    }

    /// Digests of all touched nodes for each depth `0..=40`, given the leaves and the nodes whose digest need
    /// not be computed.
    pub fn digests<R>(&self, leaves: Vec<Digest>, reuse: R) -> Vec<Vec<Digest>>
    where
        R: Fn(usize, usize) -> Option<Digest> + Sync,
    {
        let mut all = vec![leaves];
        for (depth, level) in self.levels.iter().enumerate().rev() {
            let below = &all[all.len() - 1];
            let mut out = vec![ZERO; level.len()];
            compress_where(&mut out, |pos| {
                reuse(depth, pos).map_or_else(|| Err(level[pos].children(below)), Ok)
            });
            all.push(out);
        }
        all.reverse();
        all
    }

    /// Digests of all touched nodes before the batch.
    pub fn old_digests(&self) -> Vec<Vec<Digest>> {
        self.digests(self.old.clone(), |depth, pos| self.known[depth].get(pos).copied().flatten())
    }
}

impl Touched {
    /// Digests of the left and the right child, given those of the touched nodes one level below.
    pub fn children(&self, below: &[Digest]) -> (Digest, Digest) {
        let child = self.child as usize;
        match (self.left, self.right) {
            (true, true) => (below[child], below[child + 1]),
            (true, false) => (below[child], self.sibling),
            _ => (self.sibling, below[child]),
        }
    }
}

impl<'a> Descent<'a> {
    /// Divides all visits of a level, on all cores when there are many.
    fn level(visits: &[Visit<'a>], depth: usize, keys: &[u64], with_known: bool) -> Self {
        if visits.len() <= LEVEL_TASK {
            return Self::part(visits, depth, keys, with_known);
        }
        let part = |visits: &[Visit<'a>]| Self::part(visits, depth, keys, with_known);
        let parts: Vec<Self> = visits.par_chunks(LEVEL_TASK).map(part).collect();
        let mut all = Self {
            nodes: Vec::with_capacity(visits.len()),
            known: Vec::with_capacity(if with_known { visits.len() } else { 0 }),
            below: Vec::with_capacity(parts.iter().map(|part| part.below.len()).sum()),
        };
        for part in parts {
            let offset = all.below.len() as u32;
            all.nodes
                .extend(part.nodes.into_iter().map(|node| Touched { child: node.child + offset, ..node }));
            all.known.extend(part.known);
            all.below.extend(part.below);
        }
        all
    }

    fn part(visits: &[Visit<'a>], depth: usize, keys: &[u64], with_known: bool) -> Self {
        let mut below = Vec::with_capacity(visits.len() + visits.len() / 8 + 1);
        let nodes = visits.iter().map(|visit| visit.split(depth, keys, &mut below)).collect();
        let known =
            if with_known { visits.iter().map(|visit| visit.known(depth)).collect() } else { Vec::new() };
        Self { nodes, known, below }
    }
}

impl<'a> Visit<'a> {
    /// Divides the visit between the node's two children; pushes the touched ones to `below`.
    fn split(&self, depth: usize, keys: &[u64], below: &mut Vec<Visit<'a>>) -> Touched {
        let mine = &keys[self.lo as usize..self.hi as usize];
        let mid = self.lo + mine.partition_point(|key| !goes_right(*key, depth)) as u32;
        let (left_at, right_at, at_top) = match self.at.map(|link| (link, &link.child)) {
            None => (None, None, false),
            Some((_, Child::Branch(branch))) if usize::from(branch.depth) == depth => {
                (branch.left.as_ref(), branch.right.as_ref(), true)
            }
            Some((link, child)) if goes_right(child.key(), depth) => (None, Some(link), false),
            Some((link, _)) => (Some(link), None, false),
        };
        let (left, right) = (mid > self.lo, mid < self.hi);
        let child = below.len() as u32;
        if left {
            below.push(Visit { lo: self.lo, hi: mid, at: left_at, at_top });
        }
        if right {
            below.push(Visit { lo: mid, hi: self.hi, at: right_at, at_top });
        }
        let aside = if left { right_at } else { left_at };
        Touched {
            index: mine[0] >> (DEPTH - depth),
            child,
            left,
            right,
            sibling: if left && right { ZERO } else { side_digest(aside, depth + 1, at_top) },
        }
    }

    /// The node's digest, where the trie has it at hand.
    fn known(&self, depth: usize) -> Option<Digest> {
        match self.at {
            None => Some(*empty(depth)),
            Some(link) => self.at_top.then_some(link.top),
        }
    }
}

/// Digest at `depth` of a subtree that the batch leaves alone.
fn side_digest(at: Option<&Link>, depth: usize, at_top: bool) -> Digest {
    match at {
        None => *empty(depth),
        Some(link) if at_top => link.top,
        Some(link) => link.child.lift(depth),
    }
}
