//! Zero quotes: what closing part of a position is worth to the side that is closed, one row for each different close.
//!
//! Proven for digits below 2^12, a sum of at most 32 products and n below 2^72: `gain = floor(n * mmf * TAV / (MMR *
//! 10^4))`, MMR > 0. The zero quote of a position of sign s is `Q0 = n - s * gain`: a long's is rounded up, a short's
//! down, both in favour of the side that is closed (docs/src/domain.md section 7). TAV comes with 2^98 added, the gain
//! with [`GAIN_SHIFT`], MMR in hundreds as sums that are not carried.

use tsz_air::{Air, Count, F, InteractionBuilder, LookupBus, PrimeCharacteristicRing};
use tsz_gadgets::layout::Columns;
use tsz_gadgets::product::Carry;
use tsz_gadgets::row::{Row, c, compose12};
use tsz_gadgets::table::current;
use tsz_gadgets::units::SCALE;
use tsz_gadgets::{columns, op_air};

use super::sums::{Shift, WideSum, carried, wide_sum};

/// `quote`: the fields of [`Quote`]. Provided by the quote table.
const QUOTE: LookupBus<'static> = LookupBus::new("quote");
/// log2 of what is added to a gain.
pub const GAIN_SHIFT: u32 = 83;
/// Base 2^12 digits of [`SCALE`].
const SCALE_DIGITS: [u32; 2] = [SCALE as u32 & 0xfff, (SCALE >> 12) as u32];

columns! {
    /// What a close is worth; a copy, bound by the bus.
    pub struct Quote {
        /// Base 2^12 digits of TAV + 2^98.
        tav: [9],
        /// Sums of MMR in hundreds.
        required: [6],
        /// Digits of n, the lots at the mark.
        notional: [6],
        /// Maintenance fraction of the tier of the position before (14 bits).
        mmf: felt,
        /// Digits of gain + 2^83.
        gain: [7],
    }
}

columns! {
    /// One close.
    pub struct QuoteRow {
        /// 1 = the row holds a close; boolean.
        is_real: felt,
        /// Lookups; 0 on padding.
        uses: felt,
        /// What is said; the digits of the gain are ranged here.
        quote: (Quote),
        /// Digits of the fraction; range12.
        mmf: [2],
        /// Digits of n * mmf; range12.
        weight: [8],
        /// Carries of that product.
        weight_carries: (Carry * 7),
        /// Digits of MMR in hundreds.
        required: (WideSum),
        /// Digits of MMR * 10^4; range12.
        scale: [10],
        /// Carries of that product.
        scale_carries: (Carry * 9),
        /// n * mmf * TAV - gain * MMR * 10^4; range12.
        rest: [10],
        /// Carries of that.
        carries: (Shift * 15),
        /// MMR * 10^4 - 1 - rest; range12.
        spare: [10],
        /// Borrows of that; boolean.
        borrows: [9],
    }
}

op_air! {
    /// AIR of [`QuoteRow`]. No public values.
    QuoteAir, QuoteRow, "quote", 0
}

impl<E: PrimeCharacteristicRing + Clone> QuoteRow<E> {
    /// `weight * TAV - gain * scale`, digit by digit, for both without what is added to them.
    pub fn rest_sums(&self) -> [E; 16] {
        let q = &self.quote;
        let at = |digits: &[E], k: usize, shift: usize| -> E {
            k.checked_sub(shift).and_then(|k| digits.get(k)).cloned().unwrap_or(E::ZERO)
        };
        let convolve = |a: &[E], b: &[E], k: usize| -> E {
            a.iter().enumerate().map(|(i, x)| x.clone() * at(b, k, i)).sum()
        };
        core::array::from_fn(|k| {
            // 2^98 = 4 * 2^(12 * 8), 2^83 = 2^11 * 2^(12 * 6)
            convolve(&self.weight, &q.tav, k)
                - at(&self.weight, k, 8) * c::<E>(4)
                - convolve(&q.gain, &self.scale, k)
                + at(&self.scale, k, 6) * c::<E>(1 << 11)
        })
    }
}

fn fields<E: Clone>(quote: &Quote<E>) -> Vec<E>
where
    Quote<E>: Columns<E>,
{
    let mut out = Vec::new();
    quote.write(&mut |x: &E| out.push(x.clone()));
    out
}

/// The close is worth so, if the boolean `flag` (at most `real`).
pub fn lookup<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    flag: &AB::Expr,
    quote: &Quote<AB::Expr>,
) {
    QUOTE.lookup_key(row.builder(), fields(quote), Count::bounded(flag.clone(), 1));
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for QuoteAir {
    fn eval(&self, builder: &mut AB) {
        let q: QuoteRow<AB::Expr> = current(builder);
        let mut row = Row::bare(builder, q.is_real.clone());
        let real = row.real.clone();
        row.zero(q.uses.clone() * (AB::Expr::ONE - real));
        let digits = q.mmf.iter().chain(&q.weight).chain(&q.scale).chain(&q.quote.gain).chain(&q.spare);
        for digit in digits {
            row.range(digit.clone());
        }
        row.zero(compose12(&q.mmf) - q.quote.mmf.clone());
        row.product(&q.quote.notional, &q.mmf, &q.weight, &q.weight_carries);
        wide_sum(&mut row, &q.quote.required, &q.required);
        let million = SCALE_DIGITS.map(c::<AB::Expr>);
        row.product(&q.required.digits(), &million, &q.scale, &q.scale_carries);
        // at most eight products of digits and 2^23 on either side of the difference: below 2^28
        carried(&mut row, &q.rest_sums(), &q.rest, &q.carries);
        below(&mut row, &q);
        QUOTE.table_entry(row.builder(), fields(&q.quote), q.uses.clone());
    }
}

/// rest < MMR * 10^4, which is therefore not 0.
fn below<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, q: &QuoteRow<AB::Expr>) {
    let real = row.real.clone();
    for bit in &q.borrows {
        row.boolean(bit);
    }
    for k in 0..10 {
        let mut e = q.scale[k].clone() - q.rest[k].clone() - q.spare[k].clone();
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
