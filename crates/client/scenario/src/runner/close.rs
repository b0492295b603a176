//! Choices of the operator in liquidations, found by asking the rules themselves.

use tsz_ledger::BalCell;
use tsz_stf::Trusted;
use tsz_trade::ops::{Adl, ForceLiquidate, SeizeToken};
use tsz_trade::{Party, TradeOp, TradeReject, apply_with};
use tsz_types::{Balance, Lots, MarketId};

use super::Desk;
use super::sign::Ready;
use super::state::Moment;
use super::trade::{number, size};
use crate::{AdlSpec, ForceLiquidateSpec, SeizeTokenSpec};

/// What the rules say to an operation without signatures.
fn ask(op: impl Into<TradeOp>, at: &Moment<'_>) -> Result<(), TradeReject> {
    apply_with(&at.view, &at.trade(), 1, &op.into(), &Trusted).map(|_| ())
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

    /// Auto-deleveraging with all holders and the first counterparty that the rules accept. If they accept none, the
    /// operation is refused with what they say to the largest holder.
    pub(super) fn adl(&self, spec: &AdlSpec, at: &Moment<'_>) -> Result<Ready<'k>, String> {
        let (target, market) = (spec.target, spec.market);
        let held = size(at, target, market)?.unsigned_abs();
        let mut found = self.opposite(target, market, at)?;
        let holders = spec.holders.clone().unwrap_or_else(|| found.iter().map(|(party, _)| *party).collect());
        found.sort_by_key(|(_, size)| std::cmp::Reverse(size.unsigned_abs()));
        let with = |counterparty: Party, size: u64| -> Result<Adl, String> {
            let lots: Lots = spec.lots.map_or_else(|| number(held.min(size).into()), Ok)?;
            Ok(Adl { target, market, lots, counterparty, holders: holders.clone() })
        };
        let mut first = None;
        let candidates = match spec.counterparty {
            Some(party) => vec![(party, size(at, party, market)?)],
            None => found,
        };
        for (party, size) in candidates {
            let op = with(party, size.unsigned_abs())?;
            if ask(op.clone(), at).is_ok() {
                return Ok(Ready::unsigned(op));
            }
            first.get_or_insert(op);
        }
        first.map_or_else(|| with(Party::INSURANCE, held), Ok).map(Ready::unsigned)
    }

    /// The demand, with holders and counterparty if insurance cannot take over.
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
            holders: spec.holders.clone().unwrap_or_default(),
        };
        if ask(op.clone(), at).is_ok() {
            return Ok(Ready::unsigned(op));
        }
        let found = self.opposite(spec.target, spec.market, at)?;
        if spec.holders.is_none() {
            op.holders = found.iter().map(|(party, _)| *party).collect();
        }
        if spec.counterparty.is_none() {
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
