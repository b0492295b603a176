//! One segment of a run of a guest, with what it says to the segments before and after it.
//!
//! # What is proven
//! For public values (from, x, y, count): a seal of a segment is accepted that starts from the memory image with root
//! `from`, eight words below p, and
//! - where count = 0 the segment does not end its run: it leads to the image with root x, words below p, and y = 0;
//! - otherwise it ends its run, with exit code 0, and its output is the digest of the journal of count < 2^24 operations
//!   from x to y, as in [`crate::guest`].
//!
//! Parts that follow each other are again a part ([`Part::then`]): the aggregation tree joins them to a whole run.

use p3_field::{PrimeCharacteristicRing, PrimeField32};
use tsz_hash::{Digest, ZERO};
use tsz_plonk::{Builder, Felt, Program, Prover, Value};
use tsz_segment::circuit::Circuit;
use tsz_segment::place;
use tsz_segment::shape::Shape;
use tsz_stark::{F, Profile};

use crate::guest::{Journal, JournalWires, words};
use crate::program::{HALVES, segment};
use crate::{GUEST_PUBLICS, LiftError, run_shape, values};

/// Sizes of the segments of runs of more than one, as logarithms: a program for each.
pub const PARTS: &[u32] = &[13, 14, 15, 16, 17, 18];
/// Segments of the longest run whose parts the aggregation tree joins.
pub const MAX_PARTS: usize = 16;

/// Operations of a run are fewer.
const MAX_COUNT: u32 = 1 << 24;

/// Name of the key of the program for a part of a size: `run-part/18`.
pub fn part_name(po2: u32) -> String {
    format!("run-part/{po2}")
}

/// Consecutive segments of a run: at first one, which its program states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Root of the memory image before.
    pub from: Digest,
    /// What comes after.
    pub end: PartEnd,
}

/// How a part ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartEnd {
    /// The run goes on from the memory image with this root.
    Open(Digest),
    /// The run is over.
    Last {
        /// Capacity of the journal before the run.
        start: Digest,
        /// Capacity of the journal after it.
        end: Digest,
        /// Operations, at least 1.
        count: u32,
    },
}

impl Part {
    /// The public values, as many as those of a [`crate::GuestClaim`].
    pub fn publics(&self) -> Vec<F> {
        let (x, y, count) = match self.end {
            PartEnd::Open(to) => (to, ZERO, 0),
            PartEnd::Last { start, end, count } => (start, end, count),
        };
        let mut publics = [self.from, x, y].concat();
        publics.push(F::from_u32(count));
        publics
    }

    /// The part that public values state; `None` for other numbers of them, and for counts of no run.
    pub fn read(publics: &[F]) -> Option<Self> {
        let ([from, x, y], count) = match publics.as_chunks::<8>() {
            ([from, x, y], [count]) => ([*from, *x, *y], count.as_canonical_u32()),
            _ => return None,
        };
        match count {
            0 => (y == ZERO).then_some(Self { from, end: PartEnd::Open(x) }),
            1..MAX_COUNT => Some(Self { from, end: PartEnd::Last { start: x, end: y, count } }),
            _ => None,
        }
    }

    /// This part and the one that follows; `None` where that does not follow.
    pub fn then(&self, next: &Self) -> Option<Self> {
        (self.end == PartEnd::Open(next.from)).then_some(Self { from: self.from, end: next.end })
    }
}

/// The program that verifies the seal of a segment of this size, and exposes a [`Part`].
pub fn build_part(circuit: &Circuit, shape: &Shape) -> Builder {
    let mut builder = Builder::new();
    let globals = segment(&mut builder, circuit, shape);
    expose(&mut builder, &globals);
    builder
}

/// What the public felts of a segment say, with a journal from the witness.
pub(crate) fn expose(b: &mut Builder, globals: &[Felt]) {
    let (zero, one) = (b.zero(), b.one());
    let last = b.assert_bool(globals[place::IS_TERMINATE]);
    let open = b.not(last);
    for at in place::EXIT {
        b.assert_eq_if(last, globals[at], zero);
    }
    // A segment has an output where it ends its run, and a next one where it does not: elsewhere any felts, read as 0.
    let read = |b: &mut Builder, start: usize, flag: Felt| {
        let halves: [Felt; HALVES] = core::array::from_fn(|k| b.mul(flag, globals[start + k]));
        words(b, &halves)
    };
    let from = read(b, place::STATE_IN.start, one);
    let to = read(b, place::STATE_OUT.start, open.into());
    let output = read(b, place::OUTPUT.start, last.into());

    let journal = JournalWires::input(b);
    journal.assert_numbers(b);
    let digest = journal.digest(b).map(|quad| b.unpack(quad));
    for (word, felt) in output.into_iter().zip(digest.as_flattened()) {
        b.assert_eq_if(last, word, *felt);
    }
    // A run without operations is none: its count would say that it goes on.
    let told = b.select(last, journal.count, one);
    b.inverse(told);
    let [start, end] = [journal.start, journal.end].map(|digest| digest.map(|quad| b.unpack(quad)));
    from.into_iter().for_each(|felt| b.expose(felt));
    for (to, start) in to.into_iter().zip(start.as_flattened()) {
        let x = b.select(last, *start, to);
        b.expose(x);
    }
    for y in end.as_flattened().iter().chain([&journal.count]) {
        let y = b.mul(last.into(), *y);
        b.expose(y);
    }
}

/// The program for segments of one size of longer runs, with its keys; of the shape of a run in one segment.
pub struct PartProgram {
    shape: Shape,
    prover: Prover,
}

impl PartProgram {
    /// Makes the program for segments of `2^po2` cycles, and its keys.
    ///
    /// # Errors
    /// [`LiftError::Seal`] for a size that no segment has, [`LiftError::Compile`] for segments above 2^19.
    pub fn new(po2: u32, profile: Profile) -> Result<Self, LiftError> {
        let shape = Shape::new(po2)?;
        let program = Program::compile(build_part(Circuit::rv32im()?, &shape), run_shape(profile, 1))?;
        Ok(Self { shape, prover: program.keys()? })
    }

    /// The program with its keys.
    pub fn prover(&self) -> &Prover {
        &self.prover
    }

    /// The program with its keys, alone.
    pub fn into_prover(self) -> Prover {
        self.prover
    }

    /// The witness of a segment; with the journal of the run where it is the last one.
    ///
    /// # Errors
    /// [`LiftError::Seal`], [`LiftError::Size`].
    pub fn inputs(&self, journal: Option<&Journal>, seal: &[u32]) -> Result<Vec<Value>, LiftError> {
        let mut inputs = values(&self.shape, seal)?;
        inputs.extend(journal.unwrap_or(&NO_JOURNAL).values());
        Ok(inputs)
    }

    /// Proves a segment: the public values, those of a [`Part`], and the proof.
    ///
    /// # Errors
    /// A [`LiftError`]; a seal that is no proof, or one with another output, fails at a gate of the program.
    pub fn prove(&self, journal: Option<&Journal>, seal: &[u32]) -> Result<(Vec<F>, Vec<u8>), LiftError> {
        Ok(self.prover.prove(&self.inputs(journal, seal)?)?)
    }
}

/// What the witness of a segment that does not end its run has for a journal.
pub(crate) const NO_JOURNAL: Journal = Journal { start: ZERO, end: ZERO, count: 0, events: None };

// The public values of a part are as many as those of a run.
const _: () = assert!(GUEST_PUBLICS == 3 * 8 + 1);
