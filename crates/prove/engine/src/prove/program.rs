//! Operations of extension programs: each range is proven by the guard and by a run of the program.

use std::collections::BTreeMap;

use tsz_aggregator::{ExecProof, GuestRun};
use tsz_hash::Digest;
use tsz_ledger::{SetLeaf, TupleSponge};
use tsz_trade::Params;

use super::{Provers, choose, key, ops_of, record};
use crate::aggregate::takes_run;
use crate::error::EngineError;
use crate::execute::{ExecutedBatch, OpRecord};
use crate::measure::Stopwatch;
use crate::registry::{CircuitId, GuardCircuit, GuardJob};
use crate::report::{ProofReport, Recorder};
use crate::runs::{Guest, MAX_RUN_SEGMENTS, ProgramRun, RunFailure, RunProof, guest};

/// A range of the operations of one program: the circuit of the guard that holds it, and its run.
pub(super) struct GuardPart<'a> {
    circuit: &'a dyn GuardCircuit,
    ops: Vec<(u32, &'a OpRecord)>,
    run: ProgramRun,
}

impl GuardPart<'_> {
    /// The circuit of the guard.
    pub(super) fn circuit(&self) -> CircuitId {
        self.circuit.id()
    }
}

/// Names the run that there is no proof of.
fn failed(batch: u64, guest: &Guest, ops: usize) -> impl Fn(RunFailure) -> EngineError {
    let program = guest.name;
    move |error| EngineError::Run { batch, program, ops, error: Box::new(error) }
}

/// Cuts the operations of an admitted program into ranges, each of which is one proof of the guard and one run; `None`
/// for a leaf that is of no such program.
///
/// A run costs a thousand times what the guard costs, and time goes with full segments, so a range is as long as one
/// segment of the largest size allows. An operation that exceeds it is a range of its own.
pub(super) fn plan_program<'a>(
    batch: &'a ExecutedBatch,
    leaf: &SetLeaf,
    provers: &Provers<'a>,
    recorder: &mut Recorder<'_>,
) -> Result<Option<Vec<GuardPart<'a>>>, EngineError> {
    if !provers.pins.programs().iter().any(|program| program.algorithm.0 == leaf.algorithm) {
        return Ok(None);
    }
    let Some(guest) = guest(&leaf.algorithm) else { return Ok(None) };
    let (number, ops) = (batch.header.context.batch, ops_of(batch, leaf.algorithm));
    let (mut parts, mut first): (Vec<GuardPart<'a>>, usize) = (Vec::new(), 0);
    // The journal of a range starts where its tuples do.
    let mut tuples = TupleSponge::new(batch.header.context.digest());
    while first < ops.len() {
        let (rest, watch) = (&ops[first..], Stopwatch::start());
        recorder.start(number, "plan");
        let at = (number, &*batch.params, first);
        let part = plan_part(at, guest, tuples.commitment(), rest, provers)?;
        recorder.add(number, "plan", watch.cost());
        first += part.ops.len();
        for (index, record) in &part.ops {
            tuples.absorb(*index, &record.accesses);
        }
        parts.push(part);
    }
    Ok(Some(parts))
}

/// The range that starts at operation `first` of the program in a batch under `params`.
fn plan_part<'a>(
    (batch, params, first): (u64, &Params, usize),
    guest: Guest,
    journal: Digest,
    ops: &[(u32, &'a OpRecord)],
    provers: &Provers<'a>,
) -> Result<GuardPart<'a>, EngineError> {
    let guards = provers.registry.guards();
    let fitting = |ops: &[(u32, &OpRecord)]| {
        let no_class = || EngineError::NoClass {
            batch,
            family: format!("guard of {}", guest.name),
            op: ops[0].1.op.name(),
            code: ops[0].1.op.code(),
            first,
            ops: ops.len(),
        };
        choose(guards, ops, |guard, ops| guard.fits(params, ops)).ok_or_else(no_class)
    };
    let measured = |count: usize| -> Result<(ProgramRun, Vec<u32>), RunFailure> {
        let run = ProgramRun::new(guest, journal, &ops[..count])?;
        let sizes = provers.runs.measure(&run.job())?;
        Ok((run, sizes))
    };
    let measured = |count: usize| measured(count).map_err(failed(batch, &guest, count));
    let (_, mut count) = fitting(ops)?;
    let (mut run, mut sizes) = measured(count)?;
    if sizes.len() > 1 && count > 1 {
        // The longest prefix of one segment, or a single operation.
        let (mut low, mut high) = (1, count);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if measured(middle)?.1.len() > 1 { high = middle } else { low = middle }
        }
        count = low;
        (run, sizes) = measured(count)?;
    }
    if sizes.len() > MAX_RUN_SEGMENTS {
        return Err(failed(batch, &guest, count)(RunFailure::TooLong(sizes.len())));
    }
    // Said before hours of proving and not after them: no aggregation proof would hold such a run.
    if !takes_run(&sizes) {
        return Err(failed(batch, &guest, count)(RunFailure::Segments(sizes)));
    }
    let (class, _) = fitting(&ops[..count])?;
    Ok(GuardPart { circuit: guards[class].as_ref(), ops: ops[..count].to_vec(), run })
}

/// Proves the ranges of a program: the run, which takes long and may fail, then the guard over the same journal.
pub(super) fn prove_program(
    batch: &ExecutedBatch,
    parts: &[GuardPart<'_>],
    provers: &Provers<'_>,
    recorder: &mut Recorder<'_>,
    execs: &mut Vec<ExecProof>,
) -> Result<(), EngineError> {
    let (context, number) = (batch.header.context, batch.header.context.batch);
    let mut start = context.digest();
    for GuardPart { circuit, ops, run } in parts {
        let program = run.guest.algorithm();
        let guest_run = prove_range(number, run, ops.len(), provers, recorder)?;
        let (info, vk) = key(*circuit, program, number, provers.tree, recorder)?;
        recorder.start(number, circuit.id().family);
        let job = GuardJob { context, params: &batch.params, program, start, journal: run.start, ops };
        let proven = circuit.prove(&job)?;
        if proven.claim.journal_end != run.end {
            let reason = "the journal of the guard is not that of the run".to_owned();
            return Err(EngineError::Witness { name: circuit.id().to_string(), reason });
        }
        let (claim, costs) = (proven.claim.exec, [proven.trace, proven.prove]);
        record(recorder, number, *circuit, &info, claim.count, proven.proof.len(), costs);
        execs.push(ExecProof { claim, vk, proof: proven.proof, run: Some(guest_run) });
        start = claim.end;
    }
    Ok(())
}

/// The run with its proof and the sizes of its segments. A prover may answer in others than it measured: those have to be
/// ones that the aggregation tree takes, too.
fn checked(run: &ProgramRun, proof: RunProof) -> Result<(GuestRun, Vec<u32>), RunFailure> {
    let seals: Vec<&[u32]> = proof.segments.iter().map(|segment| segment.seal.as_slice()).collect();
    // Seals that are too short to say it are refused below.
    let sizes = tsz_segment::sizes(&seals).unwrap_or_default();
    if !sizes.is_empty() && !takes_run(&sizes) {
        return Err(RunFailure::Segments(sizes));
    }
    Ok((run.proven(proof)?, sizes))
}

/// Has a run proven, verifies the proof and reports it.
fn prove_range(
    batch: u64,
    run: &ProgramRun,
    ops: usize,
    provers: &Provers<'_>,
    recorder: &mut Recorder<'_>,
) -> Result<GuestRun, EngineError> {
    let failed = failed(batch, &run.guest, ops);
    recorder.start(batch, "run");
    let watch = Stopwatch::start();
    let proof = provers.runs.prove(&run.job()).map_err(&failed)?;
    let (mut cost, memory) = (watch.cost(), proof.peak_rss_bytes);
    // what another process used
    cost.cpu_seconds += proof.cpu_ms as f64 / 1e3;
    let stage = if proof.cpu_ms == 0 { "run (at hand)" } else { "run" };
    recorder.add(batch, stage, cost);
    let (proven, sizes) = recorder.stage(batch, "run check", || checked(run, proof)).map_err(&failed)?;
    tracing::info!(batch, program = run.guest.name, ?sizes, memory, "run proven");
    recorder.report.proofs.push(ProofReport {
        batch,
        circuit: format!("run/{}", run.guest.name),
        ops: ops as u32, // fewer than a batch has
        bytes: proven.seals.iter().map(|seal| 4 * seal.len() as u64).sum(),
        cells: BTreeMap::new(),
        proven_bits: tsz_segment::PROVEN_BITS.into(),
        conjectured_bits: tsz_segment::CONJECTURED_BITS.into(),
    });
    Ok(proven)
}
