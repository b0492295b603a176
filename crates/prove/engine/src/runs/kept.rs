//! Proofs of runs in a folder: a run costs minutes, so a failure later on must not lose it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tsz_segment::{Words, verify_run};

use super::exchange::RunProof;
use super::{RunFailure, RunJob, RunProver};
use crate::files::write_whole;

/// A folder of proofs before another prover: what it holds is not proven again.
#[derive(Clone)]
pub struct KeptRuns {
    folder: PathBuf,
    inner: Option<Arc<dyn RunProver>>,
}

impl KeptRuns {
    /// Keeps the proofs of `inner` in a folder, which is made when there is one.
    pub fn new(folder: &Path, inner: Option<Arc<dyn RunProver>>) -> Self {
        Self { folder: folder.to_owned(), inner }
    }

    /// The file of a run: its name is the output, which commits to everything that the guest was given.
    fn file(&self, job: &RunJob<'_>) -> PathBuf {
        self.folder.join(file_name(job.guest.name, &job.output))
    }

    /// A proof that is there and holds. Anything else, a damaged file too, is not there.
    fn read(&self, job: &RunJob<'_>) -> Option<RunProof> {
        let path = self.file(job);
        let proof = RunProof::from_bytes(&fs::read(&path).ok()?, &path.display().to_string()).ok()?;
        proof.check(job, "").ok()?;
        let seals: Vec<&[u32]> = proof.segments.iter().map(|s| s.seal.as_slice()).collect();
        verify_run(&job.guest.image, &job.output, &seals).ok()?;
        Some(RunProof { cpu_ms: 0, peak_rss_bytes: 0, ..proof })
    }

    fn inner(&self) -> Result<&dyn RunProver, RunFailure> {
        self.inner.as_deref().ok_or(RunFailure::Unknown)
    }
}

/// Name of the file of a run.
pub(super) fn file_name(program: &str, output: &Words) -> String {
    format!("{program}-{}.run", tsz_ext::root_hex(output))
}

impl RunProver for KeptRuns {
    fn measure(&self, job: &RunJob<'_>) -> Result<Vec<u32>, RunFailure> {
        match self.read(job) {
            Some(proof) => Ok(proof.sizes()),
            None => self.inner()?.measure(job),
        }
    }

    fn prove(&self, job: &RunJob<'_>) -> Result<RunProof, RunFailure> {
        if let Some(proof) = self.read(job) {
            return Ok(proof);
        }
        let proof = self.inner()?.prove(job)?;
        let path = self.file(job);
        let keep = |source| RunFailure::Keep { path: path.display().to_string(), source };
        fs::create_dir_all(&self.folder).map_err(keep)?;
        write_whole(&path, &proof.to_bytes()).map_err(keep)?;
        Ok(proof)
    }
}
