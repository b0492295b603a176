//! The token of a real OpenID provider in a proof.

use serde_json::Value;
use tsz_auth::oidc::Identity;
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

#[test]
#[ignore = "needs an OpenID provider: scripts/test-logins.sh"]
fn proves_the_token_of_a_provider() {
    let mut world = World::new();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    // A batch a little later: the provider's clock has gone on when the batch is made.
    world.context.time = now.as_millis() as u64 + 1_000;
    let register = RegisterKeyByOidc { key_slot: slot(9), ..world.register() };
    let digest = world.digest(&AuthOp::from(register.clone()));
    let nonce = String::from_utf8(challenge(&digest).to_vec()).unwrap();
    let answer: Value = serde_json::from_str(&live::run("provider.mjs", &[nonce]).unwrap()).unwrap();

    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let list = |name: &str| answer[name].as_array().unwrap().clone();
    let jwk = list("keys").into_iter().find(|k| k["kty"] == "RSA").unwrap();
    let signed = list("tokens").into_iter().find(|t| t["alg"] == "RS256").unwrap();
    let modulus = base64url::decode(text(&jwk["n"]).as_bytes()).unwrap();
    let provider = LoginProvider {
        issuer: text(&answer["issuer"]),
        audience: text(&signed["audience"]),
        kid: text(&jwk["kid"]),
        key: Rs256Key { modulus: modulus.try_into().unwrap() },
    };
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
    let key = SMALL.setup(Profile::InsecureTest).unwrap();
    let (claim, proof) = prove(&key, &world.context, &world.records, world.context.digest()).unwrap();
    verify(key.vk(), &claim, &proof).unwrap();
}
