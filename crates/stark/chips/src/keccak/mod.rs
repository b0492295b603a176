//! Keccak-256 (the original padding of Ethereum) of messages that fit one block of 136 bytes, a round a row.
//!
//! # What is proven
//! Block number `id` of the table holds a permutation keccak-f\[1600\] (FIPS 202, 3.3) of a state whose capacity is 0. It
//! provides `(id, block[68])` on bus `keccak_in` and `(id, hash[16])` on `keccak_out`: the 136 bytes absorbed into the
//! zero state and the first 32 bytes of the result, two bytes a limb, the first the lower. A user that looks both up
//! with one id ([`lookup`]) and whose block ends with the padding 0x01 0 .. 0 0x80 has the Keccak-256 of what is before
//! it. Every limb is below 2^16.
//!
//! # Layout
//! A block of [`ROWS`] rows, a round each. Lane x + 5 y is A\[x, y\], four limbs of 16 bits, the lowest first. Which row
//! is what, the number of the block and the round constants are preprocessed. A round constant has bits in seven places
//! only ([`CONSTANT_BITS`]), so only these bits of a state after chi are columns.
//!
//! # Soundness
//! 1. `parity` and `theta` are boolean on every row, and `parity_after` is the exclusive or of three bits of `parity`.
//! 2. *Theta.* Let D\[x, z\] = C\[x-1, z\] ^ C\[x+1, z-1\] with C = `parity`, A' = `theta`. The limbs of `before` are those of
//!    A = A' ^ D. The five bits of a column of A' have the parity C ^ D (`parity_after`): their sum less it is 0, 2 or 4.
//!    D changes all five, so the parity of that column of A is C. So C is the parity of A, and A' = theta(A).
//! 3. *Rho, pi, chi, iota.* The limbs of `after` are sums of the bits of chi of the rotated lanes, those of lane 0
//!    exclusive-ored with the constant. Sums of 16 weighted bits are below 2^16.
//! 4. The rows of a block follow each other: `before` of a round is `after` of the round before it. On the first row the
//!    lanes of the capacity are 0.
//! 5. *Ids* are preprocessed, and a second table counts on from the first: messages with one id are of one block. Rows that provide nothing have `uses` = 0.
//! 6. A block is a true statement whatever its multiplicities; idle blocks permute zeros.
//!
//! Degree 3: exclusive ors of three bits, chi, sums of three values; gates are on columns. 2,448 columns, 24 rows a
//! block; the next row is read in `before` only.

mod air;
mod columns;
#[cfg(test)]
mod tests;
mod trace;

pub use air::{KeccakTable, lookup};
pub use columns::{KeccakCols, KeccakFixed};
pub use trace::{Absorb, TooManyHashes, block, hash, trace};

use tsz_air::LookupBus;

/// Rows of a permutation.
pub const ROWS: usize = 24;
/// Lanes of a state.
pub const LANES: usize = 25;
/// Bits of a lane.
pub const BITS: usize = 64;
/// Limbs of a lane.
pub const LIMBS: usize = 4;
/// Lanes of a block of 136 bytes.
pub const RATE: usize = 17;
/// Limbs of a block.
pub const BLOCK: usize = RATE * LIMBS;
/// Limbs of a hash.
pub const HASH: usize = 16;
/// Places where round constants have bits.
pub const CONSTANT_BITS: [usize; 7] = [0, 1, 3, 7, 15, 31, 63];

/// `keccak_in`: id, block\[68\].
const IN: LookupBus<'static> = LookupBus::new("keccak_in");
/// `keccak_out`: id, hash\[16\].
const OUT: LookupBus<'static> = LookupBus::new("keccak_out");

/// Round constants.
const RC: [u64; ROWS] = [
    0x0000000000000001,
    0x0000000000008082,
    0x800000000000808a,
    0x8000000080008000,
    0x000000000000808b,
    0x0000000080000001,
    0x8000000080008081,
    0x8000000000008009,
    0x000000000000008a,
    0x0000000000000088,
    0x0000000080008009,
    0x000000008000000a,
    0x000000008000808b,
    0x800000000000008b,
    0x8000000000008089,
    0x8000000000008003,
    0x8000000000008002,
    0x8000000000000080,
    0x000000000000800a,
    0x800000008000000a,
    0x8000000080008081,
    0x8000000000008080,
    0x0000000080000001,
    0x8000000080008008,
];

/// Rotations of the lanes, lane x + 5 y.
const ROTATIONS: [usize; LANES] =
    [0, 1, 62, 28, 27, 36, 44, 6, 55, 20, 3, 10, 43, 25, 39, 41, 45, 15, 21, 8, 18, 2, 61, 56, 14];

/// The lane whose rotation is B\[x, y\], and the rotation: B\[y, 2 x + 3 y\] = rot(A'\[x, y\]).
fn source(lane: usize) -> (usize, usize) {
    let (x, y) = (lane % 5, lane / 5);
    // The lane (x', y') with y' = x and 2 x' + 3 y' = y: x' = x + 3 y.
    let from = (x + 3 * y) % 5 + 5 * x;
    (from, ROTATIONS[from])
}
