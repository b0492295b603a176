//! Who signed, and whether the key may.

use tsz_auth::{
    Assertion, LoginProvider, Passkey, PasskeyError, SocialError, SocialLogin, Wallet, WalletApproval,
    WalletError,
};
use tsz_hash::{Block, Digest};
use tsz_ledger::{Cell, CtlCell, Key, KeyPolicy, Permission, Scheme};
use tsz_sig::{PublicKey, Signature};
use tsz_types::{AccountId, KeySlot, Nonce, SubId};

use crate::{Env, Log, Reject, View, message};

/// Judge of native signatures.
pub trait SigVerifier {
    /// Whether the key with this id signed the message.
    fn verify(&self, key_id: &Digest, message: &Digest, signature: &Signature) -> bool;

    /// Whether the assertion is an approval of the message by the passkey.
    ///
    /// # Errors
    /// Why it is not.
    fn approves(
        &self,
        passkey: &Passkey,
        message: &Digest,
        assertion: &Assertion,
    ) -> Result<(), PasskeyError> {
        passkey.verify(message, assertion)
    }

    /// Whether the signature is an approval of the message by the wallet.
    ///
    /// # Errors
    /// Why it is not.
    fn approves_wallet(
        &self,
        wallet: &Wallet,
        message: &Digest,
        approval: &WalletApproval,
    ) -> Result<(), WalletError> {
        wallet.verify(message, approval)
    }

    /// Whether the token is an approval of the message by the identity with id `key_id` at batch time `now` (ms).
    ///
    /// # Errors
    /// Why it is not.
    fn approves_social(
        &self,
        (provider, login): (&LoginProvider, &SocialLogin),
        key_id: &Digest,
        message: &Digest,
        now: u64,
    ) -> Result<(), SocialError> {
        login.verify(provider, key_id, message, now)
    }
}

/// Verifies every signature: the default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Verified;

impl SigVerifier for Verified {
    fn verify(&self, key_id: &Digest, message: &Digest, signature: &Signature) -> bool {
        PublicKey::from_key_id(key_id).is_ok_and(|key| key.verify(message, signature).is_ok())
    }
}

/// Accepts every signature: for the replay of operations that were verified before.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trusted;

impl SigVerifier for Trusted {
    fn verify(&self, _: &Digest, _: &Digest, _: &Signature) -> bool {
        true
    }

    fn approves(&self, _: &Passkey, _: &Digest, _: &Assertion) -> Result<(), PasskeyError> {
        Ok(())
    }

    fn approves_wallet(&self, _: &Wallet, _: &Digest, _: &WalletApproval) -> Result<(), WalletError> {
        Ok(())
    }

    fn approves_social(
        &self,
        _: (&LoginProvider, &SocialLogin),
        _: &Digest,
        _: &Digest,
        _: u64,
    ) -> Result<(), SocialError> {
        Ok(())
    }
}

/// The signed part of an operation.
pub(crate) struct Signer<'a> {
    pub account: AccountId,
    pub sub: SubId,
    pub key_slot: KeySlot,
    pub permission: Permission,
    pub nonce: Nonce,
    pub message: [Block; 2],
    pub signature: &'a Signature,
}

impl Signer<'_> {
    /// Checks key, policy, nonce and signature. Accesses: KEYA read, KEYB read, CTL write.
    pub fn check<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<(), Reject> {
        let Self { account, sub, key_slot, permission, nonce, .. } = *self;
        let authority = Authority { account, sub, key_slot, permission, nonce, scheme: Scheme::Schnorr };
        let key_id = authority.check(env.batch.time, log)?;
        let digest = message(&env.batch.system, &self.message);
        if env.verifier.verify(&key_id, &digest, self.signature) { Ok(()) } else { Err(Reject::Signature) }
    }
}

/// The external key that approves a key change.
#[derive(Clone, Copy)]
pub(crate) struct External {
    pub account: AccountId,
    pub key_slot: KeySlot,
    pub nonce: Nonce,
}

impl External {
    /// Checks slot, manage-keys, expiry and the nonce of (account, 0); gives the id of the key. Accesses: KEYA read,
    /// KEYB read, CTL write.
    pub fn key_id<V: View, S: SigVerifier>(
        self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
        scheme: Scheme,
    ) -> Result<Digest, Reject> {
        let Self { account, key_slot, nonce } = self;
        let (permission, sub) = (Permission::ManageKeys, SubId::MIN);
        Authority { account, sub, key_slot, permission, nonce, scheme }.check(env.batch.time, log)
    }
}

/// The key that an operation claims to be signed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Account of the key.
    pub account: AccountId,
    /// Sub-account whose nonce is used.
    pub sub: SubId,
    /// Slot of the key.
    pub key_slot: KeySlot,
    /// The right that the key needs.
    pub permission: Permission,
    /// Nonce of (account, sub).
    pub nonce: Nonce,
    /// The scheme that the key must have.
    pub scheme: Scheme,
}

impl Authority {
    /// Checks slot, policy and nonce at a batch time; gives the key id, whose signature is still to be judged.
    /// Accesses: KEYA read, KEYB read, CTL write.
    ///
    /// # Errors
    /// A [`Reject`] that names what is wrong.
    pub fn check<V: View>(&self, time: u64, log: &mut Log<'_, V>) -> Result<Digest, Reject> {
        let (account, slot) = (self.account, self.key_slot);
        if account == AccountId::INSURANCE {
            return Err(Reject::Reserved { account });
        }
        let key_id = log.read(Key::key_a(account.get(), slot.get().into()));
        let policy_key = Key::key_b(account.get(), slot.get().into());
        let policy = log.read_cell::<Option<KeyPolicy>>(policy_key)?;
        self.check_policy(policy, time)?;
        self.advance_nonce(log)?;
        Ok(key_id)
    }

    fn check_policy(&self, policy: Option<KeyPolicy>, time: u64) -> Result<(), Reject> {
        let (account, slot) = (self.account, self.key_slot);
        let KeyPolicy { scheme, permissions, expiry } = policy.ok_or(Reject::NoKey { account, slot })?;
        if scheme != self.scheme {
            return Err(Reject::WrongScheme { account, slot, scheme });
        }
        if !permissions.has(self.permission) {
            return Err(Reject::Permission { slot, needed: self.permission, has: permissions });
        }
        if time >= expiry.get() {
            return Err(Reject::Expired { slot, expiry, time });
        }
        Ok(())
    }

    fn advance_nonce<V: View>(&self, log: &mut Log<'_, V>) -> Result<(), Reject> {
        let key = Key::ctl(self.account.get(), self.sub.get().into());
        let ctl: CtlCell = log.peek_cell(key)?;
        if self.nonce != ctl.nonce {
            return Err(Reject::Nonce { expected: ctl.nonce, got: self.nonce });
        }
        let nonce = ctl.nonce.next().ok_or(Reject::NonceExhausted)?;
        log.write(key, CtlCell { nonce, ..ctl }.to_leaf());
        Ok(())
    }
}
