//! What Plonky3 absorbs before each of the three parts of its transcript: descriptions of the run, all of them
//! fixed by the key. Each starts with a block of the sponge, and zeros fill its last one.

use p3_batch_stark::{BatchShape, BatchVerifierTranscript};
use p3_challenger::{CanObserve, CanSample, CanSampleBits, GrindingChallenger};
use p3_field::PrimeCharacteristicRing;
use p3_fri::{FriShape, PcsShape};
use tsz_stark::{Commitment, ExtField, F, VerifyingKey};

use crate::layout::Layout;

/// Descriptions of the batch phase, of the opening argument and of the low-degree test, as felts.
#[derive(Clone, Debug)]
pub(crate) struct Seeds {
    pub(crate) batch: Vec<F>,
    pub(crate) opening: Vec<F>,
    pub(crate) folding: Vec<F>,
}

impl Seeds {
    pub(crate) fn new<A>(vk: &VerifyingKey<A>, layout: &Layout) -> Self {
        let (tables, params) = (vk.tables(), vk.params());
        let shape = BatchShape {
            trace_widths: tables.iter().map(|t| t.width).collect(),
            public_value_counts: tables.iter().map(|t| t.public_values).collect(),
            preprocessed_widths: tables.iter().map(|t| t.preprocessed_width).collect(),
            has_preprocessed_commitment: vk.preprocessed_commitment().is_some(),
            num_lookup_instances: tables.iter().filter(|t| t.aux_width > 0).count(),
            lookup_pow_bits: params.lookup_pow_bits,
            has_randomization_commitment: false,
            ood_pow_bits: params.ood_pow_bits,
        };
        let mut batch = Recorder::default();
        // Only the seeding is wanted; an unfinished transcript must say that it is given up.
        BatchVerifierTranscript::<Recorder, F, ExtField, Commitment>::new(&mut batch, shape).abort();
        let mut opening = Recorder::default();
        PcsShape { claimed_evaluation_counts: layout.claims(), batch_pow_bits: params.batch_pow_bits }
            .domain_separator::<F, ExtField>()
            .seed(&mut opening);
        let mut folding = Recorder::default();
        FriShape {
            log_arities: layout.schedule.clone(),
            final_poly_len: 1 << params.log_final_poly_len,
            commit_pow_bits: params.commit_pow_bits,
            query_pow_bits: params.query_pow_bits,
            num_queries: params.num_queries,
            index_bits: layout.log_max(),
            log_blowup: params.log_blowup,
            max_log_arity: params.max_log_arity,
        }
        .domain_separator::<F, ExtField>()
        .seed(&mut folding);
        Self { batch: batch.blocks(), opening: opening.blocks(), folding: folding.blocks() }
    }
}

/// A challenger that writes down what it absorbs. It squeezes zeros, which nobody looks at.
#[derive(Clone, Debug, Default)]
struct Recorder(Vec<F>);

/// Felts of a block.
const BLOCK: usize = 8;

impl Recorder {
    /// What was absorbed, filled up to whole blocks: see the transcript of `tsz-stark`.
    fn blocks(mut self) -> Vec<F> {
        self.0.resize(self.0.len().next_multiple_of(BLOCK), F::ZERO);
        self.0
    }
}

impl CanObserve<F> for Recorder {
    fn observe(&mut self, value: F) {
        self.0.push(value);
    }
}

impl CanObserve<Commitment> for Recorder {
    fn observe(&mut self, value: Commitment) {
        self.0.extend(value.roots().iter().flatten());
    }
}

impl CanSample<F> for Recorder {
    fn sample(&mut self) -> F {
        F::ZERO
    }
}

impl CanSampleBits<usize> for Recorder {
    fn sample_bits(&mut self, _bits: usize) -> usize {
        0
    }
}

impl GrindingChallenger for Recorder {
    type Witness = F;
    fn grind(&mut self, _bits: usize) -> F {
        F::ZERO
    }
}
