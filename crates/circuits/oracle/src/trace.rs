//! Traces of the tables of the family.

mod update;

use tsz_air::{F, PrimeCharacteristicRing, Trace};
use tsz_gadgets::layout::Columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::params::Link;
use tsz_gadgets::perps::{self, Uses};
use tsz_gadgets::table::matrix;
use tsz_hash::Block;
use tsz_trade::TradeOp;
use tsz_trade::params::{List, Params, PerpMarket};
use tsz_types::MarketId;

use crate::class::Class;
use crate::record::{OracleRecord, RecordError, SignatureRequest};
use crate::tables::{Report, Rule, Update};

/// Traces of the family's own tables, and the signatures that they need.
#[derive(Clone, Debug)]
pub(crate) struct OpTraces {
    /// Perps, rules, report, update.
    pub traces: Vec<Trace>,
    /// One for each report.
    pub signatures: Vec<SignatureRequest>,
}

/// Rows of the family's own tables in the making.
#[derive(Default)]
pub(crate) struct Rows {
    reports: Vec<Report<F>>,
    updates: Vec<Update<F>>,
    signatures: Vec<SignatureRequest>,
    /// Lookups of the rules and of each signer.
    rules_uses: usize,
    signer_uses: Vec<usize>,
    /// Lookups of each market.
    markets: Vec<Uses>,
}

impl Rows {
    fn new(params: &Params) -> Self {
        Self {
            signer_uses: vec![0; params.oracle.signers.len()],
            markets: vec![Uses::default(); params.perps.len()],
            ..Self::default()
        }
    }

    /// Counts a lookup of a signer and gives its key.
    fn signer(&mut self, params: &Params, index: u32, signer: u8) -> Result<tsz_hash::Digest, RecordError> {
        let error = RecordError::Signer { index, signer };
        let place = usize::from(signer);
        let key = params.oracle.signers.get(place).ok_or(error)?;
        *self.signer_uses.get_mut(place).ok_or(error)? += 1;
        Ok(*key)
    }

    /// The parameters of a market.
    fn market<'a>(
        &mut self,
        params: &'a Params,
        index: u32,
        market: MarketId,
    ) -> Result<(&'a PerpMarket, &mut Uses), RecordError> {
        let error = RecordError::Market { index, market: market.get() };
        let uses = self.markets.get_mut(usize::from(market.get())).ok_or(error)?;
        Ok((params.perp(market).ok_or(error)?, uses))
    }
}

/// Rows of the rules table.
fn rules(params: &Params, rows: &Rows, log_height: usize) -> Result<Trace, RecordError> {
    let blocks: Vec<[Block; 1]> = params.blocks(List::Oracle).into_iter().map(|block| [block]).collect();
    let height = 1 << log_height;
    let links = Link::chain(&List::Oracle.iv(), &blocks, height);
    let mut table = Vec::with_capacity(height);
    for (number, link) in links.into_iter().enumerate() {
        let mut row = Rule { number: F::from_usize(number), link, ..Rule::default() };
        if let Some([block]) = blocks.get(number) {
            row.is_real = F::ONE;
            row.block = *block;
        }
        if let Some(place) = number.checked_sub(1) {
            row.uses = F::from_usize(rows.signer_uses.get(place).copied().unwrap_or(0));
        } else {
            row.is_rules = F::ONE;
            row.uses = F::from_usize(rows.rules_uses);
            row.max_deviation = U24::of(params.oracle.max_deviation.get().into());
        }
        table.push(row);
    }
    finish("rules", &table, log_height).and_then(|trace| {
        let (rows, got) = (height, blocks.len());
        if got > rows { Err(RecordError::TooMany { table: "rules", rows, got }) } else { Ok(trace) }
    })
}

fn markets(params: &Params, rows: &Rows, log_height: usize) -> Result<Trace, RecordError> {
    let entry = |((id, market), uses): ((u8, &PerpMarket), &Uses)| {
        MarketId::new(id).ok().map(|id| (market.blocks(id), *uses))
    };
    let list: Vec<_> = (0..=u8::MAX).zip(&params.perps).zip(&rows.markets).filter_map(entry).collect();
    let error = RecordError::TooMany { table: "perps", rows: 1 << log_height, got: list.len() };
    perps::trace(&list, log_height).ok_or(error)
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

/// Fills the tables of the family.
///
/// # Errors
/// [`RecordError`] when no row can be made of a record or a table is too small. That the ops follow the rules is not
/// checked: the proof of one that does not is refused by the verifier.
pub(crate) fn op_traces(
    class: &Class,
    context: &tsz_ledger::BatchContext,
    params: &Params,
    records: &[OracleRecord],
) -> Result<OpTraces, RecordError> {
    let mut rows = Rows::new(params);
    for record in records {
        match &record.op {
            TradeOp::OracleUpdate(op) => update::rows(&mut rows, context, params, record, op)?,
            other => return Err(RecordError::Kind { index: record.index, code: other.code() }),
        }
    }
    let traces = vec![
        markets(params, &rows, class.markets)?,
        rules(params, &rows, class.signers)?,
        finish("report", &rows.reports, class.reports)?,
        finish("update", &rows.updates, class.updates)?,
    ];
    Ok(OpTraces { traces, signatures: rows.signatures })
}
