//! Traces of the tables of the circuit. Values out of range lose their high bits: such a row satisfies nothing.

mod adl;
mod force;
mod judged;
mod rank;

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32, Trace};
use tsz_gadgets::layout::Columns;
use tsz_gadgets::params::{self, LISTS};
use tsz_gadgets::product::{digits12, felts};
use tsz_gadgets::table::matrix;
use tsz_hash::Digest;
use tsz_ledger::{Access, BatchContext};
use tsz_margin::tables::{Move, Price};
use tsz_margin::{Book, TooMany, number, signed};
use tsz_trade::TradeOp;
use tsz_trade::params::{List, Params};

use crate::class::Class;
use crate::record::{DeleverageRecord, RecordError};
use crate::tables::{Adl, Bearer, Force, Growth, Holder, Loss, Offer, Page, Refusal, Well};

/// Rows of all ops.
pub(crate) struct Rows<'a> {
    pub params: &'a Params,
    pub book: Book<'a>,
    pub pages: Vec<Page<F>>,
    pub holders: Vec<Holder<F>>,
    pub adls: Vec<Adl<F>>,
    pub forces: Vec<Force<F>>,
    pub bearers: Vec<Bearer<F>>,
    pub losses: Vec<Loss<F>>,
    pub refusals: Vec<Refusal<F>>,
    pub wells: Vec<Well<F>>,
}

/// The accesses of a log, from the first on.
struct Cursor<'a> {
    index: u32,
    got: usize,
    rest: &'a [Access],
}

impl<'a> Cursor<'a> {
    fn new(record: &'a DeleverageRecord) -> Self {
        Self { index: record.index, got: record.accesses.len(), rest: &record.accesses }
    }

    fn error(&self) -> RecordError {
        RecordError::Accesses { index: self.index, got: self.got }
    }

    /// The next accesses.
    fn take<const N: usize>(&mut self) -> Result<&'a [Access; N], RecordError> {
        let (first, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| self.error())?;
        self.rest = rest;
        Ok(first)
    }

    /// The last ones.
    fn last<const N: usize>(&mut self) -> Result<&'a [Access; N], RecordError> {
        let (rest, last) = self.rest.split_last_chunk::<N>().ok_or_else(|| self.error())?;
        self.rest = rest;
        Ok(last)
    }

    /// Those of the table of a sub-account, as many as there are.
    fn table(&mut self, sub: &Digest, open: bool) -> &'a [Access] {
        let (table, rest) = self.rest.split_at(reads(sub, open).min(self.rest.len()));
        self.rest = rest;
        table
    }
}

/// Accesses of the table of a sub-account: its tokens and its positions in other markets.
fn reads(sub: &Digest, open: bool) -> usize {
    let holdings = sub[5].as_canonical_u32();
    let others = (holdings & 63).saturating_sub(u32::from(open));
    (2 * (holdings >> 6 & 15).count_ones() + 3 * others) as usize
}

/// Lots of digits.
fn lots(digits: &[F; 4]) -> u64 {
    number(digits) as u64
}

fn lots_digits(lots: u64) -> [F; 4] {
    felts(digits12(lots.into()))
}

/// Lots that a position loses, by the cell before and after.
fn lost_lots(pos: &Access) -> u64 {
    let lots =
        |leaf: &Digest| i64::from(leaf[0].as_canonical_u32()) | i64::from(leaf[1].as_canonical_u32()) << 24;
    let (before, after) = (lots(&pos.old), lots(&pos.new));
    let turned = after != 0 && pos.old[2] != pos.new[2];
    before.wrapping_sub(if turned { -after } else { after }).unsigned_abs()
}

/// How a position of this side moves when lots of it are closed.
fn closing(short: F, lots: u64) -> i64 {
    if short == F::ONE { lots as i64 } else { -(lots as i64) }
}

/// By how much the sizes of two parties change together.
fn change(parties: [&Move<F>; 2]) -> [i64; 2] {
    core::array::from_fn(|k| {
        let moved = parties.iter().map(|x| {
            let [before, after] = x.lots();
            signed(after[k]) - signed(before[k])
        });
        moved.sum()
    })
}

impl Offer<F> {
    /// Insurance, of which SUB and POS say this, would move by signed lots and pay `cash`.
    fn of(
        book: &mut Book<'_>,
        price: &Price<F>,
        [sub, pos]: [&Digest; 2],
        moved: i64,
        cash: [i64; 4],
    ) -> Self {
        let mut insurance = Move::found(book, price, sub, pos);
        insurance.shift(moved);
        insurance.pay(cash.map(|limb| -limb));
        Self {
            lots: lots_digits(moved.unsigned_abs()),
            is_full: F::from_bool(insurance.positions == F::from_u32(tsz_margin::tables::MAX_POSITIONS + 1)),
            growth: Growth::of(insurance.lots()),
            insurance,
        }
    }
}

impl<'a> Rows<'a> {
    /// The rows that the records need.
    pub(crate) fn of(
        context: &BatchContext,
        params: &'a Params,
        records: &[DeleverageRecord],
    ) -> Result<Self, RecordError> {
        let mut rows = Self {
            params,
            book: Book::new(context, params),
            pages: Vec::new(),
            holders: Vec::new(),
            adls: Vec::new(),
            forces: Vec::new(),
            bearers: Vec::new(),
            losses: Vec::new(),
            refusals: Vec::new(),
            wells: Vec::new(),
        };
        for record in records {
            match &record.op {
                TradeOp::AdlRank(op) => rows.rank(record, op)?,
                TradeOp::Adl(op) => rows.adl(record, op)?,
                TradeOp::ForceLiquidate(op) => rows.force(record, op)?,
                other => return Err(RecordError::Kind { index: record.index, code: other.code() }),
            }
        }
        Ok(rows)
    }
}

/// A table of rows with zero rows below.
fn finish<C: Columns<F> + Default + Sync>(
    table: &'static str,
    rows: &[C],
    log_height: usize,
) -> Result<Trace, RecordError> {
    let error = TooMany { table, rows: 1 << log_height, got: rows.len() };
    Ok(matrix(rows, log_height, &C::default()).ok_or(error)?)
}

/// Fills the tables of the circuit up to the tuple table: params, page, holder, adl, force, those of `tsz-margin`, target,
/// quote, bearer, loss, refusal, well.
///
/// # Errors
/// [`RecordError`] when no row can be made of a record or a table is too small. That the ops follow the rules is not
/// checked: the proof of one that does not is refused by the verifier.
pub(crate) fn op_traces(
    class: &Class,
    context: &BatchContext,
    params: &Params,
    records: &[DeleverageRecord],
) -> Result<Vec<Trace>, RecordError> {
    let rows = Rows::of(context, params, records)?;
    let mut uses = [0; LISTS];
    for list in [List::Perps, List::Oracle, List::Collateral] {
        uses[list as usize] = 1;
    }
    let mut traces = vec![
        params::trace(&params.digests(), uses),
        finish("page", &rows.pages, class.pages)?,
        finish("holder", &rows.holders, class.holders)?,
        finish("adl", &rows.adls, class.adls)?,
        finish("force", &rows.forces, class.forces)?,
    ];
    traces.extend(rows.book.traces(&class.margin)?);
    traces.extend(rows.book.target_traces([class.targets, class.quotes()])?);
    traces.push(finish("bearer", &rows.bearers, class.bearers())?);
    traces.push(finish("loss", &rows.losses, class.targets)?);
    traces.push(finish("refusal", &rows.refusals, class.targets)?);
    traces.push(finish("well", &rows.wells, class.forces)?);
    Ok(traces)
}
