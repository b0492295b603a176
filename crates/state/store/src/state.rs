//! What both stores keep in memory.

use crate::{Digest, Error, Tip, Tree};
use std::collections::{BTreeMap, VecDeque};

/// How to return from the state after a batch to the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Undo {
    /// Root before the batch.
    pub root: Digest,
    /// Old values of the leaves that the batch changed.
    pub old: Vec<(u64, Digest)>,
}

/// The tree of the tip and the undo records of the last batches, oldest first.
#[derive(Debug)]
pub(crate) struct State {
    pub tree: Tree,
    pub batch: u64,
    pub undo: VecDeque<Undo>,
    /// Roots kept, counting the tip's; at least 1.
    retain: usize,
}

/// A batch that is computed and not yet taken.
pub(crate) struct Prepared {
    pub tree: Tree,
    pub undo: Undo,
    /// New values of the leaves that change.
    pub new: Vec<(u64, Digest)>,
}

impl State {
    pub fn new(tree: Tree, batch: u64, undo: VecDeque<Undo>, retain: usize) -> Self {
        let mut state = Self { tree, batch, undo, retain: retain.max(1) };
        state.prune();
        state
    }

    pub fn tip(&self) -> Tip {
        Tip { batch: self.batch, root: self.tree.root() }
    }

    /// Computes the next state on a snapshot of this one.
    pub fn prepare(&self, batch: u64, updates: &[(u64, Digest)]) -> Result<Prepared, Error> {
        if self.batch.checked_add(1) != Some(batch) {
            return Err(Error::WrongBatch { expected: self.batch.saturating_add(1), got: batch });
        }
        let mut tree = self.tree.snapshot();
        tree.update(updates)?;
        let mut undo = Undo { root: self.tree.root(), old: Vec::with_capacity(updates.len()) };
        let mut new = Vec::with_capacity(updates.len());
        for (key, value) in updates {
            let old = self.tree.get(*key);
            if old != *value {
                undo.old.push((*key, old));
                new.push((*key, *value));
            }
        }
        Ok(Prepared { tree, undo, new })
    }

    /// Takes a prepared batch.
    pub fn take(&mut self, next: Prepared) -> Tip {
        self.tree = next.tree;
        self.batch += 1;
        self.undo.push_back(next.undo);
        self.prune();
        self.tip()
    }

    /// First batch whose undo record is kept once `batch` is the tip.
    pub fn first_undo(&self, batch: u64) -> u64 {
        batch.saturating_add(2).saturating_sub(self.retain as u64)
    }

    fn prune(&mut self) {
        while self.undo.len() >= self.retain {
            self.undo.pop_front();
        }
    }

    pub fn retained(&self) -> Vec<Tip> {
        let first = self.batch - self.undo.len() as u64;
        let roots = self.undo.iter().map(|undo| undo.root).chain([self.tree.root()]);
        (first..).zip(roots).map(|(batch, root)| Tip { batch, root }).collect()
    }

    pub fn tree_at(&self, root: &Digest) -> Result<Tree, Error> {
        let mut tree = self.tree.snapshot();
        if tree.root() == *root {
            return Ok(tree);
        }
        // the oldest record that names a key has its value at the wanted state
        let mut old = BTreeMap::new();
        for undo in self.undo.iter().rev() {
            old.extend(undo.old.iter().copied());
            if undo.root == *root {
                let old: Vec<_> = old.into_iter().collect();
                tree.update(&old)?;
                let found = tree.root();
                return if found == *root {
                    Ok(tree)
                } else {
                    Err(Error::Corrupt(format!("undo records lead to root {found:?} instead of {root:?}")))
                };
            }
        }
        Err(Error::NotRetained { root: *root })
    }
}
