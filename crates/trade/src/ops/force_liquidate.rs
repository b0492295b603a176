//! ForceLiquidate.

use serde::{Deserialize, Serialize};
use tsz_hash::{Block, F, PrimeCharacteristicRing, ZERO};
use tsz_risk::Health;
use tsz_stf::ops::consume;
use tsz_stf::{Log, SigVerifier, View};
use tsz_types::{AccountId, EthAddress, L1Serial, Lots, MarketId};

use super::adl::{best_rank, class_of, counterparty};
use super::takeover::receipt;
use super::target::{Target, insurance_refuses};
use crate::account::Party;
use crate::market::{MarketRow, Move};
use crate::order::fill;
use crate::params::Status;
use crate::{Context, Env, Rule, TradeCode, TradeReceipt, TradeReject, code};

/// Someone on L1 demands that a bankrupt position is taken over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForceLiquidate {
    /// Serial in the L1 queue.
    pub serial: L1Serial,
    /// Whose position.
    pub target: Party,
    /// Market.
    pub market: MarketId,
    /// Who asked.
    pub sender: EthAddress,
    /// The opposite position, best ranked, where insurance cannot take over.
    #[serde(default)]
    pub counterparty: Option<Party>,
}

impl ForceLiquidate {
    /// What the L1CHAIN cell absorbs.
    pub fn record(&self) -> [Block; 2] {
        let (mut first, mut second) = (ZERO, ZERO);
        first[0] = F::from_u32(code::FORCE_LIQUIDATE);
        fill(&mut first, 1, &self.serial.to_felts());
        let place = [self.target.account.get(), self.target.sub.get().into(), self.market.get().into()];
        fill(&mut first, 4, &place.map(F::from_u32));
        fill(&mut second, 1, &self.sender.to_felts());
        [first, second]
    }

    /// Deleverages as much as the counterparty has. Accesses: MKO read, MKR read; [somebody is able:] SUB read, POS
    /// read, table of the counterparty; SUB write, POS write of both; MKO write.
    fn adl<V: View>(
        &self,
        log: &mut Log<'_, V>,
        ctx: &Context<'_>,
        row: &MarketRow<'_>,
        target: &Target<'_>,
    ) -> Result<TradeReceipt, TradeReject> {
        let Some(class) = class_of(row, target)? else {
            return Ok(TradeReceipt::noop(TradeCode::NoCounterparty));
        };
        let best = best_rank(log, row, target, class)?;
        if best == 0 {
            return Ok(TradeReceipt::noop(TradeCode::NoCounterparty));
        }
        let with = self.counterparty.ok_or(TradeReject::NoFill)?;
        let lots = counterparty(log, ctx, row, target, (with, class, best))?;
        let close = target.close(Lots::new(lots.min(target.at.position.lots()))?)?;
        target.exchange(log, with, &close, Move::Adl)?;
        Ok(receipt(&close))
    }
}

impl Rule for ForceLiquidate {
    /// Accesses: L1IN write, L1CHAIN write; then, until a reason for a no-op is shown: MKP read, MKF read; SUB
    /// read, POS read, table of the target; SUB read, POS read, table of insurance; [it refuses:] MKO read, MKR read,
    /// SUB read, POS read, table of the counterparty; SUB write, POS write of target and counterparty; MKO write.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        consume(log, self.serial, &self.record())?;
        let ctx = env.forced();
        let Some(params) = ctx.params.perp(self.market) else {
            return Ok(TradeReceipt::noop(TradeCode::NoMarket));
        };
        if params.status == Status::Settling {
            return Ok(TradeReceipt::noop(TradeCode::Settling));
        }
        if self.target.account < AccountId::FIRST_USER {
            return Ok(TradeReceipt::noop(TradeCode::Reserved));
        }
        let row = MarketRow::read(log, &ctx, self.market)?;
        if self.target.read(log, self.market)?.position.size == 0 {
            return Ok(TradeReceipt::noop(TradeCode::NoPosition));
        }
        let target = Target::read(log, &ctx, &row, self.target)?;
        if target.margin.health() < Health::FullLiquidation {
            return Ok(TradeReceipt::noop(TradeCode::NotBankrupt));
        }
        let close = target.close(Lots::new(target.at.position.lots())?)?;
        if insurance_refuses(log, &ctx, &row, &close)?.is_some() {
            return self.adl(log, &ctx, &row, &target);
        }
        target.exchange(log, Party::INSURANCE, &close, Move::Close)?;
        Ok(receipt(&close))
    }
}
