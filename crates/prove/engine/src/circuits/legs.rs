//! The guard of extension programs that move positions.

use tsz_aggregator::ProofError;
use tsz_guard::margin::{MarginClass, MarginCounts, MarginWitness, margin_public_values, verify_margin};
use tsz_guard::{GuardAir, ProveError, VerifyError};
use tsz_hash::ZERO;
use tsz_ledger::{AlgorithmId, GuardClaim};
use tsz_stark::{F, Profile};
use tsz_trade::Params;

use super::guard::records_of;
use crate::error::EngineError;
use crate::execute::OpRecord;
use crate::measure::Stopwatch;
use crate::registry::{BaseKeys, CircuitId, GuardCircuit, GuardJob, KeyInfo, Keyed, LazyKeys, Proven};

/// One size class. It holds operations without legs too; those of a range without any go to [`super::Guard`], which is
/// smaller.
pub struct Legs {
    class: &'static MarginClass,
    keys: LazyKeys<GuardAir>,
}

impl Legs {
    /// The circuit of a size class.
    pub fn new(class: &'static MarginClass, profile: Profile) -> Self {
        let id = CircuitId { family: "guard", class: class.plain.name };
        Self { class, keys: LazyKeys::new(id, move || class.circuit(profile)) }
    }

    fn error(&self, error: ProveError) -> EngineError {
        let name = self.id().to_string();
        match error {
            ProveError::Stark(error) => EngineError::Prove { name, error },
            other => EngineError::Witness { name, reason: other.to_string() },
        }
    }
}

impl Keyed for Legs {
    fn id(&self) -> CircuitId {
        self.keys.id()
    }

    /// None of its own: its keys are listed under the algorithm id of each admitted program.
    fn algorithm(&self) -> AlgorithmId {
        ZERO
    }

    fn key(&self) -> Result<KeyInfo, EngineError> {
        self.keys.info()
    }

    fn base(&self) -> Option<&dyn BaseKeys> {
        Some(&self.keys)
    }
}

impl GuardCircuit for Legs {
    fn fits(&self, params: &Params, ops: &[(u32, &OpRecord)]) -> bool {
        MarginCounts::of(params, &records_of(ops)).is_ok_and(|counts| self.class.holds(&counts))
    }

    fn prove(&self, job: &GuardJob<'_>) -> Result<Proven<GuardClaim>, EngineError> {
        let pk = self.keys.pk()?;
        let watch = Stopwatch::start();
        let (records, starts) = (records_of(job.ops), [job.start, job.journal]);
        let witness = MarginWitness::new(self.class, &job.context, job.params, job.program, &records, starts)
            .map_err(|error| self.error(error.into()))?;
        let trace = watch.cost();
        let watch = Stopwatch::start();
        let (claim, proof) = witness.prove(pk).map_err(|error| self.error(error))?;
        Ok(Proven { claim, proof, trace, prove: watch.cost() })
    }

    fn verify(&self, claim: &GuardClaim, proof: &[u8]) -> Result<(), ProofError> {
        verify_margin(self.keys.vk()?, claim, proof).map_err(|error| match error {
            VerifyError::Stark(error) => ProofError::Verify(error),
            other => ProofError::Claim(other.to_string()),
        })
    }

    fn publics(&self, claim: &GuardClaim) -> Vec<Vec<F>> {
        margin_public_values(claim, self.class.log_heights().len())
    }
}
