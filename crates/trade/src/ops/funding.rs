//! FundingTick and FundingSettle.

use serde::{Deserialize, Serialize};
use tsz_ledger::cells::MINUTES;
use tsz_ledger::{Key, MkfCell, MkoCell, MkpCell, MksCell};
use tsz_risk::funding::tick;
use tsz_stf::{Log, SigVerifier, View};
use tsz_types::{FundingIndex, MarketId};

use crate::account::Party;
use crate::market::{HOUR_MS, MarketRow, params};
use crate::params::Status;
use crate::{Env, Rule, TradeReceipt, TradeReject};

/// Ends an hour of a market. Without open interest, or while it settles, nobody pays funding and all due hours end
/// at once: so a new market starts, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FundingTick {
    /// Market.
    pub market: MarketId,
}

/// Moves the funding of a position into collateral.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FundingSettle {
    /// Whose position.
    pub party: Party,
    /// Market.
    pub market: MarketId,
}

impl Rule for FundingTick {
    /// Accesses: MKP read, MKO read, MKS write, MKF write.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        let (params, time) = (params(&env.ctx, self.market)?, env.ctx.time);
        let index = u32::from(self.market.get());
        let MkpCell { index: price, .. } = log.read_cell(Key::mkp(index))?;
        let MkoCell { open_interest, .. } = log.read_cell(Key::mko(index))?;
        let MksCell { sum, minute } = log.peek_cell(Key::mks(index))?;
        let MkfCell { funding, hour } = log.peek_cell(Key::mkf(index))?;
        let next = u64::from(hour) + 1;
        // the hour that starts now must have begun: hour `hour` is over
        if time / HOUR_MS < next {
            return Err(TradeReject::HourOpen { next, time });
        }
        let idle = open_interest == 0 || params.status == Status::Settling;
        let after = if idle {
            let hour = u32::try_from(time / HOUR_MS).unwrap_or(u32::MAX); // 48 bits of ms are below 2^27 hours
            MkfCell { funding, hour }
        } else {
            // an hour that is not fully sampled has no premium: nobody gains by leaving samples out
            let sum = if minute == MINUTES { sum } else { 0 };
            let funding = tick(funding.get(), sum, price, &params.funding())?;
            MkfCell { funding: FundingIndex::new(funding)?, hour: hour.saturating_add(1) }
        };
        log.write_cell(Key::mks(index), &MksCell::default());
        log.write_cell(Key::mkf(index), &after);
        Ok(TradeReceipt::default())
    }
}

impl Rule for FundingSettle {
    /// Accesses: MKP read, MKF read, SUB write, POS write. No risk: TAV stays.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        let row = MarketRow::read(log, &env.ctx, self.market)?;
        if self.party.peek(log, self.market)?.position.size == 0 {
            return Err(TradeReject::NoPosition { account: self.party.account, market: self.market });
        }
        self.party.trade(log, &row, 0, 0)?;
        Ok(TradeReceipt::default())
    }
}
