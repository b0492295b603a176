//! A declared cell of an operation: read, or written where the guard allows it.
//!
//! Proven on a real row: the cell is an access of the op, in strict order of keys within the op; and it is exactly one of
//! - a read of any key;
//! - a balance of a party whose approval has a limit for the token; the change is sent to that limit;
//! - a balance of a party whose approval has none; it does not fall;
//! - a balance of sub-account 0 of the fee account; it does not fall;
//! - a storage cell of a party's approval; the new value ends with the epoch of the approval.
//!
//! The change of each written balance is sent to the sum of its token.

use core::array::from_fn;

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing, bus};
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{PRIVATE, Row, WRITE, c};

use crate::bus::{CELLS, MONEY, PARTY, SPEND, send};
use crate::runs::{Run, run_air, runs, window};
use crate::tables::party::{APPROVAL, SLOT_CELLS, journal_key, journal_value};
use tsz_air::Count;

/// Bit of `hi` of system cells.
pub(crate) const SYSTEM: u32 = 1 << 24;
/// First balance cell.
pub(crate) const BAL: u32 = 128;
/// First storage cell, within a slot.
pub(crate) const STORAGE: u32 = 8;
/// Storage cells of a slot.
pub(crate) const STORAGE_CELLS: u32 = SLOT_CELLS - STORAGE;

columns! {
    /// A party as cells and limits look it up on `guard_party`; all bound by the lookup.
    pub struct Covered {
        /// Its number in the op.
        place: felt,
        /// Slot of its approval.
        slot: felt,
        /// Epoch of its approval.
        epoch: felt,
        /// Tokens of its limits + 1, or 0.
        tokens: [4],
    }
}

impl<E: PrimeCharacteristicRing + Clone> Covered<E> {
    /// The message on `guard_party`.
    pub(crate) fn message(&self, index: &E, account: E, sub: &E) -> Vec<E> {
        let head = [index.clone(), self.place.clone(), account, sub.clone()];
        let tail = [self.slot.clone(), self.epoch.clone()];
        head.into_iter().chain(tail).chain(self.tokens.clone()).collect()
    }
}

columns! {
    /// One declared cell.
    pub struct Cell {
        /// Its place in the op's run.
        run: (Run),
        /// Number of the access in the op.
        access: felt,
        /// Number of the first cell's access; constant over the run; bound by `guard_cells`.
        base: felt,
        /// Writes of cells before this one; counted from 0.
        writes: felt,
        /// Accesses of the op with limits; constant over the run; bound by `guard_cells`.
        count: felt,
        /// Realm bit of the key; boolean.
        is_private: felt,
        /// System bit of the key; boolean.
        is_system: felt,
        /// Low 24 bits of the upper half of the key: the account of a user's cell; range12.
        account: (U24),
        /// High 5 bits of the lower half: the sub-account; < 32 by two lookups.
        sub: felt,
        /// Low 9 bits of the lower half: the cell; < 512 by two lookups.
        number: felt,
        /// 1 = a balance of a party, of a token with a limit; boolean, at most one of the four.
        is_limited: felt,
        /// 1 = a balance of a party, of a token without one; boolean.
        is_free: felt,
        /// 1 = a balance of the fee account; boolean.
        is_fee: felt,
        /// 1 = a storage cell of a party; boolean.
        is_store: felt,
        /// Token of a balance, < 128 by two lookups; number of a storage cell, < 24 by a lookup.
        at: felt,
        /// The party whose cell is written; `guard_party` unless read or of the fee account.
        party: (Covered),
        /// Which limit is charged; boolean, one if `is_limited`, else none.
        limit: [4],
        /// If `is_free`: products of at + 1 - token over two limits each.
        apart: [2],
        /// If `is_free`: inverse of their product.
        apart_inv: felt,
        /// Value found; bound by the bus.
        old: [8],
        /// Value left, if written; bound by the bus.
        new: [8],
        /// Digits of 12 bits of the old balance; range12.
        old_digits: [8],
        /// Digits of 12 bits of the new balance; range12.
        new_digits: [8],
        /// new - old of a balance that does not fall; range12.
        rise: (U24 * 4),
        /// Carries of old + rise; boolean.
        carries: [3],
        /// Part of next key - key - 1 within the run: its low part; range12.
        gap_lo: (U24),
        /// Low 24 bits of its high part, in units of 2^14; range12.
        gap_hi: (U24),
        /// High 2 bits of that part; two lookups.
        gap_top: felt,
        /// Borrow of the lower halves; boolean.
        borrow: felt,
    }
}

run_air! {
    /// AIR of [`Cell`].
    CellAir, Cell, "cell", 0
}

impl<E: PrimeCharacteristicRing + Clone> Cell<E> {
    fn hi(&self) -> E {
        self.account.value()
            + self.is_private.clone() * c::<E>(PRIVATE)
            + self.is_system.clone() * c::<E>(SYSTEM)
    }

    fn lo(&self) -> E {
        self.sub.clone() * c::<E>(512) + self.number.clone()
    }

    fn is_balance(&self) -> E {
        self.is_limited.clone() + self.is_free.clone() + self.is_fee.clone()
    }

    /// 1 = a write of one of the four kinds, or of a leg where there are legs.
    fn is_write(&self, leg: Option<&E>) -> E {
        plus(self.is_balance() + self.is_store.clone(), leg)
    }

    /// Change of the balance in signed digits of 12 bits.
    fn change(&self) -> [E; 8] {
        from_fn(|k| self.new_digits[k].clone() - self.old_digits[k].clone())
    }

    /// Number of the limit that is charged, over all parties.
    pub(crate) fn rank(&self) -> E {
        let [_, one, two, three] = &self.limit;
        self.party.place.clone() * c::<E>(4)
            + one.clone()
            + two.clone() * c::<E>(2)
            + three.clone() * c::<E>(3)
    }
}

/// `sum`, and the flag of legs in circuits that have it.
fn plus<E: PrimeCharacteristicRing + Clone>(sum: E, leg: Option<&E>) -> E {
    match leg {
        Some(leg) => sum + leg.clone(),
        None => sum,
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for CellAir {
    fn eval(&self, builder: &mut AB) {
        let (k, next): (Cell<AB::Expr>, Cell<AB::Expr>) = window(builder);
        let mut row = Row::bare(builder, k.run.is_real.clone());
        cell(&mut row, &k, &next, None);
    }
}

/// The row is a cell, followed by the next one of its run; `leg` = 1 if it is the leg of a party, in circuits that have
/// legs: boolean, not together with another kind.
pub(super) fn cell<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    k: &Cell<AB::Expr>,
    next: &Cell<AB::Expr>,
    leg: Option<&AB::Expr>,
) {
    let (link, write) = (runs(row, &k.run, &next.run), k.is_write(leg));
    counts(row, k, next, (&link, &write));
    key(row, k, next, &link);
    kinds(row, k, (&write, leg));
    balance(row, k);
    limits(row, k);
    storage(row, k);
    messages(row.builder(), k, (&write, leg));
}

/// Numbers of accesses and writes.
fn counts<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    k: &Cell<AB::Expr>,
    next: &Cell<AB::Expr>,
    (link, write): (&AB::Expr, &AB::Expr),
) {
    let first = &k.run.is_first;
    row.zero(first.clone() * (k.access.clone() - k.base.clone()));
    row.zero(first.clone() * k.writes.clone());
    row.zero(link.clone() * (next.access.clone() - k.access.clone() - AB::Expr::ONE));
    row.zero(link.clone() * (next.writes.clone() - k.writes.clone() - write.clone()));
    row.zero(link.clone() * (next.base.clone() - k.base.clone()));
    row.zero(link.clone() * (next.count.clone() - k.count.clone()));
}

/// The halves of the key have 26 and 14 bits, and the next key of the run is larger.
///
/// `lo' - lo - 1 + 2^14 borrow = gap_lo` and `hi' - hi - borrow = gap_hi`, all below 2^27 in size: equations of integers,
/// so `key' - key = 1 + gap_lo + 2^14 gap_hi`.
fn key<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    k: &Cell<AB::Expr>,
    next: &Cell<AB::Expr>,
    link: &AB::Expr,
) {
    for bit in [&k.is_private, &k.is_system, &k.borrow] {
        row.boolean(bit);
    }
    row.u24(&k.account);
    row.narrow(&k.sub, 5);
    row.narrow(&k.number, 9);
    row.u24(&k.gap_lo);
    row.u24(&k.gap_hi);
    row.narrow(&k.gap_top, 2);
    let gap_hi = k.gap_hi.value() + k.gap_top.clone() * c::<AB::Expr>(1 << 24);
    let borrow = k.borrow.clone();
    let low = next.lo() - k.lo() - AB::Expr::ONE + borrow.clone() * c::<AB::Expr>(1 << 14);
    row.zero(link.clone() * (low - k.gap_lo.value()));
    row.zero(link.clone() * (next.hi() - k.hi() - borrow - gap_hi));
}

/// At most one kind of write, on real rows only; whose cell it may be.
fn kinds<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    k: &Cell<AB::Expr>,
    (write, leg): (&AB::Expr, Option<&AB::Expr>),
) {
    for flag in [&k.is_limited, &k.is_free, &k.is_fee, &k.is_store] {
        row.boolean(flag);
    }
    row.boolean(write);
    row.zero(write.clone() * (AB::Expr::ONE - k.run.is_real.clone()));
    row.narrow(&k.at, 7);
    // balances are published, storage and legs are private, none is a system cell
    let balance = k.is_balance();
    row.zero(balance.clone() * k.is_private.clone());
    row.zero(plus(k.is_store.clone(), leg) * (AB::Expr::ONE - k.is_private.clone()));
    row.zero(write.clone() * k.is_system.clone());
    row.zero(balance * (k.number.clone() - c::<AB::Expr>(BAL) - k.at.clone()));
    row.zero(k.is_fee.clone() * k.account.value());
    row.zero(k.is_fee.clone() * k.sub.clone());
}

/// Leaves of balances, and balances that do not fall.
fn balance<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, k: &Cell<AB::Expr>) {
    let balance = k.is_balance();
    for (leaf, digits) in [(&k.old, &k.old_digits), (&k.new, &k.new_digits)] {
        for digit in digits {
            row.range(digit.clone());
        }
        for at in 0..4 {
            let limb = digits[2 * at].clone() + digits[2 * at + 1].clone() * c::<AB::Expr>(1 << 12);
            row.zero(balance.clone() * (leaf[at].clone() - limb));
            row.zero(balance.clone() * leaf[4 + at].clone());
        }
    }
    for limb in &k.rise {
        row.u24(limb);
    }
    for carry in &k.carries {
        row.boolean(carry);
    }
    // old_k + rise_k + carry_(k-1) = new_k + 2^24 carry_k: terms below 2^26, so an equation of integers
    let rises = k.is_free.clone() + k.is_fee.clone();
    for at in 0..4 {
        let mut e = k.old[at].clone() + k.rise[at].value() - k.new[at].clone();
        if at > 0 {
            e += k.carries[at - 1].clone();
        }
        if at < 3 {
            e -= k.carries[at].clone() * c::<AB::Expr>(1 << 24);
        }
        row.zero(rises.clone() * e);
    }
}

/// The one limit of the token, or that there is none.
fn limits<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, k: &Cell<AB::Expr>) {
    let distance = |at: usize| k.at.clone() + AB::Expr::ONE - k.party.tokens[at].clone();
    let mut chosen = AB::Expr::ZERO;
    for (at, flag) in k.limit.iter().enumerate() {
        row.boolean(flag);
        row.zero(flag.clone() * distance(at));
        chosen += flag.clone();
    }
    row.zero(chosen - k.is_limited.clone());
    for (at, product) in k.apart.iter().enumerate() {
        let pair = distance(2 * at) * distance(2 * at + 1);
        row.zero(product.clone() - k.is_free.clone() * pair);
    }
    let [a, b] = k.apart.clone();
    row.zero(a * b * k.apart_inv.clone() - k.is_free.clone());
}

/// Storage of the party's approval, under its epoch.
fn storage<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, k: &Cell<AB::Expr>) {
    let store = k.is_store.clone();
    let first = c::<AB::Expr>(APPROVAL + STORAGE) + k.party.slot.clone() * c::<AB::Expr>(SLOT_CELLS);
    row.zero(store.clone() * (k.number.clone() - first - k.at.clone()));
    row.zero(store.clone() * (k.new[7].clone() - k.party.epoch.clone()));
    let above = k.at.clone() + c::<AB::Expr>(4096 - STORAGE_CELLS);
    bus::range12::lookup(row.builder(), [above], store);
}

fn messages<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    k: &Cell<AB::Expr>,
    (write, leg): (&AB::Expr, Option<&AB::Expr>),
) {
    let (real, index) = (&k.run.is_real, &k.run.index);
    let at = [index.clone(), k.access.clone()];
    let key = [k.hi() + write.clone() * c::<AB::Expr>(WRITE), k.lo()];
    bus::key::send(builder, at.clone(), key.clone(), real.clone());
    bus::val::send(builder, at.clone(), k.old.clone(), real.clone());
    let place = [index.clone(), k.count.clone() + k.writes.clone()];
    bus::val::send(builder, place, k.new.clone(), write.clone());
    journal_key(builder, at.clone(), key, real);
    journal_value(builder, at, AB::Expr::ZERO, k.old.clone(), real);
    journal_value(builder, [index.clone(), k.writes.clone()], AB::Expr::ONE, k.new.clone(), write);

    let covered = plus(k.is_limited.clone() + k.is_free.clone() + k.is_store.clone(), leg);
    let party = k.party.message(index, k.account.value(), &k.sub);
    PARTY.lookup_key(builder, party, Count::bounded(covered, 1));
    let spend = [index.clone(), k.rank()].into_iter().chain(k.change()).collect();
    send(builder, &SPEND, spend, &k.is_limited);
    let money = [index.clone(), k.at.clone()].into_iter().chain(k.change()).collect();
    send(builder, &MONEY, money, &k.is_balance());
    let after = |x: &AB::Expr| x.clone() + AB::Expr::ONE;
    let end = vec![
        index.clone(),
        k.base.clone(),
        after(&k.access),
        k.writes.clone() + write.clone(),
        k.count.clone(),
    ];
    send(builder, &CELLS, end, &k.run.is_last);
}
