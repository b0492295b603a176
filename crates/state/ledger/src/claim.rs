//! What proofs say: the public values that the aggregator ties together.

use tsz_hash::Digest;

use crate::context::{AlgorithmId, BatchContext};

/// Claim of a precompile (or zkVM) proof: a range of one algorithm's tuple vector was computed by its rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecClaim {
    /// Algorithm id the proof is offered for; the vk tree says whether the key proves it.
    pub algorithm: AlgorithmId,
    /// System digest, batch number, batch time, parameter hash.
    pub context: BatchContext,
    /// Ops in the range.
    pub count: u32,
    /// Capacity before the range: the context digest for the first range.
    pub start: Digest,
    /// Capacity after the range.
    pub end: Digest,
    /// Whether the range holds the batch's BeginBatch op (fund family only).
    pub has_begin: bool,
}

/// Claim of a guard proof: the ops of a range of a program's tuple vector keep the rules of the guard, and what they read
/// and wrote is what a run of the program committed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardClaim {
    /// The range; its algorithm is the program.
    pub exec: ExecClaim,
    /// Capacity of the journal before the range: the context digest for the first range of the program.
    pub journal_start: Digest,
    /// Capacity of the journal after it.
    pub journal_end: Digest,
}

/// Claim of a transition proof: the ops whose tuple vectors are in the set take the tree from `s0` to `sn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransitionClaim {
    /// Root before.
    pub s0: Digest,
    /// Root after.
    pub sn: Digest,
    /// Number of ops.
    pub ops: u32,
    /// Context digest C.
    pub context: Digest,
    /// Root of the transition set.
    pub set_root: Digest,
}

/// Header of a batch: what is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// System digest, batch number, batch time, parameter hash.
    pub context: BatchContext,
    /// Root before.
    pub s0: Digest,
    /// Root after.
    pub sn: Digest,
    /// Number of ops.
    pub ops: u32,
    /// Root of the transition set.
    pub set_root: Digest,
}

impl BatchHeader {
    /// The transition claim this header stands for.
    pub fn transition(&self) -> TransitionClaim {
        TransitionClaim {
            s0: self.s0,
            sn: self.sn,
            ops: self.ops,
            context: self.context.digest(),
            set_root: self.set_root,
        }
    }
}
