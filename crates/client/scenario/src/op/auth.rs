//! Key changes by passkey, wallet and social login as written in a file: the runner makes the approval.

use serde::{Deserialize, Serialize};
use tsz_hash::Digest;
use tsz_ledger::{Permissions, Scheme};
use tsz_stf::forms;
use tsz_types::{AccountId, KeySlot, Nonce, ProviderSlot, TimeMs};

use crate::fields::Fields;
use crate::names::Names;
use crate::{Keyring, ScenarioError};

/// The operations.
pub(super) const KINDS: [&str; 6] = [
    "register_key_by_passkey",
    "revoke_key_by_passkey",
    "register_key_by_wallet",
    "revoke_key_by_wallet",
    "register_key_by_oidc",
    "revoke_key_by_oidc",
];

/// A key change that a passkey, a wallet or a social login of the file approves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuthSpec {
    /// Which operation.
    pub op: AuthKind,
    /// Account.
    pub account: AccountId,
    /// Slot that is written.
    pub slot: KeySlot,
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
    /// What is registered; `None` for a revocation.
    #[serde(flatten)]
    pub new: Option<NewKey>,
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
    /// RegisterKeyByOidc.
    RegisterKeyByOidc,
    /// RevokeKeyByOidc.
    RevokeKeyByOidc,
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
        let (known, is_register) = match op {
            AuthKind::RegisterKeyByPasskey => (keys.passkey(&key).map(|_| ()), true),
            AuthKind::RevokeKeyByPasskey => (keys.passkey(&key).map(|_| ()), false),
            AuthKind::RegisterKeyByWallet => (keys.wallet(&key).map(|_| ()), true),
            AuthKind::RevokeKeyByWallet => (keys.wallet(&key).map(|_| ()), false),
            AuthKind::RegisterKeyByOidc => (keys.social(&key).map(|_| ()), true),
            AuthKind::RevokeKeyByOidc => (keys.social(&key).map(|_| ()), false),
        };
        known.map_err(|m| ScenarioError::field(fields.at("key"), m))?;
        let new = if is_register { Some(NewKey::parse(&mut fields, keys)?) } else { None };
        let spec = Self {
            op,
            account,
            slot: fields.required("slot")?,
            key,
            key_slot: fields.optional("key_slot")?,
            provider: fields.optional("provider")?,
            nonce: fields.optional("nonce")?,
            new,
        };
        fields.finish()?;
        Ok(spec)
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
