//! Tokens of a real OpenID provider in proofs.

use serde_json::Value;
use tsz_auth::es256::Es256Key;
use tsz_auth::oidc::{Algorithm, Identity, ProviderKey};
use tsz_auth::passkey::challenge;
use tsz_auth::rs256::Rs256Key;
use tsz_auth::{LoginProvider, SocialLogin, base64url};
use tsz_ledger::{Key, Permissions};
use tsz_stark::Profile;
use tsz_stf::{AuthOp, RegisterKeyByOidc};
use tsz_testkit::live;
use tsz_types::TimeMs;

use super::world::*;
use crate::{prove, verify};

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn bytes<const N: usize>(value: &Value) -> [u8; N] {
    base64url::decode(text(value).as_bytes()).unwrap().try_into().unwrap()
}

/// The key of an algorithm among a provider's JWKs.
fn key(keys: &Value, algorithm: Algorithm) -> (String, ProviderKey) {
    let is_ours = |jwk: &&Value| jwk["alg"] == algorithm.name();
    let jwk = keys.as_array().unwrap().iter().find(is_ours).unwrap();
    let key = match algorithm {
        Algorithm::Rs256 => Rs256Key { modulus: bytes(&jwk["n"]) }.into(),
        Algorithm::Es256 => Es256Key { x: bytes(&jwk["x"]), y: bytes(&jwk["y"]) }.into(),
    };
    (text(&jwk["kid"]), key)
}

fn proves_the_token(algorithm: Algorithm) {
    let mut world = World::of(algorithm);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    // A batch a little later: the provider's clock has gone on when the batch is made.
    world.context.time = now.as_millis() as u64 + 1_000;
    let register = RegisterKeyByOidc { key_slot: slot(9), ..world.register() };
    let digest = world.digest(&AuthOp::from(register.clone()));
    let nonce = String::from_utf8(challenge(&digest).to_vec()).unwrap();
    let answer: Value = serde_json::from_str(&live::run("provider.mjs", &[nonce]).unwrap()).unwrap();

    let (kid, key) = key(&answer["keys"], algorithm);
    let tokens = answer["tokens"].as_array().unwrap();
    let signed = tokens.iter().find(|t| t["alg"] == algorithm.name()).unwrap();
    let (issuer, audience) = (text(&answer["issuer"]), text(&signed["audience"]));
    let provider = LoginProvider { issuer, audience, kid, key };
    assert!(provider.key.is_valid());
    let (issuer, audience) = (&provider.issuer, &provider.audience);
    let subject = &text(&answer["subject"]);
    let id = Identity { issuer, audience, subject, salt: SALT }.key_id();
    let policy = tsz_ledger::KeyPolicy {
        scheme: tsz_ledger::Scheme::Oidc,
        permissions: Permissions::ALL,
        expiry: TimeMs::MAX,
    };
    world.view.set(Key::key_a(2, 9), id);
    world.view.set(Key::key_b(2, 9), tsz_ledger::Cell::to_leaf(&Some(policy)));
    world.view.set(Key::provider(5), provider.digest());

    let login = SocialLogin { token: text(&signed["token"]).into_bytes(), salt: SALT };
    let op = AuthOp::from(RegisterKeyByOidc { provider, login, ..register });
    world.verdict(&op).unwrap();
    world.login(op);
    let key = world.class().setup(Profile::InsecureTest).unwrap();
    let (claim, proof) = prove(&key, &world.context, &world.records, world.context.digest()).unwrap();
    verify(key.vk(), &claim, &proof).unwrap();
}

#[test]
#[ignore = "needs an OpenID provider: scripts/test-logins.sh"]
fn proves_the_token_of_a_provider_with_rs256() {
    proves_the_token(Algorithm::Rs256);
}

#[test]
#[ignore = "needs an OpenID provider: scripts/test-logins.sh"]
fn proves_the_token_of_a_provider_with_es256() {
    proves_the_token(Algorithm::Es256);
}
