//! The bit length of a number.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing, PrimeField32};
use tsz_gadgets::columns;
use tsz_gadgets::row::{Row, c};

/// Digits of the longest number.
const DIGITS: usize = 9;

columns! {
    /// The bit length of a number of up to nine base 2^12 digits that is not 0.
    pub struct Length {
        /// Place of its highest digit that is not 0, one-hot; boolean.
        place: [DIGITS],
        /// That digit.
        top: felt,
        /// The highest bit of that digit, one-hot; boolean.
        bit: [12],
    }
}

impl<E: PrimeCharacteristicRing + Clone> Length<E> {
    /// The bit length; 0 on rows that are not real.
    pub fn value(&self) -> E {
        let places = self.place.iter().zip(0..).map(|(p, k)| p.clone() * c::<E>(12 * k));
        let bits = self.bit.iter().zip(1..).map(|(b, k)| b.clone() * c::<E>(k));
        places.chain(bits).sum()
    }
}

impl Length<F> {
    /// Columns of a number by its digits; of 0 there are none.
    pub fn of(digits: &[F]) -> Self {
        let mut x = Self::default();
        if let Some(k) = digits.iter().rposition(|d| *d != F::ZERO).filter(|k| *k < DIGITS) {
            x.place[k] = F::ONE;
            x.top = digits[k];
            x.bit[digits[k].as_canonical_u32().ilog2().min(11) as usize] = F::ONE;
        }
        x
    }
}

/// On real rows `x` is the bit length of the number with these digits, each below 2^12; it is not 0.
///
/// No digit above the place is other than 0, and 2^i <= top < 2^(i+1) for the bit i, so top is not 0 and place and bit
/// are the number's.
pub fn length<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    digits: &[AB::Expr],
    x: &Length<AB::Expr>,
) {
    for flag in x.place.iter().chain(&x.bit) {
        row.boolean(flag);
    }
    let real = row.real.clone();
    row.zero(x.place.iter().cloned().sum::<AB::Expr>() - real.clone());
    row.zero(x.bit.iter().cloned().sum::<AB::Expr>() - real.clone());
    let (mut below, mut top) = (AB::Expr::ZERO, AB::Expr::ZERO);
    for (k, place) in x.place.iter().enumerate() {
        match digits.get(k) {
            Some(digit) => {
                row.zero(digit.clone() * below.clone());
                top += place.clone() * digit.clone();
            }
            None => row.zero(place.clone()),
        }
        below += place.clone();
    }
    row.zero(x.top.clone() - top);
    let power: AB::Expr = x.bit.iter().zip(0..).map(|(b, i)| b.clone() * c::<AB::Expr>(1 << i)).sum();
    row.range(x.top.clone() - power.clone());
    row.range(power.double() - real - x.top.clone());
}
