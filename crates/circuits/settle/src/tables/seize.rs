//! SeizeToken: one row an op.
//!
//! Proven: a user's sub-account without positions has negative collateral; it gives an amount of a margin token to
//! insurance and gets its haircut value, rounded up, for it; one millionth less of the token would leave it in debt. The
//! token may be counted now. Insurance is judged if it has positions or debts after.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::bucket::{Debit, Gain};
use tsz_gadgets::row::{Row, c, compose12};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};
use tsz_margin::tables::{MBAL, PLACES, Shift, Worth, carried, lookup_worth, number, weight};

use super::absorb::{Debtor, debtor};
use super::cash::{Cash, cash};
use super::fund::{Fund, INSURANCE, MASK_WEIGHT, fund};

columns! {
    /// `value = ceil(amount * factor / den)`, and `ceil((amount - 1) * factor / den) < debt`.
    pub struct Quote {
        /// Base 2^12 digits of the amount (u96); range12.
        amount: [8],
        /// Inverse of their sum: there is some.
        amount_inv: felt,
        /// Base 2^12 digits of the value; range12. Below 2^96.
        value: [8],
        /// value * den - amount * factor; range12.
        rest: [7],
        /// Carries of that.
        rest_carries: (Shift * 14),
        /// den - 1 - rest; range12.
        spare: [7],
        /// Borrows of that; boolean.
        borrows: [6],
        /// Base 2^12 digits of the debt; range12.
        debt: [8],
        /// (debt - 1) * den - (amount - 1) * factor; range12.
        excess: [15],
        /// Carries of that.
        excess_carries: (Shift * 14),
    }
}

columns! {
    /// One SeizeToken.
    pub struct Seize {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// Whose token it is.
        debtor: (Debtor),
        /// What the token counts; bound by `worth`.
        worth: (Worth),
        /// 1 at the place of the token; boolean, bound to it.
        at: [PLACES],
        /// What it costs.
        quote: (Quote),
        /// MBAL of the debtor.
        given: (Debit),
        /// 1 = something is left in it; boolean, owned by the zero test.
        is_left: felt,
        /// Inverse of the sum of the limbs left, or 0.
        left_inv: felt,
        /// Margin tokens of the debtor before; boolean.
        mask: [PLACES],
        /// Collateral of the debtor.
        cash: (Cash),
        /// MBAL of insurance.
        taken: (Gain),
        /// 1 = insurance held the token before; boolean.
        had: felt,
        /// Insurance.
        fund: (Fund),
    }
}

op_air! {
    /// AIR of [`Seize`]. No public values.
    SeizeAir, Seize, "seize", 0
}

fn limbs<E: PrimeCharacteristicRing + Clone>(digits: &[E; 8]) -> [E; 4] {
    core::array::from_fn(|k| compose12(&digits[2 * k..2 * k + 2]))
}

/// Digit `k` of the product of two numbers, not carried.
fn convolve<E: PrimeCharacteristicRing + Clone>(a: &[E], b: &[E], k: usize) -> E {
    let term = |(i, x): (usize, &E)| Some(x.clone() * b.get(k.checked_sub(i)?)?.clone());
    a.iter().enumerate().filter_map(term).sum()
}

impl<E: PrimeCharacteristicRing + Clone> Quote<E> {
    /// `value * den - amount * factor`, digit by digit.
    pub fn rest_sums(&self, worth: &Worth<E>) -> [E; 15] {
        core::array::from_fn(|k| {
            convolve(&self.value, &worth.den, k) - convolve(&self.amount, &worth.factor, k)
        })
    }

    /// `(debt - 1) * den - (amount - 1) * factor`, digit by digit.
    pub fn excess_sums(&self, worth: &Worth<E>) -> [E; 15] {
        core::array::from_fn(|k| {
            let digit = |x: &[E]| x.get(k).cloned().unwrap_or(E::ZERO);
            convolve(&self.debt, &worth.den, k) - digit(&worth.den) + digit(&worth.factor)
                - convolve(&self.amount, &worth.factor, k)
        })
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for SeizeAir {
    fn eval(&self, builder: &mut AB) {
        let s: Seize<AB::Expr> = current(builder);
        let real = s.is_real.clone();
        let five = real.clone() * c::<AB::Expr>(5);
        let n = five + s.fund.reads.clone();
        let nv = n.clone() + real.clone() * c::<AB::Expr>(4);
        let mut row = Row::sized(builder, real.clone(), s.index.clone(), n, nv);
        debtor(&mut row, &s.debtor);
        lookup_worth(&mut row, &s.worth);
        row.zero(real - s.worth.is_usable.clone());
        quote(&mut row, &s.quote, &s.worth);
        places(&mut row, &s);

        let [hi, lo] = s.worth.key();
        row.key(0, false, hi, lo);
        row.old(0, s.worth.leaf());
        target(&mut row, &s);
        insurance(&mut row, &s);
    }
}

/// The value is the quotient rounded up; one less of the amount does not pay the debt. At most seven products of digits
/// on either side of a difference, below 2^27.
fn quote<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, q: &Quote<AB::Expr>, worth: &Worth<AB::Expr>) {
    let real = row.real.clone();
    for digit in q.amount.iter().chain(&q.value).chain(&q.debt).chain(&q.spare) {
        row.range(digit.clone());
    }
    let sum: AB::Expr = q.amount.iter().cloned().sum();
    row.zero(sum * q.amount_inv.clone() - real.clone());
    carried(row, &q.rest_sums(worth), &q.rest, &q.rest_carries);
    carried(row, &q.excess_sums(worth), &q.excess, &q.excess_carries);
    for bit in &q.borrows {
        row.boolean(bit);
    }
    for k in 0..7 {
        let mut e = worth.den[k].clone() - q.rest[k].clone() - q.spare[k].clone();
        match k.checked_sub(1) {
            Some(j) => e -= q.borrows[j].clone(),
            None => e -= real.clone(),
        }
        if let Some(borrow) = q.borrows.get(k) {
            e += borrow.clone() * c::<AB::Expr>(1 << 12);
        }
        row.zero(e);
    }
}

/// `at` is the place of the token; the debtor holds the token before, insurance after.
fn places<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, s: &Seize<AB::Expr>) {
    let real = row.real.clone();
    for bit in s.at.iter().chain(&s.mask).chain([&s.is_left, &s.had]) {
        row.boolean(bit);
    }
    let held = |mask: &[AB::Expr; PLACES]| -> AB::Expr {
        s.at.iter().zip(mask).map(|(at, bit)| at.clone() * bit.clone()).sum()
    };
    row.zero(s.at.iter().cloned().sum::<AB::Expr>() - real.clone());
    row.zero(number(&s.at) - real.clone() * s.worth.place.clone());
    row.zero(held(&s.mask) - real.clone());
    row.zero(held(&s.fund.mask) - real.clone());
    let left: AB::Expr = s.given.new_leaf().into_iter().sum();
    row.zero(left.clone() * s.left_inv.clone() - s.is_left.clone());
    row.zero(left * (AB::Expr::ONE - s.is_left.clone()));
    row.zero(s.is_left.clone() * (AB::Expr::ONE - real));
}

/// Accesses 1 and 2, writes 0 and 1: MBAL and SUB of the debtor.
fn target<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, s: &Seize<AB::Expr>) {
    let amount = limbs(&s.quote.amount);
    row.debit(&s.given);
    let cell = number(&s.at) + c::<AB::Expr>(MBAL);
    let [hi, lo] = s.debtor.key(cell);
    row.key(1, true, hi, lo);
    row.old(1, s.given.old_leaf(&amount));
    row.new_value(0, s.given.new_leaf());

    cash(row, &s.cash, &limbs(&s.quote.value));
    row.zero(s.cash.negative_before.clone() - row.real.clone());
    for (limb, digits) in s.cash.before.iter().zip(limbs(&s.quote.debt)) {
        row.zero(limb.clone() - digits);
    }
    let gone = weight(&s.at) * (AB::Expr::ONE - s.is_left.clone());
    let holdings = |mask: AB::Expr| mask * c::<AB::Expr>(MASK_WEIGHT);
    let [hi, lo] = s.debtor.key(AB::Expr::ZERO);
    row.key(2, true, hi, lo);
    row.old(2, s.cash.old_leaf(holdings(weight(&s.mask))));
    row.new_value(1, s.cash.new_leaf(holdings(weight(&s.mask) - gone)));
}

/// Accesses 3 and 4, writes 2 and 3: MBAL and SUB of insurance, then its judgement.
fn insurance<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, s: &Seize<AB::Expr>) {
    row.gain(&s.taken);
    row.key(3, true, c(INSURANCE), number(&s.at) + c::<AB::Expr>(MBAL));
    row.old(3, s.taken.old_leaf(&limbs(&s.quote.amount)));
    row.new_value(2, s.taken.new_leaf());

    fund(row, &s.fund, &limbs(&s.quote.value).map(|limb| -limb), c(5));
    let new = weight(&s.at) * (AB::Expr::ONE - s.had.clone());
    let before = s.fund.holdings() - new * c::<AB::Expr>(MASK_WEIGHT);
    row.key(4, true, c(INSURANCE), AB::Expr::ZERO);
    row.old(4, s.fund.cash.old_leaf(before));
    row.new_value(3, s.fund.cash.new_leaf(s.fund.holdings()));
}
