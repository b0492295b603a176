//! Verifier of risc0's rv32im segment proofs, without risc0's crates.
//!
//! A guest runs in risc0's zkVM in segments of at most `2^po2` cycles, and each has a proof, its **seal**: a STARK
//! over BabyBear with Poseidon2-24 for trees and transcript. [`verify`] accepts a seal or gives an error, whatever
//! the words are; [`verify_run`] accepts the seals of a whole run of a known program with a known output.
//!
//! The protocol is that of risc0-zkp 3.0.5 and the circuit that of risc0-circuit-rv32im 4.0.5, whose constraints are
//! data of this crate ([`circuit`]). `reference/` compares both with risc0's own code. `SOUNDNESS.md` says what an
//! accepted seal proves: **97 conjectured bits and about 48 proven ones**, by risc0's parameters.

#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod circuit;
mod claim;
mod error;
pub mod field;
mod run;
pub mod seal;
pub mod shape;
#[cfg(test)]
mod tests;
pub mod transcript;
pub mod verifier;

pub use claim::{End, SegmentClaim, place};
pub use error::{RunError, SegmentError, Tree};
pub use run::{MAX_SEGMENTS, sizes, verify_run};
pub use seal::Seal;

/// Eight words: the root of a memory image, the output of a run.
pub type Words = [u32; 8];

/// Security of a seal under conjectures about list decoding, by risc0's own count: to be printed where a claim is.
pub const CONJECTURED_BITS: u32 = 97;
/// Security of a seal by theorems alone, by risc0's own count, rounded.
pub const PROVEN_BITS: u32 = 48;

/// Verifies one seal: what it claims.
///
/// # Errors
/// A [`SegmentError`] that says what does not hold.
pub fn verify(seal: &[u32]) -> Result<SegmentClaim, SegmentError> {
    let seal = Seal::parse(seal)?;
    let claim = SegmentClaim::read(seal.shape.po2 as u32, &seal.globals)?;
    verifier::check(&seal)?;
    Ok(claim)
}
