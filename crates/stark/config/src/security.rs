//! Proven and conjectured security of a vk.
//!
//! Computed by p3-security from the vk: FRI (unique decoding or the best list-decoding radius), the batching
//! challenge, ALI, DEEP, the LogUp fingerprint, and collision resistance of the hash. Both figures here are the
//! **union bound** over the terms, a fraction of a bit below p3-security's minimum.

use p3_batch_stark::num_batched_openings;
use p3_security::fri::FriRegime;
use p3_security::logup::{LogUpAir, security_term};
use p3_security::stark::{conjectured_security_report, proven_security_report};
use p3_security::{GrindingSites, InstanceShape, RegimeReport, StarkAirParams};
use p3_uni_stark::OpeningShape;

use crate::circuit::{TableInfo, VerifyingKey};
use crate::config::{EXT_BITS, EXT_DEGREE};
use crate::params::FriParams;

/// Bits of collision resistance of an 8-felt digest.
const COLLISION_BITS: usize = 124;

/// One error source.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// p3-security's name of the error source.
    pub label: &'static str,
    /// `-log2` of the error, grinding included.
    pub bits: f64,
}

/// Security of a vk in bits.
#[derive(Clone, Debug, PartialEq)]
pub struct Security {
    /// Proven, whatever is conjectured about proximity gaps.
    pub proven_bits: f64,
    /// Under the random-words conjecture (eprint 2025/2010).
    pub conjectured_bits: f64,
    /// The terms of the proven bound.
    pub proven_terms: Vec<Term>,
    /// The terms of the conjectured bound.
    pub conjectured_terms: Vec<Term>,
}

/// Computes the security of a vk.
pub fn security<A>(vk: &VerifyingKey<A>) -> Security {
    security_of(vk.params(), vk.tables())
}

/// Computes the security of tables proven with some parameters.
pub fn security_of(params: &FriParams, tables: &[TableInfo]) -> Security {
    let regime = FriRegime {
        log_blowup: params.log_blowup,
        num_queries: params.num_queries,
        log_final_poly_len: params.log_final_poly_len,
        max_log_arity: params.max_log_arity,
        commit_pow_bits: params.commit_pow_bits,
        query_pow_bits: params.query_pow_bits,
    };
    let grinding = GrindingSites {
        out_of_domain: params.ood_pow_bits,
        batch_combination: params.batch_pow_bits,
        lookup_challenge: params.lookup_pow_bits,
    };
    let air = StarkAirParams {
        num_constraints: tables.iter().map(|t| t.constraints).sum(),
        max_constraint_degree: tables.iter().map(|t| t.degree).max().unwrap_or(1).max(1),
        num_quotient_chunks: tables.iter().map(|t| t.quotient_chunks).max().unwrap_or(1),
        max_combo: 2,
    };
    let log_trace_length = tables.iter().map(|t| t.log_height).max().unwrap_or(0);
    let shape = InstanceShape {
        log_trace_length,
        modulus_bits: EXT_BITS,
        collision_resistance: COLLISION_BITS,
        num_batched_functions: tables.iter().map(openings).sum(),
    };
    // The term counts messages of all rows of all tables; it is given as messages per row of the tallest.
    let messages: usize = tables.iter().map(|t| t.interactions << t.log_height).sum();
    let logup = LogUpAir {
        num_interactions: messages.div_ceil(1 << log_trace_length),
        max_message_width: tables.iter().map(|t| t.max_message_width).max().unwrap_or(0),
    };
    let extras: Vec<_> = security_term(&logup, &shape, &grinding).into_iter().collect();
    let proven = proven_security_report(&regime, &air, &shape, &extras, &grinding);
    let conjectured = conjectured_security_report(&regime, &air, &shape, &extras, &grinding);
    let best = [Some(&proven.udr), proven.ldr.as_ref()]
        .into_iter()
        .flatten()
        .max_by(|a, b| union_bits(a).total_cmp(&union_bits(b)))
        .unwrap_or(&proven.udr);
    Security {
        proven_bits: union_bits(best),
        conjectured_bits: union_bits(&conjectured),
        proven_terms: terms(best),
        conjectured_terms: terms(&conjectured),
    }
}

/// The parameters with the fewest queries that prove `bits`; as they are if even they prove less.
pub(crate) fn with_fewest_queries(params: FriParams, tables: &[TableInfo], bits: f64) -> FriParams {
    (1..params.num_queries)
        .map(|num_queries| FriParams { num_queries, ..params })
        .find(|fewer| security_of(fewer, tables).proven_bits >= bits)
        .unwrap_or(params)
}

fn openings(info: &TableInfo) -> usize {
    num_batched_openings(
        info.width,
        info.main_next,
        info.preprocessed_width,
        info.preprocessed_next,
        info.quotient_chunks,
        (info.aux_width / EXT_DEGREE).saturating_sub(1),
        EXT_DEGREE,
        OpeningShape::new(),
    )
}

fn terms(report: &RegimeReport) -> Vec<Term> {
    report.terms().iter().map(|t| Term { label: t.label, bits: t.bits.bits() }).collect()
}

fn union_bits(report: &RegimeReport) -> f64 {
    let error: f64 = report.terms().iter().map(|t| (-t.bits.bits()).exp2()).sum();
    -error.log2()
}
