//! Liquidate.

use serde::{Deserialize, Serialize};
use tsz_risk::quote::liquidation_fee;
use tsz_risk::{FILL_NOTIONAL_BITS, Health, MICRO, Margin, market};
use tsz_stf::{Log, SigVerifier, View};
use tsz_types::{Lots, MarketId, Rate};

use super::perp::{At, admit_perp, check_side, fill_side, must_reduce, party};
use super::target::Target;
use crate::account::{Before, Party, check_legal};
use crate::admit::{Choice, Role};
use crate::fees::{Fee, pay_collateral};
use crate::market::{MarketRow, Move, move_open_interest};
use crate::order::{PerpOrder, Signed};
use crate::params::Status;
use crate::{Env, Rule, TradeReceipt, TradeReject};

/// Closes part of a position against an order, at the zero quote or better.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Liquidate {
    /// Whose position is closed.
    pub target: Party,
    /// Market.
    pub market: MarketId,
    /// Resting order on the other side.
    pub maker: Signed<PerpOrder>,
    /// Lots.
    pub lots: Lots,
    /// Fee of the maker, not below its broker's share.
    pub maker_fee: Rate,
}

impl Liquidate {
    fn check_parties(&self, target: &Target<'_>) -> Result<(), TradeReject> {
        let order = &self.maker.order;
        if order.market != self.market {
            let (taker, maker) = (self.market.get().into(), order.market.get().into());
            return Err(TradeReject::OtherMarket { taker, maker });
        }
        if party(order) == self.target {
            return Err(TradeReject::SelfTrade { account: self.target.account, sub: self.target.sub });
        }
        // the target's close is a sale if it is long
        if order.terms.buys() != (target.at.position.size > 0) {
            return Err(TradeReject::SameSide);
        }
        Ok(())
    }

    /// Notional and fee of closing `lots`, with the surplus over the zero quote.
    fn terms(
        &self,
        row: &MarketRow<'_>,
        target: &Target<'_>,
        lots: u64,
    ) -> Result<(u128, i128, i128), TradeReject> {
        let price = self.maker.order.terms.price.get();
        let n = market::notional(lots, price, row.risk.qm, FILL_NOTIONAL_BITS)?;
        let (quote, sign) = (target.quote(lots)?, target.at.position.sign());
        let rate = row.params.liquidation_fee.get().unsigned_abs(); // validated as not negative
        let fee = liquidation_fee(sign, n, quote, rate).max(0);
        Ok((n, fee, quote))
    }

    /// At partial liquidation the price concedes at most the band: the owner's equity is not the operator's to give.
    fn check_band(&self, row: &MarketRow<'_>, target: &Target<'_>) -> Result<(), TradeReject> {
        let (price, mark) = (self.maker.order.terms.price, row.risk.mark);
        let sells = target.at.position.size > 0;
        let is_partial = target.margin.health() == Health::PartialLiquidation;
        if is_partial && !row.params.concedes_at_most_band(!sells, price, mark) {
            return Err(TradeReject::OutsideBand { price, mark });
        }
        Ok(())
    }

    /// At partial liquidation no more is closed than brings TAV back to IMR.
    fn check_minimal(&self, row: &MarketRow<'_>, target: &Target<'_>) -> Result<(), TradeReject> {
        let fewer = self.lots.get() - 1;
        if target.margin.health() > Health::PartialLiquidation || fewer == 0 {
            return Ok(());
        }
        let (n, fee, _) = self.terms(row, target, fewer)?;
        let (settled, old) = target.at.position.settle(&row.risk)?;
        let sign = old.sign();
        let shift = tsz_risk::trade::shift(&old, -sign * i128::from(fewer), row.risk.funding)?;
        let collateral = target.at.collateral + settled + sign * n as i128 * MICRO - fee;
        let Margin { tav, imr, .. } =
            target.table.margin(&Before { collateral, position: shift.position })?;
        if tav < imr { Ok(()) } else { Err(TradeReject::TooMuch { lots: self.lots, tav, imr }) }
    }
}

impl Rule for Liquidate {
    /// Accesses: MKP read, MKF read; table of the target; of the maker KEYA read, KEYB read, CTL read, ORD write;
    /// SUB write, POS write of the target, then of the maker; SUB write of insurance; HEAD read if there is a
    /// broker; SUB write of the broker; SUB write of the fee account; MKO write; table of the maker where something
    /// is at stake.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        let row = MarketRow::read(log, &env.ctx, self.market)?;
        row.check_status(&[Status::Open, Status::ReduceOnly])?;
        let target = Target::read(log, &env.ctx, &row, self.target)?;
        self.check_parties(&target)?;
        target.check_health(Health::PartialLiquidation)?;
        target.check_lots(self.lots)?;
        let lots = self.lots;
        let choice = Choice { role: Role::Maker, lots, fee: self.maker_fee, cap: row.params.maker_cap };
        admit_perp(log, env, &row, &self.maker, &choice)?;
        let (notional, fee, quote) = self.terms(&row, &target, lots.get())?;
        let sign = target.at.position.sign();
        if sign * (notional as i128 - quote) < 0 {
            return Err(TradeReject::WorseThanZeroQuote { account: self.target.account, notional, quote });
        }
        self.check_band(&row, &target)?;
        self.check_minimal(&row, &target)?;
        let order = &self.maker.order;
        let at = At { lots, price: order.terms.price };
        let cash = sign * notional as i128 * MICRO - fee;
        let closed = self.target.trade(log, &row, -sign * i128::from(lots.get()), cash)?;
        let moved = fill_side(log, &row, party(order), order.terms.buys(), at, self.maker_fee)?;
        check_side(&env.ctx, &row, &moved, order.terms.buys(), at, must_reduce(&row, order))?;
        Party::INSURANCE.credit(log, fee)?;
        pay_collateral(log, notional, &[Fee::plain(Rate::ZERO), Fee::of(self.maker_fee, &order.terms)])?;
        move_open_interest(log, &row, closed.interest + moved.interest, Move::Close)?;
        check_legal(log, &env.ctx, &row, party(order), &moved)?;
        Ok(TradeReceipt { quote: notional as i128, ..TradeReceipt::default() })
    }
}
