//! The deleverage circuit: AdlRank, Adl and ForceLiquidate (docs/src/domain.md section 7, docs/src/trading.md), the circuit
//! of the deleverage family.
//!
//! **Proven.** There are `count` ops whose access logs, absorbed in some order by the tuple sponge, take the capacity
//! `start` to `end`, and each is computed by its rule in the system S at the batch time T with the parameters whose hash is
//! P. What cells held before is for the transition proof, that indices are distinct and complete too.
//!
//! **Public values** (of [`tsz_ledger::ExecClaim`]): params: P (8); price, worth: T (2); tuple: start (8), end (8), count.
//!
//! | table | one row is |
//! |---|---|
//! | [`tsz_gadgets::params`] | the opened parameter hash |
//! | [`tables::Page`], [`tables::Holder`] | an AdlRank, a holder that it lists |
//! | [`tables::Adl`] | an Adl |
//! | [`tables::Force`] | a ForceLiquidate |
//! | [`tables::Bearer`] | the rank of a holder for a loss class, 0 if it cannot be the counterparty |
//! | [`tables::Loss`] | the loss class of a target's close |
//! | [`tables::Refusal`] | a close that insurance cannot take |
//! | [`tables::Well`] | a target that is not bankrupt |
//! | [`tsz_margin::tables`] | markets, collateral, prices, settlements, tokens, positions, judgements, targets, zero quotes |
//! | [`tsz_chips::tuple`], [`tsz_chips::poseidon2`], [`tsz_chips::range`] | as in `tsz-fund` |
//!
//! **Degree budget**: 3. Soundness: `SOUNDNESS.md` beside this crate.

mod class;
mod prove;
mod record;
pub mod tables;
#[cfg(test)]
mod tests;
mod trace;
mod witness;

pub use class::{CLASSES, Class, Counts, DeleverageAir, op_rows};
pub use prove::{ProveError, VerifyError, prove, public_values, verify};
pub use record::{DeleverageRecord, RecordError};
pub use witness::{Witness, WitnessError};

/// A proving key of a size class.
pub type ProvingKey = tsz_stark::ProvingKey<DeleverageAir>;
/// A verifying key of a size class.
pub type VerifyingKey = tsz_stark::VerifyingKey<DeleverageAir>;
