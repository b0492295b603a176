//! What the runner fills in of fund operations.

use tsz_ledger::{CtlCell, Key, L1InCell};
use tsz_stf::{FundOp, View, message};
use tsz_trade::Op;
use tsz_types::{AccountId, KeySlot, L1Serial, Nonce, SubId};

use super::sign::{Ready, Want};
use super::state::Moment;
use crate::keyring::Signer;
use crate::{FundSpec, Keyring, SignWith};

/// The operation with nonce or serial and key slot, and who signs it, if the runner does.
pub(crate) fn fill<'k>(spec: &FundSpec, at: &Moment<'_>, keys: &'k Keyring) -> Result<Ready<'k>, String> {
    let mut op = spec.op.clone();
    if spec.fill_count {
        fill_serial(&mut op, at)?;
    }
    let signer = match signed_parts(&mut op) {
        Some(parts) => fill_signer(spec, parts, at, keys)?,
        None => None,
    };
    let want =
        |signer| op.message().map(|blocks| Want { signer, digest: message(&at.context.system, &blocks) });
    let wants = vec![signer.and_then(want)];
    Ok(Ready { op: Op::Fund(op), wants })
}

/// The serial that the queue expects.
pub(crate) fn next_serial(at: &Moment<'_>) -> Result<L1Serial, String> {
    at.view.cell(Key::L1IN).map(|cell: L1InCell| cell.next)
}

/// The key slot and the signer. A label signs in the first slot that has its key; without a label the secret of the
/// key in the slot does. Without a secret for it, the operation keeps its blank signature and is refused for what is
/// wrong.
pub(crate) fn choose_signer<'k>(
    at: &Moment<'_>,
    keys: &'k Keyring,
    account: AccountId,
    label: Option<&str>,
    slot: Option<KeySlot>,
) -> Result<(KeySlot, Option<Signer<'k>>), String> {
    let id_in = |slot: KeySlot| at.view.get(Key::key_a(account.get(), slot.get().into()));
    let Some(label) = label else {
        let slot = slot.unwrap_or(KeySlot::MIN);
        return Ok((slot, keys.signer_of(&id_in(slot))));
    };
    let signer = keys.signer(label)?;
    let mut slots = (0..=KeySlot::MAX.get()).filter_map(|k| KeySlot::new(k).ok());
    let found = || slots.find(|slot| id_in(*slot) == signer.key_id).unwrap_or(KeySlot::MIN);
    Ok((slot.unwrap_or_else(found), Some(signer)))
}

fn fill_signer<'k>(
    spec: &FundSpec,
    signed: SignedParts<'_>,
    at: &Moment<'_>,
    keys: &'k Keyring,
) -> Result<Option<Signer<'k>>, String> {
    let account = signed.account;
    if spec.fill_count {
        let ctl: CtlCell = at.view.cell(Key::ctl(account.get(), signed.sub.get().into()))?;
        *signed.nonce = ctl.nonce;
    }
    let (label, slot) = match &spec.sign {
        SignWith::Given => return Ok(None),
        SignWith::Label(label) => (Some(label.as_str()), (!spec.fill_slot).then_some(*signed.key_slot)),
        SignWith::Slot => (None, Some(*signed.key_slot)),
    };
    let (slot, signer) = choose_signer(at, keys, account, label, slot)?;
    *signed.key_slot = slot;
    Ok(signer)
}

fn fill_serial(op: &mut FundOp, at: &Moment<'_>) -> Result<(), String> {
    let serial: &mut L1Serial = match op {
        FundOp::Deposit(op) => &mut op.serial,
        FundOp::FullExit(op) => &mut op.serial,
        FundOp::L1RegisterKey(op) => &mut op.serial,
        FundOp::L1RevokeKey(op) => &mut op.serial,
        _ => return Ok(()),
    };
    *serial = next_serial(at)?;
    Ok(())
}

/// What the runner fills in of a signed operation.
struct SignedParts<'a> {
    account: AccountId,
    sub: SubId,
    nonce: &'a mut Nonce,
    key_slot: &'a mut KeySlot,
}

fn signed_parts(op: &mut FundOp) -> Option<SignedParts<'_>> {
    let (account, sub, nonce, key_slot) = match op {
        FundOp::Transfer(op) => (op.account, op.sub, &mut op.nonce, &mut op.key_slot),
        FundOp::Withdraw(op) => (op.account, op.sub, &mut op.nonce, &mut op.key_slot),
        FundOp::RegisterKey(op) => (op.account, SubId::MIN, &mut op.nonce, &mut op.key_slot),
        FundOp::RevokeKey(op) => (op.account, SubId::MIN, &mut op.nonce, &mut op.key_slot),
        _ => return None,
    };
    Some(SignedParts { account, sub, nonce, key_slot })
}
