//! Traces of the tables of the family.

mod list;
mod sample;
mod update;

use tsz_air::{F, PrimeCharacteristicRing, Trace};
use tsz_gadgets::clock;
use tsz_gadgets::layout::Columns;
use tsz_gadgets::limb24;
use tsz_gadgets::params::{self, LISTS};
use tsz_gadgets::perps::Uses;
use tsz_gadgets::table::matrix;
use tsz_hash::Digest;
use tsz_ledger::BatchContext;
use tsz_sig::Signature;
use tsz_trade::TradeOp;
use tsz_trade::params::{List, Params, PerpMarket};
use tsz_types::MarketId;

use crate::class::Class;
use crate::record::{OracleRecord, RecordError, SignatureRequest};
use crate::tables::{Group, Premium, Report, Rules, Sample, Update};

/// Traces of the family's own tables, and the signatures that they need.
#[derive(Clone, Debug)]
pub(crate) struct OpTraces {
    /// Params, perps, rules, clock, report, update, premium, sample.
    pub traces: Vec<Trace>,
    /// One for each report.
    pub signatures: Vec<SignatureRequest>,
}

/// Rows of the family's own tables in the making.
#[derive(Default)]
struct Rows {
    reports: Vec<Report<F>>,
    updates: Vec<Update<F>>,
    premiums: Vec<Premium<F>>,
    samples: Vec<Sample<F>>,
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

    /// Counts what every op looks up and gives its market.
    fn op<'a>(
        &mut self,
        params: &'a Params,
        index: u32,
        market: MarketId,
    ) -> Result<&'a PerpMarket, RecordError> {
        let error = RecordError::Market { index, market: market.get() };
        self.markets.get_mut(usize::from(market.get())).ok_or(error)?.feed += 1;
        self.rules_uses += 1;
        params.perp(market).ok_or(error)
    }

    /// Counts the lookup of a signer and gives the place of its report.
    fn group(
        &mut self,
        params: &Params,
        index: u32,
        signer: u8,
        is_last: bool,
    ) -> Result<Group<F>, RecordError> {
        let (error, place) = (RecordError::Signer { index, signer }, usize::from(signer));
        *self.signer_uses.get_mut(place).ok_or(error)? += 1;
        let key_id = *params.oracle.signers.get(place).ok_or(error)?;
        Ok(Group { is_real: F::ONE, is_last: F::from_bool(is_last), signer: F::from_u8(signer), key_id })
    }

    fn sign(&mut self, group: &Group<F>, message: Digest, signature: Signature) {
        self.signatures.push(SignatureRequest { key_id: group.key_id, message, signature });
    }
}

/// The sums with what a row adds.
fn add<C: Columns<F>>(sums: &C, terms: &C) -> C {
    let mut values = Vec::with_capacity(C::WIDTH);
    sums.write(&mut |x: &F| values.push(*x));
    let mut added = values.iter_mut();
    terms.write(&mut |x: &F| {
        if let Some(value) = added.next() {
            *value += *x;
        }
    });
    let mut values = values.into_iter();
    C::read(&mut || values.next().unwrap_or_default())
}

/// Columns of the rules.
fn rules(params: &Params) -> Rules<F> {
    let deviation = u32::from(params.oracle.max_deviation.get());
    Rules {
        quorum: F::from_u8(params.oracle.quorum),
        max_deviation: [deviation & 0xfff, deviation >> 12].map(F::from_u32),
        delta: [0, 1].map(|k| F::from_u32(limb24(params.oracle.delta.into(), k))),
    }
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
    context: &BatchContext,
    params: &Params,
    records: &[OracleRecord],
) -> Result<OpTraces, RecordError> {
    let mut rows = Rows::new(params);
    for record in records {
        match &record.op {
            TradeOp::OracleUpdate(op) => update::rows(&mut rows, context, params, record, op)?,
            TradeOp::PremiumSample(op) => sample::rows(&mut rows, context, params, record, op)?,
            other => return Err(RecordError::Kind { index: record.index, code: other.code() }),
        }
    }
    let mut uses = [0; LISTS];
    uses[List::Perps as usize] = 1;
    uses[List::Oracle as usize] = 1;
    let traces = vec![
        params::trace(&params.digests(), uses),
        list::perps(params, &rows.markets, class.markets)?,
        list::rules(params, &rows, class.signers)?,
        clock::trace(context.time, rows.samples.len()),
        finish("report", &rows.reports, class.reports)?,
        finish("update", &rows.updates, class.updates)?,
        finish("premium", &rows.premiums, class.premiums)?,
        finish("sample", &rows.samples, class.samples)?,
    ];
    Ok(OpTraces { traces, signatures: rows.signatures })
}
