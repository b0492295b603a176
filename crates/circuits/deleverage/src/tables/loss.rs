//! Loss classes: what the close of a target costs its counterparties, one row for each different target.
//!
//! Proven: the class is 0 if TAV >= 0, else the least j in 1..=15 with `mmf * |TAV| * 2^11 <= MMR * 10^4 * 2^j`, or 16 if
//! there is none. MMR comes in hundreds as sums that are not carried, so MMR * 10^4 is that times 10^6, and both sides are
//! divided by 2^6.

use tsz_air::{Air, Count, F, InteractionBuilder, LookupBus, PrimeCharacteristicRing};
use tsz_gadgets::layout::Columns;
use tsz_gadgets::product::Carry;
use tsz_gadgets::row::{Row, c, compose12};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};
use tsz_margin::tables::{Figures, Shift, WideSum, carried, wide_sum};

use super::bearer::{LOSS_SCALE, ODD_UNIT};
use super::kind::{BEYOND, Kind, kind};

/// `loss`: the fields of [`Figures`], class. Provided by the loss table.
const LOSS: LookupBus<'static> = LookupBus::new("loss");

columns! {
    /// One target.
    pub struct Loss {
        /// 1 = the row holds one; boolean.
        is_real: felt,
        /// Lookups; free, 0 on padding: an entry is a true statement.
        uses: felt,
        /// TAV, MMR and the maintenance fraction of the target.
        figures: (Figures),
        /// Its class.
        kind: (Kind),
        /// Digits of |TAV|; range12.
        size: [9],
        /// Carries of that.
        size_carries: (Shift * 8),
        /// Inverse of their sum, if TAV is negative.
        size_inv: felt,
        /// Digits of the fraction; range12.
        mmf: [2],
        /// Digits of mmf * |TAV|; range12.
        weight: [10],
        /// Carries of that product.
        weight_carries: (Carry * 9),
        /// MMR in hundreds.
        required: (WideSum),
        /// Digits of MMR in hundreds * 2^class (2^15 beyond); range12.
        scaled: [10],
        /// Carries of that product.
        scaled_carries: (Carry * 9),
        /// What the bound of the class leaves, in classes 1 to 15; range12.
        upper: [11],
        /// Carries of that.
        upper_carries: (Shift * 10),
        /// By how much more than 1 the loss exceeds the bound of the class before, in classes 2 to 15, or that of class 15
        /// beyond; range12.
        lower: [11],
        /// Carries of that.
        lower_carries: (Shift * 10),
    }
}

op_air! {
    /// AIR of [`Loss`]. No public values.
    LossAir, Loss, "loss", 0
}

impl<E: PrimeCharacteristicRing + Clone> Loss<E> {
    /// Sums of |TAV|.
    pub fn size_sums(&self) -> [E; 9] {
        let sign = self.kind.is[0].double() - self.is_real.clone();
        core::array::from_fn(|k| {
            let digit = self.figures.tav[k].clone();
            // 2^98
            sign.clone() * if k == 8 { digit - c::<E>(4) } else { digit }
        })
    }

    fn bound(&self, k: usize) -> E {
        let at = |k: Option<usize>| k.and_then(|k| self.scaled.get(k)).cloned().unwrap_or(E::ZERO);
        at(Some(k)) * c::<E>(ODD_UNIT[0]) + at(k.checked_sub(1)) * c::<E>(ODD_UNIT[1])
    }

    fn lost(&self, k: usize) -> E {
        self.weight.get(k).cloned().unwrap_or(E::ZERO) * c::<E>(LOSS_SCALE)
    }

    /// Sums of what the bound leaves.
    pub fn upper_sums(&self) -> [E; 11] {
        let bounded = self.kind.at_least(1);
        core::array::from_fn(|k| bounded.clone() * (self.bound(k) - self.lost(k)))
    }

    /// Sums of the excess over the bound before; the bound of class j - 1 is half that of class j.
    pub fn lower_sums(&self) -> [E; 11] {
        let (later, beyond) = (self.kind.at_least(2), self.kind.is[BEYOND as usize].clone());
        let both = later.clone() + beyond.clone();
        core::array::from_fn(|k| {
            let e = (later.double() + beyond.clone()) * self.lost(k) - both.clone() * self.bound(k);
            if k == 0 { e - both.clone() } else { e }
        })
    }
}

fn fields<E: PrimeCharacteristicRing + Clone>(figures: &Figures<E>, class: E) -> Vec<E>
where
    Figures<E>: Columns<E>,
{
    let mut out = Vec::new();
    figures.write(&mut |x: &E| out.push(x.clone()));
    out.push(class);
    out
}

/// The close of a target of these figures is of the class, if the boolean `flag` (at most `real`).
pub fn loses<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    flag: &AB::Expr,
    figures: &Figures<AB::Expr>,
    class: AB::Expr,
) {
    LOSS.lookup_key(row.builder(), fields(figures, class), Count::bounded(flag.clone(), 1));
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for LossAir {
    fn eval(&self, builder: &mut AB) {
        let l: Loss<AB::Expr> = current(builder);
        let mut row = Row::bare(builder, l.is_real.clone());
        let (real, one) = (row.real.clone(), AB::Expr::ONE);
        row.zero(l.uses.clone() * (one.clone() - real.clone()));
        kind(&mut row, &l.kind);
        for digit in l.mmf.iter().chain(&l.weight).chain(&l.scaled) {
            row.range(digit.clone());
        }
        carried(&mut row, &l.size_sums(), &l.size, &l.size_carries);
        let negative = real - l.kind.is[0].clone();
        let sum: AB::Expr = l.size.iter().cloned().sum();
        row.zero(negative * (sum * l.size_inv.clone() - one));
        row.zero(compose12(&l.mmf) - l.figures.mmf.clone());
        row.product(&l.size, &l.mmf, &l.weight, &l.weight_carries);
        wide_sum(&mut row, &l.figures.required, &l.required);
        row.product(&l.required.digits(), &l.kind.power(), &l.scaled, &l.scaled_carries);
        // 64 * 4095 + 3340 * 4095: below 2^24
        carried(&mut row, &l.upper_sums(), &l.upper, &l.upper_carries);
        carried(&mut row, &l.lower_sums(), &l.lower, &l.lower_carries);
        LOSS.table_entry(row.builder(), fields(&l.figures, l.kind.number()), l.uses.clone());
    }
}
