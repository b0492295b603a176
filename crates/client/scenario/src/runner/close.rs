//! Choices of the operator in liquidations, found by asking the rules themselves.

use tsz_ledger::{BalCell, Key, MkfCell, MkpCell};
use tsz_risk::Position;
use tsz_risk::adl::loss_class;
use tsz_stf::Trusted;
use tsz_trade::ops::{Adl, AdlRank, ForceLiquidate, SeizeToken};
use tsz_trade::{Party, Side, TradeOp, TradeReject, apply_with, invariants};
use tsz_types::{Balance, MarketId};

use super::Desk;
use super::sign::Ready;
use super::state::Moment;
use super::trade::size;
use crate::{AdlRankSpec, AdlSpec, ForceLiquidateSpec, SeizeTokenSpec};

/// What the rules say to an operation without signatures.
fn ask(op: impl Into<TradeOp>, at: &Moment<'_>) -> Result<(), TradeReject> {
    apply_with(&at.view, &at.trade(), 1, &op.into(), &Trusted).map(|_| ())
}

/// Loss class of closing a position; the last one where there is none.
fn loss_class_of(target: Party, market: MarketId, size: i64, at: &Moment<'_>) -> Result<u8, String> {
    const NONE: u8 = 15;
    let Some(params) = at.params.perp(market) else { return Ok(NONE) };
    let prices: MkpCell = at.view.cell(Key::mkp(market.get().into()))?;
    let MkfCell { funding, .. } = at.view.cell(Key::mkf(market.get().into()))?;
    let margin =
        invariants::margin(&at.view, at.params, at.context.time, target).map_err(|e| e.to_string())?;
    let row = params.risk(prices.mark, funding.get());
    let class = loss_class(&Position { size, funding: 0 }, &row, &margin).map_err(|e| e.to_string())?;
    Ok(class.unwrap_or(NONE))
}

impl<'k> Desk<'k> {
    /// Holders of positions opposite to a party's.
    fn opposite(
        &self,
        target: Party,
        market: MarketId,
        at: &Moment<'_>,
    ) -> Result<Vec<(Party, i64)>, String> {
        let sign = -size(at, target, market)?.signum();
        Ok(self.holders.on_side(market, sign).collect())
    }

    /// The ranking of all holders opposite to a target, in the loss class of its close, in pages.
    pub(super) fn adl_rank(&self, spec: &AdlRankSpec, at: &Moment<'_>) -> Result<Vec<Ready<'k>>, String> {
        const PAGE: usize = 64;
        let (target, market) = (spec.target, spec.market);
        let held = size(at, target, market)?;
        let side = if held > 0 { Side::Sell } else { Side::Buy };
        let class = match spec.class {
            Some(class) => class,
            None => loss_class_of(target, market, held, at)?,
        };
        let mut holders: Vec<Party> =
            self.opposite(target, market, at)?.into_iter().map(|(p, _)| p).collect();
        holders.sort_unstable();
        let pages = holders.chunks(PAGE).enumerate();
        let page = |(k, page): (usize, &[Party])| {
            Ready::unsigned(AdlRank { market, side, class, restart: k == 0, holders: page.to_vec() })
        };
        Ok(pages.map(page).collect())
    }

    /// Auto-deleveraging with the first counterparty that the rules accept, the largest first. If they accept none,
    /// the operation is refused with what they say to the largest holder.
    pub(super) fn adl(&self, spec: &AdlSpec, at: &Moment<'_>) -> Result<Ready<'k>, String> {
        let (target, market) = (spec.target, spec.market);
        let with = |counterparty: Party| Adl { target, market, counterparty };
        if let Some(counterparty) = spec.counterparty {
            return Ok(Ready::unsigned(with(counterparty)));
        }
        let mut found = self.opposite(target, market, at)?;
        found.sort_by_key(|(_, size)| std::cmp::Reverse(size.unsigned_abs()));
        let accepted = found.iter().find(|(party, _)| ask(with(*party), at).is_ok());
        let chosen = accepted.or(found.first()).map_or(Party::INSURANCE, |(party, _)| *party);
        Ok(Ready::unsigned(with(chosen)))
    }

    /// The demand, with a counterparty if insurance cannot take over.
    pub(super) fn force_liquidate(
        &self,
        spec: &ForceLiquidateSpec,
        at: &Moment<'_>,
    ) -> Result<Ready<'k>, String> {
        let mut op = ForceLiquidate {
            serial: self.serial(spec.serial, at)?,
            target: spec.target,
            market: spec.market,
            sender: spec.sender.unwrap_or_default(),
            counterparty: spec.counterparty,
        };
        if op.counterparty.is_none() && ask(op.clone(), at).is_err() {
            let found = self.opposite(spec.target, spec.market, at)?;
            let mut candidates = found.iter().map(|(party, _)| Some(*party));
            let accepted = candidates
                .find(|party| ask(ForceLiquidate { counterparty: *party, ..op.clone() }, at).is_ok());
            op.counterparty = accepted.flatten();
        }
        Ok(Ready::unsigned(op))
    }

    /// The seizure of as much as the debt needs, at most of all there is.
    pub(super) fn seize_token(&self, spec: &SeizeTokenSpec, at: &Moment<'_>) -> Result<Ready<'k>, String> {
        let (target, token) = (spec.target, spec.token);
        let with = |amount: u128| -> Result<SeizeToken, String> {
            let amount = Balance::new(amount).map_err(|e| e.to_string())?;
            Ok(SeizeToken { target, token, amount })
        };
        if let Some(amount) = spec.amount {
            return Ok(Ready::unsigned(with(amount.get())?));
        }
        let place = at.params.collateral(token).map_or(0, |(place, _)| place);
        let held = at.view.cell::<BalCell>(target.mbal_key(place))?.balance.get();
        // the largest amount that is not too much: the rule is monotone in it
        let (mut low, mut high) = (1, held.max(1));
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            match ask(with(middle)?, at) {
                Err(TradeReject::SeizesTooMuch { .. }) => high = middle - 1,
                _ => low = middle,
            }
        }
        Ok(Ready::unsigned(with(low)?))
    }
}
