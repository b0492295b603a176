//! What the tests of several crates share.
//!
//! [`damage`] makes seeded, damaged copies of byte strings for decoders and verifiers that must refuse any of
//! them. `tests/decoders.rs` runs it on the decoders at trust boundaries. `tests/workspace.rs` holds the rules of the workspace itself: the direction of its dependencies, where
//! Plonky3's plumbing may be named, which crates are `no_std`, and which licences dependencies carry. [`live`] runs the
//! real counterparts of logins.

pub mod damage;
pub mod live;

pub use damage::{Damage, damaged, damaged_text};
