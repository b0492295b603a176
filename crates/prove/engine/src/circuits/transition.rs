//! The transition circuit.

use std::collections::BTreeMap;

use tsz_aggregator::ProofError;
use tsz_hash::Digest;
use tsz_ledger::tuple::{KEYS_BLOCK, KEYS_FIRST};
use tsz_ledger::{Access, AlgorithmId, TransitionClaim};
use tsz_smt::DEPTH;
use tsz_stark::{F, Profile};
use tsz_transition::{Class, Counts, ProveError, TransitionAir, VerifyError, Witness, public_values, verify};
use tsz_vktree::transition_algorithm;

use crate::error::EngineError;
use crate::execute::ExecutedBatch;
use crate::measure::Stopwatch;
use crate::registry::{BaseKeys, CircuitId, KeyInfo, Keyed, LazyKeys, Proven, TransitionCircuit};

/// One size class.
pub struct Transition {
    class: &'static Class,
    keys: LazyKeys<TransitionAir>,
}

impl Transition {
    /// The circuit of a size class.
    pub fn new(class: &'static Class, profile: Profile) -> Self {
        let id = CircuitId { family: "transition", class: class.name };
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

impl Keyed for Transition {
    fn id(&self) -> CircuitId {
        self.keys.id()
    }

    fn algorithm(&self) -> AlgorithmId {
        transition_algorithm()
    }

    fn key(&self) -> Result<KeyInfo, EngineError> {
        self.keys.info()
    }

    fn base(&self) -> Option<&dyn BaseKeys> {
        Some(&self.keys)
    }
}

impl TransitionCircuit for Transition {
    fn fits(&self, batch: &ExecutedBatch) -> bool {
        let [least, most] = transition_counts(batch);
        self.class.holds(&most)
            || self.class.holds(&least) && exact_counts(batch).is_ok_and(|counts| self.class.holds(&counts))
    }

    fn prove(&self, batch: &ExecutedBatch) -> Result<Proven<TransitionClaim>, EngineError> {
        let pk = self.keys.pk()?;
        let watch = Stopwatch::start();
        let ops = ops(batch);
        let witness =
            Witness::new(&batch.header.context, &ops, &batch.before).map_err(|error| self.error(error))?;
        let trace = watch.cost();
        let watch = Stopwatch::start();
        let (claim, proof) = witness.prove(pk).map_err(|error| self.error(error))?;
        Ok(Proven { claim, proof, trace, prove: watch.cost() })
    }

    fn verify(&self, claim: &TransitionClaim, proof: &[u8]) -> Result<(), ProofError> {
        verify(self.keys.vk()?, claim, proof).map_err(|error| match error {
            VerifyError::Stark(error) => ProofError::Verify(error),
            other => ProofError::Claim(other.to_string()),
        })
    }

    fn publics(&self, claim: &TransitionClaim) -> Vec<Vec<F>> {
        // Six tables, then those of permutations.
        public_values(claim, self.class.circuit(Profile::Base).airs.len())
    }
}

/// The ops as the circuit takes them.
fn ops(batch: &ExecutedBatch) -> Vec<(AlgorithmId, Vec<Access>)> {
    batch.records.iter().map(|r| (r.algorithm(), r.accesses.clone())).collect()
}

/// Rows that a batch needs.
fn exact_counts(batch: &ExecutedBatch) -> Result<Counts, ProveError> {
    Ok(Witness::new(&batch.header.context, &ops(batch), &batch.before)?.counts())
}

/// Bounds of [`Witness::counts`] without a look at the tree. They differ in permutations only: how many touched
/// nodes are empty, and so hashed once for all, depends on what is beside the touched cells.
pub fn transition_counts(batch: &ExecutedBatch) -> [Counts; 2] {
    let (mut access, mut tuple) = (0, batch.set.leaves().len());
    let mut cells: BTreeMap<u64, (Digest, Digest)> = BTreeMap::new();
    for record in &batch.records {
        let n = record.accesses.len();
        access += n;
        let writes = record.accesses.iter().filter(|a| a.write).count();
        tuple += 1 + n.saturating_sub(KEYS_FIRST).div_ceil(KEYS_BLOCK) + n + writes;
        for a in &record.accesses {
            cells.entry(a.key.raw()).or_insert((a.old, a.old)).1 = a.new;
        }
    }
    let merkle = inner_nodes(cells.keys().copied());
    let changes = inner_nodes(cells.iter().filter(|(_, (old, new))| old != new).map(|(key, _)| *key));
    let slots = batch.set.leaves().len();
    // Every used slot has three sponge steps; the tree of the set has 63 inner nodes.
    let poseidon2 = tuple - slots + 3 * slots + 63;
    let least = Counts { access, leaf: cells.len(), merkle, tuple, poseidon2: poseidon2 + changes };
    [least, Counts { poseidon2: least.poseidon2 + merkle + DEPTH, ..least }]
}

/// Number of inner nodes above ascending distinct keys: a key adds those below where it leaves the one before.
fn inner_nodes(keys: impl Iterator<Item = u64>) -> usize {
    let mut previous: Option<u64> = None;
    let mut nodes = 0;
    for key in keys {
        nodes += match previous {
            None => DEPTH,
            Some(p) => 63 - (p ^ key).leading_zeros() as usize,
        };
        previous = Some(key);
    }
    nodes
}
