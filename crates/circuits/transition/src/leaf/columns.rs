//! Columns of the leaf table.

use tsz_air::columns;

columns! {
    /// One touched leaf, or padding.
    pub struct LeafCols {
        /// Whether the row is a leaf. Boolean.
        is_real,
        /// Upper 26 bits of the key; bounded by the tree.
        hi,
        /// Lower 14 bits of the key; bounded by the tree.
        lo,
        /// Time of the last access.
        ts,
        /// Value before the batch.
        init: [8],
        /// Value after the batch.
        last: [8],
    }
}
