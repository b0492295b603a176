//! Traces of the tables of the family.

mod settle;
mod tick;

use tsz_air::{F, PrimeCharacteristicRing, Trace};
use tsz_gadgets::chain::{Chain, L1Queue, Serial};
use tsz_gadgets::clock;
use tsz_gadgets::layout::Columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::params::{self, LISTS};
use tsz_gadgets::perps::{self, UNLISTED, Uses};
use tsz_gadgets::table::matrix;
use tsz_hash::{Block, Digest};
use tsz_ledger::{Access, BatchContext};
use tsz_trade::code::{SET_PARAMS, SET_TOKEN, SETTLE_MARKET};
use tsz_trade::params::{List, PERP_BLOCKS, Params};
use tsz_trade::{TradeOp, ops};

use crate::class::Class;
use crate::record::{ManageRecord, RecordError, accesses};
use crate::tables::{SetParams, SetToken, Settle, SettleMarket, Tick};

/// Rows of the family's own tables in the making.
#[derive(Default)]
struct Rows {
    ticks: Vec<Tick<F>>,
    settles: Vec<Settle<F>>,
    set_params: Vec<SetParams<F>>,
    set_token: Vec<SetToken<F>>,
    settle_market: Vec<SettleMarket<F>>,
    /// Blocks and lookups of each market.
    markets: Vec<([Block; PERP_BLOCKS], Uses)>,
    /// Lookups of their number.
    counted: usize,
}

impl Rows {
    fn new(params: &Params) -> Self {
        let blocks = params.blocks(List::Perps);
        let market = |b: &[Block]| (core::array::from_fn(|k| b[k]), Uses::default());
        Self { markets: blocks.chunks_exact(PERP_BLOCKS).map(market).collect(), ..Self::default() }
    }
}

/// The queue that consumes a record `[code, serial, head], second`.
fn queue(code: u32, [l1in, chain]: [&Access; 2], head: &[F], second: &Block) -> L1Queue<F> {
    let mut first = Block::default();
    first[0] = F::from_u32(code);
    first[1..4].copy_from_slice(&l1in.old[..3]);
    for (to, from) in first[4..].iter_mut().zip(head) {
        *to = *from;
    }
    L1Queue { serial: Serial::of(&l1in.old), chain: Chain::of(&chain.old, [&first, second]) }
}

/// The row of a SetParams; its hash is what the log says.
fn set_params(record: &ManageRecord) -> Result<SetParams<F>, RecordError> {
    let [l1in, chain, cell] = accesses::<3>(record)?;
    Ok(SetParams {
        is_real: F::ONE,
        index: F::from_u32(record.index),
        queue: queue(SET_PARAMS, [l1in, chain], &[], &cell.new),
        old: cell.old,
        hash: cell.new,
    })
}

/// The row of a SetToken.
fn set_token(record: &ManageRecord, op: &ops::SetToken) -> Result<SetToken<F>, RecordError> {
    let [l1in, chain, cell] = accesses::<3>(record)?;
    let (token, listed) = (F::from_u8(op.token.get()), F::from_bool(op.listed));
    let [m0, m1, m2] = op.minimum.to_felts();
    let mut second = Block::default();
    second[..3].copy_from_slice(&[m0, m1, m2]);
    Ok(SetToken {
        is_real: F::ONE,
        index: F::from_u32(record.index),
        token,
        listed,
        minimum: [m0, m1].map(U24::of_felt),
        minimum_hi: m2,
        queue: queue(SET_TOKEN, [l1in, chain], &[token, listed], &second),
        old: cell.old,
    })
}

/// The row of a SettleMarket: of a market that settles the log has MKP.
fn settle_market(
    rows: &mut Rows,
    record: &ManageRecord,
    op: &ops::SettleMarket,
) -> Result<SettleMarket<F>, RecordError> {
    let market = u32::from(op.market.get());
    let number = rows.markets.len();
    let (status, excess) = match rows.markets.get_mut(market as usize) {
        Some((blocks, uses)) => {
            uses.status += 1;
            (blocks[0][1], F::ZERO)
        }
        None => {
            rows.counted += 1;
            (F::from_u32(UNLISTED), F::from_u32(market) - F::from_usize(number))
        }
    };
    let (l1, mkp) = match record.accesses.as_slice() {
        [l1in, chain] => ([l1in, chain], Digest::default()),
        [l1in, chain, mkp] => ([l1in, chain], mkp.old),
        other => {
            return Err(RecordError::Accesses { index: record.index, expected: 3, got: other.len() });
        }
    };
    let head = [F::from_u32(market)];
    let mut second = Block::default();
    for (at, price) in [(0, op.long), (2, op.short)] {
        second[at..at + 2].copy_from_slice(&price.to_felts());
    }
    let row = SettleMarket {
        is_real: F::ONE,
        index: F::from_u32(record.index),
        market: head[0],
        status,
        excess,
        queue: queue(SETTLE_MARKET, l1, &head, &second),
        old: core::array::from_fn(|k| mkp[k]),
        is_settled: mkp[6],
        ..SettleMarket::default()
    };
    Ok(row.with(op.long.get(), op.short.get()))
}

/// A table of rows with zero rows below.
fn finish<C: Columns<F> + Default + Sync>(
    table: &'static str,
    rows: &[C],
    log_height: usize,
) -> Result<Trace, RecordError> {
    let error = RecordError::TooMany { table, rows: 1 << log_height, got: rows.len() };
    matrix(rows, log_height, &C::default()).ok_or(error)
}

/// Fills the tables of the family: params, perps, clock, tick, settle, set_params, set_token, settle_market.
///
/// # Errors
/// [`RecordError`] when no row can be made of a record or a table is too small. That the ops follow the rules is not
/// checked: the proof of one that does not is refused by the verifier.
pub(crate) fn op_traces(
    class: &Class,
    context: &BatchContext,
    params: &Params,
    records: &[ManageRecord],
) -> Result<Vec<Trace>, RecordError> {
    let mut rows = Rows::new(params);
    for record in records {
        match &record.op {
            TradeOp::FundingTick(op) => {
                let row = tick::row(&mut rows.markets, context, params, record, op)?;
                rows.ticks.push(row);
            }
            TradeOp::FundingSettle(op) => {
                let row = settle::row(&mut rows.markets, context, record, op)?;
                rows.settles.push(row);
            }
            TradeOp::SetParams(_) => rows.set_params.push(set_params(record)?),
            TradeOp::SetToken(op) => rows.set_token.push(set_token(record, op)?),
            TradeOp::SettleMarket(op) => {
                let row = settle_market(&mut rows, record, op)?;
                rows.settle_market.push(row);
            }
            other => return Err(RecordError::Kind { index: record.index, code: other.code() }),
        }
    }
    let mut uses = [0; LISTS];
    uses[List::Perps as usize] = 1;
    let got = rows.markets.len() + usize::from(rows.counted > 0);
    let too_many = RecordError::TooMany { table: "perps", rows: 1 << class.markets, got };
    Ok(vec![
        params::trace(&params.digests(), uses),
        perps::trace(&rows.markets, rows.counted, class.markets).ok_or(too_many)?,
        clock::trace(context.time, rows.ticks.len() + rows.settles.len()),
        finish("tick", &rows.ticks, class.ticks)?,
        finish("settle", &rows.settles, class.settles)?,
        finish("set_params", &rows.set_params, class.governance)?,
        finish("set_token", &rows.set_token, class.governance)?,
        finish("settle_market", &rows.settle_market, class.governance)?,
    ])
}
