//! The wall between the system and Plonky3's STARK plumbing.
//!
//! A [`Circuit`] is an ordered list of AIRs (one Rust enum per circuit family) with fixed heights. [`setup`]
//! turns it into a [`ProvingKey`] and a [`VerifyingKey`]; [`prove`] makes a [`Proof`]; [`verify`] takes bytes
//! and returns a typed error for anything but an honest proof: it never panics on any bytes.
//!
//! A vk is identified by its digest (module [`digest`]), which commits to every constraint, every interaction,
//! the heights, the preprocessed trace and the FRI parameters. The digest also seeds the transcript, so a proof
//! of one vk never verifies under another, even where the shapes agree.
//!
//! Heights: [`MIN_LOG_HEIGHT`] bounds them below. FRI pauses at every distinct height, so few distinct heights
//! (or heights that differ by multiples of 3) give smaller proofs.

mod balance;
mod challenger;
mod circuit;
mod committed;
mod config;
pub mod digest;
mod params;
mod proof;
mod prover;
pub mod security;
mod shape;
#[cfg(test)]
mod tests;
mod tree;
mod verify;

pub use balance::Estimate;
pub use circuit::{Circuit, CircuitAir, ProvingKey, SetupError, TableAir, TableInfo, VerifyingKey, setup};
pub use committed::{setup_with, verifying_key};
pub use config::{Commitment, Config, ExtField, F};
pub use params::{FriParams, MAX_PROOF_BYTES, MIN_LOG_HEIGHT, MIN_PROVEN_BITS, PROTOCOL_VERSION, Profile};
pub use proof::{Proof, ProveError, prove};
pub use prover::QuotientFolder;
pub use shape::ShapeError;
pub use verify::{VerifyError, verify, verify_proof};

pub use p3_matrix::Matrix;
pub use p3_matrix::dense::RowMajorMatrix;
/// A main trace: rows of base field elements.
pub type Trace = RowMajorMatrix<F>;
