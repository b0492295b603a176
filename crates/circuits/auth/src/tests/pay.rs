//! Payments that a passkey approves: honest ones and lies. The tables are those of the fund circuit, whose tests are
//! there; here is what differs: codes, scheme, approval, and that the tables act in this circuit.

use tsz_air::{F, PrimeCharacteristicRing, Tamper};
use tsz_ledger::cells::BucketCell;
use tsz_ledger::{Cell, HeadCell, Key, Permission, Permissions, TokCell};
use tsz_stark::Profile;
use tsz_stf::{AuthOp, PayByPasskey, Payee, Payment, Reject};
use tsz_types::{
    AccountId, Balance, BatchNumber, Bucket, EthAddress, KeySlot, SubId, TimeMs, TokenId, Units,
};

use super::world::*;
use crate::prove::public_values;
use crate::{prove, verify};

const BUCKETS: [(u32, u8); 3] = [(2, 0), (2, 1), (3, 0)];

fn id(n: u32) -> AccountId {
    AccountId::new(n).unwrap()
}

fn sub(n: u8) -> SubId {
    SubId::new(n).unwrap()
}

/// Accounts 2 and 3 with money; account 2 has its passkey with all rights in slot 3, to withdraw only in slot 4.
fn world() -> World {
    let mut world = World::new();
    let head =
        HeadCell { batch: BatchNumber::new(1).unwrap(), time: TimeMs::new(TIME).unwrap(), next_account: 4 };
    world.view.set(Key::HEAD, head.to_leaf());
    let listing = TokCell { listed: true, minimum: Units::new(10).unwrap() };
    world.view.set(Key::tok(1), listing.to_leaf());
    for (account, sub) in BUCKETS {
        let held = Balance::from(Units::new(1_000).unwrap());
        world.view.set(
            Key::bucket(account, sub.into(), false, 1),
            tsz_ledger::cells::BalCell { balance: held }.to_leaf(),
        );
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

/// A payment of 77 units by the key in slot 3, not yet approved.
fn pay(world: &World, to: Payee) -> PayByPasskey {
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
    let assertion = world.authenticator.assert(&world.passkey, &tsz_hash::ZERO);
    PayByPasskey { payment, passkey: world.passkey.clone(), assertion }
}

const ALL: [fn() -> Payee; 3] = [|| bucket(3, 0), || bucket(2, 1), || Payee::Address(EthAddress([9; 20]))];

/// One of each kind and a key change.
fn mixed() -> World {
    let mut w = world();
    for to in ALL {
        let op = w.approve(pay(&w, to()));
        w.verdict(&op).unwrap();
        w.apply(op);
    }
    let op = w.approve(w.register());
    w.verdict(&op).unwrap();
    w.apply(op);
    w
}

#[test]
fn proves_transfers_withdrawals_and_key_changes_together() {
    let world = mixed();
    assert_eq!(place(&world.witness()), "nowhere");
    let unit = 1_000_000;
    assert_eq!(BUCKETS.map(|(a, s)| held(&world, a, s) / unit), [1_000 - 3 * 77, 1_077, 1_077]);
    let key = SMALL.setup(Profile::InsecureTest).unwrap();
    let (claim, proof) = prove(&key, &world.context, &world.records, world.context.digest()).unwrap();
    verify(key.vk(), &claim, &proof).unwrap();
    let mut other = claim;
    other.context.system[0] += F::ONE;
    assert!(verify(key.vk(), &other, &proof).is_err());
}

/// Where an op is noticed that was approved and then changed; the ledger refuses it.
fn changed(to: Payee, change: impl FnOnce(&mut Payment)) -> String {
    let mut world = world();
    let AuthOp::PayByPasskey(mut op) = world.approve(pay(&world, to)) else { unreachable!() };
    change(&mut op.payment);
    let op = AuthOp::from(op);
    assert!(matches!(world.verdict(&op), Err(Reject::Passkey { .. })), "{:?}", world.verdict(&op));
    world.apply(op);
    place(&world.witness())
}

#[test]
fn rejects_another_payment_than_the_approved_one() {
    let collateral = |p: &mut Payment| {
        p.to = Payee::Bucket { account: id(3), sub: sub(0), bucket: Bucket::Collateral };
    };
    let changes: [fn(&mut Payment); 5] = [
        |p| p.to = bucket(2, 1),
        |p| p.to = bucket(3, 1),
        |p| p.units = Units::new(78).unwrap(),
        |p| p.to = Payee::Address(EthAddress([9; 20])),
        |p| p.sub = sub(1),
    ];
    for (k, change) in changes.into_iter().enumerate() {
        assert_eq!(changed(bucket(3, 0), change), "bus:login", "change {k}");
    }
    let changes: [fn(&mut Payment); 2] =
        [|p| p.to = Payee::Address(EthAddress([8; 20])), |p| p.to = bucket(3, 0)];
    for change in changes {
        assert_eq!(changed(Payee::Address(EthAddress([9; 20])), change), "bus:login");
    }
    // Token 1 has no collateral bucket: the ledger refuses before it looks at the approval.
    let mut op = pay(&world(), bucket(3, 0));
    collateral(&mut op.payment);
    assert!(matches!(world().verdict(&op.into()), Err(Reject::NotQuote { .. })));
}

#[test]
fn rejects_an_approval_of_the_native_operation_and_of_a_key_change() {
    // The same payment under code 3 and 4, which session keys sign; and the approval of a registration.
    for to in ALL {
        let mut world = world();
        let mut op = pay(&world, to());
        let mut blocks = op.message();
        blocks[0][0] = F::from_u32(if matches!(op.payment.to, Payee::Address(_)) { 4 } else { 3 });
        let digest = tsz_stf::message(&world.context.system, &blocks);
        op.assertion = world.authenticator.assert(&world.passkey, &digest);
        assert!(matches!(world.verdict(&op.clone().into()), Err(Reject::Passkey { .. })));
        world.apply(op.into());
        assert_eq!(place(&world.witness()), "bus:login");
    }
    let mut world = world();
    let AuthOp::RegisterKeyByPasskey(approved) = world.approve(world.register()) else { unreachable!() };
    let op = PayByPasskey { assertion: approved.assertion, ..pay(&world, bucket(3, 0)) };
    world.apply(op.into());
    assert_eq!(place(&world.witness()), "bus:login");
}

#[test]
fn rejects_a_replayed_payment() {
    let mut world = world();
    let AuthOp::PayByPasskey(op) = world.approve(pay(&world, bucket(3, 0))) else { unreachable!() };
    world.apply(op.clone().into());
    let payment = Payment { nonce: world.nonce(), ..op.payment.clone() };
    let again = AuthOp::from(PayByPasskey { payment, ..op });
    assert!(matches!(world.verdict(&again), Err(Reject::Passkey { .. })));
    world.apply(again);
    assert_eq!(place(&world.witness()), "bus:login");
}

/// Where a payment by a key with these rights is noticed; the ledger's rule is switched off by putting the rights into
/// the log only.
fn with_rights(to: Payee, rights: &[Permission]) -> String {
    let mut world = world();
    let op = world.approve(pay(&world, to));
    world.apply(op);
    let rights: Permissions = rights.iter().copied().collect();
    let policy = tsz_ledger::KeyPolicy {
        scheme: tsz_ledger::Scheme::P256,
        permissions: rights,
        expiry: TimeMs::new(EXPIRY).unwrap(),
    };
    let key = Key::key_b(2, 3);
    for access in world.records[0].accesses.iter_mut().filter(|a| a.key == key) {
        (access.old, access.new) = (Some(policy).to_leaf(), Some(policy).to_leaf());
    }
    place(&world.witness())
}

#[test]
fn rejects_a_key_without_the_right() {
    use Permission::{ManageKeys, Trade, TransferInternal, TransferOut, Withdraw};
    assert_eq!(with_rights(bucket(3, 0), &[TransferOut]), "nowhere");
    assert_eq!(with_rights(bucket(3, 0), &[ManageKeys, Trade, TransferInternal, Withdraw]), "transfer_by");
    assert_eq!(with_rights(bucket(2, 1), &[TransferInternal]), "nowhere");
    assert_eq!(with_rights(bucket(2, 1), &[ManageKeys, Trade, TransferOut, Withdraw]), "transfer_by");
    let out = || Payee::Address(EthAddress([9; 20]));
    assert_eq!(with_rights(out(), &[Withdraw]), "nowhere");
    assert_eq!(with_rights(out(), &[ManageKeys, Trade, TransferOut, TransferInternal]), "withdraw_by");
    let mut op = pay(&world(), bucket(3, 0));
    op.payment.key_slot = KeySlot::new(4).unwrap();
    assert!(matches!(world().verdict(&op.into()), Err(Reject::Permission { .. })));
}

#[test]
fn rejects_more_than_is_held_and_withdrawals_below_the_minimum() {
    let with = |to, units| {
        let w = world();
        let mut op = pay(&w, to);
        op.payment.units = Units::new(units).unwrap();
        let op = w.approve(op);
        w.verdict(&op)
    };
    assert_eq!(with(bucket(3, 0), 1_000), Ok(()));
    assert!(matches!(with(bucket(3, 0), 1_001), Err(Reject::Insufficient { .. })));
    assert_eq!(with(Payee::Address(EthAddress([9; 20])), 10), Ok(()));
    assert!(matches!(with(Payee::Address(EthAddress([9; 20])), 9), Err(Reject::BelowMinimum { .. })));
    assert_eq!(with(bucket(3, 0), 0), Err(Reject::ZeroUnits));
    assert!(matches!(with(bucket(4, 0), 1), Err(Reject::NoAccount { .. })));
    assert_eq!(with(bucket(2, 0), 1), Err(Reject::SameBucket));
}

#[test]
fn every_cell_of_a_payment_is_constrained() {
    let world = mixed();
    let witness = world.witness();
    let airs = SMALL.circuit(Profile::InsecureTest).airs;
    let publics = public_values(&SMALL, &witness.claim);
    let mut rows = vec![0; airs.len()];
    (rows[1], rows[2]) = (2, 1);
    let tamper = Tamper {
        airs: &airs,
        traces: &witness.traces,
        public_values: &publics,
        real_rows: &rows,
        trials: 2,
        seed: 7,
    };
    let free: Vec<String> = tamper
        .columns()
        .into_iter()
        .filter(|c| c.noticed < c.trials)
        .map(|c| format!("{} {}", c.table, c.column))
        .collect();
    // An inverse of 0 where both cells have the same lower key, and that of a result that is not negative.
    assert_eq!(free, ["transfer_by cell_diff_inv", "transfer_by credit.sum_inv"]);
}
