//! ForcedClose.

use serde::{Deserialize, Serialize};
use tsz_hash::{Block, F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::{AcctCell, Key};
use tsz_risk::{FILL_NOTIONAL_BITS, Health, Position, market};
use tsz_stf::ops::consume;
use tsz_stf::{Log, SigVerifier, View};
use tsz_types::{AccountId, EthAddress, L1Serial, Lots, MarketId, Price, Rate};

use super::perp::{At, admit_perp, check_side, fill_side, party};
use super::target::Target;
use crate::account::{Party, check_legal};
use crate::admit::{Choice, Role};
use crate::fees::{Fee, pay_collateral};
use crate::market::{MarketRow, Move, move_open_interest};
use crate::order::{PerpOrder, Side, Signed, fill};
use crate::params::Status;
use crate::{Context, Env, Rule, TradeCode, TradeReceipt, TradeReject, code};

/// The owner demands on L1 that a position is reduced, or, in a settled market, paired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForcedClose {
    /// Serial in the L1 queue.
    pub serial: L1Serial,
    /// Whose position.
    pub party: Party,
    /// Market.
    pub market: MarketId,
    /// Direction of the closing trade.
    pub side: Side,
    /// Lots to close.
    pub lots: Lots,
    /// Worst price.
    pub limit: Price,
    /// Who asked.
    pub sender: EthAddress,
    /// How the operator serves it; nothing for a no-op.
    #[serde(default)]
    pub fill: Option<ForcedFill>,
}

/// The other side of a forced close.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForcedFill {
    /// Resting order.
    pub maker: Signed<PerpOrder>,
    /// Fee of the party that closes, up to the market's cap.
    pub taker_fee: Rate,
    /// Fee of the maker.
    pub maker_fee: Rate,
}

impl ForcedClose {
    /// What the L1CHAIN cell absorbs.
    pub fn record(&self) -> [Block; 3] {
        let [mut first, mut second, mut third] = [ZERO; 3];
        first[0] = F::from_u32(code::FORCED_CLOSE);
        fill(&mut first, 1, &self.serial.to_felts());
        let place = u32::from(self.party.sub.get()) + 32 * self.side as u32;
        fill(&mut first, 4, &[self.party.account.get(), place, self.market.get().into()].map(F::from_u32));
        fill(&mut second, 0, &self.sender.to_felts());
        fill(&mut third, 0, &self.lots.to_felts());
        fill(&mut third, 2, &self.limit.to_felts());
        [first, second, third]
    }

    /// The first reason for a no-op that the position and the price give: no position, the wrong side, too many lots (none,
    /// more than the position has, more than one maker can take), a limit that does not concede the band.
    fn judge(&self, row: &MarketRow<'_>, position: &Position) -> TradeCode {
        if position.size == 0 {
            TradeCode::NoPosition
        } else if (position.size < 0) != (self.side == Side::Buy) {
            TradeCode::WrongSide
        } else if self.lots == Lots::MIN
            || self.lots.get() > position.lots()
            || !row.fits_one_maker(self.lots)
        {
            TradeCode::TooManyLots
        } else if !row.params.concedes_band(self.side == Side::Buy, self.limit, row.risk.mark) {
            TradeCode::OutsideBand
        } else {
            TradeCode::Ok
        }
    }

    /// In a settled market the demand is that the operator pairs the whole position; it is served once that is done.
    /// Pairs need nobody's word and sizes sum to zero, so it can always be done.
    fn settled(&self, size: i64) -> Result<TradeReceipt, TradeReject> {
        match size {
            0 => Ok(TradeReceipt::noop(TradeCode::NoPosition)),
            size => Err(TradeReject::Unpaired { account: self.party.account, market: self.market, size }),
        }
    }

    /// Accesses: those of a perpetual trade after its market, with the closing party as an order-less taker.
    fn serve<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        ctx: &Context<'_>,
        log: &mut Log<'_, V>,
        row: &MarketRow<'_>,
        with: &ForcedFill,
    ) -> Result<TradeReceipt, TradeReject> {
        let (order, lots) = (&with.maker.order, self.lots);
        let buys = self.side == Side::Buy;
        if order.market != self.market {
            let (taker, maker) = (self.market.get().into(), order.market.get().into());
            return Err(TradeReject::OtherMarket { taker, maker });
        }
        if party(order) == self.party {
            return Err(TradeReject::SelfTrade { account: self.party.account, sub: self.party.sub });
        }
        if order.terms.buys() == buys {
            return Err(TradeReject::SameSide);
        }
        let (price, cap) = (order.terms.price, row.params.taker_cap);
        if if buys { price > self.limit } else { price < self.limit } {
            return Err(TradeReject::ForcedLimit { limit: self.limit, price });
        }
        if !row.params.concedes_at_most_band(buys, price, row.risk.mark) {
            return Err(TradeReject::ForcedLimit { limit: self.limit, price });
        }
        if with.taker_fee.is_negative() || with.taker_fee > cap {
            return Err(TradeReject::Fee { min: 0, max: cap.get(), got: with.taker_fee });
        }
        let choice = Choice { role: Role::Maker, lots, fee: with.maker_fee, cap: row.params.maker_cap };
        admit_perp(log, env, row, &with.maker, &choice)?;
        let at = At { lots, price };
        let n = market::notional(lots.get(), price.get(), row.risk.qm, FILL_NOTIONAL_BITS)?;
        let own = fill_side(log, row, self.party, buys, at, with.taker_fee)?;
        let other = fill_side(log, row, party(order), !buys, at, with.maker_fee)?;
        // whoever reduces here is the closing party: its maker need not, whatever the market's state
        let reduce_only = order.reduce_only || order.terms.account == AccountId::INSURANCE;
        check_side(&env.ctx, row, &other, !buys, at, reduce_only)?;
        pay_collateral(log, n, &[Fee::plain(with.taker_fee), Fee::of(with.maker_fee, &order.terms)])?;
        move_open_interest(log, row, own.interest + other.interest, Move::Close)?;
        check_legal(log, ctx, row, self.party, &own)?;
        check_legal(log, &env.ctx, row, party(order), &other)?;
        Ok(TradeReceipt { quote: n as i128, ..TradeReceipt::default() })
    }
}

impl Rule for ForcedClose {
    /// Accesses: L1IN write, L1CHAIN write, ACCT read; then, until a reason for a no-op is shown: MKP read, MKF
    /// read, [the market is not settling, or settled:] SUB read, POS read, table of the party; then those of a perpetual trade after its market, with the
    /// party as a taker without an order.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        consume(log, self.serial, &self.record())?;
        let acct: AcctCell = log.read_cell(Key::acct(self.party.account.get()))?;
        if acct.owner != Some(self.sender) {
            return Ok(TradeReceipt::noop(TradeCode::NotOwner));
        }
        let ctx = env.forced();
        if ctx.params.perp(self.market).is_none() {
            return Ok(TradeReceipt::noop(TradeCode::NoMarket));
        }
        let row = MarketRow::read(log, &ctx, self.market)?;
        if row.params.status == Status::Settling && !row.prices.settled {
            return Ok(TradeReceipt::noop(TradeCode::Settling));
        }
        let position = self.party.read(log, self.market)?.position;
        if row.prices.settled {
            return self.settled(position.size);
        }
        let reason = self.judge(&row, &position);
        if reason != TradeCode::Ok {
            return Ok(TradeReceipt::noop(reason));
        }
        let target = Target::read(log, &ctx, &row, self.party)?;
        if target.margin.health() >= Health::PartialLiquidation {
            return Ok(TradeReceipt::noop(TradeCode::Liquidatable));
        }
        let with = self.fill.as_ref().ok_or(TradeReject::NoFill)?;
        self.serve(env, &ctx, log, &row, with)
    }
}
