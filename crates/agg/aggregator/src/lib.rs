//! The native aggregation check: what a bundle of proofs says about a chain of batches (docs/src/aggregation.md).
//!
//! [`check`] takes bytes and states, without any witness, exactly what the PLONK aggregator proves later:
//! each batch takes the state root from `s0` to `sn`, every op of it obeys the rules of its algorithm, and the
//! batches follow on one another. It never panics on any bytes.
//!
//! Proofs are verified through a [`VerifierSet`], so this crate names no circuit; [`VkSet`] is the set that
//! circuits register in.

mod bundle;
mod check;
mod error;
mod run;
mod verifier;

pub use bundle::{BatchProofs, Bundle, ExecProof, TransitionProof, VkRef};
pub use check::{Expectation, check, check_bundle};
pub use error::{AggregationError, BatchError, ExecError};
pub use run::{GuestRun, MAX_SEAL_WORDS, MAX_SEGMENTS, image};
pub use verifier::{
    ExecVerifier, GuardVerifier, ProofError, RunVerifier, TransitionVerifier, VerifierSet, VkSet,
};

/// Ops of one batch stay below this, far below the field order: no count has a second representation.
pub const MAX_OPS: u32 = 1 << 24;
/// Batches of one bundle.
pub const MAX_BATCHES: usize = 1 << 12;
/// Exec proofs of one batch.
pub const MAX_EXECS: usize = 1 << 10;
/// Bytes of the longest bundle that is even looked at.
pub const MAX_BUNDLE_BYTES: usize = 1 << 30;

#[cfg(test)]
mod tests;
