//! Traces of the tables of the circuit. Values out of range lose their high bits: such a row satisfies nothing.

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32, Trace};
use tsz_gadgets::limb::U24;
use tsz_gadgets::params::{self, LISTS};
use tsz_gadgets::product::{digits12, felts, product_carries};
use tsz_gadgets::{inverse, limb24, magnitude, table};
use tsz_hash::Digest;
use tsz_ledger::{Access, BatchContext};
use tsz_margin::tables::Move;
use tsz_margin::{Book, TooMany, carry, shifts, signed};
use tsz_trade::params::List;
use tsz_trade::{Params, TradeOp, ops};

use crate::class::Class;
use crate::record::{LiquidateRecord, RecordError};
use crate::tables::{Interest, Takeover};

/// Rows of all ops.
pub(crate) struct Rows<'a> {
    pub book: Book<'a>,
    pub takeovers: Vec<Takeover<F>>,
}

/// What a log of a takeover consists of.
struct Log<'a> {
    mkp: &'a Digest,
    mkf: &'a Digest,
    /// Between the market and the writes.
    middle: &'a [Access],
    /// SUB and POS of target and insurance, MKO.
    writes: [&'a Digest; 5],
}

impl<'a> Log<'a> {
    fn of(record: &'a LiquidateRecord) -> Result<Self, RecordError> {
        let got = record.accesses.len();
        match record.accesses.as_slice() {
            [mkp, mkf, middle @ .., a, b, c, d, e] => Ok(Self {
                mkp: &mkp.old,
                mkf: &mkf.old,
                middle,
                writes: [&a.old, &b.old, &c.old, &d.old, &e.old],
            }),
            _ => Err(RecordError::Accesses { index: record.index, got }),
        }
    }

    /// `count` accesses from `at` on, or as many as there are.
    fn part(&self, at: usize, count: usize) -> &'a [Access] {
        let rest = self.middle.get(at..).unwrap_or_default();
        &rest[..count.min(rest.len())]
    }
}

/// Accesses of the table of a sub-account: its tokens and its positions in other markets.
fn reads(sub: &Digest, open: bool) -> usize {
    let holdings = sub[5].as_canonical_u32();
    let others = (holdings & 63).saturating_sub(u32::from(open));
    (2 * (holdings >> 6 & 15).count_ones() + 3 * others) as usize
}

impl<'a> Rows<'a> {
    /// The rows that the records need.
    pub(crate) fn of(
        context: &BatchContext,
        params: &'a Params,
        records: &[LiquidateRecord],
    ) -> Result<Self, RecordError> {
        let mut rows = Self { book: Book::new(context, params), takeovers: Vec::new() };
        for record in records {
            match &record.op {
                TradeOp::Takeover(op) => {
                    let row = rows.takeover(record, op)?;
                    rows.takeovers.push(row);
                }
                other => return Err(RecordError::Kind { index: record.index, code: other.code() }),
            }
        }
        Ok(rows)
    }

    fn takeover(&mut self, record: &LiquidateRecord, op: &ops::Takeover) -> Result<Takeover<F>, RecordError> {
        let log = Log::of(record)?;
        let price = self.book.price(op.market.get().into(), log.mkp, log.mkf);
        let [sub, pos, own_sub, own_pos, mko] = log.writes;
        let account = F::from_u32(op.target.account.get());
        let lots = op.lots.get();
        let (digits, unit) = (digits12::<4>(lots.into()), price.unit.map(|x| x.as_canonical_u32()));
        let unit_price = unit.iter().rev().fold(0u128, |acc, digit| (acc << 12) + u128::from(*digit));
        let notional = u128::from(lots) * unit_price;
        let mut row = Takeover {
            is_real: F::ONE,
            index: F::from_u32(record.index),
            account: U24::of(op.target.account.get()),
            account_inv: inverse(account * (account - F::ONE)),
            sub: F::from_u8(op.target.sub.get()),
            lots: felts(digits),
            lots_inv: inverse(felts::<4>(digits).into_iter().sum()),
            notional: felts(digits12(notional)),
            notional_carries: product_carries(&digits, &unit),
            target: Move::found(&mut self.book, &price, sub, pos),
            insurance: Move::found(&mut self.book, &price, own_sub, own_pos),
            price,
            ..Takeover::default()
        };
        let short = row.target.short_before == F::ONE;
        let way = if short { lots as i64 } else { -(lots as i64) };
        row.target.shift(way);
        let (first, second) = (reads(sub, true), reads(own_sub, row.insurance.flat_before == F::ZERO));
        row.insurance.shift(-way);
        row.reads = [first, second].map(F::from_usize);
        row.figures = self.book.target(row.ill(), log.part(0, first));
        row.gain = self.book.quote(&row.figures, notional).gain;
        pay(&mut row);
        sizes(&mut row, notional);
        row.interest = interest(mko, &row);
        self.book.judge(row.claim(), log.part(first + 2, second));
        Ok(row)
    }
}

/// The payment goes to the target and comes from insurance.
fn pay(row: &mut Takeover<F>) {
    let (digits, carries) = carry(&row.cash_sums(), 9);
    row.cash = core::array::from_fn(|k| digits.get(k).copied().unwrap_or_default());
    row.cash_carries = shifts(&carries);
    let paid = row.payment().map(signed);
    row.target.pay(paid);
    row.insurance.pay(paid.map(|limb| -limb));
}

/// Witnesses of the least notional and of the bounds of growth.
fn sizes(row: &mut Takeover<F>, notional: u128) {
    let high: F = row.notional[1..].iter().copied().sum();
    let is_high = notional >> 12 != 0;
    row.is_high = F::from_bool(is_high);
    row.high_inv = inverse(high);
    row.is_low = F::from_bool(row.target.flat_after == F::ZERO && !is_high);
    let [before, after] = row.insurance.lots().map(|[a, b]| signed(a) | signed(b) << 24);
    row.grows = F::from_bool(after > before);
    if after <= before {
        let fall = (before - after) as u128;
        row.fall = [0, 1].map(|k| U24::of(limb24(fall, k)));
        row.fall_borrow = F::from_bool(before & 0xff_ffff < after & 0xff_ffff);
    }
}

/// Open interest that was `before` and moves as both positions do.
fn interest(before: &Digest, row: &Takeover<F>) -> Interest<F> {
    let mut change = [0i64; 2];
    for [old, new] in [row.target.lots(), row.insurance.lots()] {
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

/// Fills the tables of the circuit: params, takeover, the tables of `tsz-margin`, target, quote.
///
/// # Errors
/// [`RecordError`] when no row can be made of a record or a table is too small. That the ops follow the rules is not
/// checked: the proof of one that does not is refused by the verifier.
pub(crate) fn op_traces(
    class: &Class,
    context: &BatchContext,
    params: &Params,
    records: &[LiquidateRecord],
) -> Result<Vec<Trace>, RecordError> {
    let Rows { book, takeovers } = Rows::of(context, params, records)?;
    let mut uses = [0; LISTS];
    for list in [List::Perps, List::Oracle, List::Collateral] {
        uses[list as usize] = 1;
    }
    let too_many = TooMany { table: "takeover", rows: 1 << class.takeovers, got: takeovers.len() };
    let takeover = table::matrix(&takeovers, class.takeovers, &Takeover::default()).ok_or(too_many)?;
    let mut traces = vec![params::trace(&params.digests(), uses), takeover];
    traces.extend(book.traces(&class.margin)?);
    traces.extend(book.target_traces([class.targets, class.targets])?);
    Ok(traces)
}
