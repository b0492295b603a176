//! The guard of extension programs, and approvals (docs/src/extensions.md): three circuits. The one of programs that move
//! positions is [`margin`].
//!
//! **Proven by the circuit of programs.** There are `count` operations of the program with the public algorithm id whose
//! access logs, absorbed in some order by the tuple sponge, take the capacity `start` to `end`, and whose journals,
//! absorbed in some order by Poseidon2 of width 24, take `journal_start` to `journal_end`; and each keeps the rules of
//! the guard at the batch time T, given what its accesses read. What the program computes is for the run of the guest to
//! prove, which commits to the same journal; what cells held before, that indices are distinct and the vector complete,
//! is for the transition proof.
//!
//! **Proven by the circuit of approvals.** The same of approvals and revocations and their rules, in the system S, like
//! any other family of signed ops.
//!
//! **Public values.** Programs (of [`tsz_ledger::GuardClaim`]): party: program (8), T (2); journal and tuple: start (8),
//! end (8), count. Approvals (of [`tsz_ledger::ExecClaim`]): approve, revoke: S (8), T (2); tuple: start, end, count.
//!
//! | table | one row is | columns |
//! |---|---|---|
//! | [`tables::operation`] | an operation | 8 |
//! | [`tables::party`] | a party of one | 34 |
//! | [`tables::cell`] | a cell that one declares | 82 |
//! | [`tables::limit`] | a limit that one charges | 68 |
//! | [`tables::money`] | a change of a balance | 29 |
//! | [`tables::journal`] | 16 felts of a journal | 43 |
//! | [`tables::approve`] | an ApproveExtension | 221 |
//! | [`tables::revoke`] | a RevokeExtension | 72 |
//! | [`mod@tables::margin`] | operations and cells with legs; a leg; what the legs do to their market | |
//! | [`mod@tsz_chips::tuple`], [`tsz_chips::poseidon2`], [`tsz_chips::range`] | | |
//! | [`tsz_chips::poseidon24`] (programs) | a permutation of the journal | 451 |
//! | [`tsz_chips::schnorr`] (approvals, three) | | |
//!
//! **Buses**: sends `op`, `key`, `val` to the tuple table; looks up `p2`, `range12`, `p2_24`, `sig`; its own are in
//! `bus.rs`. **Degree budget**: 3. Soundness: `SOUNDNESS.md` beside this crate.

mod bus;
mod class;
pub mod margin;
mod prove;
mod record;
mod runs;
pub mod tables;
#[cfg(test)]
mod tests;
mod trace;
mod witness;

pub use class::{
    APPROVAL_CLASSES, ApprovalClass, CLASSES, Class, Counts, GuardAir, approval_counts, approval_op_rows,
    op_rows,
};
pub use prove::{
    ProveError, VerifyError, approval_public_values, prove, prove_approvals, public_values, verify,
    verify_approvals,
};
pub use record::{ApprovalOp, ApprovalRecord, ExtensionRecord, RecordError};
pub use witness::{ApprovalWitness, Witness, WitnessError};

/// A proving key of a size class.
pub type ProvingKey = tsz_stark::ProvingKey<GuardAir>;
/// A verifying key of a size class.
pub type VerifyingKey = tsz_stark::VerifyingKey<GuardAir>;
