//! The spot circuit.

use tsz_aggregator::ProofError;
use tsz_ledger::{Access, AlgorithmId, ExecClaim, Family};
use tsz_spot::{Class, Counts, ProveError, SpotAir, SpotRecord, VerifyError, Witness, public_values, verify};
use tsz_stark::{F, Profile};
use tsz_trade::ops::SpotTrade;
use tsz_trade::{Op, Params, TradeOp};

use crate::error::EngineError;
use crate::execute::OpRecord;
use crate::measure::Stopwatch;
use crate::registry::{BaseKeys, CircuitId, ExecCircuit, ExecJob, KeyInfo, Keyed, LazyKeys, OpRows, Proven};

/// One size class.
pub struct Spot {
    class: &'static Class,
    keys: LazyKeys<SpotAir>,
}

impl Spot {
    /// The circuit of a size class.
    pub fn new(class: &'static Class, profile: Profile) -> Self {
        let id = CircuitId { family: "spot", class: class.name };
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

/// The trades among some records; the registry hands this circuit no others.
fn trades<'a>(
    ops: &'a [(u32, &'a OpRecord)],
) -> impl Iterator<Item = (u32, &'a SpotTrade, &'a [Access])> + 'a {
    ops.iter().filter_map(|(index, record)| match &record.op {
        Op::Trade(TradeOp::SpotTrade(op)) => Some((*index, op, record.accesses.as_slice())),
        _ => None,
    })
}

impl Keyed for Spot {
    fn id(&self) -> CircuitId {
        self.keys.id()
    }

    fn algorithm(&self) -> AlgorithmId {
        Family::Spot.algorithm()
    }

    fn key(&self) -> Result<KeyInfo, EngineError> {
        self.keys.info()
    }

    fn base(&self) -> Option<&dyn BaseKeys> {
        Some(&self.keys)
    }
}

impl ExecCircuit for Spot {
    fn fits(&self, params: &Params, ops: &[(u32, &OpRecord)]) -> bool {
        let trades = trades(ops).map(|(_, op, accesses)| (op, accesses));
        self.class.holds(&Counts::of(params.spots.len(), trades))
    }

    fn prove(&self, job: &ExecJob<'_>) -> Result<Proven<ExecClaim>, EngineError> {
        let pk = self.keys.pk()?;
        let watch = Stopwatch::start();
        let record = |(index, op, accesses): (u32, &SpotTrade, &[Access])| SpotRecord {
            index,
            op: op.clone(),
            accesses: accesses.to_vec(),
        };
        let records: Vec<SpotRecord> = trades(job.ops).map(record).collect();
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
        public_values(claim, self.class.circuit(Profile::Base).airs.len())
    }

    fn op_rows(&self) -> Vec<OpRows> {
        tsz_spot::op_rows().into_iter().map(|(op, rows)| OpRows { op, rows }).collect()
    }
}
