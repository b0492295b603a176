//! Properties and refusals.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use p3_field::PrimeCharacteristicRing;
use proptest::prelude::*;
use tsz_hash::F;
use tsz_sig::curve::{Affine, Curve, Jacobian};
use tsz_sig::ext::Ext;
use tsz_sig::{
    Challenge, Claim, Digest, LANES, PublicKey, Scalar, SecretKey, Septic, SigError, Signature, point_id,
    scalar, verify_batch,
};

fn felt() -> impl Strategy<Value = F> {
    prop_oneof![8 => any::<u32>().prop_map(F::from_u32), 1 => Just(F::ZERO), 1 => Just(-F::ONE)]
}

fn ext() -> impl Strategy<Value = Septic> {
    proptest::array::uniform7(felt()).prop_map(Ext)
}

fn digest() -> impl Strategy<Value = Digest> {
    proptest::array::uniform8(felt())
}

fn key() -> impl Strategy<Value = SecretKey> {
    any::<[u8; 32]>().prop_map(|seed| SecretKey::from_seed(&seed))
}

type Seed = [u32; 9];

fn reduced(seed: Seed) -> Scalar {
    Scalar::from_digits(u32::MAX, seed)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, rng_seed: proptest::test_runner::RngSeed::Fixed(2), ..Default::default() })]

    #[test]
    fn the_field_is_a_field(a in ext(), b in ext(), c in ext()) {
        prop_assert_eq!(a * (b + c), a * b + a * c);
        prop_assert_eq!((a * b) * c, a * (b * c));
        prop_assert_eq!(a * b, b * a);
        prop_assert_eq!(a - a, Ext::ZERO);
        let inv = a.inverse();
        prop_assert_eq!(a * inv, if a.is_zero() { Ext::ZERO } else { Ext::ONE });
        let root = a.square().sqrt().unwrap();
        prop_assert!(root == a || root == -a);
        prop_assert_eq!((a * b).norm(), a.norm() * b.norm());
    }

    #[test]
    fn batch_inversion_is_inversion(mut values in prop::collection::vec(ext(), 0..9)) {
        values.push(Ext::ZERO);
        let expected: Vec<Septic> = values.iter().map(Ext::inverse).collect();
        Ext::batch_invert(&mut values, &mut Vec::new());
        prop_assert_eq!(values, expected);
    }

    #[test]
    fn scalars_are_a_field(a: Seed, b: Seed, c: Seed) {
        let (a, b, c) = (reduced(a), reduced(b), reduced(c));
        prop_assert!(a * (b + c) == a * b + a * c);
        prop_assert!(a - b + b == a);
        prop_assert!((-a + a).is_zero().unwrap_u8() == 1);
        prop_assert!(Scalar::from_bytes(&a.to_bytes()).unwrap() == a);
    }

    #[test]
    fn group_laws_hold(a: Seed, b: Seed) {
        let (a, b) = (reduced(a), reduced(b));
        let g = <Ext<7> as Curve<7>>::G;
        let times = |s: Scalar| Jacobian::mul_words(&g, &s.to_words()).to_affine();
        let (p, q) = (times(a).unwrap(), times(b).unwrap());
        prop_assert_eq!(p.add(&q), times(a + b));
        prop_assert_eq!(p.add(&p), Some(p.double()));
        prop_assert_eq!(p.add(&p.neg()), None);
        prop_assert_eq!(Affine::decompress(p.x, p.y.0[0]), Some(p));
    }

    #[test]
    fn signatures_verify_and_nothing_else_does(sk in key(), other in key(), m in digest(), k in 0usize..8, bit in 0usize..344) {
        let sig = sk.sign(&m);
        let public = sk.public_key();
        prop_assert_eq!(public.verify(&m, &sig), Ok(()));
        prop_assert_eq!(Signature::from_bytes(&sig.to_bytes()), Ok(sig));
        let mut changed = m;
        changed[k] += F::ONE;
        prop_assert_eq!(public.verify(&changed, &sig), Err(SigError::Mismatch));
        prop_assert_eq!(other.public_key().verify(&m, &sig), Err(SigError::Mismatch));
        let mut bytes = sig.to_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(flipped) = Signature::from_bytes(&bytes) {
            prop_assert_eq!(public.verify(&m, &flipped), Err(SigError::Mismatch));
        }
        let hedged = sk.sign_hedged(&m, &[1; 32]);
        prop_assert_ne!(hedged, sig);
        prop_assert_eq!(public.verify(&m, &hedged), Ok(()));
    }

    #[test]
    fn digits_recompose_the_challenge(bytes: [u8; 15]) {
        let e = Challenge::from_bytes(&bytes);
        let sum = e.digits().iter().rev().fold(Scalar::ZERO, |acc, u| {
            acc * Scalar::from_u128(4) + Scalar::from_u128(2 * u128::from(*u)) - Scalar::from_u128(3)
        });
        prop_assert!(sum == e.scalar());
        prop_assert_eq!(e.to_bytes(), bytes);
    }

    #[test]
    fn any_bytes_decode_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..64), key: [u8; 32]) {
        let _ = Signature::from_bytes(&bytes);
        if let Ok(public) = PublicKey::from_bytes(&key) {
            prop_assert_eq!(public.to_bytes(), key);
            prop_assert!(public.point().is_on_curve());
        }
    }
}

fn order_bytes() -> [u8; 28] {
    core::array::from_fn(|i| (scalar::ORDER[i / 8] >> (8 * (i % 8))) as u8)
}

#[test]
fn rejects_a_response_that_is_not_below_the_order() {
    let sk = SecretKey::from_seed(b"a");
    let mut bytes = sk.sign(&[F::ONE; 8]).to_bytes();
    bytes[15..].copy_from_slice(&order_bytes());
    assert_eq!(Signature::from_bytes(&bytes), Err(SigError::ScalarOutOfRange));
    bytes[42] = 0x80;
    assert_eq!(Signature::from_bytes(&bytes), Err(SigError::ScalarOutOfRange));
    assert_eq!(Signature::from_bytes(&bytes[..42]), Err(SigError::Length { expected: 43, got: 42 }));
    assert_eq!(Signature::from_bytes(&[0; 44]), Err(SigError::Length { expected: 43, got: 44 }));
}

#[test]
fn rejects_secret_keys_out_of_range() {
    assert!(matches!(SecretKey::from_bytes(&[0; 28]), Err(SigError::InvalidSecret)));
    assert!(matches!(SecretKey::from_bytes(&order_bytes()), Err(SigError::InvalidSecret)));
    assert!(matches!(SecretKey::from_bytes(&[0xff; 28]), Err(SigError::InvalidSecret)));
    assert!(SecretKey::from_bytes(&core::array::from_fn(|i| u8::from(i == 0))).is_ok());
}

#[test]
fn rejects_public_keys_that_are_no_point() {
    let mut bytes = SecretKey::from_seed(b"a").public_key().to_bytes();
    bytes[28] ^= 1;
    assert_eq!(PublicKey::from_bytes(&bytes), Err(SigError::NotOnCurve));
    bytes[..4].copy_from_slice(&0x7800_0001u32.to_le_bytes());
    assert_eq!(PublicKey::from_bytes(&bytes), Err(SigError::NonCanonicalFelt { got: 0x7800_0001 }));
    let off = Affine { x: Ext::ONE, y: Ext::ONE };
    assert_eq!(PublicKey::from_point(off), Err(SigError::NotOnCurve));
}

#[test]
fn nonces_that_are_multiples_of_the_secret_verify() {
    let sk = SecretKey::from_seed(b"a");
    let (public, m) = (sk.public_key(), [F::ONE; 8]);
    let secret = Scalar::from_bytes(&sk.to_bytes()).unwrap();
    for k in [Scalar::ZERO, secret, -secret, secret + secret] {
        // R = k G + 2^120 H does not depend on the challenge of the signature it is computed from.
        let at = |e: Challenge| Signature { e, s: k - e.scalar() * secret };
        let r = public.nonce_point(&at(Challenge::from_bytes(&[7; 15]))).unwrap();
        let e = Challenge::new(&public.key_id(), &point_id(&r), &m).unwrap();
        assert_eq!(public.nonce_point(&at(e)), Some(r));
        assert_eq!(public.verify(&m, &at(e)), Ok(()));
    }
}

#[test]
fn a_lane_of_p_minus_one_is_no_challenge() {
    let mut lanes = [F::ZERO; 8];
    lanes[3] = -F::TWO;
    assert!(Challenge::from_lanes(&lanes).is_some());
    lanes[3] = -F::ONE;
    assert!(Challenge::from_lanes(&lanes).is_none());
}

#[test]
fn secrets_are_not_printed() {
    let sk = SecretKey::from_seed(b"a");
    assert_eq!(format!("{sk:?}"), "SecretKey { .. }");
}

/// Signatures, each honest or with one kind of damage.
fn claim() -> impl Strategy<Value = (Claim, u8)> {
    (key(), key(), digest(), 0u8..8, any::<usize>()).prop_map(|(sk, other, message, kind, at)| {
        let mut claim = Claim { key: sk.public_key(), message, signature: sk.sign(&message) };
        match kind {
            0 => claim.message[at % 8] += F::ONE,
            1 => claim.key = other.public_key(),
            2 => claim.key = PublicKey::from_point(claim.key.point().neg()).unwrap(),
            3 => {
                let mut e = claim.signature.e.to_bytes();
                e[at % e.len()] ^= 1 << (at % 8);
                claim.signature.e = Challenge::from_bytes(&e);
            }
            4 => claim.signature.s = claim.signature.s + Scalar::ONE,
            5 => claim.signature.s = Scalar::ZERO,
            _ => {}
        }
        (claim, kind)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, rng_seed: proptest::test_runner::RngSeed::Fixed(5), ..Default::default() })]

    #[test]
    fn a_batch_has_the_verdicts_of_its_signatures(claims in prop::collection::vec(claim(), 0..40)) {
        let (claims, kinds): (Vec<Claim>, Vec<u8>) = claims.into_iter().unzip();
        let verdicts = verify_batch(&claims);
        prop_assert_eq!(&verdicts, &claims.iter().map(Claim::verify).collect::<Vec<_>>());
        prop_assert_eq!(verdicts, kinds.iter().map(|kind| *kind > 5).collect::<Vec<_>>());
    }
}

#[test]
fn a_batch_takes_nonces_that_are_multiples_of_the_secret() {
    // R = t P for small t: the ladder of a verifier without the H component would meet the key
    let sk = SecretKey::from_seed(b"a");
    let (key, message) = (sk.public_key(), [F::ONE; 8]);
    let secret = Scalar::from_bytes(&sk.to_bytes()).unwrap();
    let honest = Claim { key, message, signature: sk.sign(&message) };
    let mut claims = vec![honest; LANES + 1];
    for (k, nonce) in [Scalar::ZERO, secret, -secret, secret + secret].into_iter().enumerate() {
        let at = |e: Challenge| Signature { e, s: nonce - e.scalar() * secret };
        let r = key.nonce_point(&at(Challenge::from_bytes(&[7; 15]))).unwrap();
        let e = Challenge::new(&key.key_id(), &point_id(&r), &message).unwrap();
        claims[k % LANES].signature = at(e);
        assert_eq!(verify_batch(&claims), vec![true; LANES + 1]);
    }
}

#[test]
fn a_batch_takes_either_point_of_an_identifier() {
    // the key of an identifier whose last felt is zero, and a signature that is by neither of its points
    let x = Ext::new([1758899358, 1535114997, 945115989, 101391992, 1127108569, 938106827, 1926946921]);
    let key = PublicKey::from_point(Affine { x, y: Ext::new([0, 5, 6, 7, 8, 9, 10]) }).unwrap();
    let (message, signature) = ([F::ONE; 8], SecretKey::from_seed(b"a").sign(&[F::ONE; 8]));
    let claim = Claim { key, message, signature };
    assert!(!claim.verify());
    assert_eq!(verify_batch(&[claim; 3]), [false; 3]);
}
