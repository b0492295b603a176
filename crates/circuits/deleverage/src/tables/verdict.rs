//! Comparisons that are proven whichever way they turn out.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::limb24;
use tsz_gadgets::row::{Row, c};
use tsz_margin::tables::{Shift, carried};
use tsz_margin::{carry, shifts, signed};

columns! {
    /// Whether a number is not negative.
    pub struct Verdict {
        /// 1 = it is not; boolean.
        holds: felt,
        /// The number, or -1 - it; range12.
        gap: [9],
        /// Carries.
        carries: (Shift * 8),
    }
}

fn turned<E: PrimeCharacteristicRing + Clone>(sums: &[E; 9], holds: &E, real: &E) -> [E; 9] {
    let sign = holds.double() - real.clone();
    core::array::from_fn(|k| {
        let e = sign.clone() * sums[k].clone();
        if k == 0 { e - (real.clone() - holds.clone()) } else { e }
    })
}

impl Verdict<F> {
    /// Columns of `sum_k sums_k 2^(12 k)`.
    pub fn of(sums: &[F; 9]) -> Self {
        let total = sums.iter().rev().fold(0i128, |acc, x| (acc << 12) + i128::from(signed(*x)));
        let holds = F::from_bool(total >= 0);
        let (digits, carries) = carry(&turned(sums, &holds, &F::ONE), 9);
        let gap = core::array::from_fn(|k| digits.get(k).copied().unwrap_or_default());
        Self { holds, gap, carries: shifts(&carries) }
    }
}

/// On real rows `holds` = 1 iff `sum_k sums_k 2^(12 k)` >= 0. The number is below 2^108 in size, sums are below 2^27.
pub fn verdict<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    sums: &[AB::Expr; 9],
    v: &Verdict<AB::Expr>,
) {
    let real = row.real.clone();
    row.boolean(&v.holds);
    row.zero(v.holds.clone() * (AB::Expr::ONE - real.clone()));
    carried(row, &turned(sums, &v.holds, &real), &v.gap, &v.carries);
}

columns! {
    /// Whether lots grew.
    pub struct Growth {
        /// 1 = more after than before; boolean.
        grows: felt,
        /// after - before - 1 if so, else before - after; range12.
        gap: (U24 * 2),
        /// Borrow; boolean.
        borrow: felt,
    }
}

impl Growth<F> {
    /// Columns of lots before and after (24, 24 bits).
    pub fn of([before, after]: [[F; 2]; 2]) -> Self {
        let [x, y] = [before, after].map(|[a, b]| signed(a) | signed(b) << 24);
        let grows = y > x;
        let gap = if grows { y - x - 1 } else { x - y };
        let (low, high) = if grows {
            (signed(before[0]) + 1, signed(after[0]))
        } else {
            (signed(after[0]), signed(before[0]))
        };
        Self {
            grows: F::from_bool(grows),
            gap: [0, 1].map(|k| U24::of(limb24(gap.unsigned_abs().into(), k))),
            borrow: F::from_bool(high < low),
        }
    }
}

/// On real rows `grows` = 1 iff after > before; limbs have 24 bits.
pub fn growth<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    [before, after]: &[[AB::Expr; 2]; 2],
    g: &Growth<AB::Expr>,
) {
    let real = row.real.clone();
    row.boolean(&g.grows);
    row.boolean(&g.borrow);
    row.zero(g.grows.clone() * (AB::Expr::ONE - real.clone()));
    for limb in &g.gap {
        row.u24(limb);
    }
    let sign = g.grows.double() - real;
    let [d0, d1] = [0, 1].map(|k| sign.clone() * (after[k].clone() - before[k].clone()) - g.gap[k].value());
    row.zero(d0 - g.grows.clone() + g.borrow.clone() * c::<AB::Expr>(1 << 24));
    row.zero(d1 - g.borrow.clone());
}
