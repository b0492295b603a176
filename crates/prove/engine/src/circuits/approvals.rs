//! The circuit of approvals of extension programs.

use tsz_aggregator::ProofError;
use tsz_ext::ExtOp;
use tsz_guard::{
    ApprovalClass, ApprovalOp, ApprovalRecord, ApprovalWitness, GuardAir, ProveError, VerifyError,
    approval_counts, approval_op_rows, approval_public_values, verify_approvals,
};
use tsz_ledger::{AlgorithmId, ExecClaim, Family};
use tsz_stark::{F, Profile};
use tsz_trade::{Op, Params};

use crate::error::EngineError;
use crate::execute::OpRecord;
use crate::measure::Stopwatch;
use crate::registry::{BaseKeys, CircuitId, ExecCircuit, ExecJob, KeyInfo, Keyed, LazyKeys, OpRows, Proven};

/// One size class.
pub struct Approvals {
    class: &'static ApprovalClass,
    keys: LazyKeys<GuardAir>,
}

impl Approvals {
    /// The circuit of a size class.
    pub fn new(class: &'static ApprovalClass, profile: Profile) -> Self {
        let id = CircuitId { family: "approvals", class: class.name };
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
fn records_of(ops: &[(u32, &OpRecord)]) -> Vec<ApprovalRecord> {
    let approval = |(index, record): &(u32, &OpRecord)| {
        let op = match &record.op {
            Op::Ext(ExtOp::ApproveExtension(op)) => ApprovalOp::Approve(op.clone()),
            Op::Ext(ExtOp::RevokeExtension(op)) => ApprovalOp::Revoke(op.clone()),
            _ => return None,
        };
        Some(ApprovalRecord { index: *index, op, accesses: record.accesses.clone() })
    };
    ops.iter().filter_map(approval).collect()
}

impl Keyed for Approvals {
    fn id(&self) -> CircuitId {
        self.keys.id()
    }

    fn algorithm(&self) -> AlgorithmId {
        Family::Extension.algorithm()
    }

    fn key(&self) -> Result<KeyInfo, EngineError> {
        self.keys.info()
    }

    fn base(&self) -> Option<&dyn BaseKeys> {
        Some(&self.keys)
    }
}

impl ExecCircuit for Approvals {
    fn fits(&self, _: &Params, ops: &[(u32, &OpRecord)]) -> bool {
        self.class.holds(approval_counts(&records_of(ops)))
    }

    fn prove(&self, job: &ExecJob<'_>) -> Result<Proven<ExecClaim>, EngineError> {
        let pk = self.keys.pk()?;
        let watch = Stopwatch::start();
        let records = records_of(job.ops);
        let witness = ApprovalWitness::new(self.class, &job.context, &records, job.start)
            .map_err(|error| self.error(error.into()))?;
        let trace = watch.cost();
        let watch = Stopwatch::start();
        let (claim, proof) = witness.prove(pk).map_err(|error| self.error(error))?;
        Ok(Proven { claim, proof, trace, prove: watch.cost() })
    }

    fn verify(&self, claim: &ExecClaim, proof: &[u8]) -> Result<(), ProofError> {
        verify_approvals(self.keys.vk()?, claim, proof).map_err(|error| match error {
            VerifyError::Stark(error) => ProofError::Verify(error),
            other => ProofError::Claim(other.to_string()),
        })
    }

    fn op_rows(&self) -> Vec<OpRows> {
        approval_op_rows().into_iter().map(|(op, rows)| OpRows { op, rows }).collect()
    }

    fn publics(&self, claim: &ExecClaim) -> Vec<Vec<F>> {
        approval_public_values(claim)
    }
}
