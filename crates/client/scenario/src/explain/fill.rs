//! Fills: notional, fees and effects.

use tsz_ledger::PosCell;
use tsz_risk::trade::Fill;
use tsz_risk::{MICRO, Market, Position};
use tsz_trade::ops::{ForcedClose, PerpTrade, SpotTrade};
use tsz_trade::{Order, Party, PerpOrder, Side, Terms};
use tsz_types::{AccountId, Lots, MarketId, Price, Rate, SubId};

use super::Scene;
use crate::figures::{cell, market};
use crate::summary::party_of;
use crate::table::{Table, change, percent, units};

/// A fee rate as percent.
pub(super) fn rate(rate: Rate) -> String {
    percent(rate.get().into(), 1_000_000)
}

/// One side of a perpetual fill.
pub(super) struct SideOfFill<'a> {
    pub role: &'static str,
    pub party: Party,
    pub buys: bool,
    pub fee: Rate,
    /// The order that the broker comes from.
    pub terms: Option<&'a Terms>,
}

impl<'a> SideOfFill<'a> {
    pub fn of(role: &'static str, order: &'a PerpOrder, fee: Rate) -> Self {
        let terms = &order.terms;
        Self { role, party: party_of(terms), buys: terms.buys(), fee, terms: Some(terms) }
    }
}

impl Scene<'_> {
    pub(super) fn perp(&self, op: &PerpTrade) -> Vec<Table> {
        let (taker, maker) = (&op.taker.order, &op.maker.order);
        let sides =
            [SideOfFill::of("taker", taker, op.taker_fee), SideOfFill::of("maker", maker, op.maker_fee)];
        let mut tables = vec![self.orders(&[("taker", taker), ("maker", maker)])];
        tables.extend(self.perp_fill(taker.market, op.lots, maker.terms.price, &sides));
        tables
    }

    pub(super) fn forced_close(&self, op: &ForcedClose) -> Vec<Table> {
        let mut tables = vec![self.position("position to close", op.market, op.party), self.band(op)];
        let Some(fill) = &op.fill else { return tables };
        let maker = &fill.maker.order;
        let closing = SideOfFill {
            role: "closing party",
            party: op.party,
            buys: op.side == Side::Buy,
            fee: fill.taker_fee,
            terms: None,
        };
        tables.push(self.orders(&[("maker", maker)]));
        let sides = [closing, SideOfFill::of("maker", maker, fill.maker_fee)];
        tables.extend(self.perp_fill(op.market, op.lots, maker.terms.price, &sides));
        tables
    }

    fn band(&self, op: &ForcedClose) -> Table {
        let mut table = Table::facts("limit");
        let Some(params) = self.params.perp(op.market) else { return table };
        let Ok(Some((risk, _))) = market(&self.before, self.params, op.market) else { return table };
        let buys = op.side == Side::Buy;
        table.fact("limit", op.limit);
        table.fact("mark", risk.mark);
        table.fact("band", percent(params.forced_band.get().into(), 10_000));
        table.fact("concedes the whole band", params.concedes_band(buys, op.limit, risk.mark));
        table
    }

    /// Notional, fees, and what the fill does to each side.
    pub(super) fn perp_fill(
        &self,
        id: MarketId,
        lots: Lots,
        price: Price,
        sides: &[SideOfFill<'_>],
    ) -> Vec<Table> {
        let Ok(Some((risk, prices))) = market(&self.before, self.params, id) else { return Vec::new() };
        let mut facts = Table::facts("fill");
        facts.fact("market", self.names.perp(id));
        facts.fact("lots", lots);
        facts.fact("price", format!("{price} ticks (mark {}, index {})", risk.mark, prices.index));
        facts.fact("price age", format!("{} ms", self.time.saturating_sub(prices.price_ts)));
        let notional =
            tsz_risk::market::notional(lots.get(), price.get(), risk.qm, tsz_risk::FILL_NOTIONAL_BITS);
        match notional {
            Ok(n) => facts.fact("notional", format!("{n} = {lots} lots * {price} ticks * qm {}", risk.qm)),
            Err(error) => facts.fact("notional", error),
        }
        let Ok(notional) = notional else { return vec![facts] };
        vec![facts, self.fees(notional as i128, sides), self.effects(id, &risk, lots, price, sides)]
    }

    fn fees(&self, notional: i128, sides: &[SideOfFill<'_>]) -> Table {
        let mut table = Table::new("fees", &["who", "rate", "of", "pays", "receiver"]);
        let mut net = 0;
        for side in sides {
            let amount = notional * i128::from(side.fee.get());
            net += i128::from(side.fee.get());
            let who = format!("{} {}", side.role, self.names.party(side.party));
            table.row([who, rate(side.fee), notional.to_string(), units(amount), "see below".into()]);
        }
        for terms in sides.iter().filter_map(|s| s.terms).filter(|t| t.broker_rate != Rate::ZERO) {
            net -= i128::from(terms.broker_rate.get());
            let broker = self.names.account(terms.broker);
            let amount = units(-notional * i128::from(terms.broker_rate.get()));
            let who = format!("broker of {}", self.names.party(party_of(terms)));
            table.row([who, rate(terms.broker_rate), notional.to_string(), amount, broker]);
        }
        let rest = percent(net, 1_000_000);
        let fees = self.names.account(AccountId::FEES);
        table.row(["what is left".into(), rest, notional.to_string(), units(-notional * net), fees]);
        table
    }

    fn effects(
        &self,
        id: MarketId,
        risk: &Market,
        lots: Lots,
        price: Price,
        sides: &[SideOfFill<'_>],
    ) -> Table {
        let columns = ["who", "size before", "size after", "funding settled", "trade", "fee", "collateral"];
        let mut table = Table::new("effects", &columns);
        for side in sides {
            let fill = Fill {
                lots: lots.get(),
                price: price.get(),
                qm: risk.qm,
                buys: side.buys,
                fee: side.fee.get(),
            };
            let before = self.position_of(id, side.party);
            let effect = before.settle(risk).and_then(|(settled, position)| {
                fill.apply(&position, risk.funding).map(|effect| (settled, effect))
            });
            let who = format!("{} {}", side.role, self.names.party(side.party));
            let Ok((settled, effect)) = effect else { continue };
            table.row([
                who,
                before.size.to_string(),
                effect.position.size.to_string(),
                change(settled),
                change(effect.trade),
                change(-effect.fee),
                change(settled + effect.trade - effect.fee),
            ]);
        }
        table
    }

    /// A position before the operation.
    pub(super) fn position_of(&self, id: MarketId, party: Party) -> Position {
        let found = cell::<PosCell>(&self.before, party.pos_key(id));
        found
            .map_or_else(|_| Position::default(), |c| Position { size: c.size(), funding: c.funding().get() })
    }

    pub(super) fn position(&self, title: &str, id: MarketId, party: Party) -> Table {
        let mut table = Table::facts(title);
        let position = self.position_of(id, party);
        table.fact("holder", self.names.party(party));
        table.fact("market", self.names.perp(id));
        table.fact("size", position.size);
        table.fact("F_last", position.funding);
        table
    }

    pub(super) fn spot(&self, op: &SpotTrade) -> Vec<Table> {
        let (taker, maker) = (&op.taker.order, &op.maker.order);
        let orders = self.orders(&[("taker", taker), ("maker", maker)]);
        let Some(params) = self.params.spot(taker.market) else { return vec![orders] };
        let (lots, price) = (op.lots.get(), maker.terms.price.get());
        // the rule refuses amounts of 60 bits and more
        let base = u128::from(lots) * u128::from(params.lot_base);
        let quote = u128::from(lots) * u128::from(price) * u128::from(params.tick_quote);
        let mut facts = Table::facts("fill");
        facts.fact("market", self.names.spot(taker.market));
        facts.fact(
            "base",
            format!("{base} {} = {lots} lots * {}", self.names.token(params.base), params.lot_base),
        );
        facts.fact(
            "quote",
            format!(
                "{quote} {} = {lots} lots * {price} ticks * {}",
                self.names.token(params.quote),
                params.tick_quote
            ),
        );
        let mut fees = Table::new("fees", &["who", "rate", "of", "token", "fee", "broker's part"]);
        for (role, order, fee) in [("taker", taker, op.taker_fee), ("maker", maker, op.maker_fee)] {
            let terms = order.terms();
            let (amount, token) = if terms.buys() { (base, params.base) } else { (quote, params.quote) };
            let part = |rate: Rate| units((amount as i128).saturating_mul(rate.get().into()));
            let broker = match terms.broker_rate {
                Rate::ZERO => String::new(),
                share => {
                    let to = Party { account: terms.broker, sub: SubId::MIN };
                    format!("{} to {}", part(share), self.names.party(to))
                }
            };
            let who = format!("{role} {}", self.names.party(party_of(terms)));
            fees.row([who, rate(fee), amount.to_string(), self.names.token(token), part(fee), broker]);
        }
        vec![orders, facts, fees]
    }

    /// Positions and what a settlement at the mark moves, without a fee.
    pub(super) fn settlement(&self, id: MarketId, parties: &[(&'static str, Party)]) -> Vec<Table> {
        let Ok(Some((risk, _))) = market(&self.before, self.params, id) else { return Vec::new() };
        let columns =
            ["who", "size before", "size after", "F_last", "F", "funding settled", "closed at the mark"];
        let mut table = Table::new("settlement", &columns);
        for (role, party) in parties {
            let before = self.position_of(id, *party);
            let after = cell::<PosCell>(&self.after, party.pos_key(id)).map_or(0, |c| c.size());
            let settled = before.unsettled(&risk);
            let closed = i128::from(before.size) - i128::from(after);
            let cash =
                risk.notional(closed.unsigned_abs() as u64).map(|n| closed.signum() * n as i128 * MICRO);
            table.row([
                format!("{role} {}", self.names.party(*party)),
                before.size.to_string(),
                after.to_string(),
                before.funding.to_string(),
                risk.funding.to_string(),
                settled.map_or_else(|e| e.to_string(), change),
                cash.map_or_else(|e| e.to_string(), change),
            ]);
        }
        vec![table]
    }
}
