//! Rows of forced closes.

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32};
use tsz_gadgets::inverse;
use tsz_gadgets::limb::U24;
use tsz_gadgets::owner::Owner;
use tsz_gadgets::product::{digits12, felts, product_carries};
use tsz_hash::Digest;
use tsz_margin::tables::{self, Band};
use tsz_margin::{number, signed};
use tsz_trade::ops::ForcedClose;
use tsz_trade::order::Side;
use tsz_trade::params::Status;
use tsz_types::Price;

use super::close::{Terms, admission};
use super::{Rows, small};
use crate::record::{LiquidateRecord, RecordError};
use crate::tables::{Forced, Queue};

/// Accesses of an op whose sender is not the owner, whose market settles, whose position is the reason.
const STOPS: [usize; 3] = [3, 5, 7];
/// Unit of fractions.
const FRACTION: i64 = 10_000;

impl Rows<'_> {
    /// The row of a ForcedClose, and of its fill. Which reason there is for a no-op is seen from the length of the log.
    pub(super) fn force(&mut self, record: &LiquidateRecord, op: &ForcedClose) -> Result<(), RecordError> {
        let accesses = record.accesses.as_slice();
        let got = accesses.len();
        let error = RecordError::Accesses { index: record.index, got };
        let [serial, chain, acct, rest @ ..] = accesses else { return Err(error) };
        let lots = digits12::<4>(op.lots.get().into());
        let limit = digits12::<3>(op.limit.get().into());
        let mut row = Forced {
            is_real: F::ONE,
            index: F::from_u32(record.index),
            accesses: F::from_usize(got),
            values: F::from_usize(got + accesses.iter().filter(|access| access.write).count()),
            account: U24::of(op.party.account.get()),
            sub: F::from_u8(op.party.sub.get()),
            market: F::from_u8(op.market.get()),
            is_buy: F::from_bool(op.side == Side::Buy),
            lots: felts(lots),
            lots_inv: inverse(felts::<4>(lots).into_iter().sum()),
            limit: felts(limit),
            owner: Owner::of(&acct.old, &op.sender.to_felts()),
            queue: Queue::of(&serial.old, &chain.old, &op.record()),
            ..Forced::default()
        };
        if got == STOPS[0] {
            self.unlisted(&mut row, op);
        }
        if let [mkp, mkf, rest @ ..] = rest {
            row.price = self.book.price(op.market.get().into(), &mkp.old, &mkf.old);
            row.is_settling = F::from_bool(got == STOPS[1]);
            value(&mut row, &lots);
            if let [sub, pos, ..] = rest {
                found(&mut row, &sub.old, &pos.old);
                self.read(&mut row, record, op)?;
            }
        }
        row.trades = row.reaches() * (F::ONE - row.price.is_settled);
        row.status_inv = inverse(row.price.status - F::from_u32(Status::Settling as u32));
        row.edge = row.edge();
        row.edge_inv = inverse(row.edge);
        row.is_end = F::from_bool(row.edge == F::ZERO);
        row.compares = row.fits() * (F::ONE - row.is_end);
        row.band = Band::of(&row.limit, &row.price.mark, row.listed.band, &row.side());
        self.forced.push(row);
        Ok(())
    }

    fn unlisted(&mut self, row: &mut Forced<F>, op: &ForcedClose) {
        if row.owner.holds() {
            row.is_unlisted = F::ONE;
            row.listed = self.book.unlisted();
            row.excess = F::from_u8(op.market.get()) - row.listed.market;
        }
    }

    /// What the position and the price say.
    fn read(
        &mut self,
        row: &mut Forced<F>,
        record: &LiquidateRecord,
        op: &ForcedClose,
    ) -> Result<(), RecordError> {
        let stops = record.accesses.len() == STOPS[2];
        if stops && self.refuses(row, op) {
            return Ok(());
        }
        let written = admission(&record.accesses);
        row.is_filled = F::from_bool(written.is_some());
        row.is_liquidatable = F::ONE - row.is_filled;
        row.listed = self.book.listed(op.market.get().into());
        row.reads = row.table();
        gap(row, op.lots.get());
        row.cap = self.book.cap(op.market.get().into(), at_mark(row), false);
        (row.is_due, row.settled) =
            self.book.settle(held(row), row.is_short, (row.last, row.last_negative), &row.price);
        let count = small(row.reads);
        let rest = record.accesses.get(STOPS[2]..).unwrap_or_default();
        row.figures = self.book.target(row.ill(), &rest[..count.min(rest.len())]);
        match (&op.fill, written) {
            (Some(fill), Some(_)) => {
                let terms = Terms {
                    party: op.party,
                    lots: op.lots,
                    maker: &fill.maker,
                    maker_fee: fill.maker_fee,
                    taker_fee: fill.taker_fee,
                    is_forced: true,
                    price: row.price.clone(),
                };
                let close = self.close(record, &terms)?;
                self.closes.push(close);
                Ok(())
            }
            (None, Some(_)) => Err(RecordError::Accesses { index: record.index, got: record.accesses.len() }),
            _ => Ok(()),
        }
    }

    /// Whether there is a reason for a no-op before the table; the first of them.
    fn refuses(&mut self, row: &mut Forced<F>, op: &ForcedClose) -> bool {
        let (size, lots) = (held(row), op.lots.get());
        let at_mark = at_mark(row);
        let is_short = row.is_short == F::ONE;
        let reason = if size == 0 || row.price.is_settled == F::ONE {
            &mut row.is_none
        } else if is_short != (op.side == Side::Buy) {
            &mut row.is_wrong
        } else if lots == 0 {
            &mut row.is_empty
        } else if lots > size {
            &mut row.is_over
        } else if at_mark >> 60 != 0 {
            &mut row.is_huge
        } else if at_mark >> 56 != 0 {
            &mut row.is_bulky
        } else if at_mark > self.bound(op) {
            &mut row.is_beyond
        } else if op.limit != end(op) && conceded(&row.price, op, self.band(op)) < 0 {
            &mut row.is_outside
        } else {
            return false;
        };
        *reason = F::ONE;
        if row.is_outside == F::ONE {
            row.listed = self.book.listed(op.market.get().into());
        }
        if row.is_over == F::ONE {
            gap(row, lots);
        }
        if row.is_beyond == F::ONE {
            row.cap = self.book.cap(op.market.get().into(), at_mark, true);
        }
        true
    }

    /// Bound of the last tier.
    fn bound(&self, op: &ForcedClose) -> u128 {
        let tiers = self.params.perp(op.market).map(|market| market.tiers.as_slice());
        tiers.and_then(|tiers| tiers.last()).map_or(0, |tier| tier.bound.get())
    }

    fn band(&self, op: &ForcedClose) -> i64 {
        self.params.perp(op.market).map_or(0, |market| market.forced_band.get().into())
    }
}

/// The limit that concedes all that there is.
fn end(op: &ForcedClose) -> Price {
    match op.side {
        Side::Buy => Price::MAX,
        Side::Sell => Price::MIN,
    }
}

/// lots * mark * qm.
fn at_mark(row: &Forced<F>) -> u128 {
    number(&row.at_mark).unsigned_abs()
}

fn held(row: &Forced<F>) -> u64 {
    number(&row.held).unsigned_abs() as u64
}

/// What the lots are worth at the mark.
fn value(row: &mut Forced<F>, lots: &[u32; 4]) {
    let unit = row.price.unit.map(|digit| digit.as_canonical_u32());
    let worth = number(&felts(*lots)).unsigned_abs() * number(&row.price.unit).unsigned_abs();
    row.at_mark = felts(digits12(worth));
    row.mark_carries = product_carries(lots, &unit);
    row.huge_inv = inverse(row.at_mark[5..].iter().copied().sum());
}

/// What SUB and POS say.
fn found(row: &mut Forced<F>, sub: &Digest, pos: &Digest) {
    let size = u64::from(pos[0].as_canonical_u32()) | u64::from(pos[1].as_canonical_u32()) << 24;
    let holdings = sub[5].as_canonical_u32();
    row.held = felts(digits12(size.into()));
    row.is_short = pos[2];
    (row.last, row.last_negative) = ([pos[3], pos[4], pos[5]], pos[6]);
    row.collateral = core::array::from_fn(|k| sub[k]);
    row.negative = sub[4];
    row.positions = F::from_u32(holdings & 63);
    row.mask = core::array::from_fn(|k| F::from_u32(holdings >> (6 + k) & 1));
}

/// |size| - lots, or lots - |size| - 1 where that is the reason.
fn gap(row: &mut Forced<F>, lots: u64) {
    let (size, one) = (held(row), u64::from(row.is_over == F::ONE));
    let (more, less) = if one == 1 { (lots, size + 1) } else { (size, lots) };
    let gap = more.wrapping_sub(less);
    row.gap = [0, 24].map(|s| U24::of((gap >> s) as u32 & 0xff_ffff));
    let low = |x: u64| (x & 0xff_ffff) as i64;
    let first = if one == 1 { low(lots) - low(size) - 1 } else { low(size) - low(lots) };
    row.gap_borrow = F::from_bool(first < 0);
}

/// What a limit concedes beyond the band, times 10^4.
fn conceded(price: &tables::Price<F>, op: &ForcedClose, band: i64) -> i64 {
    let mark = signed(price.mark[0]) + (signed(price.mark[1]) << 24);
    let apart = i64::from(op.limit.get()) - mark;
    let conceded = if op.side == Side::Buy { apart } else { -apart };
    FRACTION * conceded - mark * band
}
