//! The spot circuit: SpotTrade (docs/src/domain.md sections 4 and 5, docs/src/trading.md).
//!
//! **Proven.** There are `count` spot trades whose access logs, absorbed in some order by the tuple sponge, take the
//! capacity `start` to `end`, and each is computed by its rule in the system S at the batch time T with the markets
//! that the claim's digest names. What cells held before is for the transition proof, that indices are distinct and
//! complete too; that the markets are those in force is for the caller.
//!
//! **Not proven here**: a trade whose payer pays in a collateral token and has positions or debt. The ledger judges
//! its risk; this circuit has no risk table yet and such a trade has no proof.
//!
//! **Public values** (of [`SpotClaim`]): market: digest (8); order: S (8), T (2); tuple: start (8), end (8), count.
//!
//! | table | one row is | columns + LogUp |
//! |---|---|---|
//! | [`tables::Market`] | a listed market | 32 + 32 |
//! | [`tables::Order`] | a signed order, however often it is filled | 95 + 112 |
//! | [`tables::Trade`] | a fill | 515 + 628 |
//! | [`tsz_chips::tuple`], [`tsz_chips::poseidon2`], [`tsz_chips::range`], [`tsz_chips::schnorr`] | as in `tsz-fund` | |
//!
//! An order row with its signature and its five permutations costs about 6,500 cells, so it is kept out of the fills:
//! an order that is filled often in a range is hashed and its signature proven once.
//!
//! **Buses**: sends `op`, `key`, `val` to the tuple table; looks up `p2`, `range12`, `sig`; internal lookup buses
//! `order` and `market`. **Degree budget**: 3. Soundness: `SOUNDNESS.md` beside this crate.

mod class;
mod prove;
mod record;
mod sides;
pub mod tables;
#[cfg(test)]
mod tests;
mod trace;
mod witness;

pub use class::{CLASSES, Class, Counts, SpotAir};
pub use prove::{ProveError, SpotClaim, VerifyError, prove, public_values, verify};
pub use record::{SpotRecord, market_digest};
pub use trace::RecordError;
pub use witness::{Witness, WitnessError};

/// A proving key of a size class.
pub type ProvingKey = tsz_stark::ProvingKey<SpotAir>;
/// A verifying key of a size class.
pub type VerifyingKey = tsz_stark::VerifyingKey<SpotAir>;
