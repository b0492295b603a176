//! From executed batches to a bundle.

use std::path::Path;

use tsz_aggregator::{BatchProofs, Bundle, ExecProof, TransitionProof, VkRef};
use tsz_hash::Digest;
use tsz_ledger::{AlgorithmId, SetLeaf};
use tsz_vktree::{VkEntry, VkTree};

use crate::circuits::transition_counts;
use crate::error::EngineError;
use crate::execute::{ExecutedBatch, OpRecord};
use crate::folder::{self, Manifest};
use crate::measure::Cost;
use crate::pins::Pins;
use crate::registry::{CircuitId, ExecCircuit, ExecJob, KeyInfo, Keyed, Registry, TransitionCircuit};
use crate::report::{Progress, ProofReport, Recorder, Report, cells};
use crate::runs::{KeptRuns, RunProver, RunProvers};

mod program;

use program::{GuardPart, plan_program, prove_program};

/// Proves batches one after the other and writes the folder `out` (docs/src/aggregation.md).
///
/// A batch and its traces are dropped before the next one is proven. Proofs of runs are kept in `runs` of the folder as
/// soon as they are made: proving into the same folder again uses them.
///
/// # Errors
/// [`EngineError`]; the folder then holds no manifest.
pub fn prove_run(
    batches: Vec<ExecutedBatch>,
    registry: &Registry,
    pins: &Pins,
    progress: Progress<'_>,
    out: &Path,
) -> Result<(Manifest, Report), EngineError> {
    folder::prepare(out)?;
    let runs = KeptRuns::new(&out.join(folder::RUNS), registry.run_prover().cloned());
    let (bundle, mut report) = prove_batches(batches, registry, pins, progress, &runs)?;
    let manifest = folder::write(out, &bundle, pins, &mut report)?;
    Ok((manifest, report))
}

/// Proves batches one after the other.
///
/// # Errors
/// [`EngineError`].
pub fn prove_bundle(
    batches: Vec<ExecutedBatch>,
    registry: &Registry,
    pins: &Pins,
    progress: Progress<'_>,
) -> Result<(Bundle, Report), EngineError> {
    prove_batches(batches, registry, pins, progress, &RunProvers::of(registry))
}

fn prove_batches(
    batches: Vec<ExecutedBatch>,
    registry: &Registry,
    pins: &Pins,
    progress: Progress<'_>,
    runs: &dyn RunProver,
) -> Result<(Bundle, Report), EngineError> {
    if batches.is_empty() {
        return Err(EngineError::Empty);
    }
    let tree = pins.tree()?;
    let of: u64 = batches.iter().map(|b| b.records.len() as u64).sum();
    let mut recorder = Recorder::new(progress);
    let mut bundle = Bundle::default();
    let provers = Provers { registry, pins, tree: &tree, runs };
    for batch in batches {
        let proofs = prove_with(&batch, &provers, &mut recorder)?;
        recorder.report.ops += batch.records.len() as u64;
        recorder.done(recorder.report.ops, of);
        bundle.batches.push(proofs);
    }
    Ok((bundle, recorder.finish()))
}

/// Proves one batch.
///
/// # Errors
/// [`EngineError`].
pub fn prove_batch(
    batch: &ExecutedBatch,
    registry: &Registry,
    pins: &Pins,
    progress: Progress<'_>,
) -> Result<(BatchProofs, Report), EngineError> {
    let mut recorder = Recorder::new(progress);
    let (tree, runs) = (pins.tree()?, RunProvers::of(registry));
    let provers = Provers { registry, pins, tree: &tree, runs: &runs };
    let proofs = prove_with(batch, &provers, &mut recorder)?;
    recorder.report.ops = batch.records.len() as u64;
    Ok((proofs, recorder.finish()))
}

/// Everything that proves, and where its keys stand.
struct Provers<'a> {
    registry: &'a Registry,
    pins: &'a Pins,
    tree: &'a VkTree,
    runs: &'a dyn RunProver,
}

/// How a leaf of the set is proven.
enum LeafPlan<'a> {
    /// By circuits of its family.
    Family(Vec<Part<'a>>),
    /// By the guard and runs of the program.
    Program(Vec<GuardPart<'a>>),
}

/// How a batch is proven.
struct Plan<'a> {
    leaves: Vec<LeafPlan<'a>>,
    transition: &'a dyn TransitionCircuit,
}

impl Plan<'_> {
    /// Circuits of the proofs, in their order.
    fn circuits(&self) -> Vec<CircuitId> {
        let of_leaf = |leaf: &LeafPlan<'_>| -> Vec<CircuitId> {
            match leaf {
                LeafPlan::Family(parts) => parts.iter().map(|part| part.circuit.id()).collect(),
                LeafPlan::Program(parts) => parts.iter().map(GuardPart::circuit).collect(),
            }
        };
        self.leaves.iter().flat_map(of_leaf).chain([self.transition.id()]).collect()
    }
}

/// Plans a batch and proves nothing: the circuits of its proofs, runs aside. Fails where an operation has no circuit, or a
/// run nobody who proves it.
///
/// # Errors
/// [`EngineError`].
pub fn plan_batch(
    batch: &ExecutedBatch,
    registry: &Registry,
    pins: &Pins,
) -> Result<Vec<CircuitId>, EngineError> {
    let (tree, runs) = (pins.tree()?, RunProvers::of(registry));
    let provers = Provers { registry, pins, tree: &tree, runs: &runs };
    plan(batch, &provers, &mut Recorder::new(&|_| {})).map(|plan| plan.circuits())
}

fn plan<'a>(
    batch: &'a ExecutedBatch,
    provers: &Provers<'a>,
    recorder: &mut Recorder<'_>,
) -> Result<Plan<'a>, EngineError> {
    let mut leaves = Vec::new();
    for leaf in batch.set.leaves() {
        leaves.push(match plan_program(batch, leaf, provers, recorder)? {
            Some(parts) => LeafPlan::Program(parts),
            None => LeafPlan::Family(plan_leaf(batch, leaf, provers.registry, recorder)?),
        });
    }
    Ok(Plan { leaves, transition: plan_transition(batch, provers.registry, recorder)? })
}

fn prove_with(
    batch: &ExecutedBatch,
    provers: &Provers<'_>,
    recorder: &mut Recorder<'_>,
) -> Result<BatchProofs, EngineError> {
    // A batch that cannot be proven is refused before the first proof.
    let Plan { leaves, transition } = plan(batch, provers, recorder)?;
    let mut execs = Vec::new();
    for leaf in &leaves {
        match leaf {
            LeafPlan::Family(parts) => prove_leaf(batch, parts, provers.tree, recorder, &mut execs)?,
            LeafPlan::Program(parts) => prove_program(batch, parts, provers, recorder, &mut execs)?,
        }
    }
    let transition = prove_transition(batch, transition, provers.tree, recorder)?;
    Ok(BatchProofs { header: batch.header, leaves: batch.set.leaves().to_vec(), transition, execs })
}

/// The ops of one algorithm with their numbers in the batch.
fn ops_of(batch: &ExecutedBatch, algorithm: AlgorithmId) -> Vec<(u32, &OpRecord)> {
    (0u32..).zip(&batch.records).filter(|(_, r)| r.algorithm() == algorithm).collect()
}

/// A range of the ops of one algorithm, with their numbers in the batch, and the circuit that holds it.
struct Part<'a> {
    circuit: &'a dyn ExecCircuit,
    ops: Vec<(u32, &'a OpRecord)>,
}

/// Cuts the ops of one algorithm into as few ranges as the classes allow.
fn plan_leaf<'a>(
    batch: &'a ExecutedBatch,
    leaf: &SetLeaf,
    registry: &'a Registry,
    recorder: &mut Recorder<'_>,
) -> Result<Vec<Part<'a>>, EngineError> {
    let number = batch.header.context.batch;
    let ops = ops_of(batch, leaf.algorithm);
    let classes = registry.execs(leaf.algorithm);
    let family = || classes.first().map_or("registered", |c| c.id().family).to_owned();
    let (mut parts, mut first) = (Vec::new(), 0);
    while first < ops.len() {
        let rest = &ops[first..];
        let no_class = || {
            let (op, code) = (ops[first].1.op.name(), ops[first].1.op.code());
            EngineError::NoClass { batch: number, family: family(), op, code, first, ops: rest.len() }
        };
        let plan = || choose(&classes, rest, |c, ops| c.fits(&batch.params, ops));
        let (class, count) = recorder.stage(number, "plan", plan).ok_or_else(no_class)?;
        parts.push(Part { circuit: classes[class].as_ref(), ops: rest[..count].to_vec() });
        first += count;
    }
    Ok(parts)
}

/// Proves the ranges of one algorithm, each from where the one before ends.
fn prove_leaf(
    batch: &ExecutedBatch,
    parts: &[Part<'_>],
    tree: &VkTree,
    recorder: &mut Recorder<'_>,
    execs: &mut Vec<ExecProof>,
) -> Result<(), EngineError> {
    let number = batch.header.context.batch;
    let mut start = batch.header.context.digest();
    for &Part { circuit, ref ops } in parts {
        let (info, vk) = key(circuit, circuit.algorithm(), number, tree, recorder)?;
        let job = ExecJob { context: batch.header.context, params: &batch.params, start, ops };
        recorder.start(number, circuit.id().family);
        let proven = circuit.prove(&job)?;
        let claim = proven.claim;
        let costs = [proven.trace, proven.prove];
        record(recorder, number, circuit, &info, claim.count, proven.proof.len(), costs);
        execs.push(ExecProof { claim, vk, proof: proven.proof, run: None });
        start = claim.end;
    }
    Ok(())
}

/// The smallest class that holds all ops, or the largest class with the longest prefix that fits it.
pub(crate) fn choose<C, T>(
    classes: &[C],
    ops: &[T],
    fits: impl Fn(&C, &[T]) -> bool,
) -> Option<(usize, usize)> {
    if let Some(class) = classes.iter().position(|c| fits(c, ops)) {
        return Some((class, ops.len()));
    }
    let last = classes.len().checked_sub(1)?;
    // Every prefix of ops that fit fits: bisect for the longest one.
    let (mut low, mut high) = (0, ops.len());
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if fits(&classes[last], &ops[..middle]) { low = middle } else { high = middle }
    }
    (low > 0).then_some((last, low))
}

/// The smallest transition circuit that holds a batch.
fn plan_transition<'a>(
    batch: &ExecutedBatch,
    registry: &'a Registry,
    recorder: &mut Recorder<'_>,
) -> Result<&'a dyn TransitionCircuit, EngineError> {
    let number = batch.header.context.batch;
    let too_large = || {
        let [least, _] = transition_counts(batch);
        EngineError::BatchTooLarge { batch: number, ops: batch.records.len(), counts: Box::new(least) }
    };
    let plan = || registry.transitions().iter().find(|c| c.fits(batch));
    recorder.stage(number, "plan", plan).map(AsRef::as_ref).ok_or_else(too_large)
}

fn prove_transition(
    batch: &ExecutedBatch,
    circuit: &dyn TransitionCircuit,
    tree: &VkTree,
    recorder: &mut Recorder<'_>,
) -> Result<TransitionProof, EngineError> {
    let number = batch.header.context.batch;
    let (info, vk) = key(circuit, circuit.algorithm(), number, tree, recorder)?;
    recorder.start(number, circuit.id().family);
    let proven = circuit.prove(batch)?;
    let costs = [proven.trace, proven.prove];
    record(recorder, number, circuit, &info, proven.claim.ops, proven.proof.len(), costs);
    Ok(TransitionProof { vk, proof: proven.proof })
}

/// Builds the keys of a circuit, if they are not yet, and finds its place in the vk tree under an algorithm.
fn key(
    circuit: &dyn Keyed,
    algorithm: AlgorithmId,
    batch: u64,
    tree: &VkTree,
    recorder: &mut Recorder<'_>,
) -> Result<(KeyInfo, VkRef), EngineError> {
    let info = recorder.stage(batch, "setup", || circuit.key())?;
    let not_pinned = || EngineError::NotPinned(circuit.id().to_string());
    let membership = tree.prove(&VkEntry { algorithm, vk: info.digest }).ok_or_else(not_pinned)?;
    let digest: Digest = info.digest;
    Ok((info, VkRef { digest, membership }))
}

fn record(
    recorder: &mut Recorder<'_>,
    batch: u64,
    circuit: &dyn Keyed,
    info: &KeyInfo,
    ops: u32,
    bytes: usize,
    costs: [Cost; 2],
) {
    let id = circuit.id();
    for (name, cost) in ["trace", "prove"].into_iter().zip(costs) {
        recorder.add(batch, &format!("{} {name}", id.family), cost);
    }
    recorder.report.proofs.push(ProofReport {
        batch,
        circuit: id.to_string(),
        ops,
        bytes: bytes as u64,
        cells: cells(&info.tables),
        proven_bits: info.security.proven_bits,
        conjectured_bits: info.security.conjectured_bits,
    });
}
