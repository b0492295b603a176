//! The clock: hour and minute of the batch time, one table row for all ops of a proof.
//!
//! Proven: an entry on `clock` is (hour, minute) with `T = 3600000 hour + 60000 minute + ms`, minute < 60 and
//! ms < 60000. The row says the same whatever its number of uses, so `uses` is free.

use tsz_air::{
    Air, BaseAir, Count, F, InteractionBuilder, LookupBus, PrimeCharacteristicRing, RowMajorMatrix,
};
use tsz_air::{TableAir, Trace};

use crate::columns;
use crate::layout::{Columns, names};
use crate::limb::U24;
use crate::product::Carry;
use crate::row::{Row, c, compose12};
use crate::table::current;

/// Milliseconds of an hour.
pub const HOUR_MS: u64 = 3_600_000;
/// Milliseconds of a minute.
pub const MINUTE_MS: u64 = 60_000;
/// Base 2^12 digits of [`HOUR_MS`] and [`MINUTE_MS`].
const HOUR: [u32; 2] = [HOUR_MS as u32 & 0xfff, (HOUR_MS >> 12) as u32];
const MINUTE: [u32; 2] = [MINUTE_MS as u32 & 0xfff, (MINUTE_MS >> 12) as u32];
/// log2 of the rows of the table.
pub const LOG_HEIGHT: usize = 6;

/// `clock`: hour (24, 3 bits), minute. Provided by the clock table.
const CLOCK: LookupBus<'static> = LookupBus::new("clock");

columns! {
    /// Hour since the epoch and minute of the hour of a time.
    pub struct Clock {
        /// 1 = the row is the clock; boolean.
        is_real: felt,
        /// Lookups; 0 on padding.
        uses: felt,
        /// Low 24 bits of the hour; range12.
        hour: (U24),
        /// High bits of the hour; < 8 by two lookups.
        hour_hi: felt,
        /// Minute of the hour; < 60 by two lookups.
        minute: felt,
        /// Milliseconds of the minute; range12.
        ms: (U24),
        /// 59,999 - ms; range12.
        ms_left: (U24),
        /// Base 2^12 digits of T; range12.
        time: [4],
        /// Carries of the sum.
        carries: (Carry * 3),
    }
}

/// AIR of [`Clock`]. Public values: T (2).
#[derive(Clone, Debug)]
pub struct ClockAir;

impl TableAir for ClockAir {
    fn name(&self) -> String {
        "clock".into()
    }
    fn column_names(&self) -> Vec<String> {
        names::<Clock<()>>()
    }
}

impl BaseAir<F> for ClockAir {
    fn width(&self) -> usize {
        <Clock<()> as Columns<()>>::WIDTH
    }
    fn num_public_values(&self) -> usize {
        2
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        Vec::new()
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for ClockAir {
    fn eval(&self, builder: &mut AB) {
        let k: Clock<AB::Expr> = current(builder);
        let time: [AB::Expr; 2] = core::array::from_fn(|i| builder.public_values()[i].into());
        let mut row = Row::bare(builder, k.is_real.clone());
        let real = row.real.clone();
        row.zero(k.uses.clone() * (AB::Expr::ONE - real.clone()));
        row.u24(&k.hour);
        row.narrow(&k.hour_hi, 3);
        row.range(k.minute.clone());
        row.range(k.minute.clone() + c::<AB::Expr>(4096 - 60));
        row.u24(&k.ms);
        row.u24(&k.ms_left);
        row.zero(k.ms.value() + k.ms_left.value() - real.clone() * c::<AB::Expr>(MINUTE_MS as u32 - 1));
        for digit in &k.time {
            row.range(digit.clone());
        }
        for (limb, t) in [compose12(&k.time[..2]), compose12(&k.time[2..])].into_iter().zip(time) {
            row.zero(limb - t * real.clone());
        }
        for carry in &k.carries {
            row.carry(carry);
        }
        // Digit j: terms + carry_(j-1) = time_j + 2^12 carry_j; at most three products of digits, below 2^26.
        let terms = k.terms();
        for (j, term) in terms.into_iter().enumerate() {
            let mut e = term - k.time[j].clone();
            if let Some(carry) = j.checked_sub(1).map(|i| &k.carries[i]) {
                e += carry.value();
            }
            if let Some(carry) = k.carries.get(j) {
                e -= carry.value() * c::<AB::Expr>(1 << 12);
            }
            row.zero(e);
        }
        let [h0, h1] = [k.hour.value(), k.hour_hi.clone()];
        CLOCK.table_entry(row.builder(), [h0, h1, k.minute.clone()], k.uses.clone());
    }
}

impl<E: PrimeCharacteristicRing + Clone> Clock<E> {
    /// `3600000 hour + 60000 minute + ms` by digits, carries not taken.
    fn terms(&self) -> [E; 4] {
        let hour = [&self.hour.lo, &self.hour.hi, &self.hour_hi];
        core::array::from_fn(|j| {
            let mut e = E::ZERO;
            for (i, weight) in HOUR.into_iter().enumerate() {
                if let Some(digit) = j.checked_sub(i).and_then(|at| hour.get(at)) {
                    e += (*digit).clone() * c::<E>(weight);
                }
            }
            if let Some(weight) = MINUTE.get(j) {
                e += self.minute.clone() * c::<E>(*weight);
            }
            match j {
                0 => e + self.ms.lo.clone(),
                1 => e + self.ms.hi.clone(),
                _ => e,
            }
        })
    }
}

/// The batch time is in this hour (24 and 3 bits) and minute, on real rows.
pub fn lookup<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, hour: &[AB::Expr; 2], minute: &AB::Expr) {
    let real = row.real.clone();
    let [h0, h1] = hour.clone();
    CLOCK.lookup_key(row.builder(), [h0, h1, minute.clone()], Count::bounded(real, 1));
}

/// Hour (24 and 3 bits) and minute of a time, as rows look them up.
pub fn now(time: u64) -> ([F; 2], F) {
    let (hour, minute) = (time / HOUR_MS, time % HOUR_MS / MINUTE_MS);
    let hour = [hour & 0xff_ffff, hour >> 24].map(|x| F::from_u32(x as u32));
    (hour, F::from_u32(minute as u32))
}

/// The table for `time` (below 2^48), looked up `uses` times.
pub fn trace(time: u64, uses: usize) -> Trace {
    let (hour, minute, ms) = (time / HOUR_MS, time % HOUR_MS / MINUTE_MS, time % MINUTE_MS);
    let mut row = Clock {
        is_real: F::ONE,
        uses: F::from_usize(uses),
        hour: U24::of(hour as u32 & 0xff_ffff),
        hour_hi: F::from_u64(hour >> 24),
        minute: F::from_u64(minute),
        ms: U24::of(ms as u32),
        ms_left: U24::of((MINUTE_MS - 1 - ms) as u32),
        time: core::array::from_fn(|j| F::from_u64(time >> (12 * j) & 0xfff)),
        ..Clock::default()
    };
    let mut carry = 0;
    let terms = row.terms().map(|x| u64::from(tsz_hash::PrimeField32::as_canonical_u32(&x)));
    for (to, term) in row.carries.iter_mut().zip(terms) {
        carry = (term + carry) >> 12;
        *to = Carry::of(carry);
    }
    let width = <Clock<()> as Columns<()>>::WIDTH;
    let mut values = Vec::with_capacity(width << LOG_HEIGHT);
    row.write(&mut |x: &F| values.push(*x));
    values.resize(width << LOG_HEIGHT, F::ZERO);
    RowMajorMatrix::new(values, width)
}
