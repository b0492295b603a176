//! The deleverage circuit.

use tsz_aggregator::ProofError;
use tsz_deleverage::{
    Class, Counts, DeleverageAir, DeleverageRecord, ProveError, VerifyError, Witness, public_values, verify,
};
use tsz_ledger::{AlgorithmId, ExecClaim, Family};
use tsz_stark::{F, Profile};
use tsz_trade::{Op, Params};

use crate::error::EngineError;
use crate::execute::OpRecord;
use crate::measure::Stopwatch;
use crate::registry::{BaseKeys, CircuitId, ExecCircuit, ExecJob, KeyInfo, Keyed, LazyKeys, OpRows, Proven};

/// One size class.
pub struct Deleverage {
    class: &'static Class,
    keys: LazyKeys<DeleverageAir>,
}

impl Deleverage {
    /// The circuit of a size class.
    pub fn new(class: &'static Class, profile: Profile) -> Self {
        let id = CircuitId { family: "deleverage", class: class.name };
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

/// The operations among some records; the registry hands this circuit none of another family.
fn records_of(ops: &[(u32, &OpRecord)]) -> Vec<DeleverageRecord> {
    let record_of = |(index, record): &(u32, &OpRecord)| match &record.op {
        Op::Trade(op) => {
            Some(DeleverageRecord { index: *index, op: op.clone(), accesses: record.accesses.clone() })
        }
        _ => None,
    };
    ops.iter().filter_map(record_of).collect()
}

impl Keyed for Deleverage {
    fn id(&self) -> CircuitId {
        self.keys.id()
    }

    fn algorithm(&self) -> AlgorithmId {
        Family::Deleverage.algorithm()
    }

    fn key(&self) -> Result<KeyInfo, EngineError> {
        self.keys.info()
    }

    fn base(&self) -> Option<&dyn BaseKeys> {
        Some(&self.keys)
    }
}

impl ExecCircuit for Deleverage {
    fn fits(&self, params: &Params, ops: &[(u32, &OpRecord)]) -> bool {
        Counts::of(params, &records_of(ops)).is_ok_and(|counts| self.class.holds(&counts))
    }

    fn prove(&self, job: &ExecJob<'_>) -> Result<Proven<ExecClaim>, EngineError> {
        let pk = self.keys.pk()?;
        let watch = Stopwatch::start();
        let records = records_of(job.ops);
        let witness = Witness::new(self.class, &job.context, job.params, &records, job.start)
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
        tsz_deleverage::op_rows().into_iter().map(|(op, rows)| OpRows { op, rows }).collect()
    }

    fn publics(&self, claim: &ExecClaim) -> Vec<Vec<F>> {
        public_values(claim)
    }
}
