//! Logins by wallet: what is accepted, one test for each lie, proofs.

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32};
use tsz_auth::softwallet::SoftWallet;
use tsz_auth::wallet::{SigningDomain, WalletKey, WalletSignature, approval_type};
use tsz_auth::{Wallet, WalletApproval, WalletError};
use tsz_chips::ecdsa::{Failed, SignedDigest};
use tsz_chips::keccak::{self, Absorb};
use tsz_chips::wallet::{self, WalletCols};
use tsz_hash::Digest;
use tsz_ledger::cells::BalCell;
use tsz_ledger::{Access, SystemId, TokCell};
use tsz_ledger::{BatchContext, Cell, CtlCell, Family, Key, KeyPolicy, Permission, Permissions, Scheme};
use tsz_stark::Profile;
use tsz_stf::{AuthOp, MemView, PayByWallet, Payee, Payment, RegisterKeyByWallet, Reject, RevokeKeyByWallet};
use tsz_stf::{Trusted, Verified, View, apply_auth_with, message};
use tsz_types::{AccountId, Balance, Bucket, EthAddress, KeySlot, Nonce, SubId, TimeMs, TokenId, Units};

use super::proofs::measure;
use super::world::{EXPIRY, TIME, place_in, slot};
use crate::class::{Class, WALLET_CLASSES};
use crate::login::{Approvals, OpTables, RecordError, trace};
use crate::witness::{Rows, WitnessError};
use crate::{AuthRecord, VerifyError, Witness, prove, verify};

const SMALL: Class = WALLET_CLASSES[0];
const DOMAIN: SigningDomain = SigningDomain { chain: 31337, contract: [1; 20] };

/// Account 2 with a wallet that manages keys in slot 3, and the same one without the right in slot 4.
pub(super) struct World {
    view: MemView,
    context: BatchContext,
    soft: SoftWallet,
    wallet: Wallet,
    records: Vec<AuthRecord>,
}

impl World {
    fn new() -> Self {
        let soft = SoftWallet::from_seed(b"user");
        let wallet = soft.wallet(DOMAIN);
        let system = SystemId { rollup: 1, chain: DOMAIN.chain, address: DOMAIN.contract }.digest();
        let context = BatchContext { system, batch: 1, time: TIME, params: tsz_hash::ZERO };
        let mut view = MemView::from_leaves([]);
        let some: Permissions = [Permission::Withdraw].into_iter().collect();
        for (slot, permissions) in [(3, Permissions::ALL), (4, some)] {
            let expiry = TimeMs::new(EXPIRY).unwrap();
            view.set(Key::key_a(2, slot), wallet.key_id());
            let policy = Some(KeyPolicy { scheme: Scheme::Secp256k1, permissions, expiry });
            view.set(Key::key_b(2, slot), policy.to_leaf());
        }
        Self { view, context, soft, wallet, records: Vec::new() }
    }

    fn nonce(&self) -> Nonce {
        CtlCell::from_leaf(&self.view.get(Key::ctl(2, 0))).unwrap().nonce
    }

    /// A session key for slot 7, not yet approved.
    fn register(&self) -> RegisterKeyByWallet {
        RegisterKeyByWallet {
            account: AccountId::new(2).unwrap(),
            slot: slot(7),
            key_id: core::array::from_fn(|k| F::from_usize(1000 + k)),
            scheme: Scheme::Schnorr,
            permissions: [Permission::Trade].into_iter().collect(),
            expiry: TimeMs::new(TIME + 86_400_000).unwrap(),
            nonce: self.nonce(),
            key_slot: slot(3),
            wallet: self.wallet,
            approval: self.soft.approve(&DOMAIN, &tsz_hash::ZERO),
        }
    }

    fn revoke(&self, slot: KeySlot) -> RevokeKeyByWallet {
        let RegisterKeyByWallet { account, nonce, key_slot, wallet, approval, .. } = self.register();
        RevokeKeyByWallet { account, slot, nonce, key_slot, wallet, approval }
    }

    fn digest(&self, op: &AuthOp) -> Digest {
        message(&self.context.system, &op.message())
    }

    /// The op with an honest approval.
    fn approve(&self, op: impl Into<AuthOp>) -> AuthOp {
        let mut op = op.into();
        *op.wallet_approval_mut().unwrap() = self.soft.approve(&DOMAIN, &self.digest(&op));
        op
    }

    fn verdict(&self, op: &AuthOp) -> Result<(), Reject> {
        apply_auth_with(&self.view, &self.context, 0, op, &Verified).map(|_| ())
    }

    /// Applies without a check of the approval, and records.
    fn apply(&mut self, op: AuthOp) {
        let index = 5 + self.records.len() as u32;
        let applied = apply_auth_with(&self.view, &self.context, index, &op, &Trusted).unwrap();
        self.view.commit(&applied.accesses);
        self.records.push(AuthRecord { index, op, accesses: applied.accesses });
    }

    pub(super) fn witness(&self) -> Result<Witness, WitnessError> {
        self.witness_in(&SMALL)
    }

    pub(super) fn witness_in(&self, class: &Class) -> Result<Witness, WitnessError> {
        Witness::new(class, &self.context, &self.records, self.context.digest())
    }

    fn place(&self) -> String {
        place_in(&SMALL, &self.witness().unwrap())
    }
}

/// One registration.
fn one() -> World {
    let mut w = World::new();
    let op = w.approve(w.register());
    w.verdict(&op).unwrap();
    w.apply(op);
    w
}

/// Two registrations and a revocation.
pub(super) fn honest() -> World {
    let mut w = one();
    let op = w.approve(RegisterKeyByWallet { slot: slot(8), scheme: Scheme::P256, ..w.register() });
    w.verdict(&op).unwrap();
    w.apply(op);
    let op = w.approve(w.revoke(slot(7)));
    w.verdict(&op).unwrap();
    w.apply(op);
    w
}

/// Where the circuit notices an approval that the ledger refuses as `expected`.
fn lie(expected: WalletError, make: impl FnOnce(&World, &Digest) -> WalletApproval) -> String {
    let mut world = World::new();
    let mut op = AuthOp::from(world.register());
    *op.wallet_approval_mut().unwrap() = make(&world, &world.digest(&op));
    assert_eq!(world.verdict(&op), Err(Reject::Wallet { error: expected }));
    world.apply(op);
    world.place()
}

/// An approval with the wallet's key and a signature of any digest.
fn signed(w: &World, digest: &[u8; 32]) -> WalletApproval {
    let bytes = w.soft.sign_digest(digest);
    let half = |at: usize| core::array::from_fn(|k| bytes[at + k]);
    WalletApproval { key: w.soft.key(), signature: WalletSignature { r: half(0), s: half(32) } }
}

#[test]
fn accepts_honest_logins_and_none() {
    assert_eq!(honest().place(), "nowhere");
    assert_eq!(World::new().place(), "nowhere");
}

/// A withdrawal of 77 units of token 1, which account 2 has, not yet approved.
fn withdraw(w: &mut World) -> PayByWallet {
    let units = |n| Units::new(n).unwrap();
    w.view.set(Key::tok(1), TokCell { listed: true, minimum: units(10) }.to_leaf());
    let held = BalCell { balance: Balance::from(units(1_000)) };
    w.view.set(Key::bucket(2, 0, false, 1), held.to_leaf());
    let payment = Payment {
        account: AccountId::new(2).unwrap(),
        sub: SubId::MIN,
        bucket: Bucket::Balance,
        to: Payee::Address(EthAddress([9; 20])),
        token: TokenId::new(1).unwrap(),
        units: units(77),
        nonce: w.nonce(),
        key_slot: slot(3),
    };
    PayByWallet { payment, wallet: w.wallet, approval: w.soft.approve(&DOMAIN, &tsz_hash::ZERO) }
}

#[test]
fn accepts_a_payment_and_rejects_another_than_the_approved_one() {
    let mut w = World::new();
    let op = withdraw(&mut w);
    let op = w.approve(op);
    w.verdict(&op).unwrap();
    w.apply(op);
    assert_eq!(w.place(), "nowhere");
    let changes: [fn(&mut Payment); 2] =
        [|p| p.units = Units::new(78).unwrap(), |p| p.to = Payee::Address(EthAddress([8; 20]))];
    for change in changes {
        let mut w = World::new();
        let op = withdraw(&mut w);
        let AuthOp::PayByWallet(mut op) = w.approve(op) else { unreachable!() };
        change(&mut op.payment);
        let op = AuthOp::from(op);
        assert!(matches!(w.verdict(&op), Err(Reject::Wallet { .. })));
        w.apply(op);
        assert_eq!(w.place(), "mulmod");
    }
}

#[test]
fn rejects_an_approval_of_another_message_op_or_nonce() {
    let other = |w: &World, _: &Digest| w.soft.approve(&DOMAIN, &tsz_hash::ZERO);
    assert_eq!(lie(WalletError::Mismatch, other), "mulmod");
    // The approval of a registration for a revocation of the same slot.
    let mut world = World::new();
    let AuthOp::RegisterKeyByWallet(register) = world.approve(world.register()) else { unreachable!() };
    let revoke = RevokeKeyByWallet { approval: register.approval, ..world.revoke(register.slot) };
    assert!(world.verdict(&revoke.clone().into()).is_err());
    world.apply(revoke.into());
    assert_eq!(world.place(), "mulmod");
    // Once more.
    let mut world = one();
    let AuthOp::RegisterKeyByWallet(first) = world.records[0].op.clone() else { unreachable!() };
    let again = AuthOp::from(RegisterKeyByWallet { nonce: world.nonce(), ..first });
    assert!(world.verdict(&again).is_err());
    world.apply(again);
    assert_eq!(world.place(), "mulmod");
}

#[test]
fn rejects_a_signature_for_another_chain_or_contract() {
    for domain in [SigningDomain { chain: 1, ..DOMAIN }, SigningDomain { contract: [2; 20], ..DOMAIN }] {
        assert_eq!(lie(WalletError::Mismatch, |w, m| w.soft.approve(&domain, m)), "mulmod");
    }
}

#[test]
fn rejects_the_domain_that_the_slot_does_not_name() {
    let mut world = World::new();
    let domain = SigningDomain { chain: 1, ..DOMAIN };
    let wallet = Wallet { domain, ..world.wallet };
    let mut op = AuthOp::from(RegisterKeyByWallet { wallet, ..world.register() });
    *op.wallet_approval_mut().unwrap() = world.soft.approve(&domain, &world.digest(&op));
    assert_eq!(
        world.verdict(&op),
        Err(Reject::OtherWallet { account: AccountId::new(2).unwrap(), slot: slot(3) })
    );
    // The ledger does not even get to the access log: the liar's is that of an honest op.
    let honest = world.approve(world.register());
    world.apply(honest);
    world.records[0].op = op;
    assert_eq!(world.place(), "bus:login");
}

#[test]
fn rejects_personal_messages_and_other_types() {
    let personal = |w: &World, m: &Digest| {
        let text = DOMAIN.digest(m);
        let prefix = b"\x19Ethereum Signed Message:\n32";
        signed(w, &keccak::hash(&keccak::block(&[&prefix[..], &text].concat())))
    };
    assert_eq!(lie(WalletError::Mismatch, personal), "mulmod");
    let of_struct = |w: &World, m: &Digest| signed(w, &SigningDomain::approval(m));
    assert_eq!(lie(WalletError::Mismatch, of_struct), "mulmod");
}

#[test]
fn rejects_another_key_and_address() {
    let thief = SoftWallet::from_seed(b"thief");
    // The key of another address.
    assert_eq!(lie(WalletError::Address, |_, m| thief.approve(&DOMAIN, m)), "bus:p2");
    // The signature of another key.
    let mixed = |w: &World, m: &Digest| {
        let WalletApproval { signature, .. } = thief.approve(&DOMAIN, m);
        WalletApproval { key: w.soft.key(), signature }
    };
    assert_eq!(lie(WalletError::Mismatch, mixed), "mulmod");
    // A pair that is no point: its address is another one.
    let none = |w: &World, m: &Digest| {
        let mut approval = w.soft.approve(&DOMAIN, m);
        approval.key.y[31] ^= 1;
        approval
    };
    let place = lie(WalletError::Address, none);
    assert!(["bus:p2", "mulmod"].contains(&place.as_str()), "{place}");
}

#[test]
fn rejects_r_or_s_out_of_range() {
    for value in [[0; 32], [0xff; 32]] {
        let mut world = World::new();
        let mut op = world.approve(world.register());
        op.wallet_approval_mut().unwrap().signature.r = value;
        assert_eq!(world.verdict(&op), Err(Reject::Wallet { error: WalletError::Range }));
        world.apply(op);
        assert_eq!(world.witness().unwrap_err(), WitnessError::Signatures(Failed::Range(0)));
    }
}

/// That a signature with a low s exists follows from one with a high s: the circuit proves the same statement.
#[test]
fn a_high_s_is_refused_natively_and_proves_the_same_statement() {
    let high = |w: &World, m: &Digest| {
        let mut approval = w.soft.approve(&DOMAIN, m);
        let n = hex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
        let mut borrow = 0i16;
        for k in (0..32).rev() {
            let d = i16::from(n[k]) - i16::from(approval.signature.s[k]) - borrow;
            borrow = i16::from(d < 0);
            approval.signature.s[k] = d.rem_euclid(256) as u8;
        }
        approval
    };
    assert_eq!(lie(WalletError::HighS, high), "nowhere");
}

fn hex(text: &str) -> [u8; 32] {
    core::array::from_fn(|k| u8::from_str_radix(&text[2 * k..2 * k + 2], 16).unwrap())
}

/// Verdict after the row of the approval, what it hashes and its signature were changed.
fn edited(change: impl FnOnce(&World, &mut wallet::Rows, &mut SignedDigest)) -> String {
    let world = one();
    let OpTables { traces, approvals } =
        trace(SMALL.kind, &world.context, &world.records, SMALL.ops).unwrap();
    let Approvals::Wallets(approvals) = approvals else { unreachable!() };
    let mut signatures: Vec<SignedDigest> = approvals.iter().map(wallet::signature).collect();
    let mut rows = wallet::rows(&approvals);
    change(&world, &mut rows, &mut signatures[0]);
    let (start, rows) = (world.context.digest(), Rows::Wallets(rows));
    let witness =
        Witness::with_rows(&SMALL, &world.context, &world.records, start, traces, rows, &signatures);
    place_in(&SMALL, &witness.unwrap())
}

fn cell(change: impl FnOnce(&mut WalletCols<F>)) -> String {
    edited(|_, rows, _| change(&mut rows.rows[0]))
}

#[test]
fn rejects_an_address_that_is_not_of_the_key() {
    assert_eq!(edited(|_, _, _| {}), "nowhere");
    // A hash that the key does not have, with its key id.
    let place = cell(|r| r.key_hash[15] += F::ONE);
    assert!(["bus:keccak_out", "bus:p2"].contains(&place.as_str()), "{place}");
    // Twelve bytes are of the hash and not of the address.
    assert_eq!(cell(|r| r.key_hash[0] += F::ONE), "bus:keccak_out");
    assert_eq!(cell(|r| r.key_x[0] += F::ONE), "bus:ecdsa_secp256k1");
}

#[test]
fn rejects_another_separator_under_the_id() {
    let separator = SigningDomain { chain: 1, ..DOMAIN }.separator();
    // Everything is that of the other domain, but for the id.
    let place = edited(|world, rows, signature| {
        let message = world.digest(&world.records[0].op);
        let other = wallet::Approval {
            wallet: Wallet { domain: SigningDomain { chain: 1, ..DOMAIN }, ..world.wallet },
            message,
            approval: world.soft.approve(&SigningDomain { chain: 1, ..DOMAIN }, &message),
            uses: 1,
        };
        let capacities = rows.rows[0].capacities;
        *rows = wallet::rows(std::slice::from_ref(&other));
        rows.rows[0].capacities = capacities;
        *signature = wallet::signature(&other);
    });
    assert_eq!(place, "bus:p2");
    assert_ne!(separator, DOMAIN.separator());
}

#[test]
fn rejects_a_message_that_is_not_canonical() {
    // The first felt plus p has 32 bits too: struct, digest and signature are made of it.
    let place = edited(|world, rows, signature| {
        let message = world.digest(&world.records[0].op);
        let mut words = message.map(|f| f.as_canonical_u32().to_be_bytes());
        words[0] = (message[0].as_canonical_u32() + F::ORDER_U32).to_be_bytes();
        let hash = |rows: &mut wallet::Rows, at: usize, parts: &[&[u8]]| {
            let block = keccak::block(&parts.concat());
            rows.absorbed[at] = Absorb { block, uses: 1 };
            keccak::hash(&block)
        };
        let of_struct = hash(rows, 1, &[&approval_type(), words.as_flattened()]);
        let digest = hash(rows, 2, &[&[0x19, 0x01], &DOMAIN.separator(), &of_struct]);
        let row = &mut rows.rows[0];
        row.message[0] = words[0].map(F::from_u8);
        row.top_rest[0] = F::from_u32(120) - F::from_u8(words[0][0]);
        row.top_inv[0] = tsz_air::Field::try_inverse(&row.top_rest[0]).unwrap_or_default();
        row.struct_hash = core::array::from_fn(|k| {
            F::from_u32(u32::from(of_struct[2 * k]) | u32::from(of_struct[2 * k + 1]) << 8)
        });
        row.digest = core::array::from_fn(|k| F::from_u8(digest[31 - k]));
        let approval = signed(world, &digest);
        let other = wallet::Approval { wallet: world.wallet, message, approval, uses: 1 };
        *signature = wallet::signature(&other);
        signature.digest = num_bigint::BigUint::from_bytes_be(&digest);
    });
    assert_eq!(place, "bus:bytes");
    // p itself and what is above it with the same upper byte.
    assert_eq!(
        cell(|r| {
            r.message[0] = [120, 0, 0, 1].map(F::from_u8);
            (r.top_rest[0], r.top_inv[0]) = (F::ZERO, F::ZERO);
        }),
        "wallet"
    );
}

#[test]
fn rejects_hashes_of_other_rows_or_values() {
    assert_eq!(cell(|r| r.ids.swap(0, 1)), "bus:keccak_in");
    assert_eq!(cell(|r| r.struct_hash[7] += F::ONE), "bus:keccak_in");
    assert_eq!(cell(|r| r.separator[7] += F::ONE), "bus:keccak_in");
    let digest = cell(|r| r.digest[3] += F::ONE);
    assert!(["bus:keccak_out", "bus:ecdsa_secp256k1"].contains(&digest.as_str()), "{digest}");
    let id = cell(|r| r.capacities[3][0] += F::ONE);
    assert!(["bus:p2", "bus:login"].contains(&id.as_str()), "{id}");
}

#[test]
fn rejects_a_padding_row_that_provides() {
    let mut witness = one().witness().unwrap();
    // Column 1 is `uses`.
    witness.traces[6].values[WalletCols::<F>::WIDTH + 1] = F::ONE;
    assert_eq!(place_in(&SMALL, &witness), "wallet");
}

#[test]
fn rejects_a_wallet_without_the_right_and_an_expired_one() {
    let world = World::new();
    let op = world.approve(RegisterKeyByWallet { key_slot: slot(4), ..world.register() });
    assert!(matches!(world.verdict(&op), Err(Reject::Permission { .. })));
    let changed = |change: fn(&mut Access, u64)| {
        let mut world = one();
        change(&mut world.records[0].accesses[1], world.context.time);
        world.place()
    };
    assert_eq!(changed(|key_b, _| key_b.old[1] = F::from_u32(Permission::Withdraw as u32)), "login");
    // expiry = T.
    let expired = |key_b: &mut Access, time: u64| {
        key_b.old[2] = F::from_u32(time as u32 & 0xff_ffff);
        key_b.old[3] = F::from_u32((time >> 24) as u32);
    };
    assert_eq!(changed(expired), "login");
    // A slot of passkeys.
    assert_eq!(changed(|key_b, _| key_b.old[0] = F::TWO), "bus:val");
}

#[test]
fn rejects_ops_of_the_other_family() {
    let passkeys = super::world::one();
    let start = passkeys.context.digest();
    let error = Witness::new(&SMALL, &passkeys.context, &passkeys.records, start).unwrap_err();
    assert_eq!(error, WitnessError::Record(RecordError::Family { index: 5 }));
}

#[test]
fn accepts_a_proof_of_its_family_only() {
    let world = honest();
    let key = SMALL.setup(Profile::InsecureTest).unwrap();
    tsz_air::assert_degrees(key.vk().tables());
    println!("{}", tsz_air::report(key.vk().tables()));
    let (claim, bytes) = prove(&key, &world.context, &world.records, world.context.digest()).unwrap();
    verify(key.vk(), &claim, &bytes).unwrap();
    let mut other = claim;
    other.algorithm = Family::Auth.algorithm();
    assert!(matches!(verify(key.vk(), &other, &bytes), Err(VerifyError::Algorithm { .. })));
    let mut other = claim;
    other.count -= 1;
    assert!(verify(key.vk(), &other, &bytes).is_err());
    for (damage, bytes) in tsz_testkit::damaged(&bytes, 5, 8) {
        assert!(verify(key.vk(), &claim, &bytes).is_err(), "{damage:?}");
    }
}

#[test]
fn rejects_a_proof_of_a_thief() {
    let key = SMALL.setup(Profile::InsecureTest).unwrap();
    let mut world = World::new();
    let mut op = AuthOp::from(world.register());
    *op.wallet_approval_mut().unwrap() = SoftWallet::from_seed(b"thief").approve(&DOMAIN, &world.digest(&op));
    world.apply(op);
    let (claim, bytes) = prove(&key, &world.context, &world.records, world.context.digest()).unwrap();
    assert!(matches!(verify(key.vk(), &claim, &bytes), Err(VerifyError::Stark(_))));
    assert_ne!(SoftWallet::from_seed(b"thief").key(), WalletKey { ..world.soft.key() });
}

/// Run by hand: a full batch of logins, with its cost.
#[test]
#[ignore = "a minute of work; a measurement, not a fact"]
fn measure_a_full_batch_of_wallet_logins() {
    let class = &WALLET_CLASSES[1];
    let mut world = World::new();
    for _ in 0..class.capacity() {
        let op = world.approve(world.register());
        world.apply(op);
    }
    measure(class, &world.context, &world.records);
}
