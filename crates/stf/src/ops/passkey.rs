//! RegisterKeyByPasskey and RevokeKeyByPasskey: keys changed by a passkey with the manage-keys right.
//!
//! The rules are those of RegisterKey and RevokeKey, but the signing slot has scheme 2 and holds the id of a passkey,
//! and the message is approved by an assertion (docs/src/auth.md).

use serde::{Deserialize, Serialize};
use tsz_auth::{Assertion, Passkey};
use tsz_hash::{Block, Digest, F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::{KeyPolicy, Permissions, Scheme};
use tsz_types::{AccountId, KeySlot, Nonce, TimeMs};

use super::keys::{head, write_slot};
use crate::auth::code;
use crate::hashes::place;
use crate::signer::External;
use crate::{Env, Log, Receipt, Reject, Rule, SigVerifier, View, message};

/// Puts a key into a slot, over what was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterKeyByPasskey {
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
    /// Slot of the passkey; chosen by the operator, not signed.
    pub key_slot: KeySlot,
    /// What the id in the slot commits to.
    pub passkey: Passkey,
    /// Its approval of the message.
    pub assertion: Assertion,
}

/// Empties a key slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeKeyByPasskey {
    /// Account and signer; the nonce is that of its sub-account 0.
    pub account: AccountId,
    /// Slot that is emptied; may be the signer's own.
    pub slot: KeySlot,
    /// Nonce of (account, 0).
    pub nonce: Nonce,
    /// Slot of the passkey; chosen by the operator, not signed.
    pub key_slot: KeySlot,
    /// What the id in the slot commits to.
    pub passkey: Passkey,
    /// Its approval of the message.
    pub assertion: Assertion,
}

impl RegisterKeyByPasskey {
    /// Blocks of the approved message.
    pub fn message(&self) -> [Block; 2] {
        let mut a = head(code::REGISTER_KEY_BY_PASSKEY, self.account, self.slot, self.nonce);
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

impl RevokeKeyByPasskey {
    /// Blocks of the approved message.
    pub fn message(&self) -> [Block; 2] {
        [head(code::REVOKE_KEY_BY_PASSKEY, self.account, self.slot, self.nonce), ZERO]
    }
}

/// Checks slot, policy, nonce and approval. Accesses: KEYA read, KEYB read, CTL write.
pub(super) fn check<V: View, S: SigVerifier>(
    env: &Env<'_, S>,
    log: &mut Log<'_, V>,
    who: External,
    (passkey, assertion): (&Passkey, &Assertion),
    blocks: &[Block; 2],
) -> Result<(), Reject> {
    if who.key_id(env, log, Scheme::P256)? != passkey.key_id() {
        return Err(Reject::OtherPasskey { account: who.account, slot: who.key_slot });
    }
    let digest = message(&env.batch.system, blocks);
    env.verifier.approves(passkey, &digest, assertion).map_err(|error| Reject::Passkey { error })
}

impl Rule for RegisterKeyByPasskey {
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<Receipt, Reject> {
        let who = External::manager(self.account, self.key_slot, self.nonce);
        check(env, log, who, (&self.passkey, &self.assertion), &self.message())?;
        write_slot(log, self.account, self.slot, self.key_id, Some(self.policy()));
        Ok(Receipt::OK)
    }
}

impl Rule for RevokeKeyByPasskey {
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<Receipt, Reject> {
        let who = External::manager(self.account, self.key_slot, self.nonce);
        check(env, log, who, (&self.passkey, &self.assertion), &self.message())?;
        write_slot(log, self.account, self.slot, ZERO, None);
        Ok(Receipt::OK)
    }
}
