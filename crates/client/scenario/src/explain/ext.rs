//! Operations of programs: what the parties signed, what moved, what is left of their limits.

use tsz_ext::{
    ApprovalPolicy, Approver, ExtOp, ExtReject, Extension, Installed, LimitCell, Limited, MAX_LIMITS, Run,
    key, words,
};
use tsz_ext_apps::options::{self, Leg, SERIES_WORDS, Series};
use tsz_ext_apps::{block, broker, grid};
use tsz_ext_sdk::{Fault, STORAGE_FELTS};
use tsz_ledger::{Access, Key, MkpCell, PosCell, SubCell};
use tsz_stf::View;
use tsz_trade::{Op, OpReject, Party};
use tsz_types::{AccountId, MarketId, SubId, TokenId};

use super::Scene;
use crate::runner::Overlay;
use crate::table::{Table, percent, units};

/// A number of two limbs of 24 bits.
fn number(lo: u32, hi: u32) -> u64 {
    u64::from(lo) | u64::from(hi) << 24
}

/// An amount for people; what is beyond all bounds is shown at the bound.
fn amount(micros: u128) -> String {
    units(i128::try_from(micros).unwrap_or(i128::MAX))
}

/// A rate in 1e-6.
fn rate(rate: u32) -> String {
    percent(rate.into(), 1_000_000)
}

/// `a -> b`, or `a` where nothing changes.
fn step(before: impl ToString, after: impl ToString) -> String {
    let (before, after) = (before.to_string(), after.to_string());
    if before == after { before } else { format!("{before} -> {after}") }
}

/// What a program stored under a party's present approval.
fn stored(view: &Overlay<'_>, place: &Approver, index: u32) -> [u32; STORAGE_FELTS] {
    let policy = key::policy(place.account, place.sub, place.slot);
    let epoch = view.cell::<ApprovalPolicy>(policy).map_or(0, |policy| policy.epoch);
    let leaf = words(&view.get(key::storage(place.account, place.sub, place.slot, index)));
    let kept = leaf[STORAGE_FELTS] == epoch;
    core::array::from_fn(|k| if kept { leaf[k] } else { 0 })
}

/// Lots of a position; those sold are negative.
fn position(view: &Overlay<'_>, holder: &Approver) -> i128 {
    let [lo, hi, short, ..] = stored(view, holder, 0);
    let lots = i128::from(number(lo, hi));
    if short == 1 { -lots } else { lots }
}

/// The rule by which a program refuses an operation.
pub(super) fn broken_rule(op: &Op, reject: &OpReject) -> Option<&'static str> {
    let (Op::Ext(ExtOp::Extension(op)), OpReject::Ext(reject)) = (op, reject) else { return None };
    let ExtReject::Program(Fault::Rule(number)) = reject else { return None };
    tsz_ext_apps::rules::text(Installed::name(&op.program)?, *number)
}

impl Scene<'_> {
    pub(super) fn ext(&self, op: &ExtOp, accesses: &[Access]) -> Vec<Table> {
        let ExtOp::Extension(op) = op else { return Vec::new() };
        let tables = match Installed::name(&op.program) {
            Some("grid") => self.grid_levels(op),
            Some("options") => self.options(op),
            Some("broker") => self.broker(op),
            Some("block") => self.block(op),
            Some("vesting") => self.vesting(op),
            _ => None,
        };
        let mut tables = tables.unwrap_or_default();
        tables.push(self.limits(op));
        tables.extend(self.events(op, accesses));
        tables
    }

    fn place(&self, place: &Approver) -> String {
        self.names.party(Party { account: place.account, sub: place.sub })
    }

    fn numbered(&self, account: u32, sub: u32) -> String {
        let account = AccountId::try_from(i128::from(account)).unwrap_or(AccountId::FEES);
        let sub = SubId::try_from(i128::from(sub)).unwrap_or(SubId::MIN);
        self.names.party(Party { account, sub })
    }

    fn token_name(&self, token: u32) -> String {
        TokenId::try_from(i128::from(token)).map_or_else(|_| token.to_string(), |id| self.names.token(id))
    }

    fn perp_name(&self, market: u32) -> String {
        MarketId::try_from(i128::from(market)).map_or_else(|_| market.to_string(), |id| self.names.perp(id))
    }

    /// The market as the operation saw it.
    fn market(&self, market: u32) -> Option<MkpCell> {
        self.before.cell(Key::mkp(market)).ok()
    }

    /// What may still flow out of each party.
    fn limits(&self, op: &Extension) -> Table {
        let mut table = Table::new("limits", &["party", "slot", "token", "out before", "out after", "limit"]);
        for party in &op.parties {
            let policy = key::policy(party.account, party.sub, party.slot);
            let policy: ApprovalPolicy = self.before.cell(policy).unwrap_or_default();
            for index in 0..MAX_LIMITS {
                let Some(of) = policy.limits[index] else { continue };
                let place = key::limit(party.account, party.sub, party.slot, index as u32); // below 4
                let cell = |view: &Overlay<'_>| view.cell::<LimitCell>(place).unwrap_or_default();
                let (before, after) = (cell(&self.before), cell(&self.after));
                table.row([
                    self.place(party),
                    party.slot.get().to_string(),
                    match of {
                        Limited::Token(token) => self.names.token(token),
                        Limited::Positions => of.to_string(),
                    },
                    amount(before.used.get()),
                    amount(after.used.get()),
                    amount(before.limit.get()),
                ]);
            }
        }
        table
    }

    /// What the program told the world: the program again, on what the guard logged.
    fn events(&self, op: &Extension, accesses: &[Access]) -> Option<Table> {
        let (.., program) = Installed::all().find(|(_, id, _)| *id == op.program)?;
        let outcome = Run::new(&[0; 8], &[(op, accesses)]).ok()?.replay(program).ok()?;
        let mut table = Table::new("events", &["topic", "felts"]);
        for event in &outcome.events {
            table.row([event.topic.to_string(), format!("{:?}", event.felts())]);
        }
        Some(table)
    }

    /// Which levels an operation of `grid` fills.
    fn grid_levels(&self, op: &Extension) -> Option<Vec<Table>> {
        let ([place, grid_fee, taker_fee, count], rest) = op.args.split_first_chunk()?;
        let (fills, rest) =
            rest.split_at_checked(usize::try_from(*count).ok()?.checked_mul(grid::FILL_WORDS)?)?;
        let (terms, intent) = rest.split_at_checked(rest.len().checked_sub(grid::INTENT_WORDS)?)?;
        let (terms, intent) = (grid::Terms::parse(terms).ok()?, grid::Intent::parse(intent).ok()?);
        let holder = op.parties.get(*place as usize)?;
        let taker = op.parties.get(1usize.checked_sub(*place as usize)?)?;
        let mut facts = Table::facts("fill");
        facts.fact("grid", self.place(holder));
        facts.fact("intent", self.place(taker));
        facts.fact("the intent", if intent.buys { "buys" } else { "sells" });
        facts.fact("at", format!("{} or better", intent.limit));
        let filled = |view: &Overlay<'_>| {
            let [lo, hi, ..] = stored(view, taker, 0);
            number(lo, hi)
        };
        let lots = step(filled(&self.before), filled(&self.after));
        facts.fact("lots filled", format!("{lots} of {}", intent.lots));
        facts.fact("fee of the grid", rate(*grid_fee));
        facts.fact("fee of the intent", rate(*taker_fee));
        let columns = ["level", "buys at", "sells at", "lots", "filled now", "holds", "filled"];
        let mut table = Table::new("levels", &columns);
        for fill in fills.chunks_exact(grid::FILL_WORDS) {
            let level = terms.level(fill[0])?;
            let state = |view: &Overlay<'_>| {
                let felts = stored(view, holder, fill[0] / 3);
                let at = 2 * (fill[0] % 3) as usize;
                let state = number(felts[at], felts[at + 1]);
                let sells = terms.starts_as_seller(fill[0]) != (state & 1 == 1);
                (if sells { "base" } else { "quote" }, state >> 1)
            };
            let (before, after) = (state(&self.before), state(&self.after));
            table.row([
                fill[0].to_string(),
                level.buy.to_string(),
                level.sell.to_string(),
                level.lots.to_string(),
                number(fill[1], fill[2]).to_string(),
                step(before.0, after.0),
                step(before.1, after.1),
            ]);
        }
        Some(vec![facts, table])
    }

    fn series(&self, series: &Series) -> Table {
        let option = |leg: &Leg| {
            let (has, kind) =
                (if leg.short { "sold" } else { "bought" }, if leg.put { "put" } else { "call" });
            format!("{kind} at {}, {has}", leg.strike)
        };
        let mut facts = Table::facts("series");
        let legs: Vec<String> = series.legs.iter().flatten().map(option).collect();
        facts.fact("who buys a contract has", legs.join("; "));
        let (base, quote) = (self.token_name(series.base), self.token_name(series.quote));
        facts.fact(
            "lot",
            format!("{} {base}, {} {quote} a tick", series.units.lot_base, series.units.tick_quote),
        );
        facts.fact("price of", self.perp_name(series.market));
        facts.fact("expires", series.expiry);
        facts.fact("samples", format!("{}, {} s apart", series.samples, series.gap));
        facts.fact("vault", self.numbered(series.vault, series.vault_sub));
        facts
    }

    fn options(&self, op: &Extension) -> Option<Vec<Table>> {
        let ([code, place], rest) = op.args.split_first_chunk()?;
        let (words, rest) = rest.split_first_chunk::<SERIES_WORDS>()?;
        let series = Series::parse(words).ok()?;
        let vault = op.parties.get(*place as usize)?;
        let mut tables = vec![self.series(&series)];
        match *code {
            options::TRADE => tables.extend(self.option_trade(op, &series, rest)?),
            options::OBSERVE => tables.push(self.option_sample(&series, vault)?),
            options::CLAIM => tables.extend(self.option_payout(op, &series, vault)?),
            _ => {}
        }
        Some(tables)
    }

    fn option_trade(&self, op: &Extension, series: &Series, rest: &[u32]) -> Option<Vec<Table>> {
        let ([buyer, buyer_slot, buyer_fee, seller, seller_slot, seller_fee, price, lo, hi], orders) =
            rest.split_first_chunk()?;
        let lots = number(*lo, *hi);
        let premium =
            u128::from(lots).saturating_mul(u128::from(*price) * u128::from(series.units.tick_quote));
        let quote = self.token_name(series.quote);
        let mut facts = Table::facts("trade");
        let tick = series.units.tick_quote;
        facts.fact("premium", format!("{premium} {quote} = {lots} lots * {price} ticks * {tick}"));
        let columns = [
            "who",
            "order in slot",
            "limit",
            "fee rate",
            "fee",
            "position",
            "base in the vault",
            "quote in the vault",
        ];
        let mut table = Table::new("sides", &columns);
        let sides = [("buyer", buyer, buyer_slot, buyer_fee), ("seller", seller, seller_slot, seller_fee)];
        for ((role, place, slot, fee), order) in sides.into_iter().zip(orders.as_chunks::<6>().0) {
            let party = op.parties.get(*place as usize)?;
            let (before, after) = (position(&self.before, party), position(&self.after, party));
            let [base, quote] = [0, 1]
                .map(|k| step(amount(collateral(series, before)[k]), amount(collateral(series, after)[k])));
            table.row([
                format!("{role} {}", self.place(party)),
                slot.to_string(),
                order[2].to_string(),
                rate(*fee),
                amount(premium.saturating_mul(u128::from(*fee))),
                step(before, after),
                base,
                quote,
            ]);
        }
        Some(vec![facts, table])
    }

    fn option_sample(&self, series: &Series, vault: &Approver) -> Option<Table> {
        let market = self.market(series.market)?;
        let read = |view: &Overlay<'_>| {
            let [taken, _, _, lo, hi, ..] = stored(view, vault, 0);
            (taken, number(lo, hi))
        };
        let ((taken_before, sum_before), (taken, sum)) = (read(&self.before), read(&self.after));
        let mut facts = Table::facts("sample");
        facts.fact("index", format!("{}, of {}", market.index, market.price_ts));
        facts.fact("taken", format!("{} of {}", step(taken_before, taken), series.samples));
        facts.fact("sum", step(sum_before, sum));
        if taken == series.samples {
            facts.fact("settlement price", format!("{} = {sum} / {taken}", sum / u64::from(taken.max(1))));
        }
        Some(facts)
    }

    fn option_payout(&self, op: &Extension, series: &Series, vault: &Approver) -> Option<Vec<Table>> {
        let [taken, _, _, lo, hi, ..] = stored(&self.before, vault, 0);
        let mut facts = Table::facts("settlement");
        facts.fact("samples", format!("{taken} of {}", series.samples));
        if taken != series.samples {
            return Some(vec![facts]);
        }
        let price = number(lo, hi) / u64::from(taken.max(1));
        facts.fact("settlement price", price);
        let payout = series.payout(u32::try_from(price).ok()?).ok()?;
        let columns = ["holder", "position", "had in the vault: base", "quote", "gets base", "gets quote"];
        let mut table = Table::new("payout", &columns);
        for holder in op.parties.iter().filter(|p| *p != vault) {
            let held = position(&self.before, holder);
            let side = if held < 0 { &payout.short } else { &payout.long };
            let lots = held.unsigned_abs();
            let [base, quote] = collateral(series, held).map(amount);
            let gets = [side.base, side.quote].map(|a| amount(a.saturating_mul(lots)));
            let [gets_base, gets_quote] = gets;
            table.row([self.place(holder), held.to_string(), base, quote, gets_base, gets_quote]);
        }
        Some(vec![facts, table])
    }

    fn broker(&self, op: &Extension) -> Option<Vec<Table>> {
        let ([place, taker, price, lo, hi, day], rest) = op.args.split_first_chunk()?;
        let (venue, rest) = rest.split_first_chunk()?;
        let (terms, rest) = rest.split_first_chunk()?;
        let (venue, terms) = (broker::Venue::parse(venue).ok()?, broker::House::parse(terms).ok()?);
        let house = op.parties.get(*place as usize)?;
        let lots = number(*lo, *hi);
        let notional =
            u128::from(lots).saturating_mul(u128::from(*price) * u128::from(venue.units.tick_quote));
        let (base, quote) = (self.token_name(venue.base), self.token_name(venue.quote));
        let mut facts = Table::facts("match");
        facts.fact("house", self.place(house));
        facts.fact("base", format!("{} {base}", u128::from(lots) * u128::from(venue.units.lot_base)));
        let tick = venue.units.tick_quote;
        facts.fact("quote", format!("{notional} {quote} = {lots} lots * {price} ticks * {tick}"));
        if let Some(market) = self.market(venue.market) {
            let market_name = self.perp_name(venue.market);
            facts.fact("index", format!("{} of {market_name}, of {}", market.index, market.price_ts));
        }
        facts.fact("day", day);
        let of = |rate: u32| notional.saturating_mul(rate.into());
        let mut fees = Table::new("fees", &["from", "to", "for", "rate", "amount"]);
        let mut fee = |from: String, to: String, why: &str, part: u32| {
            if part != 0 {
                fees.row([from, to, why.to_owned(), rate(part), amount(of(part))]);
            }
        };
        let columns = ["who", "order in slot", "limit", "band", "age, s", "lots today", "a day", "a trade"];
        let mut clients = Table::new("clients", &columns);
        let home = self.place(house);
        for (number_of_side, words) in (0u32..).zip(rest.as_chunks::<{ 3 + broker::MANDATE_WORDS + 6 }>().0) {
            let ([place, slot, _], rest) = words.split_first_chunk()?;
            let (mandate, order) = rest.split_first_chunk()?;
            let mandate = broker::Mandate::parse(mandate).ok()?;
            let party = op.parties.get(*place as usize)?;
            let who = self.place(party);
            if number_of_side == *taker {
                fee(who.clone(), home.clone(), "taking", terms.taker_fee);
            } else {
                fee(who.clone(), home.clone(), "making", terms.maker_fee);
                fee(home.clone(), who.clone(), "rebate", terms.rebate);
            }
            fee(home.clone(), self.numbered(0, 0), "exchange", terms.exchange);
            let (account, sub) = mandate.introducer;
            if account != 0 {
                fee(home.clone(), self.numbered(account, sub), "introduced", terms.introducer);
            }
            let side = if number_of_side == 0 { "buyer" } else { "seller" };
            clients.row([
                format!("{side} {who}"),
                slot.to_string(),
                order.get(2)?.to_string(),
                percent(mandate.band.into(), 10_000),
                mandate.age.to_string(),
                step(day_lots(&self.before, party, *day), day_lots(&self.after, party, *day)),
                mandate.daily.to_string(),
                mandate.trade.to_string(),
            ]);
        }
        let used = step(day_lots(&self.before, house, *day), day_lots(&self.after, house, *day));
        facts.fact("lots of the house today", format!("{used} of {}", terms.daily));
        Some(vec![facts, clients, fees])
    }

    fn block(&self, op: &Extension) -> Option<Vec<Table>> {
        let ([buyer, lo, hi], deal) = op.args.split_first_chunk()?;
        let deal: &[u32; block::DEAL_WORDS] = deal.try_into().ok()?;
        let [market, multiplier, price_lo, price_hi, all_lo, all_hi] = *deal;
        let (lots, price) = (number(*lo, *hi), number(price_lo, price_hi));
        let each = u128::from(price) * u128::from(multiplier); // 48 and 32 bits
        let mut facts = Table::facts("block trade");
        facts.fact("market", self.perp_name(market));
        let quote = u128::from(lots).saturating_mul(each);
        facts.fact("quote", format!("{quote} = {lots} lots * {price} ticks * {multiplier}"));
        if let Some(cell) = self.market(market) {
            facts.fact("mark", format!("{}, of {}", cell.mark, cell.price_ts));
        }
        let mut table = Table::new("sides", &["who", "lots filled", "of", "position", "collateral"]);
        for place in [*buyer as usize, 1usize.checked_sub(*buyer as usize)?] {
            let party = op.parties.get(place)?;
            let (account, sub) = (party.account.get(), u32::from(party.sub.get()));
            let filled = |view: &Overlay<'_>| {
                let [lo, hi, ..] = stored(view, party, 0);
                number(lo, hi)
            };
            let size = |view: &Overlay<'_>| {
                view.cell::<PosCell>(Key::pos(account, sub, market & 255)).map_or(0, |cell| cell.size())
            };
            let collateral = |view: &Overlay<'_>| {
                let cell = view.cell::<SubCell>(Key::sub(account, sub));
                units(cell.map_or(0, |cell| cell.collateral.get()))
            };
            let (before, after) = (&self.before, &self.after);
            let side = if place == *buyer as usize { "buyer" } else { "seller" };
            table.row([
                format!("{side} {}", self.place(party)),
                step(filled(before), filled(after)),
                number(all_lo, all_hi).to_string(),
                step(size(before), size(after)),
                step(collateral(before), collateral(after)),
            ]);
        }
        Some(vec![facts, table])
    }

    fn vesting(&self, op: &Extension) -> Option<Vec<Table>> {
        let [payer, start, end, total, receiver] = *op.args.as_slice() else { return None };
        let payer = op.parties.get(payer as usize)?;
        let mut facts = Table::facts("vesting");
        facts.fact("from", self.place(payer));
        facts.fact("to", self.numbered(receiver, 0));
        facts.fact("units", total);
        facts.fact("between", format!("{} and {}", u64::from(start) * 1_000, u64::from(end) * 1_000));
        facts.fact("paid", step(stored(&self.before, payer, 0)[0], stored(&self.after, payer, 0)[0]));
        Some(vec![facts])
    }
}

/// What a position has in the vault, base and quote in millionths.
fn collateral(series: &Series, position: i128) -> [u128; 2] {
    let sides = series.collateral();
    let side = if position < 0 { &sides.short } else { &sides.long };
    [side.base, side.quote].map(|a| a.saturating_mul(position.unsigned_abs()))
}

/// Lots that a party has traded on a day.
fn day_lots(view: &Overlay<'_>, party: &Approver, day: u32) -> u64 {
    let [of, lo, hi, ..] = stored(view, party, 0);
    if of == day { number(lo, hi) } else { 0 }
}
