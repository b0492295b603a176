//! SHA-256 (FIPS 180-4): compressions, four rounds a row.
//!
//! # What is proven
//! Block number `id` of the table holds a compression: h_out = h_in + rounds(h_in, w). It provides
//! `(id, h_in[16], h_out[16])` on bus `sha_state` and `(id, k, w[8])`, words 4k..4k+3, on `sha_words`, words as two
//! halves of 16 bits, the upper first: the order of the bytes. A user that looks up all five messages with one id
//! ([`lookup`]) has h_out = compress(h_in, w), and every half is below 2^16.
//!
//! # Layout
//! A block of [`ROWS`] rows: h_in as bits; 16 rows of four rounds; h_out as bits. Which row is what, the number of the
//! block and the round constants are preprocessed. `a` and `e` hold the registers of the last four rounds, the latest
//! last, so that (a, b, c, d) = (a\[3\], a\[2\], a\[1\], a\[0\]).
//!
//! # Soundness
//! 1. All bits and carry bits are boolean, on every row.
//! 2. `t1`, `t2`, `schedule` and `pending` equal their formulas on every row: they are what follows from the bits of
//!    this row and the one before, whatever those are.
//! 3. On rounds, e + 2^32 c = d + t1 and a + 2^32 c' = e - d + t2 by halves with carries (3 bits for at most 6 terms;
//!    2 bits for -1..2): equations of integers below 2^19, so each register is the sum modulo 2^32.
//! 4. Words of rows 5.. are the schedule's: `pending[k]` at a row is what rows before it add to the words k + 1 rows
//!    later (w_(t-16), s0(w_(t-15)), w_(t-7)); the rest comes from the row and the one before. Contributions reach three
//!    rows of registers back and the schedule begins four rows after the first words, so none is of another block.
//! 5. `h_in` is that of the first row on all rows; h_out by halves with a carry.
//! 6. *Ids* are preprocessed: messages with one id are of one block. Trailing rows provide nothing.
//! 7. A block is a true statement whatever its multiplicities; idle blocks compress zeros.
//!
//! Degree 3: the three-way exclusive or and the majority; gates are on columns. 505 columns, 18 rows a block.

mod air;
mod columns;
#[cfg(test)]
mod tests;
mod trace;

pub use air::{Sha256Table, lookup, lookup_state, lookup_words};
pub use columns::{Sha256Cols, Sha256Fixed};
pub use trace::{Compression, TooManyBlocks, compress, digest_blocks, trace};

use tsz_air::LookupBus;

/// Rows of a compression.
pub const ROWS: usize = 18;
/// Rounds a row.
pub const ROUNDS: usize = 4;

/// `sha_state`: id, h_in\[16\], h_out\[16\].
const STATE: LookupBus<'static> = LookupBus::new("sha_state");
/// `sha_words`: id, k, halves of words 4k..4k+3.
const WORDS: LookupBus<'static> = LookupBus::new("sha_words");

/// Initial state.
pub const IV: [u32; 8] =
    [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

/// Round constants.
const K: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];
