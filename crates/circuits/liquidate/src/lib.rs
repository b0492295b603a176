//! The liquidate circuit: Takeover (docs/src/domain.md section 7, docs/src/trading.md), the circuit of the liquidate family.
//!
//! **Proven.** There are `count` takeovers whose access logs, absorbed in some order by the tuple sponge, take the capacity
//! `start` to `end`, and each is computed by its rule in the system S at the batch time T with the parameters whose hash is
//! P. What cells held before is for the transition proof, that indices are distinct and complete too.
//!
//! **Public values** (of [`tsz_ledger::ExecClaim`]): params: P (8); price, worth: T (2); tuple: start (8), end (8), count.
//!
//! | table | one row is |
//! |---|---|
//! | [`tsz_gadgets::params`] | the opened parameter hash |
//! | [`tables::Takeover`] | a Takeover |
//! | [`tsz_margin::tables`] | markets, collateral, prices, settlements, tokens, positions, judgements, targets, zero quotes |
//! | [`tsz_chips::tuple`], [`tsz_chips::poseidon2`], [`tsz_chips::range`] | as in `tsz-fund` |
//!
//! **Degree budget**: 3. Soundness: `SOUNDNESS.md` beside this crate. Not in the registry of circuits yet.

mod class;
mod prove;
mod record;
pub mod tables;
#[cfg(test)]
mod tests;
mod trace;
mod witness;

pub use class::{CLASSES, Class, Counts, LiquidateAir};
pub use prove::{ProveError, VerifyError, prove, public_values, verify};
pub use record::{LiquidateRecord, RecordError};
pub use witness::{Witness, WitnessError};

/// A proving key of a size class.
pub type ProvingKey = tsz_stark::ProvingKey<LiquidateAir>;
/// A verifying key of a size class.
pub type VerifyingKey = tsz_stark::VerifyingKey<LiquidateAir>;
