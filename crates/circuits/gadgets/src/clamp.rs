//! A signed number brought into -s..=s.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};

use crate::columns;
use crate::limb::U24;
use crate::row::{Row, c};

columns! {
    /// A number below 2^29; two lookups for the low 24 bits, two for the rest.
    pub struct U29 {
        /// Low 24 bits; range12.
        lo: (U24),
        /// High 5 bits; two lookups.
        hi: felt,
    }
}

impl<E: PrimeCharacteristicRing + Clone> U29<E> {
    /// The number.
    pub fn value(&self) -> E {
        self.lo.value() + self.hi.clone() * c::<E>(1 << 24)
    }
}

impl U29<F> {
    /// The limbs of a number; of a negative one they satisfy nothing.
    pub fn of(value: i64) -> Self {
        Self { lo: U24::of(value as u32 & 0xff_ffff), hi: F::from_u32((value >> 24) as u32 & 0xff) }
    }
}

columns! {
    /// `value = min(max(x, -s), s)`.
    ///
    /// With x and s below 2^28.5 in size, what is range-checked is an integer of less than 2^29.6 in size, so a
    /// negative one is no felt below 2^29.
    pub struct Clamp {
        /// The result.
        value: felt,
        /// 1 = x >= s, and the result is s; boolean.
        is_high: felt,
        /// 1 = x <= -s, and the result is -s; boolean, not together with `is_high`.
        is_low: felt,
        /// s - x, or x - s if high, or -s - x if low.
        upper: (U29),
        /// x + s, or 0 if high or low.
        lower: (U29),
    }
}

impl Clamp<F> {
    /// Columns of x brought into -s..=s.
    pub fn of(x: i64, s: i64) -> Self {
        let felt = |v: i64| if v < 0 { -F::from_u64(v.unsigned_abs()) } else { F::from_u64(v as u64) };
        let (high, low) = (x > s, x < -s);
        let (upper, lower) = match (high, low) {
            (true, _) => (x - s, 0),
            (_, true) => (-s - x, 0),
            _ => (s - x, x + s),
        };
        Self {
            value: felt(if high {
                s
            } else if low {
                -s
            } else {
                x
            }),
            is_high: F::from_bool(high),
            is_low: F::from_bool(low),
            upper: U29::of(upper),
            lower: U29::of(lower),
        }
    }
}

impl<AB: InteractionBuilder<F = F>> Row<'_, AB> {
    /// `x < 2^29`.
    pub fn u29(&mut self, x: &U29<AB::Expr>) {
        self.u24(&x.lo);
        self.narrow(&x.hi, 5);
    }

    /// The value is `x` (of degree at most 2) brought into -s..=s, on real rows; both below 2^28.5 in size, s >= 0.
    pub fn clamp(&mut self, clamp: &Clamp<AB::Expr>, x: &AB::Expr, s: &AB::Expr) {
        let (high, low) = (clamp.is_high.clone(), clamp.is_low.clone());
        let out = high.clone() + low.clone();
        for bit in [&high, &low, &out] {
            self.boolean(bit);
        }
        self.u29(&clamp.upper);
        self.u29(&clamp.lower);
        let inside = self.real.clone() - out;
        let ends = (high.clone() - low.clone()) * s.clone();
        self.zero(inside.clone() * x.clone() + ends - clamp.value.clone());
        let upper = inside.clone() * (s.clone() - x.clone()) + high * (x.clone() - s.clone())
            - low * (x.clone() + s.clone());
        self.zero(upper - clamp.upper.value());
        self.zero(inside * (x.clone() + s.clone()) - clamp.lower.value());
    }
}
