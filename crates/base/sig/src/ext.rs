//! The extension field F_p\[z\]/(z^D - Z1 z - Z0), const-generic in the degree.
//!
//! Multiplication is a matrix-vector product of delayed-reduction dot products. Inversion and square roots go
//! through the norm: with r = 1 + p + .. + p^(D-1), x^r is in F_p, and Frobenius powers are linear maps.
//! No operation branches on field values, except [`Ext::sqrt`] and [`Ext::batch_invert`].

use core::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};

use p3_field::{PrimeCharacteristicRing, PrimeField32, TwoAdicField};
use spin::LazyLock;
use tsz_hash::F;

/// An element sum_i c_i z^i, coefficients from the constant one up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ext<const D: usize>(pub [F; D]);

/// The modulus z^D = Z1 z + Z0 of a degree; irreducible by the choice of the constants.
pub trait Modulus<const D: usize> {
    /// Coefficient of z.
    const Z1: F;
    /// Constant coefficient.
    const Z0: F;
    /// The Frobenius powers of this field.
    fn frobenius() -> &'static Frobenius<D>;
}

impl Modulus<7> for Ext<7> {
    const Z1: F = F::new(2);
    const Z0: F = F::new(5);

    fn frobenius() -> &'static Frobenius<7> {
        static MAPS: LazyLock<Frobenius<7>> = LazyLock::new(Frobenius::new);
        &MAPS
    }
}

/// Matrices of x -> x^(p^k) for k < D, by output coefficient.
#[derive(Debug)]
pub struct Frobenius<const D: usize> {
    maps: [[[F; D]; D]; D],
}

impl<const D: usize> Frobenius<D>
where
    Ext<D>: Modulus<D>,
{
    fn new() -> Self {
        let mut maps = [[[F::ZERO; D]; D]; D];
        let mut image = Ext::<D>::z();
        for map in &mut maps {
            let mut power = Ext::ONE;
            for i in 0..D {
                for (row, c) in map.iter_mut().zip(power.0) {
                    row[i] = c;
                }
                power = power * image;
            }
            image = image.pow(u64::from(F::ORDER_U32));
        }
        Self { maps }
    }

    /// Coefficient j of x^(p^k) as a linear map of x.
    pub(crate) fn row(&self, k: usize, j: usize) -> &[F; D] {
        &self.maps[k][j]
    }

    /// x^(p^k), k < D.
    pub fn apply(&self, k: usize, x: &Ext<D>) -> Ext<D> {
        Ext(core::array::from_fn(|j| F::dot_product(&x.0, &self.maps[k][j])))
    }
}

impl<const D: usize> Ext<D> {
    /// Zero.
    pub const ZERO: Self = Self([F::ZERO; D]);
    /// One.
    pub const ONE: Self = Self::base(F::ONE);

    /// The embedding of the base field.
    pub const fn base(c: F) -> Self {
        let mut v = [F::ZERO; D];
        v[0] = c;
        Self(v)
    }

    /// An element from canonical integers.
    pub const fn new(c: [u32; D]) -> Self {
        Self(F::new_array(c))
    }

    /// The generator z.
    pub const fn z() -> Self {
        let mut v = [F::ZERO; D];
        v[1] = F::ONE;
        Self(v)
    }

    /// Multiplication by a base field element.
    pub fn scale(&self, c: F) -> Self {
        Self(self.0.map(|x| x * c))
    }

    /// x + x.
    pub fn double(&self) -> Self {
        Self(self.0.map(|x| x.double()))
    }

    /// Whether this is zero.
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }
}

impl<const D: usize> Ext<D>
where
    Ext<D>: Modulus<D>,
{
    /// x^2.
    pub fn square(&self) -> Self {
        *self * *self
    }

    /// x^e, variable time in the exponent.
    pub fn pow(&self, e: u64) -> Self {
        let mut acc = Self::ONE;
        for bit in (0..64 - e.leading_zeros()).rev() {
            acc = acc.square();
            if e >> bit & 1 == 1 {
                acc = acc * *self;
            }
        }
        acc
    }

    /// x^(p + p^2 + .. + p^(D-1)): the norm divided by x.
    fn norm_cofactor(&self) -> Self {
        let frobenius = Self::frobenius();
        let first = frobenius.apply(1, self);
        let (mut acc, mut len, target) = (first, 1, D - 1);
        for bit in (0..target.ilog2()).rev() {
            acc = acc * frobenius.apply(len, &acc);
            len *= 2;
            if target >> bit & 1 == 1 {
                acc = acc * frobenius.apply(len, &first);
                len += 1;
            }
        }
        acc
    }

    /// The norm to F_p.
    pub fn norm(&self) -> F {
        (*self * self.norm_cofactor()).0[0]
    }

    /// 1/x, and 0 for 0; constant time.
    pub fn inverse(&self) -> Self {
        let cofactor = self.norm_cofactor();
        let norm = (*self * cofactor).0[0];
        cofactor.scale(norm.exp_u64(u64::from(F::ORDER_U32) - 2))
    }

    /// A square root, if there is one. With r = (p^D - 1)/(p - 1) odd, x^((r+1)/2) squares to x * norm(x).
    pub fn sqrt(&self) -> Option<Self> {
        let root = base_sqrt(self.norm())?;
        if self.is_zero() {
            return Some(Self::ZERO);
        }
        let half = self.pow(u64::from(F::ORDER_U32).div_ceil(2));
        let frobenius = Self::frobenius();
        let mut acc = *self;
        for k in (1..D).step_by(2) {
            acc = acc * frobenius.apply(k, &half);
        }
        let y = acc.scale(root.exp_u64(u64::from(F::ORDER_U32) - 2));
        (y.square() == *self).then_some(y)
    }

    /// Replaces each nonzero element by its inverse with one inversion in all; zeros stay.
    pub fn batch_invert(values: &mut [Self], scratch: &mut alloc::vec::Vec<Self>) {
        scratch.clear();
        let mut acc = Self::ONE;
        for v in values.iter() {
            scratch.push(acc);
            if !v.is_zero() {
                acc = acc * *v;
            }
        }
        let mut inv = acc.inverse();
        for (v, prefix) in values.iter_mut().zip(scratch.iter()).rev() {
            if !v.is_zero() {
                let next = inv * *v;
                *v = inv * *prefix;
                inv = next;
            }
        }
    }
}

/// Tonelli-Shanks in F_p with its 2-adicity of 27.
fn base_sqrt(x: F) -> Option<F> {
    if x == F::ZERO {
        return Some(x);
    }
    let odd = u64::from(F::ORDER_U32 - 1) >> F::TWO_ADICITY;
    let mut root = x.exp_u64(odd.div_ceil(2));
    let mut t = x.exp_u64(odd);
    let mut order = F::TWO_ADICITY;
    while t != F::ONE {
        let mut k = 0;
        let mut probe = t;
        while probe != F::ONE {
            probe = probe.square();
            k += 1;
            if k == order {
                return None;
            }
        }
        // 2^(k+1)-th root of unity: its square fixes the leading bit of t's order.
        let step = F::two_adic_generator(k + 1);
        root *= step;
        t *= step.square();
        order = k;
    }
    (root.square() == x).then_some(root)
}

impl<const D: usize> Add for Ext<D> {
    type Output = Self;
    fn add(self, rhs: Self) -> Self {
        Self(core::array::from_fn(|i| self.0[i] + rhs.0[i]))
    }
}

impl<const D: usize> Sub for Ext<D> {
    type Output = Self;
    fn sub(self, rhs: Self) -> Self {
        Self(core::array::from_fn(|i| self.0[i] - rhs.0[i]))
    }
}

impl<const D: usize> Neg for Ext<D> {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.map(|x| -x))
    }
}

impl<const D: usize> AddAssign for Ext<D> {
    fn add_assign(&mut self, rhs: Self) {
        *self = *self + rhs;
    }
}

impl<const D: usize> SubAssign for Ext<D> {
    fn sub_assign(&mut self, rhs: Self) {
        *self = *self - rhs;
    }
}

impl<const D: usize> Mul for Ext<D>
where
    Ext<D>: Modulus<D>,
{
    type Output = Self;

    /// Row k of the matrix of x -> x * rhs is coefficient k of z^i * rhs over i. But for row 0 the rows are windows
    /// of one sequence, stored in reverse: rhs_j at shift j > 0, rhs_0 + Z1 rhs_(D-1) at 0, and what wraps
    /// around, Z0 rhs_(D+j) + Z1 rhs_(D+j-1), at j < 0.
    fn mul(self, rhs: Self) -> Self {
        let b = &rhs.0;
        let (z0, z1) = (b.map(|x| x * Self::Z0), b.map(|x| x * Self::Z1));
        let mut first = [F::ZERO; D];
        let mut rows = [[F::ZERO; D]; 2];
        let rows = rows.as_flattened_mut();
        first[0] = b[0];
        rows[D - 1] = b[0] + z1[D - 1];
        for j in 1..D {
            first[j] = z0[D - j];
            rows[D - 1 - j] = b[j];
            rows[D - 1 + j] = z0[D - j] + z1[D - j - 1];
        }
        Self(core::array::from_fn(|k| {
            let row = if k == 0 { Some(&first) } else { rows[D - 1 - k..].first_chunk() };
            row.map_or(F::ZERO, |row| F::dot_product(&self.0, row))
        }))
    }
}
