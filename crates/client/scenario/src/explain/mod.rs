//! Every number behind an operation: what a trader or an auditor would ask.
//!
//! The numbers come from the state before and after the operation and from the functions of `tsz-risk` that the rules
//! call; nothing is computed by other formulas.

mod close;
mod ext;
mod fill;
mod market;

use core::str::FromStr;

use serde_json::{Value, json};
use tsz_stf::View;
use tsz_trade::{Op, OpReject, Order, Params, Party, PerpOrder, Tif, TradeOp};

use crate::expect::code_name;
use crate::figures::Figures;
use crate::names::Names;
use crate::runner::{BatchRun, Overlay, user_cell};
use crate::spec::Scenario;
use crate::summary::{kind, line, party_of};
use crate::table::{Table, change, units};
use crate::{Run, ScenarioError, cells};

/// An entry of a scenario: `N`, counted over all batches, or `BATCH:N`. Batches count from 1, entries from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Number of the batch.
    pub batch: Option<u64>,
    /// Entry of the batch, or of the file.
    pub entry: usize,
}

impl FromStr for Place {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is neither N nor BATCH:N");
        let (batch, entry) = match text.split_once(':') {
            Some((batch, entry)) => (Some(batch.parse().map_err(|_| wrong())?), entry),
            None => (None, text),
        };
        Ok(Self { batch, entry: entry.parse().map_err(|_| wrong())? })
    }
}

/// The tables behind one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The operation in one line.
    pub title: String,
    /// The tables.
    pub tables: Vec<Table>,
}

impl Explanation {
    /// The title and the rows of each table under its title.
    pub fn to_json(&self) -> Value {
        let tables = self.tables.iter().map(|t| json!({ "title": t.title, "rows": t.to_json() }));
        json!({ "title": self.title, "tables": tables.collect::<Vec<_>>() })
    }

    /// Text for people.
    pub fn to_text(&self) -> String {
        let tables: Vec<String> = self.tables.iter().map(Table::to_text).collect();
        format!("{}\n\n{}", self.title, tables.join("\n"))
    }
}

/// What the explanation of an operation sees.
struct Scene<'a> {
    names: &'a Names,
    params: &'a Params,
    /// Batch time in ms.
    time: u64,
    /// The state before the operation.
    before: Overlay<'a>,
    /// The state after it.
    after: Overlay<'a>,
}

/// The operations of an entry, one by one. An entry that made no operation (`place`) has no explanation.
///
/// # Errors
/// [`ScenarioError::Field`] for a place that is not in the scenario.
pub fn explain(scenario: &Scenario, run: &Run, place: Place) -> Result<Vec<Explanation>, ScenarioError> {
    let names = Names::of(scenario)?;
    let (number, entry) = locate(scenario, place)?;
    let missing = || ScenarioError::field(format!("batches[{number}]"), "no such batch has been run");
    let batch = run.batches.get(number).ok_or_else(missing)?;
    let mut out = Vec::new();
    let mut view = Overlay::new(&batch.before);
    for index in 0..=batch.records.len() {
        for rejected in batch.rejects.iter().filter(|r| r.position == entry && r.after == index) {
            let scene = Scene::new(&names, batch, view.clone(), view.clone());
            out.push(scene.explain(&rejected.op, &[], Err(&rejected.reject), None));
        }
        let Some(record) = batch.records.get(index) else { break };
        let before = view.clone();
        view.commit(&record.accesses);
        if record.position == Some(entry) {
            let scene = Scene::new(&names, batch, before, view.clone());
            out.push(scene.explain(
                &record.op,
                &record.accesses,
                Ok(code_name(&record.receipt)),
                Some((batch.context.batch, index)),
            ));
        }
    }
    Ok(out)
}

fn tif(tif: Tif) -> &'static str {
    match tif {
        Tif::Gtt => "gtt",
        Tif::Ioc => "ioc",
        Tif::Fok => "fok",
        Tif::PostOnly => "post-only",
    }
}

/// Index of the batch, and entry in it.
fn locate(scenario: &Scenario, place: Place) -> Result<(usize, usize), ScenarioError> {
    let wrong = |message: String| ScenarioError::field("explain", message);
    if let Some(batch) = place.batch {
        let index = usize::try_from(batch).ok().and_then(|b| b.checked_sub(1));
        let found = index.and_then(|k| scenario.batches.get(k).map(|b| (k, b.operations.len())));
        let (k, count) = found.ok_or_else(|| wrong(format!("there is no batch {batch}")))?;
        return if place.entry < count {
            Ok((k, place.entry))
        } else {
            Err(wrong(format!("batch {batch} has {count} entries, from 0 on")))
        };
    }
    let mut entry = place.entry;
    for (k, batch) in scenario.batches.iter().enumerate() {
        match entry.checked_sub(batch.operations.len()) {
            Some(rest) => entry = rest,
            None => return Ok((k, entry)),
        }
    }
    Err(wrong(format!("the scenario has no entry {}", place.entry)))
}

impl<'a> Scene<'a> {
    fn new(names: &'a Names, batch: &'a BatchRun, before: Overlay<'a>, after: Overlay<'a>) -> Self {
        Self { names, params: &batch.params, time: batch.context.time, before, after }
    }

    fn explain(
        &self,
        op: &Op,
        accesses: &[tsz_ledger::Access],
        outcome: Result<String, &OpReject>,
        place: Option<(u64, usize)>,
    ) -> Explanation {
        let title = format!("{} {}", kind(op), line(op, self.names));
        let mut facts = Table::facts("outcome");
        match outcome {
            Ok(code) => facts.fact("code", code),
            Err(reject) => {
                facts.fact("refused", reject.kind());
                facts.fact("because", reject);
                if let Some(rule) = ext::broken_rule(op, reject) {
                    facts.fact("rule", rule);
                }
            }
        }
        facts.fact("batch time", self.time);
        if let Some((batch, index)) = place {
            facts.fact("place", format!("operation {index} of batch {batch}"));
            let writes = accesses.iter().filter(|a| a.write).count();
            facts.fact("accesses", format!("{}, of which {writes} write", accesses.len()));
        }
        let mut tables = vec![facts];
        if let Op::Trade(op) = op {
            tables.extend(self.trade(op));
        }
        if let Op::Ext(op) = op {
            tables.extend(self.ext(op, accesses));
        }
        tables.extend(self.margins(op, accesses));
        tables.push(self.money(accesses));
        tables.push(self.accesses(accesses));
        tables.retain(|t| !t.is_empty());
        Explanation { title, tables }
    }

    fn trade(&self, op: &TradeOp) -> Vec<Table> {
        match op {
            TradeOp::SpotTrade(op) => self.spot(op),
            TradeOp::PerpTrade(op) => self.perp(op),
            TradeOp::ForcedClose(op) => self.forced_close(op),
            TradeOp::Liquidate(op) => self.liquidate(op),
            TradeOp::Takeover(op) => self.zero_quote(op.target, op.market, op.lots.get()),
            TradeOp::AdlRank(op) => self.adl_rank(op),
            TradeOp::Adl(op) => self.adl(op),
            TradeOp::ForceLiquidate(op) => self.force_liquidate(op),
            TradeOp::SeizeToken(op) => self.seize(op),
            TradeOp::FundingTick(op) => self.tick(op.market),
            TradeOp::FundingSettle(op) => self.settlement(op.market, &[("holder", op.party)]),
            TradeOp::SettlePair(op) => self.settlement(op.market, &[("long", op.long), ("short", op.short)]),
            TradeOp::OracleUpdate(op) => self.oracle(op),
            TradeOp::PremiumSample(op) => self.premium(op),
            _ => Vec::new(),
        }
    }

    /// Margin figures before and after, of everyone whose collateral, margin tokens or positions the operation writes;
    /// for a refused operation those of its parties as they are.
    fn margins(&self, op: &Op, accesses: &[tsz_ledger::Access]) -> Vec<Table> {
        let mut parties: Vec<Party> = Vec::new();
        for access in accesses.iter().filter(|a| a.write) {
            if let Some((party, realm, number)) = user_cell(access.key) {
                use tsz_ledger::key::cell;
                let money = number == cell::SUB || (cell::MBAL..cell::BAL).contains(&number);
                let published = realm == tsz_ledger::Realm::Published;
                if published && (money || number >= cell::POS) && !parties.contains(&party) {
                    parties.push(party);
                }
            }
        }
        if accesses.is_empty() {
            parties = parties_of(op);
        }
        let mut tables = Vec::new();
        for party in parties {
            let before = Figures::of(&self.before, self.params, party);
            let after = Figures::of(&self.after, self.params, party);
            let (Ok(before), Ok(after)) = (before, after) else { continue };
            if before.positions.is_empty() && after.positions.is_empty() && before.tokens.is_empty() {
                continue; // the change of money says it all
            }
            if accesses.is_empty() {
                tables.push(before.table("margin", self.names));
                continue;
            }
            tables.push(before.table("margin before", self.names));
            tables.push(after.table("margin after", self.names));
            tables.push(self.legality(op, &before, &after));
        }
        tables
    }

    /// The terms of the rule of legal transitions.
    fn legality(&self, op: &Op, before: &Figures, after: &Figures) -> Table {
        let mut table = Table::facts(format!("transition: {}", self.names.party(before.party)));
        let size = |f: &Figures, m| f.positions.iter().find(|p| p.market == m).map_or(0, |p| p.position.size);
        let markets = before.positions.iter().chain(&after.positions).map(|p| p.market);
        let moved: Vec<_> = markets.map(|m| (size(before, m), size(after, m))).collect();
        let grew = moved.iter().any(|(b, a)| a.unsigned_abs() > b.unsigned_abs());
        let flipped = moved.iter().any(|(b, a)| b.signum() * a.signum() < 0);
        let transition = tsz_risk::Transition {
            before: before.margin,
            after: after.margin,
            grew_or_flipped: grew || flipped,
        };
        table.fact("grew or flipped", transition.grew_or_flipped);
        table.fact("TAV after - IMR after", units(after.margin.tav - after.margin.imr));
        table.fact("health", format!("{} -> {}", before.health(), after.health()));
        let judged = !is_closed_for(op, before.party);
        let verdict = match (judged, transition.is_legal()) {
            (false, _) => "not asked: the other side acts",
            (true, true) => "legal",
            (true, false) => "not legal by itself",
        };
        table.fact("verdict", verdict);
        table
    }

    /// Money before and after in every cell that the operation writes.
    fn money(&self, accesses: &[tsz_ledger::Access]) -> Table {
        let mut table = Table::new("money", &["cell", "before", "after", "change"]);
        let mut seen = Vec::new();
        for access in accesses.iter().filter(|a| a.write) {
            if seen.contains(&access.key) {
                continue;
            }
            seen.push(access.key);
            let sum = |view: &Overlay<'_>| cells::money(access.key, &view.get(access.key));
            let (Some(before), Some(after)) = (sum(&self.before), sum(&self.after)) else { continue };
            let name = cells::name(access.key, self.names);
            table.row([name, units(before), units(after), change(after - before)]);
        }
        table
    }

    fn accesses(&self, accesses: &[tsz_ledger::Access]) -> Table {
        let mut table = Table::new("accesses", &["n", "rw", "cell", "old", "new"]);
        for (n, access) in accesses.iter().enumerate() {
            let old = cells::content(access.key, &access.old);
            let new = match access.write {
                true => cells::content(access.key, &access.new),
                false => String::new(),
            };
            let rw = if access.write { "w" } else { "r" };
            table.row([n.to_string(), rw.into(), cells::name(access.key, self.names), old, new]);
        }
        table
    }

    /// Orders of an operation, with what they have filled before and after.
    fn orders(&self, orders: &[(&'static str, &dyn Shown)]) -> Table {
        let columns = [
            "role",
            "account",
            "side",
            "lots",
            "limit",
            "tif",
            "slot",
            "nonce",
            "filled before",
            "filled after",
            "conditions",
        ];
        let mut table = Table::new("orders", &columns);
        for (role, order) in orders {
            table.row(order.cells(role, self));
        }
        table
    }
}

/// An order that a table shows.
trait Shown {
    fn cells(&self, role: &str, scene: &Scene<'_>) -> [String; 11];
}

impl<O: Order + Conditions> Shown for O {
    fn cells(&self, role: &str, scene: &Scene<'_>) -> [String; 11] {
        let t = self.terms();
        let party = party_of(t);
        let key = tsz_ledger::Key::ord(party.account.get(), party.sub.get().into(), t.slot.get().into());
        let filled = |view: &Overlay<'_>| match view.cell::<tsz_ledger::OrdCell>(key) {
            Ok(cell) if cell.next_nonce > t.nonce => "closed".to_owned(),
            Ok(cell) if cell.next_nonce == t.nonce => cell.filled.to_string(),
            Ok(_) => "0".to_owned(),
            Err(error) => error,
        };
        let mut conditions = self.conditions();
        if t.broker_rate.get() != 0 {
            conditions.push(format!(
                "broker {} at {}",
                scene.names.account(t.broker),
                fill::rate(t.broker_rate)
            ));
        }
        if t.expiry < tsz_types::TimeMs::MAX {
            conditions.push(format!("until {}", t.expiry));
        }
        [
            role.to_owned(),
            scene.names.party(party),
            format!("{:?}", t.side).to_lowercase(),
            t.lots.to_string(),
            t.price.to_string(),
            tif(t.tif).to_owned(),
            t.slot.to_string(),
            t.nonce.to_string(),
            filled(&scene.before),
            filled(&scene.after),
            conditions.join(", "),
        ]
    }
}

/// What an order demands besides its terms.
trait Conditions {
    fn conditions(&self) -> Vec<String>;
}

impl Conditions for tsz_trade::SpotOrder {
    fn conditions(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Conditions for PerpOrder {
    fn conditions(&self) -> Vec<String> {
        let mut out = Vec::new();
        if self.reduce_only {
            out.push("reduce only".to_owned());
        }
        match self.trigger {
            tsz_trade::Trigger::None => {}
            tsz_trade::Trigger::Above(price) => out.push(format!("mark at {price} or above")),
            tsz_trade::Trigger::Below(price) => out.push(format!("mark at {price} or below")),
        }
        out
    }
}

/// Whether an operation closes positions of a party that need not agree.
fn is_closed_for(op: &Op, party: Party) -> bool {
    match op {
        Op::Trade(TradeOp::Liquidate(op)) => op.target == party,
        Op::Trade(TradeOp::Takeover(op)) => op.target == party,
        Op::Trade(TradeOp::Adl(op)) => op.target == party,
        Op::Trade(TradeOp::ForceLiquidate(op)) => op.target == party,
        Op::Trade(TradeOp::SettlePair(_) | TradeOp::FundingSettle(_)) => true,
        _ => party == Party::FEES,
    }
}

/// The sub-accounts whose margin an operation is about.
fn parties_of(op: &Op) -> Vec<Party> {
    let Op::Trade(op) = op else { return Vec::new() };
    let of = |order: &PerpOrder| party_of(&order.terms);
    match op {
        TradeOp::PerpTrade(op) => vec![of(&op.taker.order), of(&op.maker.order)],
        TradeOp::ForcedClose(op) => {
            op.fill.iter().map(|f| of(&f.maker.order)).chain([op.party]).rev().collect()
        }
        TradeOp::Liquidate(op) => vec![op.target, of(&op.maker.order)],
        TradeOp::Takeover(op) => vec![op.target, Party::INSURANCE],
        TradeOp::Adl(op) => vec![op.target, op.counterparty, Party::INSURANCE],
        TradeOp::ForceLiquidate(op) => vec![op.target, Party::INSURANCE],
        TradeOp::MarginTransfer(op) => vec![Party { account: op.account, sub: op.sub }],
        TradeOp::MarginExit(op) => vec![op.party],
        TradeOp::SeizeToken(op) => vec![op.target, Party::INSURANCE],
        TradeOp::AbsorbDebt(op) => vec![op.target, Party::INSURANCE],
        _ => Vec::new(),
    }
}
