//! One curve computation for each lane of a SIMD vector: the arithmetic of [`crate::ext`] and [`crate::curve`] on
//! packed coordinates. Every lane takes the same steps, so the formulas are the ones without a branch.

use alloc::vec::Vec;
use core::ops::{Add, Mul, Neg, Sub};

use p3_field::{Algebra, PackedValue, PrimeCharacteristicRing, PrimeField32};
use tsz_hash::F;
pub use tsz_hash::Pack;

use crate::ext::Modulus;
use crate::{Point, Septic};

/// Lanes of a vector: 16 with AVX-512, 8 with AVX2, 4 with NEON, else 1.
pub const LANES: usize = <Pack as PackedValue>::WIDTH;

const D: usize = 7;

/// One element of the septic field for each lane.
#[derive(Clone, Copy)]
pub(crate) struct Wide(pub [Pack; D]);

impl Wide {
    /// The same element in every lane.
    pub fn broadcast(x: &Septic) -> Self {
        Self(x.0.map(Pack::from))
    }

    /// One element for each lane.
    pub fn gather(x: &[Septic; LANES]) -> Self {
        Self(core::array::from_fn(|i| Pack::from_fn(|lane| x[lane].0[i])))
    }

    pub fn square(&self) -> Self {
        *self * *self
    }

    pub fn double(&self) -> Self {
        Self(self.0.map(|x| x.double()))
    }

    fn scale(&self, c: Pack) -> Self {
        Self(self.0.map(|x| x * c))
    }

    /// x^(p^k).
    fn frobenius(&self, k: usize) -> Self {
        let maps = Septic::frobenius();
        Self(core::array::from_fn(|j| Pack::mixed_dot_product(&self.0, maps.row(k, j))))
    }

    /// 1/x, and 0 for 0: through the norm, as [`Septic::inverse`].
    pub fn inverse(&self) -> Self {
        let first = self.frobenius(1);
        let two = first * first.frobenius(1);
        let three = two * first.frobenius(2);
        let cofactor = three * three.frobenius(3);
        let norm = (*self * cofactor).0[0];
        cofactor.scale(norm.exp_u64(u64::from(F::ORDER_U32) - 2))
    }

    /// Inverses of elements none of which is zero in any lane, with one inversion.
    pub fn batch_inverse(values: &[Self]) -> Vec<Self> {
        let mut prefixes = Vec::with_capacity(values.len());
        let mut acc = Self::broadcast(&Septic::ONE);
        for v in values {
            prefixes.push(acc);
            acc = acc * *v;
        }
        let mut inv = acc.inverse();
        for (v, prefix) in values.iter().zip(&mut prefixes).rev() {
            *prefix = inv * *prefix;
            inv = inv * *v;
        }
        prefixes
    }
}

impl Add for Wide {
    type Output = Self;
    fn add(self, rhs: Self) -> Self {
        Self(core::array::from_fn(|i| self.0[i] + rhs.0[i]))
    }
}

impl Sub for Wide {
    type Output = Self;
    fn sub(self, rhs: Self) -> Self {
        Self(core::array::from_fn(|i| self.0[i] - rhs.0[i]))
    }
}

impl Neg for Wide {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.map(|x| -x))
    }
}

impl Mul for Wide {
    type Output = Self;

    /// As for [`Septic`]: rows of the matrix of x -> x * rhs, with z^7 = 2z + 5.
    #[inline]
    fn mul(self, rhs: Self) -> Self {
        let b = &rhs.0;
        let z1 = b.map(|x| x.double());
        let z0: [Pack; D] = core::array::from_fn(|i| z1[i].double() + b[i]);
        let mut first = [Pack::ZERO; D];
        let mut rows = [Pack::ZERO; 2 * D - 1];
        first[0] = b[0];
        rows[D - 1] = b[0] + z1[D - 1];
        for j in 1..D {
            first[j] = z0[D - j];
            rows[D - 1 - j] = b[j];
            if j < D - 1 {
                rows[D - 1 + j] = z0[D - j] + z1[D - j - 1];
            }
        }
        Self(core::array::from_fn(|k| {
            let row = if k == 0 { Some(&first) } else { rows[D - 1 - k..].first_chunk() };
            row.map_or(Pack::ZERO, |row| Pack::dot_product(&self.0, row))
        }))
    }
}

/// An affine point for each lane.
#[derive(Clone, Copy)]
pub(crate) struct WidePoint {
    pub x: Wide,
    pub y: Wide,
}

impl WidePoint {
    /// The same point in every lane.
    pub fn broadcast(p: &Point) -> Self {
        Self { x: Wide::broadcast(&p.x), y: Wide::broadcast(&p.y) }
    }

    /// One point for each lane.
    pub fn gather(points: &[Point; LANES]) -> Self {
        Self {
            x: Wide::gather(&points.each_ref().map(|p| p.x)),
            y: Wide::gather(&points.each_ref().map(|p| p.y)),
        }
    }

    /// The point of a lane.
    pub fn lane(&self, lane: usize) -> Point {
        let felt = |pack: &Pack| pack.as_slice()[lane];
        let coordinate = |w: &Wide| crate::ext::Ext(w.0.each_ref().map(felt));
        Point { x: coordinate(&self.x), y: coordinate(&self.y) }
    }
}

/// A point in Jacobian coordinates for each lane; a lane with Z = 0 is the identity, or met a case that the
/// branchless addition does not have. Z stays zero from there on.
#[derive(Clone, Copy)]
pub(crate) struct WideJacobian {
    pub x: Wide,
    pub y: Wide,
    pub z: Wide,
}

impl From<WidePoint> for WideJacobian {
    fn from(p: WidePoint) -> Self {
        Self { x: p.x, y: p.y, z: Wide::broadcast(&Septic::ONE) }
    }
}

impl WideJacobian {
    /// 2^n P: the modified Jacobian doublings of [`crate::curve::Jacobian::double_times`], a = 2.
    pub fn double_times(&self, n: usize) -> Self {
        let Self { mut x, mut y, mut z } = *self;
        let mut t = z.square().square().double();
        for left in (0..n).rev() {
            let xx = x.square();
            let yy = y.square();
            let yyyy8 = yy.square().double().double().double();
            let s = (x * yy).double().double();
            let m = xx.double() + xx + t;
            z = (y * z).double();
            x = m.square() - s.double();
            y = m * (s - x) - yyyy8;
            if left > 0 {
                t = (t * yyyy8).double();
            }
        }
        Self { x, y, z }
    }

    /// P + Q where the abscissas differ and P is not the identity, else Z = 0 (madd-2007-bl).
    pub fn add(&self, q: &WidePoint) -> Self {
        let zz = self.z.square();
        let h = q.x * zz - self.x;
        let t = q.y * (self.z * zz) - self.y;
        let hh = h.square();
        let i = hh.double().double();
        let j = h * i;
        let r = t.double();
        let v = self.x * i;
        let x = r.square() - j - v.double();
        let y = r * (v - x) - (self.y * j).double();
        let z = (self.z * h).double();
        Self { x, y, z }
    }

    /// Affine coordinates, with one inversion; arbitrary where Z = 0 in this lane.
    pub fn batch_to_affine(points: &[Self]) -> Vec<WidePoint> {
        let z: Vec<Wide> = points.iter().map(|p| p.z).collect();
        points.iter().zip(Wide::batch_inverse(&z)).map(|(p, inv)| p.scale_by(inv)).collect()
    }

    fn scale_by(&self, inv: Wide) -> WidePoint {
        let inv2 = inv.square();
        WidePoint { x: self.x * inv2, y: self.y * (inv2 * inv) }
    }

    /// Affine coordinates; (0, 0) where Z = 0.
    pub fn to_affine(self) -> WidePoint {
        self.scale_by(self.z.inverse())
    }
}
