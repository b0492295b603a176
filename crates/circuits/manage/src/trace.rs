//! Traces of the tables of the family.

mod tick;

use tsz_air::{F, PrimeCharacteristicRing, Trace};
use tsz_gadgets::chain::{Chain, L1Queue, Serial};
use tsz_gadgets::clock;
use tsz_gadgets::layout::Columns;
use tsz_gadgets::params::{self, LISTS};
use tsz_gadgets::perps::{self, Uses};
use tsz_gadgets::table::matrix;
use tsz_hash::Block;
use tsz_ledger::BatchContext;
use tsz_trade::TradeOp;
use tsz_trade::code::SET_PARAMS;
use tsz_trade::params::{List, PERP_BLOCKS, Params};

use crate::class::Class;
use crate::record::{ManageRecord, RecordError, accesses};
use crate::tables::{SetParams, Tick};

/// Rows of the family's own tables in the making.
#[derive(Default)]
struct Rows {
    ticks: Vec<Tick<F>>,
    set_params: Vec<SetParams<F>>,
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

/// The row of a SetParams; its hash is what the log says.
fn set_params(record: &ManageRecord) -> Result<SetParams<F>, RecordError> {
    let [l1in, chain, cell] = accesses::<3>(record)?;
    let [s0, s1, s2] = core::array::from_fn(|k| l1in.old[k]);
    let mut first = Block::default();
    first[..4].copy_from_slice(&[F::from_u32(SET_PARAMS), s0, s1, s2]);
    Ok(SetParams {
        is_real: F::ONE,
        index: F::from_u32(record.index),
        queue: L1Queue { serial: Serial::of(&l1in.old), chain: Chain::of(&chain.old, [&first, &cell.new]) },
        old: cell.old,
        hash: cell.new,
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

/// Fills the tables of the family: params, perps, clock, tick, set_params.
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
            TradeOp::SetParams(_) => rows.set_params.push(set_params(record)?),
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
        clock::trace(context.time, rows.ticks.len()),
        finish("tick", &rows.ticks, class.ticks)?,
        finish("set_params", &rows.set_params, class.set_params)?,
    ])
}
