//! The oracle circuit: OracleUpdate (docs/src/oracle.md, docs/src/domain.md section 8).
//!
//! **Proven.** There are `count` ops of the family whose access logs, absorbed in some order by the tuple sponge, take
//! the capacity `start` to `end`, and each is computed by its rule in the system S at the batch time T under the
//! parameters whose hash is P: prices are what a quorum of listed signers signed. What cells held before is for the
//! transition proof, that indices are distinct and complete too.
//!
//! **Public values** (of [`tsz_ledger::ExecClaim`]): params: P (8); report: S (8); update: T (2); tuple: start (8),
//! end (8), count.
//!
//! | table | one row is |
//! |---|---|
//! | [`tsz_gadgets::params`] | the opened hash P |
//! | [`tsz_gadgets::perps`] | a perpetual market |
//! | [`tables::Rule`] | the oracle rules (first row), a signer |
//! | [`tables::Report`] | a signed price report |
//! | [`tables::Update`] | OracleUpdate |
//! | [`tsz_chips::tuple`], [`tsz_chips::poseidon2`], [`tsz_chips::range`], [`tsz_chips::schnorr`] | as in `tsz-fund` |
//!
//! The reports of an op are consecutive rows, so that counting needs no sorting; the op's own row takes what they say
//! together on the bus `median`.
//!
//! **Buses**: sends `op`, `key`, `val` to the tuple table; looks up `p2`, `range12`, `sig`; internal lookup buses
//! `params`, `feed`, `rules`, `signer`, internal permutation bus `median`. **Degree budget**: 3.
//! Soundness: `SOUNDNESS.md` beside this crate.

mod class;
mod prove;
mod record;
pub mod tables;
#[cfg(test)]
mod tests;

mod trace;
mod witness;

pub use class::{CLASSES, Class, Counts, OracleAir};
pub use prove::{ProveError, VerifyError, prove, public_values, verify};
pub use record::{OracleRecord, RecordError};
pub use witness::{Witness, WitnessError};

/// A proving key of a size class.
pub type ProvingKey = tsz_stark::ProvingKey<OracleAir>;
/// A verifying key of a size class.
pub type VerifyingKey = tsz_stark::VerifyingKey<OracleAir>;
