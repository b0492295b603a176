//! The manage circuit: FundingTick, FundingSettle, SetParams, SetToken and SettleMarket (docs/src/manage.md,
//! docs/src/domain.md sections 7 to 9).
//!
//! **Proven.** There are `count` ops of the family whose access logs, absorbed in some order by the tuple sponge, take
//! the capacity `start` to `end`, and each is computed by its rule at the batch time T under the parameters whose hash
//! is P. What cells held before is for the transition proof, that indices are distinct and complete too.
//!
//! **Not proven here**: the other operations of the family. They have no proof.
//!
//! **Public values** (of [`tsz_ledger::ExecClaim`]): params: P (8); clock: T (2); tuple: start (8), end (8), count.
//!
//! | table | one row is |
//! |---|---|
//! | [`tsz_gadgets::params`] | the opened hash P |
//! | [`tsz_gadgets::perps`] | a perpetual market |
//! | [`tsz_gadgets::clock`] | hour and minute of T |
//! | [`tables::Tick`] | FundingTick |
//! | [`tables::Settle`] | FundingSettle |
//! | [`tables::SetParams`] | SetParams |
//! | [`tables::SetToken`] | SetToken |
//! | [`tables::SettleMarket`] | SettleMarket |
//! | [`tsz_chips::tuple`], [`tsz_chips::poseidon2`], [`tsz_chips::range`] | as in `tsz-fund` |
//!
//! **Buses**: sends `op`, `key`, `val` to the tuple table; looks up `p2`, `range12`; internal lookup buses `params`,
//! `funding`, `status`, `clock`. **Degree budget**: 3. Soundness: `SOUNDNESS.md` beside this crate.

mod class;
mod prove;
mod record;
pub mod tables;
#[cfg(test)]
mod tests;

mod trace;
mod witness;

pub use class::{CLASSES, Class, Counts, ManageAir, op_rows};
pub use prove::{ProveError, VerifyError, prove, public_values, verify};
pub use record::{ManageRecord, RecordError};
pub use witness::{Witness, WitnessError};

/// A proving key of a size class.
pub type ProvingKey = tsz_stark::ProvingKey<ManageAir>;
/// A verifying key of a size class.
pub type VerifyingKey = tsz_stark::VerifyingKey<ManageAir>;
