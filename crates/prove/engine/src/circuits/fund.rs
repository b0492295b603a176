//! The fund circuit.

use tsz_aggregator::ProofError;
use tsz_fund::{Class, FundAir, FundRecord, ProveError, VerifyError, Witness, counts, public_values, verify};
use tsz_ledger::{AlgorithmId, ExecClaim, Family};
use tsz_stark::{F, Profile};
use tsz_trade::Params;

use crate::error::EngineError;
use crate::execute::OpRecord;
use crate::measure::Stopwatch;
use crate::registry::{
    BaseKeys, CircuitId, ExecCircuit, ExecJob, KeyInfo, Keyed, LazyKeys, OpRows, Proven,
};

/// One size class.
pub struct Fund {
    class: &'static Class,
    keys: LazyKeys<FundAir>,
}

impl Fund {
    /// The circuit of a size class.
    pub fn new(class: &'static Class, profile: Profile) -> Self {
        let id = CircuitId { family: "fund", class: class.name };
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

/// The ops as the circuit takes them.
fn records(ops: &[(u32, &OpRecord)], with_accesses: bool) -> Vec<FundRecord> {
    let accesses = |r: &OpRecord| if with_accesses { r.accesses.clone() } else { Vec::new() };
    let record =
        |(index, r): &(u32, &OpRecord)| FundRecord { index: *index, op: r.op.clone(), accesses: accesses(r) };
    ops.iter().map(record).collect()
}

impl Keyed for Fund {
    fn id(&self) -> CircuitId {
        self.keys.id()
    }

    fn algorithm(&self) -> AlgorithmId {
        Family::Fund.algorithm()
    }

    fn key(&self) -> Result<KeyInfo, EngineError> {
        self.keys.info()
    }

    fn base(&self) -> Option<&dyn BaseKeys> {
        Some(&self.keys)
    }
}

impl ExecCircuit for Fund {
    fn fits(&self, _: &Params, ops: &[(u32, &OpRecord)]) -> bool {
        // Only the kinds of the ops count.
        self.class.holds(&counts(&records(ops, false)))
    }

    fn prove(&self, job: &ExecJob<'_>) -> Result<Proven<ExecClaim>, EngineError> {
        let pk = self.keys.pk()?;
        let watch = Stopwatch::start();
        let witness = Witness::new(self.class, &job.context, &records(job.ops, true), job.start)
            .map_err(|error| self.error(error.into()))?;
        let trace = watch.cost();
        let watch = Stopwatch::start();
        let (claim, proof) = witness.prove(pk).map_err(|error| self.error(error))?;
        Ok(Proven { claim, proof, trace, prove: watch.cost() })
    }

    fn verify(&self, claim: &ExecClaim, proof: &[u8]) -> Result<(), ProofError> {
        verify(self.keys.vk()?, claim, proof).map_err(|error| match error {
            VerifyError::Stark(error) => ProofError::Verify(error),
            other => ProofError::Claim(other.to_string()),
        })
    }

    fn op_rows(&self) -> Vec<OpRows> {
        tsz_fund::op_rows().into_iter().map(|(op, rows)| OpRows { op, rows }).collect()
    }

    fn publics(&self, claim: &ExecClaim) -> Vec<Vec<F>> {
        public_values(claim)
    }
}
