//! Rows of takeovers.

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32};
use tsz_gadgets::limb::U24;
use tsz_gadgets::product::{digits12, felts, product_carries};
use tsz_gadgets::{inverse, limb24};
use tsz_hash::Digest;
use tsz_ledger::Access;
use tsz_margin::tables::Move;
use tsz_margin::{carry, shifts, signed};
use tsz_trade::ops;

use super::{Rows, interest, reads};
use crate::record::{LiquidateRecord, RecordError};
use crate::tables::Takeover;

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

impl Rows<'_> {
    /// The row of a takeover.
    pub(super) fn takeover(
        &mut self,
        record: &LiquidateRecord,
        op: &ops::Takeover,
    ) -> Result<Takeover<F>, RecordError> {
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
        row.interest = interest(mko, [row.target.lots(), row.insurance.lots()]);
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
