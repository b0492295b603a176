//! The opening argument's transcript: claimed evaluations, batching challenge, folding rounds, final polynomial,
//! query indices.

use tsz_plonk::gadgets::hash::{self, Digest};
use tsz_plonk::gadgets::transcript::Transcript;
use tsz_plonk::{Bit, Builder, Ext, Felt};
use tsz_stark::F;

use crate::batch::{check_pow, observe_cap, observe_constants};
use crate::layout::Layout;

/// Evaluations at the out-of-domain points: by commitment, matrix, point (zeta, then the next row's).
pub type Opened<T> = Vec<Vec<Vec<Vec<T>>>>;

/// The part of a proof that the opening argument absorbs, as wires.
#[derive(Clone, Debug)]
pub struct OpeningWires {
    /// Claimed evaluations.
    pub opened: Opened<Ext>,
    /// Grinding before the batching challenge.
    pub batch_pow: Felt,
    /// Commitment of each folding round.
    pub commits: Vec<Vec<Digest>>,
    /// Grinding of each folding round.
    pub commit_pow: Vec<Felt>,
    /// Coefficients of the final polynomial.
    pub final_poly: Vec<Ext>,
    /// Grinding before the query indices.
    pub query_pow: Felt,
}

/// The challenges of the opening argument.
#[derive(Clone, Debug)]
pub struct OpeningChallenges {
    /// Batches the claimed evaluations.
    pub alpha: Ext,
    /// Challenge of each folding round.
    pub betas: Vec<Ext>,
    /// Bits of the index of each query, least first.
    pub indices: Vec<Vec<Bit>>,
}

#[track_caller]
pub(crate) fn input(layout: &Layout, b: &mut Builder) -> OpeningWires {
    let params = &layout.params;
    let many = |b: &mut Builder, n: usize| -> Vec<Ext> { (0..n).map(|_| b.input_ext()).collect() };
    let opened = layout
        .claims()
        .into_iter()
        .map(|round| round.into_iter().map(|m| m.into_iter().map(|n| many(b, n)).collect()).collect())
        .collect();
    let rounds = layout.schedule.len();
    OpeningWires {
        opened,
        batch_pow: b.input(),
        commits: (0..rounds).map(|_| (0..1 << params.cap_height).map(|_| hash::input(b)).collect()).collect(),
        commit_pow: (0..rounds).map(|_| b.input()).collect(),
        final_poly: many(b, 1 << params.log_final_poly_len),
        query_pow: b.input(),
    }
}

/// Replays the argument's transcript from where the batch phase leaves it.
#[track_caller]
pub(crate) fn replay(
    layout: &Layout,
    seeds: [&[F]; 2],
    b: &mut Builder,
    t: &mut Transcript,
    proof: &OpeningWires,
) -> OpeningChallenges {
    let params = &layout.params;
    observe_constants(b, t, seeds[0]);
    for value in proof.opened.iter().flatten().flatten().flatten() {
        t.observe_ext(b, *value);
    }
    check_pow(b, t, params.batch_pow_bits, proof.batch_pow);
    let alpha = t.sample_ext(b);
    observe_constants(b, t, seeds[1]);
    let mut betas = Vec::with_capacity(proof.commits.len());
    for (commit, witness) in proof.commits.iter().zip(&proof.commit_pow) {
        observe_cap(b, t, commit);
        check_pow(b, t, params.commit_pow_bits, *witness);
        betas.push(t.sample_ext(b));
    }
    for coefficient in &proof.final_poly {
        t.observe_ext(b, *coefficient);
    }
    check_pow(b, t, params.query_pow_bits, proof.query_pow);
    let indices = (0..params.num_queries).map(|_| t.sample_bits(b, layout.log_max())).collect();
    OpeningChallenges { alpha, betas, indices }
}
