//! The assertion of a real browser in a proof.

use serde_json::Value;
use tsz_auth::es256::{Es256Key, Es256Signature};
use tsz_auth::passkey::{Assertion, challenge};
use tsz_auth::{Passkey, base64url};
use tsz_ledger::Permissions;
use tsz_stark::Profile;
use tsz_stf::{AuthOp, RegisterKeyByPasskey};
use tsz_testkit::live;

use super::world::*;
use crate::{prove, verify};

fn bytes(value: &Value) -> Vec<u8> {
    base64url::decode(value.as_str().unwrap().as_bytes()).unwrap()
}

/// The passkey that a browser made, and its assertion of `message`.
fn browser(message: &tsz_hash::Digest) -> (Passkey, Assertion) {
    let challenge = String::from_utf8(challenge(message).to_vec()).unwrap();
    let answer: Value = serde_json::from_str(&live::run("passkey.mjs", &[challenge]).unwrap()).unwrap();
    let half = |name: &str| bytes(&answer[name]).try_into().unwrap();
    let key = Es256Key { x: half("x"), y: half("y") };
    let text = |name: &str| answer[name].as_str().unwrap();
    let passkey = Passkey::new(key, text("rpId"), text("origin"), true).unwrap();
    let a = &answer["assertions"][0];
    let assertion = Assertion {
        authenticator_data: bytes(&a["authenticatorData"]).try_into().unwrap(),
        client_data: bytes(&a["clientDataJSON"]),
        signature: Es256Signature::from_der(&bytes(&a["signature"])).unwrap(),
    };
    (passkey, assertion)
}

#[test]
#[ignore = "needs a browser: scripts/test-logins.sh"]
fn proves_the_assertion_of_a_browser() {
    let mut world = World::new();
    let (passkey, assertion) = browser(&world.digest(&AuthOp::from(world.register())));
    world.put(3, Some((passkey.key_id(), Permissions::ALL)));
    let op = AuthOp::from(RegisterKeyByPasskey { passkey, assertion, ..world.register() });
    world.verdict(&op).unwrap();
    world.apply(op);
    let key = SMALL.setup(Profile::InsecureTest).unwrap();
    let (claim, proof) = prove(&key, &world.context, &world.records, world.context.digest()).unwrap();
    verify(key.vk(), &claim, &proof).unwrap();
}
