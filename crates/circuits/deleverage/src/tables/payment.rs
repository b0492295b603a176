//! What the side that is closed gets: s * Q0 * 10^6 = (s * n - gain) * 10^6, with the gain of table `quote`.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing, PrimeField32};
use tsz_gadgets::columns;
use tsz_gadgets::product::{Carry, digits12, felts, product_carries};
use tsz_gadgets::row::{Row, c, compose12};
use tsz_margin::tables::{Figures, GAIN_SHIFT, Price, Quote, Shift, carried, lookup_quote};
use tsz_margin::{Book, carry, number, shifts, signed};

use super::bearer::UNIT;

columns! {
    /// The close of some lots of a target.
    pub struct Payment {
        /// Digits of n = lots * mark * qm; range12.
        notional: [6],
        /// Carries of that product.
        notional_carries: (Carry * 5),
        /// Digits of gain + 2^83; bound by `quote`.
        gain: [7],
        /// Digits of (s * n - gain) * 10^6 + 2^97, which the target gets; range12, the last below 4.
        cash: [9],
        /// Carries of that.
        cash_carries: (Shift * 8),
    }
}

impl<E: PrimeCharacteristicRing + Clone> Payment<E> {
    /// The nine sums of the payment to a target of this side.
    pub fn cash_sums(&self, real: &E, short: &E) -> [E; 9] {
        let sign = E::ONE - short.double();
        let amount: [E; 7] = core::array::from_fn(|k| {
            let mut e = E::ZERO - self.gain[k].clone();
            if let Some(digit) = self.notional.get(k) {
                e += sign.clone() * digit.clone();
            }
            if k == 6 {
                e += real.clone() * c::<E>(1 << (GAIN_SHIFT - 72));
            }
            e
        });
        let at = |k: Option<usize>| k.and_then(|k| amount.get(k)).cloned().unwrap_or(E::ZERO);
        core::array::from_fn(|k| {
            let e = at(Some(k)) * c::<E>(UNIT[0]) + at(k.checked_sub(1)) * c::<E>(UNIT[1]);
            // 2^97
            if k == 8 { e + real.double() } else { e }
        })
    }

    /// The payment in signed limbs.
    pub fn limbs(&self, real: &E) -> [E; 4] {
        let top = self.cash[8].clone() - real.double();
        core::array::from_fn(|k| {
            let limb = compose12(&self.cash[2 * k..2 * k + 2]);
            if k == 3 { limb + top.clone() * c::<E>(1 << 24) } else { limb }
        })
    }
}

impl Payment<F> {
    /// Columns of closing lots of a target of these figures and side.
    pub fn of(book: &mut Book<'_>, lots: &[F; 4], price: &Price<F>, figures: &Figures<F>, short: F) -> Self {
        let notional = number(lots).unsigned_abs() * number(&price.unit).unsigned_abs();
        let (lots, unit) = (lots.map(|x| x.as_canonical_u32()), price.unit.map(|x| x.as_canonical_u32()));
        let mut x = Self {
            notional: felts(digits12(notional)),
            notional_carries: product_carries(&lots, &unit),
            gain: book.quote(figures, notional).gain,
            ..Self::default()
        };
        let (digits, carries) = carry(&x.cash_sums(&F::ONE, &short), 9);
        x.cash = core::array::from_fn(|k| digits.get(k).copied().unwrap_or_default());
        x.cash_carries = shifts(&carries);
        x
    }

    /// The signed limbs as integers.
    pub fn cash(&self) -> [i64; 4] {
        self.limbs(&F::ONE).map(signed)
    }
}

/// On real rows the payment is that of closing the lots (digits below 2^12) of a target of these figures and side.
pub fn payment<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    x: &Payment<AB::Expr>,
    (lots, short): (&[AB::Expr; 4], &AB::Expr),
    unit: &[AB::Expr; 5],
    figures: &Figures<AB::Expr>,
) {
    let real = row.real.clone();
    for digit in &x.notional {
        row.range(digit.clone());
    }
    row.product(lots, unit, &x.notional, &x.notional_carries);
    // digits below 2^13 times at most 820: below 2^23
    carried(row, &x.cash_sums(&real, short), &x.cash, &x.cash_carries);
    row.range(x.cash[8].clone() * c::<AB::Expr>(1 << 10));
    let quote = Quote {
        tav: figures.tav.clone(),
        required: figures.required.clone(),
        notional: x.notional.clone(),
        mmf: figures.mmf.clone(),
        gain: x.gain.clone(),
    };
    lookup_quote(row, &real, &quote);
}
