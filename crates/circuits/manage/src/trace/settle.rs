//! Rows of a FundingSettle.

use tsz_air::{F, PrimeCharacteristicRing};
use tsz_gadgets::clock;
use tsz_gadgets::inverse;
use tsz_gadgets::limb::U24;
use tsz_gadgets::perps::{Funding, Uses};
use tsz_gadgets::product::{digits12, felts, product_carries};
use tsz_gadgets::signed::{Sign, steps};
use tsz_hash::{Block, Digest, PrimeField32};
use tsz_ledger::BatchContext;
use tsz_trade::ops::FundingSettle;
use tsz_trade::params::PERP_BLOCKS;

use crate::record::{ManageRecord, RecordError, accesses};
use crate::tables::{Payment, Settle};

fn int(x: F) -> i64 {
    i64::from(x.as_canonical_u32())
}

/// Signed limbs of a magnitude and a sign.
fn signed<const N: usize>(limbs: &[F], negative: F) -> [i64; N] {
    let sign = if negative == F::ONE { -1 } else { 1 };
    core::array::from_fn(|k| sign * limbs.get(k).map_or(0, |x| int(*x)))
}

fn join(limbs: &[i64]) -> i128 {
    limbs.iter().rev().fold(0, |acc, x| acc * (1 << 24) + i128::from(*x))
}

/// The lower digits of a product; a larger one satisfies nothing.
fn digits_of_product<const N: usize>(a: &[u32], b: &[u32]) -> [F; N] {
    let mut carry = 0u64;
    core::array::from_fn(|k| {
        let terms = a.iter().enumerate().filter_map(|(i, x)| {
            let y = b.get(k.checked_sub(i)?)?;
            Some(u64::from(*x) * u64::from(*y))
        });
        let sum = carry + terms.sum::<u64>();
        carry = sum >> 12;
        F::from_u64(sum & 0xfff)
    })
}

/// Columns of a payment, and its signed limbs.
fn payment(multiplier: F, mkf: &Digest, pos: &Digest) -> (Payment<F>, [i64; 4]) {
    let lots = digits12::<4>((int(pos[0]) | int(pos[1]) << 24) as u128);
    let qm = digits12::<2>(multiplier.as_canonical_u32().into());
    let (last, now) = (signed::<3>(&pos[3..6], pos[6]), signed::<3>(&mkf[..3], mkf[3]));
    let gap = join(&last) - join(&now);
    let size: [i64; 3] = core::array::from_fn(|k| (gap.unsigned_abs() >> (24 * k)) as i64 & 0xff_ffff);
    let sign = if gap < 0 { -1 } else { 1 };
    let gap_digits = digits12::<6>(gap.unsigned_abs());
    let weight_felts: [F; 6] = digits_of_product(&lots, &qm);
    let weight = weight_felts.map(|x| x.as_canonical_u32());
    let value: [F; 8] = digits_of_product(&weight, &gap_digits);
    let total = if pos[2] == F::ONE { -sign } else { sign };
    let lots_felts: [F; 4] = felts(lots);
    let limbs: [F; 3] = size.map(|x| F::from_u64(x as u64));
    let cols = Payment {
        lots: lots_felts,
        lots_inv: inverse(lots_felts.into_iter().sum()),
        is_short: pos[2],
        multiplier: felts(qm),
        last: [pos[3], pos[4], pos[5]],
        last_negative: pos[6],
        now: [mkf[0], mkf[1], mkf[2]],
        now_negative: mkf[3],
        gap: limbs.map(U24::of_felt),
        gap_sign: Sign::of(gap < 0, &limbs),
        gap_steps: steps(&last, &now.map(|x| -x), &size.map(|x| sign * x)),
        weight: weight_felts,
        weight_carries: product_carries(&lots, &qm),
        value,
        value_carries: product_carries(&weight, &gap_digits),
        sign: if total < 0 { -F::ONE } else { F::ONE },
    };
    let limb = |k: usize| total * (int(value[2 * k]) | int(value[2 * k + 1]) << 12);
    (cols, core::array::from_fn(limb))
}

/// The row of an op.
pub(super) fn row(
    markets: &mut [([Block; PERP_BLOCKS], Uses)],
    context: &BatchContext,
    record: &ManageRecord,
    op: &FundingSettle,
) -> Result<Settle<F>, RecordError> {
    let [mkp, mkf, sub, pos] = accesses::<4>(record)?;
    let error = RecordError::Market { index: record.index, market: op.market.get() };
    let (blocks, uses) = markets.get_mut(usize::from(op.market.get())).ok_or(error)?;
    uses.funding += 1;
    let market = Funding::of(blocks);
    let (payment, gained) = payment(market.multiplier, &mkf.old, &pos.old);
    let (hour, minute) = clock::now(context.time);
    let (old, new) = (&sub.old, &sub.new);
    Ok(Settle {
        is_real: F::ONE,
        index: F::from_u32(record.index),
        market,
        hour,
        minute,
        account: U24::of(op.party.account.get()),
        sub: F::from_u8(op.party.sub.get()),
        mkp: mkp.old,
        payment,
        old: core::array::from_fn(|k| old[k]),
        old_negative: old[4],
        holdings: old[5],
        new: core::array::from_fn(|k| U24::of_felt(new[k])),
        new_sign: Sign::of(new[4] == F::ONE, &new[..4]),
        steps: steps(&signed::<4>(old, old[4]), &gained, &signed::<4>(new, new[4])),
    })
}
