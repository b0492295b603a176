//! What the runner fills in of key changes by passkey: nonce, slot, assertion.

use tsz_hash::ZERO;
use tsz_ledger::{CtlCell, Key};
use tsz_stf::{AuthOp, RegisterKeyByPasskey, RevokeKeyByPasskey, View, message};
use tsz_trade::Op;
use tsz_types::KeySlot;

use super::sign::Ready;
use super::state::Moment;
use crate::{AuthSpec, Keyring};

/// The operation with the assertion of the passkey's authenticator.
pub(crate) fn fill<'k>(spec: &AuthSpec, at: &Moment<'_>, keys: &Keyring) -> Result<Ready<'k>, String> {
    let (authenticator, passkey) = keys.passkey(&spec.key)?;
    let account = spec.account;
    let id = passkey.key_id();
    let found = || {
        let mut slots = (0..=KeySlot::MAX.get()).filter_map(|k| KeySlot::new(k).ok());
        let id_in = |slot: &KeySlot| at.view.get(Key::key_a(account.get(), slot.get().into()));
        slots.find(|slot| id_in(slot) == id).unwrap_or(KeySlot::MIN)
    };
    let key_slot = spec.key_slot.unwrap_or_else(found);
    let nonce = match spec.nonce {
        Some(nonce) => nonce,
        None => at.view.cell(Key::ctl(account.get(), 0)).map(|ctl: CtlCell| ctl.nonce)?,
    };
    let assertion = authenticator.assert(passkey, &ZERO);
    let (slot, passkey_) = (spec.slot, passkey.clone());
    let mut op: AuthOp = match &spec.new {
        Some(new) => RegisterKeyByPasskey {
            account,
            slot,
            key_id: new.key_id,
            scheme: new.scheme,
            permissions: new.permissions,
            expiry: new.expiry,
            nonce,
            key_slot,
            passkey: passkey_,
            assertion,
        }
        .into(),
        None => RevokeKeyByPasskey { account, slot, nonce, key_slot, passkey: passkey_, assertion }.into(),
    };
    let digest = message(&at.context.system, &op.message());
    *op.assertion_mut() = authenticator.assert(passkey, &digest);
    Ok(Ready { op: Op::Auth(op), wants: Vec::new() })
}
