//! Representations, bounds and products.

use num_bigint::{BigInt, BigUint};
use tsz_air::{F, PrimeCharacteristicRing};

use super::mulmod::{LINEAR_BOUND, MulmodTable, PRODUCT_BOUND, trace};
use super::*;
use crate::ecdsa::{P256, SECP256K1};

fn moduli() -> Vec<Modulus> {
    [&P256, &SECP256K1].iter().flat_map(|c| [c.field.clone(), c.order.clone()]).collect()
}

#[test]
fn moduli_are_the_sums_of_their_limbs() {
    for m in moduli() {
        assert_eq!(m.sum(), BigInt::from(m.value.clone()));
        assert!(m.limbs.iter().all(|d| d.abs() <= 128));
        assert!(m.value > BigUint::from(1u8) << 255);
    }
    assert_eq!(P256.field.limbs.iter().filter(|d| **d != 0).count(), 5);
    assert_eq!(SECP256K1.field.limbs.iter().filter(|d| **d != 0).count(), 4);
}

#[test]
fn balanced_bytes_are_of_the_residue() {
    for m in moduli() {
        for x in [BigUint::from(0u8), BigUint::from(1u8), &m.value >> 1, &m.value - 1u8] {
            let bytes = balanced_bytes(&x, &m.value);
            let sum = Number::<Int>(bytes.map(|b| Int(i64::from(b) - BALANCE)));
            let value = Identity::new().plus(&sum).value();
            let m = BigInt::from(m.value.clone());
            assert_eq!(((value % &m) + &m) % &m, BigInt::from(x));
        }
    }
}

/// X with limbs up to 255 times Y with limbs up to 320.
#[test]
fn products_are_integers() {
    let side = |hi: i64| Number([Interval { lo: -hi, hi }; LIMBS]);
    for m in moduli() {
        let f = Identity::new().product(&side(255), &side(PRODUCT_BOUND / 255)).minus(&side(LINEAR_BOUND));
        f.assert_bounded("product", &m.limbs.map(Interval::int));
    }
}

#[test]
fn a_product_that_holds_closes_and_one_that_does_not_does_not() {
    let m = P256.field.clone();
    let table = MulmodTable::new([m.clone()]);
    let (x, y) = (&m.value - 5u8, &m.value >> 3);
    let z = &x * &y % &m.value;
    let message = |z: &BigUint| {
        let limbs = |v: &BigUint| balanced_bytes(v, &m.value).map(|b| F::from_u8(b) - F::from_u8(128));
        let mut fields = vec![F::ZERO];
        fields.extend(limbs(&x).into_iter().chain(limbs(&y)).chain(limbs(z)));
        (fields, 1)
    };
    let closes = |z: &BigUint| {
        use crate::bigint::mulmod::MULMOD;
        use tsz_air::{Violation, check};
        let trace = trace(&table, &[message(z)], 6).unwrap();
        match check(std::slice::from_ref(&table), &[trace], &[vec![]]) {
            // Nobody looks anything up here: the buses are open.
            Err(Violation::Bus { .. }) => true,
            Err(Violation::Constraint { .. }) => false,
            other => panic!("{other:?} {MULMOD:?}"),
        }
    };
    assert!(closes(&z));
    assert!(!closes(&(z + 1u8)));
}
