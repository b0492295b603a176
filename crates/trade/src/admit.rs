//! Who signed an order, whether it may still trade, and what a fill does to its slot.

use tsz_hash::Digest;
use tsz_ledger::{CtlCell, Key, KeyPolicy, OrdCell, Permission, Scheme};
use tsz_sig::Signature;
use tsz_stf::{Log, Reject, SigVerifier, View};
use tsz_types::{AccountId, KeySlot, Lots, Rate};

use crate::order::{Order, Signed, Terms, Tif};
use crate::{Env, TradeReject};

/// Side of a trade that an order is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Meets a resting order.
    Taker {
        /// Whether the slot of an IOC order is closed after this fill.
        close: bool,
    },
    /// Rests.
    Maker,
}

/// What the operator chose for one side of a fill.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    pub role: Role,
    pub lots: Lots,
    pub fee: Rate,
    /// The market's cap of that fee.
    pub cap: Rate,
}

/// Checks the right of a key to sign for an account. Accesses: KEYA read, KEYB read.
pub(crate) fn authorize<V: View>(
    log: &mut Log<'_, V>,
    time: u64,
    account: AccountId,
    slot: KeySlot,
    needed: Permission,
) -> Result<Digest, TradeReject> {
    let key_id = log.read(Key::key_a(account.get(), slot.get().into()));
    let policy: Option<KeyPolicy> = log.read_cell(Key::key_b(account.get(), slot.get().into()))?;
    let KeyPolicy { scheme, permissions, expiry } = policy.ok_or(Reject::NoKey { account, slot })?;
    if scheme != Scheme::Schnorr {
        return Err(Reject::WrongScheme { account, slot, scheme }.into());
    }
    if !permissions.has(needed) {
        return Err(Reject::Permission { slot, needed, has: permissions }.into());
    }
    if time >= expiry.get() {
        return Err(Reject::Expired { slot, expiry, time }.into());
    }
    Ok(key_id)
}

/// Checks a signature.
pub(crate) fn verify<S: SigVerifier>(
    env: &Env<'_, S>,
    key_id: &Digest,
    message: &Digest,
    signature: &Signature,
) -> Result<(), TradeReject> {
    if env.verifier.verify(key_id, message, signature) { Ok(()) } else { Err(Reject::Signature.into()) }
}

/// Admits one side of a fill and moves its slot; says whether this is the order's first fill.
/// Accesses: KEYA read, KEYB read, CTL read, ORD write.
pub(crate) fn admit<V: View, S: SigVerifier, O: Order + Copy + PartialEq>(
    log: &mut Log<'_, V>,
    env: &Env<'_, S>,
    signed: &Signed<O>,
    choice: &Choice,
) -> Result<bool, TradeReject> {
    let terms = signed.order.terms();
    terms.check()?;
    check_role(terms, choice)?;
    check_fee(terms, choice)?;
    let account = terms.account;
    let key_id = authorize(log, env.batch.time, account, signed.key_slot, Permission::Trade)?;
    let ctl: CtlCell = log.read_cell(Key::ctl(account.get(), terms.sub.get().into()))?;
    if terms.kill_epoch != ctl.kill_epoch {
        return Err(TradeReject::Killed { account, expected: ctl.kill_epoch, got: terms.kill_epoch });
    }
    if env.batch.time >= terms.expiry.get() {
        return Err(TradeReject::OrderExpired { account, expiry: terms.expiry, time: env.batch.time });
    }
    let digest = signed.digest(&env.batch.system);
    let key = Key::ord(account.get(), terms.sub.get().into(), terms.slot.get().into());
    let (next, first) = advance(terms, &digest, &log.peek_cell(key)?, choice)?;
    log.write_cell(key, &next);
    verify(env, &key_id, &digest, &signed.signature)?;
    Ok(first)
}

fn check_role(terms: &Terms, choice: &Choice) -> Result<(), TradeReject> {
    match (choice.role, terms.tif) {
        (Role::Taker { .. }, Tif::PostOnly) => Err(TradeReject::PostOnlyTaker),
        (Role::Taker { close: true }, tif) if tif != Tif::Ioc => Err(TradeReject::CloseNotIoc),
        (Role::Maker, Tif::Ioc | Tif::Fok) => Err(TradeReject::ImmediateMaker),
        (_, Tif::Fok) if choice.lots != terms.lots => {
            Err(TradeReject::PartialFok { lots: choice.lots, max: terms.lots })
        }
        _ if choice.lots == Lots::MIN => Err(TradeReject::NoLots),
        _ => Ok(()),
    }
}

/// The fee is within the caps of order and market, and the broker's share within the fee: a maker with a rebate
/// has no broker's share.
fn check_fee(terms: &Terms, choice: &Choice) -> Result<(), TradeReject> {
    let (own, min) = match choice.role {
        Role::Taker { .. } => (terms.max_taker_fee, 0),
        Role::Maker => (terms.max_maker_fee, Rate::MIN.get()),
    };
    let max = own.min(choice.cap).get();
    if choice.fee.get() < min || choice.fee.get() > max {
        return Err(TradeReject::Fee { min, max, got: choice.fee });
    }
    if terms.broker_rate.get() > choice.fee.get().max(0) {
        return Err(TradeReject::BrokerRate { broker: terms.broker_rate, fee: choice.fee });
    }
    Ok(())
}

/// The slot after the fill, and whether it is the order's first one.
fn advance(
    terms: &Terms,
    digest: &Digest,
    slot: &OrdCell,
    choice: &Choice,
) -> Result<(OrdCell, bool), TradeReject> {
    let Terms { account, nonce, .. } = *terms;
    if nonce < slot.next_nonce {
        return Err(TradeReject::DeadNonce { account, slot: terms.slot, next: slot.next_nonce, got: nonce });
    }
    let tag = [digest[0], digest[1], digest[2], digest[3]];
    let before = if nonce == slot.next_nonce { slot.filled } else { Lots::MIN };
    let first = before == Lots::MIN;
    if !first && tag != slot.tag {
        return Err(TradeReject::OtherOrder { account, slot: terms.slot, nonce, filled: before });
    }
    let over = TradeReject::Overfill { account, filled: before, lots: choice.lots, max: terms.lots };
    let filled = before.checked_add(choice.lots).map_err(|_| over)?;
    if filled > terms.lots {
        return Err(over);
    }
    let done = filled == terms.lots || choice.role == Role::Taker { close: true };
    let after = nonce.next().ok_or(TradeReject::LastNonce { account, slot: terms.slot })?;
    Ok((if done { OrdCell::fresh(after) } else { OrdCell { next_nonce: nonce, filled, tag } }, first))
}
