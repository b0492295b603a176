//! Rows of a FundingTick.

use tsz_air::{F, PrimeCharacteristicRing};
use tsz_gadgets::clamp::Clamp;
use tsz_gadgets::clock;
use tsz_gadgets::compare::Excess;
use tsz_gadgets::inverse;
use tsz_gadgets::limb::U24;
use tsz_gadgets::perps::{Funding, SETTLING, Uses};
use tsz_gadgets::product::{digits12, felts, product_carries};
use tsz_gadgets::signed::{Sign, steps};
use tsz_hash::{Block, Digest, PrimeField32};
use tsz_ledger::BatchContext;
use tsz_ledger::cells::MINUTES;
use tsz_trade::HOUR_MS;
use tsz_trade::ops::FundingTick;
use tsz_trade::params::{PERP_BLOCKS, Params, PerpMarket};

use crate::record::{ManageRecord, RecordError, accesses};
use crate::tables::{Gain, Idle, Rate, Tick};

fn int(x: F) -> i64 {
    i64::from(x.as_canonical_u32())
}

fn felt(value: i64) -> F {
    let magnitude = F::from_u64(value.unsigned_abs());
    if value < 0 { -magnitude } else { magnitude }
}

fn idle(interest: &Digest, status: F) -> Idle<F> {
    let interest = core::array::from_fn(|k| interest[k]);
    let sum: F = interest.into_iter().sum();
    let distance = status - F::from_u32(SETTLING);
    let (is_empty, is_settling) = (sum == F::ZERO, distance == F::ZERO);
    Idle {
        interest,
        interest_inv: inverse(sum),
        is_empty: F::from_bool(is_empty),
        status_inv: inverse(distance),
        is_settling: F::from_bool(is_settling),
        is_idle: F::from_bool(is_empty || is_settling),
    }
}

/// Columns of the rate that a premium sum gives, and its value.
fn rate(mks: &Digest, market: &PerpMarket) -> (Rate<F>, i64) {
    let sum = int(mks[0]) | int(mks[1]) << 24;
    let average = sum / 60;
    let missing = mks[3] - F::from_u8(MINUTES);
    let premium = match (missing == F::ZERO, mks[2] == F::ONE) {
        (false, _) => 0,
        (_, true) => -average,
        _ => average,
    };
    let rules = market.funding();
    let (small, big) = (i64::from(rules.small), i64::from(rules.big));
    let gap = i64::from(rules.rate) - premium;
    let outer = premium + gap.clamp(-small, small);
    let cols = Rate {
        sum: [mks[0], mks[1]],
        sum_negative: mks[2],
        average: U24::of(average as u32 & 0xff_ffff),
        average_hi: felt(average >> 24),
        rest: felt(sum % 60),
        is_full: F::from_bool(missing == F::ZERO),
        full_inv: inverse(missing),
        premium: felt(premium),
        inner: Clamp::of(gap, small),
        outer: Clamp::of(outer, big),
    };
    (cols, outer.clamp(-big, big))
}

/// Columns of what a rate adds, and the signed limbs of that.
fn gain(mkp: &Digest, rate: i64, is_idle: bool) -> (Gain<F>, [i64; 2]) {
    let price = mkp[0].as_canonical_u32() | mkp[1].as_canonical_u32() << 24;
    let size = rate.unsigned_abs();
    let (digits, eighth) = (digits12::<3>(price.into()), digits12::<2>((size / 8).into()));
    let product = digits12::<4>(u128::from(price) * u128::from(size / 8));
    let weight = match (is_idle, rate < 0) {
        (true, _) => 0,
        (_, true) => -1,
        _ => 1,
    };
    let cols = Gain {
        negative: F::from_bool(rate < 0),
        eighth: F::from_u32(eighth[0]),
        eighth_hi: F::from_u32(eighth[1]),
        rest: F::from_u64(size % 8),
        price: U24::of(price & 0xff_ffff),
        price_hi: F::from_u32(price >> 24),
        product: felts(product),
        carries: product_carries(&digits, &eighth),
        weight: felt(weight),
    };
    let limb = |k: usize| weight * i64::from(product[2 * k] + (product[2 * k + 1] << 12));
    (cols, [limb(0), limb(1)])
}

fn signed(leaf: &Digest) -> [i64; 3] {
    let sign = if leaf[3] == F::ONE { -1 } else { 1 };
    core::array::from_fn(|k| sign * int(leaf[k]))
}

/// The row of an op.
pub(super) fn row(
    markets: &mut [([Block; PERP_BLOCKS], Uses)],
    context: &BatchContext,
    params: &Params,
    record: &ManageRecord,
    op: &FundingTick,
) -> Result<Tick<F>, RecordError> {
    let [mkp, mko, mks, mkf] = accesses::<4>(record)?;
    let error = RecordError::Market { index: record.index, market: op.market.get() };
    let (blocks, uses) = markets.get_mut(usize::from(op.market.get())).ok_or(error)?;
    uses.funding += 1;
    let listed = params.perp(op.market).ok_or(error)?;
    let market = Funding::of(blocks);
    let idle = idle(&mko.old, market.status);
    let (rate, value) = rate(&mks.old, listed);
    let (gain, x) = gain(&mkp.old, value, idle.is_idle == F::ONE);
    let (now, minute_now) = clock::now(context.time);
    let hours = (context.time / HOUR_MS) as i64;
    let (old, new) = (&mkf.old, &mkf.new);
    Ok(Tick {
        is_real: F::ONE,
        index: F::from_u32(record.index),
        market,
        now,
        minute_now,
        mkp_rest: core::array::from_fn(|k| mkp.old[k + 2]),
        moves: [mko.old[3], mko.old[4]],
        minute: mks.old[3],
        idle,
        rate,
        gain,
        funding: core::array::from_fn(|k| old[k]),
        funding_negative: old[3],
        new_funding: core::array::from_fn(|k| U24::of_felt(new[k])),
        sign: Sign::of(new[3] == F::ONE, &new[..3]),
        steps: steps(&signed(old), &x, &signed(new)),
        hour: [old[4], old[5]],
        due: Excess::of([(hours & 0xff_ffff) - 1, hours >> 24], [int(old[4]), int(old[5])]),
        hour_carry: F::from_bool(old[4] == F::from_u32(0xff_ffff)),
        new_hour: U24::of_felt(new[4]),
        new_hour_hi: new[5],
    })
}
