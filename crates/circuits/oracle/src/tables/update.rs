//! OracleUpdate: one row an op.
//!
//! Proven: MKP of a listed market that is not settling becomes the medians and the time of a group of reports about
//! its feed; the group has a quorum; its time follows the one before and is in reach of the batch time; the prices
//! move at most by the bound, unless there was none or every report has the circuit breaker.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::compare::Excess;
use tsz_gadgets::perps::{SETTLING, lookup_feed};
use tsz_gadgets::product::{Carry, digits12};
use tsz_gadgets::row::{Row, Shape, c, pad8};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};

use super::median::{Median, receive};
use super::report::{Ticks, ticks};
use super::rules::{Rules, lookup_rules};

/// `hi` of the cells MKP.
pub const MKP_HI: u32 = 1 << 24 | 3 << 18;
/// Base 2^12 digits of 10^4, the scale of the bound.
const SCALE: [u32; 2] = [10_000 & 0xfff, 10_000 >> 12];
/// What carries of the bound are stored with: they are between -2^13 and 2^13.
const OFFSET: u32 = 1 << 13;

columns! {
    /// A price that moves from `old`.
    ///
    /// `slack = max_deviation old - 10^4 |new - old|`, digit by digit with carries between -2^13 and 2^13: at most
    /// four products of digits meet, so both sides are below 2^27 and the equations are of integers.
    pub struct Move {
        /// Price found.
        old: (Ticks),
        /// 1 = falls; boolean.
        falls: felt,
        /// |new - old|.
        by: (Ticks),
        /// Borrow of that difference; boolean.
        borrow: felt,
        /// Base 2^12 digits of what the bound leaves; range12.
        slack: [4],
        /// Carries plus 2^13.
        carries: (Carry * 3),
    }
}

impl Move<F> {
    /// Columns of a move under a bound; those of a move beyond it satisfy nothing.
    pub fn of(old: u32, new: u32, max_deviation: u16) -> Self {
        let (low, high) = (old.min(new), old.max(new));
        let by = high - low;
        let (allowed, moved) = (u64::from(max_deviation) * u64::from(old), 10_000 * u64::from(by));
        let slack = digits12::<4>(allowed.wrapping_sub(moved).into());
        let mut cols = Self {
            old: Ticks::of(old),
            falls: F::from_bool(new < old),
            by: Ticks::of(by),
            borrow: F::from_bool(high & 0xff_ffff < low & 0xff_ffff),
            slack: slack.map(F::from_u32),
            ..Self::default()
        };
        let deviation = digits12::<2>(max_deviation.into());
        let digits = |x: u32| digits12::<3>(x.into());
        let product = |x: [u32; 3], y: [u32; 2], k: usize| -> i64 {
            let term = |(j, y): (usize, &u32)| Some(i64::from(*x.get(k.checked_sub(j)?)?) * i64::from(*y));
            y.iter().enumerate().filter_map(term).sum()
        };
        let mut carry = 0;
        for (k, (to, slack)) in cols.carries.iter_mut().zip(slack).enumerate() {
            let sum = product(digits(old), deviation, k) - product(digits(by), SCALE, k);
            carry = (sum + carry - i64::from(slack)) >> 12;
            *to = Carry::of((carry + i64::from(OFFSET)) as u64 & 0x3fff);
        }
        cols
    }
}

columns! {
    /// One OracleUpdate.
    pub struct Update {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// Market; bound by `feed`.
        market: felt,
        /// Its status; bound by `feed`, not settling.
        status: felt,
        /// Inverse of status - 3.
        status_inv: felt,
        /// The rules; bound by `rules`.
        rules: (Rules),
        /// What the reports say; bound by `median`.
        median: (Median),
        /// Number of reports; bound by `median`.
        reports: felt,
        /// Those with the circuit breaker; bound by `median`.
        breakers: felt,
        /// Time found; bound by the tuple.
        old_ts: [2],
        /// ts - old_ts - 1.
        later: (Excess),
        /// T + delta - ts.
        ahead: (Excess),
        /// ts + delta - T.
        fresh: (Excess),
        /// 1 = there was no price; boolean.
        is_new: felt,
        /// 1 = the circuit breaker of all reports counts; boolean, not together with `is_new`.
        by_breaker: felt,
        /// Index price.
        moves_index: (Move),
        /// Mark price.
        moves_mark: (Move),
    }
}

op_air! {
    /// AIR of [`Update`]. Public values: T (2).
    UpdateAir, Update, "update", 2
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for UpdateAir {
    fn eval(&self, builder: &mut AB) {
        let u: Update<AB::Expr> = current(builder);
        let time: [AB::Expr; 2] = core::array::from_fn(|k| builder.public_values()[k].into());
        let mut row = Row::new(builder, u.is_real.clone(), u.index.clone(), Shape { n: 1, nv: 2 });
        let real = row.real.clone();
        let m = &u.median;
        lookup_feed(&mut row, &u.market, &u.status, &m.feed);
        let settling = c::<AB::Expr>(SETTLING);
        row.zero((u.status.clone() - settling) * u.status_inv.clone() - real);
        lookup_rules(&mut row, &u.rules);
        receive(&mut row, m, [&u.reports, &u.breakers]);
        row.range(u.reports.clone() - u.rules.quorum.clone());
        in_time(&mut row, &u, &time);
        bounded(&mut row, &u);

        row.key(0, true, c(MKP_HI), u.market.clone());
        let cell = |index: [AB::Expr; 2], mark: [AB::Expr; 2], ts: &[AB::Expr; 2]| {
            let ([i0, i1], [m0, m1], [t0, t1]) = (index, mark, ts.clone());
            pad8(&[i0, i1, m0, m1, t0, t1])
        };
        row.old(0, cell(u.moves_index.old.limbs(), u.moves_mark.old.limbs(), &u.old_ts));
        row.new_value(0, cell(m.index.clone(), m.mark.clone(), &m.ts));
    }
}

/// old_ts < ts, ts <= T + delta, T <= ts + delta.
fn in_time<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, u: &Update<AB::Expr>, time: &[AB::Expr; 2]) {
    let real = row.real.clone();
    let now = time.clone().map(|t| t * real.clone());
    let [t0, t1] = u.median.ts.clone();
    let sum = |a: &[AB::Expr; 2], b: &[AB::Expr; 2]| [0, 1].map(|k| a[k].clone() + b[k].clone());
    row.excess(&u.later, &[t0 - real, t1], &u.old_ts);
    row.excess(&u.ahead, &sum(&now, &u.rules.delta), &u.median.ts);
    row.excess(&u.fresh, &sum(&u.median.ts, &u.rules.delta), &now);
}

/// The prices move within the bound, or need not.
fn bounded<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, u: &Update<AB::Expr>) {
    let free = u.is_new.clone() + u.by_breaker.clone();
    for bit in [&u.is_new, &u.by_breaker, &free] {
        row.boolean(bit);
    }
    row.zero(u.by_breaker.clone() * (u.reports.clone() - u.breakers.clone()));
    let bound = row.real.clone() - free;
    for (moves, new) in [(&u.moves_index, &u.median.index), (&u.moves_mark, &u.median.mark)] {
        row.zero(u.is_new.clone() * moves.old.sum());
        price_move(row, moves, new, (&u.rules.max_deviation, &bound));
    }
}

/// `by` is how far the price moves; if `bound` is 1 it is within the largest move.
fn price_move<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    m: &Move<AB::Expr>,
    new: &[AB::Expr; 2],
    (max, bound): (&[AB::Expr; 2], &AB::Expr),
) {
    ticks(row, &m.old);
    ticks(row, &m.by);
    row.boolean(&m.falls);
    row.boolean(&m.borrow);
    let sign = AB::Expr::ONE - m.falls.double();
    let (old, by) = (m.old.limbs(), m.by.limbs());
    let [d0, d1] = [0, 1].map(|k| sign.clone() * (new[k].clone() - old[k].clone()) - by[k].clone());
    row.zero(d0 + m.borrow.clone() * c::<AB::Expr>(1 << 24));
    row.zero(d1 - m.borrow.clone());
    for digit in &m.slack {
        row.range(digit.clone());
    }
    for carry in &m.carries {
        row.carry(carry);
    }
    let (old, by) = (m.old.digits(), m.by.digits());
    let carry = |k: usize| m.carries.get(k).map(|x| x.value() - c::<AB::Expr>(OFFSET));
    for (k, slack) in m.slack.iter().enumerate() {
        let mut e = AB::Expr::ZERO;
        for j in 0..2 {
            let Some(at) = k.checked_sub(j).filter(|at| *at < 3) else { continue };
            e += old[at].clone() * max[j].clone() - by[at].clone() * c::<AB::Expr>(SCALE[j]);
        }
        e -= slack.clone();
        if let Some(from) = k.checked_sub(1).and_then(carry) {
            e += from;
        }
        if let Some(to) = carry(k) {
            e -= to * c::<AB::Expr>(1 << 12);
        }
        row.zero(bound.clone() * e);
    }
}
