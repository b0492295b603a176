//! Rows of zero quotes.

use ethnum::I256;
use tsz_air::{F, PrimeCharacteristicRing, PrimeField32};
use tsz_gadgets::product::{digits12, felts, product_carries};
use tsz_gadgets::units::SCALE;

use crate::rows::{array, carry, number, shifts};
use crate::tables::{GAIN_SHIFT, Quote, QuoteRow, WideSum};

/// Largest gain that has a row, in size.
const BOUND: i128 = 1 << GAIN_SHIFT;

impl QuoteRow<F> {
    /// Columns of a close of lots of `notional` by an account of these figures: digits of TAV + 2^98, sums of MMR. A
    /// gain beyond its width, or no requirement, gives a row that satisfies nothing.
    pub fn of(tav: &[F; 9], required: &[F; 6], notional: u128, mmf: u32) -> Self {
        let sum = WideSum::of(required);
        let required_digits = sum.digits().map(|x| x.as_canonical_u32());
        // below 2^72 * 2^14, 2^111
        let weight = (notional & ((1 << 72) - 1)) * u128::from(mmf & 0x3fff);
        let scale = number(&sum.digits()).unsigned_abs() * SCALE;
        let value = number(tav) - (1 << 98);
        let gain = I256::from(weight) * I256::from(value);
        let gain = gain.div_euclid(I256::from(scale.max(1)));
        let gain = i128::try_from(gain).unwrap_or_default().clamp(-BOUND, BOUND - 1) + BOUND;
        let mmf_digits = digits12::<2>(mmf.into());
        let notional_digits = digits12::<6>(notional);
        let mut row = Self {
            is_real: F::ONE,
            uses: F::ZERO,
            quote: Quote {
                tav: *tav,
                required: *required,
                notional: felts(notional_digits),
                mmf: F::from_u32(mmf),
                gain: felts(digits12(gain.unsigned_abs())),
            },
            mmf: felts(mmf_digits),
            weight: felts(digits12(weight)),
            weight_carries: product_carries(&notional_digits, &mmf_digits),
            required: sum,
            scale: felts(digits12(scale)),
            scale_carries: product_carries(&required_digits, &digits12::<2>(SCALE)),
            ..Self::default()
        };
        let (rest, carries) = carry(&row.rest_sums(), 16);
        row.rest = array(&rest);
        row.carries = shifts(&carries);
        let spare = scale as i128 - 1 - number(&row.rest);
        row.spare = felts(digits12(spare.unsigned_abs()));
        let mut borrow = 0;
        for k in 0..9 {
            let digit = |x: &[F; 10]| i64::from(x[k].as_canonical_u32());
            borrow = i64::from(digit(&row.scale) - digit(&row.rest) - borrow < i64::from(k == 0));
            row.borrows[k] = F::from_i64(borrow);
        }
        row
    }
}
