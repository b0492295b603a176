//! Rows of an OracleUpdate.

use tsz_air::{F, PrimeCharacteristicRing};
use tsz_gadgets::compare::{Compare, Excess};
use tsz_gadgets::limb::U24;
use tsz_gadgets::{inverse, limb24};
use tsz_hash::{Digest, PrimeField32, step};
use tsz_ledger::{Access, BatchContext};
use tsz_trade::ops::{OracleUpdate, PriceReport};
use tsz_trade::params::Params;

use super::{Rows, add, rules};
use crate::record::{OracleRecord, RecordError, accesses};
use crate::tables::{Group, Median, Move, Report, Sums, Ticks, Update};

/// Limbs of 24 bits as the integers of [`Excess`].
fn limbs(value: u64) -> [i64; 2] {
    [value & 0xff_ffff, value >> 24].map(|x| x as i64)
}

fn wide(value: u64) -> [U24<F>; 2] {
    [0, 1].map(|k| U24::of(limb24(value.into(), k)))
}

/// A price in a cell, from two of its felts.
fn price(leaf: &Digest, at: usize) -> u32 {
    leaf[at].as_canonical_u32() | leaf[at + 1].as_canonical_u32() << 24
}

/// The time in a cell MKP.
fn time(leaf: &Digest) -> u64 {
    u64::from(leaf[4].as_canonical_u32()) | u64::from(leaf[5].as_canonical_u32()) << 24
}

/// What the reports give, as the access log has it.
fn median(access: &Access, feed: &Digest) -> Median<F> {
    let [i0, i1, m0, m1, t0, t1, ..] = access.new;
    Median { feed: *feed, index: [i0, i1], mark: [m0, m1], ts: [t0, t1] }
}

fn report(
    context: &BatchContext,
    report: &PriceReport,
    group: Group<F>,
    access: &Access,
    feed: &Digest,
) -> Report<F> {
    let ts = report.ts.get();
    let mut row = Report {
        group,
        index: Ticks::of(report.index),
        mark: Ticks::of(report.mark),
        confidence: Ticks::of(report.confidence),
        breaker: F::from_bool(report.breaker),
        ts: wide(ts),
        median: median(access, feed),
        index_cmp: Compare::of(report.index, price(&access.new, 0)),
        mark_cmp: Compare::of(report.mark, price(&access.new, 2)),
        age: Excess::of(limbs(ts), limbs(time(&access.new))),
        ..Report::default()
    };
    row.index_inv = inverse(row.index.sum());
    row.mark_inv = inverse(row.mark.sum());
    let [a, b, c] = row.message();
    row.mid_a = step(&a, &context.system);
    row.mid_b = step(&b, &row.mid_a);
    row.digest = step(&c, &row.mid_b);
    row
}

fn update(
    context: &BatchContext,
    params: &Params,
    record: &OracleRecord,
    op: &OracleUpdate,
    access: &Access,
) -> Update<F> {
    let oracle = &params.oracle;
    let (ts, now) = (limbs(time(&access.new)), limbs(context.time));
    let sum = |a: [i64; 2], b: [i64; 2]| [a[0] + b[0], a[1] + b[1]];
    let [old_index, old_mark] = [0, 2].map(|at| price(&access.old, at));
    let [new_index, new_mark] = [0, 2].map(|at| price(&access.new, at));
    let breakers = op.reports.iter().filter(|r| r.breaker).count();
    let is_new = old_index == 0;
    let market = params.perp(op.market);
    let status = F::from_u32(market.map_or(0, |m| m.status as u32));
    let deviation = oracle.max_deviation.get();
    Update {
        is_real: F::ONE,
        index: F::from_u32(record.index),
        market: F::from_u8(op.market.get()),
        status,
        status_inv: inverse(status - F::from_u32(tsz_gadgets::perps::SETTLING)),
        rules: rules(params),
        median: median(access, &market.map_or_else(Digest::default, |m| m.feed)),
        reports: F::from_usize(op.reports.len()),
        breakers: F::from_usize(breakers),
        old_ts: [access.old[4], access.old[5]],
        later: Excess::of([ts[0] - 1, ts[1]], limbs(time(&access.old))),
        ahead: Excess::of(sum(now, limbs(oracle.delta)), ts),
        fresh: Excess::of(sum(ts, limbs(oracle.delta)), now),
        is_new: F::from_bool(is_new),
        by_breaker: F::from_bool(!is_new && breakers == op.reports.len()),
        moves_index: Move::of(old_index, new_index, deviation),
        moves_mark: Move::of(old_mark, new_mark, deviation),
    }
}

/// Adds the rows of an op.
pub(super) fn rows(
    rows: &mut Rows,
    context: &BatchContext,
    params: &Params,
    record: &OracleRecord,
    op: &OracleUpdate,
) -> Result<(), RecordError> {
    let [access] = accesses::<1>(record)?;
    let market = rows.op(params, record.index, op.market)?;
    let mut sums = Sums::default();
    let oldest = op.reports.iter().position(|r| r.ts.get() == time(&access.new));
    for (place, signed) in op.reports.iter().enumerate() {
        let group = rows.group(params, record.index, signed.signer, place + 1 == op.reports.len())?;
        let mut row = report(context, signed, group, access, &market.feed);
        row.is_oldest = F::from_bool(oldest == Some(place));
        sums = add(&sums, &row.terms());
        row.sums = sums.clone();
        rows.sign(&row.group, row.digest, signed.signature);
        rows.reports.push(row);
    }
    rows.updates.push(update(context, params, record, op, access));
    Ok(())
}
