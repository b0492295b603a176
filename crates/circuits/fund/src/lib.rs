//! The fund circuit: deposits, transfers, withdrawals, keys, exits (docs/src/fund.md) and cancels (docs/src/trading.md).
//!
//! **Proven.** There are `count` fund ops whose access logs, absorbed in some order by the tuple sponge, take the
//! capacity `start` to `end`, and each op is computed by its rule in the system S at the batch time T: signed by a
//! key of the account that may and has not expired, or consumed from the L1 queue; nothing created or lost. The
//! range holds the batch's BeginBatch iff `has_begin`. What cells held before is for the transition proof, that
//! indices are distinct and complete too.
//!
//! **Public values** (of [`tsz_ledger::ExecClaim`]): begin: batch (2), T (2), has_begin, P (8); transfer, withdraw, key,
//! cancel, cancel_all: S (8), T (2); tuple: start (8), end (8), count.
//!
//! | table | one row is | columns + LogUp |
//! |---|---|---|
//! | [`tables::Begin`] | BeginBatch | 10 + 24 |
//! | [`tables::Deposit`] | Deposit | 126 + 172 |
//! | [`tables::Transfer`] | Transfer | 112 + 164 |
//! | [`tables::Withdraw`] | Withdraw | 126 + 176 |
//! | [`tables::Key`] | RegisterKey, RevokeKey | 93 + 80 |
//! | [`tables::L1Key`] | L1RegisterKey, L1RevokeKey | 116 + 112 |
//! | [`tables::Exit`] | FullExit | 126 + 160 |
//! | [`tables::Cancel`] | CancelOrder | 64 + 88 |
//! | [`tables::CancelAll`] | CancelAll | 66 + 100 |
//! | [`tsz_chips::tuple`] | a block of a tuple | 29 + 24 |
//! | [`tsz_chips::poseidon2`] (two) | a permutation | 299 + 8 |
//! | [`tsz_chips::range`] | a 12-bit value | 1 + 8 |
//! | [`tsz_chips::schnorr`] (three) | a signature, 1/16 of one, a multiple of G | |
//!
//! **Buses**: sends `op`, `key`, `val` to the tuple table; looks up `p2`, `range12`, `sig` (docs/src/tuple.md).
//! **Degree budget**: 3, reached by signs, carries and reasons; messages have degree 1, some 2.
//! Soundness: `SOUNDNESS.md` beside this crate.

mod class;
mod cost;
pub use tsz_gadgets as gadgets;
mod op;
mod prove;
pub mod tables;
#[cfg(test)]
mod tests;
mod trace;
mod witness;

pub use class::{CLASSES, Class, Counts, FundAir, counts, op_rows};
pub use cost::{TableCost, cells_per_op};
pub use op::{FundRecord, Leg, OP_TABLES};
pub use prove::{ProveError, VerifyError, prove, public_values, verify};
pub use trace::{Payment, RecordError, transfer_row, withdraw_row};
pub use witness::{Witness, WitnessError};

/// A proving key of a size class.
pub type ProvingKey = tsz_stark::ProvingKey<FundAir>;
/// A verifying key of a size class.
pub type VerifyingKey = tsz_stark::VerifyingKey<FundAir>;
