//! FundingTick: one row an op.
//!
//! Proven: hour + 1 has begun. With open interest, in a market that is not settling, the hour's premiums move the
//! funding index by the rule of docs/src/domain.md section 8 and the hour by one; else the index stays and the hour
//! becomes that of the batch time. The samples are cleared.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::clamp::Clamp;
use tsz_gadgets::clock;
use tsz_gadgets::compare::Excess;
use tsz_gadgets::limb::U24;
use tsz_gadgets::perps::{Funding, SETTLING, lookup_funding};
use tsz_gadgets::product::Carry;
use tsz_gadgets::row::{Row, Shape, c, compose12, pad8};
use tsz_gadgets::signed::{Sign, Step};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};

use super::{MKF_HI, MKO_HI, MKP_HI, MKS_HI};

/// Samples of an hour, by whose number the sum is divided.
const SAMPLES: u32 = 60;

columns! {
    /// Which kind of tick it is.
    pub struct Idle {
        /// Open interest (24, 24, 8 bits); bound by the tuple.
        interest: [3],
        /// Inverse of its limb sum, or 0.
        interest_inv: felt,
        /// 1 = there is none; boolean, owned by the zero test.
        is_empty: felt,
        /// Inverse of status - 3, or 0.
        status_inv: felt,
        /// 1 = the market is settling; boolean, owned by the zero test.
        is_settling: felt,
        /// 1 = either: nobody pays funding, the hour jumps.
        is_idle: felt,
    }
}

columns! {
    /// The 8-hour rate: `clamp(premium + clamp(rate - premium, small), big)` with `premium = trunc(sum / 60)`, or 0 if an
    /// hour's sample is missing.
    pub struct Rate {
        /// Magnitude of the premium sum (24, 8 bits); bound by the tuple.
        sum: [2],
        /// Its sign; boolean.
        sum_negative: felt,
        /// Low limb of its 60th part; range12.
        average: (U24),
        /// High limb; < 16 by two lookups.
        average_hi: felt,
        /// sum - 60 average; < 60 by two lookups.
        rest: felt,
        /// 1 = all samples of the hour were taken; boolean, owned by the zero test.
        is_full: felt,
        /// Inverse of minute - 60, or 0.
        full_inv: felt,
        /// The signed average, 0 unless the hour is full.
        premium: felt,
        /// rate - premium within the small clamp.
        inner: (Clamp),
        /// premium + inner within the big clamp.
        outer: (Clamp),
    }
}

columns! {
    /// What the rate adds to the funding index: `trunc(rate / 8) * index`.
    pub struct Gain {
        /// 1 = the rate is negative; boolean.
        negative: felt,
        /// Low 12 bits of |rate| / 8; range12.
        eighth: felt,
        /// Bit 12; boolean.
        eighth_hi: felt,
        /// |rate| - 8 eighth; < 8 by two lookups.
        rest: felt,
        /// Low limb of the index price; range12.
        price: (U24),
        /// High limb; two lookups.
        price_hi: felt,
        /// Base 2^12 digits of the product; range12.
        product: [4],
        /// Its carries.
        carries: (Carry * 3),
        /// 1 or -1 by the sign of the rate, 0 if idle.
        weight: felt,
    }
}

columns! {
    /// One FundingTick.
    pub struct Tick {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// The market; bound by `funding`.
        market: (Funding),
        /// Hour of the batch time; bound by `clock`.
        now: [2],
        /// Minute of the batch time; bound by `clock`.
        minute_now: felt,
        /// Mark, time and flag in MKP, which is only read; bound by the tuple.
        mkp_rest: [5],
        /// Moves in MKO, which is only read; bound by the tuple.
        moves: [2],
        /// Minute in MKS; bound by the tuple.
        minute: felt,
        /// Which kind of tick.
        idle: (Idle),
        /// The rate.
        rate: (Rate),
        /// The gain.
        gain: (Gain),
        /// Magnitude of the funding index found; bound by the tuple.
        funding: [3],
        /// Its sign; boolean.
        funding_negative: felt,
        /// Magnitude left: 24, 24, 15 bits; range12.
        new_funding: (U24 * 3),
        /// Its sign.
        sign: (Sign),
        /// Carries of the sum.
        steps: (Step * 2),
        /// Hour found; bound by the tuple.
        hour: [2],
        /// now - hour - 1.
        due: (Excess),
        /// 1 = the low limb of the hour is 2^24 - 1 and one is added; boolean.
        hour_carry: felt,
        /// Low limb of the hour left; range12.
        new_hour: (U24),
        /// High limb.
        new_hour_hi: felt,
    }
}

op_air! {
    /// AIR of [`Tick`]. No public values: the time is that of the clock.
    TickAir, Tick, "tick", 0
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for TickAir {
    fn eval(&self, builder: &mut AB) {
        let t: Tick<AB::Expr> = current(builder);
        let mut row = Row::new(builder, t.is_real.clone(), t.index.clone(), Shape { n: 4, nv: 6 });
        lookup_funding(&mut row, &t.market);
        clock::lookup(&mut row, &t.now, &t.minute_now);
        idle(&mut row, &t);
        rate(&mut row, &t);
        gain(&mut row, &t);
        funding(&mut row, &t);
        hour(&mut row, &t);
        accesses(&mut row, &t);
    }
}

/// Zero tests: open interest limbs are below 2^24, so their sum is zero only if each is.
fn idle<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Tick<AB::Expr>) {
    let (i, real) = (&t.idle, row.real.clone());
    let interest: AB::Expr = i.interest.iter().cloned().sum();
    let status = t.market.status.clone() - c::<AB::Expr>(SETTLING) * real.clone();
    for (x, inverse, is_zero) in
        [(interest, &i.interest_inv, &i.is_empty), (status, &i.status_inv, &i.is_settling)]
    {
        row.zero(x.clone() * inverse.clone() + is_zero.clone() - real.clone());
        row.zero(x * is_zero.clone());
    }
    let (a, b) = (i.is_empty.clone(), i.is_settling.clone());
    row.zero(a.clone() + b.clone() - a * b - i.is_idle.clone());
}

/// `60 average + rest = sum`: 60 a_0 + rest - s_0 = 2^24 (s_1 - 60 a_1) with the bracket below 2^6, both sides below
/// 2^30. The average is below 2^28, the rate below 2^19, both clamps below 2^16 in size.
fn rate<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Tick<AB::Expr>) {
    let r = &t.rate;
    let samples = c::<AB::Expr>(SAMPLES);
    row.u24(&r.average);
    row.narrow(&r.average_hi, 4);
    row.range(r.rest.clone());
    row.range(r.rest.clone() + c::<AB::Expr>(4096 - SAMPLES));
    row.boolean(&r.sum_negative);
    let high = r.sum[1].clone() - samples.clone() * r.average_hi.clone();
    row.narrow(&high, 6);
    let low = samples.clone() * r.average.value() + r.rest.clone() - r.sum[0].clone();
    row.zero(low - high * c::<AB::Expr>(1 << 24));
    let sign = |negative: &AB::Expr| AB::Expr::ONE - negative.double();
    let average = r.average.value() + r.average_hi.clone() * c::<AB::Expr>(1 << 24);
    // a full hour has 60 samples
    let missing = t.minute.clone() - row.real.clone() * samples;
    row.zero(missing.clone() * r.full_inv.clone() + r.is_full.clone() - row.real.clone());
    row.zero(missing * r.is_full.clone());
    row.zero(r.is_full.clone() * sign(&r.sum_negative) * average - r.premium.clone());
    let m = &t.market;
    let gap = sign(&m.rate_negative) * m.rate.clone() - r.premium.clone();
    row.clamp(&r.inner, &gap, &m.small);
    row.clamp(&r.outer, &(r.premium.clone() + r.inner.value.clone()), &m.big);
}

/// |rate| = 8 eighth + rest, product = eighth * price. The rate is at most 40,000, so the eighth has 13 bits.
fn gain<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Tick<AB::Expr>) {
    let (g, real) = (&t.gain, row.real.clone());
    for bit in [&g.negative, &g.eighth_hi] {
        row.boolean(bit);
    }
    row.range(g.eighth.clone());
    row.narrow(&g.rest, 3);
    let sign = AB::Expr::ONE - g.negative.double();
    let eighth = [g.eighth.clone(), g.eighth_hi.clone()];
    let magnitude = compose12(&eighth) * c::<AB::Expr>(8) + g.rest.clone();
    row.zero(sign.clone() * magnitude - t.rate.outer.value.clone());
    row.u24(&g.price);
    row.narrow(&g.price_hi, 8);
    for digit in &g.product {
        row.range(digit.clone());
    }
    let price = [g.price.lo.clone(), g.price.hi.clone(), g.price_hi.clone()];
    row.product(&price, &eighth, &g.product, &g.carries);
    row.zero(sign * (real - t.idle.is_idle.clone()) - g.weight.clone());
}

/// The index gains the product with the weight's sign; its magnitude stays below 2^63.
fn funding<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Tick<AB::Expr>) {
    row.boolean(&t.funding_negative);
    let [a, b, top] = &t.new_funding;
    row.u24(a);
    row.u24(b);
    row.range(top.lo.clone());
    row.narrow(&top.hi, 3);
    let x: [AB::Expr; 2] =
        core::array::from_fn(|k| t.gain.weight.clone() * compose12(&t.gain.product[2 * k..2 * k + 2]));
    let new = t.new_funding.each_ref().map(U24::value);
    row.signed_sum((&t.funding, &t.funding_negative), &x, (&new, &t.sign), &t.steps);
}

/// hour < now; the hour left is hour + 1, or now if idle.
fn hour<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Tick<AB::Expr>) {
    let (idle, one) = (t.idle.is_idle.clone(), AB::Expr::ONE);
    let ticks = row.real.clone() - idle.clone();
    let [n0, n1] = t.now.clone();
    row.excess(&t.due, &[n0.clone() - row.real.clone(), n1.clone()], &t.hour);
    row.boolean(&t.hour_carry);
    row.u24(&t.new_hour);
    let (new, new_hi) = (t.new_hour.value(), t.new_hour_hi.clone());
    let [h0, h1] = t.hour.clone();
    let carry = t.hour_carry.clone();
    row.zero(ticks.clone() * (h0 + one - carry.clone() * c::<AB::Expr>(1 << 24) - new.clone()));
    row.zero(ticks * (h1 + carry - new_hi.clone()));
    row.zero(idle.clone() * (n0 - new));
    row.zero(idle * (n1 - new_hi));
}

fn accesses<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Tick<AB::Expr>) {
    let market = t.market.market.clone();
    let cells = [(MKP_HI, false), (MKO_HI, false), (MKS_HI, true), (MKF_HI, true)];
    for (j, (hi, write)) in (0..).zip(cells) {
        row.key(j, write, c(hi), market.clone());
    }
    let [m0, m1, t0, t1, settled] = t.mkp_rest.clone();
    row.old(0, pad8(&[t.gain.price.value(), t.gain.price_hi.clone(), m0, m1, t0, t1, settled]));
    let ([i0, i1, i2], [n0, n1]) = (t.idle.interest.clone(), t.moves.clone());
    row.old(1, pad8(&[i0, i1, i2, n0, n1]));
    let r = &t.rate;
    let [s0, s1] = r.sum.clone();
    row.old(2, pad8(&[s0, s1, r.sum_negative.clone(), t.minute.clone()]));
    row.new_value(0, pad8(&[]));
    let cell = |[f0, f1, f2]: [AB::Expr; 3], sign: &AB::Expr, h0: AB::Expr, h1: AB::Expr| {
        pad8(&[f0, f1, f2, sign.clone(), h0, h1])
    };
    let [h0, h1] = t.hour.clone();
    row.old(3, cell(t.funding.clone(), &t.funding_negative, h0, h1));
    let new = t.new_funding.each_ref().map(U24::value);
    row.new_value(1, cell(new, &t.sign.negative, t.new_hour.value(), t.new_hour_hi.clone()));
}
