//! Key changes by social login: messages, accesses, and what is refused.

use alloc::format;
use alloc::vec::Vec;

use tsz_auth::issuer::Issuer;
use tsz_auth::issuer_rsa::RsaIssuer;
use tsz_auth::oidc::Identity;
use tsz_auth::scan::Field;
use tsz_auth::{LoginProvider, SocialError, SocialLogin};
use tsz_hash::{Digest, F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::{BatchContext, Cell, Key, KeyPolicy, Permission, Permissions, Scheme, SystemId};
use tsz_types::{AccountId, KeySlot, Nonce, ProviderSlot, TimeMs};

use crate::*;

const TIME: u64 = 1_700_000_000_999;
const SALT: [u8; 32] = [9; 32];

fn provider(kid: &str) -> LoginProvider {
    let (issuer, audience, kid) = ("https://accounts.example".into(), "app".into(), kid.into());
    LoginProvider { issuer, audience, kid, key: RsaIssuer.key() }
}

fn identity() -> Identity<'static> {
    Identity { issuer: "https://accounts.example", audience: "app", subject: "108204", salt: SALT }
}

fn context() -> BatchContext {
    let system = SystemId { rollup: 1, chain: 31337, address: [1; 20] }.digest();
    BatchContext { system, batch: 1, time: TIME, params: ZERO }
}

fn view() -> MemView {
    let policy = KeyPolicy { scheme: Scheme::Oidc, permissions: Permissions::ALL, expiry: TimeMs::MAX };
    MemView::from_leaves([
        (Key::key_a(2, 3), identity().key_id()),
        (Key::key_b(2, 3), Some(policy).to_leaf()),
        (Key::provider(5), provider("k1").digest()),
    ])
}

fn revoke() -> RevokeKeyByOidc {
    RevokeKeyByOidc {
        account: AccountId::new(2).unwrap(),
        slot: KeySlot::new(7).unwrap(),
        nonce: Nonce::new(0).unwrap(),
        key_slot: KeySlot::new(3).unwrap(),
        provider_slot: ProviderSlot::new(5).unwrap(),
        provider: provider("k1"),
        login: SocialLogin { token: Vec::new(), salt: SALT },
    }
}

fn digest(op: &AuthOp) -> Digest {
    message(&context().system, &op.message())
}

/// The verdict on an operation whose token is `make` of its message.
fn verdict(op: impl Into<AuthOp>, make: impl FnOnce(&Digest) -> Vec<u8>) -> Result<Applied, Reject> {
    let mut op = op.into();
    let digest = digest(&op);
    op.social_login_mut().unwrap().token = make(&digest);
    apply_auth_with(&view(), &context(), 1, &op, &Verified)
}

fn honest(message: &Digest) -> Vec<u8> {
    RsaIssuer.token("k1", &identity(), message, TIME / 1000)
}

#[test]
fn messages_and_accesses_are_pinned() {
    let head = |code: u32, slot: u32, rest: [u32; 3]| -> Block8 {
        let felts = [code, 2, slot, rest[0], rest[1], rest[2], 0, 0];
        felts.map(F::from_u32)
    };
    assert_eq!(revoke().message(), [head(75, 7, [0; 3]), ZERO]);
    let RevokeKeyByOidc { account, slot, nonce, key_slot, provider_slot, provider, login } = revoke();
    let register = RegisterKeyByOidc {
        account,
        slot,
        key_id: core::array::from_fn(F::from_usize),
        scheme: Scheme::Schnorr,
        permissions: [Permission::Trade].into_iter().collect(),
        expiry: TimeMs::new(3 | 4 << 24).unwrap(),
        nonce,
        key_slot,
        provider_slot,
        provider,
        login,
    };
    let bits = register.permissions.bits();
    assert_eq!(register.message(), [head(74, 7 + 64, [bits, 3, 4]), register.key_id]);
    let applied = verdict(register, honest).unwrap();
    let keys = [
        (Key::key_a(2, 3), false),
        (Key::key_b(2, 3), false),
        (Key::ctl(2, 0), true),
        (Key::provider(5), false),
        (Key::key_a(2, 7), true),
        (Key::key_b(2, 7), true),
    ];
    let got: Vec<_> = applied.accesses.iter().map(|a| (a.key, a.write)).collect();
    assert_eq!(got, keys);
}

type Block8 = [F; 8];

#[test]
fn refuses_keys_of_others_and_cells_that_hold_another_key() {
    assert!(verdict(revoke(), honest).is_ok());
    let empty = RevokeKeyByOidc { provider_slot: ProviderSlot::new(6).unwrap(), ..revoke() };
    assert!(matches!(verdict(empty, honest), Err(Reject::OtherProvider { .. })));
    let rotated = RevokeKeyByOidc { provider: provider("k2"), ..revoke() };
    assert!(matches!(verdict(rotated, honest), Err(Reject::OtherProvider { .. })));
    let audience = LoginProvider { audience: "another".into(), ..provider("k1") };
    let audience = RevokeKeyByOidc { provider: audience, ..revoke() };
    assert!(matches!(verdict(audience, honest), Err(Reject::OtherProvider { .. })));
    let salt = RevokeKeyByOidc { login: SocialLogin { token: Vec::new(), salt: [8; 32] }, ..revoke() };
    let social = |result: Result<Applied, Reject>| match result {
        Err(Reject::Social { error }) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(social(verdict(salt, honest)), SocialError::Identity);
    let subject = Identity { subject: "108205", ..identity() };
    let token = |m: &Digest| RsaIssuer.token("k1", &subject, m, TIME / 1000);
    assert_eq!(social(verdict(revoke(), token)), SocialError::Identity);
    assert_eq!(social(verdict(revoke(), |_| honest(&ZERO))), SocialError::Field(Field::Nonce));
    let kid = |m: &Digest| RsaIssuer.token("k2", &identity(), m, TIME / 1000);
    assert_eq!(social(verdict(revoke(), kid)), SocialError::Field(Field::Kid));
    for alg in ["none", "HS256", "ES256", "RS512"] {
        let header = format!(r#"{{"alg":"{alg}","kid":"k1"}}"#);
        let token = |m: &Digest| RsaIssuer.sign(&header, &Issuer::payload(&identity(), m, TIME / 1000));
        assert_eq!(social(verdict(revoke(), token)), SocialError::Field(Field::Alg), "{alg}");
    }
}

#[test]
fn times_are_compared_in_seconds() {
    let at = |iat: u64| verdict(revoke(), |m| RsaIssuer.token("k1", &identity(), m, iat)).map(|_| ());
    let now = TIME / 1000;
    // Tokens live for ten minutes.
    for good in [now - 599, now, now + 60] {
        assert_eq!(at(good), Ok(()));
    }
    assert!(matches!(at(now - 600), Err(Reject::Social { error: SocialError::Expired { .. } })));
    assert!(matches!(at(now + 61), Err(Reject::Social { error: SocialError::Future { .. } })));
}
