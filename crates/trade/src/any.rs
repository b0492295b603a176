//! Every operation of the system: funds, trading, logins and extensions under one name.
//!
//! Scenarios, executors and provers handle an [`Op`]; which rules it obeys, and so which circuit proves it, is
//! [`Op::algorithm`].

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tsz_ext::{ExtContext, ExtOp, ExtReject, Installed, Programs};
use tsz_ledger::{Access, AlgorithmId, Family};
use tsz_stf::{AuthOp, FundOp, Receipt, Reject, SigVerifier, Verified, View};

use crate::{MarginRules, TradeContext, TradeOp, TradeReceipt, TradeReject};

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Op {
    /// Money, keys and the beginning of batches.
    Fund(FundOp),
    /// Trading.
    Trade(TradeOp),
    /// Logins.
    Auth(AuthOp),
    /// Extension programs and their approvals.
    Ext(ExtOp),
}

/// What is reported to the sender of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OpReceipt {
    /// Of a fund operation.
    Fund(Receipt),
    /// Of a trading operation.
    Trade(TradeReceipt),
}

/// Why an operation cannot be part of the batch here. The state is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OpReject {
    /// Of a fund operation.
    #[error(transparent)]
    Fund(Reject),
    /// Of a trading operation.
    #[error(transparent)]
    Trade(TradeReject),
    /// Of an operation of the extension layer.
    #[error(transparent)]
    Ext(ExtReject),
}

/// What an accepted operation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedOp {
    /// What is reported to its sender.
    pub receipt: OpReceipt,
    /// Its accesses in the order of the rule.
    pub accesses: Vec<Access>,
}

impl Op {
    /// The family whose rules it obeys. An operation of a program obeys those of the guard, under the program's id.
    pub fn family(&self) -> Family {
        match self {
            Self::Fund(_) => Family::Fund,
            Self::Trade(op) => op.family(),
            Self::Auth(op) => op.family(),
            Self::Ext(_) => Family::Extension,
        }
    }

    /// Algorithm id: of that family, or the program's.
    pub fn algorithm(&self) -> AlgorithmId {
        match self {
            Self::Ext(op) => op.algorithm(),
            _ => self.family().algorithm(),
        }
    }

    /// Its code in messages and records.
    pub fn code(&self) -> u32 {
        match self {
            Self::Fund(op) => op.code(),
            Self::Trade(op) => op.code(),
            Self::Auth(op) => op.code(),
            Self::Ext(op) => op.code(),
        }
    }

    /// Its name; of another than a trading operation its family's.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Fund(_) => "fund operation",
            Self::Trade(op) => op.name(),
            Self::Auth(_) => "login",
            Self::Ext(_) => "extension operation",
        }
    }

    /// Whether L1 orders it.
    pub fn is_l1(&self) -> bool {
        match self {
            Self::Fund(op) => op.is_l1(),
            Self::Trade(op) => op.is_l1(),
            Self::Auth(_) | Self::Ext(_) => false,
        }
    }

    /// Whether its rule asks the parameters: not so for money, keys, cancels, for what governance sets, and for programs
    /// that move no positions.
    pub fn needs_params(&self) -> bool {
        use TradeOp::{CancelAll, CancelOrder, ClearProvider, SetParams, SetProvider};
        match self {
            Self::Ext(ExtOp::Extension(op)) => op.has_legs(),
            Self::Fund(_) | Self::Auth(_) | Self::Ext(_) => false,
            Self::Trade(CancelOrder(_) | CancelAll(_) | SetParams(_) | SetProvider(_) | ClearProvider(_)) => {
                false
            }
            Self::Trade(_) => true,
        }
    }

    /// The fund operation, if it is one.
    pub fn as_fund(&self) -> Option<&FundOp> {
        match self {
            Self::Fund(op) => Some(op),
            _ => None,
        }
    }

    /// The trading operation, if it is one.
    pub fn as_trade(&self) -> Option<&TradeOp> {
        match self {
            Self::Trade(op) => Some(op),
            _ => None,
        }
    }

    /// The login, if it is one.
    pub fn as_auth(&self) -> Option<&AuthOp> {
        match self {
            Self::Auth(op) => Some(op),
            _ => None,
        }
    }

    /// The operation of the extension layer, if it is one.
    pub fn as_ext(&self) -> Option<&ExtOp> {
        match self {
            Self::Ext(op) => Some(op),
            _ => None,
        }
    }
}

impl From<FundOp> for Op {
    fn from(op: FundOp) -> Self {
        Self::Fund(op)
    }
}

impl From<Receipt> for OpReceipt {
    fn from(receipt: Receipt) -> Self {
        Self::Fund(receipt)
    }
}

impl From<AuthOp> for Op {
    fn from(op: AuthOp) -> Self {
        Self::Auth(op)
    }
}

impl From<ExtOp> for Op {
    fn from(op: ExtOp) -> Self {
        Self::Ext(op)
    }
}

impl From<TradeOp> for Op {
    fn from(op: TradeOp) -> Self {
        Self::Trade(op)
    }
}

/// Applies op `index` (0-based in the batch) to the state, verifying its signatures.
///
/// # Errors
/// An [`OpReject`]; nothing has changed then.
pub fn apply_op<V: View>(
    view: &V,
    ctx: &TradeContext<'_>,
    index: u32,
    op: &Op,
) -> Result<AppliedOp, OpReject> {
    apply_op_with(view, ctx, index, op, &Verified)
}

/// [`apply_op`] with another judge of signatures.
///
/// # Errors
/// An [`OpReject`]; nothing has changed then.
pub fn apply_op_with<V: View, S: SigVerifier>(
    view: &V,
    ctx: &TradeContext<'_>,
    index: u32,
    op: &Op,
    verifier: &S,
) -> Result<AppliedOp, OpReject> {
    let mut accesses = Vec::with_capacity(32);
    let receipt = apply_op_into(view, ctx, index, op, verifier, &mut accesses)?;
    Ok(AppliedOp { receipt, accesses })
}

/// [`apply_op_with`] into a buffer that the caller uses again. The buffer holds the access log of an accepted
/// operation; after a rejection it is empty. Extension programs are those that are [`Installed`].
///
/// # Errors
/// An [`OpReject`]; nothing has changed then.
pub fn apply_op_into<V: View, S: SigVerifier>(
    view: &V,
    ctx: &TradeContext<'_>,
    index: u32,
    op: &Op,
    verifier: &S,
    accesses: &mut Vec<Access>,
) -> Result<OpReceipt, OpReject> {
    apply_op_running(view, ctx, &Installed, index, op, verifier, accesses)
}

/// [`apply_op_into`] with another runner of extension programs.
///
/// # Errors
/// An [`OpReject`]; nothing has changed then.
pub fn apply_op_running<V: View, P: Programs, S: SigVerifier>(
    view: &V,
    ctx: &TradeContext<'_>,
    programs: &P,
    index: u32,
    op: &Op,
    verifier: &S,
    accesses: &mut Vec<Access>,
) -> Result<OpReceipt, OpReject> {
    match op {
        Op::Fund(op) => tsz_stf::apply_into(view, ctx.batch, index, op, verifier, accesses)
            .map(OpReceipt::Fund)
            .map_err(OpReject::Fund),
        Op::Auth(op) => {
            accesses.clear();
            let done =
                tsz_stf::apply_auth_with(view, ctx.batch, index, op, verifier).map_err(OpReject::Fund)?;
            *accesses = done.accesses;
            Ok(OpReceipt::Fund(done.receipt))
        }
        Op::Ext(op) => {
            accesses.clear();
            let margin = &MarginRules { params: ctx.params };
            let ext = ExtContext { batch: ctx.batch, programs, verifier, margin };
            *accesses = tsz_ext::apply(view, &ext, op).map_err(OpReject::Ext)?;
            Ok(OpReceipt::Fund(Receipt::OK))
        }
        Op::Trade(op) => crate::apply_into(view, ctx, op, verifier, accesses)
            .map(OpReceipt::Trade)
            .map_err(OpReject::Trade),
    }
}
