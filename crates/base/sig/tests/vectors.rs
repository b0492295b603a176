//! The independent vectors of scripts/ecfp7_vectors.py.
#![allow(clippy::unwrap_used, reason = "the file of vectors is part of the test")]

use p3_field::PrimeCharacteristicRing;
use serde_json::Value;
use tsz_hash::{F, permute};
use tsz_sig::curve::{Affine, Curve, Jacobian};
use tsz_sig::ext::Ext;
use tsz_sig::{Point, PublicKey, Scalar, SecretKey, Septic, Signature, scalar};

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors.json")).unwrap()
}

fn felts<const K: usize>(v: &Value) -> [F; K] {
    let list: Vec<F> = v.as_array().unwrap().iter().map(|x| F::from_u64(x.as_u64().unwrap())).collect();
    list.try_into().unwrap()
}

fn ext(v: &Value) -> Septic {
    Ext(felts(v))
}

fn point(v: &Value) -> Point {
    Affine { x: ext(&v[0]), y: ext(&v[1]) }
}

fn bytes<const K: usize>(v: &Value) -> [u8; K] {
    hex::decode(v.as_str().unwrap()).unwrap().try_into().unwrap()
}

fn list<'a>(v: &'a Value, name: &str) -> &'a [Value] {
    let list = v[name].as_array().unwrap();
    assert!(!list.is_empty());
    list
}

#[test]
fn the_script_has_the_permutation_of_the_system() {
    let mut state = [F::ZERO; 16];
    permute(&mut state);
    assert_eq!(state, felts(&vectors()["permutation_of_zero"]));
}

#[test]
fn field_arithmetic_matches() {
    for v in list(&vectors(), "field") {
        let (a, b) = (ext(&v["a"]), ext(&v["b"]));
        assert_eq!(a * b, ext(&v["mul"]));
        assert_eq!(a.inverse(), ext(&v["inv"]));
        let root = a.sqrt();
        assert_eq!(root.is_some(), v["sqrt_exists"].as_bool().unwrap());
        assert!(root.is_none_or(|r| r.square() == a));
    }
}

#[test]
fn point_arithmetic_matches() {
    for v in list(&vectors(), "points") {
        let (p, q) = (point(&v["p"]), point(&v["q"]));
        assert!(p.is_on_curve() && q.is_on_curve());
        assert_eq!(p.add(&q).unwrap(), point(&v["sum"]));
        assert_eq!(p.double(), point(&v["double"]));
        assert_eq!(Jacobian::from(p).double().to_affine().unwrap(), point(&v["double"]));
    }
}

#[test]
fn scalar_multiplication_matches() {
    let g = <Ext<7> as Curve<7>>::G;
    for v in list(&vectors(), "muls") {
        let k = bytes(&v["k"]);
        let expected = point(&v["point"]);
        let scalar = Scalar::from_bytes(&k).unwrap();
        assert_eq!(Jacobian::mul_words(&g, &scalar.to_words()).to_affine().unwrap(), expected);
        assert_eq!(*SecretKey::from_bytes(&k).unwrap().public_key().point(), expected);
        assert_eq!(scalar.to_bytes(), k);
    }
}

#[test]
fn the_order_annihilates_both_base_points() {
    let n: [u8; 28] = bytes(&vectors()["order"]);
    assert!(n.iter().enumerate().all(|(i, b)| *b == (scalar::ORDER[i / 8] >> (8 * (i % 8))) as u8));
    for p in [<Ext<7> as Curve<7>>::G, <Ext<7> as Curve<7>>::H] {
        assert!(p.is_on_curve());
        assert!(Jacobian::mul_words(&p, &scalar::ORDER).to_affine().is_none());
    }
}

#[test]
fn signatures_match_byte_for_byte() {
    for v in list(&vectors(), "signatures") {
        let key = SecretKey::from_bytes(&bytes(&v["sk"])).unwrap();
        if let Some(seed) = v["seed"].as_str() {
            assert_eq!(SecretKey::from_seed(&hex::decode(seed).unwrap()).to_bytes(), key.to_bytes());
        }
        let message = felts(&v["message"]);
        let expected = Signature::from_bytes(&bytes::<43>(&v["signature"])).unwrap();
        assert_eq!(key.sign_hedged(&message, &bytes(&v["entropy"])), expected);
        let public = PublicKey::from_point(point(&v["public"])).unwrap();
        assert_eq!(key.public_key(), public);
        assert_eq!(public.verify(&message, &expected), Ok(()));
        assert_eq!(PublicKey::from_key_id(&public.key_id()), Ok(public));
    }
}
