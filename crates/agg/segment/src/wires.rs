//! The witness: a seal as wires, and as values in the same order.
//!
//! Trees are opened up to their roots: the level of a tree that a seal holds is a shortcut of the native verifier,
//! which hashes it up to the root once. Here two gates a level cost less than choosing among 32 digests.

use tsz_plonk::gadgets::hash::{self, Digest};
use tsz_plonk::{Builder, Ext, Felt, Value, from_coordinates};
use tsz_segment::Seal;
use tsz_segment::circuit::{Circuit, GLOBALS, GROUPS};
use tsz_segment::seal::{Opening, Top};
use tsz_segment::shape::{ARITY, CHECK, DEGREE, QUERIES, Shape};
use tsz_segment::verifier::Challenges;
use tsz_stark::F;

/// An opened leaf.
pub(crate) struct Row {
    /// The felts, zeros after the last one.
    pub(crate) quads: Vec<Ext>,
    /// Siblings from the leaf up to the root's children.
    pub(crate) path: Vec<Digest>,
}

/// All leaves of one query.
pub(crate) struct Query {
    /// Registers by group, then the check tree.
    pub(crate) rows: Vec<Row>,
    /// A leaf for each round.
    pub(crate) folds: Vec<Row>,
}

/// A seal.
pub(crate) struct Wires {
    pub(crate) globals: Vec<Felt>,
    /// Roots of the trees of registers by group, then of the check tree.
    pub(crate) roots: Vec<Digest>,
    /// Coordinates of the coefficients, in risc0's basis.
    pub(crate) coefficients: Vec<Ext>,
    /// Roots of the rounds' trees.
    pub(crate) folds: Vec<Digest>,
    /// The last polynomial: four of the first coordinates, ..
    pub(crate) last: Vec<Ext>,
    pub(crate) queries: Vec<Query>,
}

impl Wires {
    /// Declares the witness.
    pub(crate) fn new(b: &mut Builder, circuit: &Circuit, shape: &Shape) -> Self {
        let globals = (0..GLOBALS).map(|_| b.input()).collect();
        let roots = (0..=GROUPS).map(|_| hash::input(b)).collect();
        let coefficients = (0..circuit.taps + CHECK).map(|_| b.input_ext()).collect();
        let folds = shape.rounds.iter().map(|_| hash::input(b)).collect();
        let last = (0..shape.last * DEGREE / 4).map(|_| b.input_ext()).collect();
        let queries = (0..QUERIES).map(|_| Query::new(b, circuit, shape)).collect();
        Self { globals, roots, coefficients, folds, last, queries }
    }
}

impl Query {
    fn new(b: &mut Builder, circuit: &Circuit, shape: &Shape) -> Self {
        let widths = circuit.widths.iter().copied().chain([CHECK]);
        let rows = widths.map(|width| Row::new(b, width, shape.log_domain())).collect();
        let folds = shape.rounds.iter().map(|log| Row::new(b, ARITY * DEGREE, *log)).collect();
        Self { rows, folds }
    }
}

impl Row {
    /// Where the width is no multiple of four, the rest of the last quad is zero by construction.
    fn new(b: &mut Builder, width: usize, levels: usize) -> Self {
        let mut quads: Vec<Ext> = (0..width / 4).map(|_| b.input_ext()).collect();
        if !width.is_multiple_of(4) {
            let zero = b.zero();
            let tail: Vec<Felt> = (0..width % 4).map(|_| b.input()).collect();
            quads.push(b.pack(core::array::from_fn(|k| tail.get(k).copied().unwrap_or(zero))));
        }
        Self { quads, path: (0..levels).map(|_| hash::input(b)).collect() }
    }
}

/// The values of the witness of a seal, in the order of its declaration.
pub fn inputs(seal: &Seal) -> Vec<Value> {
    let challenges = Challenges::draw(seal);
    let mut values: Vec<Value> = seal.globals.iter().map(|x| Value::from(*x)).collect();
    values.extend(seal.trees.iter().flat_map(|tree| hash::input_values(tree.root())));
    values.extend(seal.coefficients.iter().map(|x| from_coordinates(*x)));
    values.extend(seal.folds.iter().flat_map(|tree| hash::input_values(tree.root())));
    quads(&seal.last, &mut values);
    for (query, position) in seal.queries.iter().zip(&challenges.positions) {
        for (tree, opening) in seal.trees.iter().zip(&query.rows) {
            row(tree, opening, *position, &mut values);
        }
        for ((tree, opening), log) in seal.folds.iter().zip(&query.folds).zip(&seal.shape.rounds) {
            row(tree, opening, position & ((1 << log) - 1), &mut values);
        }
    }
    values
}

fn quads(felts: &[F], values: &mut Vec<Value>) {
    let (quads, tail) = felts.as_chunks::<4>();
    values.extend(quads.iter().map(|quad| from_coordinates(*quad)));
    values.extend(tail.iter().map(|x| Value::from(*x)));
}

fn row(tree: &Top, opening: &Opening, index: usize, values: &mut Vec<Value>) {
    quads(&opening.row, values);
    let above = tree.siblings(index, opening.siblings.len());
    values.extend(opening.siblings.iter().chain(&above).flat_map(hash::input_values));
}
