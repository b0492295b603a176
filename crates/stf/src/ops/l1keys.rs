//! L1RegisterKey and L1RevokeKey: keys changed by the account's owner on L1.

use serde::{Deserialize, Serialize};
use tsz_hash::{Block, Digest, F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::{AcctCell, Key, KeyPolicy, Permissions, Scheme};
use tsz_types::{AccountId, EthAddress, KeySlot, L1Serial, TimeMs};

use super::keys::write_slot;
use super::{consume, keep};
use crate::hashes::place;
use crate::{Code, Env, Log, Receipt, Reject, Rule, SigVerifier, View, code};

/// Puts a key into a slot, over what was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct L1RegisterKey {
    /// Serial in the L1 queue.
    pub serial: L1Serial,
    /// Account.
    pub account: AccountId,
    /// Slot that is written.
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
    /// Who asked on L1.
    pub sender: EthAddress,
}

/// Empties a key slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct L1RevokeKey {
    /// Serial in the L1 queue.
    pub serial: L1Serial,
    /// Account.
    pub account: AccountId,
    /// Slot that is emptied.
    pub slot: KeySlot,
    /// Who asked on L1.
    pub sender: EthAddress,
}

impl L1RegisterKey {
    /// What the L1CHAIN cell absorbs.
    pub fn record(&self) -> [Block; 3] {
        let mut blocks = head(code::L1_REGISTER_KEY, self.serial, self.account, self.slot, &self.sender);
        let [expiry_lo, expiry_hi] = self.expiry.to_felts();
        blocks[0][5] += F::from_u32(64 * self.scheme.code());
        blocks[0][6] = F::from_u32(self.permissions.bits());
        blocks[0][7] = expiry_lo;
        blocks[1][0] = expiry_hi;
        blocks[2] = self.key_id;
        blocks
    }

    /// The policy that is written.
    pub fn policy(&self) -> KeyPolicy {
        KeyPolicy { scheme: self.scheme, permissions: self.permissions, expiry: self.expiry }
    }
}

impl L1RevokeKey {
    /// What the L1CHAIN cell absorbs.
    pub fn record(&self) -> [Block; 3] {
        head(code::L1_REVOKE_KEY, self.serial, self.account, self.slot, &self.sender)
    }
}

/// The felts that both records have.
fn head(code: u32, serial: L1Serial, account: AccountId, slot: KeySlot, sender: &EthAddress) -> [Block; 3] {
    let (mut first, mut second) = (ZERO, ZERO);
    first[0] = F::from_u32(code);
    place(&mut first, 1, &serial.to_felts());
    first[4] = F::from_u32(account.get());
    first[5] = F::from_u32(slot.get().into());
    place(&mut second, 1, &sender.to_felts());
    [first, second, ZERO]
}

/// The rule of both: the owner's word changes the slot, anybody else's is a no-op.
fn change<V: View>(
    log: &mut Log<'_, V>,
    (account, slot, sender): (AccountId, KeySlot, EthAddress),
    key_id: Digest,
    policy: Option<KeyPolicy>,
) -> Result<Receipt, Reject> {
    let acct: AcctCell = log.read_cell(Key::acct(account.get()))?;
    if acct.owner == Some(sender) {
        write_slot(log, account, slot, key_id, policy);
        return Ok(Receipt::OK);
    }
    keep(log, Key::key_a(account.get(), slot.get().into()));
    keep(log, Key::key_b(account.get(), slot.get().into()));
    Ok(Receipt::noop(Code::NotOwner))
}

impl Rule for L1RegisterKey {
    fn run<V: View, S: SigVerifier>(&self, _: &Env<'_, S>, log: &mut Log<'_, V>) -> Result<Receipt, Reject> {
        consume(log, self.serial, &self.record())?;
        change(log, (self.account, self.slot, self.sender), self.key_id, Some(self.policy()))
    }
}

impl Rule for L1RevokeKey {
    fn run<V: View, S: SigVerifier>(&self, _: &Env<'_, S>, log: &mut Log<'_, V>) -> Result<Receipt, Reject> {
        consume(log, self.serial, &self.record())?;
        change(log, (self.account, self.slot, self.sender), ZERO, None)
    }
}
