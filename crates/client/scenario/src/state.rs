//! Markets and accounts at the end of a run.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tsz_ledger::cells::MAX_MARGIN_TOKENS;
use tsz_ledger::{BalCell, Key, MkfCell, MkoCell, MksCell, Realm, key};
use tsz_trade::params::Status;
use tsz_trade::{Params, Party};
use tsz_types::{AccountId, MarketId, SubId, TokenId};

use crate::Run;
use crate::figures::{Figures, cell, market};
use crate::names::Names;
use crate::runner::{Overlay, user_cell};
use crate::spec::Scenario;
use crate::table::{Table, units};

/// Rows of a table of accounts at most.
const ROWS: usize = 60;

/// The last state of a run, and whom it shows: named sub-accounts and those whose money moved.
pub(crate) struct State<'a> {
    view: Overlay<'a>,
    params: Params,
    parties: BTreeSet<Party>,
    tokens: BTreeSet<TokenId>,
}

impl<'a> State<'a> {
    /// Gathers the last state.
    pub fn of(scenario: &Scenario, run: &'a Run) -> Self {
        let mut parties = BTreeSet::from([Party::FEES, Party::INSURANCE]);
        for (number, account) in (AccountId::FIRST_USER.get()..).zip(&scenario.genesis.accounts) {
            let Ok(id) = AccountId::new(number) else { continue };
            let subs = account.collateral.iter().map(|c| c.sub).chain(account.balances.iter().map(|b| b.sub));
            parties.extend(subs.chain([SubId::MIN]).map(|sub| Party { account: id, sub }));
        }
        let accesses = run.batches.iter().flat_map(|b| &b.records).flat_map(|r| &r.accesses);
        for access in accesses.filter(|a| a.write) {
            if let Some((party, Realm::Published, number)) = user_cell(access.key) {
                let is_key = (key::cell::ACCT..key::cell::MBAL).contains(&number);
                parties.extend((!is_key).then_some(party));
            }
        }
        Self {
            view: Overlay::new(&run.state),
            params: last_params(scenario, run),
            parties,
            tokens: scenario.genesis.tokens.iter().map(|t| t.token).collect(),
        }
    }

    /// One row for each perpetual market.
    pub fn markets(&self, names: &Names) -> Table {
        let columns = [
            "market",
            "status",
            "index",
            "mark",
            "price of",
            "open interest",
            "notional",
            "F",
            "hour",
            "premium sum",
            "minute",
        ];
        let mut table = Table::new("markets", &columns);
        for (k, params) in (0i128..).zip(&self.params.perps) {
            let Ok(id) = MarketId::try_from(k) else { continue };
            let row = self.market(id, params.status, names);
            table.rows.push(row.unwrap_or_else(|e| {
                [vec![names.perp(id), e], vec![String::new(); columns.len() - 2]].concat()
            }));
        }
        table
    }

    fn market(&self, id: MarketId, status: Status, names: &Names) -> Result<Vec<String>, String> {
        let index = id.get().into();
        let Some((risk, prices)) = market(&self.view, &self.params, id)? else { return Ok(Vec::new()) };
        let MkoCell { open_interest, .. } = cell(&self.view, Key::mko(index))?;
        let MkfCell { funding, hour } = cell(&self.view, Key::mkf(index))?;
        let MksCell { sum, minute } = cell(&self.view, Key::mks(index))?;
        let status = serde_json::to_value(status).unwrap_or_default();
        let notional = u128::from(open_interest) * u128::from(risk.mark) * u128::from(risk.qm); // 56 + 32 + 20 bits
        Ok(vec![
            names.perp(id),
            status.as_str().unwrap_or_default().to_owned(),
            prices.index.to_string(),
            prices.mark.to_string(),
            prices.price_ts.to_string(),
            open_interest.to_string(),
            notional.to_string(),
            funding.to_string(),
            hour.to_string(),
            sum.to_string(),
            minute.to_string(),
        ])
    }

    fn balances(&self, party: Party) -> BTreeMap<TokenId, u128> {
        let held = |token: &TokenId| {
            let balance = cell::<BalCell>(&self.view, party.bal_key(*token)).ok()?.balance.get();
            (balance != 0).then_some((*token, balance))
        };
        self.tokens.iter().filter_map(held).collect()
    }

    fn margins(&self, party: Party) -> BTreeMap<TokenId, u128> {
        let held = |place: u8| {
            let listed = self.params.collateral.get(usize::from(place))?;
            let balance = cell::<BalCell>(&self.view, party.mbal_key(place)).ok()?.balance.get();
            (balance != 0).then_some((listed.token, balance))
        };
        (0..MAX_MARGIN_TOKENS).filter_map(held).collect()
    }

    /// Positions, and money and health of each sub-account.
    pub fn accounts(&self, names: &Names) -> Vec<Table> {
        let columns =
            ["account", "collateral", "margin tokens", "balances", "TAV", "IMR", "MMR", "CMR", "health"];
        let mut accounts = Table::new("accounts", &columns);
        let mut positions = Table::new(
            "positions",
            &["account", "market", "size", "mark", "notional", "value", "unsettled funding"],
        );
        for party in &self.parties {
            let who = names.party(*party);
            let balances = list(&self.balances(*party), names);
            let figures = match Figures::of(&self.view, &self.params, *party) {
                Ok(figures) => figures,
                Err(error) => {
                    let mut row = vec![who, error];
                    row.resize(columns.len(), String::new());
                    accounts.rows.push(row);
                    continue;
                }
            };
            if figures.is_empty() && balances.is_empty() {
                continue;
            }
            for p in &figures.positions {
                let cells = [
                    who.clone(),
                    names.perp(p.market),
                    p.position.size.to_string(),
                    p.risk.mark.to_string(),
                    p.notional.to_string(),
                    units(p.part.tav - p.unsettled),
                    units(p.unsettled),
                ];
                positions.row(cells);
            }
            let m = figures.margin;
            let [tav, imr, mmr, cmr] = [m.tav, m.imr, m.mmr, m.cmr].map(units);
            let margins = list(&self.margins(*party), names);
            let health = figures.health().to_owned();
            accounts.row([who, units(figures.collateral), margins, balances, tav, imr, mmr, cmr, health]);
        }
        vec![shortened(positions), shortened(accounts)]
    }

    /// The same as JSON, without a limit.
    pub fn accounts_json(&self, names: &Names) -> Value {
        let money = |held: BTreeMap<TokenId, u128>| -> Value {
            let text = |(token, micros): (TokenId, u128)| (names.token(token), micros.to_string().into());
            Value::Object(held.into_iter().map(text).collect())
        };
        let account = |party: &Party| {
            let balances = self.balances(*party);
            let figures = match Figures::of(&self.view, &self.params, *party) {
                Ok(figures) if figures.is_empty() && balances.is_empty() => return None,
                Ok(figures) => figures,
                Err(error) => return Some(json!({ "account": names.party(*party), "error": error })),
            };
            let m = figures.margin;
            let position = |p: &crate::figures::PositionRow| {
                json!({
                    "market": names.perp(p.market),
                    "size": p.position.size.to_string(),
                    "mark": p.risk.mark,
                    "notional": p.notional.to_string(),
                    "unsettled_funding": p.unsettled.to_string(),
                })
            };
            Some(json!({
                "account": names.party(*party),
                "number": party.account,
                "sub": party.sub,
                "balances": money(balances),
                "collateral": figures.collateral.to_string(),
                "margin_tokens": money(self.margins(*party)),
                "positions": figures.positions.iter().map(position).collect::<Vec<_>>(),
                "tav": m.tav.to_string(),
                "imr": m.imr.to_string(),
                "mmr": m.mmr.to_string(),
                "cmr": m.cmr.to_string(),
                "health": figures.health as u8,
            }))
        };
        self.parties.iter().filter_map(account).collect()
    }
}

fn list(held: &BTreeMap<TokenId, u128>, names: &Names) -> String {
    let text =
        |(token, micros): (&TokenId, &u128)| format!("{} {}", units(*micros as i128), names.token(*token));
    held.iter().map(text).collect::<Vec<_>>().join(", ")
}

fn shortened(mut table: Table) -> Table {
    if table.rows.len() > ROWS {
        let more = table.rows.len() - ROWS;
        table.rows.truncate(ROWS);
        table.title = format!("{} (the first {ROWS}, {more} more with --json)", table.title);
    }
    table
}

/// The parameters that the last state names.
fn last_params(scenario: &Scenario, run: &Run) -> Params {
    let known = crate::runner::known_params(scenario);
    known.get(&run.state.get(Key::PARAMS.raw())).map(|params| (*params).clone()).unwrap_or_default()
}
