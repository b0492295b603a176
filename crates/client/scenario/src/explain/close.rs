//! Liquidations: the zero quote, its parts, and who takes the other side.

use tsz_ledger::{BalCell, SubCell};
use tsz_risk::quote::{liquidation_fee, zero_quote};
use tsz_risk::{CollateralToken, MICRO, Margin};
use tsz_trade::Party;
use tsz_trade::ops::{Adl, ForceLiquidate, Liquidate, SeizeToken};
use tsz_types::{MarketId, Rate};

use super::Scene;
use super::fill::{SideOfFill, rate};
use crate::figures::{Figures, cell, market};
use crate::table::{Table, percent, units};

impl Scene<'_> {
    /// The zero quote of closing `lots` of a target, with every number in it.
    pub(super) fn zero_quote(&self, target: Party, id: MarketId, lots: u64) -> Vec<Table> {
        let mut table = Table::facts(format!("zero quote: {}", self.names.party(target)));
        let Ok(Some((risk, _))) = market(&self.before, self.params, id) else { return Vec::new() };
        let Ok(figures) = Figures::of(&self.before, self.params, target) else { return Vec::new() };
        let position = self.position_of(id, target);
        let Margin { tav, mmr, .. } = figures.margin;
        table.fact("position", position.size);
        table.fact("health", figures.health());
        table.fact("TAV", units(tav));
        table.fact("MMR", units(mmr));
        if let Ok(n) = risk.notional(lots) {
            table.fact("n", format!("{n} = {lots} lots * mark {} * qm {}", risk.mark, risk.qm));
        }
        if let Ok(n) = risk.notional(position.lots()) {
            let mmf = risk.tier(n).mmf;
            table.fact("mmf", format!("{} (tier of {n})", percent(mmf.into(), 10_000)));
        }
        match zero_quote(&position, &risk, &figures.margin, lots) {
            Ok(quote) => {
                table.fact("Q0 = n - s*n*mmf*TAV/MMR", format!("{quote} quote units"));
                table.fact("target's collateral", units(position.sign() * quote * MICRO));
            }
            Err(error) => table.fact("Q0", error),
        }
        vec![table]
    }

    pub(super) fn liquidate(&self, op: &Liquidate) -> Vec<Table> {
        let order = &op.maker.order;
        let mut tables = vec![self.orders(&[("maker", order)])];
        tables.extend(self.zero_quote(op.target, op.market, op.lots.get()));
        tables.extend(self.liquidation_fee(op));
        let position = self.position_of(op.market, op.target);
        let target = SideOfFill {
            role: "target",
            party: op.target,
            buys: position.size < 0,
            fee: Rate::ZERO,
            terms: None,
        };
        let sides = [target, SideOfFill::of("maker", order, op.maker_fee)];
        tables.extend(self.perp_fill(op.market, op.lots, order.terms.price, &sides));
        tables
    }

    fn liquidation_fee(&self, op: &Liquidate) -> Option<Table> {
        let params = self.params.perp(op.market)?;
        let (risk, _) = market(&self.before, self.params, op.market).ok()??;
        let figures = Figures::of(&self.before, self.params, op.target).ok()?;
        let position = self.position_of(op.market, op.target);
        let (lots, price) = (op.lots.get(), op.maker.order.terms.price.get());
        let n = tsz_risk::market::notional(lots, price, risk.qm, tsz_risk::FILL_NOTIONAL_BITS).ok()?;
        let quote = zero_quote(&position, &risk, &figures.margin, lots).ok()?;
        let surplus = position.sign() * (n as i128 - quote);
        let fee = liquidation_fee(position.sign(), n, quote, params.liquidation_fee.get().unsigned_abs());
        let mut table = Table::facts("liquidation fee to insurance");
        table.fact("N", n);
        table.fact("s*(N - Q0)", format!("{surplus} quote units better than the zero quote"));
        table.fact("rate", rate(params.liquidation_fee));
        table.fact("min(rate*N, s*(N - Q0))", units(fee.max(0)));
        Some(table)
    }

    /// The lots that an operation took of a target.
    fn closed(&self, target: Party, id: MarketId) -> u64 {
        let after = cell::<tsz_ledger::PosCell>(&self.after, target.pos_key(id)).map_or(0, |c| c.size());
        let closed = self.position_of(id, target).size.abs_diff(after);
        if closed == 0 { self.position_of(id, target).lots() } else { closed }
    }

    pub(super) fn adl(&self, op: &Adl) -> Vec<Table> {
        let mut tables = self.zero_quote(op.target, op.market, self.closed(op.target, op.market));
        tables.push(self.position("counterparty", op.market, op.counterparty));
        tables
    }

    pub(super) fn force_liquidate(&self, op: &ForceLiquidate) -> Vec<Table> {
        self.zero_quote(op.target, op.market, self.closed(op.target, op.market))
    }

    pub(super) fn seize(&self, op: &SeizeToken) -> Vec<Table> {
        let mut table = Table::facts("seizure");
        let Some((place, listed)) = self.params.collateral(op.token) else { return vec![table] };
        let Ok(Some((risk, prices))) = market(&self.before, self.params, listed.market) else {
            return vec![table];
        };
        let worth = CollateralToken {
            balance: op.amount.get(),
            index: prices.index,
            qm: risk.qm,
            haircut: listed.haircut.get(),
            units_per_lot: listed.units_per_lot,
        };
        if let Ok(sub) = cell::<SubCell>(&self.before, op.target.sub_key()) {
            table.fact("debt", units(sub.collateral.get()));
        }
        if let Ok(held) = cell::<BalCell>(&self.before, op.target.mbal_key(place)) {
            table.fact("held", units(held.balance.get() as i128)); // u96
        }
        table.fact("seized", units(op.amount.get() as i128)); // u96
        table.fact("index price", prices.index);
        table.fact("haircut", percent(listed.haircut.get().into(), 10_000));
        match worth.value_ceil() {
            Ok(value) => table.fact("insurance pays", units(value)),
            Err(error) => table.fact("insurance pays", error),
        }
        vec![table]
    }
}
