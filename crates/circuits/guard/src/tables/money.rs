//! The changes of one token in one operation, added up: they sum to zero.
//!
//! Proven: the rows of a run are changes of one token by one op, received on `guard_money`, and their sum is 0 in
//! millionths of a unit. As each change is in one run and each run sums to 0, so does each token of each op, however the
//! prover cuts runs.

use core::array::from_fn;

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::columns;
use tsz_gadgets::row::{Row, c};

use crate::bus::{MONEY, receive};
use crate::runs::{Run, run_air, runs, window};

/// Added to carries for their range: they are in -2^11..2^11.
pub(crate) const CARRY_OFFSET: u32 = 1 << 11;

columns! {
    /// One change.
    pub struct Money {
        /// Its place in the run.
        run: (Run),
        /// Token; constant over the run; bound by `guard_money`.
        token: felt,
        /// Changes before it in the run; range12.
        place: felt,
        /// Sum of the changes before it, digit by digit, carries not taken.
        before: [8],
        /// The change in signed digits of 12 bits; bound by `guard_money`.
        change: [8],
        /// Carries of the sum at the end of a run; range12 after an offset.
        carries: [7],
    }
}

run_air! {
    /// AIR of [`Money`].
    MoneyAir, Money, "money", 0
}

impl<E: PrimeCharacteristicRing + Clone> Money<E> {
    /// Sum up to this row.
    pub(crate) fn after(&self) -> [E; 8] {
        from_fn(|k| self.before[k].clone() + self.change[k].clone())
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for MoneyAir {
    fn eval(&self, builder: &mut AB) {
        let (m, next): (Money<AB::Expr>, Money<AB::Expr>) = window(builder);
        let mut row = Row::bare(builder, m.run.is_real.clone());
        let link = runs(&mut row, &m.run, &next.run);
        let (first, last) = (m.run.is_first.clone(), m.run.is_last.clone());
        row.zero(link.clone() * (next.token.clone() - m.token.clone()));
        row.zero(first.clone() * m.place.clone());
        row.zero(link.clone() * (next.place.clone() - m.place.clone() - AB::Expr::ONE));
        row.range(m.place.clone());
        let after = m.after();
        for (k, sum) in after.iter().enumerate() {
            row.zero(first.clone() * m.before[k].clone());
            row.zero(link.clone() * (next.before[k].clone() - sum.clone()));
        }
        // Digits are sums of at most 2^12 differences below 2^12 in size, carries below 2^12: equations of integers.
        for (k, sum) in after.into_iter().enumerate() {
            let mut e = sum;
            if k > 0 {
                e += m.carries[k - 1].clone();
            }
            if let Some(carry) = m.carries.get(k) {
                row.range(carry.clone() + c::<AB::Expr>(CARRY_OFFSET));
                e -= carry.clone() * c::<AB::Expr>(1 << 12);
            }
            row.zero(last.clone() * e);
        }
        let message = [m.run.index.clone(), m.token.clone()].into_iter().chain(m.change.clone()).collect();
        receive(row.builder(), &MONEY, message, &m.run.is_real);
    }
}
