//! RegisterKeyByOidc and RevokeKeyByOidc: keys changed by a social login with the manage-keys right.
//!
//! The rules are those of RegisterKey and RevokeKey, but the signing slot has scheme 3 and holds the id of an identity,
//! and the message is approved by a token under a key of a provider that the state holds (docs/src/auth.md).

use serde::{Deserialize, Serialize};
use tsz_auth::{LoginProvider, SocialLogin};
use tsz_hash::{Block, Digest, F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::{Key, KeyPolicy, Permissions, Scheme};
use tsz_types::{AccountId, KeySlot, Nonce, ProviderSlot, TimeMs};

use super::keys::{head, write_slot};
use crate::auth::code;
use crate::hashes::place;
use crate::signer::External;
use crate::{Env, Log, Receipt, Reject, Rule, SigVerifier, View, message};

/// Puts a key into a slot, over what was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterKeyByOidc {
    /// Account and signer; the nonce is that of its sub-account 0.
    pub account: AccountId,
    /// Slot that is written; may be the signer's own.
    pub slot: KeySlot,
    /// Id of the new key.
    #[serde(with = "crate::forms::digest")]
    pub key_id: Digest,
    /// How the new key signs.
    pub scheme: Scheme,
    /// What the new key may sign.
    pub permissions: Permissions,
    /// The new key is good before this time.
    pub expiry: TimeMs,
    /// Nonce of (account, 0).
    pub nonce: Nonce,
    /// Slot of the identity; chosen by the operator, not signed.
    pub key_slot: KeySlot,
    /// Cell of the provider's key.
    pub provider_slot: ProviderSlot,
    /// What that cell commits to.
    pub provider: LoginProvider,
    /// The token whose nonce is the message, with the salt of the identity.
    pub login: SocialLogin,
}

/// Empties a key slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeKeyByOidc {
    /// Account and signer; the nonce is that of its sub-account 0.
    pub account: AccountId,
    /// Slot that is emptied; may be the signer's own.
    pub slot: KeySlot,
    /// Nonce of (account, 0).
    pub nonce: Nonce,
    /// Slot of the identity; chosen by the operator, not signed.
    pub key_slot: KeySlot,
    /// Cell of the provider's key.
    pub provider_slot: ProviderSlot,
    /// What that cell commits to.
    pub provider: LoginProvider,
    /// The token whose nonce is the message, with the salt of the identity.
    pub login: SocialLogin,
}

impl RegisterKeyByOidc {
    /// Blocks of the approved message.
    pub fn message(&self) -> [Block; 2] {
        let mut a = head(code::REGISTER_KEY_BY_OIDC, self.account, self.slot, self.nonce);
        a[2] += F::from_u32(64 * self.scheme.code());
        a[3] = F::from_u32(self.permissions.bits());
        place(&mut a, 4, &self.expiry.to_felts());
        [a, self.key_id]
    }

    /// The policy that is written.
    pub fn policy(&self) -> KeyPolicy {
        KeyPolicy { scheme: self.scheme, permissions: self.permissions, expiry: self.expiry }
    }
}

impl RevokeKeyByOidc {
    /// Blocks of the approved message.
    pub fn message(&self) -> [Block; 2] {
        [head(code::REVOKE_KEY_BY_OIDC, self.account, self.slot, self.nonce), ZERO]
    }
}

/// What approves.
#[derive(Clone, Copy)]
pub(super) struct Token<'a> {
    pub slot: ProviderSlot,
    pub provider: &'a LoginProvider,
    pub login: &'a SocialLogin,
}

/// Checks slot, policy, nonce, provider and token. Accesses: KEYA read, KEYB read, CTL write, PROVIDER read.
pub(super) fn check<V: View, S: SigVerifier>(
    env: &Env<'_, S>,
    log: &mut Log<'_, V>,
    who: External,
    token: &Token<'_>,
    blocks: &[Block; 2],
) -> Result<(), Reject> {
    let key_id = who.key_id(env, log, Scheme::Oidc)?;
    let Token { slot, provider, login } = *token;
    if log.read(Key::provider(slot.get().into())) != provider.digest() {
        return Err(Reject::OtherProvider { slot });
    }
    let digest = message(&env.batch.system, blocks);
    let verdict = env.verifier.approves_social((provider, login), &key_id, &digest, env.batch.time);
    verdict.map_err(|error| Reject::Social { error })
}

impl Rule for RegisterKeyByOidc {
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<Receipt, Reject> {
        let who = External::manager(self.account, self.key_slot, self.nonce);
        let token = Token { slot: self.provider_slot, provider: &self.provider, login: &self.login };
        check(env, log, who, &token, &self.message())?;
        write_slot(log, self.account, self.slot, self.key_id, Some(self.policy()));
        Ok(Receipt::OK)
    }
}

impl Rule for RevokeKeyByOidc {
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<Receipt, Reject> {
        let who = External::manager(self.account, self.key_slot, self.nonce);
        let token = Token { slot: self.provider_slot, provider: &self.provider, login: &self.login };
        check(env, log, who, &token, &self.message())?;
        write_slot(log, self.account, self.slot, ZERO, None);
        Ok(Receipt::OK)
    }
}
