//! SetToken.

use serde::{Deserialize, Serialize};
use tsz_hash::{Block, F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::{Key, TokCell};
use tsz_stf::ops::consume;
use tsz_stf::{Log, SigVerifier, View};
use tsz_types::{L1Serial, TokenId, Units};

use crate::order::fill;
use crate::{Env, Rule, TradeReceipt, TradeReject, code};

/// Governance lists a token for signed withdrawals, takes it off or changes its least amount. FullExit needs no
/// listing, so nothing is locked in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetToken {
    /// Serial in the L1 queue.
    pub serial: L1Serial,
    /// Token.
    pub token: TokenId,
    /// Whether it can be withdrawn by signed operations.
    pub listed: bool,
    /// The least amount of a withdrawal.
    pub minimum: Units,
}

impl SetToken {
    /// What the L1CHAIN cell absorbs.
    pub fn record(&self) -> [Block; 2] {
        let (mut first, mut second) = (ZERO, ZERO);
        first[0] = F::from_u32(code::SET_TOKEN);
        fill(&mut first, 1, &self.serial.to_felts());
        fill(&mut first, 4, &[self.token.get().into(), u32::from(self.listed)].map(F::from_u32));
        fill(&mut second, 0, &self.minimum.to_felts());
        [first, second]
    }
}

impl Rule for SetToken {
    /// Accesses: L1IN write, L1CHAIN write, TOK write.
    fn run<V: View, S: SigVerifier>(
        &self,
        _: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        consume(log, self.serial, &self.record())?;
        let cell = TokCell { listed: self.listed, minimum: self.minimum };
        log.write_cell(Key::tok(self.token.get().into()), &cell);
        Ok(TradeReceipt::default())
    }
}
