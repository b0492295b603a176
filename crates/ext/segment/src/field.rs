//! The extension field of the proofs, and risc0's roots of unity.

use p3_baby_bear::BabyBear;
use p3_field::extension::BinomialExtensionField;
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing, TwoAdicField};

/// The base field, p = 15 * 2^27 + 1.
pub type F = BabyBear;
/// The extension of degree 4 as Plonky3 has it, `F[Y]/(Y^4 - 11)`.
pub type Ext = BinomialExtensionField<F, 4>;

/// Generator of risc0's subgroup of order 2^27; those of smaller order are its powers.
const GENERATOR: F = F::new(137);
const TWO_ADICITY: usize = 27;

/// Generator of the subgroup of order `2^log`.
pub fn generator(log: usize) -> F {
    GENERATOR.exp_power_of_2(TWO_ADICITY - log)
}

/// `1, c, c^2, c^3` with `c^4 = -1`.
pub fn twist() -> [F; 4] {
    let c = F::two_adic_generator(3);
    [F::ONE, c, c.square(), c.cube()]
}

/// The element with these coordinates in risc0's basis: `F[X]/(X^4 + 11)`, where X stands for `c Y`.
pub fn embed(coordinates: [F; 4]) -> Ext {
    let twist = twist();
    Ext::from_basis_coefficients_fn(|k| coordinates[k] * twist[k])
}

/// Value at `x` of the polynomial with these coefficients, constant term first.
pub fn evaluate(coefficients: &[Ext], x: Ext) -> Ext {
    coefficients.iter().rev().fold(Ext::ZERO, |acc, c| acc * x + *c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_basis_is_that_of_risc0() {
        let x = embed([F::ZERO, F::ONE, F::ZERO, F::ZERO]);
        assert_eq!(x.exp_u64(4), -Ext::from_u8(11));
        assert_eq!(x.square(), embed([F::ZERO, F::ZERO, F::ONE, F::ZERO]));
    }

    #[test]
    fn generators_have_their_order() {
        for log in 1..=TWO_ADICITY {
            assert_eq!(generator(log).exp_power_of_2(log - 1), -F::ONE);
        }
        // as in risc0-core
        assert_eq!(generator(2), F::new(284_861_408));
    }
}
