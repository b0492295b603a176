//! Key changes and payments by passkey, wallet and social login, as written in a file: the runner makes the approval.

use serde::{Deserialize, Serialize};
use tsz_hash::Digest;
use tsz_ledger::{Permissions, Scheme};
use tsz_stf::forms;
use tsz_types::{AccountId, Bucket, EthAddress, KeySlot, Nonce, ProviderSlot, SubId, TimeMs, TokenId, Units};

use crate::fields::Fields;
use crate::names::Names;
use crate::{Keyring, ScenarioError};

/// The operations.
pub(super) const KINDS: [&str; 12] = [
    "register_key_by_passkey",
    "revoke_key_by_passkey",
    "register_key_by_wallet",
    "revoke_key_by_wallet",
    "transfer_by_passkey",
    "withdraw_by_passkey",
    "transfer_by_wallet",
    "withdraw_by_wallet",
    "register_key_by_oidc",
    "revoke_key_by_oidc",
    "transfer_by_oidc",
    "withdraw_by_oidc",
];

/// An operation that a passkey, a wallet or a social login of the file approves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuthSpec {
    /// Which operation.
    pub op: AuthKind,
    /// Account.
    pub account: AccountId,
    /// Label of the passkey, wallet or identity.
    pub key: String,
    /// Slot of it; the first one that has it, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_slot: Option<KeySlot>,
    /// Cell of the provider's key; the first one that has it, if absent. Of social logins only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderSlot>,
    /// The nonce that the state expects, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Nonce>,
    /// What it does.
    #[serde(flatten)]
    pub what: Approved,
}

/// The operations of the families auth, wallet and oidc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthKind {
    /// RegisterKeyByPasskey.
    RegisterKeyByPasskey,
    /// RevokeKeyByPasskey.
    RevokeKeyByPasskey,
    /// RegisterKeyByWallet.
    RegisterKeyByWallet,
    /// RevokeKeyByWallet.
    RevokeKeyByWallet,
    /// PayByPasskey to a bucket.
    TransferByPasskey,
    /// PayByPasskey to an address.
    WithdrawByPasskey,
    /// PayByWallet to a bucket.
    TransferByWallet,
    /// PayByWallet to an address.
    WithdrawByWallet,
    /// RegisterKeyByOidc.
    RegisterKeyByOidc,
    /// RevokeKeyByOidc.
    RevokeKeyByOidc,
    /// PayByOidc to a bucket.
    TransferByOidc,
    /// PayByOidc to an address.
    WithdrawByOidc,
}

/// What approves an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Approver {
    /// A passkey.
    Passkey,
    /// A wallet.
    Wallet,
    /// A social login.
    Social,
}

impl AuthKind {
    /// What approves it.
    pub(crate) fn approver(self) -> Approver {
        match self {
            Self::RegisterKeyByPasskey
            | Self::RevokeKeyByPasskey
            | Self::TransferByPasskey
            | Self::WithdrawByPasskey => Approver::Passkey,
            Self::RegisterKeyByWallet
            | Self::RevokeKeyByWallet
            | Self::TransferByWallet
            | Self::WithdrawByWallet => Approver::Wallet,
            Self::RegisterKeyByOidc | Self::RevokeKeyByOidc | Self::TransferByOidc | Self::WithdrawByOidc => {
                Approver::Social
            }
        }
    }
}

/// What an approved operation does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Approved {
    /// Writes a slot, or clears it.
    Key {
        /// The slot.
        slot: KeySlot,
        /// What is registered; `None` for a revocation.
        #[serde(flatten)]
        new: Option<NewKey>,
    },
    /// Moves money to a bucket.
    Transfer {
        /// Out of this.
        #[serde(flatten)]
        from: Source,
        /// Receiver.
        to_account: AccountId,
        /// Its sub-account.
        to_sub: SubId,
        /// Its bucket.
        to_bucket: Bucket,
    },
    /// Moves money to L1.
    Withdraw {
        /// Out of this.
        #[serde(flatten)]
        from: Source,
        /// Receiver.
        to: EthAddress,
    },
}

/// What a payment takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    /// Sub-account of the payer.
    pub sub: SubId,
    /// Bucket of the payer.
    pub bucket: Bucket,
    /// Token.
    pub token: TokenId,
    /// Amount.
    pub units: Units,
}

impl Source {
    fn parse(fields: &mut Fields, names: &Names) -> Result<Self, ScenarioError> {
        Ok(Self {
            sub: fields.optional("sub")?.unwrap_or(SubId::MIN),
            bucket: fields.optional("bucket")?.unwrap_or(Bucket::Balance),
            token: names.token_in(fields.node("token")?)?,
            units: fields.required("units")?,
        })
    }
}

/// The content of a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewKey {
    /// Id of the key.
    #[serde(with = "forms::digest")]
    pub key_id: Digest,
    /// How it signs.
    pub scheme: Scheme,
    /// What it may sign.
    pub permissions: Permissions,
    /// It is good before this time.
    pub expiry: TimeMs,
}

impl AuthSpec {
    /// Parses one operation.
    pub(crate) fn parse(mut fields: Fields, names: &Names, keys: &Keyring) -> Result<Self, ScenarioError> {
        let op: AuthKind = fields.required("op")?;
        let account = names.account_in(fields.node("account")?)?;
        let key: String = fields.required("key")?;
        let known = match op.approver() {
            Approver::Passkey => keys.passkey(&key).map(|_| ()),
            Approver::Wallet => keys.wallet(&key).map(|_| ()),
            Approver::Social => keys.social(&key).map(|_| ()),
        };
        known.map_err(|m| ScenarioError::field(fields.at("key"), m))?;
        let what = Approved::parse(op, &mut fields, names, keys)?;
        let spec = Self {
            op,
            account,
            key,
            key_slot: fields.optional("key_slot")?,
            provider: fields.optional("provider")?,
            nonce: fields.optional("nonce")?,
            what,
        };
        fields.finish()?;
        Ok(spec)
    }
}

impl Approved {
    fn parse(
        op: AuthKind,
        fields: &mut Fields,
        names: &Names,
        keys: &Keyring,
    ) -> Result<Self, ScenarioError> {
        Ok(match op {
            AuthKind::RegisterKeyByPasskey | AuthKind::RegisterKeyByWallet | AuthKind::RegisterKeyByOidc => {
                let new = Some(NewKey::parse(fields, keys)?);
                Self::Key { slot: fields.required("slot")?, new }
            }
            AuthKind::RevokeKeyByPasskey | AuthKind::RevokeKeyByWallet | AuthKind::RevokeKeyByOidc => {
                Self::Key { slot: fields.required("slot")?, new: None }
            }
            AuthKind::TransferByPasskey | AuthKind::TransferByWallet | AuthKind::TransferByOidc => {
                Self::Transfer {
                    from: Source::parse(fields, names)?,
                    to_account: names.account_in(fields.node("to_account")?)?,
                    to_sub: fields.optional("to_sub")?.unwrap_or(SubId::MIN),
                    to_bucket: fields.optional("to_bucket")?.unwrap_or(Bucket::Balance),
                }
            }
            AuthKind::WithdrawByPasskey | AuthKind::WithdrawByWallet | AuthKind::WithdrawByOidc => {
                Self::Withdraw { from: Source::parse(fields, names)?, to: fields.required("to")? }
            }
        })
    }
}

impl NewKey {
    fn parse(fields: &mut Fields, keys: &Keyring) -> Result<Self, ScenarioError> {
        let name = if fields.map.contains_key("new_key") { "new_key" } else { "key_id" };
        let at = fields.at(name);
        let label: String = fields.required(name)?;
        let key_id = keys.key_id(&label).map_err(|m| ScenarioError::field(at, m))?;
        Ok(Self {
            key_id,
            scheme: fields.optional("scheme")?.unwrap_or(keys.scheme(&key_id)),
            permissions: fields.optional("permissions")?.unwrap_or(Permissions::ALL),
            expiry: fields.optional("expiry")?.unwrap_or(TimeMs::MAX),
        })
    }
}
