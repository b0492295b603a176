//! The set table: the tree of the transition set as a heap of 128 rows, and the anchor of the state tree.
//!
//! **Proven.** Row k of 64..128 is slot k - 64: used slots receive their segment (bus `seg`) and have the digest of
//! (algorithm id, commitment, count), unused ones zero. Row k of 1..64 compresses rows 2k and 2k + 1 (bus
//! `setnode`); row 1 is the public set root. Row 0 receives the root node of the state tree (bus `node`) with the
//! public old and new root: once, so the state tree has one root.
//!
//! The order of algorithm ids and their distinctness are not proven here: the aggregator opens all leaves.
//!
//! **Public values**: old root (8), new root (8), set root (8). 42 columns, 5 preprocessed, degree 3, one-row.

mod air;
mod columns;
mod trace;

pub use air::SetAir;
pub use columns::{SetCols, SetFixed};
pub use trace::{request, rows};

/// log2 of the rows: a heap of 64 leaves.
pub const LOG_HEIGHT: usize = 7;
