//! The rows of the tables, as ops need them.

use std::collections::HashMap;

use thiserror::Error;
use tsz_air::{F, PrimeCharacteristicRing, PrimeField32, Requests, Trace};
use tsz_gadgets::layout::Columns;
use tsz_gadgets::params::Link;
use tsz_gadgets::product::{digits12, felts};
use tsz_gadgets::{collect, inverse, magnitude, table};
use tsz_hash::{Block, Digest, step};
use tsz_ledger::{Access, BatchContext};
use tsz_trade::Params;
use tsz_trade::params::{List, PERP_BLOCKS};

use crate::rows::{notional, number, scale};
use crate::tables::*;
use crate::tokens;

/// log2 of the rows of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heights {
    /// Markets.
    pub markets: usize,
    /// Blocks of the oracle list.
    pub rules: usize,
    /// Collateral tokens listed.
    pub collateral: usize,
    /// Prices.
    pub prices: usize,
    /// Settlements.
    pub settles: usize,
    /// Positions.
    pub positions: usize,
    /// Judgements.
    pub judges: usize,
    /// Comparisons of ratios.
    pub ratios: usize,
    /// Collateral tokens at a price.
    pub worths: usize,
    /// Margin tokens read.
    pub tokens: usize,
}

/// Number of tables.
pub const TABLES: usize = 10;
/// Number of tables that do not hold a list of the parameters.
pub const COUNTS: usize = 7;

impl Heights {
    /// In the order of the tables.
    pub fn list(&self) -> [usize; TABLES] {
        let [prices, settles, positions, judges, ratios, worths, tokens] = self.counts();
        [
            self.markets,
            self.rules,
            self.collateral,
            prices,
            settles,
            positions,
            judges,
            ratios,
            worths,
            tokens,
        ]
    }

    fn counts(&self) -> [usize; COUNTS] {
        let Self { prices, settles, positions, judges, ratios, worths, tokens, .. } = *self;
        [prices, settles, positions, judges, ratios, worths, tokens]
    }

    /// Whether so many markets, blocks of the oracle list and collateral tokens, and rows ([`Book::counts`]) fit.
    pub fn holds(&self, lists: [usize; 3], counts: &[usize; COUNTS]) -> bool {
        let logs = [self.markets, self.rules, self.collateral];
        lists.iter().zip(logs).chain(counts.iter().zip(self.counts())).all(|(rows, log)| *rows <= 1 << log)
    }
}

/// A table that is too small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{got} rows of table {table}, at most {rows}")]
pub struct TooMany {
    /// The table.
    pub table: &'static str,
    /// Its rows.
    pub rows: usize,
    /// Rows needed.
    pub got: usize,
}

/// Rows in the making.
pub struct Book<'a> {
    params: &'a Params,
    time: u64,
    pub(crate) markets: Vec<Market<F>>,
    prices: Vec<PriceRow<F>>,
    price_at: HashMap<(u32, Digest, Digest), usize>,
    settles: Vec<Settle<F>>,
    settle_at: HashMap<Vec<F>, usize>,
    positions: Vec<Position<F>>,
    judges: Vec<Judge<F>>,
    ratios: Vec<Ratio<F>>,
    worths: Vec<WorthRow<F>>,
    worth_at: HashMap<(u32, Digest, bool), usize>,
    tokens: Vec<Token<F>>,
    places: [u32; PLACES],
    all_tokens: u32,
    pub(crate) targets: Vec<Target<F>>,
    pub(crate) quotes: Vec<QuoteRow<F>>,
    pub(crate) minimals: Vec<Minimal<F>>,
    unlisted: u32,
}

fn blocks(params: &Params) -> Vec<[Block; PERP_BLOCKS]> {
    let blocks = params.blocks(List::Perps);
    blocks.chunks_exact(PERP_BLOCKS).map(|b| core::array::from_fn(|k| b[k])).collect()
}

fn chunk(rows: &[Access]) -> Option<[&Access; 3]> {
    match rows {
        [a, b, c] => Some([a, b, c]),
        _ => None,
    }
}

impl<'a> Book<'a> {
    /// No rows but those of the parameters.
    pub fn new(context: &BatchContext, params: &'a Params) -> Self {
        Self {
            params,
            time: context.time,
            markets: blocks(params).iter().map(Market::of).collect(),
            prices: Vec::new(),
            price_at: HashMap::new(),
            settles: Vec::new(),
            settle_at: HashMap::new(),
            positions: Vec::new(),
            judges: Vec::new(),
            ratios: Vec::new(),
            worths: Vec::new(),
            worth_at: HashMap::new(),
            tokens: Vec::new(),
            places: [0; PLACES],
            all_tokens: 0,
            targets: Vec::new(),
            quotes: Vec::new(),
            minimals: Vec::new(),
            unlisted: 0,
        }
    }

    fn age(&self) -> [F; 2] {
        let [_, _, age0, age1, ..] = self.params.oracle.rules();
        [age0, age1]
    }

    /// What a fill looks up of a market.
    pub fn listed(&mut self, market: u32) -> Listed<F> {
        let Some(row) = self.markets.get_mut(market as usize) else {
            return Listed { market: F::from_u32(market), ..Listed::default() };
        };
        row.listed_uses += F::ONE;
        row.listed()
    }

    /// What tells how many markets are listed, where the table of markets has a row that holds none.
    pub fn unlisted(&mut self) -> Listed<F> {
        self.unlisted += 1;
        Market { number: F::from_usize(self.markets.len()), ..Market::default() }.listed()
    }

    /// Whether [`Book::unlisted`] is asked.
    pub fn has_unlisted(&self) -> bool {
        self.unlisted > 0
    }

    /// The price that the cells of a market say.
    pub fn price(&mut self, market: u32, mkp: &Digest, mkf: &Digest) -> Price<F> {
        let none = [F::from_u32(market), F::ZERO, F::ZERO];
        let listed = self.markets.get(market as usize).map_or(none, scale);
        let (age, rows, time) = (self.age(), &mut self.prices, self.time);
        let at = *self.price_at.entry((market, *mkp, *mkf)).or_insert_with(|| {
            rows.push(PriceRow::of(listed, [mkp, mkf], age, time));
            rows.len() - 1
        });
        rows[at].uses += F::ONE;
        rows[at].price.clone()
    }

    /// Signed digits of a settlement; one that moves nothing has no row.
    pub fn settle(
        &mut self,
        lots: u64,
        is_short: F,
        (last, last_negative): ([F; 3], F),
        price: &Price<F>,
    ) -> (F, [F; 8]) {
        let (now, now_negative) = (price.funding, price.funding_negative);
        if lots == 0 || (last == now && last_negative == now_negative) {
            return (F::ZERO, [F::ZERO; 8]);
        }
        let row = Settle::of((lots, is_short), price.qm, (last, last_negative), (now, now_negative));
        let said = row.settlement();
        let mut key = Vec::new();
        said.write(&mut |x| key.push(*x));
        let rows = &mut self.settles;
        let at = *self.settle_at.entry(key).or_insert_with(|| {
            rows.push(row);
            rows.len() - 1
        });
        rows[at].uses += F::ONE;
        (F::ONE, said.value)
    }

    pub(crate) fn held(&mut self, market: F, lots: &[F; 4], unit: &[F; 5]) -> Held<F> {
        if market == F::from_u32(NO_MARKET) {
            return Held::default();
        }
        let listed = self.markets.get_mut(market.as_canonical_u32() as usize);
        let tier = listed.map(|row| {
            let k = row.tier_of(notional(lots, unit));
            row.tier_uses[k] += F::ONE;
            row.tier(k)
        });
        Held::of(lots, unit, tier.unwrap_or_default())
    }

    /// Sums of the tokens and positions that `rows` read.
    pub(crate) fn rest(&mut self, claim: &Claim<F>, rows: &[Access]) -> ([F; 9], Totals<F>) {
        let tokens = 2 * claim.tokens.as_canonical_u32().min(PLACES as u32) as usize;
        let (tokens, rows) = rows.split_at(tokens.min(rows.len()));
        let tokens = self.count_tokens(claim, tokens);
        let mut totals = Totals::default();
        let end = (rows.len() / 3).wrapping_sub(1);
        let at = claim.at + claim.tokens.double();
        for (k, access) in rows.chunks_exact(3).enumerate() {
            if let Some(access) = chunk(access) {
                let row = self.position(claim, (k, k == end), (at, access), totals);
                totals = row.after();
                self.positions.push(row);
            }
        }
        (tokens, totals)
    }

    /// A judgement that reads `rows`: MBAL and MKP of each margin token, then POS, MKP and MKF of each other position.
    pub fn judge(&mut self, claim: Claim<F>, rows: &[Access]) {
        let (tokens, totals) = self.rest(&claim, rows);
        let before = self.held(claim.market, &claim.lots_before, &claim.unit);
        let after = self.held(claim.market, &claim.lots_after, &claim.unit);
        let mut row = Judge {
            is_real: F::ONE,
            has_others: F::from_bool(claim.others != F::ZERO),
            others_inv: inverse(claim.others),
            has_tokens: F::from_bool(claim.mask != F::ZERO),
            mask_inv: inverse(claim.mask),
            claim,
            totals,
            tokens,
            before,
            after,
            ..Judge::default()
        };
        let [tav_before, tav_after] = row.tavs();
        row.tav_before = Value::of(tav_before);
        row.tav_after = Value::of(tav_after);
        row.initial = WideSum::of(&Judge::required(&row.totals.initial, &row.after, 0));
        self.verdict(&mut row);
        self.judges.push(row);
    }

    fn verdict(&mut self, row: &mut Judge<F>) {
        let surplus = number(&row.tav_after.digits) - (1 << 98) - 100 * number(&row.initial.digits());
        if surplus < 0 {
            let maintenance = &row.totals.maintenance;
            let required = [&row.before, &row.after].map(|held| Judge::required(maintenance, held, 1));
            self.ratios.push(Ratio::of([row.tav_before.digits, row.tav_after.digits], required));
            return;
        }
        row.is_healthy = F::ONE;
        row.margin = felts(digits12(surplus.unsigned_abs()));
        let required = row.initial.digits();
        let mut carry = F::ZERO;
        let shift = F::from_u32(1 << 12);
        for (k, digit) in required.into_iter().enumerate() {
            let x = row.tav_after.digits[k] - F::from_u32(100) * digit + carry;
            carry = (x - row.margin[k]) * inverse(shift);
            row.margin_carries[k] = carry;
        }
    }

    fn position(
        &mut self,
        claim: &Claim<F>,
        (k, is_end): (usize, bool),
        (at, [pos, mkp, mkf]): (F, [&Access; 3]),
        totals: Totals<F>,
    ) -> Position<F> {
        let price = self.price(mkp.key.lo(), &mkp.old, &mkf.old);
        let cell = &pos.old;
        let lots = u64::from(cell[0].as_canonical_u32()) | u64::from(cell[1].as_canonical_u32()) << 24;
        let digits: [F; 4] = felts(digits12(lots.into()));
        let last = ([cell[3], cell[4], cell[5]], cell[6]);
        let (is_due, unsettled) = self.settle(lots, cell[2], last, &price);
        let held = self.held(price.market, &digits, &price.unit_of(&cell[2]));
        Position {
            is_real: F::ONE,
            is_end: F::from_bool(is_end),
            index: claim.index,
            who: claim.who,
            account: claim.account,
            sub: claim.sub,
            op_market: claim.market,
            is_forced: claim.is_forced,
            at: at + F::from_usize(3 * k),
            count: F::from_usize(k),
            other_inv: inverse(price.market - claim.market),
            price,
            lots: digits,
            lots_inv: inverse(digits.into_iter().sum()),
            is_short: cell[2],
            last: last.0,
            last_negative: last.1,
            is_due,
            unsettled,
            held,
            totals,
        }
    }

    /// The sum of the values of the tokens that `rows` read.
    fn count_tokens(&mut self, claim: &Claim<F>, rows: &[Access]) -> [F; 9] {
        let (mut sum, mut mask) = ([F::ZERO; 9], F::ZERO);
        let end = (rows.len() / 2).wrapping_sub(1);
        for (k, access) in rows.chunks_exact(2).enumerate() {
            let [mbal, mkp] = access else { continue };
            let mut row = Token {
                is_real: F::ONE,
                is_end: F::from_bool(k == end),
                index: claim.index,
                who: claim.who,
                account: claim.account,
                sub: claim.sub,
                is_forced: claim.is_forced,
                at: claim.at + F::from_usize(2 * k),
                count: F::from_usize(k),
                mask,
                worth: self.worth((mbal.key.lo() & 511).wrapping_sub(MBAL), &mkp.old),
                sum,
                ..Token::default()
            };
            row.count_in(magnitude(&mbal.old));
            mask += row.worth.weight;
            sum = row.after();
            self.tokens.push(row);
        }
        sum
    }

    /// What the token in a place counts at the prices of a cell.
    pub fn worth(&mut self, place: u32, mkp: &Digest) -> Worth<F> {
        self.worth_entry(place, mkp, false)
    }

    /// The same for a seizure, which pays the whole value of a token of haircut 0; whether it does.
    pub fn seized(&mut self, place: u32, mkp: &Digest) -> (Worth<F>, F) {
        let token = self.params.collateral.get(place as usize);
        let is_whole = token.is_some_and(|token| token.haircut.get() == 0);
        (self.worth_entry(place, mkp, is_whole), F::from_bool(is_whole))
    }

    fn worth_entry(&mut self, place: u32, mkp: &Digest, is_whole: bool) -> Worth<F> {
        let Some(token) = self.params.collateral.get(place as usize) else { return Worth::default() };
        let market = self.params.perp(token.market);
        let listed = tokens::Listed {
            place,
            haircut: token.haircut.get().into(),
            market: token.market.get().into(),
            units: token.units_per_lot,
            status: market.map_or(F::ZERO, |m| F::from_u32(m.status as u32)),
            qm: market.map_or(0, |m| m.qm.get()),
        };
        let (age, rows, time) = (self.age(), &mut self.worths, self.time);
        let at = *self.worth_at.entry((place, *mkp, is_whole)).or_insert_with(|| {
            rows.push(WorthRow::of(&listed, mkp, is_whole, (age, time)));
            rows.len() - 1
        });
        rows[at].uses += F::ONE;
        rows[at].worth.clone()
    }

    /// Where the place of a listed token is 1; its lookup is counted.
    pub fn place(&mut self, token: u32) -> Option<[F; PLACES]> {
        let place = self.params.collateral.iter().position(|t| u32::from(t.token.get()) == token)?;
        *self.places.get_mut(place)? += 1;
        Some(core::array::from_fn(|k| F::from_bool(k == place)))
    }

    /// Each listed token plus 1, by place; the lookup is counted.
    pub fn all_tokens(&mut self) -> [F; PLACES] {
        self.all_tokens += 1;
        let token = |k: usize| self.params.collateral.get(k).map_or(0, |t| u32::from(t.token.get()) + 1);
        core::array::from_fn(|k| F::from_u32(token(k)))
    }

    /// Rows of prices, settlements, positions, judgements, ratios, tokens at a price, tokens read.
    pub fn counts(&self) -> [usize; COUNTS] {
        [
            self.prices.len(),
            self.settles.len(),
            self.positions.len(),
            self.judges.len(),
            self.ratios.len(),
            self.worths.len(),
            self.tokens.len(),
        ]
    }

    fn market_rows(&self, height: usize) -> Vec<Market<F>> {
        let mut rows = self.markets.clone();
        let mut links = Link::chain(&List::Perps.iv(), &blocks(self.params), height);
        rows.resize_with(height, Market::default);
        let priced = self.prices.iter().map(|row| row.price.market);
        for market in priced.chain(self.worths.iter().map(|row| row.worth.market)) {
            let at = market.as_canonical_u32() as usize;
            if let Some(row) = rows.get_mut(at) {
                row.scale_uses += F::ONE;
            }
        }
        if let Some(end) = rows.last_mut().filter(|end| end.is_real == F::ZERO) {
            end.listed_uses = F::from_u32(self.unlisted);
        }
        let count = self.markets.len();
        for (k, row) in rows.iter_mut().enumerate() {
            row.number = F::from_usize(k.min(count));
        }
        for (row, link) in rows.iter_mut().zip(links.drain(..)) {
            let (mut cap, blocks) = (link.before, row.blocks());
            if row.is_real == F::ONE {
                for (mid, block) in row.mids.iter_mut().zip(&blocks) {
                    cap = step(block, &cap);
                    mid.felts = cap;
                }
            }
            row.link = link;
        }
        rows
    }

    fn rules_rows(&self, height: usize) -> Vec<Rules<F>> {
        let blocks: Vec<[Block; 1]> = self.params.blocks(List::Oracle).into_iter().map(|b| [b]).collect();
        let links = Link::chain(&List::Oracle.iv(), &blocks, height);
        let mut rows: Vec<Rules<F>> = blocks
            .iter()
            .map(|[block]| Rules { is_real: F::ONE, block: *block, ..Rules::default() })
            .collect();
        rows.resize_with(height, Rules::default);
        if let Some(first) = rows.first_mut() {
            first.is_rules = F::ONE;
            first.uses = F::from_usize(self.prices.len() + self.worths.len());
        }
        for (row, link) in rows.iter_mut().zip(links) {
            row.link = link;
        }
        rows
    }

    fn collateral_rows(&self, height: usize) -> Vec<Collateral<F>> {
        let mut rows = tokens::list_rows(self.params, height);
        for worth in &self.worths {
            let place = worth.worth.place.as_canonical_u32() as usize;
            if let Some(row) = rows.get_mut(place) {
                row.haircut_uses += F::ONE;
            }
        }
        for (row, uses) in rows.iter_mut().zip(self.places) {
            row.place_uses = F::from_u32(uses);
        }
        if let Some(end) = rows.last_mut() {
            end.tokens_uses = F::from_u32(self.all_tokens);
        }
        rows
    }

    /// The traces, in the order of [`Heights::list`].
    ///
    /// # Errors
    /// [`TooMany`] where rows do not fit.
    pub fn traces(&self, heights: &Heights) -> Result<Vec<Trace>, TooMany> {
        let fits = |table, got: usize, log: usize| {
            if got > 1 << log { Err(TooMany { table, rows: 1 << log, got }) } else { Ok(()) }
        };
        fits("market", self.markets.len(), heights.markets)?;
        fits("rules", 1 + self.params.oracle.signers.len(), heights.rules)?;
        fits("collateral", self.params.collateral.len(), heights.collateral)?;
        Ok(vec![
            matrix("market", &self.market_rows(1 << heights.markets), heights.markets)?,
            matrix("rules", &self.rules_rows(1 << heights.rules), heights.rules)?,
            matrix("collateral", &self.collateral_rows(1 << heights.collateral), heights.collateral)?,
            matrix("price", &self.prices, heights.prices)?,
            matrix("settle", &self.settles, heights.settles)?,
            matrix("position", &self.positions, heights.positions)?,
            matrix("judge", &self.judges, heights.judges)?,
            matrix("ratio", &self.ratios, heights.ratios)?,
            matrix("worth", &self.worths, heights.worths)?,
            matrix("token", &self.tokens, heights.tokens)?,
        ])
    }
}

pub(crate) fn matrix<C: Columns<F> + Default + Sync>(
    table: &'static str,
    rows: &[C],
    log_height: usize,
) -> Result<Trace, TooMany> {
    let error = TooMany { table, rows: 1 << log_height, got: rows.len() };
    table::matrix(rows, log_height, &C::default()).ok_or(error)
}

/// The lookups of the tables of `traces`; `time` are the limbs of T.
pub fn requests(traces: &[Trace], time: &[F]) -> Requests {
    let mut out = Requests::new();
    if let [market, rules, collateral, price, settle, position, judge, ratio, worth, token] = traces {
        out.merge(collect(&MarketAir, market, &[]));
        out.merge(collect(&RulesAir, rules, &[]));
        out.merge(collect(&CollateralAir, collateral, &[]));
        out.merge(collect(&PriceAir, price, time));
        out.merge(collect(&SettleAir, settle, &[]));
        out.merge(collect(&PositionAir, position, &[]));
        out.merge(collect(&JudgeAir, judge, &[]));
        out.merge(collect(&RatioAir, ratio, &[]));
        out.merge(collect(&WorthAir, worth, time));
        out.merge(collect(&TokenAir, token, &[]));
    }
    out
}
