//! What can go wrong between operations and a verified folder.

use std::path::{Path, PathBuf};

use thiserror::Error;
use tsz_aggregator::AggregationError;
use tsz_ledger::tuple::SetError;
use tsz_stark::ProveError;
use tsz_trade::OpReject;
use tsz_transition::Counts;
use tsz_vktree::VkTreeError;

use crate::pins::PinError;
use crate::runs::RunFailure;

/// What can go wrong between operations and a verified folder.
#[derive(Debug, Error)]
pub enum EngineError {
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// A file is longer than anything this program writes.
    #[error("{}: {got} bytes, at most {max}", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Its length.
        got: u64,
        /// The bound.
        max: u64,
    },
    /// The manifest is no manifest.
    #[error("manifest.json: {0}")]
    Manifest(serde_json::Error),
    /// The manifest is of another version.
    #[error("manifest.json: version {got}, expected {expected}")]
    ManifestVersion {
        /// Version known.
        expected: u32,
        /// Version found.
        got: u32,
    },
    /// The manifest says something else than the bundle.
    #[error("manifest.json disagrees with bundle.bin on {0}")]
    ManifestMismatch(&'static str),
    /// The bundle is refused.
    #[error(transparent)]
    Aggregation(#[from] AggregationError),
    /// A generated workload is none.
    #[error("workload: {0}")]
    Workload(String),
    /// The pinned keys are wrong, or the derived ones differ.
    #[error(transparent)]
    Pins(#[from] PinError),
    /// The keys are no vk tree.
    #[error(transparent)]
    VkTree(#[from] VkTreeError),
    /// A circuit has no keys.
    #[error("circuit {name}: {error}")]
    Setup {
        /// `family/class`.
        name: String,
        /// The reason.
        error: String,
    },
    /// The key that this program derives is not pinned.
    #[error("circuit {0}: its key is not pinned in vks.toml (run `tsz vk check`)")]
    NotPinned(String),
    /// No proof was made.
    #[error("circuit {name}: {error}")]
    Prove {
        /// `family/class`.
        name: String,
        /// The reason.
        error: ProveError,
    },
    /// A circuit cannot build its witness.
    #[error("circuit {name}: {reason}")]
    Witness {
        /// `family/class`.
        name: String,
        /// The reason.
        reason: String,
    },
    /// No circuit proves this op, or it alone exceeds the largest class.
    #[error(
        "batch {batch}: no {family} circuit proves {op} (code {code}), number {first} of the family's ops; {ops} are left"
    )]
    NoClass {
        /// Number of the batch.
        batch: u64,
        /// Family.
        family: String,
        /// Name of the op.
        op: &'static str,
        /// Its code.
        code: u32,
        /// Its place among the family's ops.
        first: usize,
        /// Ops left.
        ops: usize,
    },
    /// There is no proof of a run of a program.
    #[error("batch {batch}: a run of the program {program} over {ops} operations: {error}")]
    Run {
        /// Number of the batch.
        batch: u64,
        /// The program.
        program: &'static str,
        /// Operations of the run.
        ops: usize,
        /// The reason.
        error: Box<RunFailure>,
    },
    /// The batch as a whole is too large for every transition circuit.
    #[error(
        "batch {batch}: {ops} ops exceed the largest transition circuit: {} accesses, {} cells, {} inner nodes, \
         {} tuple blocks, {} permutations; make smaller batches",
        .counts.access, .counts.leaf, .counts.merkle, .counts.tuple, .counts.poseidon2
    )]
    BatchTooLarge {
        /// Number of the batch.
        batch: u64,
        /// Ops of the batch.
        ops: usize,
        /// Rows that it needs.
        counts: Box<Counts>,
    },
    /// A proof cannot be aggregated.
    #[error("{name}: {reason}")]
    Aggregate {
        /// Node.
        name: String,
        /// The reason.
        reason: String,
    },
    /// A run without batches cannot be proven.
    #[error("nothing to prove: the run has no batch")]
    Empty,
    /// BeginBatch is refused: batch number or time do not follow the state.
    #[error("batch cannot begin: {0}")]
    Begin(OpReject),
    /// The batch's ops are no transition set.
    #[error(transparent)]
    Set(#[from] SetError),
    /// The state tree refuses a key.
    #[error(transparent)]
    Tree(#[from] tsz_smt::Error),
    /// A cell of the state is corrupt.
    #[error("the state is corrupt: {0}")]
    State(String),
}

impl EngineError {
    pub(crate) fn io(path: &Path) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}
