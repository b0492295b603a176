//! Rows of charged limits.

use core::array::from_fn;

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32};
use tsz_ext_sdk::Key as Place;
use tsz_gadgets::limb::U24;
use tsz_gadgets::limb24;
use tsz_ledger::{Access, Leaf};

use super::{Spend, covered, felt, limb, signed};
use crate::record::ExtensionRecord;
use crate::runs::Run;
use crate::tables::limit::{Carry, LIMIT, Limit};
use crate::tables::party::Party;

/// The rows of the limits of an op; `access` and `value`: number of the first one's access, and of its written value.
pub(crate) fn rows(
    record: &ExtensionRecord,
    parties: &[Party<F>],
    spends: &[Spend],
    limits: &[Access],
    (access, value): (usize, usize),
) -> Vec<Limit<F>> {
    let ranks: Vec<u32> = limits.iter().map(|l| rank(parties, l)).collect();
    let row = |k: usize| {
        let (log, rank) = (&limits[k], ranks[k]);
        let mut row = Limit {
            run: Run::at(record.index, k, limits.len()),
            place: F::from_usize(k),
            access: F::from_usize(access),
            value: F::from_usize(value),
            limit: [rank & 1, rank >> 1 & 1].map(F::from_u32),
            allowed: from_fn(|k| log.old[k]),
            used: from_fn(|k| log.old[4 + k]),
            ..Limit::default()
        };
        if let Some(next) = ranks.get(k + 1) {
            row.gap = F::from_u32(*next) - F::from_u32(rank) - F::ONE;
        }
        if let Some(party) = parties.get(rank as usize / 4) {
            row.account = party.account.value();
            row.sub = party.sub;
            row.party = covered(party);
        }
        if let Some((_, change)) = spends.iter().find(|(of, _)| *of == F::from_u32(rank)) {
            row.change = *change;
        }
        charge(&mut row, log);
        row
    };
    (0..limits.len()).map(row).collect()
}

/// Number of the limit over all parties.
fn rank(parties: &[Party<F>], log: &Access) -> u32 {
    let (account, sub) = (F::from_u32(log.key.hi() & 0xff_ffff), F::from_u32(log.key.lo() >> 9));
    let party = parties.iter().position(|p| p.account.value() == account && p.sub == sub);
    let key = Place { hi: log.key.hi(), lo: log.key.lo() };
    let number = key.as_approval().map_or(0, |(_, _, _, number)| number.wrapping_sub(LIMIT) & 3);
    4 * party.unwrap_or_default() as u32 + number // at most 16 parties
}

/// The four limbs at `at`.
fn number(leaf: &Leaf, at: usize) -> i128 {
    (0..4).rev().fold(0, |sum, k| sum << 24 | i128::from(limb(leaf, at + k)))
}

/// What is left used and how it compares with the limit.
fn charge(row: &mut Limit<F>, log: &Access) {
    let delta = |k: usize| signed(row.change[2 * k]) + (signed(row.change[2 * k + 1]) << 12);
    let change = (0..4).rev().fold(0i128, |sum, k| (sum << 24) + i128::from(delta(k)));
    let rest = number(&log.old, 4) - change;
    let is_floored = rest < 0;
    let size = rest.unsigned_abs();
    row.is_floored = F::from_bool(is_floored);
    row.rest = from_fn(|k| U24::of(limb24(size, k)));
    let sign = if is_floored { -1 } else { 1 };
    let mut carry = 0;
    row.carries = from_fn(|k| {
        carry += i64::from(limb(&log.old, 4 + k)) - delta(k) - sign * i64::from(limb24(size, k));
        carry >>= 24;
        Carry { up: [F::from_bool(carry > 0), F::from_bool(carry > 1)], down: F::from_bool(carry < 0) }
    });
    let left = if is_floored { 0 } else { size };
    row.left = from_fn(|k| felt(limb24(left, k).into()));
    let room = (number(&log.old, 0) as u128).wrapping_sub(left);
    row.room = from_fn(|k| U24::of(limb24(room, k)));
    let mut borrow = 0;
    row.borrows = from_fn(|k| {
        borrow = u32::from(row.allowed[k].as_canonical_u32() < limb24(left, k) + borrow);
        F::from_u32(borrow)
    });
}
