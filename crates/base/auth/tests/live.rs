//! Logins by real counterparts: a browser with a virtual authenticator, an OpenID provider on loopback.
//! `scripts/test-logins.sh` installs them and runs these tests.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use serde_json::Value;
use tsz_auth::base64url;
use tsz_auth::es256::{Es256Key, Es256Signature};
use tsz_auth::oidc::{Identity, OidcError, Provider, ProviderKey, verify};
use tsz_auth::passkey::{Assertion, challenge};
use tsz_auth::rs256::{Rs256Error, Rs256Key};
use tsz_auth::{Passkey, PasskeyError};
use tsz_hash::{Digest, F, PrimeCharacteristicRing};
use tsz_testkit::live;

fn message(n: u32) -> Digest {
    core::array::from_fn(|k| F::from_u32(0x1234_5678 + n * 1000 + k as u32))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn bytes<const N: usize>(value: &Value) -> [u8; N] {
    base64url::decode(text(value).as_bytes()).unwrap().try_into().unwrap()
}

/// What a script answers to the challenges of the messages.
fn ask(script: &str, messages: &[Digest]) -> Value {
    let challenges: Vec<String> =
        messages.iter().map(|m| String::from_utf8(challenge(m).to_vec()).unwrap()).collect();
    serde_json::from_str(&live::run(script, &challenges).unwrap()).unwrap()
}

#[test]
#[ignore = "needs a browser: scripts/test-logins.sh"]
fn accepts_the_assertions_of_a_browser() {
    let messages = [message(0), message(1)];
    let answer = ask("passkey.mjs", &messages);
    let key = Es256Key { x: bytes(&answer["x"]), y: bytes(&answer["y"]) };
    let passkey =
        |verified| Passkey::new(key, text(&answer["rpId"]), text(&answer["origin"]), verified).unwrap();
    let assertions = answer["assertions"].as_array().unwrap();
    assert_eq!(assertions.len(), 4);
    for (k, a) in assertions.iter().enumerate() {
        let (this, other) = (messages[k / 2], messages[1 - k / 2]);
        let der = base64url::decode(text(&a["signature"]).as_bytes()).unwrap();
        let assertion = Assertion {
            authenticator_data: bytes(&a["authenticatorData"]),
            client_data: base64url::decode(text(&a["clientDataJSON"]).as_bytes()).unwrap(),
            signature: Es256Signature::from_der(&der).unwrap(),
        };
        let verified = a["verified"].as_bool().unwrap();
        assert_eq!(passkey(false).verify(&this, &assertion), Ok(()), "assertion {k}");
        assert_eq!(passkey(false).verify(&other, &assertion), Err(PasskeyError::Challenge));
        let strict = passkey(true).verify(&this, &assertion);
        assert_eq!(strict.is_ok(), verified, "assertion {k}: {strict:?}");
        let foreign = Passkey::new(key, text(&answer["rpId"]), "https://example.com", false).unwrap();
        assert!(matches!(foreign.verify(&this, &assertion), Err(PasskeyError::OriginMismatch { .. })));
    }
}

fn provider_key(jwk: &Value) -> (&str, ProviderKey) {
    let key = match text(&jwk["kty"]) {
        "RSA" => {
            assert_eq!(text(&jwk["e"]), "AQAB");
            ProviderKey::Rs256(Rs256Key { modulus: bytes(&jwk["n"]) })
        }
        _ => ProviderKey::Es256(Es256Key { x: bytes(&jwk["x"]), y: bytes(&jwk["y"]) }),
    };
    (text(&jwk["kid"]), key)
}

#[test]
#[ignore = "needs an OpenID provider: scripts/test-logins.sh"]
fn accepts_the_tokens_of_a_provider() {
    let messages = [message(2), message(3)];
    let answer = ask("provider.mjs", &messages);
    let keys: Vec<_> = answer["keys"].as_array().unwrap().iter().map(provider_key).collect();
    let issuer = text(&answer["issuer"]);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64;
    let tokens = answer["tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 4);
    for (k, t) in tokens.iter().enumerate() {
        let (this, other) = (messages[k / 2], messages[1 - k / 2]);
        let audience = text(&t["audience"]);
        let provider = Provider { issuer, audiences: &[audience], keys: &keys };
        let identity = Identity { issuer, audience, subject: text(&answer["subject"]), salt: [7; 32] };
        let token = text(&t["token"]).as_bytes();
        let check = |provider: &Provider<'_>, message, now| verify(token, provider, &identity, message, now);
        assert_eq!(check(&provider, &this, now), Ok(()), "token {k}");
        assert_eq!(check(&provider, &other, now), Err(OidcError::Nonce));
        let day = 86_400_000;
        assert!(matches!(check(&provider, &this, now + day), Err(OidcError::Expired { .. })));
        assert!(matches!(check(&provider, &this, now - day), Err(OidcError::Future { .. })));
        // After a rotation, and under the other key's kid.
        assert_eq!(
            check(&Provider { keys: &[], ..provider.clone() }, &this, now),
            Err(OidcError::UnknownKey)
        );
        let swapped = [(keys[0].0, keys[1].1), (keys[1].0, keys[0].1)];
        let verdict = check(&Provider { keys: &swapped, ..provider.clone() }, &this, now);
        assert_eq!(verdict, Err(OidcError::Algorithm));
        if let (_, ProviderKey::Rs256(key)) = &keys[0]
            && text(&t["alg"]) == "RS256"
        {
            let mut modulus = key.modulus;
            modulus[100] ^= 1;
            let wrong = [(keys[0].0, ProviderKey::Rs256(Rs256Key { modulus }))];
            let verdict = check(&Provider { keys: &wrong, ..provider.clone() }, &this, now);
            assert_eq!(verdict, Err(OidcError::Rs256(Rs256Error::Mismatch)));
        }
    }
}
