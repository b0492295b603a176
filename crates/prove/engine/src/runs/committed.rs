//! Proofs of runs that come with the system: those of examples, of the demo and of the workload of all
//! families, whose runs are always the same.

use super::exchange::RunProof;
use super::{RunFailure, RunJob, RunProver};

/// Files of `guests/runs`, made by `scripts/prove-runs.sh --pin`.
const FILES: &[&[u8]] = &[
    include_bytes!("../../../../../guests/runs/block-0.run"),
    include_bytes!("../../../../../guests/runs/block-1.run"),
    include_bytes!("../../../../../guests/runs/demo-0.run"),
    include_bytes!("../../../../../guests/runs/grid-0.run"),
    include_bytes!("../../../../../guests/runs/grid-1.run"),
    include_bytes!("../../../../../guests/runs/families-0.run"),
];

/// The committed proofs. A run of the same output is the same run: the output commits to the program's input, and the
/// seals to program and output.
#[derive(Clone, Copy, Debug)]
pub struct CommittedRuns(&'static [&'static [u8]]);

impl Default for CommittedRuns {
    fn default() -> Self {
        Self(FILES)
    }
}

impl CommittedRuns {
    /// The proofs, not verified.
    pub fn proofs(&self) -> impl Iterator<Item = RunProof> {
        self.0.iter().filter_map(|bytes| RunProof::from_bytes(bytes, "guests/runs").ok())
    }

    fn find(&self, job: &RunJob<'_>) -> Result<RunProof, RunFailure> {
        let proof = self.proofs().find(|proof| proof.check(job, "").is_ok());
        let proof = proof.ok_or(RunFailure::Unknown)?;
        Ok(RunProof { cpu_ms: 0, peak_rss_bytes: 0, ..proof })
    }
}

impl RunProver for CommittedRuns {
    fn measure(&self, job: &RunJob<'_>) -> Result<Vec<u32>, RunFailure> {
        self.find(job).map(|proof| proof.sizes())
    }

    fn prove(&self, job: &RunJob<'_>) -> Result<RunProof, RunFailure> {
        self.find(job)
    }
}

#[cfg(test)]
mod tests {
    use tsz_segment::verify_run;

    use super::*;
    use crate::runs::guests;

    #[test]
    fn every_file_is_a_proof_of_a_guest_and_holds() {
        let guests = guests().unwrap();
        for (k, bytes) in FILES.iter().enumerate() {
            let proof = RunProof::from_bytes(bytes, "guests/runs").unwrap();
            assert!(guests.iter().any(|pin| pin.root == proof.image), "{k}");
            let seals: Vec<&[u32]> = proof.segments.iter().map(|s| s.seal.as_slice()).collect();
            verify_run(&proof.image, &proof.output, &seals).unwrap();
        }
    }
}
