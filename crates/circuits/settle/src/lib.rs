//! The settle circuit: SettlePair, AbsorbDebt and SeizeToken (docs/src/settle.md, docs/src/domain.md section 7).
//!
//! **Proven.** There are `count` ops of the family whose access logs, absorbed in some order by the tuple sponge, take
//! the capacity `start` to `end`, and each is computed by its rule at the batch time T under the parameters whose hash
//! is P. What cells held before is for the transition proof, that indices are distinct and complete too.
//!
//! **Not proven here**: AdlRank. It has no proof.
//!
//! **Public values** (of [`tsz_ledger::ExecClaim`]): params: P (8); price, worth: T (2); tuple: start (8), end (8), count.
//!
//! | table | one row is |
//! |---|---|
//! | [`tsz_gadgets::params`] | the opened hash P |
//! | [`tsz_margin::tables`] | markets, tokens, prices, funding settlements, the judgement of insurance, the health of a debtor with positions |
//! | [`tables::Pair`] | SettlePair |
//! | [`tables::Absorb`] | AbsorbDebt |
//! | [`tables::Seize`] | SeizeToken |
//! | [`tsz_chips::tuple`], [`tsz_chips::poseidon2`], [`tsz_chips::range`] | as in `tsz-fund` |
//!
//! **Buses**: sends `op`, `key`, `val` to the tuple table; looks up `p2`, `range12`; internal buses `params`,
//! `scale`, `tier`, `age`, `haircut`, `price`, `settle`, `worth`, `ratio` (lookups), `judge`, `total`, `token`
//! `target` (permutations). **Degree budget**: 3. Soundness: `SOUNDNESS.md` beside this crate.

mod class;
mod prove;
mod record;
pub mod tables;
#[cfg(test)]
mod tests;
mod trace;
mod witness;

pub use class::{CLASSES, Class, Counts, SettlementAir, op_rows};
pub use prove::{ProveError, VerifyError, prove, public_values, verify};
pub use record::{RecordError, SettleRecord};
pub use witness::{Witness, WitnessError};

/// A proving key of a size class.
pub type ProvingKey = tsz_stark::ProvingKey<SettlementAir>;
/// A verifying key of a size class.
pub type VerifyingKey = tsz_stark::VerifyingKey<SettlementAir>;
