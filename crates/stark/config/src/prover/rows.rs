//! Extended columns, read as many rows at a time as there are lanes.
//!
//! A committed matrix has its rows in bit-reversed order, and the domain of a quotient is its first rows. Rows that
//! stand next to each other there, a block, are far apart in the domain, but their successors are again the rows of one
//! block, save where the domain ends: so blocks are read from memory in one piece, and each lane has its own row.

use p3_commit::Mmcs;
use p3_field::PackedValue;
use p3_matrix::dense::RowMajorMatrix;
use p3_util::reverse_bits_len;

use super::Data;
use super::folder::Packed;
use crate::config::{F, mmcs};

/// Rows of a block.
pub(super) const LANES: usize = Packed::WIDTH;

/// A matrix that has been committed to: rows of the extended columns, in bit-reversed order.
pub(super) fn matrix(data: &Data, at: usize) -> &RowMajorMatrix<F> {
    mmcs(0).get_matrices(data)[at]
}

/// The points of a quotient, in blocks.
#[derive(Clone, Copy)]
pub(super) struct Points {
    /// log2 of their number.
    pub(super) log: usize,
    /// Distance of a row and the next one.
    pub(super) step: usize,
}

impl Points {
    /// Where the points of a block stand in the domain, by lane.
    pub(super) fn places(self, block: usize) -> [usize; LANES] {
        core::array::from_fn(|lane| reverse_bits_len(block * LANES + lane, self.log))
    }

    /// Rows of the matrix for points of the domain.
    fn rows(self, places: &[usize; LANES]) -> [usize; LANES] {
        places.map(|place| reverse_bits_len(place, self.log))
    }

    /// The points that follow some.
    pub(super) fn next(self, places: &[usize; LANES]) -> [usize; LANES] {
        let mask = (1 << self.log) - 1;
        places.map(|place| (place + self.step) & mask)
    }

    /// Some columns, counted from `first`, at points of the domain.
    pub(super) fn read(
        self,
        matrix: &RowMajorMatrix<F>,
        places: &[usize; LANES],
        first: usize,
        columns: impl Iterator<Item = usize>,
        out: &mut [Packed],
    ) {
        let width = matrix.width;
        let rows = self.rows(places).map(|row| &matrix.values[row * width + first..(row + 1) * width]);
        for column in columns {
            out[column] = Packed::from_fn(|lane| rows[lane][column]);
        }
    }
}
