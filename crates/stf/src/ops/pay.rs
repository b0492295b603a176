//! Transfers and withdrawals that a passkey, a wallet or a social login approves itself, one at a time, without a session
//! key.
//!
//! The rules are those of Transfer and Withdraw, but the slot has scheme 2 (4, 3) and holds the id of a passkey (wallet,
//! identity), and the message, which has a code of its own, is approved by an assertion (signature of typed data, token).

use serde::{Deserialize, Serialize};
use tsz_auth::{Assertion, LoginProvider, Passkey, SocialLogin, Wallet, WalletApproval};
use tsz_hash::{Block, F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::{OutRecord, Permission};
use tsz_types::{AccountId, Bucket, EthAddress, KeySlot, Nonce, ProviderSlot, SubId, TokenId, Units};

use super::{oidc, passkey, transfer, wallet, withdraw};
use crate::auth::code;
use crate::bucket::Leg;
use crate::hashes::{place, sub_bits};
use crate::signer::External;
use crate::{Env, Log, Receipt, Reject, Rule, SigVerifier, View};

/// A movement of money that waits for its approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// Payer.
    pub account: AccountId,
    /// Sub-account of the payer; its nonce is used.
    pub sub: SubId,
    /// Bucket of the payer.
    pub bucket: Bucket,
    /// Receiver.
    pub to: Payee,
    /// Token; the quote token if a bucket is collateral.
    pub token: TokenId,
    /// Amount, at least 1; of a withdrawal at least the token's minimum.
    pub units: Units,
    /// Nonce of (account, sub).
    pub nonce: Nonce,
    /// Slot of the key that approves; chosen by the operator, not signed.
    pub key_slot: KeySlot,
}

/// Who receives a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payee {
    /// A bucket here: the payment is a transfer.
    Bucket {
        /// Account; must exist.
        account: AccountId,
        /// Sub-account.
        sub: SubId,
        /// Bucket.
        bucket: Bucket,
    },
    /// An address on L1: the payment is a withdrawal.
    Address(EthAddress),
}

/// A payment by passkey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayByPasskey {
    /// What moves.
    pub payment: Payment,
    /// What the id in the slot commits to.
    pub passkey: Passkey,
    /// Its approval of the message.
    pub assertion: Assertion,
}

/// A payment by wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayByWallet {
    /// What moves.
    pub payment: Payment,
    /// What the id in the slot commits to.
    pub wallet: Wallet,
    /// Its approval of the message.
    pub approval: WalletApproval,
}

/// A payment by social login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayByOidc {
    /// What moves.
    pub payment: Payment,
    /// Cell of the provider's key.
    pub provider_slot: ProviderSlot,
    /// What that cell commits to.
    pub provider: LoginProvider,
    /// The token whose nonce is the message, with the salt of the identity.
    pub login: SocialLogin,
}

impl Payment {
    /// The first code of a transfer, the second of a withdrawal.
    fn code(&self, [transfer, withdrawal]: [u32; 2]) -> u32 {
        match self.to {
            Payee::Bucket { .. } => transfer,
            Payee::Address(_) => withdrawal,
        }
    }

    /// Blocks of the approved message: those of Transfer and Withdraw under another code.
    fn message(&self, code: u32) -> [Block; 2] {
        let [nonce_lo, nonce_hi] = self.nonce.to_felts();
        let (mut a, mut b) = (ZERO, ZERO);
        a[0] = F::from_u32(code);
        a[1] = F::from_u32(self.account.get());
        a[2] = F::from_u32(sub_bits(self.sub, self.bucket));
        a[3] = F::from_u32(self.token.get().into());
        place(&mut a, 4, &self.units.to_felts());
        a[7] = nonce_hi;
        match self.to {
            Payee::Bucket { account, sub, bucket } => {
                b[0] = F::from_u32(account.get());
                b[1] = F::from_u32(sub_bits(sub, bucket));
            }
            Payee::Address(to) => place(&mut b, 0, &to.to_felts()),
        }
        b[7] = nonce_lo;
        [a, b]
    }

    /// The right that the key needs.
    pub fn permission(&self) -> Permission {
        match self.to {
            Payee::Bucket { account, .. } if account == self.account => Permission::TransferInternal,
            Payee::Bucket { .. } => Permission::TransferOut,
            Payee::Address(_) => Permission::Withdraw,
        }
    }

    /// The key that approves.
    fn who(&self) -> External {
        let Self { account, sub, key_slot, nonce, .. } = *self;
        External { account, sub, key_slot, nonce, permission: self.permission() }
    }

    /// Moves the money where `approve` agrees. Accesses are those of Transfer or Withdraw.
    fn run<V: View>(
        &self,
        log: &mut Log<'_, V>,
        approve: impl FnOnce(&mut Log<'_, V>, External) -> Result<(), Reject>,
    ) -> Result<Receipt, Reject> {
        let Self { account, sub, bucket, token, units, .. } = *self;
        let from = Leg { account, sub, bucket, token };
        let who = self.who();
        match self.to {
            Payee::Bucket { account, sub, bucket } => {
                let to = Leg { account, sub, bucket, token };
                transfer::run(log, (from, to), units, |log| approve(log, who))
            }
            Payee::Address(to) => {
                let record = OutRecord { op: crate::code::WITHDRAW, account, sub, bucket, token, units, to };
                withdraw::run(log, &record, |log| approve(log, who))
            }
        }
    }
}

impl PayByPasskey {
    /// Its code in messages.
    pub fn code(&self) -> u32 {
        self.payment.code([code::TRANSFER_BY_PASSKEY, code::WITHDRAW_BY_PASSKEY])
    }

    /// Blocks of the approved message.
    pub fn message(&self) -> [Block; 2] {
        self.payment.message(self.code())
    }
}

impl PayByWallet {
    /// Its code in messages.
    pub fn code(&self) -> u32 {
        self.payment.code([code::TRANSFER_BY_WALLET, code::WITHDRAW_BY_WALLET])
    }

    /// Blocks of the approved message.
    pub fn message(&self) -> [Block; 2] {
        self.payment.message(self.code())
    }
}

impl PayByOidc {
    /// Its code in messages.
    pub fn code(&self) -> u32 {
        self.payment.code([code::TRANSFER_BY_OIDC, code::WITHDRAW_BY_OIDC])
    }

    /// Blocks of the approved message.
    pub fn message(&self) -> [Block; 2] {
        self.payment.message(self.code())
    }
}

impl Rule for PayByPasskey {
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<Receipt, Reject> {
        let by = (&self.passkey, &self.assertion);
        self.payment.run(log, |log, who| passkey::check(env, log, who, by, &self.message()))
    }
}

impl Rule for PayByWallet {
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<Receipt, Reject> {
        let by = (&self.wallet, &self.approval);
        self.payment.run(log, |log, who| wallet::check(env, log, who, by, &self.message()))
    }
}

/// Accesses are those of Transfer or Withdraw, with PROVIDER read after CTL.
impl Rule for PayByOidc {
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<Receipt, Reject> {
        let token = oidc::Token { slot: self.provider_slot, provider: &self.provider, login: &self.login };
        self.payment.run(log, |log, who| oidc::check(env, log, who, &token, &self.message()))
    }
}
