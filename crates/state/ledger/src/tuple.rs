//! Native tuple sponge and transition set (docs/src/tuple.md).

use alloc::vec::Vec;
use thiserror::Error;
use tsz_hash::{Block, Digest, Domain, F, PrimeCharacteristicRing, PrimeField32, Sponge, ZERO, compress};

use crate::access::Access;
use crate::context::AlgorithmId;

/// Slots of a transition set.
pub const SET_SLOTS: usize = 64;
/// Levels of the transition set's tree.
pub const SET_DEPTH: usize = 6;
/// Accesses of one op: below 2^12.
pub const MAX_ACCESSES: usize = 4095;
/// Keys in the first block of a tuple.
pub const KEYS_FIRST: usize = 3;
/// Keys in each further key block.
pub const KEYS_BLOCK: usize = 4;

/// `hi + 2^26 * write, lo`: an access's key as it is absorbed.
pub fn key_felts(access: &Access) -> [F; 2] {
    let [hi, lo] = access.key.felts();
    [hi + F::from_u32(u32::from(access.write) << 26), lo]
}

/// The blocks of op `i`'s tuple, in order; the second value is the number of input blocks.
///
/// # Panics
/// With more than [`MAX_ACCESSES`] accesses or none.
pub fn blocks(i: u32, accesses: &[Access]) -> (Vec<Block>, usize) {
    let n = accesses.len();
    assert!((1..=MAX_ACCESSES).contains(&n), "an op has 1..=4095 accesses, got {n}");
    let nv = n + accesses.iter().filter(|a| a.write).count();
    let mut out = Vec::with_capacity(1 + n.div_ceil(KEYS_BLOCK) + nv);
    let mut first = ZERO;
    first[0] = F::from_u32(i);
    first[1] = F::from_usize(n + (nv << 12));
    let (head, tail) = accesses.split_at(n.min(KEYS_FIRST));
    for (k, a) in head.iter().enumerate() {
        first[2 + 2 * k..4 + 2 * k].copy_from_slice(&key_felts(a));
    }
    out.push(first);
    for chunk in tail.chunks(KEYS_BLOCK) {
        let mut block = ZERO;
        for (k, a) in chunk.iter().enumerate() {
            block[2 * k..2 * k + 2].copy_from_slice(&key_felts(a));
        }
        out.push(block);
    }
    out.extend(accesses.iter().map(|a| a.old));
    let inputs = out.len();
    out.extend(accesses.iter().filter(|a| a.write).map(|a| a.new));
    (out, inputs)
}

/// Input and output digest of one op inside its vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuple {
    /// Commits to everything before and including what the op read.
    pub input: Digest,
    /// Commits to that and to what the op wrote.
    pub output: Digest,
}

/// The long sponge over the tuples of one algorithm id.
#[derive(Clone, Debug)]
pub struct TupleSponge {
    sponge: Sponge,
    count: u32,
}

impl TupleSponge {
    /// Starts at a capacity: the context digest C, or the end of a preceding range.
    pub fn new(start: Digest) -> Self {
        Self { sponge: Sponge::new(start), count: 0 }
    }

    /// Absorbs op `i`.
    pub fn absorb(&mut self, i: u32, accesses: &[Access]) -> Tuple {
        let (blocks, inputs) = blocks(i, accesses);
        let mut input = ZERO;
        for (k, block) in blocks.iter().enumerate() {
            self.sponge.absorb(block);
            if k + 1 == inputs {
                input = self.sponge.digest();
            }
        }
        self.count += 1;
        Tuple { input, output: self.sponge.digest() }
    }

    /// The commitment so far.
    pub fn commitment(&self) -> Digest {
        self.sponge.digest()
    }

    /// Ops absorbed.
    pub fn count(&self) -> u32 {
        self.count
    }
}

/// One used leaf of a transition set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetLeaf {
    /// Algorithm id.
    pub algorithm: AlgorithmId,
    /// Number of ops.
    pub count: u32,
    /// Commitment to the tuple vector.
    pub commitment: Digest,
}

impl SetLeaf {
    /// Digest of the leaf.
    pub fn digest(&self) -> Digest {
        let mut sponge = Sponge::new(Domain::SetLeaf.iv(24));
        sponge.absorb(&self.algorithm);
        sponge.absorb(&self.commitment);
        let mut last = ZERO;
        last[0] = F::from_u32(self.count);
        sponge.absorb(&last);
        sponge.digest()
    }
}

/// Why a list of leaves is not a transition set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SetError {
    /// More algorithm ids than slots.
    #[error("{0} algorithm ids in a batch, at most {SET_SLOTS}")]
    TooMany(usize),
    /// Leaves not strictly increasing by algorithm id.
    #[error("leaf {0} of the transition set is not in strict order of algorithm ids")]
    Unsorted(usize),
    /// A used leaf without ops.
    #[error("leaf {0} of the transition set counts no op")]
    Empty(usize),
}

/// The set of tuple vectors of a batch, sorted by algorithm id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransitionSet {
    leaves: Vec<SetLeaf>,
}

fn order(alg: &AlgorithmId) -> [u32; 8] {
    core::array::from_fn(|k| alg[k].as_canonical_u32())
}

impl TransitionSet {
    /// Checks order and counts.
    pub fn new(leaves: Vec<SetLeaf>) -> Result<Self, SetError> {
        if leaves.len() > SET_SLOTS {
            return Err(SetError::TooMany(leaves.len()));
        }
        if let Some(k) = leaves.iter().position(|l| l.count == 0) {
            return Err(SetError::Empty(k));
        }
        if let Some(k) = leaves.windows(2).position(|w| order(&w[0].algorithm) >= order(&w[1].algorithm)) {
            return Err(SetError::Unsorted(k + 1));
        }
        Ok(Self { leaves })
    }

    /// Splits the interleaved ops of a batch (op k has sequence number k) by algorithm id.
    pub fn from_ops(
        context: Digest,
        ops: &[(AlgorithmId, impl AsRef<[Access]>)],
    ) -> Result<(Self, Vec<usize>), SetError> {
        let mut algorithms: Vec<AlgorithmId> = ops.iter().map(|(a, _)| *a).collect();
        algorithms.sort_unstable_by_key(order);
        algorithms.dedup();
        let mut sponges: Vec<TupleSponge> = algorithms.iter().map(|_| TupleSponge::new(context)).collect();
        let mut slots = Vec::with_capacity(ops.len());
        for (i, (alg, accesses)) in (0u32..).zip(ops) {
            let slot = algorithms.partition_point(|a| order(a) < order(alg));
            sponges[slot].absorb(i, accesses.as_ref());
            slots.push(slot);
        }
        let leaves = algorithms.into_iter().zip(&sponges).map(|(algorithm, s)| SetLeaf {
            algorithm,
            count: s.count(),
            commitment: s.commitment(),
        });
        Ok((Self::new(leaves.collect())?, slots))
    }

    /// The used leaves, in order.
    pub fn leaves(&self) -> &[SetLeaf] {
        &self.leaves
    }

    /// All nodes as a heap of 128: entry 1 is the root, entries 64.. are the leaves, entry 0 is unused.
    pub fn heap(&self) -> Vec<Digest> {
        let mut heap = alloc::vec![ZERO; 2 * SET_SLOTS];
        for (k, leaf) in self.leaves.iter().enumerate() {
            heap[SET_SLOTS + k] = leaf.digest();
        }
        for k in (1..SET_SLOTS).rev() {
            heap[k] = compress(&heap[2 * k], &heap[2 * k + 1]);
        }
        heap
    }

    /// The transition set commitment.
    pub fn root(&self) -> Digest {
        self.heap()[1]
    }
}
