//! Rows of declared cells.

use core::array::from_fn;

use tsz_air::{F, PrimeCharacteristicRing};
use tsz_ext_sdk::Key as Place;
use tsz_gadgets::limb::U24;
use tsz_gadgets::{inverse, limb24, magnitude};
use tsz_ledger::{Access, Key, Leaf};

use super::{covered, limb};
use crate::record::ExtensionRecord;
use crate::runs::Run;
use crate::tables::cell::{Cell, STORAGE};
use crate::tables::margin::leg_cell::LEG_CELL;
use crate::tables::party::Party;

/// The rows of the cells of an op; `first` and `count`: number of the first one's access, accesses with the limits.
pub(crate) fn rows(
    record: &ExtensionRecord,
    parties: &[Party<F>],
    cells: &[Access],
    (first, count): (usize, usize),
) -> Vec<Cell<F>> {
    let mut writes = 0;
    let mut rows = Vec::with_capacity(cells.len());
    for (k, access) in cells.iter().enumerate() {
        let key = access.key;
        let mut row = Cell {
            run: Run::at(record.index, k, cells.len()),
            access: F::from_usize(first + k),
            base: F::from_usize(first),
            writes: F::from_u32(writes),
            count: F::from_usize(count),
            is_private: F::from_u32(key.hi() >> 25),
            is_system: F::from_u32(key.hi() >> 24 & 1),
            account: U24::of(key.hi() & 0xff_ffff),
            sub: F::from_u32(key.lo() >> 9),
            number: F::from_u32(key.lo() & 511),
            old: access.old,
            new: access.new,
            ..Cell::default()
        };
        if let Some(next) = cells.get(k + 1) {
            order(&mut row, key, next.key);
        }
        if access.write {
            writes += 1;
            write(&mut row, access, parties);
        }
        rows.push(row);
    }
    rows
}

/// The distance to the next key.
fn order(row: &mut Cell<F>, key: Key, next: Key) {
    let borrow = next.lo() < key.lo() + 1;
    let low = next.lo().wrapping_sub(key.lo()).wrapping_sub(1).wrapping_add(u32::from(borrow) << 14);
    let high = next.hi().wrapping_sub(key.hi()).wrapping_sub(borrow.into());
    row.gap_lo = U24::of(low & 0xff_ffff);
    row.gap_hi = U24::of(high & 0xff_ffff);
    row.gap_top = F::from_u32(high >> 24 & 3);
    row.borrow = F::from_bool(borrow);
}

/// What kind of write it is. One that no program may do is given a kind that it has not.
fn write(row: &mut Cell<F>, access: &Access, parties: &[Party<F>]) {
    let key = Place { hi: access.key.hi(), lo: access.key.lo() };
    let (account, sub) = (access.key.hi() & 0xff_ffff, access.key.lo() >> 9);
    let is_of = |p: &&Party<F>| p.account.value() == F::from_u32(account) && p.sub == F::from_u32(sub);
    let party = parties.iter().find(is_of);
    if let Some(party) = party.or(parties.first()) {
        row.party = covered(party);
    }
    if let Some((.., number)) = key.as_approval() {
        // a leg is none of these kinds
        if number == LEG_CELL {
            return;
        }
        row.is_store = F::ONE;
        row.at = F::from_u32(number.wrapping_sub(STORAGE) & 127);
        return;
    }
    row.at = F::from_u32(access.key.lo() & 127);
    row.old_digits = digits(&access.old);
    row.new_digits = digits(&access.new);
    let limit = row.party.tokens.iter().position(|t| *t == row.at + F::ONE);
    match (party, limit) {
        (Some(_), Some(limit)) => {
            row.is_limited = F::ONE;
            row.limit = from_fn(|k| F::from_bool(k == limit));
        }
        (None, _) if account == 0 => {
            row.is_fee = F::ONE;
            row.party = Default::default();
            rise(row, access);
        }
        _ => {
            row.is_free = F::ONE;
            let apart = |k: usize| row.at + F::ONE - row.party.tokens[k];
            row.apart = [apart(0) * apart(1), apart(2) * apart(3)];
            row.apart_inv = inverse(row.apart[0] * row.apart[1]);
            rise(row, access);
        }
    }
}

/// Digits of 12 bits of a balance.
fn digits(leaf: &Leaf) -> [F; 8] {
    from_fn(|k| F::from_u32(limb(leaf, k / 2) >> (12 * (k % 2)) & 0xfff))
}

/// A balance that does not fall.
fn rise(row: &mut Cell<F>, access: &Access) {
    let rise = magnitude(&access.new).wrapping_sub(magnitude(&access.old));
    row.rise = from_fn(|k| U24::of(limb24(rise, k)));
    let mut carry = 0;
    row.carries = from_fn(|k| {
        carry = (limb(&access.old, k) + limb24(rise, k) + carry) >> 24;
        F::from_u32(carry & 1)
    });
}
