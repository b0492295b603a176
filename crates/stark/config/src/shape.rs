//! Shape of a proof: every length is fixed by the vk and is checked before any arithmetic.

use p3_batch_stark::BatchProof;
use p3_batch_stark::proof::OpenedValuesWithLookups;
use p3_fri::{BatchMultiOpening, FriProof, fold_schedule};
use thiserror::Error;

use crate::circuit::{TableInfo, VerifyingKey};
use crate::config::{Commitment, Config, EXT_DEGREE, ExtField, ExtMmcs, F, ValMmcs};

/// A vector of a proof has another length than the vk demands.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("proof shape: {what}: expected {expected}, got {got}")]
pub struct ShapeError {
    /// Which part of the proof.
    pub what: &'static str,
    /// What the vk demands.
    pub expected: usize,
    /// What the proof has.
    pub got: usize,
}

type Result<T> = core::result::Result<T, ShapeError>;
type Opening = FriProof<ExtField, ExtMmcs, F, Vec<BatchMultiOpening<F, ValMmcs>>>;

fn expect(what: &'static str, expected: usize, got: usize) -> Result<()> {
    if expected == got { Ok(()) } else { Err(ShapeError { what, expected, got }) }
}

fn expect_at_most(what: &'static str, bound: usize, got: usize) -> Result<()> {
    if got <= bound { Ok(()) } else { Err(ShapeError { what, expected: bound, got }) }
}

fn len_or(len: Option<usize>) -> usize {
    len.map_or(0, |n| n + 1)
}

/// Checks every length of a proof against the vk.
pub(crate) fn check<A>(vk: &VerifyingKey<A>, proof: &BatchProof<Config>) -> Result<()> {
    let n = vk.tables.len();
    expect("tables", n, proof.opened_values.instances.len())?;
    expect("degrees", n, proof.degree_bits.len())?;
    expect("lookup terminals", n, proof.lookup_terminals.len())?;
    for (&expected, &got) in vk.log_heights.iter().zip(&proof.degree_bits) {
        expect("log height", expected, got)?;
    }
    let has_lookups = vk.tables.iter().any(|t| t.aux_width > 0);
    let roots = 1 << vk.params.cap_height;
    let cap = |what, cap: &Commitment| expect(what, roots, cap.num_roots());
    cap("main commitment", &proof.commitments.main)?;
    cap("quotient commitment", &proof.commitments.quotient_chunks)?;
    expect("lookup commitment", has_lookups.into(), proof.commitments.permutation.is_some().into())?;
    if let Some(commitment) = &proof.commitments.permutation {
        cap("lookup commitment", commitment)?;
    }
    expect("random commitment", 0, proof.commitments.random.is_some().into())?;
    expect("lookup grinding witness", has_lookups.into(), proof.lookup_pow_witness.is_some().into())?;
    for (info, (opened, terminal)) in
        vk.tables.iter().zip(proof.opened_values.instances.iter().zip(&proof.lookup_terminals))
    {
        expect("lookup terminal", (info.aux_width > 0).into(), terminal.is_some().into())?;
        check_opened_values(info, opened)?;
    }
    check_opening(vk, &proof.opening_proof)
}

fn check_opened_values(info: &TableInfo, opened: &OpenedValuesWithLookups<ExtField>) -> Result<()> {
    let base = &opened.base_opened_values;
    expect("trace at zeta", info.width, base.trace_local.len())?;
    let next = info.main_next.then_some(info.width);
    expect("trace at next zeta", len_or(next), len_or(base.trace_next.as_ref().map(Vec::len)))?;
    let width = (info.preprocessed_width > 0).then_some(info.preprocessed_width);
    expect("preprocessed at zeta", len_or(width), len_or(base.preprocessed_local().map(<[_]>::len)))?;
    let next = width.filter(|_| info.preprocessed_next);
    expect("preprocessed at next zeta", len_or(next), len_or(base.preprocessed_next().map(<[_]>::len)))?;
    expect("quotient chunks", info.quotient_chunks, base.quotient_chunks.len())?;
    for chunk in &base.quotient_chunks {
        expect("quotient chunk", EXT_DEGREE, chunk.len())?;
    }
    expect("random values", 0, base.random.is_some().into())?;
    expect("lookup columns at zeta", info.aux_width, opened.permutation_local.len())?;
    expect("lookup columns at next zeta", info.aux_width, opened.permutation_next.len())
}

/// Width and log height of each matrix of each commitment, in the verifier's order.
fn batches<A>(vk: &VerifyingKey<A>) -> Vec<Vec<(usize, usize)>> {
    let tables = &vk.tables;
    let main = tables.iter().map(|t| (t.width, t.log_height)).collect();
    let quotient = tables
        .iter()
        .flat_map(|t| std::iter::repeat_n((EXT_DEGREE, t.log_height), t.quotient_chunks))
        .collect();
    let mut batches = vec![main, quotient];
    let mut push = |matrices: Vec<(usize, usize)>| {
        if !matrices.is_empty() {
            batches.push(matrices);
        }
    };
    push(tables.iter().map(|t| (t.preprocessed_width, t.log_height)).filter(|m| m.0 > 0).collect());
    push(tables.iter().map(|t| (t.aux_width, t.log_height)).filter(|m| m.0 > 0).collect());
    batches
}

fn check_opening<A>(vk: &VerifyingKey<A>, opening: &Opening) -> Result<()> {
    let params = &vk.params;
    let queries = params.num_queries;
    let mut heights: Vec<usize> = vk.log_heights.iter().map(|h| h + params.log_blowup).collect();
    heights.sort_unstable_by(|a, b| b.cmp(a));
    heights.dedup();
    let schedule =
        fold_schedule(&heights, params.log_blowup + params.log_final_poly_len, params.max_log_arity);
    expect("folding commitments", schedule.len(), opening.commit_phase_commits.len())?;
    expect("folding grinding witnesses", schedule.len(), opening.commit_pow_witnesses.len())?;
    expect("folding openings", schedule.len(), opening.commit_phase_openings.len())?;
    expect("final polynomial", 1 << params.log_final_poly_len, opening.final_poly.len())?;
    let mut log_height = heights.first().copied().unwrap_or(0);
    for ((commitment, step), log_arity) in
        opening.commit_phase_commits.iter().zip(&opening.commit_phase_openings).zip(schedule)
    {
        expect("folding commitment", 1 << params.cap_height, commitment.num_roots())?;
        expect("folding queries", queries, step.sibling_values.len())?;
        for siblings in &step.sibling_values {
            expect("folding siblings", (1 << log_arity) - 1, siblings.len())?;
        }
        log_height -= log_arity;
        let path = step.opening_proof.sibling_hashes.len();
        expect_at_most("folding Merkle path", queries * log_height, path)?;
    }
    let batches = batches(vk);
    expect("opened commitments", batches.len(), opening.input_openings.len())?;
    for (matrices, opened) in batches.iter().zip(&opening.input_openings) {
        expect("opened queries", queries, opened.opened_values.len())?;
        for row in &opened.opened_values {
            expect("opened matrices", matrices.len(), row.len())?;
            for (&(width, _), values) in matrices.iter().zip(row) {
                expect("opened row", width, values.len())?;
            }
        }
        let tallest = matrices.iter().map(|m| m.1).max().unwrap_or(0) + params.log_blowup;
        let path = opened.opening_proof.sibling_hashes.len();
        expect_at_most("opened Merkle path", queries * tallest, path)?;
    }
    Ok(())
}
