//! The operations of the auth family: what an external key approves.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use tsz_auth::{Assertion, Passkey};
use tsz_hash::Block;
use tsz_ledger::BatchContext;

use crate::ops::{RegisterKeyByPasskey, RevokeKeyByPasskey};
use crate::{Applied, Env, Log, Receipt, Reject, Rule, SigVerifier, View};

/// Codes of the operations in messages.
pub mod code {
    pub const REGISTER_KEY_BY_PASSKEY: u32 = 70;
    pub const REVOKE_KEY_BY_PASSKEY: u32 = 71;
}

/// An operation of the auth family.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the structs are documented")]
pub enum AuthOp {
    RegisterKeyByPasskey(RegisterKeyByPasskey),
    RevokeKeyByPasskey(RevokeKeyByPasskey),
}

impl AuthOp {
    /// Its code in messages.
    pub fn code(&self) -> u32 {
        match self {
            Self::RegisterKeyByPasskey(_) => code::REGISTER_KEY_BY_PASSKEY,
            Self::RevokeKeyByPasskey(_) => code::REVOKE_KEY_BY_PASSKEY,
        }
    }

    /// Blocks of the approved message.
    pub fn message(&self) -> [Block; 2] {
        match self {
            Self::RegisterKeyByPasskey(op) => op.message(),
            Self::RevokeKeyByPasskey(op) => op.message(),
        }
    }

    /// The passkey and its approval.
    pub fn approval(&self) -> (&Passkey, &Assertion) {
        match self {
            Self::RegisterKeyByPasskey(op) => (&op.passkey, &op.assertion),
            Self::RevokeKeyByPasskey(op) => (&op.passkey, &op.assertion),
        }
    }

    /// The approval, to be replaced by one of the message.
    pub fn assertion_mut(&mut self) -> &mut Assertion {
        match self {
            Self::RegisterKeyByPasskey(op) => &mut op.assertion,
            Self::RevokeKeyByPasskey(op) => &mut op.assertion,
        }
    }
}

impl From<RegisterKeyByPasskey> for AuthOp {
    fn from(op: RegisterKeyByPasskey) -> Self {
        Self::RegisterKeyByPasskey(op)
    }
}

impl From<RevokeKeyByPasskey> for AuthOp {
    fn from(op: RevokeKeyByPasskey) -> Self {
        Self::RevokeKeyByPasskey(op)
    }
}

impl Rule for AuthOp {
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<Receipt, Reject> {
        match self {
            Self::RegisterKeyByPasskey(op) => op.run(env, log),
            Self::RevokeKeyByPasskey(op) => op.run(env, log),
        }
    }
}

/// Applies op `index` (0-based in the batch) to the state, with a judge of approvals.
///
/// # Errors
/// A [`Reject`]; nothing has changed then.
pub fn apply_auth_with<V: View, S: SigVerifier>(
    view: &V,
    batch: &BatchContext,
    index: u32,
    op: &AuthOp,
    verifier: &S,
) -> Result<Applied, Reject> {
    let env = Env { batch, index, verifier };
    let mut log = Log::new(view);
    let receipt = op.run(&env, &mut log)?;
    let accesses: Vec<_> = log.into_accesses();
    Ok(Applied { receipt, accesses })
}
