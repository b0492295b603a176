//! The liquidate circuit: Liquidate, Takeover, ForcedClose (docs/src/domain.md sections 7 and 9, docs/src/trading.md).
//!
//! **Proven.** There are `count` ops of these kinds whose access logs, absorbed in some order by the tuple sponge, take the
//! capacity `start` to `end`, and each is computed by its rule in the system S at the batch time T with the parameters whose
//! hash is P. What cells held before is for the transition proof, that indices are distinct and complete too.
//!
//! **Public values** (of [`tsz_ledger::ExecClaim`]): params: P (8); order: S (8), T (2); price, worth: T (2); tuple: start
//! (8), end (8), count.
//!
//! | table | one row is |
//! |---|---|
//! | [`tsz_gadgets::params`] | the opened parameter hash |
//! | [`tsz_order::PerpOrder`] | a maker's signed order |
//! | [`tables::Takeover`] | a Takeover |
//! | [`tables::Close`] | a Liquidate, or the fill of a ForcedClose |
//! | [`tables::Forced`] | a ForcedClose, filled or refused |
//! | [`tsz_margin::tables`] | markets, collateral, prices, settlements, tokens, positions, judgements, targets, zero quotes, closes that would not be enough |
//! | [`tsz_chips::tuple`], [`tsz_chips::poseidon2`], [`tsz_chips::range`], [`tsz_chips::schnorr`] | as in `tsz-fund` |
//!
//! **Buses** of its own: `served` (permutation), from a filled ForcedClose to its close.
//! **Degree budget**: 3. Soundness: `SOUNDNESS.md` beside this crate.

mod class;
mod prove;
mod record;
pub mod tables;
#[cfg(test)]
mod tests;
mod trace;
mod witness;

pub use class::{CLASSES, Class, Counts, LiquidateAir, op_rows};
pub use prove::{ProveError, VerifyError, prove, public_values, verify};
pub use record::{LiquidateRecord, RecordError};
pub use witness::{Witness, WitnessError};

/// A proving key of a size class.
pub type ProvingKey = tsz_stark::ProvingKey<LiquidateAir>;
/// A verifying key of a size class.
pub type VerifyingKey = tsz_stark::VerifyingKey<LiquidateAir>;
