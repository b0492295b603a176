//! Columns of the merkle table.

use tsz_air::columns;

columns! {
    /// One inner node, or padding.
    pub struct MerkleCols {
        /// Whether the row is a node. Boolean.
        is_real,
        /// Whether the left child is on the bus. Boolean; only on real rows.
        l_touched,
        /// Whether the right child is on the bus. Boolean; only on real rows.
        r_touched,
        /// Whether the children differ in `lo` (else in `hi`). Boolean; 1 needs u = 26, 0 needs w = lo = 0.
        is_lower,
        /// Levels of the upper part above the node.
        u,
        /// Levels of the lower part above the node.
        w,
        /// The upper u bits of the keys below the node.
        hi,
        /// The following w bits.
        lo,
        /// `hi` of the left child: 2 hi in the upper part, hi in the lower.
        child_hi,
        /// Left child before the batch.
        l_old: [8],
        /// Left child after the batch.
        l_new: [8],
        /// Right child before the batch.
        r_old: [8],
        /// Right child after the batch.
        r_new: [8],
        /// Node before the batch: `compress(l_old, r_old)` (p2).
        out_old: [8],
        /// Node after the batch: `compress(l_new, r_new)` (p2).
        out_new: [8],
    }
}
