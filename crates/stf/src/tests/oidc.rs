//! Key changes by social login: messages, accesses, and what is refused.

use alloc::format;
use alloc::vec::Vec;

use tsz_auth::issuer::Issuer;
use tsz_auth::issuer_rsa::RsaIssuer;
use tsz_auth::oidc::Identity;
use tsz_auth::scan::Field;
use tsz_auth::{LoginProvider, SocialError, SocialLogin};
use tsz_hash::{Digest, F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::cells::BalCell;
use tsz_ledger::{
    BatchContext, Cell, Family, HeadCell, Key, KeyPolicy, Permission, Permissions, Scheme, SystemId, TokCell,
};
use tsz_types::{
    AccountId, Balance, BatchNumber, Bucket, EthAddress, KeySlot, Nonce, ProviderSlot, SubId, TimeMs,
    TokenId, Units,
};

use crate::*;

const TIME: u64 = 1_700_000_000_999;
const SALT: [u8; 32] = [9; 32];

fn provider(kid: &str) -> LoginProvider {
    let (issuer, audience, kid) = ("https://accounts.example".into(), "app".into(), kid.into());
    LoginProvider { issuer, audience, kid, key: RsaIssuer.key().into() }
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

fn ec_provider() -> LoginProvider {
    LoginProvider { key: Issuer::from_seed(b"provider").key().into(), ..provider("k1") }
}

#[test]
fn a_token_of_each_algorithm_has_its_family_and_no_key_is_of_both() {
    let op = |provider| AuthOp::from(RevokeKeyByOidc { provider, ..revoke() });
    assert_eq!(op(provider("k1")).family(), Family::Oidc);
    assert_eq!(op(ec_provider()).family(), Family::OidcEs256);
    let with = |provider: LoginProvider, make: fn(&Digest) -> Vec<u8>| {
        let mut view = view();
        view.set(Key::provider(5), provider.digest());
        let mut op = op(provider);
        let digest = digest(&op);
        op.social_login_mut().unwrap().token = make(&digest);
        apply_auth_with(&view, &context(), 1, &op, &Verified).map(|_| ())
    };
    let es256 = |m: &Digest| Issuer::from_seed(b"provider").token("k1", &identity(), m, TIME / 1000);
    assert_eq!(with(ec_provider(), es256), Ok(()));
    assert_eq!(with(provider("k1"), honest), Ok(()));
    let other = Err(Reject::Social { error: SocialError::Field(Field::Alg) });
    assert_eq!(with(provider("k1"), es256), other);
    assert_eq!(with(ec_provider(), honest), other);
    // The cell of one is none of the other's, whatever else they share.
    let mut op = op(ec_provider());
    op.social_login_mut().unwrap().token = es256(&digest(&op));
    let verdict = apply_auth_with(&view(), &context(), 1, &op, &Verified);
    assert!(matches!(verdict, Err(Reject::OtherProvider { .. })));
}

#[test]
fn payments_are_transfers_and_withdrawals_with_a_read_of_the_provider() {
    let id = |n: u32| AccountId::new(n).unwrap();
    let sub = |n: u8| SubId::new(n).unwrap();
    let pay = |to| PayByOidc {
        payment: Payment {
            account: id(2),
            sub: sub(1),
            bucket: Bucket::Balance,
            to,
            token: TokenId::new(1).unwrap(),
            units: Units::new(77).unwrap(),
            nonce: Nonce::new(0).unwrap(),
            key_slot: KeySlot::new(3).unwrap(),
        },
        provider_slot: ProviderSlot::new(5).unwrap(),
        provider: provider("k1"),
        login: SocialLogin { token: Vec::new(), salt: SALT },
    };
    let mut view = view();
    let head =
        HeadCell { batch: BatchNumber::new(1).unwrap(), time: TimeMs::new(TIME).unwrap(), next_account: 4 };
    view.set(Key::HEAD, head.to_leaf());
    view.set(Key::tok(1), TokCell { listed: true, minimum: Units::new(10).unwrap() }.to_leaf());
    let balance = Balance::from(Units::new(1_000).unwrap());
    view.set(Key::bucket(2, 1, false, 1), BalCell { balance }.to_leaf());
    let run = |to| {
        let mut op = AuthOp::from(pay(to));
        let digest = digest(&op);
        op.social_login_mut().unwrap().token = honest(&digest);
        let applied = apply_auth_with(&view, &context(), 1, &op, &Verified).unwrap();
        let keys: Vec<_> = applied.accesses.iter().map(|a| (a.key, a.write)).collect();
        (op.message(), keys)
    };
    let signer = [
        (Key::key_a(2, 3), false),
        (Key::key_b(2, 3), false),
        (Key::ctl(2, 1), true),
        (Key::provider(5), false),
    ];
    let bucket = Payee::Bucket { account: id(3), sub: sub(0), bucket: Bucket::Balance };
    let (message, keys) = run(bucket);
    assert_eq!(
        message[0][..4],
        [83, 2, 1 << 1, 1].map(F::from_u32)[..],
        "sub and bucket bits as in Transfer"
    );
    let mut expected = Vec::from([(Key::HEAD, false)]);
    expected.extend(signer);
    expected.extend([(Key::bucket(2, 1, false, 1), true), (Key::bucket(3, 0, false, 1), true)]);
    assert_eq!(keys, expected);
    let (message, keys) = run(Payee::Address(EthAddress([9; 20])));
    assert_eq!(message[0][0], F::from_u32(84));
    let mut expected = Vec::from(signer);
    expected.extend([(Key::tok(1), false), (Key::bucket(2, 1, false, 1), true), (Key::OUT, true)]);
    assert_eq!(keys, expected);
}
