//! The manage circuit.

use tsz_aggregator::ProofError;
use tsz_ledger::{AlgorithmId, ExecClaim, Family};
use tsz_manage::{
    Class, Counts, ManageAir, ManageRecord, ProveError, VerifyError, Witness, public_values, verify,
};
use tsz_stark::{F, Profile};
use tsz_trade::{Op, Params, TradeOp};

use crate::error::EngineError;
use crate::execute::OpRecord;
use crate::measure::Stopwatch;
use crate::registry::{BaseKeys, CircuitId, ExecCircuit, ExecJob, KeyInfo, Keyed, LazyKeys, OpRows, Proven};

/// One size class.
pub struct Manage {
    class: &'static Class,
    keys: LazyKeys<ManageAir>,
}

impl Manage {
    /// The circuit of a size class.
    pub fn new(class: &'static Class, profile: Profile) -> Self {
        let id = CircuitId { family: "manage", class: class.name };
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
fn ops<'a>(ops: &'a [(u32, &'a OpRecord)]) -> impl Iterator<Item = (u32, &'a TradeOp, &'a OpRecord)> + 'a {
    ops.iter().filter_map(|(index, record)| match &record.op {
        Op::Trade(op) => Some((*index, op, *record)),
        _ => None,
    })
}

impl Keyed for Manage {
    fn id(&self) -> CircuitId {
        self.keys.id()
    }

    fn algorithm(&self) -> AlgorithmId {
        Family::Manage.algorithm()
    }

    fn key(&self) -> Result<KeyInfo, EngineError> {
        self.keys.info()
    }

    fn base(&self) -> Option<&dyn BaseKeys> {
        Some(&self.keys)
    }
}

impl ExecCircuit for Manage {
    fn fits(&self, params: &Params, records: &[(u32, &OpRecord)]) -> bool {
        self.class.holds(&Counts::of(params, ops(records).map(|(_, op, _)| op)))
    }

    fn prove(&self, job: &ExecJob<'_>) -> Result<Proven<ExecClaim>, EngineError> {
        let pk = self.keys.pk()?;
        let watch = Stopwatch::start();
        let record = |(index, op, record): (u32, &TradeOp, &OpRecord)| ManageRecord {
            index,
            op: op.clone(),
            accesses: record.accesses.clone(),
        };
        let records: Vec<ManageRecord> = ops(job.ops).map(record).collect();
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
        tsz_manage::op_rows().into_iter().map(|(op, rows)| OpRows { op, rows }).collect()
    }

    fn publics(&self, claim: &ExecClaim) -> Vec<Vec<F>> {
        public_values(claim)
    }
}
