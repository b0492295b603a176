//! PerpTrade.

use serde::{Deserialize, Serialize};
use tsz_risk::MICRO;
use tsz_risk::trade::{Fill, reduces};
use tsz_stf::{Log, SigVerifier, View};
use tsz_types::{AccountId, Lots, Price, Rate};

use super::spot::check_match;
use crate::account::{Moved, Party, check_legal};
use crate::admit::{Choice, Role, admit};
use crate::fees::{Fee, pay_collateral};
use crate::market::{MarketRow, Move, move_open_interest};
use crate::order::{PerpOrder, Signed, Trigger};
use crate::params::Status;
use crate::{Context, Env, Rule, TradeReceipt, TradeReject};

/// A fill of two perpetual orders at the maker's limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerpTrade {
    /// Order that meets a resting one.
    pub taker: Signed<PerpOrder>,
    /// Resting order.
    pub maker: Signed<PerpOrder>,
    /// Lots.
    pub lots: Lots,
    /// Fee of the taker.
    pub taker_fee: Rate,
    /// Fee of the maker; negative = rebate out of the taker's fee.
    pub maker_fee: Rate,
    /// Whether the slot of an IOC taker is closed.
    #[serde(default)]
    pub close_taker: bool,
}

/// A fill at a price, before it is applied to either side.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    pub lots: Lots,
    pub price: Price,
}

/// Checks an order's trigger at its first fill.
fn check_trigger(
    ctx: &Context<'_>,
    row: &MarketRow<'_>,
    order: &PerpOrder,
    first: bool,
) -> Result<(), TradeReject> {
    let mark = row.risk.mark;
    let met = match order.trigger {
        _ if !first => return Ok(()),
        Trigger::None => return Ok(()),
        Trigger::Above(price) => mark >= price.get(),
        Trigger::Below(price) => mark <= price.get(),
    };
    row.check_fresh(ctx)?;
    if met { Ok(()) } else { Err(TradeReject::Trigger { trigger: order.trigger, mark }) }
}

/// Admits an order of the fill: rights, slot, fee, trigger.
/// Accesses: KEYA read, KEYB read, CTL read, ORD write.
pub(super) fn admit_perp<V: View, S: SigVerifier>(
    log: &mut Log<'_, V>,
    env: &Env<'_, S>,
    row: &MarketRow<'_>,
    signed: &Signed<PerpOrder>,
    choice: &Choice,
) -> Result<(), TradeReject> {
    let account = signed.order.terms.account;
    if account == AccountId::FEES {
        return Err(TradeReject::ReservedParty { account });
    }
    let first = admit(log, env, signed, choice)?;
    check_trigger(&env.ctx, row, &signed.order, first)
}

/// Applies a fill to one party: settlement, size, payment and fee. Accesses: SUB write, POS write.
pub(super) fn fill_side<V: View>(
    log: &mut Log<'_, V>,
    row: &MarketRow<'_>,
    party: Party,
    buys: bool,
    at: At,
    fee: Rate,
) -> Result<Moved, TradeReject> {
    let fill = Fill { lots: at.lots.get(), price: at.price.get(), qm: row.risk.qm, buys, fee: fee.get() };
    let n = fill.notional()? as i128;
    let sign: i128 = if buys { 1 } else { -1 };
    let cash = -sign * n * MICRO - n * i128::from(fee.get());
    party.trade(log, row, sign * i128::from(at.lots.get()), cash)
}

/// Checks reduce-only, and the bounds of a position that grew or flipped.
pub(super) fn check_side(
    ctx: &Context<'_>,
    row: &MarketRow<'_>,
    moved: &Moved,
    buys: bool,
    at: At,
    reduce_only: bool,
) -> Result<(), TradeReject> {
    let before = &moved.before.position;
    if reduce_only && !reduces(before, buys, at.lots.get()) {
        return Err(TradeReject::NotReducing { size: before.size, lots: at.lots });
    }
    if moved.shift.grew || moved.shift.flipped {
        row.check_fresh(ctx)?;
        row.check_growth(&moved.shift.position, at.price.get())?;
    }
    Ok(())
}

/// Whether an order may only reduce here: by its own word, as insurance, or because the market says so.
pub(super) fn must_reduce(row: &MarketRow<'_>, order: &PerpOrder) -> bool {
    order.reduce_only
        || order.terms.account == AccountId::INSURANCE
        || row.params.status == Status::ReduceOnly
}

/// The party of an order.
pub(super) fn party(order: &PerpOrder) -> Party {
    Party { account: order.terms.account, sub: order.terms.sub }
}

impl PerpTrade {
    fn check(&self) -> Result<bool, TradeReject> {
        let (taker, maker) = (&self.taker.order, &self.maker.order);
        if taker.market != maker.market {
            let (taker, maker) = (taker.market.get().into(), maker.market.get().into());
            return Err(TradeReject::OtherMarket { taker, maker });
        }
        check_match(&taker.terms, &maker.terms)
    }
}

impl Rule for PerpTrade {
    /// Accesses: MKP read, MKF read; taker and maker each KEYA read, KEYB read, CTL read, ORD write; taker and maker
    /// each SUB write, POS write; HEAD read if there is a broker; SUB write of each broker; SUB write of the fee
    /// account; MKO write; the tables of taker and maker where something is at stake.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        let own = self.check()?;
        let row = MarketRow::read(log, &env.ctx, self.taker.order.market)?;
        row.check_status(&[Status::Open, Status::ReduceOnly])?;
        let lots = self.lots;
        let role = Role::Taker { close: self.close_taker };
        let choice = Choice { role, lots, fee: self.taker_fee, cap: row.params.taker_cap };
        admit_perp(log, env, &row, &self.taker, &choice)?;
        let choice = Choice { role: Role::Maker, lots, fee: self.maker_fee, cap: row.params.maker_cap };
        admit_perp(log, env, &row, &self.maker, &choice)?;
        let (taker, maker) = (&self.taker.order, &self.maker.order);
        let at = At { lots, price: maker.terms.price };
        let n = tsz_risk::market::notional(
            lots.get(),
            at.price.get(),
            row.risk.qm,
            tsz_risk::FILL_NOTIONAL_BITS,
        )?;
        if own {
            return Ok(TradeReceipt::default());
        }
        let sides = [(taker, self.taker_fee), (maker, self.maker_fee)];
        let moved = [
            fill_side(log, &row, party(taker), taker.terms.buys(), at, self.taker_fee)?,
            fill_side(log, &row, party(maker), maker.terms.buys(), at, self.maker_fee)?,
        ];
        for ((order, _), moved) in sides.iter().zip(&moved) {
            check_side(&env.ctx, &row, moved, order.terms.buys(), at, must_reduce(&row, order))?;
        }
        pay_collateral(log, n, &sides.map(|(order, fee)| Fee::of(fee, &order.terms)))?;
        move_open_interest(log, &row, moved[0].interest + moved[1].interest, Move::Trade)?;
        for ((order, _), moved) in sides.iter().zip(&moved) {
            check_legal(log, &env.ctx, &row, party(order), moved)?;
        }
        Ok(TradeReceipt { quote: n as i128, ..TradeReceipt::default() })
    }
}
