//! SetParams.

use serde::{Deserialize, Serialize};
use tsz_hash::{Block, Digest, F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::Key;
use tsz_stf::ops::consume;
use tsz_stf::{Log, SigVerifier, View};
use tsz_types::L1Serial;

use crate::order::fill;
use crate::{Env, Rule, TradeReceipt, TradeReject, code};

/// Governance names the parameters that are in force from the next batch on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetParams {
    /// Serial in the L1 queue.
    pub serial: L1Serial,
    /// Hash of the parameters.
    #[serde(with = "tsz_stf::forms::digest")]
    pub hash: Digest,
}

impl SetParams {
    /// What the L1CHAIN cell absorbs.
    pub fn record(&self) -> [Block; 2] {
        let mut first = ZERO;
        first[0] = F::from_u32(code::SET_PARAMS);
        fill(&mut first, 1, &self.serial.to_felts());
        [first, self.hash]
    }
}

impl Rule for SetParams {
    /// Accesses: L1IN write, L1CHAIN write, PARAMS write.
    fn run<V: View, S: SigVerifier>(
        &self,
        _: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        consume(log, self.serial, &self.record())?;
        log.write(Key::PARAMS, self.hash);
        Ok(TradeReceipt::default())
    }
}
