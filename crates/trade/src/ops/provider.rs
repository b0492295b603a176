//! SetProvider and ClearProvider: which keys of OpenID providers count, and for which audience.

use serde::{Deserialize, Serialize};
use tsz_hash::{Block, Digest, F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::Key;
use tsz_stf::ops::consume;
use tsz_stf::{Log, SigVerifier, View};
use tsz_types::{L1Serial, ProviderSlot};

use crate::order::fill;
use crate::{Env, Rule, TradeReceipt, TradeReject, code};

/// Governance puts a provider's key into a cell, over what was there. Logins under it count from then on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetProvider {
    /// Serial in the L1 queue.
    pub serial: L1Serial,
    /// Cell.
    pub slot: ProviderSlot,
    /// Digest of issuer, audience, kid and key (`tsz_auth::LoginProvider::digest`).
    #[serde(with = "tsz_stf::forms::digest")]
    pub provider: Digest,
}

/// Governance empties a cell: no login under its key counts from then on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClearProvider {
    /// Serial in the L1 queue.
    pub serial: L1Serial,
    /// Cell.
    pub slot: ProviderSlot,
}

fn record(code: u32, serial: L1Serial, slot: ProviderSlot, provider: Digest) -> [Block; 2] {
    let mut first = ZERO;
    first[0] = F::from_u32(code);
    fill(&mut first, 1, &serial.to_felts());
    first[4] = F::from_u32(slot.get().into());
    [first, provider]
}

impl SetProvider {
    /// What the L1CHAIN cell absorbs.
    pub fn record(&self) -> [Block; 2] {
        record(code::SET_PROVIDER, self.serial, self.slot, self.provider)
    }
}

impl ClearProvider {
    /// What the L1CHAIN cell absorbs.
    pub fn record(&self) -> [Block; 2] {
        record(code::CLEAR_PROVIDER, self.serial, self.slot, ZERO)
    }
}

impl Rule for SetProvider {
    /// Accesses: L1IN write, L1CHAIN write, PROVIDER write.
    fn run<V: View, S: SigVerifier>(
        &self,
        _: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        consume(log, self.serial, &self.record())?;
        log.write(Key::provider(self.slot.get().into()), self.provider);
        Ok(TradeReceipt::default())
    }
}

impl Rule for ClearProvider {
    /// Accesses: L1IN write, L1CHAIN write, PROVIDER write.
    fn run<V: View, S: SigVerifier>(
        &self,
        _: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        consume(log, self.serial, &self.record())?;
        log.write(Key::provider(self.slot.get().into()), ZERO);
        Ok(TradeReceipt::default())
    }
}
