//! Poseidon2 table: one permutation a row.
//!
//! # What is proven
//! Every row holds `in[16]`, all intermediate values and the final state of the permutation of `tsz-hash`
//! (Plonky3's width-16 BabyBear instance, x^7, 4 + 13 + 4 rounds, published constants). The row provides
//! `(in, P(in)[8..16])` on bus `p2` with multiplicity `mult`.
//!
//! # Why `mult` is free
//! A row is a true statement whatever its multiplicity: LogUp only lets it cancel lookups of the same message. A
//! wrong `mult` unbalances the bus, and cannot make another message appear. So padding needs no selector:
//! padding rows are permutations of zeros with `mult = 0`, and several tables may provide the same input.
//!
//! # Cost
//! 299 main columns, 8 LogUp columns, degree 3, no next row. A circuit may hold several tables of different
//! heights; [`traces`] splits the requests over them.

mod air;
mod trace;

pub use air::{MULT, Poseidon2Table, WIDTH};
pub use trace::{TableFull, dedupe, traces};
