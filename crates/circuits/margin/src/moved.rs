//! Columns of movements of a position and its collateral. Values out of range lose their high bits: such a row satisfies
//! nothing.

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32};
use tsz_gadgets::inverse;
use tsz_gadgets::limb::U24;
use tsz_gadgets::product::{digits12, felts};
use tsz_hash::Digest;

use crate::book::Book;
use crate::rows::{number, signed, u24};
use crate::tables::{Move, Price};

fn bits<const N: usize>(x: i64) -> [F; N] {
    core::array::from_fn(|k| F::from_bool(x >> k & 1 == 1))
}

fn turn(negative: F) -> i64 {
    if negative == F::ONE { -1 } else { 1 }
}

fn zero_test(digits: &[F]) -> (F, F) {
    let sum: F = digits.iter().copied().sum();
    (F::from_bool(sum == F::ZERO), inverse(sum))
}

impl Move<F> {
    /// What SUB and POS say before; nothing moves yet.
    pub fn found(book: &mut Book<'_>, price: &Price<F>, sub: &Digest, pos: &Digest) -> Self {
        let lots = u64::from(pos[0].as_canonical_u32()) | u64::from(pos[1].as_canonical_u32()) << 24;
        let last = ([pos[3], pos[4], pos[5]], pos[6]);
        let (is_due, settled) = book.settle(lots, pos[2], last, price);
        let holdings = sub[5].as_canonical_u32();
        let mut row = Self {
            lots_before: felts(digits12(lots.into())),
            short_before: pos[2],
            last: last.0,
            last_negative: last.1,
            is_due,
            settled,
            collateral_before: core::array::from_fn(|k| sub[k]),
            negative_before: sub[4],
            positions: F::from_u32(holdings & 63),
            mask: bits((holdings >> 6).into()),
            ..Self::default()
        };
        (row.flat_before, row.flat_before_inv) = zero_test(&row.lots_before);
        row
    }

    /// The position moves by signed lots, once.
    pub fn shift(&mut self, lots: i64) {
        let before = number(&self.lots_before) as i64;
        let old = turn(self.short_before) * before;
        let new = old + lots;
        let after = new.unsigned_abs() & ((1 << 48) - 1);
        self.lots_after = felts(digits12(after.into()));
        self.short_after = F::from_bool(new < 0);
        (self.flat_after, self.flat_after_inv) = zero_test(&self.lots_after);
        let low = |lots: i64| lots.signum() * (lots.abs() & 0xff_ffff);
        let sum = turn(self.short_after) * (low(old) + low(lots));
        self.size_carry = bits((sum >> 24) + 2);
        self.positions += self.flat_before - self.flat_after;
        self.positions_inv = (F::ONE - self.flat_after) * inverse(self.positions);
    }

    /// Nothing moves; the settlement is taken back, so that the collateral after needs no width that the one before lacks.
    pub fn stay(&mut self) {
        self.shift(0);
        self.pay(self.settled_limbs().map(|limb| -signed(limb)));
    }

    /// The collateral gains the settlement and cash in signed limbs.
    pub fn pay(&mut self, cash: [i64; 4]) {
        let from = turn(self.negative_before);
        let settled = self.settled_limbs().map(signed);
        let limbs: [i64; 4] =
            core::array::from_fn(|k| from * signed(self.collateral_before[k]) + settled[k] + cash[k]);
        let total = limbs.iter().rev().fold(0i128, |acc, limb| (acc << 24) + i128::from(*limb));
        let to = if total < 0 { -1 } else { 1 };
        let mut carry = 0;
        for (k, limb) in limbs.into_iter().enumerate() {
            let sum = to * limb + carry;
            self.collateral_after[k] = u24(sum);
            carry = sum >> 24;
            if k < 3 {
                let three: [F; 3] = bits(carry + 4);
                self.cash_carries[3 * k..3 * k + 3].copy_from_slice(&three);
            }
        }
        self.negative_after = F::from_bool(total < 0);
        let sum: F = self.collateral_after.iter().map(U24::value).sum();
        self.negative_inv = if total < 0 { inverse(sum) } else { F::ZERO };
    }
}
