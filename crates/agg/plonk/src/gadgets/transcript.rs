//! The Fiat-Shamir transcript: Plonky3's `DuplexChallenger<F, Poseidon2-16, 16, 8>`, step by step.

use p3_field::PrimeCharacteristicRing;
use tsz_stark::F;

use crate::builder::{Bit, Builder, Ext, Felt};
use crate::gadgets::hash::{Digest, zero_state};
use crate::run::quads;

/// Felts absorbed or squeezed by one permutation.
const RATE: usize = 8;

/// One lane of the rate. Coordinates of a quad stay unsplit until something needs them apart.
#[derive(Clone, Copy, Debug)]
enum Lane {
    Felt(Felt),
    Of(Ext, usize),
}

/// A transcript under construction.
///
/// Which calls are made when is fixed by the program, so the buffers exist at build time only; the sponge state
/// is wires.
#[derive(Clone, Debug)]
pub struct Transcript {
    state: [Ext; 4],
    input: Vec<Lane>,
    output: Vec<Lane>,
}

impl Transcript {
    /// The empty transcript.
    #[track_caller]
    pub fn new(b: &mut Builder) -> Self {
        Self { state: zero_state(b), input: Vec::new(), output: Vec::new() }
    }

    /// A transcript that goes on from a known state of `DuplexChallenger`: what is absorbed before the first
    /// value of a proof is a constant of the program.
    #[track_caller]
    pub fn resume(b: &mut Builder, state: &[F; 16], input: &[F], output: &[F]) -> Self {
        let constants = |b: &mut Builder, felts: &[F]| -> Vec<Lane> {
            felts.iter().map(|x| Lane::Felt(b.constant(*x))).collect()
        };
        let input = constants(b, input);
        let output = constants(b, output);
        Self { state: quads(state).map(|quad| b.constant(quad)), input, output }
    }

    /// Absorbs a felt.
    #[track_caller]
    pub fn observe(&mut self, b: &mut Builder, x: Felt) {
        self.observe_lane(b, Lane::Felt(x));
    }

    /// Absorbs the four coordinates of an extension element, as `observe_algebra_element` does.
    #[track_caller]
    pub fn observe_ext(&mut self, b: &mut Builder, x: Ext) {
        for k in 0..4 {
            self.observe_lane(b, Lane::Of(x, k));
        }
    }

    /// Absorbs a digest: one root of a commitment.
    #[track_caller]
    pub fn observe_digest(&mut self, b: &mut Builder, digest: Digest) {
        for quad in digest {
            self.observe_ext(b, quad);
        }
    }

    #[track_caller]
    fn observe_lane(&mut self, b: &mut Builder, lane: Lane) {
        self.output.clear();
        self.input.push(lane);
        if self.input.len() == RATE {
            self.duplex(b);
        }
    }

    /// Overwrites the rate with the buffered lanes, binds their number into the capacity, permutes.
    #[track_caller]
    fn duplex(&mut self, b: &mut Builder) {
        let absorbed = self.input.len();
        if absorbed > 0 {
            let zero = Lane::Felt(b.zero());
            let lanes: [Lane; RATE] = core::array::from_fn(|k| self.input.get(k).copied().unwrap_or(zero));
            for (quad, lanes) in self.state.iter_mut().zip(lanes.as_chunks::<4>().0) {
                *quad = join(b, lanes);
            }
            self.state[2] = b.add_constant(self.state[2], F::from_usize(absorbed).into());
            self.input.clear();
        }
        self.state = b.permute(self.state);
        self.output = (0..RATE).map(|k| Lane::Of(self.state[k / 4], k % 4)).collect();
    }

    #[track_caller]
    fn sample_lane(&mut self, b: &mut Builder) -> Lane {
        if !self.input.is_empty() || self.output.is_empty() {
            self.duplex(b);
        }
        // The buffer was filled just now if it was empty.
        self.output.pop().unwrap_or(Lane::Of(self.state[0], 0))
    }

    /// Squeezes a felt.
    #[track_caller]
    pub fn sample(&mut self, b: &mut Builder) -> Felt {
        let lane = self.sample_lane(b);
        split(b, lane)
    }

    /// Squeezes an extension element.
    #[track_caller]
    pub fn sample_ext(&mut self, b: &mut Builder) -> Ext {
        let lanes: [Lane; 4] = core::array::from_fn(|_| self.sample_lane(b));
        join(b, &lanes)
    }

    /// Squeezes a felt and takes its `count` low bits, least first, as `sample_bits` does.
    ///
    /// # Panics
    /// If `count` exceeds 31.
    #[track_caller]
    pub fn sample_bits(&mut self, b: &mut Builder, count: usize) -> Vec<Bit> {
        let x = self.sample(b);
        b.bits(x)[..count].to_vec()
    }

    /// Asserts a proof of work: absorbs `witness` and squeezes `bits` zero bits. Nothing at all for 0 bits, as
    /// in Plonky3.
    #[track_caller]
    pub fn check_witness(&mut self, b: &mut Builder, bits: usize, witness: Felt) {
        if bits == 0 {
            return;
        }
        self.observe(b, witness);
        let sampled: Vec<Felt> = self.sample_bits(b, bits).into_iter().map(Into::into).collect();
        // At most 31 bits: the sum is 0 only if each of them is.
        let sum = b.sum(&sampled);
        b.assert_zero(sum);
    }
}

/// The quad of four lanes; no gate if they are the coordinates of one in order.
#[track_caller]
fn join(b: &mut Builder, lanes: &[Lane; 4]) -> Ext {
    if let Lane::Of(quad, 0) = lanes[0] {
        let whole = (1..4).all(|k| matches!(lanes[k], Lane::Of(other, at) if other == quad && at == k));
        if whole {
            return quad;
        }
    }
    let felts = lanes.map(|lane| split(b, lane));
    b.pack(felts)
}

#[track_caller]
fn split(b: &mut Builder, lane: Lane) -> Felt {
    match lane {
        Lane::Felt(x) => x,
        Lane::Of(quad, k) => b.unpack(quad)[k],
    }
}
