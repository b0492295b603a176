//! Rows of a PremiumSample.

use tsz_air::{F, PrimeCharacteristicRing};
use tsz_gadgets::clock;
use tsz_gadgets::limb::U24;
use tsz_gadgets::signed::{Sign, steps};
use tsz_gadgets::{inverse, limb24};
use tsz_hash::{Digest, PrimeField32, step};
use tsz_ledger::{Access, BatchContext};
use tsz_trade::HOUR_MS;
use tsz_trade::ops::{PremiumReport, PremiumSample};
use tsz_trade::params::Params;

use super::{Rows, add, rules};
use crate::record::{OracleRecord, RecordError, accesses};
use crate::tables::{Group, Premium, PremiumSums, Said, Sample};

/// The signed sum in a cell MKS.
fn sum(leaf: &Digest) -> i64 {
    let [lo, hi, sign] = [0, 1, 2].map(|k| i64::from(leaf[k].as_canonical_u32()));
    (lo | hi << 24) * (1 - 2 * sign)
}

fn felt(value: i64) -> F {
    let magnitude = F::from_u64(value.unsigned_abs());
    if value < 0 { -magnitude } else { magnitude }
}

/// What the reports give, as the access log has it.
fn said(context: &BatchContext, access: &Access, feed: &Digest) -> Said<F> {
    let minute = 60 * (context.time / HOUR_MS) + u64::from(access.old[3].as_canonical_u32());
    Said {
        feed: *feed,
        minute: [0, 1].map(|k| F::from_u32(limb24(minute.into(), k))),
        premium: felt(sum(&access.new) - sum(&access.old)),
    }
}

fn premium(
    context: &BatchContext,
    report: &PremiumReport,
    group: Group<F>,
    access: &Access,
    said: &Said<F>,
) -> Premium<F> {
    let magnitude = report.premium.unsigned_abs();
    let (value, median) = (i64::from(report.premium), sum(&access.new) - sum(&access.old));
    let negative = report.premium < 0;
    let gap = value.abs_diff(median).saturating_sub(1);
    let mut row = Premium {
        group,
        magnitude: U24::of(magnitude),
        headroom: U24::of(crate::tables::MAX_PREMIUM.wrapping_sub(magnitude)),
        negative: F::from_bool(negative),
        negative_inv: if negative { inverse(F::from_u32(magnitude)) } else { F::ZERO },
        said: said.clone(),
        less: F::from_bool(value < median),
        more: F::from_bool(value > median),
        gap: U24::of(gap as u32),
        ..Premium::default()
    };
    let [a, b] = row.message();
    row.mid = step(&a, &context.system);
    row.digest = step(&b, &row.mid);
    row
}

fn sample(
    context: &BatchContext,
    params: &Params,
    record: &OracleRecord,
    op: &PremiumSample,
    [mkf, mks]: &[Access; 2],
) -> Sample<F> {
    let market = params.perp(op.market);
    let (hour, now) = clock::now(context.time);
    let hours = context.time / HOUR_MS;
    let minute = u64::from(mks.old[3].as_canonical_u32());
    let low = 60 * (hours & 0xff_ffff) + minute;
    let limbs = |leaf: &Digest| -> [i64; 2] {
        let sign = if leaf[2] == F::ONE { -1 } else { 1 };
        [0, 1].map(|k| sign * i64::from(leaf[k].as_canonical_u32()))
    };
    let gained = sum(&mks.new) - sum(&mks.old);
    Sample {
        is_real: F::ONE,
        index: F::from_u32(record.index),
        market: F::from_u8(op.market.get()),
        status: F::from_u32(market.map_or(0, |m| m.status as u32)),
        rules: rules(params),
        said: said(context, mks, &market.map_or_else(Digest::default, |m| m.feed)),
        reports: F::from_usize(op.reports.len()),
        funding: core::array::from_fn(|k| mkf.old[k]),
        hour,
        now,
        minute_lo: U24::of(low as u32 & 0xff_ffff),
        minute_carry: F::from_u64(low >> 24),
        minute: mks.old[3],
        old: [mks.old[0], mks.old[1]],
        old_negative: mks.old[2],
        new: U24::of_felt(mks.new[0]),
        new_hi: mks.new[1],
        sign: Sign::of(mks.new[2] == F::ONE, &mks.new[..2]),
        carries: steps(&limbs(&mks.old), &[gained], &limbs(&mks.new)),
    }
}

/// Adds the rows of an op.
pub(super) fn rows(
    rows: &mut Rows,
    context: &BatchContext,
    params: &Params,
    record: &OracleRecord,
    op: &PremiumSample,
) -> Result<(), RecordError> {
    let log = accesses::<2>(record)?;
    let market = rows.op(params, record.index, op.market)?;
    let said = said(context, &log[1], &market.feed);
    let mut sums = PremiumSums::default();
    for (place, signed) in op.reports.iter().enumerate() {
        let group = rows.group(params, record.index, signed.signer, place + 1 == op.reports.len())?;
        let mut row = premium(context, signed, group, &log[1], &said);
        sums = add(&sums, &row.terms());
        row.sums = sums.clone();
        rows.sign(&row.group, row.digest, signed.signature);
        rows.premiums.push(row);
    }
    rows.samples.push(sample(context, params, record, op, log));
    Ok(())
}
