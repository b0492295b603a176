//! The perp circuit: PerpTrade, MarginTransfer, MarginExit (docs/src/domain.md sections 4 and 6, docs/src/trading.md).
//!
//! **Proven.** There are `count` ops of these kinds whose access logs, absorbed in some order by the tuple sponge, take
//! the capacity `start` to `end`, and each is computed by its rule in the system S at the batch time T with the
//! parameters whose hash is P. What cells held before is for the transition proof, that indices are distinct and
//! complete too.
//!
//! **Public values** (of [`tsz_ledger::ExecClaim`]): params: P (8); order, margin_transfer: S (8), T (2); price, worth:
//! T (2); tuple: start (8), end (8), count.
//!
//! | table | one row is |
//! |---|---|
//! | [`tsz_gadgets::params`] | the opened parameter hash |
//! | [`tsz_order::PerpOrder`] | a signed order, however often it is filled |
//! | [`tables::Trade`] | a fill |
//! | [`tables::Transfer`], [`tables::Exit`] | a MarginTransfer, a MarginExit |
//! | [`tsz_margin::tables`] | markets, collateral, prices, settlements, tokens, positions, judgements |
//! | [`tsz_chips::tuple`], [`tsz_chips::poseidon2`], [`tsz_chips::range`], [`tsz_chips::schnorr`] | as in `tsz-fund` |
//!
//! **Buses**: sends `op`, `key`, `val` to the tuple table; looks up `p2`, `range12`, `sig`; internal buses `params`,
//! `order`, `scale`, `listed`, `tier`, `age`, `price`, `settle`, `ratio`, `haircut`, `place`, `tokens`, `worth` (lookups),
//! `judge`, `total`, `token` (permutations).
//! **Degree budget**: 3. Soundness: `SOUNDNESS.md` beside this crate.

mod class;
pub mod fill;
mod margin_ops;
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
pub use trace::{Log, RecordError};
pub use witness::{Witness, WitnessError};

/// A proving key of a size class.
pub type ProvingKey = tsz_stark::ProvingKey<PerpAir>;
/// A verifying key of a size class.
pub type VerifyingKey = tsz_stark::VerifyingKey<PerpAir>;
