//! Traces of the tables of the circuit. Values out of range lose their high bits: such a row satisfies nothing.

mod close;
mod forced;
mod takeover;

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32, Trace};
use tsz_gadgets::layout::Columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::params::{self, LISTS};
use tsz_gadgets::{limb24, magnitude, table};
use tsz_hash::Digest;
use tsz_ledger::BatchContext;
use tsz_margin::{Book, TooMany, signed};
use tsz_order::{Orders, PerpOrder, SignatureRequest};
use tsz_trade::params::List;
use tsz_trade::{Params, TradeOp};

use crate::class::Class;
use crate::record::{LiquidateRecord, RecordError};
use crate::tables::{Close, Forced, Interest, Takeover};

/// Rows of all ops.
pub(crate) struct Rows<'a> {
    pub context: &'a BatchContext,
    pub params: &'a Params,
    pub orders: Orders,
    pub book: Book<'a>,
    pub takeovers: Vec<Takeover<F>>,
    pub closes: Vec<Close<F>>,
    pub forced: Vec<Forced<F>>,
}

/// Traces of the tables of the circuit before the shared ones, and the signatures that they need.
#[derive(Clone, Debug)]
pub struct OpTraces {
    /// Params, order, takeover, close, forced, the tables of `tsz-margin`, target, quote, minimal.
    pub traces: Vec<Trace>,
    /// One for each order row.
    pub signatures: Vec<SignatureRequest>,
}

/// Accesses of the table of a sub-account: its tokens and its positions in other markets.
fn reads(sub: &Digest, open: bool) -> usize {
    let holdings = sub[5].as_canonical_u32();
    let others = (holdings & 63).saturating_sub(u32::from(open));
    (2 * (holdings >> 6 & 15).count_ones() + 3 * others) as usize
}

/// The integer of a small felt; 0 for one that is not.
fn small(x: F) -> usize {
    usize::try_from(signed(x)).unwrap_or(0)
}

impl<'a> Rows<'a> {
    /// The rows that the records need.
    pub(crate) fn of(
        context: &'a BatchContext,
        params: &'a Params,
        records: &[LiquidateRecord],
    ) -> Result<Self, RecordError> {
        let mut rows = Self {
            context,
            params,
            orders: Orders::default(),
            book: Book::new(context, params),
            takeovers: Vec::new(),
            closes: Vec::new(),
            forced: Vec::new(),
        };
        for record in records {
            rows.add(record)?;
        }
        Ok(rows)
    }

    fn add(&mut self, record: &LiquidateRecord) -> Result<(), RecordError> {
        match &record.op {
            TradeOp::Takeover(op) => {
                let row = self.takeover(record, op)?;
                self.takeovers.push(row);
            }
            TradeOp::Liquidate(op) => {
                let row = self.liquidate(record, op)?;
                self.closes.push(row);
            }
            TradeOp::ForcedClose(op) => self.force(record, op)?,
            other => return Err(RecordError::Kind { index: record.index, code: other.code() }),
        }
        Ok(())
    }
}

/// Open interest that was `before` and moves as positions do: limbs of lots before and after.
fn interest(before: &Digest, moved: [[[F; 2]; 2]; 2]) -> Interest<F> {
    let mut change = [0i64; 2];
    for [old, new] in moved {
        for k in 0..2 {
            change[k] += signed(new[k]) - signed(old[k]);
        }
    }
    let moves = magnitude(&[before[3], before[4], F::ZERO, F::ZERO, F::ZERO, F::ZERO, F::ZERO, F::ZERO]) + 1;
    let mut x = Interest {
        before: [before[0], before[1], before[2]],
        moves: [0, 1].map(|k| U24::of(limb24(moves, k))),
        moves_carry: F::from_bool(moves & 0xff_ffff == 0),
        ..Interest::default()
    };
    let mut carry = 0;
    for (k, limb) in before.iter().enumerate().take(3) {
        let sum = signed(*limb) + change.get(k).copied().unwrap_or(0) + carry;
        carry = sum >> 24;
        match k {
            2 => x.after_hi = F::from_i64(sum),
            _ => {
                x.after[k] = U24::of((sum & 0xff_ffff) as u32);
                for bit in 0..3 {
                    x.carries[3 * k + bit] = F::from_bool((carry + 4) >> bit & 1 == 1);
                }
            }
        }
    }
    x
}

fn matrix<C: Columns<F> + Default + Sync>(
    name: &'static str,
    rows: &[C],
    log_height: usize,
) -> Result<Trace, RecordError> {
    let too_many = TooMany { table: name, rows: 1 << log_height, got: rows.len() };
    Ok(table::matrix(rows, log_height, &C::default()).ok_or(too_many)?)
}

/// Fills the tables of the circuit before the shared ones.
///
/// # Errors
/// [`RecordError`] when no row can be made of a record or a table is too small. That the ops follow the rules is not
/// checked: the proof of one that does not is refused by the verifier.
pub(crate) fn op_traces(
    class: &Class,
    context: &BatchContext,
    params: &Params,
    records: &[LiquidateRecord],
) -> Result<OpTraces, RecordError> {
    let rows = Rows::of(context, params, records)?;
    let mut uses = [0; LISTS];
    for list in [List::Perps, List::Oracle, List::Collateral] {
        uses[list as usize] = 1;
    }
    let mut traces = vec![
        params::trace(&params.digests(), uses),
        matrix::<PerpOrder<F>>("order", rows.orders.perp(), class.orders)?,
        matrix("takeover", &rows.takeovers, class.ops)?,
        matrix("close", &rows.closes, class.ops)?,
        matrix("forced", &rows.forced, class.ops)?,
    ];
    traces.extend(rows.book.traces(&class.margin)?);
    traces.extend(rows.book.target_traces([class.targets, class.targets])?);
    traces.push(rows.book.minimal_trace(class.minimals)?);
    Ok(OpTraces { traces, signatures: rows.orders.signatures().to_vec() })
}
