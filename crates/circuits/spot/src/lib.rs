//! The spot circuit: SpotTrade (docs/src/domain.md sections 4 and 5, docs/src/trading.md).
//!
//! **Proven.** There are `count` spot trades whose access logs, absorbed in some order by the tuple sponge, take the
//! capacity `start` to `end`, and each is computed by its rule in the system S at the batch time T under the parameters
//! with hash P. What cells held before is for the transition proof, that indices are distinct and complete too; that P
//! is in force is for the fund family's BeginBatch.
//!
//! **Public values** (of [`tsz_ledger::ExecClaim`]): params: P (8); order: S (8), T (2); tuple: start (8), end (8),
//! count.
//!
//! | table | one row is | columns + LogUp |
//! |---|---|---|
//! | [`tsz_gadgets::params`] | the opened parameter hash | 61 + 20 |
//! | [`tables::Market`] | a listed market | 31 + 36 |
//! | [`tsz_order::SpotOrder`] | a signed order, however often it is filled | 97 + 112 |
//! | [`tables::Trade`] | a fill | 505 + 620 |
//! | [`tsz_chips::tuple`], [`tsz_chips::poseidon2`], [`tsz_chips::range`], [`tsz_chips::schnorr`] | as in `tsz-fund` | |
//!
//! An order row with its signature and its five permutations costs about 6,500 cells, so it is kept out of the fills:
//! an order that is filled often in a range is hashed and its signature proven once.
//!
//! **Buses**: sends `op`, `key`, `val` to the tuple table; looks up `p2`, `range12`, `sig`; internal lookup buses
//! `order`, `market` and `params`. **Degree budget**: 3. Soundness: `SOUNDNESS.md` beside this crate.

mod class;
mod prove;
mod record;
mod sides;
pub mod tables;
#[cfg(test)]
mod tests;
mod trace;
mod witness;

pub use class::{CLASSES, Class, Counts, SpotAir, op_rows};
pub use prove::{ProveError, VerifyError, prove, public_values, verify};
pub use record::SpotRecord;
pub use trace::RecordError;
pub use witness::{Witness, WitnessError};

/// A proving key of a size class.
pub type ProvingKey = tsz_stark::ProvingKey<SpotAir>;
/// A verifying key of a size class.
pub type VerifyingKey = tsz_stark::VerifyingKey<SpotAir>;
