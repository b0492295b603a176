//! F_p\[z\]/(z^7 - 2z - 5) over constraint expressions.

use p3_field::PrimeCharacteristicRing;
use tsz_air::F;
use tsz_sig::Septic;

/// Seven coefficients.
#[derive(Clone)]
pub(super) struct Sept<E>(pub(super) [E; 7]);

impl<E: PrimeCharacteristicRing> Sept<E> {
    /// From columns.
    pub(super) fn read<V: Into<E> + Copy>(columns: &[V; 7]) -> Self {
        Self(columns.map(Into::into))
    }

    /// A constant.
    pub(super) fn constant(x: &Septic) -> Self
    where
        E: From<F>,
    {
        Self(x.0.map(E::from))
    }

    pub(super) fn add(&self, rhs: &Self) -> Self {
        Self(core::array::from_fn(|i| self.0[i].clone() + rhs.0[i].clone()))
    }

    pub(super) fn sub(&self, rhs: &Self) -> Self {
        Self(core::array::from_fn(|i| self.0[i].clone() - rhs.0[i].clone()))
    }

    pub(super) fn double(&self) -> Self {
        Self(core::array::from_fn(|i| self.0[i].double()))
    }

    pub(super) fn scale(&self, by: &E) -> Self {
        Self(core::array::from_fn(|i| self.0[i].clone() * by.clone()))
    }

    /// The product. `rhs` is repeated in sums, so pass the smaller expression there.
    ///
    /// Coefficient k is the dot product of `self` with coefficient k of z^i rhs over i.
    pub(super) fn mul(&self, rhs: &Self) -> Self {
        let b = &rhs.0;
        let b5: [E; 7] = core::array::from_fn(|j| b[j].double().double() + b[j].clone());
        let coefficient = |k: usize, i: usize| match (k, i) {
            (_, i) if i < k => b[k - i].clone(),
            (0, 0) => b[0].clone(),
            (0, i) => b5[7 - i].clone(),
            (k, i) if i == k => b[0].clone() + b[6].double(),
            _ => b5[7 + k - i].clone() + b[6 + k - i].double(),
        };
        Self(core::array::from_fn(|k| {
            E::dot_product::<7>(&self.0, &core::array::from_fn(|i| coefficient(k, i)))
        }))
    }

    pub(super) fn square(&self) -> Self {
        self.mul(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn product_is_that_of_the_field() {
        let a = Septic::new([1, 2, 3, 4, 5, 6, 7]);
        let b = Septic::new([2013265920, 11, 222, 3333, 44444, 555555, 6666666]);
        assert_eq!(Sept(a.0).mul(&Sept(b.0)).0, (a * b).0);
        assert_eq!(Sept(b.0).square().0, (b * b).0);
    }
}
