//! Circuits for tests: one table whose public values are a claim, with real proofs and no rules at all.

use std::sync::Arc;

use tsz_aggregator::ProofError;
use tsz_air::{Air, AirBuilder, BaseAir, InteractionBuilder, PrimeCharacteristicRing, WindowAccess};
use tsz_hash::F;
use tsz_ledger::context::limbs24;
use tsz_ledger::{AlgorithmId, ExecClaim, Family, TransitionClaim, TupleSponge};
use tsz_stark::{Circuit, Profile, RowMajorMatrix, TableAir, prove, verify};
use tsz_trade::Params;
use tsz_vktree::transition_algorithm;

use crate::error::EngineError;
use crate::execute::{ExecutedBatch, OpRecord};
use crate::measure::Stopwatch;
use crate::registry::*;

/// Repeats its public values in the first row.
#[derive(Clone)]
struct ClaimAir {
    publics: usize,
    name: String,
}

impl TableAir for ClaimAir {
    fn name(&self) -> String {
        self.name.clone()
    }
}

impl BaseAir<F> for ClaimAir {
    fn width(&self) -> usize {
        self.publics
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
    fn num_public_values(&self) -> usize {
        self.publics
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for ClaimAir {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = main.current_slice();
        for (k, cell) in row.iter().enumerate() {
            let public = builder.public_values()[k];
            builder.when_first_row().assert_eq(*cell, public);
        }
    }
}

/// One class: at most `max` ops.
pub struct Small {
    keys: LazyKeys<ClaimAir>,
    max: usize,
}

impl Small {
    fn new(family: &'static str, class: &'static str, publics: usize, max: usize) -> Arc<Self> {
        let build = move || {
            let air = ClaimAir { publics, name: format!("{family}_{class}") };
            Circuit::new(Profile::InsecureTest, [(air, 6)])
        };
        Arc::new(Self { keys: LazyKeys::new(CircuitId { family, class }, build), max })
    }

    fn make<C>(&self, claim: C, publics: Vec<F>) -> Result<Proven<C>, EngineError> {
        let watch = Stopwatch::start();
        let trace = RowMajorMatrix::new(publics.repeat(64), publics.len());
        let trace_cost = watch.cost();
        let proof = prove(self.keys.pk()?, &[trace], &[publics])
            .map_err(|error| EngineError::Prove { name: self.id().to_string(), error })?;
        Ok(Proven { claim, proof: proof.to_bytes().unwrap(), trace: trace_cost, prove: watch.cost() })
    }
}

impl Keyed for Small {
    fn id(&self) -> CircuitId {
        self.keys.id()
    }
    fn algorithm(&self) -> AlgorithmId {
        if self.id().family == "fund" { Family::Fund.algorithm() } else { transition_algorithm() }
    }
    fn key(&self) -> Result<KeyInfo, EngineError> {
        self.keys.info()
    }
}

fn exec_felts(c: &ExecClaim) -> Vec<F> {
    let mut out = [c.algorithm, c.context.system, c.start, c.end].concat();
    out.extend(limbs24::<2>(c.context.batch.into()));
    out.extend(limbs24::<2>(c.context.time.into()));
    out.extend([F::from_u32(c.count), F::from_bool(c.has_begin)]);
    out
}

fn transition_felts(c: &TransitionClaim) -> Vec<F> {
    let mut out = [c.s0, c.sn, c.context, c.set_root].concat();
    out.push(F::from_u32(c.ops));
    out
}

impl ExecCircuit for Small {
    fn fits(&self, _: &Params, ops: &[(u32, &OpRecord)]) -> bool {
        ops.len() <= self.max
    }
    fn prove(&self, job: &ExecJob<'_>) -> Result<Proven<ExecClaim>, EngineError> {
        let mut sponge = TupleSponge::new(job.start);
        for (i, record) in job.ops {
            sponge.absorb(*i, &record.accesses);
        }
        let claim = ExecClaim {
            algorithm: self.algorithm(),
            context: job.context,
            count: sponge.count(),
            start: job.start,
            end: sponge.commitment(),
            has_begin: job.ops.first().is_some_and(|(i, _)| *i == 0),
        };
        self.make(claim, exec_felts(&claim))
    }
    fn verify(&self, claim: &ExecClaim, proof: &[u8]) -> Result<(), ProofError> {
        Ok(verify(self.keys.vk()?, proof, &[exec_felts(claim)])?)
    }
}

impl TransitionCircuit for Small {
    fn fits(&self, batch: &ExecutedBatch) -> bool {
        batch.records.len() <= self.max
    }
    fn prove(&self, batch: &ExecutedBatch) -> Result<Proven<TransitionClaim>, EngineError> {
        let claim = batch.header.transition();
        self.make(claim, transition_felts(&claim))
    }
    fn verify(&self, claim: &TransitionClaim, proof: &[u8]) -> Result<(), ProofError> {
        Ok(verify(self.keys.vk()?, proof, &[transition_felts(claim)])?)
    }
}

/// fund/small for 4 ops, fund/large for 10, transition/small for 10, transition/large for 40.
pub fn small_registry() -> Registry {
    let mut registry = Registry::new();
    registry.add_exec(Small::new("fund", "small", 38, 4));
    registry.add_exec(Small::new("fund", "large", 38, 10));
    registry.add_transition(Small::new("transition", "small", 33, 10));
    registry.add_transition(Small::new("transition", "large", 33, 40));
    registry
}
