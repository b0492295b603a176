//! What proofs of one key have in common: committed matrices, opening points, folding schedule.

use p3_fri::fold_schedule;
use tsz_stark::{FriParams, TableInfo, VerifyingKey};

/// Base field coordinates of a challenge.
const EXT_DEGREE: usize = 4;

/// What a commitment holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Main,
    Quotient,
    Preprocessed,
    Lookup,
}

/// One committed matrix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix {
    /// Index of its table.
    pub(crate) table: usize,
    /// Columns.
    pub(crate) width: usize,
    /// log2 of the rows that are committed: the trace's times the blow-up.
    pub(crate) log_height: usize,
    /// Whether it is opened at the next row's point too.
    pub(crate) next: bool,
}

/// One commitment.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    pub(crate) source: Source,
    pub(crate) matrices: Vec<Matrix>,
}

impl Round {
    /// log2 of the leaves of the commitment's tree.
    pub(crate) fn log_height(&self) -> usize {
        self.matrices.iter().map(|m| m.log_height).max().unwrap_or(0)
    }

    /// Matrices of one height, in order: their rows are hashed together.
    pub(crate) fn group(&self, log_height: usize) -> Vec<usize> {
        (0..self.matrices.len()).filter(|&m| self.matrices[m].log_height == log_height).collect()
    }

    /// Felts of the rows of one height.
    pub(crate) fn group_width(&self, log_height: usize) -> usize {
        self.matrices.iter().filter(|m| m.log_height == log_height).map(|m| m.width).sum()
    }

    /// Heights that occur, from the tallest.
    pub(crate) fn heights(&self) -> Vec<usize> {
        descending(self.matrices.iter().map(|m| m.log_height))
    }
}

/// All commitments of a proof, in the order in which Plonky3 opens them, and how folding goes.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) rounds: Vec<Round>,
    pub(crate) params: FriParams,
    /// Heights of the folding inputs, from the tallest.
    pub(crate) heights: Vec<usize>,
    /// log2 of the arity of each folding round.
    pub(crate) schedule: Vec<usize>,
}

impl Layout {
    pub(crate) fn new<A>(vk: &VerifyingKey<A>) -> Self {
        let (tables, params) = (vk.tables(), *vk.params());
        let matrix = |table: usize, info: &TableInfo, width: usize, next: bool| Matrix {
            table,
            width,
            log_height: info.log_height + params.log_blowup,
            next,
        };
        let each = |f: &dyn Fn(usize, &TableInfo) -> Vec<Matrix>| -> Vec<Matrix> {
            tables.iter().enumerate().flat_map(|(k, t)| f(k, t)).filter(|m| m.width > 0).collect()
        };
        let sources = [
            (Source::Main, each(&|k, t| vec![matrix(k, t, t.width, t.main_next)])),
            (Source::Quotient, each(&|k, t| vec![matrix(k, t, EXT_DEGREE, false); t.quotient_chunks])),
            (
                Source::Preprocessed,
                each(&|k, t| vec![matrix(k, t, t.preprocessed_width, t.preprocessed_next)]),
            ),
            (Source::Lookup, each(&|k, t| vec![matrix(k, t, t.aux_width, true)])),
        ];
        let rounds: Vec<Round> = sources
            .into_iter()
            .filter(|(_, matrices)| !matrices.is_empty())
            .map(|(source, matrices)| Round { source, matrices })
            .collect();
        let heights = descending(tables.iter().map(|t| t.log_height + params.log_blowup));
        let last = params.log_blowup + params.log_final_poly_len;
        let schedule = fold_schedule(&heights, last, params.max_log_arity);
        Self { rounds, params, heights, schedule }
    }

    /// log2 of the domain of the final polynomial.
    pub(crate) fn log_last(&self) -> usize {
        self.params.log_blowup + self.params.log_final_poly_len
    }

    /// log2 of the tallest folding input: bits of a query index.
    pub(crate) fn log_max(&self) -> usize {
        self.heights.first().copied().unwrap_or(0)
    }

    /// Number of claimed evaluations of each opening, by commitment, matrix and point.
    pub(crate) fn claims(&self) -> Vec<Vec<Vec<usize>>> {
        let points = |m: &Matrix| vec![m.width; 1 + usize::from(m.next)];
        self.rounds.iter().map(|r| r.matrices.iter().map(points).collect()).collect()
    }

    /// The round of a source, if there is one.
    pub(crate) fn round(&self, source: Source) -> Option<usize> {
        self.rounds.iter().position(|r| r.source == source)
    }

    /// The matrices of a table in a round.
    pub(crate) fn matrices_of(&self, source: Source, table: usize) -> Vec<(usize, usize)> {
        let Some(round) = self.round(source) else { return Vec::new() };
        let matrices = self.rounds[round].matrices.iter().enumerate();
        matrices.filter(|(_, m)| m.table == table).map(|(k, _)| (round, k)).collect()
    }
}

fn descending(heights: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut heights: Vec<usize> = heights.collect();
    heights.sort_unstable_by(|a, b| b.cmp(a));
    heights.dedup();
    heights
}
