//! Short Weierstrass curves y^2 = x^3 + a x + b over [`Ext`] of prime order, const-generic in the degree.

use alloc::vec::Vec;

use tsz_hash::F;

use crate::ext::{Ext, Modulus};

/// The curve of a degree: coefficients, and base points without known discrete logarithm relations.
pub trait Curve<const D: usize>: Modulus<D> {
    /// Coefficient a, a base field element.
    const A: F;
    /// Coefficient b.
    const B: Ext<D>;
    /// Generator of signatures.
    const G: Affine<D>;
    /// Second point, the start of accumulators.
    const H: Affine<D>;
}

impl Curve<7> for Ext<7> {
    const A: F = F::new(2);
    const B: Ext<7> = Ext::new([0, 0, 0, 0, 0, 26, 0]);
    const G: Affine<7> = Affine {
        x: Ext::new([458821017, 1069500605, 943582914, 1296149486, 1653569474, 1211985940, 1043477955]),
        y: Ext::new([89262788, 1090724654, 1660188794, 210989984, 97232409, 1891855908, 80874422]),
    };
    const H: Affine<7> = Affine {
        x: Ext::new([1433878306, 1825749634, 1588234207, 1929633712, 1624358986, 114617621, 1126769552]),
        y: Ext::new([1597093134, 1984147464, 1811785380, 1086696203, 761662815, 653256897, 168532537]),
    };
}

/// A point other than the identity. Whether it is on the curve is up to its constructor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Affine<const D: usize> {
    /// Abscissa.
    pub x: Ext<D>,
    /// Ordinate.
    pub y: Ext<D>,
}

impl<const D: usize> Affine<D>
where
    Ext<D>: Curve<D>,
{
    /// Whether the curve equation holds.
    pub fn is_on_curve(&self) -> bool {
        self.y.square() == Self::rhs(&self.x)
    }

    /// x^3 + a x + b.
    fn rhs(x: &Ext<D>) -> Ext<D> {
        x.square() * *x + x.scale(<Ext<D> as Curve<D>>::A) + <Ext<D> as Curve<D>>::B
    }

    /// The point of abscissa `x` whose ordinate has the lowest coefficient `y0`, if there is one. Where `y0` is
    /// zero the two candidates are told apart by nothing, and one of them is returned.
    pub fn decompress(x: Ext<D>, y0: F) -> Option<Self> {
        let y = Self::rhs(&x).sqrt()?;
        let y = if y.0[0] == y0 { y } else { -y };
        (y.0[0] == y0).then_some(Self { x, y })
    }

    /// -P.
    pub fn neg(&self) -> Self {
        Self { x: self.x, y: -self.y }
    }

    /// Slope of the tangent at P, given 1/(2y).
    pub fn tangent(&self, inv_2y: Ext<D>) -> Ext<D> {
        let xx = self.x.square();
        (xx.double() + xx + Ext::base(<Ext<D> as Curve<D>>::A)) * inv_2y
    }

    /// The third point of the line with slope `slope` through P and the point of abscissa `x2`, negated: P + Q.
    pub fn chord(&self, x2: &Ext<D>, slope: &Ext<D>) -> Self {
        let x = slope.square() - self.x - *x2;
        Self { x, y: *slope * (self.x - x) - self.y }
    }

    /// 2P; defined as no point has order two.
    pub fn double(&self) -> Self {
        self.chord(&self.x, &self.tangent(self.y.double().inverse()))
    }

    /// P + Q; `None` where the sum is the identity.
    pub fn add(&self, q: &Self) -> Option<Self> {
        Jacobian::from(*self).add_affine(q).to_affine()
    }
}

/// Jacobian coordinates (X/Z^2, Y/Z^3); Z = 0 is the identity.
#[derive(Clone, Copy, Debug)]
pub struct Jacobian<const D: usize> {
    x: Ext<D>,
    y: Ext<D>,
    z: Ext<D>,
}

impl<const D: usize> From<Affine<D>> for Jacobian<D> {
    fn from(p: Affine<D>) -> Self {
        Self { x: p.x, y: p.y, z: Ext::ONE }
    }
}

impl<const D: usize> Jacobian<D>
where
    Ext<D>: Curve<D>,
{
    /// The identity.
    pub const IDENTITY: Self = Self { x: Ext::ONE, y: Ext::ONE, z: Ext::ZERO };

    /// 2P, complete.
    pub fn double(&self) -> Self {
        self.double_times(1)
    }

    /// 2^n P, complete: modified Jacobian doublings, which carry t = a Z^4 from one to the next.
    pub fn double_times(&self, n: usize) -> Self {
        let Self { mut x, mut y, mut z } = *self;
        let mut t = z.square().square().scale(<Ext<D> as Curve<D>>::A);
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

    /// P + Q without a branch: wrong where P is the identity or has the abscissa of Q (madd-2007-bl).
    pub fn add_affine_unchecked(&self, q: &Affine<D>) -> Self {
        let zz = self.z.square();
        self.add_with(zz, q.x * zz - self.x, q.y * self.z * zz - self.y)
    }

    /// P + Q for all P and Q, in variable time.
    pub fn add_affine(&self, q: &Affine<D>) -> Self {
        if self.z.is_zero() {
            return (*q).into();
        }
        let zz = self.z.square();
        let (h, t) = (q.x * zz - self.x, q.y * self.z * zz - self.y);
        match (h.is_zero(), t.is_zero()) {
            (true, true) => self.double(),
            (true, false) => Self::IDENTITY,
            _ => self.add_with(zz, h, t),
        }
    }

    /// The sum from the differences `h` of abscissas and `t` of ordinates, scaled to this denominator.
    fn add_with(&self, zz: Ext<D>, h: Ext<D>, t: Ext<D>) -> Self {
        let hh = h.square();
        let i = hh.double().double();
        let j = h * i;
        let r = t.double();
        let v = self.x * i;
        let x = r.square() - j - v.double();
        let y = r * (v - x) - (self.y * j).double();
        let z = (self.z + h).square() - zz - hh;
        Self { x, y, z }
    }

    /// Affine coordinates, unless this is the identity.
    pub fn to_affine(&self) -> Option<Affine<D>> {
        (!self.z.is_zero()).then(|| self.scale_by(&self.z.inverse()))
    }

    fn scale_by(&self, inv: &Ext<D>) -> Affine<D> {
        let inv2 = inv.square();
        Affine { x: self.x * inv2, y: self.y * inv2 * *inv }
    }

    /// Affine coordinates of points none of which is the identity, with one inversion.
    pub fn batch_to_affine(points: &[Self]) -> Vec<Affine<D>> {
        let mut inverses: Vec<Ext<D>> = points.iter().map(|p| p.z).collect();
        Ext::batch_invert(&mut inverses, &mut Vec::new());
        points.iter().zip(&inverses).map(|(p, inv)| p.scale_by(inv)).collect()
    }

    /// P times an integer given by little-endian 64-bit words, in variable time.
    pub fn mul_words(point: &Affine<D>, words: &[u64]) -> Self {
        let mut acc = Self::IDENTITY;
        for bit in (0..64 * words.len()).rev() {
            acc = acc.double();
            if words[bit / 64] >> (bit % 64) & 1 == 1 {
                acc = acc.add_affine(point);
            }
        }
        acc
    }
}
