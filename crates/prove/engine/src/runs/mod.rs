//! Runs of extension programs: what a guest did over the operations of a range, proven by risc0.
//!
//! The proofs are made outside of this program ([`ExternalProver`]) or are at hand ([`CommittedRuns`], [`KeptRuns`]).
//! Whoever gives one, it is verified by [`tsz_segment`] before it is used, so a prover can only fail.

mod committed;
mod exchange;
mod external;
mod guests;
mod kept;
mod range;
mod talk;

use std::sync::Arc;

use thiserror::Error;
use tsz_aggregator::{ProofError, RunVerifier};
use tsz_ext_sdk::Fault;
use tsz_segment::{Words, verify_run};

use crate::registry::Registry;

pub use committed::CommittedRuns;
pub use exchange::{RunProof, Segment};
pub use external::{ExternalProver, RUN_PROVER, RUN_PROVER_LIMIT_VAR, RUN_PROVER_VAR};
pub use guests::{Guest, guest, guests};
pub use kept::KeptRuns;
pub(crate) use range::ProgramRun;

/// log2 of the cycles of the largest segment.
pub const MAX_PO2: u32 = 18;
/// Segments of the longest run that a batch may hold: what one lift takes.
pub const MAX_RUN_SEGMENTS: usize = 16;

/// A run to be proven.
#[derive(Clone, Copy, Debug)]
pub struct RunJob<'a> {
    /// The program.
    pub guest: &'a Guest,
    /// What the guest reads.
    pub input: &'a [u32],
    /// What it must output.
    pub output: Words,
}

/// Why there is no proof of a run.
#[derive(Debug, Error)]
pub enum RunFailure {
    /// Nobody has a proof of it.
    #[error(
        "no prover of runs: build one with scripts/build-run-prover.sh and name it by --run-prover or {RUN_PROVER_VAR}, \
         or put {RUN_PROVER} beside tsz or into PATH"
    )]
    Unknown,
    /// The executable does not run.
    #[error("{path}: {source} (scripts/build-run-prover.sh builds it)")]
    Start {
        /// The executable.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
    /// The executable failed.
    #[error("{path} failed: {reason}")]
    Failed {
        /// The executable.
        path: String,
        /// What it said.
        reason: String,
    },
    /// The executable did not answer in time.
    #[error(
        "{path} gave no answer in {seconds} s and was stopped (--run-prover-limit or {RUN_PROVER_LIMIT_VAR} sets another \
         limit); proofs made before are kept{}", said(.reason)
    )]
    Time {
        /// The executable.
        path: String,
        /// Its limit.
        seconds: u64,
        /// What it said last.
        reason: String,
    },
    /// The executable writes without end.
    #[error("{path} answered with more bytes than any proof has, and was stopped")]
    Flood {
        /// The executable.
        path: String,
    },
    /// A reply that is none.
    #[error("{from} gave no proof of a run: {reason}")]
    Reply {
        /// Executable or file.
        from: String,
        /// What is wrong.
        reason: String,
    },
    /// A reply about another program or another output.
    #[error("{from} answers about another run: {what}")]
    Other {
        /// Executable or file.
        from: String,
        /// What differs.
        what: &'static str,
    },
    /// A proof that does not hold.
    #[error("the proof of the run is refused: {0}")]
    Refused(#[from] tsz_segment::RunError),
    /// One operation that is too much for a run.
    #[error("one operation takes {0} segments of 2^{MAX_PO2} cycles, at most {MAX_RUN_SEGMENTS}")]
    TooLong(usize),
    /// A run that the aggregation tree does not take.
    #[error(
        "a run in segments of 2^{0:?} cycles: the aggregation tree takes one of 2^13 to 2^19 or 2 to {MAX_RUN_SEGMENTS} of \
         2^13 to 2^18"
    )]
    Segments(Vec<u32>),
    /// A log that is none of its operation.
    #[error(transparent)]
    Log(#[from] tsz_ext::RunError),
    /// A program that does natively something else than when its operations were executed.
    #[error("the program stops: {0}")]
    Fault(Fault),
    /// A file could not be written.
    #[error("{path}: {source}")]
    Keep {
        /// The file.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
}

/// Last words for an error text.
fn said(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!("; it said last: {reason}") }
}

/// Who proves runs of guests. What it gives is verified by whoever asks.
pub trait RunProver: Send + Sync {
    /// log2 of the cycles of each segment of the run, in segments of at most 2^[`MAX_PO2`], without proving it.
    ///
    /// # Errors
    /// [`RunFailure`]; [`RunFailure::Unknown`] where another prover may know.
    fn measure(&self, job: &RunJob<'_>) -> Result<Vec<u32>, RunFailure>;

    /// Proves the run in the segments of [`RunProver::measure`].
    ///
    /// # Errors
    /// As [`RunProver::measure`].
    fn prove(&self, job: &RunJob<'_>) -> Result<RunProof, RunFailure>;
}

/// Provers of which the first that knows the run is asked.
#[derive(Clone, Default)]
pub struct RunProvers(pub Vec<Arc<dyn RunProver>>);

impl RunProvers {
    /// The prover of a registry, if it has one.
    pub(crate) fn of(registry: &Registry) -> Self {
        Self(registry.run_prover().cloned().into_iter().collect())
    }

    fn first<T>(&self, ask: impl Fn(&dyn RunProver) -> Result<T, RunFailure>) -> Result<T, RunFailure> {
        for prover in &self.0 {
            match ask(prover.as_ref()) {
                Err(RunFailure::Unknown) => {}
                answer => return answer,
            }
        }
        Err(RunFailure::Unknown)
    }
}

impl RunProver for RunProvers {
    fn measure(&self, job: &RunJob<'_>) -> Result<Vec<u32>, RunFailure> {
        self.first(|prover| prover.measure(job))
    }

    fn prove(&self, job: &RunJob<'_>) -> Result<RunProof, RunFailure> {
        self.first(|prover| prover.prove(job))
    }
}

/// Verifies runs by their segments' seals.
#[derive(Clone, Copy, Debug, Default)]
pub struct SegmentRuns;

impl RunVerifier for SegmentRuns {
    fn verify(&self, image: &[u32; 8], output: &[u32; 8], seals: &[Vec<u32>]) -> Result<(), ProofError> {
        verify_run(image, output, seals).map_err(|e| ProofError::Run(e.to_string()))
    }
}
