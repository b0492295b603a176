//! The perp circuit: PerpTrade (docs/src/domain.md sections 4 and 6, docs/src/trading.md).
//!
//! **Proven.** There are `count` perpetual trades whose access logs, absorbed in some order by the tuple sponge, take
//! the capacity `start` to `end`, and each is computed by its rule in the system S at the batch time T with the
//! parameters whose hash is P. What cells held before is for the transition proof, that indices are distinct and
//! complete too.
//!
//! **Not proven here**: a trade after which a judged sub-account holds margin tokens; it has no proof.
//!
//! **Public values** (of [`tsz_ledger::ExecClaim`]): params: P (8); order: S (8), T (2); price: T (2); tuple: start (8),
//! end (8), count.
//!
//! | table | one row is |
//! |---|---|
//! | [`tsz_gadgets::params`] | the opened parameter hash |
//! | [`tsz_order::PerpOrder`] | a signed order, however often it is filled |
//! | [`tables::Trade`] | a fill |
//! | [`tsz_margin::tables`] | markets, prices, settlements, positions, judgements |
//! | [`tsz_chips::tuple`], [`tsz_chips::poseidon2`], [`tsz_chips::range`], [`tsz_chips::schnorr`] | as in `tsz-fund` |
//!
//! **Buses**: sends `op`, `key`, `val` to the tuple table; looks up `p2`, `range12`, `sig`; internal buses `params`,
//! `order`, `scale`, `listed`, `tier`, `age`, `price`, `settle`, `ratio` (lookups), `judge`, `total` (permutations).
//! **Degree budget**: 3. Soundness: `SOUNDNESS.md` beside this crate.

mod class;
mod fill;
mod prove;
mod record;
pub mod tables;
#[cfg(test)]
mod tests;
mod trace;
mod witness;

pub use class::{CLASSES, Class, Counts, PerpAir};
pub use prove::{ProveError, VerifyError, prove, public_values, verify};
pub use record::PerpRecord;
pub use trace::RecordError;
pub use witness::{Witness, WitnessError};

/// A proving key of a size class.
pub type ProvingKey = tsz_stark::ProvingKey<PerpAir>;
/// A verifying key of a size class.
pub type VerifyingKey = tsz_stark::VerifyingKey<PerpAir>;
