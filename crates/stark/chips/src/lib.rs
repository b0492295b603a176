//! Tables that every circuit shares.
//!
//! | module | provides | message |
//! |---|---|---|
//! | [`poseidon2`] | `p2` | in\[16\], out_hi\[8\] |
//! | [`range`] | `range12` | v |
//! | [`schnorr`] | `sig` | key_id\[8\], msg\[8\] |
//! | [`mod@tuple`] | `seg`; receives `op`, `key`, `val` | |

pub mod poseidon2;
pub mod range;
pub mod schnorr;
#[cfg(test)]
mod tests;
pub mod tuple;
