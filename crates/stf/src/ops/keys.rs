//! RegisterKey and RevokeKey: keys changed by a key with the manage-keys right.

use serde::{Deserialize, Serialize};
use tsz_hash::{Block, Digest, F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::{Cell, Key, KeyPolicy, Permission, Permissions, Scheme};
use tsz_sig::Signature;
use tsz_types::{AccountId, KeySlot, Nonce, SubId, TimeMs};

use crate::hashes::place;
use crate::signer::Signer;
use crate::{Env, Log, Receipt, Reject, Rule, SigVerifier, View, code};

/// Puts a key into a slot, over what was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterKey {
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
    /// Slot of the signing key; chosen by the operator, not signed.
    pub key_slot: KeySlot,
    /// Signature of the message.
    #[serde(with = "crate::forms::signature")]
    pub signature: Signature,
}

/// Empties a key slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeKey {
    /// Account and signer; the nonce is that of its sub-account 0.
    pub account: AccountId,
    /// Slot that is emptied; may be the signer's own.
    pub slot: KeySlot,
    /// Nonce of (account, 0).
    pub nonce: Nonce,
    /// Slot of the signing key; chosen by the operator, not signed.
    pub key_slot: KeySlot,
    /// Signature of the message.
    #[serde(with = "crate::forms::signature")]
    pub signature: Signature,
}

impl RegisterKey {
    /// Blocks of the signed message.
    pub fn message(&self) -> [Block; 2] {
        let mut a = head(code::REGISTER_KEY, self.account, self.slot, self.nonce);
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

impl RevokeKey {
    /// Blocks of the signed message.
    pub fn message(&self) -> [Block; 2] {
        [head(code::REVOKE_KEY, self.account, self.slot, self.nonce), ZERO]
    }
}

/// The felts that both messages have.
pub(super) fn head(code: u32, account: AccountId, slot: KeySlot, nonce: Nonce) -> Block {
    let mut a = ZERO;
    a[0] = F::from_u32(code);
    a[1] = F::from_u32(account.get());
    a[2] = F::from_u32(slot.get().into());
    place(&mut a, 6, &nonce.to_felts());
    a
}

/// Fills a slot. Accesses: KEYA write, KEYB write.
pub(super) fn write_slot<V: View>(
    log: &mut Log<'_, V>,
    account: AccountId,
    slot: KeySlot,
    key_id: Digest,
    policy: Option<KeyPolicy>,
) {
    log.write(Key::key_a(account.get(), slot.get().into()), key_id);
    log.write(Key::key_b(account.get(), slot.get().into()), policy.to_leaf());
}

impl Rule for RegisterKey {
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<Receipt, Reject> {
        let signer = Signer {
            account: self.account,
            sub: SubId::MIN,
            key_slot: self.key_slot,
            permission: Permission::ManageKeys,
            nonce: self.nonce,
            message: self.message(),
            signature: &self.signature,
        };
        signer.check(env, log)?;
        write_slot(log, self.account, self.slot, self.key_id, Some(self.policy()));
        Ok(Receipt::OK)
    }
}

impl Rule for RevokeKey {
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<Receipt, Reject> {
        let signer = Signer {
            account: self.account,
            sub: SubId::MIN,
            key_slot: self.key_slot,
            permission: Permission::ManageKeys,
            nonce: self.nonce,
            message: self.message(),
            signature: &self.signature,
        };
        signer.check(env, log)?;
        write_slot(log, self.account, self.slot, ZERO, None);
        Ok(Receipt::OK)
    }
}
