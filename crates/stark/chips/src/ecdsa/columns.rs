//! Columns of the tables.

use tsz_air::columns;

use super::{COMB_IDENTITIES, LIMBS_24, MULTIPLIER_BYTES, STEP_IDENTITIES, WINDOWS};
use crate::bigint::{CARRIES, LIMBS, QUOTIENT};

columns! {
    /// A ladder step, or the boundary between two blocks. Numbers are balanced stored bytes (bus `bytes`).
    pub struct LadderCols {
        /// x of A before the step; on a boundary of the end of the block before.
        x: [LIMBS],
        /// Slope of A and T; on a boundary the ordinate of the end.
        slope_sum: [LIMBS],
        /// x of A + T; on a boundary of the start of the next block.
        x_sum: [LIMBS],
        /// Slope of A and A + T; on a boundary the ordinate of the start.
        slope_acc: [LIMBS],
        /// x of Q + R or Q - R; bus `point`.
        term_x: [LIMBS],
        /// y of the same; bus `point`.
        term_y: [LIMBS],
        /// Quotients; bus `bytes`.
        quotients: [QUOTIENT; STEP_IDENTITIES],
        /// Carries; bus `range15`.
        carries: [CARRIES; STEP_IDENTITIES],
        /// Bit of A and bit of B; boolean. T has the sign 2 bits\[0\] - 1.
        bits: [2],
        /// Whether the bits differ: T is of Q - R; constrained.
        is_diff,
        /// Limbs of 24 bits of A as far as the rows before have summed them.
        sum_a: [LIMBS_24],
        /// The same of B.
        sum_b: [LIMBS_24],
        /// Square of d = x_A - x_T evaluated in the field; constrained.
        apart_square,
        /// d (d^2 - p^2); constrained.
        apart,
        /// Its inverse on steps: x_A and x_T are not congruent modulo p.
        apart_inv,
        /// Lookups of the start on `start`; any value on boundaries with a start, else 0.
        start_uses,
        /// Lookups of the end on `end`; any value on boundaries with an end, else 0.
        end_uses,
    }
}

columns! {
    /// Fixed columns of a ladder row.
    pub struct LadderFixed {
        /// Number of the row's block, on a boundary of the block that ends.
        id,
        /// 1 on steps.
        is_step,
        /// 1 on boundaries before a block.
        is_start,
        /// 1 on boundaries after a block.
        is_end,
        /// Weight of the row's bits in each limb.
        weights: [LIMBS_24],
    }
}

columns! {
    /// An addition of the comb, or the boundary between two blocks. Numbers are balanced stored bytes.
    pub struct CombCols {
        /// x of C before the addition; on a boundary of the end of the block before.
        x: [LIMBS],
        /// Slope of C and the entry; on a boundary the ordinate of the end.
        slope: [LIMBS],
        /// x of the entry; bus `entry`.
        entry_x: [LIMBS],
        /// y of the entry; bus `entry`.
        entry_y: [LIMBS],
        /// Quotients; bus `bytes`.
        quotients: [QUOTIENT; COMB_IDENTITIES],
        /// Carries; bus `range15`.
        carries: [CARRIES; COMB_IDENTITIES],
        /// Byte of the multiplier; bus `entry`.
        digit,
        /// Lookups of the digit on `digit`; any value on additions, else 0.
        digit_uses,
        /// Lookups of the end on `multiple`; any value on boundaries with an end, else 0.
        end_uses,
    }
}

columns! {
    /// Fixed columns of a comb row.
    pub struct CombFixed {
        /// Number of the row's block, on a boundary of the block that ends.
        id,
        /// Window of an addition.
        window,
        /// 1 on additions.
        is_add,
        /// 1 on boundaries before a block.
        is_start,
        /// 1 on boundaries after a block.
        is_end,
    }
}

columns! {
    /// A number below a modulus: 2^16-limbs of `m - 1 - x`.
    pub struct Canonical {
        /// Raw bytes of m - 1 - x; bus `bytes`.
        rest: [LIMBS],
        /// Carries of the sum over 16 bits; boolean.
        carries: [15],
    }
}

columns! {
    /// One signature. Numbers are balanced unless they are called raw; all bytes are looked up on `bytes`.
    pub struct VerifyCols {
        /// x of the key Q, raw; below p.
        key_x: [LIMBS],
        /// y of the key, raw; below p.
        key_y: [LIMBS],
        /// Digest e, raw, little-endian.
        digest: [LIMBS],
        /// x of R, raw; below p, and r modulo n.
        nonce_x: [LIMBS],
        /// y of R.
        nonce_y: [LIMBS],
        /// x^2 and y^2 of Q.
        key_squares: [LIMBS; 2],
        /// x^2 and y^2 of R.
        nonce_squares: [LIMBS; 2],
        /// 1 / (x_R - x_Q).
        apart: [LIMBS],
        /// Slope, x and y of S = Q + R.
        sum: [LIMBS; 3],
        /// Slope, x and y of D = Q - R.
        difference: [LIMBS; 3],
        /// s of the signature.
        response: [LIMBS],
        /// Bytes of A = a + 2^(STEPS-1), raw.
        multiplier_a: [MULTIPLIER_BYTES],
        /// Bytes of B = b + 2^(STEPS-1), raw.
        multiplier_b: [MULTIPLIER_BYTES],
        /// Bytes of the comb's multiplier v, raw; bus `digit`.
        multiplier_g: [WINDOWS],
        /// a s, v s, b e modulo n.
        products: [LIMBS; 3],
        /// x and y of the comb's end, where the ladder starts; bus `multiple`.
        start: [LIMBS; 2],
        /// x and y of the ladder's end; bus `end`.
        end: [LIMBS; 2],
        /// 1 / (x_S - x_K), K = 2^STEPS H.
        end_apart: [LIMBS],
        /// Slope of K and S.
        end_slope: [LIMBS],
        /// x of Q is below p.
        key_x_canonical: Canonical,
        /// y of Q is below p.
        key_y_canonical: Canonical,
        /// x of R is below p.
        nonce_x_canonical: Canonical,
        /// Inverses that show r != 0, r != n, b != 0.
        nonzero: [3],
        /// Lookups of S and D on `point`; any value.
        point_uses: [2],
        /// Lookups of the signature on `verified`; any value on rows with a block, else 0.
        uses,
    }
}
