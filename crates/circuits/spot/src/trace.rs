//! Traces of the tables of the family.

use std::collections::HashMap;

use thiserror::Error;
use tsz_air::{F, PrimeCharacteristicRing, Trace};
use tsz_gadgets::layout::Columns;
use tsz_gadgets::params::{self, LISTS, Link};
use tsz_gadgets::product::{digits12, felts, product_carries};
use tsz_gadgets::table;
use tsz_hash::Digest;
use tsz_ledger::{Access, BatchContext};
use tsz_order::{Meeting, Orders, SignatureRequest};
use tsz_trade::Params;
use tsz_trade::params::{List, SpotMarket};

use crate::class::Class;
use crate::record::{SpotRecord, markets, spot};
use crate::sides::{SideInput, side};
use crate::tables::{Market, Side, Trade};

/// A record or parameters that no row can be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RecordError {
    /// Fewer accesses than the op has.
    #[error("op {index}: {got} accesses are too few")]
    Accesses {
        /// Sequence number.
        index: u32,
        /// Accesses given.
        got: usize,
    },
    /// An order in a market that is not listed.
    #[error("op {index}: market {market} is not listed")]
    Market {
        /// Sequence number.
        index: u32,
        /// The market.
        market: u16,
    },
    /// More rows than a table has.
    #[error("{got} rows of table {table}, at most {rows}")]
    TooMany {
        /// The table.
        table: &'static str,
        /// Its rows.
        rows: usize,
        /// Rows needed.
        got: usize,
    },
}

/// Traces of the params, market, order and trade tables, and the signatures that they need.
#[derive(Clone, Debug)]
pub struct OpTraces {
    /// Params, market, order, trade.
    pub traces: Vec<Trace>,
    /// One for each order row.
    pub signatures: Vec<SignatureRequest>,
}

/// Accesses in order.
pub(crate) struct Log<'a> {
    index: u32,
    all: &'a [Access],
    next: usize,
}

impl<'a> Log<'a> {
    pub(crate) fn next(&mut self) -> Result<&'a Access, RecordError> {
        let error = RecordError::Accesses { index: self.index, got: self.all.len() };
        self.next += 1;
        self.all.get(self.next - 1).ok_or(error)
    }
}

fn market<'a>(params: &'a Params, record: &SpotRecord) -> Result<&'a SpotMarket, RecordError> {
    let market = record.op.taker.order.market;
    params.spot(market).ok_or(RecordError::Market { index: record.index, market: market.get() })
}

/// Units of base and quote; digits above 2^60 are dropped.
fn amounts(record: &SpotRecord, market: &SpotMarket) -> [u64; 2] {
    let lots = u128::from(record.op.lots.get());
    let price = u128::from(record.op.maker.order.terms.price.get());
    [lots * u128::from(market.lot_base), lots * price * u128::from(market.tick_quote)]
        .map(|x| x as u64 & ((1 << 60) - 1))
}

/// Fills in the balances that move and what is read besides; gives HEAD if it was read.
fn moves(
    log: &mut Log<'_>,
    [taker, maker]: [&mut SideRow; 2],
    inputs: &[SideInput<'_>; 2],
) -> Result<Option<Digest>, RecordError> {
    let gets = [inputs[0].gets, inputs[1].gets];
    crate::sides::legs(log, [taker, maker], gets)?;
    let head = crate::sides::brokers(log, [taker, maker], gets)?;
    crate::sides::fees(log, [taker, maker], inputs)?;
    Ok(head)
}

/// The row of a trade.
fn trade(
    context: &BatchContext,
    params: &Params,
    record: &SpotRecord,
    orders: &mut Orders,
) -> Result<Trade<F>, RecordError> {
    let (op, market) = (&record.op, market(params, record)?);
    let (t, m) = (&op.taker.order.terms, &op.maker.order.terms);
    let mut log = Log { index: record.index, all: &record.accesses, next: 0 };
    let [base, quote] = amounts(record, market);
    let [x, y] = if t.buys() { [base, quote] } else { [quote, base] };
    let is_own = t.account == m.account && t.sub == m.sub;
    let lots = op.lots.get();
    let input = |order, fee, gets, close| SideInput { order, fee, gets, lots, close };
    let inputs =
        [input(&op.taker, op.taker_fee, x, op.close_taker), input(&op.maker, op.maker_fee, y, false)];
    let [mut taker, mut maker] =
        [side(context, &mut log, orders, &inputs[0])?, side(context, &mut log, orders, &inputs[1])?];
    let caps = spot(market);
    let own = [taker.terms.max_taker, maker.terms.max_maker];
    crate::sides::caps(&mut taker, own[0], caps.taker_cap, op.taker_fee);
    crate::sides::caps(&mut maker, own[1], caps.maker_cap, op.maker_fee);
    let mut head = None;
    if !is_own {
        head = moves(&mut log, [&mut taker, &mut maker], &inputs)?;
    }
    let reads_head = head.is_some();
    let head = head.unwrap_or_default();
    let lots_digits = digits12::<4>(lots.into());
    let price = digits12::<3>(m.price.get().into());
    let tick = digits12::<2>(market.tick_quote.into());
    let unit = digits12::<5>(u128::from(m.price.get()) * u128::from(market.tick_quote));
    let meeting = Meeting::of(&taker.terms, &maker.terms, lots, op.close_taker);
    Ok(Trade {
        is_real: F::ONE,
        index: F::from_u32(record.index),
        spot: spot(market),
        meeting,
        unit_price: felts(unit),
        unit_carries: product_carries(&price, &tick),
        base_carries: product_carries(&lots_digits, &digits12::<4>(market.lot_base.into())),
        quote_carries: product_carries(&lots_digits, &unit),
        token: F::from_u8(if t.buys() { market.base.get() } else { market.quote.get() }),
        taker,
        maker,
        reads_head: F::from_bool(reads_head),
        head: core::array::from_fn(|k| head[k]),
        next_account: head[4],
    })
}

fn matrix<C: Columns<F> + Sync>(
    table: &'static str,
    rows: &[C],
    log_height: usize,
    padding: &C,
) -> Result<Trace, RecordError> {
    let error = RecordError::TooMany { table, rows: 1 << log_height, got: rows.len() };
    table::matrix(rows, log_height, padding).ok_or(error)
}

/// All rows of the market table, padding included.
fn market_rows(params: &Params, trades: &[Trade<F>], height: usize) -> Result<Vec<Market<F>>, RecordError> {
    let mut uses: HashMap<F, F> = HashMap::new();
    for trade in trades {
        *uses.entry(trade.taker.terms.market).or_default() += F::ONE;
    }
    let mut rows: Vec<Market<F>> = markets(params).collect();
    if rows.len() > height {
        return Err(RecordError::TooMany { table: "market", rows: height, got: rows.len() });
    }
    let blocks: Vec<_> = rows.iter().map(|row| [row.block()]).collect();
    rows.resize_with(height, Market::default);
    for (row, link) in rows.iter_mut().zip(Link::chain(&List::Spots.iv(), &blocks, height)) {
        row.link = link;
        row.uses =
            if row.is_open == F::ONE { uses.get(&row.id).copied().unwrap_or_default() } else { F::ZERO };
    }
    Ok(rows)
}

/// Fills the tables of the family.
///
/// # Errors
/// [`RecordError`] when no row can be made of a record or a table is too small. That the trades follow the rules is
/// not checked: the proof of one that does not is refused by the verifier.
pub fn op_traces(
    class: &Class,
    context: &BatchContext,
    params: &Params,
    records: &[SpotRecord],
) -> Result<OpTraces, RecordError> {
    let mut orders = Orders::default();
    let trades: Result<Vec<_>, _> = records.iter().map(|r| trade(context, params, r, &mut orders)).collect();
    let trades = trades?;
    let markets = market_rows(params, &trades, 1 << class.markets)?;
    let mut uses = [0; LISTS];
    uses[List::Spots as usize] = 1;
    let traces = vec![
        params::trace(&params.digests(), uses),
        matrix("market", &markets, class.markets, &Market::default())?,
        matrix("order", &orders.spot(), class.orders, &tsz_order::SpotOrder::default())?,
        matrix("spot", &trades, class.trades, &Trade::default())?,
    ];
    Ok(OpTraces { traces, signatures: orders.signatures().to_vec() })
}

/// A side whose columns are being filled.
pub(crate) type SideRow = Side<F>;
