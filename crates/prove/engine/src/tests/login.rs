//! A login end to end: a passkey registers a session key, which signs a transfer in the same batch; both proofs and
//! the transition are made, joined and verified.

use tsz_aggregator::check;
use tsz_auth::authenticator::Authenticator;
use tsz_hash::Digest;
use tsz_ledger::{KeyPolicy, Permissions, Scheme, SystemId};
use tsz_sig::SecretKey;
use tsz_smt::Tree;
use tsz_stark::Profile;
use tsz_stf::{
    AuthOp, Genesis, GenesisAccount, GenesisKey, RegisterKeyByPasskey, Reject, TokenListing, Transfer,
    message,
};
use tsz_trade::{Op, OpReject};
use tsz_types::{AccountId, Balance, Bucket, EthAddress, KeySlot, Nonce, SubId, TimeMs, TokenId, Units};

use crate::circuits::circuits;
use crate::prove::prove_bundle;
use crate::*;

const TIME: u64 = 1_700_000_000_000;

struct User {
    authenticator: Authenticator,
    passkey: tsz_auth::Passkey,
    session: SecretKey,
    system: Digest,
}

fn id(n: u32) -> AccountId {
    AccountId::new(n).unwrap()
}

impl User {
    fn new() -> Self {
        let authenticator = Authenticator::from_seed(b"engine");
        let passkey = authenticator.passkey("example.com", "https://app.example.com", true).unwrap();
        let system = SystemId { rollup: 9, chain: 31337, address: [3; 20] }.digest();
        Self { authenticator, passkey, session: SecretKey::from_seed(b"session"), system }
    }

    /// Account 2 has nothing but its passkey in slot 0.
    fn executor(&self) -> Executor {
        let expiry = TimeMs::new(TIME * 2).unwrap();
        let policy = KeyPolicy { scheme: Scheme::P256, permissions: Permissions::ALL, expiry };
        let key = GenesisKey { slot: KeySlot::MIN, key_id: self.passkey.key_id(), policy };
        let token = TokenId::new(0).unwrap();
        let user = |keys, owner| GenesisAccount {
            owner: EthAddress([owner; 20]),
            keys,
            balances: vec![(SubId::MIN, token, Balance::from(Units::new(1 << 40).unwrap()))],
            collateral: Vec::new(),
        };
        let genesis = Genesis {
            operator: EthAddress([5; 20]),
            tokens: vec![TokenListing { token, minimum: Units::new(1).unwrap() }],
            accounts: vec![user(vec![key], 1), user(Vec::new(), 2)],
            ..Genesis::default()
        };
        let leaves: Vec<(u64, Digest)> =
            genesis.leaves().unwrap().into_iter().map(|(key, leaf)| (key.raw(), leaf)).collect();
        Executor::new(self.system, Tree::from_leaves(&leaves).unwrap())
    }

    fn login(&self) -> Op {
        let blank = self.authenticator.assert(&self.passkey, &tsz_hash::ZERO);
        let mut op = AuthOp::from(RegisterKeyByPasskey {
            account: id(2),
            slot: KeySlot::new(1).unwrap(),
            key_id: self.session.public_key().key_id(),
            scheme: Scheme::Schnorr,
            permissions: Permissions::ALL,
            expiry: TimeMs::new(TIME + 86_400_000).unwrap(),
            nonce: Nonce::new(0).unwrap(),
            key_slot: KeySlot::MIN,
            passkey: self.passkey.clone(),
            assertion: blank,
        });
        let digest = message(&self.system, &op.message());
        *op.assertion_mut() = self.authenticator.assert(&self.passkey, &digest);
        Op::Auth(op)
    }

    fn transfer(&self) -> Op {
        let mut op = Transfer {
            account: id(2),
            sub: SubId::MIN,
            bucket: Bucket::Balance,
            to_account: id(3),
            to_sub: SubId::MIN,
            to_bucket: Bucket::Balance,
            token: TokenId::new(0).unwrap(),
            units: Units::new(77).unwrap(),
            // The login took nonce 0.
            nonce: Nonce::new(1).unwrap(),
            key_slot: KeySlot::new(1).unwrap(),
            signature: self.session.sign(&tsz_hash::ZERO),
        };
        op.signature = self.session.sign(&message(&self.system, &op.message()));
        Op::Fund(op.into())
    }
}

#[test]
#[ignore = "not run since its pins were completed: cargo test -p tsz-engine --lib -- --ignored login"]
fn a_session_key_of_a_passkey_signs_and_all_is_proven() {
    let user = User::new();
    let registry = circuits(Profile::InsecureTest);
    let used = |c: &&dyn registry::Keyed| {
        matches!(c.id().family, "fund" | "auth" | "transition")
            && matches!(c.id().class, "tiny" | "small" | "moderate")
    };
    let pins: Vec<Pin> = registry.circuits().filter(used).map(|c| registry::derive(c).unwrap()).collect();
    let pins = Pins::new(pins).unwrap();
    let batch = user.executor().execute(TIME, &[user.login(), user.transfer()]).unwrap();
    assert!(batch.rejected.is_empty(), "{:?}", batch.rejected);
    let header = batch.header;
    let (bundle, report) = prove_bundle(vec![batch], &registry, &pins, &|_| {}).unwrap();
    let circuits: Vec<&str> = report.proofs.iter().map(|p| p.circuit.as_str()).collect();
    assert!(circuits.contains(&"auth/small") && circuits.contains(&"fund/small"), "{circuits:?}");
    let headers = check(&bundle.to_bytes(), &registry.verifiers(&pins), None).unwrap();
    assert_eq!(headers, [header]);
    // Without the auth proof the batch is incomplete.
    let mut dropped = bundle.clone();
    dropped.batches[0].execs.retain(|e| e.claim.algorithm != tsz_ledger::Family::Auth.algorithm());
    assert!(check(&dropped.to_bytes(), &registry.verifiers(&pins), None).is_err());
}

#[test]
fn a_transfer_before_the_login_is_refused_and_so_is_a_forged_login() {
    let user = User::new();
    let batch = user.executor().execute(TIME, &[user.transfer(), user.login()]).unwrap();
    assert_eq!(batch.rejected.len(), 1);
    assert!(matches!(batch.rejected[0].reason, OpReject::Fund(Reject::NoKey { .. })));
    let Op::Auth(mut forged) = user.login() else { unreachable!() };
    let AuthOp::RegisterKeyByPasskey(op) = &mut forged else { unreachable!() };
    op.permissions = [tsz_ledger::Permission::Trade].into_iter().collect();
    let batch = user.executor().execute(TIME, &[Op::Auth(forged)]).unwrap();
    assert!(matches!(batch.rejected[0].reason, OpReject::Fund(Reject::Passkey { .. })));
}
