//! The access table: every access of the batch, one a row, in the order of execution.
//!
//! **Proven.** The real rows are a prefix. They are ops 0..N (N public), each of which has accesses 0..n with
//! 1 <= n < 2^12. Access j of op i finds in its cell what the cell's previous access left there (bus `mem`), and a
//! read leaves what it found. The tuple table gets exactly these keys and values, and op i goes to one slot.
//!
//! **Buses.** Sends `op` (last access of an op), `key`, `val` (old value; new value of a write); receives and sends
//! `mem`; looks up `range12`. **Public values**: N. 29 columns, 7 LogUp columns, degree 3.

mod air;
mod columns;
mod trace;

pub use air::AccessAir;
pub use columns::AccessCols;
pub use trace::{CellError, Memory, Touched, pad, request, rows};

/// Largest log2 height: times and gaps below 2^23 have 24 bits and do not wrap modulo p.
pub const MAX_LOG_HEIGHT: usize = 23;
