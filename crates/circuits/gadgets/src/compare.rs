//! Order of numbers given by limbs of 24 bits.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};

use crate::columns;
use crate::limb::U24;
use crate::row::{Row, c};

columns! {
    /// How a 32-bit number x compares with another one m; both are limbs of 24 and 8 bits.
    pub struct Compare {
        /// 1 = x < m; boolean.
        less: felt,
        /// 1 = x > m; boolean, not together with `less`.
        more: felt,
        /// Low 24 bits of |x - m| - 1, or 0 where they are equal; range12.
        gap: (U24),
        /// High 8 bits; two lookups.
        gap_hi: felt,
        /// Borrow of the difference; boolean.
        borrow: felt,
    }
}

impl<E: PrimeCharacteristicRing + Clone> Compare<E> {
    /// 1 = the numbers differ.
    pub fn apart(&self) -> E {
        self.less.clone() + self.more.clone()
    }
}

impl Compare<F> {
    /// Columns of the comparison of `x` with `m`.
    pub fn of(x: u32, m: u32) -> Self {
        let (low, high) = (x.min(m), x.max(m));
        let gap = (high - low).saturating_sub(1);
        let borrow = x != m && (high & 0xff_ffff) < (low & 0xff_ffff) + 1;
        Self {
            less: F::from_bool(x < m),
            more: F::from_bool(x > m),
            gap: U24::of(gap & 0xff_ffff),
            gap_hi: F::from_u32(gap >> 24),
            borrow: F::from_bool(borrow),
        }
    }
}

columns! {
    /// `sum - x` for sums of numbers of two limbs; at least 0 and below 2^48.
    pub struct Excess {
        /// The difference; range12.
        value: (U24 * 2),
        /// 1 = the low limbs give 2^24 more than the low limb of the difference; boolean.
        carry: felt,
        /// 1 = they give 2^24 less; boolean.
        borrow: felt,
    }
}

impl Excess<F> {
    /// Columns of `sum - x` from limbs of any size below 2^26. Those of a negative difference satisfy nothing.
    pub fn of(sum: [i64; 2], x: [i64; 2]) -> Self {
        let value = (sum[0] - x[0]) + ((sum[1] - x[1]) << 24);
        let low = value & 0xff_ffff;
        // sum_0 - x_0 = value_0 + 2^24 (carry - borrow)
        let shift = sum[0] - x[0] - low;
        Self {
            value: [low, value >> 24].map(|limb| U24::of(limb as u32 & 0xff_ffff)),
            carry: F::from_bool(shift > 0),
            borrow: F::from_bool(shift < 0),
        }
    }
}

impl<AB: InteractionBuilder<F = F>> Row<'_, AB> {
    /// On real rows `less` and `more` say how `x` compares with `m`, whose limbs have 24 and 8 bits.
    ///
    /// With sign = more - less: `sign (x_0 - m_0) = gap_0 + 1 - 2^24 borrow`, `sign (x_1 - m_1) = gap_1 + borrow`, so
    /// |x - m| = gap + 1 where sign is not 0; there all terms are below 2^26. Where it is 0 the limbs are equal.
    pub fn compare(&mut self, cmp: &Compare<AB::Expr>, x: &[AB::Expr; 2], m: &[AB::Expr; 2]) {
        let apart = cmp.apart();
        for bit in [&cmp.less, &cmp.more, &apart, &cmp.borrow] {
            self.boolean(bit);
        }
        self.u24(&cmp.gap);
        self.narrow(&cmp.gap_hi, 8);
        let sign = cmp.more.clone() - cmp.less.clone();
        let same = self.real.clone() - apart.clone();
        let [d0, d1] = [0, 1].map(|k| x[k].clone() - m[k].clone());
        let borrowed = cmp.borrow.clone() * c::<AB::Expr>(1 << 24);
        self.zero(sign.clone() * d0.clone() - cmp.gap.value() - apart + borrowed);
        self.zero(sign * d1.clone() - cmp.gap_hi.clone() - cmp.borrow.clone());
        self.zero(same.clone() * d0);
        self.zero(same * d1);
    }

    /// On real rows `sum = x + excess`. The limbs of the sum are below 2^26 in size, those of `x` below 2^24.
    ///
    /// Limb by limb `sum_0 - x_0 = e_0 + 2^24 (carry - borrow)`, `sum_1 - x_1 + carry - borrow = e_1`: equations of
    /// integers, and their sum is exact whatever the two bits are.
    pub fn excess(&mut self, excess: &Excess<AB::Expr>, sum: &[AB::Expr; 2], x: &[AB::Expr; 2]) {
        for limb in &excess.value {
            self.u24(limb);
        }
        self.boolean(&excess.carry);
        self.boolean(&excess.borrow);
        let shift = excess.carry.clone() - excess.borrow.clone();
        let [d0, d1] = [0, 1].map(|k| sum[k].clone() - x[k].clone() - excess.value[k].value());
        self.zero(d0 - shift.clone() * c::<AB::Expr>(1 << 24));
        self.zero(d1 + shift);
    }
}
