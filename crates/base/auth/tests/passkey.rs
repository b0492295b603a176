//! What the native check accepts and names.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use tsz_auth::authenticator::Authenticator;
use tsz_auth::es256::{Es256Error, Es256Key};
use tsz_auth::passkey::{challenge, challenge_bytes, flag};
use tsz_auth::{Passkey, PasskeyError, base64url};
use tsz_hash::{Digest, F, PrimeCharacteristicRing};

fn message() -> Digest {
    core::array::from_fn(|k| F::from_u32(0x7700_0000 + k as u32))
}

fn setup() -> (Authenticator, Passkey) {
    let authenticator = Authenticator::from_seed(b"native");
    let passkey = authenticator.passkey("example.com", "https://example.com", true).unwrap();
    (authenticator, passkey)
}

#[test]
fn a_challenge_is_36_bytes_and_one_text() {
    let text = challenge(&message());
    let bytes = challenge_bytes(&message());
    assert_eq!((bytes.len(), base64url::encode(&bytes)), (36, text.to_vec()));
    let mut other = message();
    other[7] += F::ONE;
    assert_ne!(challenge(&other), text);
}

#[test]
fn accepts_its_own_assertions_and_both_halves_of_s() {
    let (authenticator, passkey) = setup();
    let mut assertion = authenticator.assert(&passkey, &message());
    passkey.verify(&message(), &assertion).unwrap();
    // n - s.
    let n = hex::decode("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551").unwrap();
    let mut borrow = 0i16;
    for k in (0..32).rev() {
        let d = i16::from(n[k]) - i16::from(assertion.signature.s[k]) - borrow;
        borrow = i16::from(d < 0);
        assertion.signature.s[k] = d.rem_euclid(256) as u8;
    }
    passkey.verify(&message(), &assertion).unwrap();
}

#[test]
fn names_what_it_refuses() {
    let (authenticator, passkey) = setup();
    let m = message();
    let honest = authenticator.assert(&passkey, &m);
    let verdict = |data: &str| {
        let mut assertion = honest.clone();
        assertion.client_data = data.as_bytes().to_vec();
        passkey.verify(&m, &assertion)
    };
    let text = String::from_utf8(honest.client_data.clone()).unwrap();
    assert_eq!(
        verdict(&text.replacen("webauthn.get", "webauthn.create", 1)),
        Err(PasskeyError::ClientData { at: 18 })
    );
    assert_eq!(verdict(&text.replacen('{', "{ ", 1)), Err(PasskeyError::ClientData { at: 1 }));
    assert_eq!(
        verdict(&text.replacen("example", "examp1e", 1)),
        Err(PasskeyError::OriginMismatch { at: 109 })
    );
    assert_eq!(verdict(&format!("{text} ")), Err(PasskeyError::ClientData { at: text.len() - 1 }));
    assert_eq!(
        verdict(&format!("{},{}}}", &text[..text.len() - 1], "x".repeat(300))),
        Err(PasskeyError::Length { got: text.len() + 301, max: 311 })
    );
    // Right client data, but not the signed ones.
    let more = format!("{},\"a\":1}}", &text[..text.len() - 1]);
    assert_eq!(verdict(&more), Err(PasskeyError::Signature(Es256Error::Mismatch)));
    let mut other = m;
    other[0] += F::ONE;
    assert_eq!(passkey.verify(&other, &honest), Err(PasskeyError::Challenge));
    let mut flags = honest.clone();
    flags.authenticator_data[32] = flag::UP;
    assert_eq!(passkey.verify(&m, &flags), Err(PasskeyError::Flags(1)));
    let mut rp = honest;
    rp.authenticator_data[0] ^= 1;
    assert_eq!(passkey.verify(&m, &rp), Err(PasskeyError::RpId));
}

#[test]
fn a_key_id_depends_on_every_part() {
    let (authenticator, passkey) = setup();
    let with = |rp: &str, origin: &str, uv| authenticator.passkey(rp, origin, uv).unwrap().key_id();
    let id = passkey.key_id();
    assert_eq!(with("example.com", "https://example.com", true), id);
    assert_ne!(with("example.com", "https://example.com", false), id);
    assert_ne!(with("example.org", "https://example.com", true), id);
    assert_ne!(with("example.com", "https://example.com:1", true), id);
    let key = Authenticator::from_seed(b"other").key();
    assert_ne!(Passkey::new(key, "example.com", "https://example.com", true).unwrap().key_id(), id);
}

#[test]
fn rejects_origins_that_do_not_fit_or_need_escapes() {
    let key = Authenticator::from_seed(b"o").key();
    let new = |origin: &str| Passkey::new(key, "example.com", origin, true).map(|_| ());
    assert_eq!(new("https://a.io"), Ok(()));
    for bad in ["http://", "https://a\"b.com", "https://a\\b.com", "https://ä.com", "https://a\u{1}.com"] {
        assert_eq!(new(bad), Err(PasskeyError::Origin), "{bad}");
    }
    assert_eq!(new(&format!("https://{}", "a".repeat(66))), Ok(()));
    assert_eq!(new(&format!("https://{}", "a".repeat(67))), Err(PasskeyError::Origin));
}

#[test]
fn forms_round_trip_and_refuse_others() {
    let (authenticator, passkey) = setup();
    let assertion = authenticator.assert(&passkey, &message());
    let text = serde_json::to_string(&passkey).unwrap();
    assert_eq!(serde_json::from_str::<Passkey>(&text).unwrap(), passkey);
    let upper = text.replacen("\"x\":\"", "\"x\":\"AB", 1);
    assert!(serde_json::from_str::<Passkey>(&upper).is_err());
    assert!(serde_json::from_str::<Passkey>(&text.replacen(":false", ":true,", 1)).is_err());
    let text = serde_json::to_string(&assertion).unwrap();
    assert_eq!(serde_json::from_str::<tsz_auth::Assertion>(&text).unwrap(), assertion);
}

#[test]
fn rejects_a_nonce_that_is_the_key() {
    // d = k = 1: r = x(G), s = e + r.
    let hex32 = |s: &str| <[u8; 32]>::try_from(hex::decode(s).unwrap()).unwrap();
    let x = hex32("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296");
    let y = hex32("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
    let (mut e, mut s) = ([0; 32], x);
    e[31] = 5;
    s[31] += 5;
    let signature = tsz_auth::es256::Es256Signature { r: x, s };
    assert_eq!(Es256Key { x, y }.verify(&e, &signature), Err(Es256Error::NonceIsKey));
    e[31] = 6;
    assert_eq!(Es256Key { x, y }.verify(&e, &signature), Err(Es256Error::Mismatch));
}
