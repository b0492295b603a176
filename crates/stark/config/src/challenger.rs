//! The transcript: Plonky3's duplex challenger, with descriptions of runs filled up to whole blocks.
//!
//! Plonky3 absorbs, before each part of a transcript, a description of it as one slice of felts that starts with its
//! length in bytes. Its number of felts is any, and what follows, mostly extension elements, would straddle the
//! blocks of eight felts; a verifier in a circuit would have to take every element apart. So zeros fill the last
//! block of a slice. Slices are descriptions only, all else is absorbed felt by felt: the length in front keeps two
//! descriptions apart as before, and verifiers know it from the key.

use p3_challenger::{
    CanObserve, CanSample, CanSampleBits, DuplexChallenger, FieldChallenger, GrindingChallenger,
};
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};

use crate::config::{Commitment, F, Perm};

/// The transcript of all proofs.
#[derive(Clone, Debug)]
pub struct Challenger(DuplexChallenger<F, Perm, 16, 8>);

impl Challenger {
    pub(crate) fn new(perm: Perm) -> Self {
        Self(DuplexChallenger::new(perm))
    }
}

impl CanObserve<F> for Challenger {
    fn observe(&mut self, value: F) {
        self.0.observe(value);
    }

    fn observe_slice(&mut self, values: &[F]) {
        self.0.observe_slice(values);
        while !self.0.input_buffer.is_empty() {
            self.0.observe(F::ZERO);
        }
    }
}

impl CanObserve<Commitment> for Challenger {
    fn observe(&mut self, commitment: Commitment) {
        self.0.observe(commitment);
    }
}

impl<T: BasedVectorSpace<F>> CanSample<T> for Challenger {
    fn sample(&mut self) -> T {
        self.0.sample()
    }
}

impl CanSampleBits<usize> for Challenger {
    fn sample_bits(&mut self, bits: usize) -> usize {
        self.0.sample_bits(bits)
    }
}

impl GrindingChallenger for Challenger {
    type Witness = F;

    fn grind(&mut self, bits: usize) -> F {
        self.0.grind(bits)
    }

    fn check_witness(&mut self, bits: usize, witness: F) -> bool {
        self.0.check_witness(bits, witness)
    }
}

impl FieldChallenger<F> for Challenger {}

#[cfg(test)]
mod tests {
    use p3_baby_bear::default_babybear_poseidon2_16;

    use super::*;

    #[test]
    fn a_slice_ends_with_its_block() {
        for len in 1..20usize {
            let felts: Vec<F> = (1..=len).map(F::from_usize).collect();
            let mut challenger = Challenger::new(default_babybear_poseidon2_16());
            challenger.observe_slice(&felts);
            assert!(challenger.0.input_buffer.is_empty());
            let mut plain = DuplexChallenger::<F, Perm, 16, 8>::new(default_babybear_poseidon2_16());
            plain.observe_slice(&felts);
            (len..len.next_multiple_of(8)).for_each(|_| plain.observe(F::ZERO));
            let (x, y): (F, F) = (challenger.sample(), plain.sample());
            assert_eq!(x, y, "{len}");
        }
    }
}
