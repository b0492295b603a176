//! The circuits of social logins.

use tsz_aggregator::ProofError;
use tsz_ledger::{AlgorithmId, ExecClaim};
use tsz_oidc::{
    Algorithm, Class, Counts, OidcAir, OidcRecord, ProveError, VerifyError, Witness, public_values, verify,
};
use tsz_stark::{F, Profile};
use tsz_trade::Params;

use crate::error::EngineError;
use crate::execute::OpRecord;
use crate::measure::Stopwatch;
use crate::registry::{BaseKeys, CircuitId, ExecCircuit, ExecJob, KeyInfo, Keyed, LazyKeys, Proven};

/// One size class.
pub struct Oidc {
    class: &'static Class,
    keys: LazyKeys<OidcAir>,
}

impl Oidc {
    /// The circuit of a size class.
    pub fn new(class: &'static Class, profile: Profile) -> Self {
        let family = match class.algorithm() {
            Algorithm::Rs256 => "oidc",
            Algorithm::Es256 => "oidc_es256",
        };
        let id = CircuitId { family, class: class.name };
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

impl Keyed for Oidc {
    fn id(&self) -> CircuitId {
        self.keys.id()
    }

    fn algorithm(&self) -> AlgorithmId {
        self.class.family().algorithm()
    }

    fn key(&self) -> Result<KeyInfo, EngineError> {
        self.keys.info()
    }

    fn base(&self) -> Option<&dyn BaseKeys> {
        Some(&self.keys)
    }
}

impl ExecCircuit for Oidc {
    fn fits(&self, _: &Params, ops: &[(u32, &OpRecord)]) -> bool {
        self.class.holds(&Counts::of(self.class.algorithm(), ops.iter().map(|(_, record)| &record.op)))
    }

    fn prove(&self, job: &ExecJob<'_>) -> Result<Proven<ExecClaim>, EngineError> {
        let pk = self.keys.pk()?;
        let watch = Stopwatch::start();
        let record = |(index, record): &(u32, &OpRecord)| OidcRecord {
            index: *index,
            op: record.op.clone(),
            accesses: record.accesses.clone(),
        };
        let records: Vec<OidcRecord> = job.ops.iter().map(record).collect();
        let witness = Witness::new(self.class, &job.context, &records, job.start)
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
        public_values(self.class, claim)
    }
}
