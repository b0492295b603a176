//! Payments that a token approves: honest ones and lies. The tables are those of the fund circuit, whose tests are there;
//! here is what differs: codes, the access of the provider's cell, the approval.

use tsz_air::{F, PrimeCharacteristicRing};
use tsz_auth::SocialLogin;
use tsz_auth::oidc::Algorithm;
use tsz_ledger::cells::{BalCell, BucketCell};
use tsz_ledger::{Cell, HeadCell, Key, Permission, Permissions, TokCell};
use tsz_stark::Profile;
use tsz_stf::{AuthOp, PayByOidc, Payee, Payment, Reject};
use tsz_trade::Op;
use tsz_types::{AccountId, Balance, BatchNumber, Bucket, EthAddress, SubId, TimeMs, TokenId, Units};

use super::world::*;
use crate::{prove, verify};

const BUCKETS: [(u32, u8); 3] = [(2, 0), (2, 1), (3, 0)];

fn id(n: u32) -> AccountId {
    AccountId::new(n).unwrap()
}

fn sub(n: u8) -> SubId {
    SubId::new(n).unwrap()
}

/// Accounts 2 and 3 with money.
fn world(algorithm: Algorithm) -> World {
    let mut world = World::of(algorithm);
    let head =
        HeadCell { batch: BatchNumber::new(1).unwrap(), time: TimeMs::new(TIME).unwrap(), next_account: 4 };
    world.view.set(Key::HEAD, head.to_leaf());
    let listing = TokCell { listed: true, minimum: Units::new(10).unwrap() };
    world.view.set(Key::tok(1), listing.to_leaf());
    for (account, sub) in BUCKETS {
        let balance = Balance::from(Units::new(1_000).unwrap());
        world.view.set(Key::bucket(account, sub.into(), false, 1), BalCell { balance }.to_leaf());
    }
    world
}

fn held(world: &World, account: u32, sub: u8) -> u128 {
    let leaf = tsz_stf::View::get(&world.view, Key::bucket(account, sub.into(), false, 1));
    BucketCell::from_leaf(Bucket::Balance, &leaf).unwrap().micros() as u128
}

fn bucket(account: u32, n: u8) -> Payee {
    Payee::Bucket { account: id(account), sub: sub(n), bucket: Bucket::Balance }
}

/// A payment of 77 units by the identity in slot 3, not yet approved.
fn pay(world: &World, to: Payee) -> PayByOidc {
    let payment = Payment {
        account: id(2),
        sub: sub(0),
        bucket: Bucket::Balance,
        to,
        token: TokenId::new(1).unwrap(),
        units: Units::new(77).unwrap(),
        nonce: world.nonce(),
        key_slot: slot(3),
    };
    let login = SocialLogin { token: Vec::new(), salt: SALT };
    PayByOidc { payment, provider_slot: cell(5), provider: world.provider("k1"), login }
}

const ALL: [fn() -> Payee; 3] = [|| bucket(3, 0), || bucket(2, 1), || Payee::Address(EthAddress([9; 20]))];

/// One of each kind and a key change.
pub fn mixed(algorithm: Algorithm) -> World {
    let mut w = world(algorithm);
    for to in ALL {
        let op = w.approve(pay(&w, to()));
        w.verdict(&op).unwrap();
        w.login(op);
    }
    let op = w.approve(w.register());
    w.verdict(&op).unwrap();
    w.login(op);
    w
}

#[test]
fn proves_transfers_withdrawals_and_key_changes_together() {
    for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
        let world = mixed(algorithm);
        assert_eq!(place(&world.witness()), "nowhere");
        let unit = 1_000_000;
        assert_eq!(BUCKETS.map(|(a, s)| held(&world, a, s) / unit), [1_000 - 3 * 77, 1_077, 1_077]);
    }
    let world = mixed(Algorithm::Rs256);
    let key = SMALL.setup(Profile::InsecureTest).unwrap();
    let (claim, proof) = prove(&key, &world.context, &world.records, world.context.digest()).unwrap();
    verify(key.vk(), &claim, &proof).unwrap();
    let mut other = claim;
    other.context.system[0] += F::ONE;
    assert!(verify(key.vk(), &other, &proof).is_err());
}

/// Where an op is noticed that was approved and then changed; the ledger refuses it.
fn changed(to: Payee, change: impl FnOnce(&mut Payment)) -> String {
    let mut world = world(Algorithm::Rs256);
    let AuthOp::PayByOidc(mut op) = world.approve(pay(&world, to)) else { unreachable!() };
    change(&mut op.payment);
    let op = AuthOp::from(op);
    assert!(matches!(world.verdict(&op), Err(Reject::Social { .. })), "{:?}", world.verdict(&op));
    world.login(op);
    place(&world.witness())
}

#[test]
fn rejects_another_payment_than_the_approved_one() {
    let changes: [fn(&mut Payment); 5] = [
        |p| p.to = bucket(2, 1),
        |p| p.to = bucket(3, 1),
        |p| p.units = Units::new(78).unwrap(),
        |p| p.to = Payee::Address(EthAddress([9; 20])),
        |p| p.sub = sub(1),
    ];
    for (k, change) in changes.into_iter().enumerate() {
        assert_eq!(changed(bucket(3, 0), change), "oidc_approval", "{k}");
    }
    let to = || Payee::Address(EthAddress([9; 20]));
    assert_eq!(changed(to(), |p| p.to = Payee::Address(EthAddress([8; 20]))), "oidc_approval");
    assert_eq!(changed(to(), |p| p.units = Units::new(76).unwrap()), "oidc_approval");
}

#[test]
fn rejects_a_replayed_payment_and_approvals_of_other_ops() {
    // The same token once more: the nonce has gone on.
    let mut world = mixed(Algorithm::Rs256);
    let Op::Auth(AuthOp::PayByOidc(mut op)) = world.records[0].op.clone() else { unreachable!() };
    op.payment.nonce = world.nonce();
    let op = AuthOp::from(op);
    assert!(matches!(world.verdict(&op), Err(Reject::Social { .. })));
    world.login(op);
    assert_eq!(place(&world.witness()), "oidc_approval");
    // Approvals, messages and places change hands.
    let mixed = mixed(Algorithm::Rs256);
    let swapped = |a: usize, b: usize| {
        mixed.changed(|r| {
            let (first, second) = (r.approvals[a].index, r.approvals[b].index);
            (r.approvals[a].index, r.approvals[b].index) = (second, first);
        })
    };
    // Two transfers by the same cell: only the message says which op it is.
    assert_eq!(place(&swapped(0, 1)), "bus:token");
    assert_eq!(place(&swapped(0, 2)), "bus:key");
    assert_eq!(place(&mixed.changed(|r| r.approvals[0].place -= F::ONE)), "bus:key");
    // A transfer without an approval.
    let none = mixed.changed(|r| {
        r.approvals.remove(0);
    });
    assert!(place(&none).starts_with("bus:"), "{}", place(&none));
    // The message of the native operation, and that of a payment by passkey.
    for code in [3, 76] {
        let mut world = self::world(Algorithm::Rs256);
        let op = pay(&world, bucket(3, 0));
        let mut blocks = op.message();
        blocks[0][0] = F::from_u32(code);
        let digest = tsz_stf::message(&world.context.system, &blocks);
        let op = world.with(op, |_| world.sign("k1", &payload(&digest)));
        assert!(matches!(world.verdict(&op), Err(Reject::Social { .. })));
        world.login(op);
        assert_eq!(place(&world.witness()), "oidc_approval", "{code}");
    }
}

#[test]
fn rejects_a_key_without_the_right_and_another_provider() {
    let rights = [
        (Permission::TransferOut, "transfer_by"),
        (Permission::TransferInternal, "transfer_by"),
        (Permission::Withdraw, "withdraw_by"),
    ];
    for (to, (right, table)) in ALL.iter().zip(rights) {
        let mut world = world(Algorithm::Rs256);
        let op = world.approve(pay(&world, to()));
        let others: Permissions = [
            Permission::Trade,
            Permission::TransferOut,
            Permission::TransferInternal,
            Permission::Withdraw,
            Permission::ManageKeys,
        ]
        .into_iter()
        .filter(|p| *p != right)
        .collect();
        world.login(op);
        world.put(3, Some((identity().key_id(), others)));
        let place_of = world.records[0].accesses.iter().position(|a| a.key == Key::key_b(2, 3)).unwrap();
        let leaf = tsz_stf::View::get(&world.view, Key::key_b(2, 3));
        world.records[0].accesses[place_of].old = leaf;
        world.records[0].accesses[place_of].new = leaf;
        assert_eq!(place(&world.witness()), table, "{right:?}");
    }
    let mut world = world(Algorithm::Rs256);
    let op = PayByOidc { provider_slot: cell(6), ..pay(&world, bucket(3, 0)) };
    let op = world.approve(op);
    assert!(matches!(world.verdict(&op), Err(Reject::OtherProvider { .. })));
    world.view.set(Key::provider(6), provider("k2").digest());
    assert!(matches!(world.verdict(&op), Err(Reject::OtherProvider { .. })));
    world.view.set(Key::provider(6), provider("k1").digest());
    world.login(op);
    for leaf in [tsz_hash::ZERO, provider("k2").digest()] {
        world.records[0].accesses[4].old = leaf;
        world.records[0].accesses[4].new = leaf;
        assert_eq!(place(&world.witness()), "bus:oidc_provider");
    }
}
