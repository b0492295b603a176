//! Logins end to end: a passkey and a wallet register session keys, which sign transfers in the same batch, and approve a
//! transfer and a withdrawal themselves; all proofs and the transition are made, joined and verified.

use tsz_aggregator::check;
use tsz_auth::authenticator::Authenticator;
use tsz_auth::softwallet::SoftWallet;
use tsz_auth::wallet::SigningDomain;
use tsz_hash::Digest;
use tsz_ledger::{KeyPolicy, Permissions, Scheme, SystemId};
use tsz_sig::SecretKey;
use tsz_smt::Tree;
use tsz_stark::Profile;
use tsz_stf::{
    AuthOp, Genesis, GenesisAccount, GenesisKey, PayByPasskey, PayByWallet, Payee, Payment,
    RegisterKeyByPasskey, RegisterKeyByWallet, Reject, TokenListing, Transfer, message,
};
use tsz_trade::{Op, OpReject};
use tsz_types::{AccountId, Balance, Bucket, EthAddress, KeySlot, Nonce, SubId, TimeMs, TokenId, Units};

use crate::circuits::circuits;
use crate::prove::prove_bundle;
use crate::*;

const TIME: u64 = 1_700_000_000_000;
const DOMAIN: SigningDomain = SigningDomain { chain: 31337, contract: [3; 20] };

struct User {
    authenticator: Authenticator,
    passkey: tsz_auth::Passkey,
    soft: SoftWallet,
    session: SecretKey,
    system: Digest,
}

fn slot(n: u8) -> KeySlot {
    KeySlot::new(n).unwrap()
}

fn id(n: u32) -> AccountId {
    AccountId::new(n).unwrap()
}

impl User {
    fn new() -> Self {
        let authenticator = Authenticator::from_seed(b"engine");
        let passkey = authenticator.passkey("example.com", "https://app.example.com", true).unwrap();
        let system = SystemId { rollup: 9, chain: DOMAIN.chain, address: DOMAIN.contract }.digest();
        let (soft, session) = (SoftWallet::from_seed(b"engine"), SecretKey::from_seed(b"session"));
        Self { authenticator, passkey, soft, session, system }
    }

    /// Account 2 has nothing but its passkey in slot 0 and its wallet in slot 2.
    fn executor(&self) -> Executor {
        let expiry = TimeMs::new(TIME * 2).unwrap();
        let policy = |scheme| KeyPolicy { scheme, permissions: Permissions::ALL, expiry };
        let (passkey, wallet) = (self.passkey.key_id(), self.soft.wallet(DOMAIN).key_id());
        let keys = vec![
            GenesisKey { slot: KeySlot::MIN, key_id: passkey, policy: policy(Scheme::P256) },
            GenesisKey { slot: slot(2), key_id: wallet, policy: policy(Scheme::Secp256k1) },
        ];
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
            accounts: vec![user(keys, 1), user(Vec::new(), 2)],
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
            slot: slot(1),
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
        *op.assertion_mut().unwrap() = self.authenticator.assert(&self.passkey, &digest);
        Op::Auth(op)
    }

    /// The session key goes to slot 3 as well.
    fn wallet_login(&self) -> Op {
        let mut op = RegisterKeyByWallet {
            account: id(2),
            slot: slot(3),
            key_id: self.session.public_key().key_id(),
            scheme: Scheme::Schnorr,
            permissions: Permissions::ALL,
            expiry: TimeMs::new(TIME + 86_400_000).unwrap(),
            nonce: Nonce::new(2).unwrap(),
            key_slot: slot(2),
            wallet: self.soft.wallet(DOMAIN),
            approval: self.soft.approve(&DOMAIN, &tsz_hash::ZERO),
        };
        op.approval = self.soft.approve(&DOMAIN, &message(&self.system, &op.message()));
        Op::Auth(op.into())
    }

    /// 33 units to account 3, approved by the passkey itself.
    fn pay(&self, nonce: u32) -> Op {
        let to = Payee::Bucket { account: id(3), sub: SubId::MIN, bucket: Bucket::Balance };
        let assertion = self.authenticator.assert(&self.passkey, &tsz_hash::ZERO);
        let payment = self.payment(nonce, KeySlot::MIN, to);
        let mut op = PayByPasskey { payment, passkey: self.passkey.clone(), assertion };
        let digest = message(&self.system, &op.message());
        op.assertion = self.authenticator.assert(&self.passkey, &digest);
        Op::Auth(op.into())
    }

    /// 33 units to L1, approved by the wallet itself.
    fn withdraw(&self, nonce: u32) -> Op {
        let payment = self.payment(nonce, slot(2), Payee::Address(EthAddress([4; 20])));
        let approval = self.soft.approve(&DOMAIN, &tsz_hash::ZERO);
        let mut op = PayByWallet { payment, wallet: self.soft.wallet(DOMAIN), approval };
        op.approval = self.soft.approve(&DOMAIN, &message(&self.system, &op.message()));
        Op::Auth(op.into())
    }

    fn payment(&self, nonce: u32, key_slot: KeySlot, to: Payee) -> Payment {
        Payment {
            account: id(2),
            sub: SubId::MIN,
            bucket: Bucket::Balance,
            to,
            token: TokenId::new(0).unwrap(),
            units: Units::new(33).unwrap(),
            nonce: Nonce::new(nonce).unwrap(),
            key_slot,
        }
    }

    /// A transfer by the session key; logins, transfers and payments take the nonces 0 to 5 in turn.
    fn transfer(&self, nonce: u32, key_slot: u8) -> Op {
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
            key_slot: slot(key_slot),
            signature: self.session.sign(&tsz_hash::ZERO),
        };
        op.signature = self.session.sign(&message(&self.system, &op.message()));
        Op::Fund(op.into())
    }
}

#[test]
fn session_keys_of_a_passkey_and_a_wallet_sign_and_all_is_proven() {
    let user = User::new();
    let registry = circuits(Profile::InsecureTest);
    let used = |c: &&dyn registry::Keyed| {
        matches!(c.id().family, "fund" | "auth" | "wallet" | "transition")
            && matches!(c.id().class, "tiny" | "small" | "moderate")
    };
    let pins: Vec<Pin> = registry.circuits().filter(used).map(|c| registry::derive(c).unwrap()).collect();
    let pins = Pins::new(pins).unwrap();
    let ops = [
        user.login(),
        user.transfer(1, 1),
        user.wallet_login(),
        user.transfer(3, 3),
        user.pay(4),
        user.withdraw(5),
    ];
    let batch = user.executor().execute(TIME, &ops).unwrap();
    assert!(batch.rejected.is_empty(), "{:?}", batch.rejected);
    let header = batch.header;
    let (bundle, report) = prove_bundle(vec![batch], &registry, &pins, &|_| {}).unwrap();
    let circuits: Vec<&str> = report.proofs.iter().map(|p| p.circuit.as_str()).collect();
    for used in ["auth/small", "wallet/small", "fund/small"] {
        assert!(circuits.contains(&used), "{circuits:?}");
    }
    let headers = check(&bundle.to_bytes(), &registry.verifiers(&pins), None).unwrap();
    assert_eq!(headers, [header]);
    // Without the proof of a login the batch is incomplete.
    for family in [tsz_ledger::Family::Auth, tsz_ledger::Family::Wallet] {
        let mut dropped = bundle.clone();
        dropped.batches[0].execs.retain(|e| e.claim.algorithm != family.algorithm());
        assert!(check(&dropped.to_bytes(), &registry.verifiers(&pins), None).is_err());
    }
}

#[test]
fn a_transfer_before_the_login_is_refused_and_so_is_a_forged_login() {
    let user = User::new();
    let batch = user.executor().execute(TIME, &[user.transfer(1, 1), user.login()]).unwrap();
    assert_eq!(batch.rejected.len(), 1);
    assert!(matches!(batch.rejected[0].reason, OpReject::Fund(Reject::NoKey { .. })));
    let Op::Auth(mut forged) = user.login() else { unreachable!() };
    let AuthOp::RegisterKeyByPasskey(op) = &mut forged else { unreachable!() };
    op.permissions = [tsz_ledger::Permission::Trade].into_iter().collect();
    let batch = user.executor().execute(TIME, &[Op::Auth(forged)]).unwrap();
    assert!(matches!(batch.rejected[0].reason, OpReject::Fund(Reject::Passkey { .. })));
    // The wallet's approval without the logins before it, whose nonces it counts; and of another key.
    let batch = user.executor().execute(TIME, &[user.wallet_login()]).unwrap();
    assert!(matches!(batch.rejected[0].reason, OpReject::Fund(Reject::Nonce { .. })));
    let Op::Auth(mut forged) = user.wallet_login() else { unreachable!() };
    let AuthOp::RegisterKeyByWallet(op) = &mut forged else { unreachable!() };
    (op.nonce, op.slot) = (Nonce::new(0).unwrap(), slot(5));
    let batch = user.executor().execute(TIME, &[Op::Auth(forged)]).unwrap();
    assert!(matches!(batch.rejected[0].reason, OpReject::Fund(Reject::Wallet { .. })));
}
