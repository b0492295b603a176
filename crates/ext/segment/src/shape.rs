//! Sizes that follow from the number of cycles alone.

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use crate::circuit::{Circuit, GLOBALS};
use crate::error::SegmentError;

/// Positions that are opened.
pub const QUERIES: usize = 50;
/// log2 of the rate's inverse.
pub const LOG_BLOWUP: usize = 2;
/// log2 of the values that a round folds into one.
pub const LOG_ARITY: usize = 4;
/// Values that a round folds into one.
pub const ARITY: usize = 1 << LOG_ARITY;
/// Columns of the check tree: 4 parts of 4 coordinates.
pub const CHECK: usize = 16;
/// Sizes of segments, as logarithms.
pub const PO2: RangeInclusive<u32> = 13..=24;
/// Coordinates of an extension element.
pub const DEGREE: usize = 4;
/// Words of a digest.
pub const DIGEST: usize = 8;

/// The low-degree test folds until the degree is at most this.
const LAST_DEGREE: usize = 256;
/// log2 of the digests in the part of a tree that a seal holds: at most one for each query.
const LOG_TOP: usize = 5;

/// Sizes of a seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// log2 of the cycles.
    pub po2: usize,
    /// log2 of the leaves of each round's tree.
    pub rounds: Vec<usize>,
    /// Coefficients of the last polynomial.
    pub last: usize,
}

impl Shape {
    /// Sizes for `2^po2` cycles.
    ///
    /// # Errors
    /// [`SegmentError::Size`].
    pub fn new(po2: u32) -> Result<Self, SegmentError> {
        if !PO2.contains(&po2) {
            return Err(SegmentError::Size(po2));
        }
        let po2 = po2 as usize;
        let (mut log_degree, mut rounds) = (po2, Vec::new());
        while 1 << log_degree > LAST_DEGREE {
            log_degree -= LOG_ARITY;
            rounds.push(log_degree + LOG_BLOWUP);
        }
        Ok(Self { po2, rounds, last: 1 << log_degree })
    }

    /// log2 of the leaves of the trees of registers.
    pub fn log_domain(&self) -> usize {
        self.po2 + LOG_BLOWUP
    }

    /// Words of a seal.
    pub fn words(&self, circuit: &Circuit) -> usize {
        let domain = self.log_domain();
        let rows = circuit.widths.iter().copied().chain([CHECK]).map(|width| (domain, width));
        let folds = self.rounds.iter().map(|log| (*log, ARITY * DEGREE));
        let trees: usize = rows.chain(folds).map(|(log, width)| tree_words(log, width)).sum();
        1 + GLOBALS + 1 + trees + DEGREE * (circuit.taps + CHECK + self.last)
    }
}

/// log2 of the digests of the level of a tree that a seal holds.
pub fn log_top(log_leaves: usize) -> usize {
    LOG_TOP.min(log_leaves - 1)
}

fn tree_words(log_leaves: usize, width: usize) -> usize {
    let top = log_top(log_leaves);
    (DIGEST << top) + QUERIES * (width + DIGEST * (log_leaves - top))
}
