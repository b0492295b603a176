//! ECDSA over P-256 and secp256k1: tables that provide `(x, y, digest)` for signed digests.
//!
//! # What is proven
//! For every message `(x, y, e)` on bus `ecdsa_p256` (`ecdsa_secp256k1`) the bytes x, y are canonical coordinates of a
//! point Q of the curve, and there are r, s with 0 < r, s modulo n and a finite point R = (e/s) G + (r/s) Q whose
//! abscissa is r modulo n: (r, s) is a valid signature of the digest e under Q (FIPS 186-5, 6.4.2).
//!
//! | table | rows | role |
//! |---|---|---|
//! | [`VerifyTable`] | one a signature | the equation; provides `ecdsa_..` |
//! | [`LadderTable`] | [`LADDER_ROWS`] a signature | 2^131 (v G + H) + (2a + 1) Q + (2b + 1) R |
//! | [`CombTable`] | [`COMB_ROWS`] a signature | v G + H |
//! | [`EntryTable`] | 2^13 | multiples of G (preprocessed) |
//! | [`crate::bigint::mulmod`] | 22 a signature | products modulo p and n |
//!
//! # The equation
//! s R = e G + r Q is multiplied by a t that makes both multipliers short: with a = t r and b = -t s, |a|, |b| < 2^130
//! (a reduced pair of the lattice a s = -b r always has one below 2^128), it says
//!
//! `2^130 v G + a Q + b R = 0`, `a s = -b r`, `2^130 v s = -b e` modulo n, `b != 0`.
//!
//! So 131 doublings do for both, and each step adds one of +-S, +-D, S = Q + R, D = Q - R: with
//! A = a + 2^130 = sum A_i 2^i, 2a + 1 = sum (2 A_i - 1) 2^i, and likewise for b. The ladder starts at v G + H and must
//! end at K + S, K = 2^131 H: 2^131 v G + (2a + 1) Q + (2b + 1) R = Q + R, twice the above.
//!
//! # Ladder step
//! As in [`crate::schnorr`]: l1 is the slope of A and T, x_S = l1^2 - x_A - x_T, l2 the slope of A and A + T, x_A' =
//! l2^2 - x_A - x_S; ordinates are no columns: y_A = l1 (x_A - x_T) + y_T. Four identities a row, one of them with the
//! next row. A block is a boundary row, that holds the end of the block before and the start of the next, and 131
//! steps. Which row is what is a preprocessed column, as is the number of its block.
//!
//! # Soundness
//! 1. *Identities are of integers*, by the bounds of [`crate::bigint`]; `identities_are_integers` evaluates those of
//!    ladder and comb, `operands_keep_their_bounds` the operands of `mulmod`.
//! 2. *Blocks.* Numbers of blocks are preprocessed in all tables, each on one row of `verify` and on one block of
//!    one ladder and of one comb table ([`Heights`] counts them through), so the messages `start`, `end`, `point`, `digit`, `multiple` with a number join exactly these.
//!    Rows of `verify` without a block look nothing up and provide no signature (`uses` = 0); the points that they may
//!    provide have numbers that no ladder looks up. Multiplicities are free otherwise: what is provided is true.
//! 3. *Q and R* are on the curve by three products each; x_Q, y_Q and x_R are below p.
//! 4. *S and D.* x_R - x_Q has an inverse modulo p, so the slopes are one value each, and S = Q + R, D = Q - R.
//! 5. *Comb.* C starts at H - (1 + 256 + ..) G, a constant, and takes entry (window, digit) of each of the 32 windows;
//!    entries are preprocessed. So it ends at v G + H with v the sum of digits, if no addition is exceptional. T = C
//!    would give the logarithm of H, which is hashed to the curve: one instance, fixed before any proof. T = -C has no
//!    witness, as 2 y != 0.
//! 6. *Ladder.* A is on the curve at the start by 5: the abscissa of the first step is that of the boundary, limb by limb,
//!    and its ordinate l1 (x_A - x_T) + y_T that of the boundary, by the last identity. x_A - x_T, an integer between -2^256 and 2^256, is congruent to 0
//!    modulo p only if it is one of 0, p, -p; then the product of the three differences would be 0 in the field, and it
//!    has an inverse. So l1 is the slope of A and T, and A + T = (x_S, ..) is finite. 2 y_A = (l1 + l2)(x_A - x_S), and
//!    y_A != 0 as the order is odd: x_A != x_S, so l2 is the slope of A and A + T, and x_A' that of 2A + T, which is
//!    finite; its ordinate l2 (x_A - x_A') - y_A is that from which the next step starts. By induction the end is
//!    2^131 (v G + H) + (2a + 1) Q + (2b + 1) R. Only 0, p and -p are excluded exactly; what else the product excludes
//!    costs completeness (below), not soundness.
//! 7. *Digits.* Bits are boolean; limbs of A and B are sums with preprocessed weights from 0 at the start, below 2^24,
//!    equal to three bytes each of `verify`. T is S if the bits are equal, else D, with the sign of the bit of A.
//! 8. *End.* x_S - x_K has an inverse, so the end K + S is computed as in 4.
//! 9. *Conclusion.* 2^131 v G + 2a Q + 2b R = 0, and the order n is an odd prime, so 2^130 v G + a Q + b R = 0. Times s:
//!    -b e G - b r Q + b s R = 0. b is not 0 as an integer, and |b| <= 2^130 < n: s R = e G + r Q. r = x_R is neither 0
//!    nor n, and below 2n; were s = 0 modulo n, then b r = -a s = 0, a contradiction. So R = (e/s) G + (r/s) Q.
//!    Let r' = x_R mod n and s' = s mod n: both are in 1..n, and R is the point that FIPS 186-5 computes from them, so
//!    the standard accepts exactly (r', s') for e under Q. R and s are columns of a witness and in no message: the
//!    statement names no bytes of a signature, and somebody who holds r' + n or s' + n in place of r' or s' holds a
//!    valid signature, too. That bytes are refused whose numbers are not in 1..n is the rule of the native check, and
//!    [`generate`] keeps it ([`Failed::Range`]). `wycheproof_*` show both for the vectors that differ from a valid
//!    signature by n only.
//! 10. *Padding.* Blocks beyond the signatures verify a fixed signature that nobody looks up.
//!
//! # Completeness
//! A valid signature has a trace unless R = +-Q (refused natively), or a ladder point meets +-T or an inverse of 6 is
//! missing. The first needs a relation between H and what a signer knows. The second happens with probability
//! 3 * 131 / p (2^-22) by chance of the residues, and the prover then takes another multiple of (a, b): +-1, +-2, +-3
//! times the reduced pair fit, six independent tries ([`Failed`] after the last; 2^-134).
//!
//! # Cost
//! Ladder 132 rows of 472 + 532 cells, comb 33 of 261 + 276, verify one of 1,045 + 968, 22 products of 166 + 108:
//! 158,290 cells a signature. Degree 3 (gated products).

mod columns;
mod comb;
mod curve;
mod ladder;
mod points;
#[cfg(test)]
mod tests;
mod trace;
mod verify;

pub use columns::{Canonical, CombCols, CombFixed, LadderCols, LadderFixed, VerifyCols};
pub use comb::{CombTable, EntryTable};
pub use curve::{Affine, Buses, Curve, P256, SECP256K1};
pub use ladder::LadderTable;
pub(crate) use trace::inverse;
pub use trace::{Failed, SignedDigest, Traces, generate};
pub use verify::VerifyTable;

/// Ladder steps: digits of a multiplier.
pub const STEPS: usize = 131;
/// Rows of a ladder block.
pub const LADDER_ROWS: usize = STEPS + 1;
/// Windows of the comb.
pub const WINDOWS: usize = 32;
/// Rows of a comb block.
pub const COMB_ROWS: usize = WINDOWS + 1;
/// log2 of the rows of [`EntryTable`].
pub const ENTRIES_LOG_HEIGHT: usize = 13;
/// Bytes of a multiplier a + 2^(STEPS-1).
pub const MULTIPLIER_BYTES: usize = STEPS.div_ceil(8);
/// Limbs of 24 bits of it.
pub const LIMBS_24: usize = STEPS.div_ceil(24);
/// Identities of a ladder step.
pub const STEP_IDENTITIES: usize = 4;
/// Identities of an addition of the comb.
pub const COMB_IDENTITIES: usize = 2;

/// Blocks of `rows` rows that fit 2^log_height rows with the boundary after the last.
pub const fn blocks(log_height: usize, rows: usize) -> usize {
    ((1 << log_height) - 1) / rows
}

/// log2 heights of the tables of a curve. Ladders and combs may stand in several tables: 64 signatures are a little more
/// than what 2^13 and 2^11 rows hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heights {
    /// Of [`VerifyTable`].
    pub verify: usize,
    /// Of each [`LadderTable`].
    pub ladders: &'static [usize],
    /// Of each [`CombTable`].
    pub combs: &'static [usize],
}

/// One of the tables that blocks are spread over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// log2 of the rows.
    pub log_height: usize,
    /// Blocks in the tables before it.
    pub first: usize,
    /// Blocks in it; rows beyond them are idle.
    pub blocks: usize,
}

impl Part {
    /// A table that has all the blocks, as many as fit.
    pub const fn whole(log_height: usize, rows: usize) -> Self {
        Self { log_height, first: 0, blocks: blocks(log_height, rows) }
    }

    /// Suffix of the table's name.
    fn suffix(&self) -> &'static str {
        if self.first == 0 { "" } else { "_more" }
    }
}

impl Heights {
    /// Signatures that the tables hold.
    pub fn capacity(&self) -> usize {
        let sum = |heights: &[usize], rows| heights.iter().map(|log| blocks(*log, rows)).sum::<usize>();
        let limits = [sum(self.ladders, LADDER_ROWS), sum(self.combs, COMB_ROWS), 1 << self.verify];
        limits.into_iter().fold(usize::MAX, usize::min)
    }

    fn parts(&self, heights: &[usize], rows: usize) -> Vec<Part> {
        let mut first = 0;
        let part = |log: &usize| {
            let part =
                Part { log_height: *log, first, blocks: blocks(*log, rows).min(self.capacity() - first) };
            first += part.blocks;
            part
        };
        heights.iter().map(part).collect()
    }

    /// The tables of ladders; every block has its row of [`VerifyTable`].
    pub fn ladders(&self) -> Vec<Part> {
        self.parts(self.ladders, LADDER_ROWS)
    }

    /// The tables of combs.
    pub fn combs(&self) -> Vec<Part> {
        self.parts(self.combs, COMB_ROWS)
    }
}

/// Weight in limb `limb` of the bit of step `step`: bits come from the highest.
const fn weight(step: usize, limb: usize) -> u32 {
    let bit = STEPS - 1 - step;
    if bit / 24 == limb { 1 << (bit % 24) } else { 0 }
}
