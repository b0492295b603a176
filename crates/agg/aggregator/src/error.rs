//! Why a bundle is refused.

use thiserror::Error;
use tsz_codec::CodecError;
use tsz_ledger::tuple::SetError;

use crate::MAX_BUNDLE_BYTES;
use crate::verifier::ProofError;

/// Why a bundle is refused.
#[derive(Debug, Error)]
pub enum AggregationError {
    /// More bytes than any bundle has.
    #[error("bundle of {0} bytes exceeds {MAX_BUNDLE_BYTES}")]
    TooLong(usize),
    /// The bytes are not the encoding of a bundle.
    #[error("malformed bundle: {0}")]
    Decode(#[from] CodecError),
    /// A bundle without a batch says nothing.
    #[error("the bundle holds no batch")]
    Empty,
    /// The vk tree of the verifier is not the expected one.
    #[error("the vk tree root is not the expected one")]
    VkRoot,
    /// The first root is not the expected one.
    #[error("the first state root is not the expected one")]
    FirstRoot,
    /// The last root is not the expected one.
    #[error("the last state root is not the expected one")]
    LastRoot,
    /// The system is not the expected one.
    #[error("the batches are of another system")]
    System,
    /// The first batch has not the expected number.
    #[error("first batch has number {got}, expected {expected}")]
    FirstBatch {
        /// Number expected.
        expected: u64,
        /// Number found.
        got: u64,
    },
    /// A batch is refused; `index` counts from 0 in the bundle.
    #[error("batch {index} of the bundle: {error}")]
    Batch {
        /// Place in the bundle.
        index: usize,
        /// What is wrong with it.
        error: BatchError,
    },
}

/// Why a batch is refused.
#[derive(Debug, Error)]
pub enum BatchError {
    /// A number that no encoding of a bundle can hold.
    #[error("{0} exceeds its width")]
    Width(&'static str),
    /// The root before is not the root after the previous batch.
    #[error("the root before is not the root after the previous batch")]
    RootChain,
    /// The number is not the previous one plus 1.
    #[error("batch number {got}, expected {expected}")]
    Number {
        /// Number expected.
        expected: u64,
        /// Number found.
        got: u64,
    },
    /// Time runs backwards.
    #[error("batch time {got} is before the previous batch's {previous}")]
    Time {
        /// Time of the previous batch in ms.
        previous: u64,
        /// Time found.
        got: u64,
    },
    /// Another system than the previous batch.
    #[error("another system than the previous batch")]
    System,
    /// The leaves are not a transition set.
    #[error(transparent)]
    Set(#[from] SetError),
    /// The leaves hash to another root than the header's.
    #[error("the transition set has another root than the header")]
    SetRoot,
    /// The leaves count other than the header's ops.
    #[error("the leaves count {got} ops, the header {expected}")]
    Ops {
        /// Ops of the header.
        expected: u32,
        /// Sum over the leaves.
        got: u64,
    },
    /// The transition key is not in the vk tree under the transition algorithm.
    #[error("the transition vk is not listed")]
    TransitionVk,
    /// The transition proof does not verify.
    #[error("transition proof: {0}")]
    Transition(ProofError),
    /// A leaf has no exec proof.
    #[error("leaf {0} of the transition set is met by no proof")]
    Unmet(usize),
    /// The ranges of a leaf stop before its commitment.
    #[error("leaf {leaf}: the ranges count {got} ops and end elsewhere, the leaf counts {expected}")]
    Unfinished {
        /// Index of the leaf.
        leaf: usize,
        /// Ops of the leaf.
        expected: u32,
        /// Ops of the ranges.
        got: u64,
    },
    /// The ranges of a leaf count its ops but end at another commitment.
    #[error("leaf {0}: the last range ends at another commitment")]
    Commitment(usize),
    /// No proof, or more than one, holds the BeginBatch op.
    #[error("{0} proofs hold a BeginBatch op, expected 1")]
    BeginCount(usize),
    /// An exec proof is refused; `index` counts from 0 in the batch.
    #[error("exec proof {index}: {error}")]
    Exec {
        /// Place in the batch.
        index: usize,
        /// What is wrong with it.
        error: ExecError,
    },
}

/// Why an exec proof is refused.
#[derive(Debug, Error)]
pub enum ExecError {
    /// (algorithm, vk) is not in the vk tree.
    #[error("the vk is not listed for this algorithm")]
    Vk,
    /// The algorithm id is that of transition circuits.
    #[error("a transition circuit executes no ops")]
    TransitionAlgorithm,
    /// Other system, batch number or time than the header.
    #[error("system, batch number or time differ from the header")]
    Context,
    /// A range without ops.
    #[error("the range counts no op")]
    EmptyRange,
    /// The range does not start where the previous one ends (the first: at the context digest).
    #[error("the range does not start where the one before it ends")]
    Gap,
    /// The ranges before it already meet the leaf.
    #[error("leaf {0} is already met")]
    MetTwice(usize),
    /// The ranges count more ops than the leaf.
    #[error("the ranges count {got} ops, the leaf {expected}")]
    Count {
        /// Ops of the leaf.
        expected: u32,
        /// Ops of the ranges so far.
        got: u64,
    },
    /// No leaf of the set, or none that is left, has this algorithm id.
    #[error("the proof meets no leaf of the transition set")]
    LeftOver,
    /// A proof of another family than fund claims the BeginBatch op.
    #[error("only a fund proof holds a BeginBatch op")]
    BeginAlgorithm,
    /// The run is one of another program than the claim's.
    #[error("the run is of another program")]
    Program,
    /// The journal does not start at the capacity at which the tuples of the range do (the first: the context digest).
    #[error("the journal of the run does not start where the tuples of its range do")]
    JournalGap,
    /// The proof does not verify.
    #[error("{0}")]
    Proof(ProofError),
}
