//! Small constraints that many tables share.

use p3_air::AirBuilder;
use p3_field::{Field, PrimeCharacteristicRing};

use crate::columns;

/// `flag ? a : b` for a boolean `flag`: `b + flag * (a - b)`, one degree above its arguments.
pub fn select<E: PrimeCharacteristicRing>(flag: impl Into<E>, a: impl Into<E>, b: impl Into<E>) -> E {
    let b = b.into();
    b.clone() + flag.into() * (a.into() - b)
}

/// `1 - x`.
pub fn not<E: PrimeCharacteristicRing>(x: impl Into<E>) -> E {
    E::ONE - x.into()
}

/// `sum limbs[k] * 2^(bits * k)`: little-endian limbs. Unique only if the limbs are range-checked and the sum
/// is below p.
pub fn compose<E: PrimeCharacteristicRing>(limbs: impl IntoIterator<Item = impl Into<E>>, bits: usize) -> E {
    let mut sum = E::ZERO;
    let mut weight = E::ONE;
    for limb in limbs {
        sum += limb.into() * weight.clone();
        weight *= E::from_u64(1 << bits);
    }
    sum
}

/// Asserts that exactly one of the flags is 1 and each is boolean.
pub fn assert_one_hot<AB: AirBuilder>(builder: &mut AB, flags: impl IntoIterator<Item = AB::Var>) {
    let mut sum = AB::Expr::ZERO;
    for flag in flags {
        builder.assert_bool(flag);
        sum += flag.into();
    }
    builder.assert_one(sum);
}

/// Asserts that two rows of values are equal where `flag` is non-zero.
pub fn assert_eq_when<AB: AirBuilder, const N: usize>(
    builder: &mut AB,
    flag: impl Into<AB::Expr>,
    a: [impl Into<AB::Expr>; N],
    b: [impl Into<AB::Expr>; N],
) {
    let mut builder = builder.when(flag);
    for (a, b) in a.into_iter().zip(b) {
        builder.assert_eq(a, b);
    }
}

columns! {
    /// Columns of the zero test of one expression.
    pub struct IsZero {
        /// 1 if the expression is 0, else 0; enforced by [`eval_is_zero`].
        is_zero,
        /// Inverse of the expression, or anything where it is 0.
        inv,
    }
}

impl<T: Field> IsZero<T> {
    /// The columns for the value `x`.
    pub fn new(x: T) -> Self {
        Self { is_zero: T::from_bool(x.is_zero()), inv: x.try_inverse().unwrap_or(T::ZERO) }
    }
}

/// Constrains `cols.is_zero = (x == 0)`: degree 1 + deg x.
///
/// `is_zero = 1 - x * inv` gives 1 where x = 0; elsewhere `x * is_zero = 0` gives 0.
pub fn eval_is_zero<AB: AirBuilder>(builder: &mut AB, x: impl Into<AB::Expr>, cols: &IsZero<AB::Var>) {
    let x = x.into();
    builder.assert_eq(cols.is_zero, AB::Expr::ONE - x.clone() * cols.inv.into());
    builder.assert_zero(x * cols.is_zero.into());
}
