//! The store of tests, scenarios and provers.

use crate::snapshot::read_snapshot;
use crate::state::State;
use crate::{Digest, Error, Store, Tip, Tree};
use std::collections::VecDeque;
use std::path::Path;

/// A store that forgets everything when dropped.
#[derive(Debug)]
pub struct MemoryStore {
    state: State,
}

impl MemoryStore {
    /// State of batch 0 with these leaves, keeping the last `retain` roots (at least 1).
    ///
    /// # Errors
    /// A key out of range or named twice.
    pub fn new(genesis: &[(u64, Digest)], retain: usize) -> Result<Self, Error> {
        Ok(Self { state: State::new(Tree::from_leaves(genesis)?, 0, VecDeque::new(), retain) })
    }

    /// State of a snapshot file.
    ///
    /// # Errors
    /// [`Error::Snapshot`] or [`Error::Io`].
    pub fn import(snapshot: &Path, retain: usize) -> Result<Self, Error> {
        let snapshot = read_snapshot(snapshot)?;
        Ok(Self { state: State::new(snapshot.tree, snapshot.batch, VecDeque::new(), retain) })
    }
}

impl Store for MemoryStore {
    fn tip(&self) -> Tip {
        self.state.tip()
    }

    fn tree(&self) -> &Tree {
        &self.state.tree
    }

    fn commit(&mut self, batch: u64, updates: &[(u64, Digest)]) -> Result<Tip, Error> {
        let next = self.state.prepare(batch, updates)?;
        Ok(self.state.take(next))
    }

    fn retained(&self) -> Vec<Tip> {
        self.state.retained()
    }

    fn tree_at(&self, root: &Digest) -> Result<Tree, Error> {
        self.state.tree_at(root)
    }
}
