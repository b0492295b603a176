//! What the runner fills in of key changes and payments by passkey, wallet and social login: nonce, slot, approval.

use tsz_hash::{Digest, ZERO};
use tsz_ledger::{CtlCell, Key};
use tsz_stf::{
    AuthOp, PayByOidc, PayByPasskey, PayByWallet, Payee, Payment, RegisterKeyByOidc, RegisterKeyByPasskey,
    RegisterKeyByWallet, RevokeKeyByOidc, RevokeKeyByPasskey, RevokeKeyByWallet, View, message,
};
use tsz_trade::Op;
use tsz_types::{KeySlot, Nonce, ProviderSlot, SubId};

use super::sign::Ready;
use super::state::Moment;
use crate::op::{Approved, Approver, NewKey, Source};
use crate::{AuthSpec, Keyring};

/// The operation with the approval of the label's authenticator or wallet.
pub(crate) fn fill<'k>(spec: &AuthSpec, at: &Moment<'_>, keys: &Keyring) -> Result<Ready<'k>, String> {
    let sub = match spec.what {
        Approved::Key { .. } => SubId::MIN,
        Approved::Transfer { from, .. } | Approved::Withdraw { from, .. } => from.sub,
    };
    let nonce = match spec.nonce {
        Some(nonce) => nonce,
        None => at.view.cell(Key::ctl(spec.account.get(), sub.get().into())).map(|ctl: CtlCell| ctl.nonce)?,
    };
    let op = match spec.op.approver() {
        Approver::Passkey => by_passkey(spec, at, keys, nonce)?,
        Approver::Wallet => by_wallet(spec, at, keys, nonce)?,
        Approver::Social => by_social(spec, at, keys, nonce)?,
    };
    Ok(Ready { op: Op::Auth(op), wants: Vec::new() })
}

/// The payment of an operation that is one.
fn payment(spec: &AuthSpec, nonce: Nonce, key_slot: KeySlot) -> Option<Payment> {
    let (from, to) = match spec.what {
        Approved::Key { .. } => return None,
        Approved::Transfer { from, to_account: account, to_sub: sub, to_bucket: bucket } => {
            (from, Payee::Bucket { account, sub, bucket })
        }
        Approved::Withdraw { from, to } => (from, Payee::Address(to)),
    };
    let Source { sub, bucket, token, units } = from;
    Some(Payment { account: spec.account, sub, bucket, to, token, units, nonce, key_slot })
}

/// The slot that the file gives, or the first with the key, or 0.
fn slot_of(spec: &AuthSpec, at: &Moment<'_>, id: &Digest) -> KeySlot {
    let found = || {
        let mut slots = (0..=KeySlot::MAX.get()).filter_map(|k| KeySlot::new(k).ok());
        let id_in = |slot: &KeySlot| at.view.get(Key::key_a(spec.account.get(), slot.get().into()));
        slots.find(|slot| id_in(slot) == *id).unwrap_or(KeySlot::MIN)
    };
    spec.key_slot.unwrap_or_else(found)
}

fn by_passkey(spec: &AuthSpec, at: &Moment<'_>, keys: &Keyring, nonce: Nonce) -> Result<AuthOp, String> {
    let (authenticator, passkey) = keys.passkey(&spec.key)?;
    let (account, passkey_) = (spec.account, passkey.clone());
    let key_slot = slot_of(spec, at, &passkey.key_id());
    let assertion = authenticator.assert(passkey, &ZERO);
    let mut op: AuthOp = match (&spec.what, payment(spec, nonce, key_slot)) {
        (&Approved::Key { slot, new: Some(NewKey { key_id, scheme, permissions, expiry }) }, _) => {
            RegisterKeyByPasskey {
                account,
                slot,
                key_id,
                scheme,
                permissions,
                expiry,
                nonce,
                key_slot,
                passkey: passkey_,
                assertion,
            }
            .into()
        }
        (_, Some(payment)) => PayByPasskey { payment, passkey: passkey_, assertion }.into(),
        (&Approved::Key { slot, .. }, _) => {
            RevokeKeyByPasskey { account, slot, nonce, key_slot, passkey: passkey_, assertion }.into()
        }
        _ => return Err("no payment".into()),
    };
    let digest = message(&at.context.system, &op.message());
    if let Some(assertion) = op.assertion_mut() {
        *assertion = authenticator.assert(passkey, &digest);
    }
    Ok(op)
}

fn by_wallet(spec: &AuthSpec, at: &Moment<'_>, keys: &Keyring, nonce: Nonce) -> Result<AuthOp, String> {
    let (soft, wallet) = keys.wallet(&spec.key)?;
    let (account, wallet) = (spec.account, *wallet);
    let key_slot = slot_of(spec, at, &wallet.key_id());
    let approval = soft.approve(&wallet.domain, &ZERO);
    let mut op: AuthOp = match (&spec.what, payment(spec, nonce, key_slot)) {
        (&Approved::Key { slot, new: Some(NewKey { key_id, scheme, permissions, expiry }) }, _) => {
            RegisterKeyByWallet {
                account,
                slot,
                key_id,
                scheme,
                permissions,
                expiry,
                nonce,
                key_slot,
                wallet,
                approval,
            }
            .into()
        }
        (_, Some(payment)) => PayByWallet { payment, wallet, approval }.into(),
        (&Approved::Key { slot, .. }, _) => {
            RevokeKeyByWallet { account, slot, nonce, key_slot, wallet, approval }.into()
        }
        _ => return Err("no payment".into()),
    };
    let digest = message(&at.context.system, &op.message());
    // What a wallet returns has 65 bytes; the key is recovered from them, as a client does.
    let signed = soft.sign(&wallet.domain, &digest);
    let recovered = wallet.recover(&digest, &signed).map_err(|e| e.to_string())?;
    if let Some(approval) = op.wallet_approval_mut() {
        *approval = recovered;
    }
    Ok(op)
}

/// The cell that the file gives, or the first of sixteen with the provider, or 0.
fn provider_of(spec: &AuthSpec, at: &Moment<'_>, digest: &Digest) -> ProviderSlot {
    let found = || {
        let mut slots = (0..16).filter_map(|k| ProviderSlot::new(k).ok());
        let holds = |slot: &ProviderSlot| at.view.get(Key::provider(slot.get().into())) == *digest;
        slots.find(holds).unwrap_or(ProviderSlot::MIN)
    };
    spec.provider.unwrap_or_else(found)
}

fn by_social(spec: &AuthSpec, at: &Moment<'_>, keys: &Keyring, nonce: Nonce) -> Result<AuthOp, String> {
    let social = keys.social(&spec.key)?;
    let (account, provider) = (spec.account, social.provider.clone());
    let key_slot = slot_of(spec, at, &social.key_id());
    let provider_slot = provider_of(spec, at, &provider.digest());
    let login = social.login(&ZERO, at.context.time);
    let mut op: AuthOp = match (&spec.what, payment(spec, nonce, key_slot)) {
        (&Approved::Key { slot, new: Some(NewKey { key_id, scheme, permissions, expiry }) }, _) => {
            RegisterKeyByOidc {
                account,
                slot,
                key_id,
                scheme,
                permissions,
                expiry,
                nonce,
                key_slot,
                provider_slot,
                provider,
                login,
            }
            .into()
        }
        (_, Some(payment)) => PayByOidc { payment, provider_slot, provider, login }.into(),
        (&Approved::Key { slot, .. }, _) => {
            RevokeKeyByOidc { account, slot, nonce, key_slot, provider_slot, provider, login }.into()
        }
        _ => return Err("no payment".into()),
    };
    let digest = message(&at.context.system, &op.message());
    if let Some(login) = op.social_login_mut() {
        *login = social.login(&digest, at.context.time);
    }
    Ok(op)
}
