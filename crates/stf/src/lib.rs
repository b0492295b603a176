//! The state transition function: pure rules of the operations (docs/src/fund.md).
//!
//! [`apply`] takes a [`View`] of the state, the constants of the batch and one operation, and gives its receipt and
//! its access log, in the order that the circuits replay. It changes nothing itself: the caller commits the writes.
//! An operation of the operator that breaks a rule is a [`Reject`] that names the numbers; an L1 operation that
//! breaks one is a no-op with a [`Code`], because L1 has already queued it.
#![no_std]
extern crate alloc;

mod auth;
mod bucket;
mod codec;
mod flat;
pub mod forms;
mod genesis;
mod hashes;
mod op;
pub mod ops;
mod receipt;
mod reject;
mod signer;
mod totals;
mod view;

#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use tsz_ledger::{Access, BatchContext};

pub use auth::{Approval, AuthOp, apply_auth_with, code as auth_code};
pub use codec::decode_signature;
pub use flat::FlatView;
pub use genesis::{Genesis, GenesisAccount, GenesisError, GenesisKey, TokenListing};
pub use hashes::{chain, message};
pub use op::{FundOp, code};
pub use ops::{
    BeginBatch, Deposit, FullExit, L1RegisterKey, L1RevokeKey, PayByOidc, PayByPasskey, PayByWallet, Payee,
    Payment, RegisterKey, RegisterKeyByOidc, RegisterKeyByPasskey, RegisterKeyByWallet, RevokeKey,
    RevokeKeyByOidc, RevokeKeyByPasskey, RevokeKeyByWallet, Transfer, Withdraw,
};
pub use receipt::{Code, Receipt};
pub use reject::Reject;
pub use signer::{Authority, SigVerifier, Trusted, Verified};
pub use totals::totals;
pub use tsz_ledger::OutRecord;
pub use view::{Log, MemView, View};

/// What an accepted operation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// What is reported to its sender.
    pub receipt: Receipt,
    /// Its accesses in the order of the rule.
    pub accesses: Vec<Access>,
}

/// Constants of the batch and the position of the operation in it.
pub(crate) struct Env<'a, S> {
    pub batch: &'a BatchContext,
    pub index: u32,
    pub verifier: &'a S,
}

/// An operation's rule.
pub(crate) trait Rule {
    /// Performs the accesses on the log.
    fn run<V: View, S: SigVerifier>(&self, env: &Env<'_, S>, log: &mut Log<'_, V>)
    -> Result<Receipt, Reject>;
}

/// Applies op `index` (0-based in the batch) to the state, verifying its signature.
///
/// # Errors
/// A [`Reject`]; nothing has changed then.
pub fn apply<V: View>(view: &V, batch: &BatchContext, index: u32, op: &FundOp) -> Result<Applied, Reject> {
    apply_with(view, batch, index, op, &Verified)
}

/// [`apply`] with another judge of signatures: [`Trusted`] replays operations that were verified before.
pub fn apply_with<V: View, S: SigVerifier>(
    view: &V,
    batch: &BatchContext,
    index: u32,
    op: &FundOp,
    verifier: &S,
) -> Result<Applied, Reject> {
    let mut accesses = Vec::with_capacity(6);
    let receipt = apply_into(view, batch, index, op, verifier, &mut accesses)?;
    Ok(Applied { receipt, accesses })
}

/// [`apply_with`] into a buffer that the caller uses again. The buffer holds the access log of an accepted operation;
/// after a rejection it is empty.
///
/// # Errors
/// A [`Reject`]; nothing has changed then.
pub fn apply_into<V: View, S: SigVerifier>(
    view: &V,
    batch: &BatchContext,
    index: u32,
    op: &FundOp,
    verifier: &S,
    accesses: &mut Vec<Access>,
) -> Result<Receipt, Reject> {
    let env = Env { batch, index, verifier };
    let mut log = Log::with_buffer(view, core::mem::take(accesses));
    let result = op.run(&env, &mut log);
    *accesses = log.into_accesses();
    if result.is_err() {
        accesses.clear();
    }
    result
}
