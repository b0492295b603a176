//! The rows of the tables, as ops need them.

use std::collections::HashMap;

use thiserror::Error;
use tsz_air::{F, PrimeCharacteristicRing, PrimeField32, Requests, Trace};
use tsz_gadgets::layout::Columns;
use tsz_gadgets::params::Link;
use tsz_gadgets::product::{digits12, felts};
use tsz_gadgets::{collect, inverse, table};
use tsz_hash::{Block, Digest, step};
use tsz_ledger::{Access, BatchContext};
use tsz_trade::Params;
use tsz_trade::params::{List, PERP_BLOCKS};

use crate::rows::{notional, number, scale};
use crate::tables::*;

/// log2 of the rows of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heights {
    /// Markets.
    pub markets: usize,
    /// Blocks of the oracle list.
    pub rules: usize,
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
}

/// Number of tables.
pub const TABLES: usize = 7;

impl Heights {
    /// In the order of the tables.
    pub fn list(&self) -> [usize; TABLES] {
        [self.markets, self.rules, self.prices, self.settles, self.positions, self.judges, self.ratios]
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
    markets: Vec<Market<F>>,
    prices: Vec<PriceRow<F>>,
    price_at: HashMap<(u32, Digest, Digest), usize>,
    settles: Vec<Settle<F>>,
    settle_at: HashMap<Vec<F>, usize>,
    positions: Vec<Position<F>>,
    judges: Vec<Judge<F>>,
    ratios: Vec<Ratio<F>>,
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
        }
    }

    /// What a fill looks up of a market.
    pub fn listed(&mut self, market: u32) -> Listed<F> {
        let Some(row) = self.markets.get_mut(market as usize) else {
            return Listed { market: F::from_u32(market), ..Listed::default() };
        };
        row.listed_uses += F::ONE;
        row.listed()
    }

    /// The price that the cells of a market say.
    pub fn price(&mut self, market: u32, mkp: &Digest, mkf: &Digest) -> Price<F> {
        let none = [F::from_u32(market), F::ZERO, F::ZERO];
        let listed = self.markets.get(market as usize).map_or(none, scale);
        let [_, _, age0, age1, ..] = self.params.oracle.rules();
        let (rows, time) = (&mut self.prices, self.time);
        let at = *self.price_at.entry((market, *mkp, *mkf)).or_insert_with(|| {
            rows.push(PriceRow::of(listed, [mkp, mkf], [age0, age1], time));
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

    fn held(&mut self, market: F, lots: &[F; 4], unit: &[F; 5]) -> Held<F> {
        let listed = self.markets.get_mut(market.as_canonical_u32() as usize);
        let tier = listed.map(|row| {
            let k = row.tier_of(notional(lots, unit));
            row.tier_uses[k] += F::ONE;
            row.tier(k)
        });
        Held::of(lots, unit, tier.unwrap_or_default())
    }

    /// A judgement that reads `rows`: POS, MKP and MKF of each other position.
    pub fn judge(&mut self, claim: Claim<F>, rows: &[Access]) {
        let mut totals = Totals::default();
        let end = (rows.len() / 3).wrapping_sub(1);
        for (k, access) in rows.chunks_exact(3).enumerate() {
            if let Some(access) = chunk(access) {
                let row = self.position(&claim, (k, k == end), access, totals);
                totals = row.after();
                self.positions.push(row);
            }
        }
        let before = self.held(claim.market, &claim.lots_before, &claim.unit);
        let after = self.held(claim.market, &claim.lots_after, &claim.unit);
        let mut row = Judge {
            is_real: F::ONE,
            has_others: F::from_bool(claim.others != F::ZERO),
            others_inv: inverse(claim.others),
            claim,
            totals,
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
        [pos, mkp, mkf]: [&Access; 3],
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
            at: claim.at + F::from_usize(3 * k),
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

    /// Rows of prices, settlements, positions, judgements and ratios.
    pub fn counts(&self) -> [usize; 5] {
        [self.prices.len(), self.settles.len(), self.positions.len(), self.judges.len(), self.ratios.len()]
    }

    fn market_rows(&self, height: usize) -> Vec<Market<F>> {
        let mut rows = self.markets.clone();
        let mut links = Link::chain(&List::Perps.iv(), &blocks(self.params), height);
        rows.resize_with(height, Market::default);
        for price in &self.prices {
            let at = price.price.market.as_canonical_u32() as usize;
            if let Some(row) = rows.get_mut(at) {
                row.scale_uses += F::ONE;
            }
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
            first.uses = F::from_usize(self.prices.len());
        }
        for (row, link) in rows.iter_mut().zip(links) {
            row.link = link;
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
        Ok(vec![
            matrix("market", &self.market_rows(1 << heights.markets), heights.markets)?,
            matrix("rules", &self.rules_rows(1 << heights.rules), heights.rules)?,
            matrix("price", &self.prices, heights.prices)?,
            matrix("settle", &self.settles, heights.settles)?,
            matrix("position", &self.positions, heights.positions)?,
            matrix("judge", &self.judges, heights.judges)?,
            matrix("ratio", &self.ratios, heights.ratios)?,
        ])
    }
}

fn matrix<C: Columns<F> + Default + Sync>(
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
    if let [market, rules, price, settle, position, judge, ratio] = traces {
        out.merge(collect(&MarketAir, market, &[]));
        out.merge(collect(&RulesAir, rules, &[]));
        out.merge(collect(&PriceAir, price, time));
        out.merge(collect(&SettleAir, settle, &[]));
        out.merge(collect(&PositionAir, position, &[]));
        out.merge(collect(&JudgeAir, judge, &[]));
        out.merge(collect(&RatioAir, ratio, &[]));
    }
    out
}
