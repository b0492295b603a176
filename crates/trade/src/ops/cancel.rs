//! CancelOrder and CancelAll.

use serde::{Deserialize, Serialize};
use tsz_hash::{Block, F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::{CtlCell, Key, OrdCell, Permission};
use tsz_sig::Signature;
use tsz_stf::{Log, Reject, SigVerifier, View, message};
use tsz_types::{AccountId, KeySlot, KillEpoch, Nonce, Slot, SubId, TimeMs};

use crate::admit::{authorize, verify};
use crate::order::fill;
use crate::{Env, Rule, TradeReceipt, TradeReject, code};

/// Ends the orders of a slot up to a nonce.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CancelOrder {
    /// Account and signer.
    pub account: AccountId,
    /// Sub-account.
    pub sub: SubId,
    /// Order slot.
    pub slot: Slot,
    /// The last nonce that ends, at least the slot's.
    pub nonce: Nonce,
    /// Slot of the signing key; chosen by the operator, not signed.
    pub key_slot: KeySlot,
    /// Signature of the message.
    #[serde(with = "tsz_stf::forms::signature")]
    pub signature: Signature,
}

/// Ends all orders of a sub-account; signed ahead for a later time it is a dead-man switch, which any operation that
/// takes a nonce replaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CancelAll {
    /// Account and signer.
    pub account: AccountId,
    /// Sub-account.
    pub sub: SubId,
    /// The epoch that ends.
    pub kill_epoch: KillEpoch,
    /// The cancel is good from this time on.
    pub not_before: TimeMs,
    /// Nonce of (account, sub).
    pub nonce: Nonce,
    /// Slot of the signing key; chosen by the operator, not signed.
    pub key_slot: KeySlot,
    /// Signature of the message.
    #[serde(with = "tsz_stf::forms::signature")]
    pub signature: Signature,
}

impl CancelOrder {
    /// Blocks of the signed message.
    pub fn message(&self) -> [Block; 2] {
        let place = u32::from(self.sub.get()) + 32 * u32::from(self.slot.get());
        let mut a = ZERO;
        fill(&mut a, 0, &[code::CANCEL_ORDER, self.account.get(), place].map(F::from_u32));
        fill(&mut a, 6, &self.nonce.to_felts());
        [a, ZERO]
    }
}

impl CancelAll {
    /// Blocks of the signed message.
    pub fn message(&self) -> [Block; 2] {
        let mut a = ZERO;
        fill(&mut a, 0, &[code::CANCEL_ALL, self.account.get(), self.sub.get().into()].map(F::from_u32));
        fill(&mut a, 3, &self.kill_epoch.to_felts());
        fill(&mut a, 6, &self.nonce.to_felts());
        let mut b = ZERO;
        fill(&mut b, 0, &self.not_before.to_felts());
        [a, b]
    }
}

impl Rule for CancelOrder {
    /// Accesses: KEYA read, KEYB read, ORD write.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        let (account, slot) = (self.account, self.slot);
        let key_id = authorize(log, env.batch.time, account, self.key_slot, Permission::Trade)?;
        let key = Key::ord(account.get(), self.sub.get().into(), slot.get().into());
        let cell: OrdCell = log.peek_cell(key)?;
        if self.nonce < cell.next_nonce {
            return Err(TradeReject::DeadNonce { account, slot, next: cell.next_nonce, got: self.nonce });
        }
        let next = self.nonce.next().ok_or(TradeReject::LastNonce { account, slot })?;
        log.write_cell(key, &OrdCell::fresh(next));
        verify(env, &key_id, &message(&env.batch.system, &self.message()), &self.signature)?;
        Ok(TradeReceipt::default())
    }
}

impl Rule for CancelAll {
    /// Accesses: KEYA read, KEYB read, CTL write.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        let time = env.batch.time;
        if time < self.not_before.get() {
            return Err(TradeReject::NotYet { not_before: self.not_before, time });
        }
        let key_id = authorize(log, time, self.account, self.key_slot, Permission::Trade)?;
        let key = Key::ctl(self.account.get(), self.sub.get().into());
        let ctl: CtlCell = log.peek_cell(key)?;
        if self.nonce != ctl.nonce {
            return Err(Reject::Nonce { expected: ctl.nonce, got: self.nonce }.into());
        }
        if self.kill_epoch != ctl.kill_epoch {
            return Err(TradeReject::KillEpoch { expected: ctl.kill_epoch, got: self.kill_epoch });
        }
        let nonce = ctl.nonce.next().ok_or(Reject::NonceExhausted)?;
        let kill_epoch = ctl.kill_epoch.checked_add(KillEpoch::new(1)?)?;
        log.write_cell(key, &CtlCell { nonce, kill_epoch });
        verify(env, &key_id, &message(&env.batch.system, &self.message()), &self.signature)?;
        Ok(TradeReceipt::default())
    }
}
