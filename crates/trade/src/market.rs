//! A perpetual market as an operation finds it.

use tsz_ledger::{Key, MkfCell, MkoCell, MkpCell};
use tsz_risk::market::notional;
use tsz_risk::{CollateralToken, FILL_NOTIONAL_BITS, Market, Position, oracle};
use tsz_stf::{Log, View};
use tsz_types::{FundingIndex, Lots, MarketId};

use crate::params::{CollateralParams, PerpMarket, Status};
use crate::{Context, TradeReject};

/// Milliseconds of an hour.
pub const HOUR_MS: u64 = 3_600_000;

/// Parameters, prices and funding of a market.
#[derive(Clone, Debug)]
pub(crate) struct MarketRow<'a> {
    pub id: MarketId,
    pub params: &'a PerpMarket,
    pub prices: MkpCell,
    pub risk: Market,
}

/// Parameters of a market.
pub(crate) fn params<'a>(ctx: &Context<'a>, id: MarketId) -> Result<&'a PerpMarket, TradeReject> {
    ctx.params.perp(id).ok_or(TradeReject::NoMarket { market: id })
}

/// Funding index of a market whose due hours are all ended. Access: MKF read.
pub(crate) fn current_funding<V: View>(
    log: &mut Log<'_, V>,
    ctx: &Context<'_>,
    id: MarketId,
) -> Result<FundingIndex, TradeReject> {
    let MkfCell { funding, hour } = log.read_cell(Key::mkf(id.get().into()))?;
    let due = ctx.time / HOUR_MS;
    if u64::from(hour) != due {
        return Err(TradeReject::FundingDue { market: id, hour, due });
    }
    Ok(funding)
}

impl<'a> MarketRow<'a> {
    /// Reads a market whose funding is up to date. Accesses: MKP read, MKF read.
    pub fn read<V: View>(log: &mut Log<'_, V>, ctx: &Context<'a>, id: MarketId) -> Result<Self, TradeReject> {
        let params = params(ctx, id)?;
        let prices: MkpCell = log.read_cell(Key::mkp(id.get().into()))?;
        let funding = current_funding(log, ctx, id)?;
        Ok(Self { id, params, prices, risk: params.risk(prices.mark, funding.get()) })
    }

    /// Checks that the price may be used now; forced operations take the last one.
    pub fn check_fresh(&self, ctx: &Context<'_>) -> Result<(), TradeReject> {
        // the price of a settling market is frozen: it is the one its positions are closed at
        if self.params.status == Status::Settling && self.prices.mark != 0 {
            return Ok(());
        }
        check_fresh(ctx, self.id, &self.prices)
    }

    /// The market as a position is valued in it: one that settles at named prices has one for each side.
    pub fn risk_of(&self, position: &Position) -> Market {
        Market { mark: self.prices.mark_of(position.size > 0), ..self.risk }
    }

    /// Checks that the market is in one of the states.
    pub fn check_status(&self, allowed: &[Status]) -> Result<(), TradeReject> {
        let status = self.params.status;
        if allowed.contains(&status) {
            Ok(())
        } else {
            Err(TradeReject::MarketStatus { market: self.id, status })
        }
    }

    /// Whether somebody without a position may take these lots at the mark: the fill keeps its width and the last tier
    /// bounds them. A position may have outgrown both by a move of the mark.
    pub fn fits_one_maker(&self, lots: Lots) -> bool {
        let at_mark = notional(lots.get(), self.risk.mark, self.risk.qm, FILL_NOTIONAL_BITS);
        at_mark.is_ok_and(|notional| notional <= self.risk.max_notional())
    }

    /// Checks the bounds of a position that grew in a fill at `price`.
    pub fn check_growth(&self, position: &Position, price: u32) -> Result<(), TradeReject> {
        let qm = self.risk.qm;
        notional(position.lots(), price.max(self.risk.mark), qm, FILL_NOTIONAL_BITS)?;
        let at_mark = self.risk.notional(position.lots())?;
        let bound = self.risk.max_notional();
        if at_mark > bound { Err(TradeReject::TierBound { notional: at_mark, bound }) } else { Ok(()) }
    }
}

impl CollateralParams {
    /// The prices of the token. Access: MKP read.
    pub(crate) fn prices<V: View>(
        &self,
        log: &mut Log<'_, V>,
        ctx: &Context<'_>,
    ) -> Result<MkpCell, TradeReject> {
        let prices: MkpCell = log.read_cell(Key::mkp(self.market.get().into()))?;
        // a token that counts nothing needs no price; one that never had a price counts nothing where the last one does
        if self.haircut.get() != 0 && !(ctx.forced && prices.index == 0) {
            check_fresh(ctx, self.market, &prices)?;
        }
        Ok(prices)
    }

    /// What an amount contributes.
    pub(crate) fn worth(
        &self,
        ctx: &Context<'_>,
        prices: &MkpCell,
        amount: u128,
    ) -> Result<CollateralToken, TradeReject> {
        Ok(CollateralToken {
            balance: amount,
            index: prices.index,
            qm: params(ctx, self.market)?.qm.get(),
            haircut: self.haircut.get(),
            units_per_lot: self.units_per_lot,
        })
    }

    /// What insurance pays for an amount that it seizes: the value after haircut, rounded up. A token of haircut 0 is paid
    /// at its whole value at the last price, or any debt would take all of it for nothing.
    pub(crate) fn seizure_price(
        &self,
        ctx: &Context<'_>,
        prices: &MkpCell,
        amount: u128,
    ) -> Result<i128, TradeReject> {
        let haircut = self.seizure_haircut();
        Ok(CollateralToken { haircut, ..self.worth(ctx, prices, amount)? }.value_ceil()?)
    }
}

/// Checks that prices exist and are young enough.
pub(crate) fn check_fresh(ctx: &Context<'_>, id: MarketId, prices: &MkpCell) -> Result<(), TradeReject> {
    let MkpCell { mark, price_ts, .. } = *prices;
    if ctx.forced && mark != 0 {
        return Ok(());
    }
    if mark == 0 || !oracle::is_fresh(ctx.time, price_ts, ctx.params.oracle.max_age) {
        return Err(TradeReject::Stale { market: id, price_ts, time: ctx.time });
    }
    Ok(())
}

/// What moves an open interest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// A trade: the cap binds where it grows.
    Trade,
    /// A liquidation, a takeover, a forced close, a settlement.
    Close,
    /// ADL.
    Adl,
}

/// Moves the open interest. Access: MKO write.
pub(crate) fn move_open_interest<V: View>(
    log: &mut Log<'_, V>,
    row: &MarketRow<'_>,
    delta: i128,
    kind: Move,
) -> Result<(), TradeReject> {
    let key = Key::mko(row.id.get().into());
    let MkoCell { open_interest, moves } = log.peek_cell(key)?;
    let value = i128::from(open_interest) + delta;
    let fits = u64::try_from(value).ok().filter(|v| v >> MkoCell::BITS == 0);
    let after = fits.ok_or(TradeReject::OpenInterest { value })?;
    if kind == Move::Trade && delta > 0 {
        // 56 + 32 + 20 bits
        let notional = u128::from(after) * u128::from(row.risk.mark) * u128::from(row.risk.qm);
        let cap = row.params.oi_cap.get();
        if notional > cap {
            return Err(TradeReject::OpenInterestCap { notional, cap });
        }
    }
    // ADL takes from the top of a ranking, which stays one of the rest; nobody lives to see 2^48 moves
    let moves = moves + u64::from(kind != Move::Adl);
    if moves >> MkoCell::MOVES_BITS != 0 {
        return Err(TradeReject::Moves);
    }
    log.write_cell(key, &MkoCell { open_interest: after, moves });
    Ok(())
}
