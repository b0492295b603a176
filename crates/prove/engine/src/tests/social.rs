//! Social logins end to end: governance sets keys of a provider, a token with RS256 registers a session key, which signs a
//! transfer in the same batch, and a token with ES256 approves another; all proofs and the transition are made, joined and
//! verified.

use tsz_aggregator::check;
use tsz_auth::issuer::Issuer;
use tsz_auth::issuer_rsa::RsaIssuer;
use tsz_auth::oidc::Identity;
use tsz_auth::{LoginProvider, SocialLogin};
use tsz_hash::Digest;
use tsz_ledger::{KeyPolicy, Permissions, Scheme, SystemId};
use tsz_sig::SecretKey;
use tsz_smt::Tree;
use tsz_stark::Profile;
use tsz_stf::{
    AuthOp, Genesis, GenesisAccount, GenesisKey, PayByOidc, Payee, Payment, RegisterKeyByOidc, Reject,
    TokenListing, Transfer, message,
};
use tsz_trade::ops::{ClearProvider, SetProvider};
use tsz_trade::{Op, OpReject, TradeOp};
use tsz_types::{
    AccountId, Balance, Bucket, EthAddress, KeySlot, L1Serial, Nonce, ProviderSlot, SubId, TimeMs, TokenId,
    Units,
};

use crate::circuits::circuits;
use crate::prove::prove_bundle;
use crate::*;

const TIME: u64 = 1_700_000_000_000;
const SALT: [u8; 32] = [4; 32];

fn system() -> Digest {
    SystemId { rollup: 9, chain: 31337, address: [3; 20] }.digest()
}

fn slot(n: u8) -> KeySlot {
    KeySlot::new(n).unwrap()
}

fn id(n: u32) -> AccountId {
    AccountId::new(n).unwrap()
}

fn provider() -> LoginProvider {
    let (issuer, audience, kid) = ("https://accounts.example".into(), "app".into(), "k1".into());
    LoginProvider { issuer, audience, kid, key: RsaIssuer.key().into() }
}

fn es256() -> Issuer {
    Issuer::from_seed(b"provider")
}

fn ec_provider() -> LoginProvider {
    LoginProvider { key: es256().key().into(), ..provider() }
}

fn identity() -> Identity<'static> {
    Identity { issuer: "https://accounts.example", audience: "app", subject: "108204", salt: SALT }
}

/// Account 2 has nothing but its identity in slot 0.
fn executor() -> Executor {
    let expiry = TimeMs::new(TIME * 2).unwrap();
    let policy = KeyPolicy { scheme: Scheme::Oidc, permissions: Permissions::ALL, expiry };
    let token = TokenId::new(0).unwrap();
    let user = |keys, owner| GenesisAccount {
        owner: EthAddress([owner; 20]),
        keys,
        balances: vec![(SubId::MIN, token, Balance::from(Units::new(1 << 40).unwrap()))],
        collateral: Vec::new(),
    };
    let keys = vec![GenesisKey { slot: slot(0), key_id: identity().key_id(), policy }];
    let genesis = Genesis {
        operator: EthAddress([5; 20]),
        tokens: vec![TokenListing { token, minimum: Units::new(1).unwrap() }],
        accounts: vec![user(keys, 1), user(Vec::new(), 2)],
        ..Genesis::default()
    };
    let leaves: Vec<(u64, Digest)> =
        genesis.leaves().unwrap().into_iter().map(|(key, leaf)| (key.raw(), leaf)).collect();
    Executor::new(system(), Tree::from_leaves(&leaves).unwrap())
}

fn set_provider(serial: u64) -> Op {
    let slot = ProviderSlot::new(7).unwrap();
    let serial = L1Serial::new(serial).unwrap();
    Op::Trade(TradeOp::from(SetProvider { serial, slot, provider: provider().digest() }))
}

fn set_ec_provider(serial: u64) -> Op {
    let slot = ProviderSlot::new(8).unwrap();
    let serial = L1Serial::new(serial).unwrap();
    Op::Trade(TradeOp::from(SetProvider { serial, slot, provider: ec_provider().digest() }))
}

/// A transfer to account 3 that a token with ES256 approves.
fn pay(nonce: u32) -> Op {
    let payment = Payment {
        account: id(2),
        sub: SubId::MIN,
        bucket: Bucket::Balance,
        to: Payee::Bucket { account: id(3), sub: SubId::MIN, bucket: Bucket::Balance },
        token: TokenId::new(0).unwrap(),
        units: Units::new(5).unwrap(),
        nonce: Nonce::new(nonce).unwrap(),
        key_slot: slot(0),
    };
    let mut op = PayByOidc {
        payment,
        provider_slot: ProviderSlot::new(8).unwrap(),
        provider: ec_provider(),
        login: SocialLogin { token: Vec::new(), salt: SALT },
    };
    let digest = message(&system(), &op.message());
    op.login.token = es256().token("k1", &identity(), &digest, TIME / 1000);
    Op::Auth(AuthOp::from(op))
}

fn clear_provider(serial: u64) -> Op {
    let slot = ProviderSlot::new(7).unwrap();
    Op::Trade(TradeOp::from(ClearProvider { serial: L1Serial::new(serial).unwrap(), slot }))
}

fn session() -> SecretKey {
    SecretKey::from_seed(b"session")
}

fn login(nonce: u32) -> Op {
    let mut op = RegisterKeyByOidc {
        account: id(2),
        slot: slot(1),
        key_id: session().public_key().key_id(),
        scheme: Scheme::Schnorr,
        permissions: Permissions::ALL,
        expiry: TimeMs::new(TIME + 86_400_000).unwrap(),
        nonce: Nonce::new(nonce).unwrap(),
        key_slot: slot(0),
        provider_slot: ProviderSlot::new(7).unwrap(),
        provider: provider(),
        login: SocialLogin { token: Vec::new(), salt: SALT },
    };
    let digest = message(&system(), &op.message());
    op.login.token = RsaIssuer.token("k1", &identity(), &digest, TIME / 1000);
    Op::Auth(AuthOp::from(op))
}

fn transfer(nonce: u32) -> Op {
    let mut op = Transfer {
        account: id(2),
        sub: SubId::MIN,
        bucket: Bucket::Balance,
        to_account: id(3),
        to_sub: SubId::MIN,
        to_bucket: Bucket::Balance,
        token: TokenId::new(0).unwrap(),
        units: Units::new(77).unwrap(),
        nonce: Nonce::new(nonce).unwrap(),
        key_slot: slot(1),
        signature: session().sign(&tsz_hash::ZERO),
    };
    op.signature = session().sign(&message(&system(), &op.message()));
    Op::Fund(op.into())
}

#[test]
fn a_session_key_of_a_social_login_signs_and_all_is_proven() {
    let registry = circuits(Profile::InsecureTest);
    let used = |c: &&dyn registry::Keyed| {
        matches!(c.id().family, "fund" | "oidc" | "oidc_es256" | "transition")
            && matches!(c.id().class, "tiny" | "small" | "moderate")
    };
    let pins: Vec<Pin> = registry.circuits().filter(used).map(|c| registry::derive(c).unwrap()).collect();
    let pins = Pins::new(pins).unwrap();
    let ops = [set_provider(0), set_ec_provider(1), login(0), transfer(1), pay(2), clear_provider(2)];
    let batch = executor().execute(TIME, &ops).unwrap();
    assert!(batch.rejected.is_empty(), "{:?}", batch.rejected);
    let header = batch.header;
    let (bundle, report) = prove_bundle(vec![batch], &registry, &pins, &|_| {}).unwrap();
    for circuit in ["oidc/small", "oidc_es256/small"] {
        assert!(report.proofs.iter().any(|p| p.circuit == circuit), "{circuit}");
    }
    assert_eq!(check(&bundle.to_bytes(), &registry.verifiers(&pins), None).unwrap(), [header]);
    // Without the proof of a login the batch is incomplete.
    for family in [tsz_ledger::Family::Oidc, tsz_ledger::Family::OidcEs256] {
        let mut dropped = bundle.clone();
        dropped.batches[0].execs.retain(|e| e.claim.algorithm != family.algorithm());
        assert!(check(&dropped.to_bytes(), &registry.verifiers(&pins), None).is_err());
    }
}

#[test]
fn a_login_under_a_key_that_is_not_set_or_cleared_is_refused() {
    let reason = |ops: &[Op]| {
        let batch = executor().execute(TIME, ops).unwrap();
        assert_eq!(batch.rejected.len(), 1);
        batch.rejected[0].reason
    };
    for ops in [vec![login(0)], vec![set_provider(0), clear_provider(1), login(0)]] {
        assert!(matches!(reason(&ops), OpReject::Fund(Reject::OtherProvider { .. })));
    }
    assert!(matches!(reason(&[set_provider(0), login(1)]), OpReject::Fund(Reject::Nonce { .. })));
}
