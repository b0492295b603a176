//! Why a seal or a run is refused.

use thiserror::Error;

use crate::Words;

/// A tree of a seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tree {
    /// Registers of group 0, 1 or 2.
    Group(usize),
    /// The constraints divided by the polynomial that vanishes on the trace.
    Check,
    /// Round of the low-degree test.
    Fold(usize),
}

/// Why a seal is no proof.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SegmentError {
    /// Another version, or nothing at all.
    #[error("not a segment seal of version 2")]
    Version,
    /// A size that no segment has.
    #[error("a segment of 2^{0} cycles, at least 2^13 and at most 2^24")]
    Size(u32),
    /// Too many or too few words.
    #[error("{got} words, a seal of this size has {expected}")]
    Length {
        /// Words of a seal of the size.
        expected: usize,
        /// Words given.
        got: usize,
    },
    /// A word that is no felt.
    #[error("word {0} is not below the field's order")]
    Felt(usize),
    /// A path that does not lead to the committed root.
    #[error("query {query}: the opening of {tree:?} is not what was committed")]
    Opening {
        /// Number of the query.
        query: usize,
        /// Tree that is opened.
        tree: Tree,
    },
    /// Constraints that do not hold.
    #[error("the constraints do not hold")]
    Constraints,
    /// A value that the next word does not hold.
    #[error("query {query}: round {round} does not hold the folded value")]
    Fold {
        /// Number of the query.
        query: usize,
        /// Round.
        round: usize,
    },
    /// A query that the last polynomial misses.
    #[error("query {0}: the last polynomial has another value")]
    Last(usize),
    /// A challenge at which the protocol divides by zero; probability 2^-90.
    #[error("query {0}: the out-of-domain point lies in the domain")]
    Point(usize),
    /// A public felt outside its range.
    #[error("public felt {0} is outside its range")]
    Global(usize),
    /// Damaged data of this crate.
    #[error("the data of the circuit are damaged")]
    Data,
}

/// Why a run is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RunError {
    /// A number of segments that no run has.
    #[error("{0} segments, at least 1 and at most {max}", max = crate::run::MAX_SEGMENTS)]
    Segments(usize),
    /// A seal that is no proof.
    #[error("segment {segment}: {source}")]
    Seal {
        /// Number of the segment.
        segment: usize,
        /// What is wrong.
        source: SegmentError,
    },
    /// A run of another program.
    #[error("the run starts from image {got:?}, not from {expected:?}")]
    Image {
        /// Root of the program's image.
        expected: Words,
        /// Root that the proof starts from.
        got: Words,
    },
    /// Segments that do not follow each other.
    #[error("segment {0} does not go on where the one before ended")]
    Chain(usize),
    /// A run that ends early, late, or with an exit code.
    #[error("segment {0} ends otherwise than a finished run")]
    End(usize),
    /// Another output.
    #[error("the output is {got:?}, not {expected:?}")]
    Output {
        /// What it should be.
        expected: Words,
        /// What it is.
        got: Words,
    },
}
