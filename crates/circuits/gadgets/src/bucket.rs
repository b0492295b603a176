//! Buckets: a debit, and a credit that may cross zero.

use tsz_air::InteractionBuilder;
use tsz_air::PrimeCharacteristicRing;
use tsz_hash::{Digest, F, PrimeField32};

use crate::columns;
use crate::limb::U24;
use crate::row::{Row, c, pad8};
use crate::{inverse, limb24, magnitude};

columns! {
    /// Which bucket of an account: sub-account and bucket number.
    pub struct Place {
        /// Sub-account; < 32 by two lookups.
        sub: felt,
        /// 0 = balance of a token, 1 = collateral (token 0); boolean.
        bucket: felt,
    }
}

impl<E: PrimeCharacteristicRing + Clone> Place<E> {
    /// Lower half of the key of the bucket's cell: collateral is cell 0, token t is cell 128 + t.
    pub fn lo(&self, token: &E) -> E {
        self.sub.clone() * c::<E>(512) + c::<E>(128) - self.bucket.clone() * c::<E>(128) + token.clone()
    }

    /// `sub * 2 + bucket`, as messages have it.
    pub fn sb(&self) -> E {
        self.sub.double() + self.bucket.clone()
    }

    /// `token * 64 + sub * 2 + bucket`, as records have it.
    pub fn tsb(&self, token: &E) -> E {
        token.clone() * c::<E>(64) + self.sb()
    }
}

impl Place<F> {
    /// Columns of a sub-account and a bucket number.
    pub fn of(sub: u32, collateral: bool) -> Self {
        Self { sub: F::from_u32(sub), bucket: F::from_bool(collateral) }
    }
}

columns! {
    /// A cell loses an amount and stays at or above zero: `old = new + amount`.
    ///
    /// The old limbs are expressions, so there is nothing to constrain but widths. Sign and position count are
    /// the constant 0 in both values.
    pub struct Debit {
        /// Magnitude left; range12.
        new: (U24 * 4),
        /// Carries of `new + amount`; boolean. There is none out of the top limb.
        carries: [3],
    }
}

impl<E: PrimeCharacteristicRing + Clone> Debit<E> {
    /// The value found: `new + amount`.
    pub fn old_leaf(&self, amount: &[E; 4]) -> [E; 8] {
        pad8(&core::array::from_fn::<E, 4, _>(|k| {
            let mut x = self.new[k].value() + amount[k].clone();
            if k > 0 {
                x += self.carries[k - 1].clone();
            }
            if k < 3 {
                x -= self.carries[k].clone() * c::<E>(1 << 24);
            }
            x
        }))
    }

    /// The value left.
    pub fn new_leaf(&self) -> [E; 8] {
        pad8(&core::array::from_fn::<E, 4, _>(|k| self.new[k].value()))
    }
}

/// Carries of `x + y` out of the three lower limbs of 24 bits.
fn carries(x: u128, y: u128) -> [F; 3] {
    let mut carry = 0;
    core::array::from_fn(|k| {
        carry = (limb24(x, k) + limb24(y, k) + carry) >> 24;
        F::from_u32(carry)
    })
}

fn limbs(x: u128) -> [U24<F>; 4] {
    core::array::from_fn(|k| U24::of(limb24(x, k)))
}

impl Debit<F> {
    /// Columns of a cell that holds `new` after it lost `amount`.
    pub fn of(new: &Digest, amount: u128) -> Self {
        let new = magnitude(new);
        Self { new: limbs(new), carries: carries(new, amount) }
    }
}

columns! {
    /// A balance gains an amount: `old = new - amount`, neither negative.
    ///
    /// The old limbs are expressions `new_k - amount_k - b_(k-1) + 2^24 b_k`, integers between -2^24 and 2^25; a cell
    /// has limbs in 0..2^24, so each is an equation of integers, and the sum gives `old + amount = new < 2^96`.
    pub struct Gain {
        /// Balance left; range12.
        new: (U24 * 4),
        /// Carries of `old + amount`; boolean. There is none out of the top limb.
        carries: [3],
    }
}

impl<E: PrimeCharacteristicRing + Clone> Gain<E> {
    /// The value found: `new - amount`.
    pub fn old_leaf(&self, amount: &[E; 4]) -> [E; 8] {
        pad8(&core::array::from_fn::<E, 4, _>(|k| {
            let mut x = self.new[k].value() - amount[k].clone();
            if k > 0 {
                x -= self.carries[k - 1].clone();
            }
            if k < 3 {
                x += self.carries[k].clone() * c::<E>(1 << 24);
            }
            x
        }))
    }

    /// The value left.
    pub fn new_leaf(&self) -> [E; 8] {
        pad8(&core::array::from_fn::<E, 4, _>(|k| self.new[k].value()))
    }
}

impl Gain<F> {
    /// Columns of a cell that went from `old` to `new` by gaining `amount`.
    pub fn of(old: &Digest, new: &Digest, amount: u128) -> Self {
        Self { new: limbs(magnitude(new)), carries: carries(magnitude(old), amount) }
    }
}

impl<AB: InteractionBuilder<F = F>> Row<'_, AB> {
    /// Widths of a gain; its values are [`Gain::old_leaf`] and [`Gain::new_leaf`].
    pub fn gain(&mut self, gain: &Gain<AB::Expr>) {
        for limb in &gain.new {
            self.u24(limb);
        }
        for carry in &gain.carries {
            self.boolean(carry);
        }
    }
}

columns! {
    /// A cell gains an amount: `±old + amount = ±new`.
    ///
    /// Limb k: `so old_k + amount_k - sn new_k + m b_(k-1) = 2^24 m b_k` with `so, sn` the signs, b the carries
    /// (b_3 = 0) and m = -1 if the sign changes, else 1. In the three cases this is the addition
    /// `old + amount = new`, `new + amount = old` or `old + new = amount` of magnitudes, so carries are boolean.
    /// All terms are below 3 * 2^24 + 1 < p / 2: an equation of integers.
    pub struct Credit {
        /// Magnitude found; < 2^24 each because every writer of cells checks widths.
        old: [4],
        /// 1 = the old value is negative; boolean.
        old_negative: felt,
        /// Open positions, kept; bound to the cell by the bus.
        pos_count: felt,
        /// Magnitude left; range12, and below 2^95 for collateral.
        new: (U24 * 4),
        /// 1 = the new value is negative; boolean, at most `old_negative`.
        new_negative: felt,
        /// Carries; boolean.
        carries: [3],
        /// Inverse of the sum of the new limbs if negative: -0 is not a value.
        sum_inv: felt,
    }
}

impl<E: PrimeCharacteristicRing + Clone> Credit<E> {
    /// The value found.
    pub fn old_leaf(&self) -> [E; 8] {
        let [a, b, x, y] = self.old.clone();
        pad8(&[a, b, x, y, self.old_negative.clone(), self.pos_count.clone()])
    }

    /// The value left.
    pub fn new_leaf(&self) -> [E; 8] {
        let [a, b, x, y] = core::array::from_fn(|k| self.new[k].value());
        pad8(&[a, b, x, y, self.new_negative.clone(), self.pos_count.clone()])
    }
}

impl Credit<F> {
    /// Columns of a cell that went from `old` to `new` by gaining `amount`.
    pub fn of(old: &Digest, new: &Digest, amount: u128) -> Self {
        let (a, b) = (magnitude(old), magnitude(new));
        let carries = match (old[4].as_canonical_u32(), new[4].as_canonical_u32()) {
            (0, _) => carries(a, amount),
            (_, 0) => carries(a, b),
            _ => carries(b, amount),
        };
        let sum = (0..4).map(|k| F::from_u32(limb24(b, k))).sum::<F>();
        Self {
            old: core::array::from_fn(|k| old[k]),
            old_negative: old[4],
            pos_count: old[5],
            new: limbs(b),
            new_negative: new[4],
            carries,
            sum_inv: if new[4] == F::ZERO { F::ZERO } else { inverse(sum) },
        }
    }
}

impl<AB: InteractionBuilder<F = F>> Row<'_, AB> {
    /// The place exists: sub-account, bucket number, and collateral only of token 0.
    pub fn place(&mut self, place: &Place<AB::Expr>, token: &AB::Expr) {
        self.narrow(&place.sub, 5);
        self.boolean(&place.bucket);
        self.zero(place.bucket.clone() * token.clone());
    }

    /// Widths of a debit; its values are [`Debit::old_leaf`] and [`Debit::new_leaf`].
    pub fn debit(&mut self, debit: &Debit<AB::Expr>) {
        for limb in &debit.new {
            self.u24(limb);
        }
        for carry in &debit.carries {
            self.boolean(carry);
        }
    }

    /// The cell of bucket number `bucket` gained `amount` (limbs of degree at most 2).
    pub fn credit(&mut self, credit: &Credit<AB::Expr>, bucket: &AB::Expr, amount: &[AB::Expr; 4]) {
        for limb in &credit.new {
            self.u24(limb);
        }
        // Collateral is below 2^95, a balance below 2^96: twice the top limb must fit if bucket is 1.
        let top = credit.new[3].hi.clone();
        self.range(top.clone() + bucket.clone() * top);
        self.signs(credit, bucket);
        let one = AB::Expr::ONE;
        let flip = credit.old_negative.clone() - credit.new_negative.clone();
        let m = one.clone() - flip.double();
        for carry in &credit.carries {
            self.boolean(carry);
        }
        for (k, gained) in amount.iter().enumerate() {
            let so = one.clone() - credit.old_negative.double();
            let sn = one.clone() - credit.new_negative.double();
            let mut e = so * credit.old[k].clone() + gained.clone() - sn * credit.new[k].value();
            if k > 0 {
                e += m.clone() * credit.carries[k - 1].clone();
            }
            if k < 3 {
                e -= m.clone() * credit.carries[k].clone() * c::<AB::Expr>(1 << 24);
            }
            self.zero(e);
        }
    }

    fn signs(&mut self, credit: &Credit<AB::Expr>, bucket: &AB::Expr) {
        let one = AB::Expr::ONE;
        self.boolean(&credit.old_negative);
        self.boolean(&credit.new_negative);
        // A gain never makes a value negative.
        self.zero(credit.new_negative.clone() * (one.clone() - credit.old_negative.clone()));
        // A balance has no sign and no positions.
        let balance = one.clone() - bucket.clone();
        self.zero(balance.clone() * credit.old_negative.clone());
        self.zero(balance * credit.pos_count.clone());
        let sum: AB::Expr = credit.new.iter().map(U24::value).sum();
        self.zero(credit.new_negative.clone() * (sum * credit.sum_inv.clone() - one));
    }
}
