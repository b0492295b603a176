//! Tables that every circuit shares.
//!
//! | module | provides | message |
//! |---|---|---|
//! | [`poseidon2`] | `p2` | in[16], out_hi[8] |
//! | [`range`] | `range12` | v |
//! | [`tuple`] | `seg`; receives `op`, `key`, `val` | |

pub mod poseidon2;
pub mod range;
#[cfg(test)]
mod tests;
pub mod tuple;
