//! The operations of the families auth, wallet and oidc: what an external key approves.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use tsz_auth::oidc::Algorithm;
use tsz_auth::{Assertion, LoginProvider, Passkey, SocialLogin, Wallet, WalletApproval};
use tsz_hash::Block;
use tsz_ledger::{BatchContext, Family};

use crate::ops::{
    PayByOidc, PayByPasskey, PayByWallet, RegisterKeyByOidc, RegisterKeyByPasskey, RegisterKeyByWallet,
    RevokeKeyByOidc, RevokeKeyByPasskey, RevokeKeyByWallet,
};
use crate::{Applied, Env, Log, Receipt, Reject, Rule, SigVerifier, View};

/// Codes of the operations in messages.
#[expect(missing_docs, reason = "one constant for each operation")]
pub mod code {
    pub const REGISTER_KEY_BY_PASSKEY: u32 = 70;
    pub const REVOKE_KEY_BY_PASSKEY: u32 = 71;
    pub const REGISTER_KEY_BY_WALLET: u32 = 72;
    pub const REVOKE_KEY_BY_WALLET: u32 = 73;
    pub const REGISTER_KEY_BY_OIDC: u32 = 74;
    pub const REVOKE_KEY_BY_OIDC: u32 = 75;
    pub const TRANSFER_BY_PASSKEY: u32 = 76;
    pub const WITHDRAW_BY_PASSKEY: u32 = 77;
    pub const TRANSFER_BY_WALLET: u32 = 78;
    pub const WITHDRAW_BY_WALLET: u32 = 79;
    pub const TRANSFER_BY_OIDC: u32 = 83;
    pub const WITHDRAW_BY_OIDC: u32 = 84;
}

/// An operation of the families auth, wallet and oidc.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the structs are documented")]
pub enum AuthOp {
    RegisterKeyByPasskey(RegisterKeyByPasskey),
    RevokeKeyByPasskey(RevokeKeyByPasskey),
    RegisterKeyByWallet(RegisterKeyByWallet),
    RevokeKeyByWallet(RevokeKeyByWallet),
    PayByPasskey(PayByPasskey),
    PayByWallet(PayByWallet),
    RegisterKeyByOidc(RegisterKeyByOidc),
    RevokeKeyByOidc(RevokeKeyByOidc),
    PayByOidc(PayByOidc),
}

/// An external key and what it made of the message.
#[derive(Clone, Copy, Debug)]
pub enum Approval<'a> {
    /// A passkey's assertion.
    Passkey(&'a Passkey, &'a Assertion),
    /// A wallet's signature of typed data.
    Wallet(&'a Wallet, &'a WalletApproval),
    /// A token under a provider's key.
    Social(&'a LoginProvider, &'a SocialLogin),
}

impl AuthOp {
    /// The family whose circuit proves it; of social logins there is one for each algorithm of a provider's key.
    pub fn family(&self) -> Family {
        match self {
            Self::RegisterKeyByPasskey(_) | Self::RevokeKeyByPasskey(_) | Self::PayByPasskey(_) => {
                Family::Auth
            }
            Self::RegisterKeyByWallet(_) | Self::RevokeKeyByWallet(_) | Self::PayByWallet(_) => {
                Family::Wallet
            }
            Self::RegisterKeyByOidc(RegisterKeyByOidc { provider, .. })
            | Self::RevokeKeyByOidc(RevokeKeyByOidc { provider, .. })
            | Self::PayByOidc(PayByOidc { provider, .. }) => match provider.key.algorithm() {
                Algorithm::Rs256 => Family::Oidc,
                Algorithm::Es256 => Family::OidcEs256,
            },
        }
    }

    /// Its code in messages.
    pub fn code(&self) -> u32 {
        match self {
            Self::RegisterKeyByPasskey(_) => code::REGISTER_KEY_BY_PASSKEY,
            Self::RevokeKeyByPasskey(_) => code::REVOKE_KEY_BY_PASSKEY,
            Self::RegisterKeyByWallet(_) => code::REGISTER_KEY_BY_WALLET,
            Self::RevokeKeyByWallet(_) => code::REVOKE_KEY_BY_WALLET,
            Self::PayByPasskey(op) => op.code(),
            Self::PayByWallet(op) => op.code(),
            Self::RegisterKeyByOidc(_) => code::REGISTER_KEY_BY_OIDC,
            Self::RevokeKeyByOidc(_) => code::REVOKE_KEY_BY_OIDC,
            Self::PayByOidc(op) => op.code(),
        }
    }

    /// Blocks of the approved message.
    pub fn message(&self) -> [Block; 2] {
        match self {
            Self::RegisterKeyByPasskey(op) => op.message(),
            Self::RevokeKeyByPasskey(op) => op.message(),
            Self::RegisterKeyByWallet(op) => op.message(),
            Self::RevokeKeyByWallet(op) => op.message(),
            Self::PayByPasskey(op) => op.message(),
            Self::PayByWallet(op) => op.message(),
            Self::RegisterKeyByOidc(op) => op.message(),
            Self::RevokeKeyByOidc(op) => op.message(),
            Self::PayByOidc(op) => op.message(),
        }
    }

    /// The key and its approval.
    pub fn approval(&self) -> Approval<'_> {
        match self {
            Self::RegisterKeyByPasskey(op) => Approval::Passkey(&op.passkey, &op.assertion),
            Self::RevokeKeyByPasskey(op) => Approval::Passkey(&op.passkey, &op.assertion),
            Self::RegisterKeyByWallet(op) => Approval::Wallet(&op.wallet, &op.approval),
            Self::RevokeKeyByWallet(op) => Approval::Wallet(&op.wallet, &op.approval),
            Self::PayByPasskey(op) => Approval::Passkey(&op.passkey, &op.assertion),
            Self::PayByWallet(op) => Approval::Wallet(&op.wallet, &op.approval),
            Self::RegisterKeyByOidc(op) => Approval::Social(&op.provider, &op.login),
            Self::RevokeKeyByOidc(op) => Approval::Social(&op.provider, &op.login),
            Self::PayByOidc(op) => Approval::Social(&op.provider, &op.login),
        }
    }

    /// The assertion of a passkey, to be replaced by one of the message.
    pub fn assertion_mut(&mut self) -> Option<&mut Assertion> {
        match self {
            Self::RegisterKeyByPasskey(op) => Some(&mut op.assertion),
            Self::RevokeKeyByPasskey(op) => Some(&mut op.assertion),
            Self::PayByPasskey(op) => Some(&mut op.assertion),
            _ => None,
        }
    }

    /// The approval of a wallet, to be replaced by one of the message.
    pub fn wallet_approval_mut(&mut self) -> Option<&mut WalletApproval> {
        match self {
            Self::RegisterKeyByWallet(op) => Some(&mut op.approval),
            Self::RevokeKeyByWallet(op) => Some(&mut op.approval),
            Self::PayByWallet(op) => Some(&mut op.approval),
            _ => None,
        }
    }

    /// The token of a social login, to be replaced by one of the message.
    pub fn social_login_mut(&mut self) -> Option<&mut SocialLogin> {
        match self {
            Self::RegisterKeyByOidc(op) => Some(&mut op.login),
            Self::RevokeKeyByOidc(op) => Some(&mut op.login),
            Self::PayByOidc(op) => Some(&mut op.login),
            _ => None,
        }
    }
}

macro_rules! from_op {
    ($($op:ident),*) => {$(
        impl From<$op> for AuthOp {
            fn from(op: $op) -> Self {
                Self::$op(op)
            }
        }
    )*};
}

from_op!(
    RegisterKeyByPasskey,
    RevokeKeyByPasskey,
    RegisterKeyByWallet,
    RevokeKeyByWallet,
    PayByPasskey,
    PayByWallet
);
from_op!(RegisterKeyByOidc, RevokeKeyByOidc, PayByOidc);

impl Rule for AuthOp {
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<Receipt, Reject> {
        match self {
            Self::RegisterKeyByPasskey(op) => op.run(env, log),
            Self::RevokeKeyByPasskey(op) => op.run(env, log),
            Self::RegisterKeyByWallet(op) => op.run(env, log),
            Self::RevokeKeyByWallet(op) => op.run(env, log),
            Self::PayByPasskey(op) => op.run(env, log),
            Self::PayByWallet(op) => op.run(env, log),
            Self::RegisterKeyByOidc(op) => op.run(env, log),
            Self::RevokeKeyByOidc(op) => op.run(env, log),
            Self::PayByOidc(op) => op.run(env, log),
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
