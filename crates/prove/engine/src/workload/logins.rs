//! Passkey, wallet and social logins of two accounts: of auth, wallet, oidc and oidc_es256.

use serde_json::{Map, Value, json};

use super::{Pair, map, owner};

/// Slots of the keys of one account; the one in slot 0 is the population's.
const LOGIN: u64 = 1;
const SOCIAL: u64 = 2;
const SESSION: u64 = 3;

/// Secrets: a passkey, a wallet, two identities, a session key.
pub(super) fn keys() -> Map<String, Value> {
    let social = |issuer: &str, audience: &str, kid: &str, subject: &str, algorithm: &str| {
        let salt = format!("salt of {subject}");
        json!({ "social": {
            "issuer": issuer, "audience": audience, "kid": kid, "subject": subject, "salt": salt, "algorithm": algorithm
        } })
    };
    let passkey = json!({ "seed": "face", "rp_id": "example.com", "origin": "https://app.example.com" });
    map([
        ("face", json!({ "passkey": passkey })),
        ("purse", json!({ "wallet": { "seed": "purse" } })),
        (
            "rsa",
            social("https://accounts.example.com", "tsz-web", "2026-11", "108204268033311374519", "RS256"),
        ),
        (
            "ec",
            social(
                "https://id.example.com",
                "com.example.tsz",
                "T8tIJ1zSrO",
                "001473.fe6f83bf4b8e.2039",
                "ES256",
            ),
        ),
        ("session", json!({ "seed": "session" })),
    ])
}

/// Puts the keys of both providers into cells, and the logins into slots of the accounts.
pub(super) fn before([a, b]: Pair) -> Vec<Value> {
    let login = |account: u64, slot: u64, key: &str, scheme: &str| json!({ "op": "register_key", "account": account, "slot": slot, "new_key": key, "scheme": scheme });
    vec![
        json!({ "op": "set_provider", "slot": 1, "key": "rsa" }),
        json!({ "op": "set_provider", "slot": 2, "key": "ec" }),
        login(a, LOGIN, "face", "p256"),
        login(b, LOGIN, "purse", "secp256k1"),
        login(a, SOCIAL, "rsa", "oidc"),
        login(b, SOCIAL, "ec", "oidc"),
    ]
}

/// Session keys that the logins approve, and payments.
pub(super) fn others([a, b]: Pair) -> Vec<Value> {
    let register = |by: &str, account: u64, key: &str| {
        json!({
            "op": format!("register_key_by_{by}"), "account": account, "slot": SESSION, "new_key": "session", "key": key
        })
    };
    vec![
        register("passkey", a, "face"),
        register("wallet", b, "purse"),
        json!({
            "op": "withdraw_by_oidc", "account": a, "token": 0, "units": "60", "to": owner(a), "key": "rsa"
        }),
        json!({
            "op": "transfer_by_oidc", "account": b, "to_account": a, "token": 0, "units": "250", "key": "ec"
        }),
    ]
}
