//! Second half of a batch: the trie takes the new values and digests.

use crate::node::{Branch, Child, Link};
use crate::plan::Plan;
use crate::{DEPTH, common_depth, goes_right};
use std::sync::Arc;
use tsz_hash::{Digest, ZERO};

/// Below this number of keys a subtree is written by one task.
const TASK_KEYS: usize = 256;

/// All that a write needs; keys and values are in ascending key order, digests and flags by depth and place.
pub(crate) struct Write<'a> {
    pub plan: &'a Plan,
    pub keys: &'a [u64],
    pub values: &'a [Digest],
    pub digests: &'a [Vec<Digest>],
    pub changed: &'a [Vec<bool>],
}

/// A touched node: its place in its level and the keys below it.
#[derive(Clone, Copy)]
struct Target {
    depth: usize,
    pos: usize,
    lo: usize,
    hi: usize,
}

impl Write<'_> {
    /// Writes the whole batch below the root slot.
    pub fn run(&self, root: &mut Option<Link>) {
        if !self.keys.is_empty() {
            self.subtree(root, Target { depth: 0, pos: 0, lo: 0, hi: self.keys.len() });
        }
    }

    /// Writes the keys of a target; `slot` holds what the trie has below it, on an edge from above.
    fn subtree(&self, slot: &mut Option<Link>, target: Target) {
        if self.changed[target.depth][target.pos] {
            let split = self.split_depth(slot, target);
            if split == DEPTH {
                let (key, value) = (self.keys[target.lo], self.values[target.lo]);
                *slot = (value != ZERO).then_some(Link { top: ZERO, child: Child::Leaf { key, value } });
            } else {
                self.branch(slot, self.walk(target, split));
            }
        }
        if let Some(link) = slot {
            link.top = self.digests[target.depth][target.pos];
        }
    }

    /// Depth of the first node below the target where the keys, or a key and the trie, part; 40 for one leaf.
    fn split_depth(&self, slot: &Option<Link>, target: Target) -> usize {
        let first = self.keys[target.lo];
        let keys = common_depth(first, self.keys[target.hi - 1]);
        match slot {
            None => keys,
            Some(link) => keys.min(common_depth(first, link.child.key())).min(link.child.depth()),
        }
    }

    /// The only touched node of depth `depth` below the target.
    fn walk(&self, target: Target, depth: usize) -> Target {
        let pos = (target.depth..depth).fold(target.pos, |pos, d| self.plan.levels[d][pos].child as usize);
        Target { depth, pos, ..target }
    }

    /// Writes below a node where paths part: the trie has, gets or loses a branch here.
    fn branch(&self, slot: &mut Option<Link>, target: Target) {
        if let Some(Link { child: Child::Branch(shared), .. }) = slot
            && usize::from(shared.depth) == target.depth
        {
            let branch = Arc::make_mut(shared);
            self.children(&mut branch.left, &mut branch.right, target);
            if branch.left.is_none() || branch.right.is_none() {
                *slot = branch.left.take().or(branch.right.take());
            }
            return;
        }
        let (mut left, mut right) = match slot.take() {
            Some(link) if goes_right(link.child.key(), target.depth) => (None, Some(link)),
            link => (link, None),
        };
        self.children(&mut left, &mut right, target);
        *slot = match (left, right) {
            (Some(left), Some(right)) => {
                let key = left.child.key() & !((1 << (DEPTH - target.depth)) - 1);
                let branch = Branch { key, depth: target.depth as u8, left: Some(left), right: Some(right) };
                Some(Link { top: ZERO, child: Child::Branch(Arc::new(branch)) })
            }
            (left, right) => left.or(right),
        };
    }

    /// Writes both sides of a node; an untouched side only learns its digest at this depth.
    fn children(&self, left: &mut Option<Link>, right: &mut Option<Link>, target: Target) {
        let node = &self.plan.levels[target.depth][target.pos];
        let keys = &self.keys[target.lo..target.hi];
        let mid = target.lo + keys.partition_point(|key| !goes_right(*key, target.depth));
        let (depth, pos) = (target.depth + 1, node.child as usize);
        let left_target = Target { depth, pos, lo: target.lo, hi: mid };
        let right_target = Target { depth, pos: pos + usize::from(node.left), lo: mid, hi: target.hi };
        match (node.left, node.right) {
            (true, true) if keys.len() > TASK_KEYS => {
                rayon::join(|| self.subtree(left, left_target), || self.subtree(right, right_target));
            }
            (true, true) => {
                self.subtree(left, left_target);
                self.subtree(right, right_target);
            }
            (true, false) => {
                self.subtree(left, left_target);
                set_top(right, &node.sibling);
            }
            _ => {
                set_top(left, &node.sibling);
                self.subtree(right, right_target);
            }
        }
    }
}

fn set_top(slot: &mut Option<Link>, digest: &Digest) {
    if let Some(link) = slot {
        link.top = *digest;
    }
}
