//! Proven and conjectured security of a vk.
//!
//! Computed by p3-security from the vk: FRI (unique decoding or the best list-decoding radius), the batching
//! challenge, ALI, DEEP, the LogUp fingerprint, and collision resistance of the hash. Both figures here are the
//! **union bound** over the terms, a fraction of a bit below p3-security's minimum. Of FRI the proven figure adds up
//! the query phase and every folding round, where p3-security takes the larger of the query phase and one round.

use p3_batch_stark::num_batched_openings;
use p3_security::fri::{
    FriRegime, commit_phase_error_ldr_m, commit_phase_error_udr, conjectured_error, query_phase_error,
};
use p3_security::logup::{LogUpAir, security_term};
use p3_security::proximity::{alpha_ldr_m, alpha_udr};
use p3_security::stark::{conjectured_security_report, proven_security_report};
use p3_security::{
    ErrorBits, GrindingSites, InstanceShape, LowDegreeTest, RegimeReport, SecurityTerm, StarkAirParams,
};
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
    let proven = proven_security_report(&Summed(regime), &air, &shape, &extras, &grinding);
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

/// The parameters with the fewest queries, at most as many as given, that prove `bits`.
pub(crate) fn with_fewest_queries(params: FriParams, tables: &[TableInfo], bits: f64) -> Option<FriParams> {
    let with = |num_queries| FriParams { num_queries, ..params };
    let prove = |queries: usize| security_of(&with(queries), tables).proven_bits >= bits;
    if !prove(params.num_queries) {
        return None;
    }
    // More queries prove more: `few` are not enough, `enough` are.
    let (mut few, mut enough) = (0, params.num_queries);
    while enough - few > 1 {
        let middle = (few + enough) / 2;
        if prove(middle) {
            enough = middle;
        } else {
            few = middle;
        }
    }
    Some(with(enough))
}

/// The errors of all folding rounds by that of the first one.
///
/// A round that folds n points by arity a has an error in proportion to (a - 1) n / r, with r the rate less one
/// coefficient, and leaves n / a points. As (a - 1) n = a (n - n / a), the sum over all rounds is below (largest
/// arity) n, where p3-security counts (largest arity - 1) n for the first. The rate of the last rounds, of 32
/// coefficients and more, is smaller by a factor of 31/32 at most.
fn all_rounds(regime: &FriRegime, first: ErrorBits) -> ErrorBits {
    let arity = f64::from(1u32 << regime.max_log_arity.clamp(1, 16));
    let last = f64::from(1u32 << regime.log_final_poly_len.clamp(1, 16));
    ErrorBits::from_log2((first.bits() - (arity / (arity - 1.0) * last / (last - 1.0)).log2()).max(0.0))
}

/// FRI with the errors of the query phase and of all folding rounds added up.
struct Summed(FriRegime);

impl Summed {
    /// The sum for words that agree on a share `alpha` with the code; `least` is 0 where a theorem does not apply.
    fn sum(&self, least: ErrorBits, alpha: f64, commit: Option<ErrorBits>) -> ErrorBits {
        if least.bits() <= 0.0 {
            return least;
        }
        let query = query_phase_error(alpha, self.0.num_queries, self.0.query_pow_bits);
        match commit {
            Some(first) => ErrorBits::sum(&[query, all_rounds(&self.0, first)]),
            None => query,
        }
    }
}

impl LowDegreeTest for Summed {
    fn log_blowup(&self) -> usize {
        self.0.log_blowup
    }

    fn proven_error_udr(&self, air: &StarkAirParams, shape: &InstanceShape) -> ErrorBits {
        let alpha = alpha_udr(shape.log_trace_length, self.0.log_blowup, air.max_combo);
        self.sum(self.0.proven_error_udr(air, shape), alpha, commit_phase_error_udr(&self.0, shape))
    }

    fn best_ldr(&self, air: &StarkAirParams, shape: &InstanceShape) -> Option<(usize, ErrorBits)> {
        let candidates = self.ldr_candidates(air, shape);
        candidates.into_iter().max_by(|a, b| a.1.bits().total_cmp(&b.1.bits()))
    }

    fn ldr_candidates(&self, air: &StarkAirParams, shape: &InstanceShape) -> Vec<(usize, ErrorBits)> {
        let sum = |(m, least)| {
            let commit = commit_phase_error_ldr_m(&self.0, shape, m);
            (m, self.sum(least, alpha_ldr_m(self.0.log_blowup, m), commit))
        };
        self.0.ldr_candidates(air, shape).into_iter().map(sum).collect()
    }

    fn conjectured_error(&self, shape: &InstanceShape) -> ErrorBits {
        conjectured_error(&self.0, shape)
    }

    fn conjectured_terms(&self, shape: &InstanceShape) -> Vec<SecurityTerm> {
        self.0.conjectured_terms(shape)
    }
}

/// Evaluations that a table opens.
pub(crate) fn openings(info: &TableInfo) -> usize {
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
