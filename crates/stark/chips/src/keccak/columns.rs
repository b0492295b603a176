//! Columns of the table.

use tsz_air::columns;

use super::{BITS, CONSTANT_BITS, LANES, LIMBS};

columns! {
    /// A round. Bits are the lowest first, limbs have 16 bits, the lowest first.
    pub struct KeccakCols {
        /// State before the round; sums of bits. The only columns read of the next row.
        before: [LIMBS; LANES],
        /// Parities of the columns of the state; boolean.
        parity: [BITS; 5],
        /// Parities after theta; constrained.
        parity_after: [BITS; 5],
        /// State after theta; boolean.
        theta: [BITS; LANES],
        /// Bits of lane 0 after chi where constants have bits; constrained.
        chi: [CONSTANT_BITS.len()],
        /// State after the round; sums of bits.
        after: [LIMBS; LANES],
        /// Lookups of what the row provides; any value on the first and the last row of a block, else 0.
        uses,
    }
}

columns! {
    /// Fixed columns.
    pub struct KeccakFixed {
        /// Number of the block.
        id,
        /// 1 on the first row of a block.
        is_first,
        /// 1 on the last row of a block.
        is_last,
        /// 1 on the other rows of a block: a round follows.
        is_inner,
        /// Bits of the round constant.
        constant: [CONSTANT_BITS.len()],
    }
}
