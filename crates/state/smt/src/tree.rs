//! The tree: reads, proofs, batches, snapshots.

use crate::multiproof::{self, MultiProof, Touch};
use crate::node::{self, Child, Leaves, Link};
use crate::plan::Plan;
use crate::proof::Proof;
use crate::write::Write;
use crate::{CAPACITY, DEPTH, Error, empty, goes_right};
use tsz_hash::{Digest, ZERO};

/// Keys planned at once: bounds the memory of a large batch to about 300 MB, and costs nothing measurable.
const PLAN_KEYS: usize = 1 << 16;

/// Sparse Merkle tree over positions below 2^40.
///
/// `Clone` is a snapshot: constant time, and later changes of either tree do not show in the other.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    root: Option<Link>,
}

impl Tree {
    /// The empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tree with these leaves, in any order.
    ///
    /// # Errors
    /// A key out of range or named twice.
    pub fn from_leaves(leaves: &[(u64, Digest)]) -> Result<Self, Error> {
        let mut tree = Self::new();
        tree.update(leaves)?;
        Ok(tree)
    }

    /// Root digest.
    pub fn root(&self) -> Digest {
        node::top(&self.root, 0)
    }

    /// Whether no leaf is populated.
    pub fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// An immutable copy as of now, in constant time.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        self.clone()
    }

    /// Populated leaves in ascending order of position.
    pub fn leaves(&self) -> Leaves<'_> {
        Leaves::new(self.root.as_ref())
    }

    /// Value at a position; zeros where nothing was written (and for a key of more than 40 bits).
    pub fn get(&self, key: u64) -> Digest {
        let mut slot = self.root.as_ref();
        while let Some(link) = slot {
            match &link.child {
                Child::Leaf { key: at, value } => return if *at == key { *value } else { ZERO },
                Child::Branch(branch) => {
                    let right = goes_right(key, usize::from(branch.depth));
                    slot = if right { branch.right.as_ref() } else { branch.left.as_ref() };
                }
            }
        }
        ZERO
    }

    /// Proof of the value at a position, which may be empty.
    ///
    /// # Panics
    /// If `key` has more than 40 bits.
    pub fn proof(&self, key: u64) -> Proof {
        assert!(key < CAPACITY, "key {key:#x} is not below 2^40");
        let mut siblings: [Digest; DEPTH] = core::array::from_fn(|depth| *empty(depth + 1));
        let mut slot = self.root.as_ref();
        while let Some(link) = slot {
            let parts = crate::common_depth(key, link.child.key());
            if parts < link.child.depth() {
                siblings[parts] = link.child.lift(parts + 1);
                break;
            }
            let Child::Branch(branch) = &link.child else { break };
            let depth = usize::from(branch.depth);
            let (on, off) = match goes_right(key, depth) {
                true => (&branch.right, &branch.left),
                false => (&branch.left, &branch.right),
            };
            siblings[depth] = node::top(off, depth + 1);
            slot = on.as_ref();
        }
        Proof { siblings }
    }

    /// Writes a batch, in any order of keys. Zeros remove a leaf.
    ///
    /// # Errors
    /// A key out of range or named twice; the tree is unchanged.
    pub fn update(&mut self, updates: &[(u64, Digest)]) -> Result<(), Error> {
        let mut sorted = updates.to_vec();
        sort_distinct(&mut sorted, |(key, _)| *key)?;
        for part in sorted.chunks(PLAN_KEYS) {
            self.update_sorted(part);
        }
        Ok(())
    }

    fn update_sorted(&mut self, sorted: &[(u64, Digest)]) {
        let (keys, values): (Vec<u64>, Vec<Digest>) = sorted.iter().copied().unzip();
        let plan = Plan::new(self.root.as_ref(), &keys, false);
        let changed = plan.changed(plan.old.iter().zip(&values).map(|(old, new)| old != new).collect());
        let digests = plan.digests(values.clone(), |_, _| None);
        Write { plan: &plan, keys: &keys, values: &values, digests: &digests, changed: &changed }
            .run(&mut self.root);
    }

    /// Rows of every inner node above the touched leaves, before and after the batch. The tree is unchanged.
    ///
    /// # Errors
    /// A key out of range or touched twice, or an old value that is not the tree's.
    pub fn multiproof(&self, touches: &[Touch]) -> Result<MultiProof, Error> {
        let mut touches = touches.to_vec();
        sort_distinct(&mut touches, |touch| touch.key)?;
        let batch = multiproof::Batch::new(self.root.as_ref(), &touches)?;
        Ok(batch.proof())
    }

    /// As [`Tree::multiproof`], and writes the new values: both for the price of the proof.
    ///
    /// # Errors
    /// As [`Tree::multiproof`]; the tree is unchanged.
    pub fn update_with_multiproof(&mut self, touches: &[Touch]) -> Result<MultiProof, Error> {
        let mut touches = touches.to_vec();
        sort_distinct(&mut touches, |touch| touch.key)?;
        let batch = multiproof::Batch::new(self.root.as_ref(), &touches)?;
        batch.write().run(&mut self.root);
        Ok(batch.proof())
    }
}

/// Two trees are equal when their roots are: the root commits to every leaf.
impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        self.root() == other.root()
    }
}

impl Eq for Tree {}

/// Sorts by key and refuses keys out of range or named twice.
fn sort_distinct<T>(items: &mut [T], key: impl Fn(&T) -> u64) -> Result<(), Error> {
    items.sort_unstable_by_key(&key);
    if let Some(key) = items.last().map(&key).filter(|key| *key >= CAPACITY) {
        return Err(Error::KeyOutOfRange { key });
    }
    match items.windows(2).find(|pair| key(&pair[0]) == key(&pair[1])) {
        Some(pair) => Err(Error::DuplicateKey { key: key(&pair[0]) }),
        None => Ok(()),
    }
}
