//! Social logins as they are proven: encodings, grammar, the digest of a provider.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use num_bigint::BigUint;
use tsz_auth::es256::{Es256Error, Es256Key};
use tsz_auth::issuer::Issuer;
use tsz_auth::issuer_rsa::RsaIssuer;
use tsz_auth::oidc::{Identity, ProviderKey};
use tsz_auth::rs256::{Rs256Error, Rs256Key, encode};
use tsz_auth::scan::{Field, Part, ScanError, scan};
use tsz_auth::social::{ES256_FELTS, MAX_SIGNED, RS256_FELTS};
use tsz_auth::{LoginProvider, SocialError, SocialLogin, base64url};
use tsz_hash::{Digest, F, PrimeCharacteristicRing, PrimeField32};

const NOW: u64 = 1_700_000_000_000;
const HEADER: &str = r#"{"alg":"RS256","kid":"k1"}"#;

fn provider() -> LoginProvider {
    let (issuer, audience, kid) = ("https://accounts.example".into(), "app-1".into(), "k1".into());
    LoginProvider { issuer, audience, kid, key: RsaIssuer.key().into() }
}

fn identity() -> Identity<'static> {
    Identity { issuer: "https://accounts.example", audience: "app-1", subject: "108204", salt: [9; 32] }
}

fn message() -> Digest {
    core::array::from_fn(|k| F::from_usize(77 + k))
}

fn verdict(token: Vec<u8>) -> Result<(), SocialError> {
    SocialLogin { token, salt: [9; 32] }.verify(&provider(), &identity().key_id(), &message(), NOW)
}

fn honest() -> Vec<u8> {
    RsaIssuer.token("k1", &identity(), &message(), NOW / 1000)
}

#[test]
fn accepts_an_honest_token_and_no_other_encoding_of_it() {
    assert_eq!(verdict(honest()), Ok(()));
    let text = String::from_utf8(honest()).unwrap();
    assert!(matches!(verdict(format!("{text}=").into_bytes()), Err(SocialError::Base64(_))));
    assert_eq!(verdict(format!("{text}.").into_bytes()), Err(SocialError::Parts));
    assert!(matches!(verdict(format!("{text}AA").into_bytes()), Err(SocialError::Rs256(_))));
    assert_eq!(verdict(vec![b'.'; 2]), Err(SocialError::Scan(ScanError::End(Part::Header))));
    // Unused bits of the signature: 256 bytes are 342 characters with four of them.
    let mut loose = honest();
    let last = loose.last_mut().unwrap();
    *last = base64url::ALPHABET[usize::from(base64url::value(*last).unwrap() | 1)];
    assert!(matches!(verdict(loose), Err(SocialError::Base64(_))));
    let mut damaged = honest();
    let at = damaged.len() - 40;
    damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
    assert!(matches!(verdict(damaged), Err(SocialError::Rs256(_))));
}

#[test]
fn signing_inputs_have_at_most_1024_characters() {
    let signed = |spaces: usize| {
        let payload =
            format!("{}{}", Issuer::payload(&identity(), &message(), NOW / 1000), " ".repeat(spaces));
        RsaIssuer.sign(HEADER, &payload)
    };
    let length = |token: &[u8]| token.len() - 343;
    let longest = (0..1024).rev().find(|n| length(&signed(*n)) <= MAX_SIGNED).unwrap();
    assert_eq!(verdict(signed(longest)), Ok(()));
    let longer = signed(longest + 1);
    assert_eq!(verdict(longer.clone()), Err(SocialError::Length(length(&longer))));
}

#[test]
fn reads_what_stands_at_depth_one_only() {
    let payload = br#" {"iss":"a","aud":"b" , "sub" : "c","x":{"sub":"d","y":["sub"]},"nonce":"n","iat":1700000000,"exp":1700000001,"z":-1.5E+3} "#;
    let claims = scan(HEADER.as_bytes(), payload).unwrap();
    let read = [Field::Kid, Field::Iss, Field::Sub, Field::Exp].map(|f| claims.get(f).to_vec());
    assert_eq!(read.map(|v| String::from_utf8(v).unwrap()), ["k1", "a", "c", "1700000001"]);
    let replaced = |from: &str, to: &str| {
        let text = String::from_utf8(payload.to_vec()).unwrap();
        assert!(text.contains(from));
        scan(HEADER.as_bytes(), text.replacen(from, to, 1).as_bytes())
    };
    assert_eq!(replaced("\"x\"", "\"sub\""), Err(ScanError::Byte { part: Part::Payload, at: 42 }));
    assert_eq!(
        replaced("\"x\":{\"sub\":\"d\",\"y\":[\"sub\"]}", "\"sub\":\"d\""),
        Err(ScanError::Duplicate(Field::Sub))
    );
    assert_eq!(replaced("\"nonce\"", "\"nonces\""), Err(ScanError::Missing(Field::Nonce)));
    assert!(replaced("[\"sub\"]", "[[\"deep\"]]").is_err());
    assert!(replaced("\"c\"", "\"\\u0063\"").is_err());
    assert!(replaced("-1.5E+3", "\u{fc}").is_err());
    assert!(replaced("-1.5E+3", "\"\u{fc}\"").is_ok());
    // Numbers of nested values as at depth one; a word begins as there.
    for (to, good) in [("[\"sub\",-1.5E+3,2e-7]", true), ("[.5]", false), ("[+1]", false), ("[1,E]", false)] {
        assert_eq!(replaced("[\"sub\"]", to).is_ok(), good, "{to}");
    }
}

#[test]
fn a_provider_is_112_felts_and_every_part_counts() {
    let felts = provider().felts();
    assert_eq!(felts.len(), RS256_FELTS);
    let modulus = RsaIssuer.key().modulus;
    let low = u32::from(modulus[255]) | u32::from(modulus[254]) << 8 | u32::from(modulus[253]) << 16;
    assert_eq!(felts[24].as_canonical_u32(), low);
    assert_eq!(felts[24 + 85].as_canonical_u32(), u32::from(modulus[0]));
    assert_eq!([felts[110], felts[111]], [F::ONE, F::ZERO]);
    let digest = provider().digest();
    let mut others = [provider(), provider(), provider(), provider()];
    others[0].issuer.push('x');
    others[1].audience.push('x');
    others[2].kid.push('x');
    let mut modulus = modulus;
    modulus[7] ^= 1;
    others[3].key = Rs256Key { modulus }.into();
    assert!(others.iter().all(|p| p.digest() != digest));
}

fn es256() -> Issuer {
    Issuer::from_seed(b"provider")
}

fn ec_provider(key: Es256Key) -> LoginProvider {
    LoginProvider { key: key.into(), ..provider() }
}

/// The verdict under the provider's ES256 key.
fn ec_verdict(token: Vec<u8>) -> Result<(), SocialError> {
    let login = SocialLogin { token, salt: [9; 32] };
    login.verify(&ec_provider(es256().key()), &identity().key_id(), &message(), NOW)
}

fn with_signature(signature: &[u8]) -> Vec<u8> {
    let mut token = es256().token("k1", &identity(), &message(), NOW / 1000);
    token.truncate(token.iter().rposition(|b| *b == b'.').unwrap() + 1);
    token.extend(base64url::encode(signature));
    token
}

#[test]
fn a_key_is_of_one_algorithm() {
    let token = es256().token("k1", &identity(), &message(), NOW / 1000);
    assert_eq!(ec_verdict(token.clone()), Ok(()));
    let other = Err(SocialError::Field(Field::Alg));
    assert_eq!(verdict(token), other);
    assert_eq!(ec_verdict(honest()), other);
    // The header of one algorithm over the signature of the other.
    let payload = Issuer::payload(&identity(), &message(), NOW / 1000);
    assert_eq!(verdict(es256().sign(HEADER, &payload)), Err(Rs256Error::Length(64).into()));
    let header = HEADER.replace("RS256", "ES256");
    assert_eq!(ec_verdict(RsaIssuer.sign(&header, &payload)), Err(SocialError::SignatureLength(256)));
}

#[test]
fn es256_signatures_are_64_bytes_in_range_and_either_s_counts() {
    let token = es256().token("k1", &identity(), &message(), NOW / 1000);
    let dot = token.iter().rposition(|b| *b == b'.').unwrap();
    let good = base64url::decode(&token[dot + 1..]).unwrap();
    assert_eq!(good.len(), 64);
    let n = BigUint::parse_bytes(b"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
        .unwrap();
    let s = BigUint::from_bytes_be(&good[32..]);
    let bytes = |x: BigUint| {
        let be = x.to_bytes_be();
        [vec![0; 32 - be.len()], be].concat()
    };
    let with = |r: &[u8], s: &[u8]| ec_verdict(with_signature(&[r, s].concat()));
    assert_eq!(with(&good[..32], &bytes(&n - &s)), Ok(()));
    for out in [vec![0; 32], bytes(n.clone()), vec![0xff; 32]] {
        assert_eq!(with(&good[..32], &out), Err(Es256Error::Range.into()));
        assert_eq!(with(&out, &good[32..]), Err(Es256Error::Range.into()));
    }
    assert_eq!(with(&good[32..], &good[..32]), Err(Es256Error::Mismatch.into()));
    assert_eq!(with(&good[..32], &good[32..63]), Err(SocialError::SignatureLength(63)));
    assert_eq!(with(&good, &[0]), Err(SocialError::SignatureLength(65)));
}

#[test]
fn providers_have_a_point_of_the_curve_or_an_odd_modulus() {
    let key = es256().key();
    let provider = ec_provider(key);
    let felts = provider.felts();
    assert_eq!((felts.len(), felts[46], felts[47]), (ES256_FELTS, F::TWO, F::ZERO));
    let low = u32::from(key.x[31]) | u32::from(key.x[30]) << 8 | u32::from(key.x[29]) << 16;
    assert_eq!(felts[24].as_canonical_u32(), low);
    assert_eq!(felts[34 + 11].as_canonical_u32(), u32::from(key.y[0]) << 8 | u32::from(key.y[1]));
    let form = serde_json::to_value(&provider).unwrap();
    assert_eq!(serde_json::from_value::<LoginProvider>(form.clone()).unwrap(), provider);
    let off = Es256Key { y: key.x, ..key };
    assert!(!ProviderKey::from(off).is_valid());
    let refused = |name: &str, value: Option<&str>| {
        let mut form = form.clone();
        match value {
            Some(value) => form[name] = value.into(),
            None => {
                form.as_object_mut().unwrap().remove(name);
            }
        }
        serde_json::from_value::<LoginProvider>(form).is_err()
    };
    assert!(refused("y", form["x"].as_str()));
    assert!(refused("x", None));
    assert!(refused("modulus", Some(&"ff".repeat(256))));
    let rsa = serde_json::to_value(self::provider()).unwrap();
    let mut even = rsa.clone();
    even["modulus"] = rsa["modulus"].as_str().unwrap().replace("faffdf1d", "faffdf1c").into();
    assert!(serde_json::from_value::<LoginProvider>(even).is_err());
    assert!(serde_json::from_value::<LoginProvider>(rsa).is_ok());
}

/// A prime modulus whose upper 254 bytes are all ones: whoever knows that it is prime signs under it.
#[test]
fn refuses_a_signature_whose_carries_the_circuit_has_no_row_for() {
    let one = BigUint::from(1u8);
    let modulus = (&one << 2048u32) - 1557u32;
    let key = Rs256Key { modulus: modulus.to_bytes_be().try_into().unwrap() };
    let inverse = BigUint::from(65537u32).modinv(&(&modulus - &one)).unwrap();
    let digest = [7; 32];
    let signature = BigUint::from_bytes_be(&encode(&digest)).modpow(&inverse, &modulus).to_bytes_be();
    let signature = [vec![0; 256 - signature.len()], signature].concat();
    assert_eq!(key.verify(&digest, &signature), Err(Rs256Error::Carry));
    assert_eq!(key.verify(&[8; 32], &signature), Err(Rs256Error::Mismatch));
}
