//! Liquidations: the zero quote, its parts, and who takes the other side.

use tsz_hash::ZERO;
use tsz_ledger::{BalCell, BatchContext, SubCell};
use tsz_risk::adl::{adl_rank, can_bear, loss_class};
use tsz_risk::quote::{adl_score, liquidation_fee, zero_quote};
use tsz_risk::{CollateralToken, MICRO, Margin};
use tsz_stf::Trusted;
use tsz_trade::ops::{Adl, AdlRank, ForceLiquidate, Liquidate, SeizeToken, Takeover};
use tsz_trade::{Party, Side, TradeContext, apply_with};
use tsz_types::{AccountId, Lots, MarketId, Rate};

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
        let class = self.loss_class(op.target, op.market);
        let side = if self.position_of(op.market, op.target).size > 0 { -1 } else { 1 };
        tables.extend(class.map(|class| self.ranking(op.market, side, class, &[op.counterparty])));
        let lots = self.closed(op.target, op.market);
        tables
            .extend((op.target != Party::INSURANCE).then(|| self.takeover_test(op.target, op.market, lots)));
        tables
    }

    /// What the rules say to a takeover of the same lots: ADL is for what insurance cannot take.
    fn takeover_test(&self, target: Party, market: MarketId, lots: u64) -> Table {
        let mut table = Table::facts(format!("takeover of {lots} lots by insurance"));
        let Ok(lots) = Lots::new(lots) else { return table };
        let batch = BatchContext { system: ZERO, batch: 1, time: self.time, params: ZERO };
        let ctx = TradeContext { batch: &batch, params: self.params };
        let op = Takeover { target, market, lots }.into();
        match apply_with(&self.before, &ctx, 1, &op, &Trusted) {
            Ok(_) => table.fact("verdict", "possible"),
            Err(reason) => {
                table.fact("verdict", "refused");
                table.fact("because", reason);
            }
        }
        table
    }

    /// Loss class of the close of a target.
    fn loss_class(&self, target: Party, id: MarketId) -> Option<u8> {
        let figures = Figures::of(&self.before, self.params, target).ok()?;
        let row = figures.positions.iter().find(|p| p.market == id)?;
        loss_class(&row.position, &row.risk, &figures.margin).ok()?
    }

    pub(super) fn adl_rank(&self, op: &AdlRank) -> Vec<Table> {
        let side = if op.side == Side::Buy { 1 } else { -1 };
        vec![self.ranking(op.market, side, op.class, &op.holders)]
    }

    /// What the rank of each holder comes from.
    fn ranking(&self, id: MarketId, side: i64, class: u8, holders: &[Party]) -> Table {
        let columns =
            ["holder", "size", "notional", "TAV", "IMR", "IMR of other rows", "can bear", "score", "rank"];
        let word = if side > 0 { "longs" } else { "shorts" };
        let mut table = Table::new(format!("ranking of {word} for loss class {class}"), &columns);
        for holder in holders {
            let Ok(figures) = Figures::of(&self.before, self.params, *holder) else { continue };
            let Some(row) = figures.positions.iter().find(|p| p.market == id) else { continue };
            let rest = figures.positions.iter().filter(|p| p.market != id).map(|p| p.part.imr).sum();
            let bears = can_bear(&row.position, &row.risk, &figures.margin, rest, class).unwrap_or(false);
            let reserved = holder.account < AccountId::FIRST_USER;
            let text =
                |n: Result<u16, tsz_risk::RiskError>| n.map_or_else(|e| e.to_string(), |n| n.to_string());
            let score = adl_score(&row.position, &row.risk, figures.margin.tav).map(u16::from);
            let rank = if bears && !reserved {
                text(adl_rank(&row.position, &row.risk, figures.margin.tav))
            } else {
                "0".to_owned()
            };
            table.row([
                self.names.party(*holder),
                row.position.size.to_string(),
                row.notional.to_string(),
                units(figures.margin.tav),
                units(figures.margin.imr),
                units(rest),
                if reserved { "reserved".to_owned() } else { bears.to_string() },
                text(score),
                rank,
            ]);
        }
        table
    }

    pub(super) fn force_liquidate(&self, op: &ForceLiquidate) -> Vec<Table> {
        let lots = self.closed(op.target, op.market);
        let mut tables = self.zero_quote(op.target, op.market, lots);
        tables.push(self.takeover_test(op.target, op.market, self.position_of(op.market, op.target).lots()));
        let class = self.loss_class(op.target, op.market);
        let side = if self.position_of(op.market, op.target).size > 0 { -1 } else { 1 };
        let with = op.counterparty.as_slice();
        tables.extend(class.filter(|_| !with.is_empty()).map(|c| self.ranking(op.market, side, c, with)));
        tables
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
            haircut: listed.seizure_haircut(),
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
        table.fact("paid at", percent(worth.haircut.into(), 10_000));
        match worth.value_ceil() {
            Ok(value) => table.fact("insurance pays", units(value)),
            Err(error) => table.fact("insurance pays", error),
        }
        vec![table]
    }
}
