//! The tuple table: hashes what every op accessed into the long sponge of its algorithm id (docs/src/tuple.md).
//!
//! **Proven.** For every segment: the ops whose `op` messages it received, in some order, absorbed block by block
//! from the public start capacity, give the capacity in the segment's end row. The blocks of an op are its first
//! block, its key blocks, its values, built from exactly the `n` keys and `nv` values that the senders of `key`
//! and `val` put there.
//!
//! **Modes.** [`Mode::Exec`] (a precompile proof): exactly one segment, which starts in row 0, possibly without
//! ops; public values `start (8), end (8), count (1)`. [`Mode::Transition`]: one segment with at least one op for
//! each slot, all from the same capacity; every end is sent on `seg`; public values `start (8)`.
//!
//! **Buses.** Looks up `p2`; receives `op`, `key`, `val`; sends `seg` (Transition only). Message layouts: [`tsz_air::bus`].
//! A sender of `op` makes sure that `1 <= n < 2^12` and that no two messages have the same i.
//!
//! **Rows.** One a block and one end row a segment: an op with `n` accesses and `w` writes has
//! [`op_rows`]`(n, w)` rows. 29 columns, 7 LogUp columns (6 in mode Exec), constraint degree 3.
//!
//! The capacity after a block is the next row's `cap`, so it is stored once; the end row is what makes this work
//! at the end of a segment. Soundness: `crates/circuits/transition/SOUNDNESS.md`, section Tuple.

mod air;
mod columns;
mod trace;

#[cfg(test)]
mod tests;

pub use air::{Mode, TupleAir};
pub use columns::TupleCols;
pub use trace::{Overflow, Segment, TupleTrace, generate, op_rows, segment_rows};
