//! Ratios: TAV_before * MMR_after <= TAV_after * MMR_before, one row for each judgement that needs it.
//!
//! Proven for digits below 2^12 and sums of at most 32 products: that inequality, and TAV_after >= TAV_before where
//! MMR_before = 0. TAVs come with 2^98 added, requirements in hundreds as sums that are not carried.

use tsz_air::{Air, Count, F, InteractionBuilder, LookupBus, PrimeCharacteristicRing};
use tsz_gadgets::row::{Row, c};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};

use super::sums::{Shift, WideSum, carried, wide_sum};

/// `ratio`: TAV before\[9\], TAV after\[9\], MMR before\[6\], MMR after\[6\]. Provided by the ratio table.
const RATIO: LookupBus<'static> = LookupBus::new("ratio");

columns! {
    /// One comparison.
    pub struct Ratio {
        /// 1 = the row holds a comparison; boolean.
        is_real: felt,
        /// Lookups; 0 on padding.
        uses: felt,
        /// Digits of TAV_before + 2^98.
        before: [9],
        /// Digits of TAV_after + 2^98.
        after: [9],
        /// Sums of MMR_before.
        sums_before: [6],
        /// Sums of MMR_after.
        sums_after: [6],
        /// Digits of MMR_before.
        required_before: (WideSum),
        /// Digits of MMR_after.
        required_after: (WideSum),
        /// TAV_after * MMR_before - TAV_before * MMR_after; range12.
        excess: [16],
        /// Carries of that.
        carries: (Shift * 15),
        /// 1 = MMR_before is 0; boolean, owned by the zero test.
        is_free: felt,
        /// Inverse of the digit sum of MMR_before, or 0.
        free_inv: felt,
        /// TAV_after - TAV_before if free; range12.
        rise: [9],
        /// Borrows of that; boolean.
        borrows: [8],
    }
}

op_air! {
    /// AIR of [`Ratio`]. No public values.
    RatioAir, Ratio, "ratio", 0
}

impl<E: PrimeCharacteristicRing + Clone> Ratio<E> {
    /// `after * MMR_before - before * MMR_after`, digit by digit, for the TAVs without the 2^98.
    pub fn excess_sums(&self) -> [E; 16] {
        let (mb, ma) = (self.required_before.digits(), self.required_after.digits());
        core::array::from_fn(|k| {
            let mut e = E::ZERO;
            for (i, (b, a)) in mb.iter().zip(&ma).enumerate() {
                let Some(j) = k.checked_sub(i) else { continue };
                if j < 9 {
                    e += self.after[j].clone() * b.clone() - self.before[j].clone() * a.clone();
                }
                if j == 8 {
                    e -= (b.clone() - a.clone()) * c::<E>(4);
                }
            }
            e
        })
    }

    fn fields(&self) -> Vec<E> {
        let tavs = self.before.iter().chain(&self.after);
        tavs.chain(&self.sums_before).chain(&self.sums_after).cloned().collect()
    }
}

/// The ratio does not fall, if the boolean `flag` (at most `real`). `tav` are digits, `required` sums.
pub(super) fn lookup<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    flag: &AB::Expr,
    [before, after]: [&[AB::Expr; 9]; 2],
    required: [&[AB::Expr; 6]; 2],
) {
    let sums = required.into_iter().flatten();
    let fields: Vec<AB::Expr> = before.iter().chain(after).chain(sums).cloned().collect();
    RATIO.lookup_key(row.builder(), fields, Count::bounded(flag.clone(), 1));
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for RatioAir {
    fn eval(&self, builder: &mut AB) {
        let r: Ratio<AB::Expr> = current(builder);
        let mut row = Row::bare(builder, r.is_real.clone());
        let real = row.real.clone();
        row.zero(r.uses.clone() * (AB::Expr::ONE - real));
        wide_sum(&mut row, &r.sums_before, &r.required_before);
        wide_sum(&mut row, &r.sums_after, &r.required_after);
        // at most eight products of digits on either side of the difference: below 2^28
        carried(&mut row, &r.excess_sums(), &r.excess, &r.carries);
        free(&mut row, &r);
        RATIO.table_entry(row.builder(), r.fields(), r.uses.clone());
    }
}

/// Without a requirement before, the value does not fall.
fn free<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, r: &Ratio<AB::Expr>) {
    let real = row.real.clone();
    let sum: AB::Expr = r.required_before.digits().into_iter().sum();
    row.boolean(&r.is_free);
    row.zero(sum.clone() * r.free_inv.clone() - real + r.is_free.clone());
    row.zero(sum * r.is_free.clone());
    for digit in &r.rise {
        row.range(digit.clone());
    }
    for bit in &r.borrows {
        row.boolean(bit);
    }
    for k in 0..9 {
        let mut e = r.is_free.clone() * (r.after[k].clone() - r.before[k].clone()) - r.rise[k].clone();
        if k > 0 {
            e -= r.borrows[k - 1].clone();
        }
        if let Some(borrow) = r.borrows.get(k) {
            e += borrow.clone() * c::<AB::Expr>(1 << 12);
        }
        row.zero(e);
    }
}
