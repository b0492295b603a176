//! Columns of the access table.

use tsz_air::columns;

columns! {
    /// One access, or padding.
    pub struct AccessCols {
        /// Whether the row is an access. Boolean; the real rows are a prefix.
        is_real,
        /// Last access of its op. Boolean; only on real rows.
        is_last,
        /// Whether the op writes the cell. Boolean; only on real rows.
        write,
        /// Sequence number of the op: from 0, one more after each last access; N on padding rows.
        i,
        /// Number of the access in its op, from 0.
        j,
        /// Slot of the op in the transition set; constant over the op. Below 64: the set table receives it.
        slot,
        /// Accesses of the op; constant over the op; j + 1 on its last row, where `range12` bounds it.
        n,
        /// Writes of the op before this row.
        w,
        /// Upper 26 bits of the key; bounded by the tree.
        hi,
        /// Lower 14 bits of the key; bounded by the tree.
        lo,
        /// Time: the number of the row plus one.
        ts,
        /// Low 12 bits of ts - 1 - (time of the cell's previous access). `range12`.
        gap_lo,
        /// High 12 bits of the same. `range12`.
        gap_hi,
        /// Value of the cell before the access.
        old: [8],
        /// Value after it; equal to `old` for a read.
        new: [8],
    }
}
