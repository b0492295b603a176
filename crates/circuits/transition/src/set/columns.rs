//! Columns of the set table.

use tsz_air::columns;

columns! {
    /// One heap entry.
    pub struct SetCols {
        /// Whether a slot is used. Boolean; 0 outside the leaves.
        used,
        /// Ops of the slot; received on `seg`.
        count,
        /// Leaf: algorithm id. Inner: left child.
        a: [8],
        /// Leaf: commitment, received on `seg`. Inner: right child.
        b: [8],
        /// Leaf: capacity after the algorithm id (p2).
        cap1: [8],
        /// Leaf: capacity after the commitment (p2).
        cap2: [8],
        /// Digest of the entry (p2; 0 for an unused slot).
        digest: [8],
    }
}

columns! {
    /// Preprocessed columns: what each row is.
    pub struct SetFixed {
        /// Heap index: the row's number.
        index,
        /// Index 0.
        is_anchor,
        /// Index 1.
        is_root,
        /// Index 1..64.
        is_inner,
        /// Index 64..128.
        is_leaf,
    }
}
