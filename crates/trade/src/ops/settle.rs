//! SettleMarket and SettlePair: the end of a market.

use serde::{Deserialize, Serialize};
use tsz_hash::{Block, F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::{Key, MkpCell};
use tsz_risk::market::notional;
use tsz_risk::{MICRO, RISK_NOTIONAL_BITS};
use tsz_stf::ops::consume;
use tsz_stf::{Log, SigVerifier, View};
use tsz_types::{L1Serial, Lots, MarketId, Price};

use crate::account::Party;
use crate::market::{MarketRow, Move, move_open_interest};
use crate::order::fill;
use crate::params::Status;
use crate::{Env, Rule, TradeCode, TradeReceipt, TradeReject, code};

/// Governance names the prices that a settling market closes at, once. Long positions close at one and short ones at
/// another that is not below it: the difference is every holder's share, by lots, of what bankrupt positions lack, and
/// goes to insurance, which pays their debts. Nobody chooses who bears it, and nobody is paid before it is fixed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettleMarket {
    /// Serial in the L1 queue.
    pub serial: L1Serial,
    /// Market.
    pub market: MarketId,
    /// Price of long positions.
    pub long: Price,
    /// Price of short positions, at least that of long ones.
    pub short: Price,
}

/// Closes a long and a short position of a settled market against each other at its named prices. TAV stays, so nobody
/// is judged; pairs keep every sum in order at each step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettlePair {
    /// Market.
    pub market: MarketId,
    /// Holder of a long position.
    pub long: Party,
    /// Holder of a short position.
    pub short: Party,
    /// Lots, at most what either holds.
    pub lots: Lots,
}

impl SettleMarket {
    /// What the L1CHAIN cell absorbs.
    pub fn record(&self) -> [Block; 2] {
        let (mut first, mut second) = (ZERO, ZERO);
        first[0] = F::from_u32(code::SETTLE_MARKET);
        fill(&mut first, 1, &self.serial.to_felts());
        first[4] = F::from_u32(self.market.get().into());
        fill(&mut second, 0, &self.long.to_felts());
        fill(&mut second, 2, &self.short.to_felts());
        [first, second]
    }
}

impl Rule for SettleMarket {
    /// Accesses: L1IN write, L1CHAIN write; [the market exists and settles:] MKP write.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        if self.long > self.short {
            return Err(TradeReject::SettlePrices { long: self.long, short: self.short });
        }
        consume(log, self.serial, &self.record())?;
        let Some(params) = env.ctx.params.perp(self.market) else {
            return Ok(TradeReceipt::noop(TradeCode::NoMarket));
        };
        if params.status != Status::Settling {
            return Ok(TradeReceipt::noop(TradeCode::NotSettling));
        }
        let key = Key::mkp(self.market.get().into());
        let cell: MkpCell = log.peek_cell(key)?;
        if cell.settled {
            log.write_cell(key, &cell);
            return Ok(TradeReceipt::noop(TradeCode::Settled));
        }
        let (index, mark) = (self.long.get(), self.short.get());
        log.write_cell(key, &MkpCell { index, mark, settled: true, ..cell });
        Ok(TradeReceipt::default())
    }
}

impl Rule for SettlePair {
    /// Accesses: MKP read, MKF read; SUB write, POS write of the long, then of the short; SUB write of insurance; MKO
    /// write.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        let row = MarketRow::read(log, &env.ctx, self.market)?;
        if !row.prices.settled {
            return Err(TradeReject::NotSettled { market: self.market });
        }
        for (party, sign) in [(self.long, 1), (self.short, -1)] {
            let size = party.peek(log, self.market)?.position.size;
            if size.signum() != sign || self.lots == Lots::MIN || self.lots.get() > size.unsigned_abs() {
                return Err(TradeReject::Lots { got: self.lots, size });
            }
        }
        let lots = self.lots.get();
        let quote = |price| notional(lots, price, row.risk.qm, RISK_NOTIONAL_BITS).map(|n| n as i128);
        let (paid, owed) = (quote(row.prices.mark_of(true))?, quote(row.prices.mark_of(false))?);
        let lots = i128::from(lots);
        let long = self.long.trade(log, &row, -lots, paid * MICRO)?;
        let short = self.short.trade(log, &row, lots, -owed * MICRO)?;
        Party::INSURANCE.credit(log, (owed - paid) * MICRO)?;
        move_open_interest(log, &row, long.interest + short.interest, Move::Close)?;
        Ok(TradeReceipt { quote: paid, ..TradeReceipt::default() })
    }
}
