//! Extension operations on the ledger: approvals, the guard, and what ties a guest's run to the access log
//! (docs/src/extensions.md).
//!
//! A program of the extension layer proposes new values; the guard disposes. [`apply`] takes an [`ExtOp`], has the
//! program run on what it declares to read, and accepts its writes only where every party that pays has approved the
//! program, within the limits it set, and where no unit of any token is made or lost. A malicious program can lose
//! what was approved to it and nothing else.
//!
//! These are the native rules; the circuits are in crates/circuits/guard.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

mod approval;
mod cells;
mod codec;
mod discover;
mod guard;
mod guests;
mod image;
mod margin;
mod op;
pub mod poseidon24;
mod programs;
mod reject;
mod run;
pub mod sim;

#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use tsz_ledger::{Access, BatchContext};
use tsz_stf::{Log, SigVerifier, Verified, View};

pub use approval::{ApproveExtension, Limit, RevokeExtension};
pub use cells::{ApprovalPolicy, ApprovalSlot, LimitCell, Limited, MAX_LIMITS, key};
pub use discover::discover;
pub use guard::{Approver, Extension, Touch};
pub use guests::{GuestPin, PinLineError, list_guests, parse_guests, pinned_guests, root_hex};
pub use image::{ImageError, image_root};
pub use margin::{Crossing, Margin, MarginReject, NoMargin};
pub use op::{ExtOp, code};
pub use programs::{Installed, Native, Programs};
pub use reject::ExtReject;
pub use run::{
    Outcome, Run, RunError, RunEvents, guard_algorithm, guest_algorithm, run_output, terms_digest, words,
};
pub use tsz_ext_sdk::cell;

/// What is constant in a batch.
#[derive(Debug)]
pub struct ExtContext<'a, P, S = Verified, M = NoMargin> {
    /// System, number and time.
    pub batch: &'a BatchContext,
    /// Runs programs.
    pub programs: &'a P,
    /// Judges signatures.
    pub verifier: &'a S,
    /// Carries out legs.
    pub margin: &'a M,
}

/// Applies an operation to the state and gives its accesses in the order of the rule.
///
/// # Errors
/// An [`ExtReject`]; nothing has changed then.
pub fn apply<V: View, P: Programs, S: SigVerifier, M: Margin>(
    view: &V,
    ctx: &ExtContext<'_, P, S, M>,
    op: &ExtOp,
) -> Result<Vec<Access>, ExtReject> {
    let mut log = Log::new(view);
    match op {
        ExtOp::ApproveExtension(op) => op.run(ctx, &mut log)?,
        ExtOp::RevokeExtension(op) => op.run(ctx, &mut log)?,
        ExtOp::Extension(op) => op.run(ctx, &mut log)?,
    }
    let (got, max) = (log.accesses().len(), tsz_ledger::tuple::MAX_ACCESSES);
    if got > max {
        return Err(ExtReject::TooManyAccesses { max, got });
    }
    Ok(log.into_accesses())
}
