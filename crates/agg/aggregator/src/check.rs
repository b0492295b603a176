//! The check itself. Everything cheap is checked for all batches before the first proof is verified.

use tsz_ext::words;
use tsz_ext_sdk::MAX_EVENTS;
use tsz_hash::Digest;
use tsz_ledger::{BatchHeader, Family, SetLeaf, TransitionSet};
use tsz_vktree::{VkEntry, transition_algorithm};

use crate::bundle::{BatchProofs, Bundle, ExecProof, U48, VkRef};
use crate::error::{AggregationError, BatchError, ExecError};
use crate::verifier::{ProofError, VerifierSet};
use crate::{MAX_BUNDLE_BYTES, MAX_OPS};

/// What the caller already knows of the batches; `None` accepts anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expectation {
    /// State root before the first batch.
    pub first_root: Option<Digest>,
    /// State root after the last batch.
    pub last_root: Option<Digest>,
    /// Number of the first batch.
    pub first_batch: Option<u64>,
    /// System digest.
    pub system: Option<Digest>,
    /// Root of the vk tree.
    pub vk_root: Option<Digest>,
}

/// Checks the bytes of a bundle; returns the headers of its batches, in order.
///
/// # Errors
/// [`AggregationError`]; no bytes make it panic.
pub fn check(
    bytes: &[u8],
    vks: &dyn VerifierSet,
    expected: Option<&Expectation>,
) -> Result<Vec<BatchHeader>, AggregationError> {
    if bytes.len() > MAX_BUNDLE_BYTES {
        return Err(AggregationError::TooLong(bytes.len()));
    }
    check_bundle(&Bundle::from_bytes(bytes)?, vks, expected)
}

/// Checks a bundle that is already decoded, or was never encoded.
///
/// # Errors
/// [`AggregationError`].
pub fn check_bundle(
    bundle: &Bundle,
    vks: &dyn VerifierSet,
    expected: Option<&Expectation>,
) -> Result<Vec<BatchHeader>, AggregationError> {
    let headers: Vec<BatchHeader> = bundle.batches.iter().map(|b| b.header).collect();
    let at = |index| move |error| AggregationError::Batch { index, error };
    check_expectation(&headers, vks, &expected.copied().unwrap_or_default())?;
    for (index, pair) in headers.windows(2).enumerate() {
        check_successor(&pair[0], &pair[1]).map_err(at(index + 1))?;
    }
    for (index, batch) in bundle.batches.iter().enumerate() {
        check_capability(batch, vks).map_err(at(index))?;
    }
    let vk_root = vks.vk_root();
    for (index, batch) in bundle.batches.iter().enumerate() {
        check_structure(batch, &vk_root).map_err(at(index))?;
    }
    for (index, batch) in bundle.batches.iter().enumerate() {
        check_proofs(batch, vks).map_err(at(index))?;
    }
    Ok(headers)
}

fn check_expectation(
    headers: &[BatchHeader],
    vks: &dyn VerifierSet,
    expected: &Expectation,
) -> Result<(), AggregationError> {
    let (Some(first), Some(last)) = (headers.first(), headers.last()) else {
        return Err(AggregationError::Empty);
    };
    let differs = |want: Option<Digest>, got: Digest| want.is_some_and(|want| want != got);
    if differs(expected.vk_root, vks.vk_root()) {
        return Err(AggregationError::VkRoot);
    }
    if differs(expected.system, first.context.system) {
        return Err(AggregationError::System);
    }
    if differs(expected.first_root, first.s0) {
        return Err(AggregationError::FirstRoot);
    }
    if differs(expected.last_root, last.sn) {
        return Err(AggregationError::LastRoot);
    }
    match expected.first_batch {
        Some(expected) if expected != first.context.batch => {
            Err(AggregationError::FirstBatch { expected, got: first.context.batch })
        }
        _ => Ok(()),
    }
}

fn check_successor(previous: &BatchHeader, next: &BatchHeader) -> Result<(), BatchError> {
    let (a, b) = (&previous.context, &next.context);
    if a.system != b.system {
        return Err(BatchError::System);
    }
    let expected = a.batch.saturating_add(1);
    if b.batch != expected {
        return Err(BatchError::Number { expected, got: b.batch });
    }
    if b.time < a.time {
        return Err(BatchError::Time { previous: a.time, got: b.time });
    }
    if previous.sn != next.s0 {
        return Err(BatchError::RootChain);
    }
    Ok(())
}

/// A bundle that cannot be verified here is refused for that, before anything else is said of it.
fn check_capability(batch: &BatchProofs, vks: &dyn VerifierSet) -> Result<(), BatchError> {
    match batch.execs.iter().position(|exec| exec.run.is_some()) {
        Some(index) if !vks.has_runs() => {
            Err(BatchError::Exec { index, error: ExecError::Proof(ProofError::NoRunVerifier) })
        }
        _ => Ok(()),
    }
}

/// Everything about one batch that needs no proof verified.
fn check_structure(batch: &BatchProofs, vk_root: &Digest) -> Result<(), BatchError> {
    check_widths(batch)?;
    let set = TransitionSet::new(batch.leaves.clone())?;
    if set.root() != batch.header.set_root {
        return Err(BatchError::SetRoot);
    }
    let ops: u64 = batch.leaves.iter().map(|l| u64::from(l.count)).sum();
    if ops != u64::from(batch.header.ops) {
        return Err(BatchError::Ops { expected: batch.header.ops, got: ops });
    }
    if !is_listed(vk_root, transition_algorithm(), &batch.transition.vk) {
        return Err(BatchError::TransitionVk);
    }
    for (index, exec) in batch.execs.iter().enumerate() {
        check_exec(exec, &batch.header, vk_root).map_err(|error| BatchError::Exec { index, error })?;
    }
    check_begin(&batch.execs)?;
    check_ranges(batch)
}

/// Numbers above these widths would be the public values of smaller ones.
fn check_widths(batch: &BatchProofs) -> Result<(), BatchError> {
    let context = &batch.header.context;
    if context.batch >= U48 || context.time >= U48 {
        return Err(BatchError::Width("batch number or time"));
    }
    let counts = batch.leaves.iter().map(|l| l.count).chain(batch.execs.iter().map(|e| e.claim.count));
    if counts.chain([batch.header.ops]).any(|count| count >= MAX_OPS) {
        return Err(BatchError::Width("op count"));
    }
    // The output of a run holds the number of its events as a felt.
    let told = |e: &ExecProof| e.run.as_ref().and_then(|run| run.events).map_or(0, |(count, _)| count);
    let most = |e: &ExecProof| u64::from(e.claim.count) * MAX_EVENTS as u64;
    if batch.execs.iter().any(|exec| u64::from(told(exec)) > most(exec)) {
        return Err(BatchError::Width("number of events"));
    }
    Ok(())
}

fn is_listed(vk_root: &Digest, algorithm: Digest, vk: &VkRef) -> bool {
    vk.membership.verify(vk_root, &VkEntry { algorithm, vk: vk.digest })
}

fn check_exec(exec: &ExecProof, header: &BatchHeader, vk_root: &Digest) -> Result<(), ExecError> {
    if exec.claim.algorithm == transition_algorithm() {
        return Err(ExecError::TransitionAlgorithm);
    }
    if !is_listed(vk_root, exec.claim.algorithm, &exec.vk) {
        return Err(ExecError::Vk);
    }
    if exec.claim.context != header.context {
        return Err(ExecError::Context);
    }
    if exec.claim.count == 0 {
        return Err(ExecError::EmptyRange);
    }
    match &exec.run {
        Some(run) if run.algorithm() != exec.claim.algorithm => Err(ExecError::Program),
        _ => Ok(()),
    }
}

/// Exactly one proof, of the fund family, holds the op that sets batch number and time.
fn check_begin(execs: &[ExecProof]) -> Result<(), BatchError> {
    let fund = Family::Fund.algorithm();
    if let Some(index) = execs.iter().position(|e| e.claim.has_begin && e.claim.algorithm != fund) {
        return Err(BatchError::Exec { index, error: ExecError::BeginAlgorithm });
    }
    match execs.iter().filter(|e| e.claim.has_begin).count() {
        1 => Ok(()),
        n => Err(BatchError::BeginCount(n)),
    }
}

/// Every leaf is met by one unbroken chain of ranges, and no proof is left over.
fn check_ranges(batch: &BatchProofs) -> Result<(), BatchError> {
    let context = batch.header.context.digest();
    let mut next = 0;
    for (k, leaf) in batch.leaves.iter().enumerate() {
        next = check_leaf(k, leaf, context, &batch.execs, next)?;
    }
    if next < batch.execs.len() {
        return Err(BatchError::Exec { index: next, error: ExecError::LeftOver });
    }
    Ok(())
}

/// Follows the ranges of leaf `k` from exec proof `first`; returns the index of the proof after the last one.
fn check_leaf(
    k: usize,
    leaf: &SetLeaf,
    context: Digest,
    execs: &[ExecProof],
    first: usize,
) -> Result<usize, BatchError> {
    let (mut end, mut count, mut next) = (context, 0u64, first);
    let expected = leaf.count;
    for exec in execs.iter().skip(first).take_while(|e| e.claim.algorithm == leaf.algorithm) {
        let refuse = |error| Err(BatchError::Exec { index: next, error });
        if count == u64::from(expected) {
            return refuse(ExecError::MetTwice(k));
        }
        if exec.claim.start != end {
            return refuse(ExecError::Gap);
        }
        if let Some(run) = &exec.run {
            // the journal of a range starts at the capacity at which its tuples do
            if run.start != exec.claim.start {
                return refuse(ExecError::JournalGap);
            }
        }
        count += u64::from(exec.claim.count);
        if count > u64::from(expected) {
            return refuse(ExecError::Count { expected, got: count });
        }
        end = exec.claim.end;
        next += 1;
    }
    if next == first {
        return Err(BatchError::Unmet(k));
    }
    if count != u64::from(expected) {
        return Err(BatchError::Unfinished { leaf: k, expected, got: count });
    }
    if end != leaf.commitment {
        return Err(BatchError::Commitment(k));
    }
    Ok(next)
}

fn check_proofs(batch: &BatchProofs, vks: &dyn VerifierSet) -> Result<(), BatchError> {
    let transition = &batch.transition;
    vks.verify_transition(&transition.vk.digest, &batch.header.transition(), &transition.proof)
        .map_err(BatchError::Transition)?;
    for (index, exec) in batch.execs.iter().enumerate() {
        check_exec_proof(exec, vks)
            .map_err(|error| BatchError::Exec { index, error: ExecError::Proof(error) })?;
    }
    Ok(())
}

/// A proof that comes with a run is one of the guard, and the run must hold for what the guard let pass: same program,
/// journal and number of operations. A proof without one is of another circuit: keys of the guard verify no such proof.
fn check_exec_proof(exec: &ExecProof, vks: &dyn VerifierSet) -> Result<(), ProofError> {
    let (vk, claim) = (&exec.vk.digest, &exec.claim);
    let Some(run) = &exec.run else {
        return vks.verify_exec(vk, claim, &exec.proof);
    };
    vks.verify_guard(vk, &run.guard(claim), &exec.proof)?;
    vks.verify_run(&words(&run.image), &run.output(claim.count), &run.seals)
}
