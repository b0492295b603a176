//! SeizeToken: one row an op.
//!
//! Proven: a user's sub-account has negative collateral, and TAV < MMR at fresh prices if it has positions; it gives an
//! amount of a margin token to insurance and gets its haircut value, rounded up, for it, or its whole value if the haircut
//! is 0; one millionth less of the token would leave it in debt. The token may be counted now. Insurance is judged if it
//! has positions or debts after.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::bucket::{Debit, Gain};
use tsz_gadgets::row::{Row, c, compose12};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};
use tsz_margin::tables::{
    Ill, MASK_WEIGHT, MBAL, NO_MARKET, PLACES, Shift, Worth, carried, is_ill_without_market,
    lookup_whole_worth, number, weight,
};

use super::absorb::{Debtor, debtor};
use super::cash::{Cash, cash};
use super::fund::{Fund, INSURANCE, count, fund};

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
        /// Its open positions, kept; at most 32 by two lookups.
        positions: felt,
        /// 1 = there are some; boolean, owned by the zero test.
        has_positions: felt,
        /// Inverse of their number, or 0.
        positions_inv: felt,
        /// Accesses of the table that then shows its health.
        reads: felt,
        /// What the token counts; bound by `worth`.
        worth: (Worth),
        /// 1 = its whole value is paid, as its haircut is 0; boolean, bound by `worth`.
        is_whole: felt,
        /// Inverse of the digit sum of the factor, unless `is_whole`.
        factor_inv: felt,
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

impl<E: PrimeCharacteristicRing + Clone> Seize<E> {
    /// Place of access `k` after the table of the debtor.
    fn access(&self, k: u32) -> E {
        self.reads.clone() + c::<E>(k)
    }

    /// Positions and margin tokens of the debtor before.
    fn holdings(&self) -> E {
        self.positions.clone() + weight(&self.mask) * c::<E>(MASK_WEIGHT)
    }

    /// What a debtor with positions is in the log of op `index`: below MMR at fresh prices.
    pub fn ill(&self) -> Ill<E> {
        let zero = || E::ZERO;
        Ill {
            index: self.index.clone(),
            who: zero(),
            account: self.debtor.account.value(),
            sub: self.debtor.sub.clone(),
            market: c(NO_MARKET),
            at: zero(),
            mask: weight(&self.mask),
            tokens: self.mask.iter().cloned().sum(),
            others: self.positions.clone(),
            unit: core::array::from_fn(|_| zero()),
            lots: core::array::from_fn(|_| zero()),
            is_short: zero(),
            collateral: self.cash.before.each_ref().map(|limb| -limb.clone()),
            is_forced: zero(),
            is_full: zero(),
        }
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for SeizeAir {
    fn eval(&self, builder: &mut AB) {
        let s: Seize<AB::Expr> = current(builder);
        let real = s.is_real.clone();
        let n = real.clone() * c::<AB::Expr>(5) + s.reads.clone() + s.fund.reads.clone();
        let nv = n.clone() + real.clone() * c::<AB::Expr>(4);
        let mut row = Row::sized(builder, real.clone(), s.index.clone(), n, nv);
        debtor(&mut row, &s.debtor);
        health(&mut row, &s);
        price(&mut row, &s);
        quote(&mut row, &s.quote, &s.worth);
        places(&mut row, &s);
        row.key_if(&real, s.access(0), false, s.worth.key());
        row.value_if(&real, s.access(0), s.worth.leaf());
        target(&mut row, &s);
        insurance(&mut row, &s);
    }
}

/// A debtor with positions is below MMR; the log begins with the table that shows it.
fn health<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, s: &Seize<AB::Expr>) {
    let (has, one) = (s.has_positions.clone(), AB::Expr::ONE);
    count(row, &s.positions);
    row.boolean(&has);
    row.zero(has.clone() * (one.clone() - row.real.clone()));
    row.zero(s.positions.clone() * (one.clone() - has.clone()));
    row.zero(has.clone() * (s.positions.clone() * s.positions_inv.clone() - one));
    let tokens: AB::Expr = s.mask.iter().cloned().sum();
    row.zero(has.clone() * (tokens.double() + s.positions.clone() * c::<AB::Expr>(3)) - s.reads.clone());
    is_ill_without_market(row, &has, &s.ill());
}

/// The token may be counted now. It is paid whole iff its haircut is 0: else the factor is that of a price and a haircut
/// that are not.
fn price<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, s: &Seize<AB::Expr>) {
    let real = row.real.clone();
    lookup_whole_worth(row, &s.worth, &s.is_whole);
    row.zero(real.clone() - s.worth.is_usable.clone());
    let factor: AB::Expr = s.worth.factor.iter().cloned().sum();
    row.zero((real - s.is_whole.clone()) * (factor * s.factor_inv.clone() - AB::Expr::ONE));
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

/// Accesses 1 and 2 after the table, writes 0 and 1: MBAL and SUB of the debtor.
fn target<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, s: &Seize<AB::Expr>) {
    let amount = limbs(&s.quote.amount);
    row.debit(&s.given);
    let real = row.real.clone();
    let cell = number(&s.at) + c::<AB::Expr>(MBAL);
    row.key_if(&real, s.access(1), true, s.debtor.key(cell));
    row.value_if(&real, s.access(1), s.given.old_leaf(&amount));
    row.new_value(0, s.given.new_leaf());

    cash(row, &s.cash, &limbs(&s.quote.value));
    row.zero(s.cash.negative_before.clone() - row.real.clone());
    for (limb, digits) in s.cash.before.iter().zip(limbs(&s.quote.debt)) {
        row.zero(limb.clone() - digits);
    }
    let gone = weight(&s.at) * (AB::Expr::ONE - s.is_left.clone());
    row.key_if(&real, s.access(2), true, s.debtor.key(AB::Expr::ZERO));
    row.value_if(&real, s.access(2), s.cash.old_leaf(s.holdings()));
    row.new_value(1, s.cash.new_leaf(s.holdings() - gone * c::<AB::Expr>(MASK_WEIGHT)));
}

/// Accesses 3 and 4 after the table, writes 2 and 3: MBAL and SUB of insurance, then its judgement.
fn insurance<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, s: &Seize<AB::Expr>) {
    let real = row.real.clone();
    row.gain(&s.taken);
    row.key_if(&real, s.access(3), true, [c(INSURANCE), number(&s.at) + c::<AB::Expr>(MBAL)]);
    row.value_if(&real, s.access(3), s.taken.old_leaf(&limbs(&s.quote.amount)));
    row.new_value(2, s.taken.new_leaf());

    fund(row, &s.fund, &limbs(&s.quote.value).map(|limb| -limb), s.access(5));
    let new = weight(&s.at) * (AB::Expr::ONE - s.had.clone());
    let before = s.fund.holdings() - new * c::<AB::Expr>(MASK_WEIGHT);
    row.key_if(&real, s.access(4), true, [c(INSURANCE), AB::Expr::ZERO]);
    row.value_if(&real, s.access(4), s.fund.cash.old_leaf(before));
    row.new_value(3, s.fund.cash.new_leaf(s.fund.holdings()));
}
