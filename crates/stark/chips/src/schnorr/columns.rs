//! Columns of the tables.

use tsz_air::columns;
use tsz_sig::challenge::LIMBS;

use super::{ENTRIES, STEPS};

columns! {
    /// One signature.
    pub struct SigCols {
        /// Boolean: the row is a signature; anything else is padding.
        is_real,
        /// Lookups of the row's message on `sig`; any value, 0 on padding.
        mult,
        /// Identifier of the key: the felts of x_P and the lowest of y_P; bound to a point by bus `schnorr`.
        key_id: [8],
        /// The signed message digest.
        msg: [8],
        /// Identifier of R; bound by bus `schnorr`.
        r_id: [8],
        /// step(key_id, msg); bound by bus `p2`.
        h1: [8],
        /// step(r_id, h1); bound by bus `p2`.
        h2: [8],
        /// Lanes 0..5 of h2 over 2^24: below 120 by two lookups on `range12`.
        hi: [LIMBS],
    }
}

columns! {
    /// A sixteenth of a signature: 8 ladder steps, and 2 comb additions for the next block.
    pub struct LadderCols {
        /// Bits of e, the highest first; boolean. Step j has the sign d = 2 bits\[j\] - 1.
        bits: [STEPS],
        /// x of A before each step.
        x: [7; STEPS],
        /// Slope of A and d P.
        slope_sum: [7; STEPS],
        /// Slope of A and A + d P.
        slope_acc: [7; STEPS],
        /// Weights of the row, any: each step's sum of them times x_A - x_P is not zero.
        weights: [7],
        /// Inverse of that sum; exists only where x_A != x_P, so that `slope_sum` is one value.
        inverse: [STEPS],
        /// y of A before the first step.
        y_first: [7],
        /// y of A before the last step.
        y_last: [7],
        /// x of P; the same on all rows of a block.
        key_x: [7],
        /// y of P; with `key_x` on the curve.
        key_y: [7],
        /// Limbs of e as far as the rows before have summed them.
        limbs: [LIMBS],
        /// x of C before each addition.
        comb_x: [7; ENTRIES],
        /// Slope of C and the entry.
        comb_slope: [7; ENTRIES],
        /// x of the entry; bound by bus `comb`.
        entry_x: [7; ENTRIES],
        /// y of the entry; bound by bus `comb`.
        entry_y: [7; ENTRIES],
        /// Window of the first entry: twice the row's number in the block.
        window,
        /// Lookups of the block on `schnorr`; any value on the last row, 0 elsewhere.
        uses,
    }
}
