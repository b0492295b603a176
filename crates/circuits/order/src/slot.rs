//! What a fill does to an order slot (docs/src/domain.md section 4).

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing, PrimeField32};
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{Row, c, pad8};
use tsz_gadgets::{columns, inverse, limb24};
use tsz_hash::Digest;

use crate::terms::Terms;

columns! {
    /// An order slot and one fill.
    pub struct SlotMove {
        /// Next nonce found (24, 8 bits); bound by the bus.
        next: [2],
        /// Lots filled, found (24, 24 bits); bound by the bus.
        filled: [2],
        /// Tag found; bound by the bus.
        tag: [4],
        /// 1 = the slot is at this order's nonce; boolean, owned by the gap.
        is_same: felt,
        /// Low limb of nonce - next - (1 unless is_same); range12. Zero if is_same.
        gap: (U24),
        /// High 8 bits; two lookups.
        gap_hi: felt,
        /// Borrow of that difference; boolean.
        gap_borrow: felt,
        /// 1 = lots of this order are filled before; boolean, at most `is_same`. Then the tag is the order's.
        is_continued: felt,
        /// Lots filled after this fill; range12.
        new_filled: (U24 * 2),
        /// Carry of the sum; boolean.
        fill_carry: felt,
        /// Lots that stay open; range12.
        rest: (U24 * 2),
        /// Borrow of that difference; boolean.
        rest_borrow: felt,
        /// Inverse of the limb sum of the rest, or 0.
        rest_inv: felt,
        /// 1 = nothing stays open; boolean, owned by the zero test.
        is_full: felt,
        /// 1 = the nonce is used up: full or closed.
        is_done: felt,
    }
}

impl<E: PrimeCharacteristicRing + Clone> SlotMove<E> {
    /// The ORD cell found.
    pub fn old_leaf(&self) -> [E; 8] {
        let [n0, n1] = self.next.clone();
        let [f0, f1] = self.filled.clone();
        let [a, b, c, d] = self.tag.clone();
        [n0, n1, f0, f1, a, b, c, d]
    }

    /// The ORD cell left: `{nonce + 1, 0, 0}` if done, else `{nonce, filled, tag}`.
    pub fn new_leaf(&self, terms: &Terms<E>) -> [E; 8] {
        let done = self.is_done.clone();
        let mut leaf = pad8(&[]);
        for k in 0..2 {
            let nonce = terms.nonce[k].clone();
            leaf[k] = nonce.clone() + done.clone() * (terms.after[k].clone() - nonce);
            leaf[2 + k] = (E::ONE - done.clone()) * self.new_filled[k].value();
        }
        for k in 0..4 {
            leaf[4 + k] = (E::ONE - done.clone()) * terms.tag[k].clone();
        }
        leaf
    }
}

fn join(limbs: &[F; 2]) -> u64 {
    u64::from(limbs[0].as_canonical_u32()) | u64::from(limbs[1].as_canonical_u32()) << 24
}

fn split(value: u64) -> [U24<F>; 2] {
    [0, 1].map(|k| U24::of(limb24(value.into(), k)))
}

impl SlotMove<F> {
    /// Columns of a fill of `lots` on a slot that held `old`.
    pub fn of(terms: &Terms<F>, lots: u64, old: &Digest, close: bool) -> Self {
        let (next, filled) = ([old[0], old[1]], [old[2], old[3]]);
        let nonce = join(&terms.nonce);
        let is_same = nonce == join(&next);
        let gap = nonce.wrapping_sub(join(&next)).wrapping_sub(u64::from(!is_same));
        let filled0 = if is_same { join(&filled) } else { 0 };
        let after = filled0 + lots;
        let low = (filled0 & 0xff_ffff) + (lots & 0xff_ffff);
        let rest = join(&terms.lots).wrapping_sub(after);
        let rest_limbs = split(rest);
        let sum: F = rest_limbs.iter().map(|x| x.lo + x.hi).sum();
        let is_full = sum == F::ZERO;
        Self {
            next,
            filled,
            tag: [old[4], old[5], old[6], old[7]],
            is_same: F::from_bool(is_same),
            gap: U24::of(gap as u32 & 0xff_ffff),
            gap_hi: F::from_u32((gap >> 24) as u32 & 0xff),
            gap_borrow: F::from_bool(nonce & 0xff_ffff < (join(&next) & 0xff_ffff) + u64::from(!is_same)),
            is_continued: F::from_bool(filled0 != 0),
            new_filled: split(after),
            fill_carry: F::from_u32((low >> 24) as u32),
            rest_borrow: F::from_bool(join(&terms.lots) & 0xff_ffff < after & 0xff_ffff),
            rest: rest_limbs,
            rest_inv: inverse(sum),
            is_full: F::from_bool(is_full),
            is_done: F::from_bool(is_full || close),
        }
    }
}

/// The order is alive in its slot, `lots` more fit its signed size, and the slot is moved.
pub fn slot_move<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    s: &SlotMove<AB::Expr>,
    terms: &Terms<AB::Expr>,
    lots: &[AB::Expr; 2],
    close: &AB::Expr,
) {
    alive(row, s, terms);
    fill(row, s, terms, lots);
    let rest: AB::Expr = s.rest.iter().map(|x| x.lo.clone() + x.hi.clone()).sum();
    let real = row.real.clone();
    row.zero(rest.clone() * s.rest_inv.clone() - real + s.is_full.clone());
    row.zero(rest * s.is_full.clone());
    let full = s.is_full.clone();
    row.zero(full.clone() + close.clone() - full * close.clone() - s.is_done.clone());
}

/// nonce = next if same, else nonce > next; a continued order is the one that was filled.
fn alive<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    s: &SlotMove<AB::Expr>,
    terms: &Terms<AB::Expr>,
) {
    let real = row.real.clone();
    row.boolean(&s.is_same);
    row.boolean(&s.gap_borrow);
    row.u24(&s.gap);
    row.narrow(&s.gap_hi, 8);
    let difference = |k: usize| terms.nonce[k].clone() - s.next[k].clone();
    let later = real.clone() - s.is_same.clone();
    row.zero(difference(0) + s.gap_borrow.clone() * c::<AB::Expr>(1 << 24) - s.gap.value() - later);
    row.zero(difference(1) - s.gap_borrow.clone() - s.gap_hi.clone());
    row.zero(s.is_same.clone() * (s.gap.value() + s.gap_hi.clone()));
    row.boolean(&s.is_continued);
    row.zero(s.is_continued.clone() * (AB::Expr::ONE - s.is_same.clone()));
    for k in 0..4 {
        row.zero(s.is_continued.clone() * (s.tag[k].clone() - terms.tag[k].clone()));
    }
    let filled = s.filled[0].clone() + s.filled[1].clone();
    row.zero((real - s.is_continued.clone()) * s.is_same.clone() * filled);
}

/// new_filled = filled0 + lots <= the signed lots. Limb equations are of integers below 2^26 in size.
fn fill<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    s: &SlotMove<AB::Expr>,
    terms: &Terms<AB::Expr>,
    lots: &[AB::Expr; 2],
) {
    for limb in s.new_filled.iter().chain(&s.rest) {
        row.u24(limb);
    }
    for bit in [&s.fill_carry, &s.rest_borrow, &s.is_full] {
        row.boolean(bit);
    }
    let radix = c::<AB::Expr>(1 << 24);
    let sum = |k: usize| s.is_same.clone() * s.filled[k].clone() + lots[k].clone() - s.new_filled[k].value();
    row.zero(sum(0) - s.fill_carry.clone() * radix.clone());
    row.zero(sum(1) + s.fill_carry.clone());
    let rest = |k: usize| terms.lots[k].clone() - s.new_filled[k].value() - s.rest[k].value();
    row.zero(rest(0) + s.rest_borrow.clone() * radix);
    row.zero(rest(1) - s.rest_borrow.clone());
}
