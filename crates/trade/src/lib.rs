//! The trading ledger: spot and perpetual trades, risk, liquidation, insurance, ADL, funding and oracle
//! (docs/src/domain.md sections 4 to 8, docs/src/trading.md).
//!
//! [`apply`] takes a [`View`] of the state, the constants of the batch and one operation, and gives its receipt and
//! its access log in the order of the rule, like `tsz-stf` does for funds. It changes nothing itself. An operation of
//! the operator that breaks a rule is a [`TradeReject`] that names the numbers; an L1 operation that breaks one of
//! its own conditions is a no-op with a [`TradeCode`]. Numbers are exact integers of `tsz-risk`; nothing panics.
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod account;
mod admit;
mod any;
mod cross;
mod encoding;
mod executor;
mod fees;
pub mod invariants;
mod kind;
mod market;
mod op;
pub mod ops;
pub mod order;
pub mod params;
mod reject;

#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use tsz_ledger::{Access, BatchContext};
use tsz_stf::{Log, SigVerifier, Verified, View};

pub use account::Party;
pub use any::{AppliedOp, Op, OpReceipt, OpReject, apply_op, apply_op_into, apply_op_running, apply_op_with};
pub use cross::MarginRules;
pub use executor::MemExecutor;
pub use market::HOUR_MS;
pub use op::{TradeOp, code};
pub use order::{Order, PerpOrder, Prepared, SelfTrade, Side, Signed, SpotOrder, Terms, Tif, Trigger};
pub use params::{Params, ParamsError};
pub use reject::TradeReject;

/// Constants of the batch.
#[derive(Clone, Copy, Debug)]
pub struct TradeContext<'a> {
    /// System, number, time and parameter hash.
    pub batch: &'a BatchContext,
    /// Parameters in force: those of the batch's hash.
    pub params: &'a Params,
}

/// Outcome of an operation; all but `Ok` are no-ops of L1 operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u32)]
pub enum TradeCode {
    /// Done.
    #[default]
    Ok = 0,
    /// The sender does not own the account.
    NotOwner = 2,
    /// The account has no position in the market.
    NoPosition = 6,
    /// The close would grow the position.
    WrongSide = 7,
    /// The close names no lots, more than the position has, or more than one maker can take: at the mark they do not fit
    /// a fill or are above the bound of the last tier.
    TooManyLots = 8,
    /// The limit is too far from the mark.
    OutsideBand = 9,
    /// The account is to be liquidated.
    Liquidatable = 10,
    /// The account is not to be taken over.
    NotBankrupt = 11,
    /// The market is being settled.
    Settling = 12,
    /// The collateral backs positions.
    OpenPositions = 4,
    /// The collateral is negative.
    Negative = 5,
    /// Nobody can take the other side; the market has to be settled.
    NoCounterparty = 13,
    /// The market does not exist.
    NoMarket = 14,
    /// Insurance cannot be liquidated in favour of insurance.
    Reserved = 15,
    /// The token is no collateral.
    NotCollateral = 16,
    /// The market is not being settled.
    NotSettling = 17,
    /// The market has its prices already.
    Settled = 18,
}

/// What is reported to the sender of an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeReceipt {
    /// Outcome.
    pub code: TradeCode,
    /// Notional or zero quote of the fill in quote units, signed for zero quotes.
    pub quote: i128,
}

impl TradeReceipt {
    pub(crate) fn noop(code: TradeCode) -> Self {
        Self { code, quote: 0 }
    }
}

/// What an accepted operation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// What is reported to its sender.
    pub receipt: TradeReceipt,
    /// Its accesses in the order of the rule.
    pub accesses: Vec<Access>,
}

/// What rules of risk need to know of the batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    pub params: &'a Params,
    /// Batch time in ms.
    pub time: u64,
    /// Whether the last price counts whatever its age: operations that L1 forces.
    pub forced: bool,
}

/// What an operation's rule gets besides the log.
pub(crate) struct Env<'a, S> {
    pub ctx: Context<'a>,
    pub batch: &'a BatchContext,
    pub verifier: &'a S,
}

impl<S> Env<'_, S> {
    /// The context of a forced operation.
    pub fn forced(&self) -> Context<'_> {
        Context { forced: true, ..self.ctx }
    }
}

/// An operation's rule.
pub(crate) trait Rule {
    /// Performs the accesses on the log.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject>;
}

impl TradeContext<'_> {
    /// Checks that the parameters are those of the batch's hash; to be asked once, when the batch begins. BeginBatch
    /// checks that this hash is in force.
    ///
    /// # Errors
    /// [`TradeReject::Params`] if they are invalid, [`TradeReject::OtherParams`].
    pub fn check_params(&self) -> Result<(), TradeReject> {
        // the hash is injective on valid parameters only
        self.params.validate().map_err(TradeReject::Params)?;
        if self.batch.params == self.params.hash() { Ok(()) } else { Err(TradeReject::OtherParams) }
    }
}

/// Applies op `index` (0-based in the batch) to the state, verifying its signatures.
///
/// # Errors
/// A [`TradeReject`]; nothing has changed then.
pub fn apply<V: View>(
    view: &V,
    ctx: &TradeContext<'_>,
    index: u32,
    op: &TradeOp,
) -> Result<Applied, TradeReject> {
    apply_with(view, ctx, index, op, &Verified)
}

/// [`apply`] with another judge of signatures.
///
/// # Errors
/// A [`TradeReject`]; nothing has changed then.
pub fn apply_with<V: View, S: SigVerifier>(
    view: &V,
    ctx: &TradeContext<'_>,
    _index: u32,
    op: &TradeOp,
    verifier: &S,
) -> Result<Applied, TradeReject> {
    let mut accesses = Vec::with_capacity(32);
    let receipt = apply_into(view, ctx, op, verifier, &mut accesses)?;
    Ok(Applied { receipt, accesses })
}

/// [`apply_with`] into a buffer that the caller uses again: no allocation once it has grown. The buffer holds the
/// access log of an accepted operation; after a rejection it is empty.
///
/// # Errors
/// A [`TradeReject`]; nothing has changed then.
pub fn apply_into<V: View, S: SigVerifier>(
    view: &V,
    ctx: &TradeContext<'_>,
    op: &TradeOp,
    verifier: &S,
    accesses: &mut Vec<Access>,
) -> Result<TradeReceipt, TradeReject> {
    let inner = Context { params: ctx.params, time: ctx.batch.time, forced: false };
    let env = Env { ctx: inner, batch: ctx.batch, verifier };
    let mut log = Log::with_buffer(view, core::mem::take(accesses));
    let result = op.run(&env, &mut log);
    *accesses = log.into_accesses();
    let max = tsz_ledger::tuple::MAX_ACCESSES;
    let result = match result {
        Ok(_) if accesses.len() > max => Err(TradeReject::TooManyAccesses { max, got: accesses.len() }),
        other => other,
    };
    if result.is_err() {
        accesses.clear();
    }
    result
}
