//! PremiumSample: one row an op.
//!
//! Proven: the funding of a listed market is up to date; the minute that MKS waits for has begun, and a quorum of
//! signers reported on it and on the market's feed; MKS gains their median and waits for the next minute.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::clock;
use tsz_gadgets::limb::U24;
use tsz_gadgets::perps::lookup_feed;
use tsz_gadgets::row::{Row, Shape, c, pad8};
use tsz_gadgets::signed::{Sign, Step};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};

use super::premium::{Said, receive};
use super::rules::{Rules, lookup_rules};

/// `hi` of the cells MKF.
pub const MKF_HI: u32 = 1 << 24 | 4 << 18;
/// `hi` of the cells MKS.
pub const MKS_HI: u32 = 1 << 24 | 5 << 18;

columns! {
    /// One PremiumSample.
    pub struct Sample {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// Market; bound by `feed`.
        market: felt,
        /// Its status, whatever it is; bound by `feed`.
        status: felt,
        /// The rules; bound by `rules`.
        rules: (Rules),
        /// What the reports say; bound by `premium`.
        said: (Said),
        /// Number of reports; bound by `premium`.
        reports: felt,
        /// Funding index in MKF, which is only read; bound by the tuple.
        funding: [4],
        /// Hour in MKF and of the batch time; bound by the tuple and by `clock`.
        hour: [2],
        /// Minute of the batch time; bound by `clock`.
        now: felt,
        /// Low limb of the minute since the epoch; range12.
        minute_lo: (U24),
        /// What the low limb of 60 hour + minute carries; < 64 by two lookups.
        minute_carry: felt,
        /// Minute that MKS waits for; bound by the tuple.
        minute: felt,
        /// Magnitude of the sum found (24, 8 bits); bound by the tuple.
        old: [2],
        /// Its sign; boolean.
        old_negative: felt,
        /// Low limb of the magnitude left; range12.
        new: (U24),
        /// High limb; < 256 by two lookups.
        new_hi: felt,
        /// Its sign.
        sign: (Sign),
        /// Carry of the sum.
        carries: (Step * 1),
    }
}

op_air! {
    /// AIR of [`Sample`]. No public values: the time is that of the clock.
    SampleAir, Sample, "sample", 0
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for SampleAir {
    fn eval(&self, builder: &mut AB) {
        let s: Sample<AB::Expr> = current(builder);
        let mut row = Row::new(builder, s.is_real.clone(), s.index.clone(), Shape { n: 2, nv: 3 });
        lookup_feed(&mut row, &s.market, &s.status, &s.said.feed);
        lookup_rules(&mut row, &s.rules);
        receive(&mut row, &s.said, &s.reports);
        row.range(s.reports.clone() - s.rules.quorum.clone());
        clock::lookup(&mut row, &s.hour, &s.now);
        minute(&mut row, &s);

        row.u24(&s.new);
        row.narrow(&s.new_hi, 8);
        row.boolean(&s.old_negative);
        let new = [s.new.value(), s.new_hi.clone()];
        let premium = core::slice::from_ref(&s.said.premium);
        row.signed_sum((&s.old, &s.old_negative), premium, (&new, &s.sign), &s.carries);

        let market = s.market.clone();
        row.key(0, false, c(MKF_HI), market.clone());
        let [f0, f1, f2, sign] = s.funding.clone();
        let [h0, h1] = s.hour.clone();
        row.old(0, pad8(&[f0, f1, f2, sign, h0, h1]));
        row.key(1, true, c(MKS_HI), market);
        let cell = |[lo, hi]: [AB::Expr; 2], sign: &AB::Expr, minute: AB::Expr| {
            pad8(&[lo, hi, sign.clone(), minute])
        };
        row.old(1, cell(s.old.clone(), &s.old_negative, s.minute.clone()));
        row.new_value(0, cell(new, &s.sign.negative, s.minute.clone() + AB::Expr::ONE));
    }
}

/// The minute has begun, and the reports are of minute `60 hour + minute`.
///
/// `60 hour_0 + minute = m_0 + 2^24 carry`, `60 hour_1 + carry = m_1`: both sides are below 2^30 + 2^13.
fn minute<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, s: &Sample<AB::Expr>) {
    row.range(s.now.clone() - s.minute.clone());
    row.u24(&s.minute_lo);
    row.narrow(&s.minute_carry, 6);
    let [h0, h1] = s.hour.clone().map(|h| h * c::<AB::Expr>(60));
    let [m0, m1] = s.said.minute.clone();
    row.zero(m0 - s.minute_lo.value());
    let carried = s.minute_carry.clone() * c::<AB::Expr>(1 << 24);
    row.zero(h0 + s.minute.clone() - s.minute_lo.value() - carried);
    row.zero(h1 + s.minute_carry.clone() - m1);
}
