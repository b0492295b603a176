//! Traces of the tables of the family. Values out of range lose their high bits: such a row satisfies nothing.

mod absorb;
mod fund;
mod pair;
mod seize;

use tsz_air::{F, PrimeCharacteristicRing, Trace};
use tsz_gadgets::layout::Columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::params::{self, LISTS};
use tsz_gadgets::signed::Sign;
use tsz_gadgets::table::matrix;
use tsz_hash::Digest;
use tsz_ledger::BatchContext;
use tsz_margin::{Book, TooMany, signed};
use tsz_trade::TradeOp;
use tsz_trade::params::{List, Params};

use crate::class::Class;
use crate::record::{RecordError, SettleRecord};
use crate::tables::{Absorb, Cash, Pair, Seize};

/// Rows of all ops.
pub(crate) struct Rows<'a> {
    pub book: Book<'a>,
    pub pairs: Vec<Pair<F>>,
    pub debts: Vec<Absorb<F>>,
    pub seizures: Vec<Seize<F>>,
}

impl<'a> Rows<'a> {
    /// The rows that the records need.
    pub(crate) fn of(
        context: &BatchContext,
        params: &'a Params,
        records: &[SettleRecord],
    ) -> Result<Self, RecordError> {
        let mut rows = Self {
            book: Book::new(context, params),
            pairs: Vec::new(),
            debts: Vec::new(),
            seizures: Vec::new(),
        };
        for record in records {
            match &record.op {
                TradeOp::SettlePair(op) => {
                    let row = pair::row(&mut rows.book, record, op)?;
                    rows.pairs.push(row);
                }
                TradeOp::AbsorbDebt(op) => {
                    let row = absorb::row(&mut rows.book, record, op)?;
                    rows.debts.push(row);
                }
                TradeOp::SeizeToken(op) => {
                    let row = seize::row(&mut rows.book, record, op)?;
                    rows.seizures.push(row);
                }
                other => return Err(RecordError::Kind { index: record.index, code: other.code() }),
            }
        }
        Ok(rows)
    }
}

fn turn(negative: bool) -> i64 {
    if negative { -1 } else { 1 }
}

fn bits<const N: usize>(x: i64) -> [F; N] {
    core::array::from_fn(|k| F::from_bool(x >> k & 1 == 1))
}

impl Cash<F> {
    /// Columns of a SUB cell `sub` whose collateral moves by the signed limbs `x`.
    pub(crate) fn of(sub: &Digest, x: &[i64; 4]) -> Self {
        let from = turn(sub[4] == F::ONE);
        let limbs: [i64; 4] = core::array::from_fn(|k| from * signed(sub[k]) + x[k]);
        let total = limbs.iter().rev().fold(0i128, |acc, limb| (acc << 24) + i128::from(*limb));
        let (to, mut carry) = (turn(total < 0), 0);
        let mut cols =
            Self { before: core::array::from_fn(|k| sub[k]), negative_before: sub[4], ..Self::default() };
        for (k, limb) in limbs.into_iter().enumerate() {
            let sum = to * limb + carry;
            cols.after[k] = U24::of((sum & 0xff_ffff) as u32);
            carry = sum >> 24;
            if k < 3 {
                let three: [F; 3] = bits(carry + 4);
                cols.carries[3 * k..3 * k + 3].copy_from_slice(&three);
            }
        }
        cols.sign = Sign::of(total < 0, &cols.after.each_ref().map(U24::value));
        cols
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

/// Fills the tables of the family: params, those of `tsz-margin`, pair, absorb, seize, target.
///
/// # Errors
/// [`RecordError`] when no row can be made of a record or a table is too small. That the ops follow the rules is not
/// checked: the proof of one that does not is refused by the verifier.
pub(crate) fn op_traces(
    class: &Class,
    context: &BatchContext,
    params: &Params,
    records: &[SettleRecord],
) -> Result<Vec<Trace>, RecordError> {
    let Rows { book, pairs, debts, seizures } = Rows::of(context, params, records)?;
    let mut uses = [0; LISTS];
    uses[List::Perps as usize] = 1;
    uses[List::Oracle as usize] = 1;
    uses[List::Collateral as usize] = 1;
    let mut traces = vec![params::trace(&params.digests(), uses)];
    traces.extend(book.traces(&class.margin)?);
    traces.push(finish("pair", &pairs, class.pairs)?);
    traces.push(finish("absorb", &debts, class.debts)?);
    traces.push(finish("seize", &seizures, class.debts)?);
    traces.push(book.target_trace(class.debts)?);
    Ok(traces)
}
