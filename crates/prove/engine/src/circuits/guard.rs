//! The guard of extension programs.

use tsz_aggregator::ProofError;
use tsz_ext::ExtOp;
use tsz_guard::{
    Class, Counts, ExtensionRecord, GuardAir, ProveError, VerifyError, Witness, op_rows, public_values,
    verify,
};
use tsz_hash::ZERO;
use tsz_ledger::{AlgorithmId, GuardClaim};
use tsz_stark::{F, Profile};
use tsz_trade::{Op, Params};

use crate::error::EngineError;
use crate::execute::OpRecord;
use crate::measure::Stopwatch;
use crate::registry::{
    BaseKeys, CircuitId, GuardCircuit, GuardJob, KeyInfo, Keyed, LazyKeys, OpRows, Proven,
};

/// One size class.
pub struct Guard {
    class: &'static Class,
    keys: LazyKeys<GuardAir>,
}

impl Guard {
    /// The circuit of a size class.
    pub fn new(class: &'static Class, profile: Profile) -> Self {
        let id = CircuitId { family: "guard", class: class.name };
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

/// The operations of programs among some records.
pub(super) fn records_of(ops: &[(u32, &OpRecord)]) -> Vec<ExtensionRecord> {
    let extension = |(index, record): &(u32, &OpRecord)| match &record.op {
        Op::Ext(ExtOp::Extension(op)) => {
            Some(ExtensionRecord { index: *index, op: op.clone(), accesses: record.accesses.clone() })
        }
        _ => None,
    };
    ops.iter().filter_map(extension).collect()
}

impl Keyed for Guard {
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

impl GuardCircuit for Guard {
    fn fits(&self, _: &Params, ops: &[(u32, &OpRecord)]) -> bool {
        Counts::of(&records_of(ops)).is_ok_and(|counts| self.class.holds(&counts))
    }

    fn prove(&self, job: &GuardJob<'_>) -> Result<Proven<GuardClaim>, EngineError> {
        let pk = self.keys.pk()?;
        let watch = Stopwatch::start();
        let records = records_of(job.ops);
        let witness = Witness::new(self.class, &job.context, job.program, &records, job.start, job.journal)
            .map_err(|error| self.error(error.into()))?;
        let trace = watch.cost();
        let watch = Stopwatch::start();
        let (claim, proof) = witness.prove(pk).map_err(|error| self.error(error))?;
        Ok(Proven { claim, proof, trace, prove: watch.cost() })
    }

    fn verify(&self, claim: &GuardClaim, proof: &[u8]) -> Result<(), ProofError> {
        verify(self.keys.vk()?, claim, proof).map_err(|error| match error {
            VerifyError::Stark(error) => ProofError::Verify(error),
            other => ProofError::Claim(other.to_string()),
        })
    }

    fn op_rows(&self) -> Vec<OpRows> {
        op_rows().into_iter().map(|(op, rows)| OpRows { op, rows }).collect()
    }

    fn publics(&self, claim: &GuardClaim) -> Vec<Vec<F>> {
        public_values(claim)
    }
}
