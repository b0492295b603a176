//! Social logins as they are proven: encodings, grammar, the digest of a provider.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use tsz_auth::issuer_rsa::RsaIssuer;
use tsz_auth::oidc::Identity;
use tsz_auth::scan::{Field, Part, ScanError, scan};
use tsz_auth::social::{MAX_SIGNED, PROVIDER_FELTS};
use tsz_auth::{LoginProvider, SocialError, SocialLogin, base64url};
use tsz_hash::{Digest, F, PrimeCharacteristicRing, PrimeField32};

const NOW: u64 = 1_700_000_000_000;
const HEADER: &str = r#"{"alg":"RS256","kid":"k1"}"#;

fn provider() -> LoginProvider {
    let (issuer, audience, kid) = ("https://accounts.example".into(), "app-1".into(), "k1".into());
    LoginProvider { issuer, audience, kid, key: RsaIssuer.key() }
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
        let payload = format!(
            "{}{}",
            tsz_auth::issuer::Issuer::payload(&identity(), &message(), NOW / 1000),
            " ".repeat(spaces)
        );
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
}

#[test]
fn a_provider_is_112_felts_and_every_part_counts() {
    let felts = provider().felts();
    assert_eq!(felts.len(), PROVIDER_FELTS);
    let modulus = provider().key.modulus;
    let low = u32::from(modulus[255]) | u32::from(modulus[254]) << 8 | u32::from(modulus[253]) << 16;
    assert_eq!(felts[24].as_canonical_u32(), low);
    assert_eq!(felts[24 + 85].as_canonical_u32(), modulus[0].into());
    assert_eq!([felts[110], felts[111]], [F::ONE, F::ZERO]);
    let digest = provider().digest();
    let mut others = [provider(), provider(), provider(), provider()];
    others[0].issuer.push('x');
    others[1].audience.push('x');
    others[2].kid.push('x');
    others[3].key.modulus[7] ^= 1;
    assert!(others.iter().all(|p| p.digest() != digest));
}
