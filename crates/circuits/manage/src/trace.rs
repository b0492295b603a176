//! Traces of the tables of the family.

mod settle;
mod tick;

use tsz_air::{F, PrimeCharacteristicRing, Trace};
use tsz_gadgets::chain::{Chain, L1Queue, Serial};
use tsz_gadgets::clock;
use tsz_gadgets::layout::Columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::params::{self, LISTS};
use tsz_gadgets::perps::{self, Uses};
use tsz_gadgets::table::matrix;
use tsz_hash::Block;
use tsz_ledger::{Access, BatchContext};
use tsz_trade::code::{SET_PARAMS, SET_TOKEN};
use tsz_trade::params::{List, PERP_BLOCKS, Params};
use tsz_trade::{TradeOp, ops};

use crate::class::Class;
use crate::record::{ManageRecord, RecordError, accesses};
use crate::tables::{SetParams, SetToken, Settle, Tick};

/// Rows of the family's own tables in the making.
#[derive(Default)]
struct Rows {
    ticks: Vec<Tick<F>>,
    settles: Vec<Settle<F>>,
    set_params: Vec<SetParams<F>>,
    set_token: Vec<SetToken<F>>,
    /// Blocks and lookups of each market.
    markets: Vec<([Block; PERP_BLOCKS], Uses)>,
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

/// A table of rows with zero rows below.
fn finish<C: Columns<F> + Default + Sync>(
    table: &'static str,
    rows: &[C],
    log_height: usize,
) -> Result<Trace, RecordError> {
    let error = RecordError::TooMany { table, rows: 1 << log_height, got: rows.len() };
    matrix(rows, log_height, &C::default()).ok_or(error)
}

/// Fills the tables of the family: params, perps, clock, tick, settle, set_params, set_token.
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
            other => return Err(RecordError::Kind { index: record.index, code: other.code() }),
        }
    }
    let mut uses = [0; LISTS];
    uses[List::Perps as usize] = 1;
    let got = rows.markets.len();
    let too_many = RecordError::TooMany { table: "perps", rows: 1 << class.markets, got };
    Ok(vec![
        params::trace(&params.digests(), uses),
        perps::trace(&rows.markets, class.markets).ok_or(too_many)?,
        clock::trace(context.time, rows.ticks.len() + rows.settles.len()),
        finish("tick", &rows.ticks, class.ticks)?,
        finish("settle", &rows.settles, class.settles)?,
        finish("set_params", &rows.set_params, class.governance)?,
        finish("set_token", &rows.set_token, class.governance)?,
    ])
}
