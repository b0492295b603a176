//! The merkle table: every inner node of the state tree above a touched leaf, one a row.
//!
//! **Proven.** Each real row hashes two children to a node, before and after the batch with the same row; a touched
//! child is another row's node (bus `node`), an untouched one does not change. Every node is received by its parent
//! at its own position, and the root by the set table, which holds the public roots: so the old tree opens to the
//! touched leaves, the new tree differs from it in nothing else, and no position has two rows.
//!
//! A position is (u, w, hi, lo): u levels of the upper part, w of the lower. Rows of the upper part have w = lo = 0,
//! those of the lower part u = 26. 57 columns, 4 LogUp columns, degree 3, one-row.

mod air;
mod columns;
mod trace;

pub use air::MerkleAir;
pub use columns::MerkleCols;
pub use trace::{request, rows};

/// Levels of the upper part of the tree: bits of `hi`.
pub const HI_BITS: u32 = 26;
/// Levels of the lower part: bits of `lo`.
pub const LO_BITS: u32 = 14;
