//! The perp circuit.

use tsz_aggregator::ProofError;
use tsz_ledger::{AlgorithmId, ExecClaim, Family};
use tsz_perp::{Class, Counts, PerpAir, PerpRecord, ProveError, VerifyError, Witness, public_values, verify};
use tsz_stark::{F, Profile};
use tsz_trade::{Op, Params};

use crate::error::EngineError;
use crate::execute::OpRecord;
use crate::measure::Stopwatch;
use crate::registry::{BaseKeys, CircuitId, ExecCircuit, ExecJob, KeyInfo, Keyed, LazyKeys, Proven};

/// One size class.
pub struct Perp {
    class: &'static Class,
    keys: LazyKeys<PerpAir>,
}

impl Perp {
    /// The circuit of a size class.
    pub fn new(class: &'static Class, profile: Profile) -> Self {
        let id = CircuitId { family: "perp", class: class.name };
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

/// Records as the circuit takes them; whether it proves their ops is for it to say.
fn records(ops: &[(u32, &OpRecord)]) -> Option<Vec<PerpRecord>> {
    let record = |(index, record): &(u32, &OpRecord)| match &record.op {
        Op::Trade(op) => {
            Some(PerpRecord { index: *index, op: op.clone(), accesses: record.accesses.clone() })
        }
        _ => None,
    };
    ops.iter().map(record).collect()
}

impl Keyed for Perp {
    fn id(&self) -> CircuitId {
        self.keys.id()
    }

    fn algorithm(&self) -> AlgorithmId {
        Family::Perp.algorithm()
    }

    fn key(&self) -> Result<KeyInfo, EngineError> {
        self.keys.info()
    }

    fn base(&self) -> Option<&dyn BaseKeys> {
        Some(&self.keys)
    }
}

impl ExecCircuit for Perp {
    fn fits(&self, params: &Params, ops: &[(u32, &OpRecord)]) -> bool {
        // counting makes every row: not for a class that has too few whatever they are
        if self.class.ops() < ops.len() as u64 {
            return false;
        }
        let counts = records(ops).and_then(|records| Counts::of(params, &records).ok());
        counts.is_some_and(|counts| self.class.holds(&counts))
    }

    fn prove(&self, job: &ExecJob<'_>) -> Result<Proven<ExecClaim>, EngineError> {
        let pk = self.keys.pk()?;
        let watch = Stopwatch::start();
        let records = records(job.ops).ok_or_else(|| EngineError::Witness {
            name: self.id().to_string(),
            reason: "an operation of another family".into(),
        })?;
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

    fn publics(&self, claim: &ExecClaim) -> Vec<Vec<F>> {
        self.keys.vk().map_or_else(|_| Vec::new(), |vk| public_values(claim, vk.log_heights().len()))
    }
}
