//! The published realm, rebuilt from published data.

use alloc::boxed::Box;
use alloc::vec::Vec;
use thiserror::Error;
use tsz_hash::{Digest, ZERO, compress};
use tsz_ledger::{Access, BatchContext, CellError, Key, Leaf, OutRecord};
use tsz_smt::{Proof, Tree, empty};

use crate::data::{Data, Roots, is_derived};
use crate::error::WriteError;

/// A key of the private realm: the root of the other half lies beside its path.
const PRIVATE: u64 = Key::ctl(0, 0).raw();

/// Why published data does not lead from one state to the next. The realm is unchanged then.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ApplyError {
    /// Data of another system.
    #[error("the data is of another system")]
    System,
    /// Not the next batch.
    #[error("expected batch {expected}, got {got}")]
    Batch {
        /// The next batch.
        expected: u64,
        /// The batch of the data.
        got: u64,
    },
    /// The data starts from another state.
    #[error("batch {batch} starts from root {got:?}, the state has {expected:?}")]
    OldRoot {
        /// The batch.
        batch: u64,
        /// Root of the present state.
        expected: Box<Digest>,
        /// Root in the data.
        got: Box<Digest>,
    },
    /// The parameter hash of the header is not what the PARAMS cell held before the batch.
    #[error("batch {0} names other parameters than the state")]
    Params(u64),
    /// A leaf has the value that it has already, so it is no difference.
    #[error("key {key:#x} does not change")]
    Unchanged {
        /// Its key.
        key: u64,
    },
    /// The genesis has withdrawal records.
    #[error("a genesis has no withdrawals")]
    Withdrawals,
    /// A number of the header is out of range.
    #[error("batch number, time or account number out of range")]
    Head,
    /// The state that results has another root.
    #[error("batch {batch} leads to root {computed:?}, the data says {stated:?}")]
    NewRoot {
        /// The batch.
        batch: u64,
        /// Root of the rebuilt realm and the private root.
        computed: Box<Digest>,
        /// Root in the data.
        stated: Box<Digest>,
    },
    /// Keys that the tree refuses.
    #[error(transparent)]
    Tree(#[from] tsz_smt::Error),
    /// A rebuilt cell is corrupt, though its root is as stated.
    #[error(transparent)]
    Cell(#[from] CellError),
}

/// Realm 0 as of a batch, and the root of the private realm beside it.
#[derive(Clone, Debug)]
pub struct Realm {
    system: Digest,
    batch: u64,
    published: Tree,
    private: Digest,
}

impl Realm {
    /// The first state. Whoever has the data must compare [`Realm::root`] with the genesis root on L1.
    ///
    /// # Errors
    /// [`ApplyError`] unless it is the difference of a genesis from the empty tree.
    pub fn genesis(data: &Data) -> Result<Self, ApplyError> {
        let system = data.context.system;
        let none = Self { system, batch: 0, published: Tree::new(), private: *empty(1) };
        if data.context.batch != 0 {
            return Err(ApplyError::Batch { expected: 0, got: data.context.batch });
        }
        if !data.withdrawals.is_empty() {
            return Err(ApplyError::Withdrawals);
        }
        none.next(data)
    }

    /// Goes on to the next batch. Its root is then the one that the data states; whoever has the data must
    /// compare it with the one on L1.
    ///
    /// # Errors
    /// [`ApplyError`] for data that is not the difference between this state and one with the stated root.
    pub fn apply(&mut self, data: &Data) -> Result<(), ApplyError> {
        let (expected, got) = (self.batch.saturating_add(1), data.context.batch);
        if got != expected {
            return Err(ApplyError::Batch { expected, got });
        }
        if data.context.system != self.system {
            return Err(ApplyError::System);
        }
        *self = self.next(data)?;
        Ok(())
    }

    fn next(&self, data: &Data) -> Result<Self, ApplyError> {
        let (batch, root) = (data.context.batch, self.root());
        if data.roots.old != root {
            let (expected, got) = (Box::new(root), Box::new(data.roots.old));
            return Err(ApplyError::OldRoot { batch, expected, got });
        }
        if data.context.params != self.get(Key::PARAMS) {
            return Err(ApplyError::Params(batch));
        }
        let mut published = self.published.snapshot();
        published.update(&self.writes(data)?)?;
        let next = Self { system: self.system, batch, published, private: data.roots.private };
        let computed = next.root();
        if computed != data.roots.new {
            let (computed, stated) = (Box::new(computed), Box::new(data.roots.new));
            return Err(ApplyError::NewRoot { batch, computed, stated });
        }
        Ok(next)
    }

    /// The published leaves, and those that follow from header and withdrawal records.
    fn writes(&self, data: &Data) -> Result<Vec<(u64, Leaf)>, ApplyError> {
        let mut writes = Vec::with_capacity(data.leaves.len() + 2);
        for (key, leaf) in &data.leaves {
            if *leaf == self.get(*key) {
                return Err(ApplyError::Unchanged { key: key.raw() });
            }
            writes.push((key.raw(), *leaf));
        }
        writes.push((Key::HEAD.raw(), data.head().ok_or(ApplyError::Head)?));
        let out = data.withdrawals.iter().fold(self.get(Key::OUT), |out, record| record.chain(&out));
        writes.push((Key::OUT.raw(), out));
        Ok(writes)
    }

    /// Number of the last batch; 0 after the genesis.
    pub fn batch(&self) -> u64 {
        self.batch
    }

    /// The state root.
    pub fn root(&self) -> Digest {
        compress(&self.published_root(), &self.private)
    }

    /// Root of the published realm: the left child of the state root.
    pub fn published_root(&self) -> Digest {
        self.published.proof(PRIVATE).siblings[0]
    }

    /// Root of the private realm: the right child of the state root.
    pub fn private_root(&self) -> Digest {
        self.private
    }

    /// The leaf at a key; zeros in the private realm.
    pub fn get(&self, key: Key) -> Leaf {
        self.published.get(key.raw())
    }

    /// The leaves that are not empty, by increasing key.
    pub fn leaves(&self) -> impl Iterator<Item = (Key, Leaf)> + '_ {
        self.published.leaves().filter_map(|(key, leaf)| Some((Key::new(key)?, leaf)))
    }

    /// Proof of a published leaf against the state root.
    pub fn proof(&self, key: Key) -> Proof {
        let mut proof = self.published.proof(key.raw());
        proof.siblings[0] = self.private;
        proof
    }
}

/// Root of the private realm of a whole state tree.
fn private_root(tree: &Tree) -> Digest {
    tree.proof(Key::HEAD.raw()).siblings[0]
}

/// The published data of a batch that takes `before` to `after` by these accesses, in order.
///
/// # Errors
/// As [`Data::from_accesses`].
pub fn batch_data<'a>(
    context: BatchContext,
    before: &Tree,
    after: &Tree,
    accesses: impl IntoIterator<Item = &'a Access>,
    withdrawals: Vec<OutRecord>,
) -> Result<Data, WriteError> {
    let roots = Roots { old: before.root(), new: after.root(), private: private_root(after) };
    Data::from_accesses(context, roots, accesses, withdrawals)
}

/// The published data of a first state: its difference from the empty tree.
///
/// # Errors
/// [`WriteError`] for a state that is no genesis: batches were made, or money was withdrawn.
pub fn genesis_data(system: Digest, tree: &Tree) -> Result<Data, WriteError> {
    let head = tree.get(Key::HEAD.raw());
    let time = <tsz_ledger::HeadCell as tsz_ledger::Cell>::from_leaf(&head)?.time.get();
    let context = BatchContext { system, batch: 0, time, params: ZERO };
    let out = tree.get(Key::OUT.raw());
    if out != ZERO {
        return Err(WriteError::Withdrawals { computed: ZERO, state: out });
    }
    let roots = Roots { old: *empty(0), new: tree.root(), private: private_root(tree) };
    let published = tree.leaves().take_while(|(key, _)| *key < PRIVATE);
    let leaves = published.filter_map(|(key, leaf)| Some((Key::new(key)?, leaf)));
    Data::new(context, roots, &head, leaves.filter(|(key, _)| !is_derived(*key)).collect(), Vec::new())
}
