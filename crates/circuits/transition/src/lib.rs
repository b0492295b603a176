//! The transition circuit: replays the accesses of a batch and takes the state tree from the old root to the new
//! one (docs/src/transition.md). It knows nothing of any operation, only (algorithm id, accesses).
//!
//! **Proven.** There are N ops, each an access log, such that: executed in order on the tree with root S0, every
//! access finds the old value that it claims, and the tree ends with root Sn; the ops are split over the used slots
//! of the transition set with the public root, and slot k's commitment is the tuple sponge over its ops (from the
//! context digest C) and its count their number.
//!
//! **Public values**: access `N`; tuple `C (8)`; set `S0 (8), Sn (8), set root (8)`.
//!
//! | table | rows | columns + LogUp |
//! |---|---|---|
//! | [`access`] | accesses | 29 + 28 |
//! | [`leaf`] | distinct cells | 20 + 16 |
//! | [`merkle`] | touched inner nodes | 57 + 16 |
//! | [`tsz_chips::tuple`] | blocks + slots | 29 + 28 |
//! | [`set`] | 128 | 42 + 28 |
//! | range | 4096 | 1 + 8 |
//! | poseidon2 (one or more) | distinct permutations | 299 + 8 |
//!
//! Degree 3 everywhere. Soundness: `SOUNDNESS.md` beside this crate.

pub mod access;
mod air;
mod class;
mod error;
pub mod leaf;
pub mod merkle;
mod prove;
pub mod set;
#[cfg(test)]
mod tests;
mod witness;

pub use air::TransitionAir;
pub use class::{CLASSES, Class, Counts};
pub use error::{ProveError, VerifyError};
pub use prove::{prove, public_values, verify};
pub use witness::Witness;

/// A proving key of a size class.
pub type ProvingKey = tsz_stark::ProvingKey<TransitionAir>;
/// A verifying key of a size class.
pub type VerifyingKey = tsz_stark::VerifyingKey<TransitionAir>;
