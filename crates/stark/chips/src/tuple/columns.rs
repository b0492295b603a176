//! Columns of the tuple table.

use tsz_air::columns;

columns! {
    /// One row: a block, the end of a segment, or padding (all four kinds 0).
    pub struct TupleCols {
        /// First block of an op. Boolean; at most one of the four kinds is 1.
        is_first,
        /// Further block of keys. Boolean.
        is_key,
        /// Value block. Boolean.
        is_val,
        /// End of a segment: not a block; `cap` is the commitment and `cnt` the number of ops. Boolean.
        is_end,
        /// Sequence number of the op; equals `msg[0]` of the first block; constant over the op.
        i,
        /// Slot of the segment; constant over the segment, end row included.
        slot,
        /// Ops of the segment up to and including this row; counted from the segment's start.
        cnt,
        /// Number of accesses; received on `op`; constant over the op; below 2^12 by the sender.
        n,
        /// Number of accesses and writes; received on `op`; constant over the op.
        nv,
        /// First block: -1. Key block: number of the key in the first pair of `msg`. Value block: number of the
        /// value.
        pos,
        /// Whether pair 1, 2, 3 of `msg` is a key. Boolean, non-increasing, 0 outside first and key blocks.
        present: [3],
        /// The block.
        msg: [8],
        /// Capacity before the block; the next row's is the capacity after it (`p2`).
        cap: [8],
    }
}
