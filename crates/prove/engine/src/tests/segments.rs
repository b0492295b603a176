//! Proofs of runs in segments that the aggregation tree has no program for.

use std::sync::Arc;

use super::programs::{FIXTURE, batches, test_registry};
use crate::runs::*;
use crate::*;

/// Word of a seal that says how many cycles its segment has: it follows the version and the 90 globals.
const PO2: usize = 91;

/// Measures as the committed proofs are, and changes the one that it gives.
struct Changed(fn(&mut Vec<Segment>));

impl RunProver for Changed {
    fn measure(&self, job: &RunJob<'_>) -> Result<Vec<u32>, RunFailure> {
        CommittedRuns::default().measure(job)
    }
    fn prove(&self, job: &RunJob<'_>) -> Result<RunProof, RunFailure> {
        let mut proof = CommittedRuns::default().prove(job)?;
        self.0(&mut proof.segments);
        Ok(proof)
    }
}

/// Why there is no proof of the first batch.
fn failure(change: fn(&mut Vec<Segment>)) -> RunFailure {
    let mut registry = test_registry();
    registry.set_run_prover(Arc::new(Changed(change)));
    match prove_batch(&batches()[0], &registry, &FIXTURE.pins, &|_| {}) {
        Err(EngineError::Run { batch: 1, program: "grid", ops: 2, error }) => *error,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a proof"),
    }
}

/// What was measured is not believed: the seals say it.
#[test]
fn a_proof_in_other_segments_than_the_tree_takes_is_refused_whatever_was_measured() {
    let many = |segments: &mut Vec<Segment>| segments.resize(17, segments[0].clone());
    assert!(matches!(failure(many), RunFailure::Segments(sizes) if sizes.len() == 17));
    for change in [|s: &mut Vec<Segment>| s[0].seal[PO2] = 12, |s: &mut Vec<Segment>| s[0].seal[PO2] = 20] {
        assert!(matches!(failure(change), RunFailure::Segments(sizes) if sizes.len() == 1));
    }
    // A size that the tree takes, in a seal that is of another; seals that say nothing; none.
    for change in [
        |s: &mut Vec<Segment>| s[0].seal[PO2] = 16,
        |s: &mut Vec<Segment>| s[0].seal.truncate(PO2),
        |s: &mut Vec<Segment>| s.clear(),
        |s: &mut Vec<Segment>| s.push(s[0].clone()),
    ] {
        assert!(matches!(failure(change), RunFailure::Refused(_)));
    }
}
