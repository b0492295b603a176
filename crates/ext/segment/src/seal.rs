//! The words of a seal, taken apart. Nothing here depends on challenges.

use alloc::vec;
use alloc::vec::Vec;

use tsz_poseidon24::{Digest, compress, from_montgomery};

use crate::circuit::{Circuit, GLOBALS, GROUPS};
use crate::error::SegmentError;
use crate::field::{Ext, F, embed};
use crate::shape::{ARITY, CHECK, DEGREE, QUERIES, Shape, log_top};

/// Order of the field.
const P: u32 = 0x7800_0001;
/// Version of the format.
const VERSION: u32 = 2;

/// The level of a tree that a seal holds, and the levels above it.
#[derive(Clone, Debug)]
pub struct Top {
    /// Node k has the children 2k and 2k + 1; node 1 is the root, node 0 is not used.
    nodes: Vec<Digest>,
}

/// An opened leaf.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Felts of the leaf.
    pub row: Vec<F>,
    /// Siblings from the leaf up to the level that the seal holds.
    pub siblings: Vec<Digest>,
}

/// All leaves that are opened at one position.
#[derive(Clone, Debug)]
pub struct Query {
    /// Registers by group, then the check tree.
    pub rows: [Opening; GROUPS + 1],
    /// A leaf for each round.
    pub folds: Vec<Opening>,
}

/// A seal.
#[derive(Clone, Debug)]
pub struct Seal {
    /// Sizes.
    pub shape: Shape,
    /// Public felts.
    pub globals: [F; GLOBALS],
    /// The size as the felt that the transcript has: its word is the number itself, not in Montgomery form.
    pub size: F,
    /// Trees of registers by group, then the check tree.
    pub trees: [Top; GROUPS + 1],
    /// Coefficients of the polynomials through each register's taps, then the check polynomial's values.
    pub coefficients: Vec<[F; DEGREE]>,
    /// Trees of the rounds.
    pub folds: Vec<Top>,
    /// Coefficients of the last polynomial: all first coordinates, all second ones, ..
    pub last: Vec<F>,
    /// Opened leaves.
    pub queries: Vec<Query>,
}

impl Top {
    /// The root.
    pub fn root(&self) -> &Digest {
        &self.nodes[1]
    }

    fn new(level: &[Digest]) -> Self {
        let mut nodes = vec![Digest::default(); level.len()];
        nodes.extend_from_slice(level);
        for k in (1..level.len()).rev() {
            nodes[k] = compress(&nodes[2 * k], &nodes[2 * k + 1]);
        }
        Self { nodes }
    }

    /// Whether the leaf of this index has this opening.
    pub fn opens(&self, index: usize, opening: &Opening) -> bool {
        let mut node = tsz_poseidon24::hash(opening.row.iter().copied());
        for (level, sibling) in opening.siblings.iter().enumerate() {
            node = if index >> level & 1 == 1 { compress(sibling, &node) } else { compress(&node, sibling) };
        }
        let at = self.nodes.len() / 2 + (index >> opening.siblings.len());
        self.nodes.get(at) == Some(&node)
    }

    /// Siblings of the levels that the seal holds, from the bottom up to the root's children, for a leaf of this
    /// index under `below` levels.
    pub fn siblings(&self, index: usize, below: usize) -> Vec<Digest> {
        let mut at = self.nodes.len() / 2 + (index >> below);
        let mut siblings = Vec::new();
        while at > 1 {
            siblings.push(self.nodes.get(at ^ 1).copied().unwrap_or_default());
            at /= 2;
        }
        siblings
    }
}

impl Seal {
    /// Takes the words apart. All of them are felts but the version.
    ///
    /// # Errors
    /// A [`SegmentError`]: another version, size, length, or a word that is no felt.
    pub fn parse(words: &[u32]) -> Result<Self, SegmentError> {
        let circuit = Circuit::rv32im()?;
        if words.first() != Some(&VERSION) {
            return Err(SegmentError::Version);
        }
        let Some(po2) = words.get(1 + GLOBALS) else {
            return Err(SegmentError::Length { expected: 2 + GLOBALS, got: words.len() });
        };
        let shape = Shape::new(*po2)?;
        let expected = shape.words(circuit);
        if words.len() != expected {
            return Err(SegmentError::Length { expected, got: words.len() });
        }
        if let Some(at) = words.iter().position(|w| *w >= P) {
            return Err(SegmentError::Felt(at));
        }
        Self::read(circuit, shape, &mut Words { words: &words[1..] }).ok_or(SegmentError::Data)
    }

    /// Reads in the order of the protocol; `None` if the words end, which [`Seal::parse`] rules out.
    fn read(circuit: &Circuit, shape: Shape, words: &mut Words<'_>) -> Option<Self> {
        let globals = words.array()?;
        let [size] = words.array()?;
        let domain = shape.log_domain();
        // control, data, accumulators, check
        let [code, data, accum, check] =
            [words.top(domain)?, words.top(domain)?, words.top(domain)?, words.top(domain)?];
        let coefficients = (0..circuit.taps + CHECK).map(|_| words.array()).collect::<Option<_>>()?;
        let folds = shape.rounds.iter().map(|log| words.top(*log)).collect::<Option<_>>()?;
        let last = words.felts(DEGREE * shape.last)?;
        let queries = (0..QUERIES).map(|_| Query::read(circuit, &shape, words)).collect::<Option<_>>()?;
        let trees = [accum, code, data, check];
        words.words.is_empty().then_some(Self {
            shape,
            globals,
            size,
            trees,
            coefficients,
            folds,
            last,
            queries,
        })
    }

    /// [`Seal::coefficients`] as extension elements.
    pub fn extension_coefficients(&self) -> Vec<Ext> {
        self.coefficients.iter().copied().map(embed).collect()
    }

    /// Coefficients of the last polynomial.
    pub fn last_polynomial(&self) -> Vec<Ext> {
        let n = self.shape.last;
        (0..n).map(|k| embed(core::array::from_fn(|j| self.last[j * n + k]))).collect()
    }
}

impl Query {
    fn read(circuit: &Circuit, shape: &Shape, words: &mut Words<'_>) -> Option<Self> {
        let domain = shape.log_domain();
        let [a, b, c] = circuit.widths;
        let mut open = |width| words.opening(domain, width);
        let rows = [open(a)?, open(b)?, open(c)?, open(CHECK)?];
        let folds =
            shape.rounds.iter().map(|log| words.opening(*log, ARITY * DEGREE)).collect::<Option<_>>()?;
        Some(Self { rows, folds })
    }
}

/// Words that have not been read.
struct Words<'a> {
    words: &'a [u32],
}

impl Words<'_> {
    fn felts(&mut self, count: usize) -> Option<Vec<F>> {
        let (felts, rest) = self.words.split_at_checked(count)?;
        self.words = rest;
        Some(felts.iter().copied().map(from_montgomery).collect())
    }

    fn array<const N: usize>(&mut self) -> Option<[F; N]> {
        self.felts(N)?.try_into().ok()
    }

    fn digests(&mut self, count: usize) -> Option<Vec<Digest>> {
        (0..count).map(|_| self.array()).collect()
    }

    fn top(&mut self, log_leaves: usize) -> Option<Top> {
        Some(Top::new(&self.digests(1 << log_top(log_leaves))?))
    }

    fn opening(&mut self, log_leaves: usize, width: usize) -> Option<Opening> {
        Some(Opening { row: self.felts(width)?, siblings: self.digests(log_leaves - log_top(log_leaves))? })
    }
}
