//! Where the state lives between batches: the tree's leaves, the batch number and the last roots.
//!
//! - [`MemoryStore`] for tests, scenarios and provers; [`DurableStore`] on redb for a node. Both keep the whole
//!   [`Tree`] in memory; the durable one writes the changed leaves, the undo record, the batch number and the root
//!   in one atomic transaction, which is on disk when [`Store::commit`] returns. A process killed at any point
//!   reopens at the last batch whose commit took effect.
//! - Opening rebuilds the tree from the leaves and compares its root with the stored one; anything amiss is a
//!   typed [`Error`], never a panic.
//! - Each batch leaves an undo record (the old values of the leaves it changed); with the last `retain - 1` of
//!   them a leaf can be proven at any of the last `retain` roots.
//! - A state can be written to a file ([`Store::export`]) and a store made from one, bound by a checksum and by
//!   the root.
//!
//! Felts are stored as canonical 32-bit little-endian words, a leaf as 8 of them.

mod durable;
mod encode;
mod error;
mod memory;
mod snapshot;
mod state;

pub use durable::{DurableStore, Options};
pub use error::{Error, SnapshotError};
pub use memory::MemoryStore;
pub use snapshot::{Snapshot, read_snapshot};
pub use tsz_smt::{Digest, Proof, Tree};

use std::path::Path;

/// A committed state: the number of the batch that led to it (0 for genesis) and its root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Batch number.
    pub batch: u64,
    /// State root after that batch.
    pub root: Digest,
}

/// Leaves and metadata of a chain of batches.
pub trait Store {
    /// The last committed state.
    fn tip(&self) -> Tip;

    /// The tree of the last committed state; clone it for a snapshot.
    fn tree(&self) -> &Tree;

    /// Commits batch number `tip().batch + 1` as a whole; durable when it returns, where the store is. `updates`
    /// are the new values of distinct keys in any order, zeros for removal. Returns the new tip.
    ///
    /// # Errors
    /// [`Error::WrongBatch`], [`Error::Tree`], or a failed write; the store is then at its previous tip. (After a
    /// failure of the disk itself only reopening tells whether the batch was committed.)
    fn commit(&mut self, batch: u64, updates: &[(u64, Digest)]) -> Result<Tip, Error>;

    /// The states at which leaves can be proven, oldest first; the last is [`Store::tip`].
    fn retained(&self) -> Vec<Tip>;

    /// The tree at a retained root.
    ///
    /// # Errors
    /// [`Error::NotRetained`], or [`Error::Corrupt`] if the undo records do not lead to that root.
    fn tree_at(&self, root: &Digest) -> Result<Tree, Error>;

    /// Value of a leaf in the last committed state; zeros if there is none.
    fn get(&self, key: u64) -> Digest {
        self.tree().get(key)
    }

    /// Value of a leaf at a retained root and its proof. For many leaves take [`Store::tree_at`] once.
    ///
    /// # Errors
    /// As [`Store::tree_at`], and a key of more than 40 bits.
    fn proof_at(&self, root: &Digest, key: u64) -> Result<(Digest, Proof), Error> {
        if key >= tsz_smt::CAPACITY {
            return Err(Error::Tree(tsz_smt::Error::KeyOutOfRange { key }));
        }
        let tree = self.tree_at(root)?;
        Ok((tree.get(key), tree.proof(key)))
    }

    /// Writes the last committed state to a file, replacing it atomically.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn export(&self, path: &Path) -> Result<(), Error> {
        snapshot::write(self.tree(), self.tip().batch, path)
    }
}
