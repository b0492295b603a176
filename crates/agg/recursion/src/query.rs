//! One query: opened rows lead to the commitments, their reduction is folded, the end is the final polynomial.

use p3_field::{PrimeCharacteristicRing, TwoAdicField};
use tsz_plonk::gadgets::fri::{fold_at, reduce_quads};
use tsz_plonk::gadgets::hash::{self, Digest};
use tsz_plonk::{Bit, Builder, Ext, Felt, from_coordinates};
use tsz_stark::F;

use crate::crown::{self, CrownWires};
use crate::layout::{Layout, Round};
use crate::reduction::{HeightSums, Reduction};

/// The rows of one commitment of one height, as they are hashed: quads, and the felts of the last one if it is
/// not full.
#[derive(Clone, Debug)]
pub struct RowWires {
    quads: Vec<Ext>,
    tail: Vec<Felt>,
}

/// What a query opens of one commitment.
#[derive(Clone, Debug)]
pub struct OpenedWires {
    /// Rows by height, from the tallest.
    rows: Vec<RowWires>,
    /// Siblings from the bottom up, to the crown.
    path: Vec<Digest>,
}

/// What a query opens of one folding round.
#[derive(Clone, Debug)]
pub struct FoldWires {
    evaluations: Vec<Ext>,
    path: Vec<Digest>,
}

/// The openings of one query.
#[derive(Clone, Debug)]
pub struct QueryWires {
    opened: Vec<OpenedWires>,
    folds: Vec<FoldWires>,
}

#[track_caller]
pub(crate) fn input(layout: &Layout, b: &mut Builder) -> QueryWires {
    let above = layout.params.cap_height + crown::levels(&layout.params);
    let path = |b: &mut Builder, log_height: usize| -> Vec<Digest> {
        (0..log_height.saturating_sub(above)).map(|_| hash::input(b)).collect()
    };
    let row = |b: &mut Builder, width: usize| RowWires {
        quads: (0..width / 4).map(|_| b.input_ext()).collect(),
        tail: (0..width % 4).map(|_| b.input()).collect(),
    };
    let opened = layout
        .rounds
        .iter()
        .map(|round| OpenedWires {
            rows: round.heights().into_iter().map(|h| row(b, round.group_width(h))).collect(),
            path: path(b, round.log_height()),
        })
        .collect();
    let mut log_height = layout.log_max();
    let folds = layout
        .schedule
        .iter()
        .map(|log_arity| {
            log_height -= log_arity;
            FoldWires {
                evaluations: (0..1 << log_arity).map(|_| b.input_ext()).collect(),
                path: path(b, log_height),
            }
        })
        .collect();
    QueryWires { opened, folds }
}

/// What all queries share.
pub(crate) struct Shared<'a> {
    pub(crate) layout: &'a Layout,
    /// Where paths end: trees of the commitments, in the order of the layout.
    pub(crate) tops: Vec<Top>,
    /// Those of the folding rounds.
    pub(crate) fold_tops: Vec<Top>,
    pub(crate) reduction: &'a Reduction,
    pub(crate) alpha: Ext,
    pub(crate) betas: &'a [Ext],
    pub(crate) final_poly: FinalPoly,
}

/// The end of the paths in a tree.
pub(crate) enum Top {
    /// The roots of a cap.
    Cap(Vec<Digest>),
    /// A level of the tree below its root.
    Crown(CrownWires),
}

impl Top {
    /// Asserts that a node is the one that the upper bits of the index mean.
    ///
    /// # Panics
    /// If a path does not end where the crown stands: the tree would be lower than its crown.
    #[track_caller]
    fn check(&self, b: &mut Builder, node: Digest, bits: &[Bit], points: &Points) {
        match self {
            Self::Cap(roots) => assert_root(b, node, bits, roots),
            Self::Crown(crown) => {
                assert_eq!(bits.len(), crown.levels(), "a path ends at the crown");
                let expected = crown.at(b, points.upper(bits.len()));
                hash::assert_eq(b, node, expected);
            }
        }
    }
}

/// The final polynomial as four of the base field, one a coordinate: each is a batch reduction at a point.
pub(crate) struct FinalPoly {
    coordinates: [Vec<Ext>; 4],
}

impl FinalPoly {
    #[track_caller]
    pub(crate) fn new(b: &mut Builder, coefficients: &[Ext]) -> Self {
        let zero = b.zero();
        let felts: Vec<[Felt; 4]> = coefficients.iter().map(|c| b.unpack(*c)).collect();
        let quad = |b: &mut Builder, chunk: &[[Felt; 4]], j: usize| {
            b.pack(core::array::from_fn(|k| chunk.get(k).map_or(zero, |c| c[j])))
        };
        let of = |b: &mut Builder, j: usize| felts.chunks(4).map(|chunk| quad(b, chunk, j)).collect();
        Self { coordinates: core::array::from_fn(|j| of(b, j)) }
    }

    /// The value at a point of the base field.
    #[track_caller]
    fn at(&self, b: &mut Builder, x: Felt) -> Ext {
        let [c0, c1, c2, c3] = core::array::from_fn(|j| reduce_quads(b, x.into(), &self.coordinates[j]));
        let unit = b.constant(from_coordinates([F::ZERO, F::ONE, F::ZERO, F::ZERO]));
        let acc = b.mul_add(c3, unit, c2);
        let acc = b.mul_add(acc, unit, c1);
        b.mul_add(acc, unit, c0)
    }
}

impl Shared<'_> {
    /// Asserts that one query holds.
    ///
    /// # Panics
    /// If a height of the layout is met by no folding round or no level of a path: the program would not check
    /// what stands there. No layout of a key does that.
    pub(crate) fn check(&self, b: &mut Builder, index: &[Bit], query: &QueryWires) {
        let layout = self.layout;
        let mut sums: Vec<HeightSums> = self.reduction.start();
        let points = Points::new(b, layout.log_max(), index);
        for (k, round) in layout.rounds.iter().enumerate() {
            let opened = &query.opened[k];
            let bits = &index[layout.log_max() - round.log_height()..];
            let (node, rows) = open(b, round, bits, opened);
            self.tops[k].check(b, node, &bits[opened.path.len()..], &points);
            self.reduction.absorb(b, self.alpha, k, &rows, &mut sums);
        }
        let mut inputs = Vec::with_capacity(sums.len());
        for sum in &sums {
            let x = points.squares[layout.log_max() - sum.log_height];
            inputs.push((sum.log_height, self.reduction.finish(b, sum, x)));
        }
        self.fold(b, index, &points, &inputs, query);
    }

    fn fold(
        &self,
        b: &mut Builder,
        index: &[Bit],
        points: &Points,
        inputs: &[(usize, Ext)],
        query: &QueryWires,
    ) {
        let layout = self.layout;
        let mut inputs = inputs.iter().peekable();
        let mut folded: Ext = match inputs.next() {
            Some((_, value)) => *value,
            None => b.zero().into(),
        };
        let mut done = 0;
        for (k, &log_arity) in layout.schedule.iter().enumerate() {
            let (step, beta) = (&query.folds[k], self.betas[k]);
            let own = select(b, &index[done..done + log_arity], &step.evaluations);
            b.assert_eq(own, folded);
            let (leaf, _) = hash::sponge_row(b, &step.evaluations, &[]);
            let (below, above) = index[done + log_arity..].split_at(step.path.len());
            let node = hash::merkle_root(b, leaf, below, &step.path);
            self.fold_tops[k].check(b, node, above, points);
            let start = points.start(b, done, log_arity);
            let inverse = b.inverse(start);
            folded = fold_at(b, inverse, log_arity, beta, &step.evaluations);
            done += log_arity;
            if let Some((_, input)) = inputs.next_if(|(h, _)| *h == layout.log_max() - done) {
                let mut power = beta;
                for _ in 0..log_arity {
                    power = b.square(power);
                }
                folded = b.mul_add(power, *input, folded);
            }
        }
        assert!(inputs.next().is_none(), "a height that no folding round meets");
        assert_eq!(done + layout.log_last(), layout.log_max(), "folding ends at the final polynomial");
        let x = points.squares[done];
        let expected = self.final_poly.at(b, x);
        b.assert_eq(folded, expected);
    }
}

/// Points of the domains that a query index means.
pub(crate) struct Points {
    /// `g^(sum of the top j bits)`: products from the top bit down, g the generator of the tallest domain.
    partial: Vec<Felt>,
    /// The point of the index in the tallest subgroup, squared k times: its point in the subgroup of `2^-k` the
    /// size.
    squares: Vec<Felt>,
}

impl Points {
    #[track_caller]
    pub(crate) fn new(b: &mut Builder, log_max: usize, index: &[Bit]) -> Self {
        // Bit k of the index has weight 2^(log_max - 1 - k) in the exponent: domains are in bit-reversed order.
        let mut power = F::two_adic_generator(log_max);
        let mut partial = vec![b.one()];
        for bit in index.iter().rev() {
            let last = partial[partial.len() - 1];
            partial.push(b.mul_if(last, *bit, power));
            power = power.square();
        }
        let mut squares = vec![partial[log_max]];
        for k in 0..log_max {
            squares.push(b.square(squares[k]));
        }
        Self { partial, squares }
    }

    /// The point of the upper bits of the index: `g^(their number, reversed)`.
    pub(crate) fn upper(&self, bits: usize) -> Felt {
        self.partial[bits]
    }

    /// First point of the coset that the evaluations of a folding round stand on, after `done` folded bits.
    #[track_caller]
    fn start(&self, b: &mut Builder, done: usize, log_arity: usize) -> Felt {
        let log_max = self.partial.len() - 1;
        let mut point = self.partial[log_max - done - log_arity];
        for _ in 0..done {
            point = b.square(point);
        }
        point
    }
}

/// Hashes the opened rows up to where the path ends; returns the node there, and the quads of the rows by height.
#[track_caller]
fn open(b: &mut Builder, round: &Round, index: &[Bit], opened: &OpenedWires) -> (Digest, Vec<Vec<Ext>>) {
    let heights = round.heights();
    let mut quads = Vec::with_capacity(heights.len());
    let mut leaves = Vec::with_capacity(heights.len());
    for row in &opened.rows {
        let (digest, row) = hash::sponge_row(b, &row.quads, &row.tail);
        leaves.push(digest);
        quads.push(row);
    }
    let mut node = leaves[0];
    let mut next = 1;
    for (level, sibling) in opened.path.iter().enumerate() {
        let [x, y, ..] = b.permute_pair(index[level], node, *sibling);
        node = [x, y];
        if heights.get(next) == Some(&(round.log_height() - level - 1)) {
            node = hash::truncated_compress(b, node, leaves[next]);
            next += 1;
        }
    }
    assert_eq!(next, heights.len(), "a height that no level of the path meets");
    (node, quads)
}

/// Asserts that a node is the root that the remaining bits of the index select.
#[track_caller]
fn assert_root(b: &mut Builder, node: Digest, index: &[Bit], roots: &[Digest]) {
    assert_eq!(roots.len(), 1 << index.len(), "one root for each index that is left");
    let root = core::array::from_fn(|q| {
        let quads: Vec<Ext> = roots.iter().map(|root| root[q]).collect();
        select(b, index, &quads)
    });
    hash::assert_eq(b, node, root);
}

/// The value at the position with these bits, least first.
#[track_caller]
fn select(b: &mut Builder, index: &[Bit], values: &[Ext]) -> Ext {
    let mut values = values.to_vec();
    for bit in index {
        values = values.chunks(2).map(|pair| b.select(*bit, pair[1], pair[0])).collect();
    }
    values[0]
}
