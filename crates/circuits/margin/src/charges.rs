//! Rows of liquidation fees, of prices against the band and of closes that would not be enough.

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32, Requests, Trace};
use tsz_gadgets::collect;
use tsz_gadgets::limb::U24;
use tsz_gadgets::product::{Scaled, digits12, felts, product_carries};

use crate::book::{Book, TooMany, matrix};
use crate::rows::{array, carry, notional, number, shifts, signed};
use crate::tables::{Band, BandSide, Charge, Minimal, MinimalAir, Need, WideSum};

impl Band<F> {
    /// Columns of a price given by digits; one on the other side satisfies nothing.
    pub fn of(price: &[F; 3], mark: &[F; 2], share: F, side: &BandSide<F>) -> Self {
        let mut row = Self { mark: U24::of_felt(mark[0]), ..Self::default() };
        let (gap, carries) = carry(&row.sums(price, &mark[1], &share, side), 4);
        row.gap = array(&gap);
        row.carries = shifts(&carries);
        row
    }
}

impl Charge<F> {
    /// Columns of the fee `min(rate * notional, surplus)`, or of none if `on` is not set or the surplus is negative.
    pub fn of(rate: u32, at_price: &[F; 5], surplus: &[F; 9], on: bool) -> Self {
        let units = number(at_price).unsigned_abs() as u64;
        let limit = u128::from(units) * u128::from(rate);
        let mut row = Self { limit: Scaled::of(units, rate), ..Self::default() };
        let over = surplus.iter().rev().fold(0i128, |acc, digit| (acc << 12) + i128::from(signed(*digit)));
        if on && over >= 0 {
            let over = over.unsigned_abs();
            row.is_limit = F::from_bool(limit <= over);
            row.is_surplus = F::from_bool(over < limit);
            row.fee = felts(digits12(limit.min(over)));
            row.gap = felts(digits12(limit.abs_diff(over)));
        }
        let (_, carries) = carry(&row.over(surplus), 9);
        row.carries = shifts(&carries);
        let mut borrow = 0;
        for (k, limb) in row.under().into_iter().enumerate().take(3) {
            borrow = -((signed(limb) - borrow) >> 24);
            row.borrows[2 * k] = F::from_bool(borrow & 1 == 1);
            row.borrows[2 * k + 1] = F::from_bool(borrow & 2 == 2);
        }
        row
    }
}

impl Book<'_> {
    /// A close that would not be enough; one that would satisfies nothing.
    pub fn minimal(&mut self, need: Need<F>) {
        let digits = |cells: &[F]| -> Vec<u32> { cells.iter().map(|x| x.as_canonical_u32()).collect() };
        let (lots, unit, unit_price) = (digits(&need.lots), digits(&need.unit), digits(&need.unit_price));
        let at_mark = notional(&need.lots, &need.unit);
        let at_price = notional(&need.lots, &need.unit_price);
        let quote = self.quote(&need.figures, at_mark);
        let rate = need.rate.as_canonical_u32();
        let mut row = Minimal {
            is_real: F::ONE,
            uses: F::ONE,
            at_mark: felts(digits12(at_mark)),
            mark_carries: product_carries(&lots, &unit),
            at_price: felts(digits12(at_price)),
            price_carries: product_carries(&lots, &unit_price),
            gain: quote.gain,
            held: self.held(need.market, &need.left, &need.unit),
            need,
            ..Minimal::default()
        };
        row.charge = Charge::of(rate, &row.at_price, &row.surplus(), true);
        row.initial = WideSum::of(&row.initial_sums());
        let (shortage, carries) = carry(&row.shortage_sums(), 9);
        row.shortage = array(&shortage);
        row.carries = shifts(&carries);
        self.minimals.push(row);
    }

    /// Rows of closes that would not be enough.
    pub fn minimal_count(&self) -> usize {
        self.minimals.len()
    }

    /// Trace of the table `minimal`, of 2^height rows.
    ///
    /// # Errors
    /// [`TooMany`] where rows do not fit.
    pub fn minimal_trace(&self, height: usize) -> Result<Trace, TooMany> {
        matrix("minimal", &self.minimals, height)
    }
}

/// The lookups of the table of [`Book::minimal_trace`].
pub fn minimal_requests(trace: &Trace) -> Requests {
    collect(&MinimalAir, trace, &[])
}
