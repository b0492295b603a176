//! A run of a guest in the words of the aggregation check: which program, over which journal.
//!
//! # What is proven
//! For public values (algorithm id A, start, end, count): seals of a whole run ([`crate::build_run`]) are accepted, and
//! 1. the run starts from the memory image with root R, eight words below p, and `A = hash(Algorithm, [2, 1, R])`;
//! 2. count < 2^24, and there is a number of events, at most eight for each operation;
//! 3. the output is, word by word, the digest of the run: the capacity `[40, count, events, 0..]` after the block
//!    `start ‖ end` and, where there are events, after a second block of a capacity and zeros.
//!
//! What the digest means is for the program of this image to say: a guest made with the sdk outputs it for the journal of
//! `count` operations that takes the sponge from `start` to `end`. The capacity of the events is nobody's public value.

use p3_field::PrimeCharacteristicRing;
use tsz_ext_sdk::{MAX_EVENTS, RUN_TAG};
use tsz_hash::{Digest, Domain};
use tsz_plonk::gadgets::hash;
use tsz_plonk::{Arrangement, Bit, Builder, Ext, Felt, Program, Prover, Shape as PlonkShape, Value};
use tsz_segment::circuit::Circuit;
use tsz_segment::shape::Shape;
use tsz_stark::{F, MIN_LOG_HEIGHT, Profile};

use crate::LiftError;
use crate::program::{HALVES, run};
use crate::run::{run_shapes, run_values};

/// Public values: algorithm id, start, end, count.
pub const GUEST_PUBLICS: usize = 3 * 8 + 1;
/// Kind and version of guests, before the root of the image in an algorithm id.
const GUEST: [u32; 2] = [2, 1];
/// Kind and version of the reserved algorithm id of run programs, and the family's number.
const RUN: [u32; 3] = [4, 1, 1];
/// Bits of a number of operations.
const COUNT_BITS: usize = 24;
/// Bits of a number of events.
const EVENT_BITS: usize = COUNT_BITS + MAX_EVENTS.ilog2() as usize;
/// Bits of half a word.
const HALF_BITS: usize = 16;

/// Sizes of segments of the runs that are proven by one program, as logarithms: a program for each list. Longer runs
/// are proven in parts ([`crate::PARTS`]).
pub const RUNS: &[&[u32]] = &[&[13], &[14], &[15], &[16], &[17], &[18], &[19]];

/// The list of [`RUNS`] for a run in segments of these sizes.
pub fn run_list(sizes: &[u32]) -> Option<&'static [u32]> {
    RUNS.iter().copied().find(|list| *list == sizes)
}

/// Name of the key of the program for a list: `run/15-14`.
pub fn run_name(sizes: &[u32]) -> String {
    let sizes: Vec<String> = sizes.iter().map(u32::to_string).collect();
    format!("run/{}", sizes.join("-"))
}

/// The reserved algorithm id of run programs, `hash(Algorithm, [4, 1, 1])`: no rule set has it, so a key listed under it
/// counts for no operation.
pub fn run_algorithm() -> Digest {
    tsz_hash::hash(Domain::Algorithm, &RUN.map(F::from_u32))
}

/// The shape of programs of runs in so many segments: programs of one shape are verified by one verifier.
pub fn run_shape(profile: Profile, segments: usize) -> PlonkShape {
    let more = segments.next_power_of_two().ilog2() as usize;
    PlonkShape {
        profile,
        log_alu: 15 + more,
        log_poseidon2: MIN_LOG_HEIGHT,
        log_pack: 13 + more,
        log_bits: 7 + more,
        log_horner: 14 + more,
        log_public: MIN_LOG_HEIGHT,
        log_poseidon24: Some(13 + more),
        arrangement: Arrangement::Apart,
        publics: GUEST_PUBLICS,
    }
}

/// What a run of a guest proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuestClaim {
    /// Algorithm id of the program.
    pub algorithm: Digest,
    /// Capacity of the journal before the run.
    pub start: Digest,
    /// Capacity of the journal after it.
    pub end: Digest,
    /// Operations.
    pub count: u32,
}

impl GuestClaim {
    /// The public values.
    pub fn publics(&self) -> Vec<F> {
        let mut publics = [self.algorithm, self.start, self.end].concat();
        publics.push(F::from_u32(self.count));
        publics
    }
}

/// What a run's digest is made of, beside the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Journal {
    /// Capacity before the run.
    pub start: Digest,
    /// Capacity after it.
    pub end: Digest,
    /// Operations.
    pub count: u32,
    /// Events: how many, at least 1, and the capacity of their sponge.
    pub events: Option<(u32, Digest)>,
}

impl Journal {
    /// The witness, in the order of [`JournalWires::input`].
    pub(crate) fn values(&self) -> Vec<Value> {
        let (events, capacity) = self.events.unwrap_or_default();
        let digests = [self.start, self.end, capacity];
        let mut values: Vec<Value> = digests.iter().flat_map(hash::input_values).collect();
        values.extend([self.count, events].map(|x| Value::from(F::from_u32(x))));
        values.push(Value::from_bool(events != 0));
        values
    }
}

/// A [`Journal`] as wires.
pub(crate) struct JournalWires {
    pub(crate) start: hash::Digest,
    pub(crate) end: hash::Digest,
    /// Capacity of the events; anything if there are none.
    capacity: hash::Digest,
    pub(crate) count: Felt,
    events: Felt,
    /// Whether there are events.
    has_events: Bit,
}

impl JournalWires {
    pub(crate) fn input(b: &mut Builder) -> Self {
        let [start, end, capacity] = core::array::from_fn(|_| hash::input(b));
        let [count, events, has_events] = core::array::from_fn(|_| b.input());
        let has_events = b.assert_bool(has_events);
        Self { start, end, capacity, count, events, has_events }
    }

    /// `count` and `events` have their widths, `events <= 8 count`, and the flag says whether there are any.
    pub(crate) fn assert_numbers(&self, b: &mut Builder) {
        assert_below(b, self.count, COUNT_BITS);
        assert_below(b, self.events, EVENT_BITS);
        // Both are below 2^27, so a difference below zero is above 2^27.
        let room =
            b.combine([F::from_usize(MAX_EVENTS), -F::ONE, F::ZERO], [self.count, self.events, self.count]);
        assert_below(b, room, EVENT_BITS);
        let (zero, one) = (b.zero(), b.one());
        let silent = b.not(self.has_events);
        b.assert_eq_if(silent, self.events, zero);
        let told = b.select(self.has_events, self.events, one);
        b.inverse(told);
    }

    /// `tsz_ext_sdk::run_digest`.
    pub(crate) fn digest(&self, b: &mut Builder) -> hash::Digest {
        let zero = b.zero();
        let tag = b.constant(F::from_u32(RUN_TAG));
        let capacity = [b.pack([tag, self.count, self.events, zero]), zero.into()];
        let ([s0, s1], [e0, e1], [c0, c1]) = (self.start, self.end, self.capacity);
        let silent = absorb(b, [s0, s1, e0, e1], capacity);
        let told = absorb(b, [c0, c1, zero.into(), zero.into()], silent);
        core::array::from_fn(|q| b.select(self.has_events, told[q], silent[q]))
    }
}

/// One block of the guests' sponge: width 24, rate 16, overwrite mode.
fn absorb(b: &mut Builder, [w, x, y, z]: [Ext; 4], [c0, c1]: hash::Digest) -> hash::Digest {
    let [.., d0, d1] = b.permute24([w, x, y, z, c0, c1]);
    [d0, d1]
}

fn assert_below(b: &mut Builder, x: Felt, bits: usize) {
    let high: Vec<Felt> = b.bits(x)[bits..].iter().map(|bit| (*bit).into()).collect();
    let high = b.sum(&high);
    b.assert_zero(high);
}

/// The words of a digest, each asserted to be below p: its low half is that of the word's canonical bits, so the upper
/// half is the rest of them.
pub(crate) fn words(b: &mut Builder, halves: &[Felt; HALVES]) -> [Felt; 8] {
    core::array::from_fn(|k| {
        let [low, high] = [halves[2 * k], halves[2 * k + 1]];
        let word = b.combine([F::ONE, F::from_u32(1 << HALF_BITS), F::ZERO], [low, high, low]);
        let bits = b.bits(word);
        let zero = b.zero();
        let half = bits[..HALF_BITS]
            .iter()
            .rev()
            .fold(zero, |sum, bit| b.combine([F::TWO, F::ONE, F::ZERO], [sum, (*bit).into(), sum]));
        b.assert_eq(low, half);
        word
    })
}

/// Algorithm id of the program whose memory image has this root: `tsz_ext::guest_algorithm`.
pub fn image_algorithm(b: &mut Builder, image: [Felt; 8]) -> hash::Digest {
    let kind = GUEST.map(|x| b.constant::<Felt>(F::from_u32(x)));
    let felts: Vec<Felt> = kind.into_iter().chain(image).collect();
    hash::tagged(b, Domain::Algorithm, &felts)
}

/// The program that verifies the seals of a run of a guest in segments of these sizes, and exposes a [`GuestClaim`].
pub fn build_guest(circuit: &Circuit, shapes: &[Shape]) -> Builder {
    let mut builder = Builder::new();
    let b = &mut builder;
    let Some(run) = run(b, circuit, shapes) else { return builder };
    let image = words(b, &run.image);
    let algorithm = image_algorithm(b, image);
    let journal = JournalWires::input(b);
    journal.assert_numbers(b);
    let digest = journal.digest(b).map(|quad| b.unpack(quad));
    for (word, felt) in words(b, &run.output).into_iter().zip(digest.as_flattened()) {
        b.assert_eq(word, *felt);
    }
    for digest in [algorithm, journal.start, journal.end] {
        hash::expose(b, digest);
    }
    b.expose(journal.count);
    builder
}

/// The program for runs of guests in segments of given sizes, with its keys.
pub struct RunProgram {
    shapes: Vec<Shape>,
    prover: Prover,
}

impl RunProgram {
    /// Makes the program for runs in segments of `2^po2` cycles, in order, and its keys; of the shape [`run_shape`].
    ///
    /// # Errors
    /// [`LiftError::Seal`] for a size that no segment has, [`LiftError::Segments`] for too many or none,
    /// [`LiftError::Compile`] for segments above 2^19.
    pub fn new(sizes: &[u32], profile: Profile) -> Result<Self, LiftError> {
        let shapes = run_shapes(sizes)?;
        let circuit = build_guest(Circuit::rv32im()?, &shapes);
        let program = Program::compile(circuit, run_shape(profile, sizes.len()))?;
        Ok(Self { shapes, prover: program.keys()? })
    }

    /// The program with its keys.
    pub fn prover(&self) -> &Prover {
        &self.prover
    }

    /// The program with its keys, alone.
    pub fn into_prover(self) -> Prover {
        self.prover
    }

    /// The witness of a run.
    ///
    /// # Errors
    /// [`LiftError::Segments`], [`LiftError::Size`], [`LiftError::Seal`].
    pub fn inputs(&self, journal: &Journal, seals: &[impl AsRef<[u32]>]) -> Result<Vec<Value>, LiftError> {
        let mut inputs = run_values(&self.shapes, seals)?;
        inputs.extend(journal.values());
        Ok(inputs)
    }

    /// Proves a run: the public values, those of a [`GuestClaim`], and the proof.
    ///
    /// # Errors
    /// A [`LiftError`]; seals that are no run, or one with another output, fail at a gate of the program.
    pub fn prove(
        &self,
        journal: &Journal,
        seals: &[impl AsRef<[u32]>],
    ) -> Result<(Vec<F>, Vec<u8>), LiftError> {
        Ok(self.prover.prove(&self.inputs(journal, seals)?)?)
    }
}
