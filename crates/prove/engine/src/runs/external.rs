//! The prover of runs as an executable of its own: risc0 and its C++ are no part of this program.
//!
//! It is not trusted to answer: a request has a time limit, a reply a length, and a process that keeps to neither is
//! killed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::exchange::{RunProof, request};
use super::talk::{Stop, talk};
use super::{RunFailure, RunJob, RunProver};

/// Name of the executable.
pub const RUN_PROVER: &str = "tsz-run-prover";
/// Environment variable that names it.
pub const RUN_PROVER_VAR: &str = "TSZ_RUN_PROVER";
/// Environment variable with the seconds that the proof of a run may take: for the caller to read.
pub const RUN_PROVER_LIMIT_VAR: &str = "TSZ_RUN_PROVER_LIMIT";
/// Time for the proof of a run where nobody says another: 16 segments of 2^18 cycles are some 70 CPU minutes.
const LIMIT: Duration = Duration::from_secs(2 * 60 * 60);
/// Most time for measuring a run, which takes seconds.
const MEASURE_LIMIT: Duration = Duration::from_secs(5 * 60);

/// An executable that speaks the protocol of docs/src/extensions.md.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalProver {
    path: PathBuf,
    limit: Duration,
}

impl ExternalProver {
    /// The executable at a path, with two hours for the proof of a run.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), limit: LIMIT }
    }

    /// With another time for the proof of a run; measuring one may take as long, and at most five minutes.
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The executable that the environment variable names, or one beside this program, or one in PATH.
    pub fn find() -> Option<Self> {
        if let Some(path) = std::env::var_os(RUN_PROVER_VAR).filter(|path| !path.is_empty()) {
            return Some(Self::new(path));
        }
        let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.to_owned()));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = beside.into_iter().chain(std::env::split_paths(&path));
        folders.map(|folder| folder.join(RUN_PROVER)).find(|file| file.is_file()).map(Self::new)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn ask(&self, job: &RunJob<'_>, prove: bool) -> Result<RunProof, RunFailure> {
        let start = |source| RunFailure::Start { path: self.name(), source };
        let limit = if prove { self.limit } else { self.limit.min(MEASURE_LIMIT) };
        let mut command = Command::new(&self.path);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().map_err(start)?;
        let said = talk(child, request(job, prove), limit).map_err(start)?;
        let (path, reason) = (self.name(), said.reason);
        let reply = match said.reply {
            Ok(reply) => reply,
            Err(Stop::Time) => return Err(RunFailure::Time { path, seconds: limit.as_secs(), reason }),
            Err(Stop::Length) => return Err(RunFailure::Flood { path }),
            Err(Stop::Status(status)) => {
                let reason = if reason.is_empty() { status.to_string() } else { reason };
                return Err(RunFailure::Failed { path, reason });
            }
        };
        let proof = RunProof::from_bytes(&reply, &path)?;
        proof.check(job, &path)?;
        Ok(proof)
    }
}

impl RunProver for ExternalProver {
    fn measure(&self, job: &RunJob<'_>) -> Result<Vec<u32>, RunFailure> {
        Ok(self.ask(job, false)?.sizes())
    }

    fn prove(&self, job: &RunJob<'_>) -> Result<RunProof, RunFailure> {
        self.ask(job, true)
    }
}
