//! One test for each rule.

use super::world::*;
use crate::*;
use alloc::vec::Vec;
use tsz_hash::ZERO;
use tsz_ledger::{
    Access, AcctCell, Cell, CtlCell, HeadCell, Key, Permission, Permissions, Scheme, SubCell, TokCell,
};
use tsz_types::{Bucket, Collateral, EthAddress, KillEpoch, L1Serial, NumberError, TimeMs};

type Edit<T> = fn(&mut T);

/// Outcome of account 2's transfer after an edit, signed by its first key.
fn transfer_with(edit: Edit<Transfer>) -> Result<Receipt, Reject> {
    let mut world = World::new();
    let mut op = world.transfer();
    edit(&mut op);
    let op = world.sign(0, op.into());
    world.apply(op)
}

fn withdraw_with(edit: Edit<Withdraw>) -> Result<Receipt, Reject> {
    let mut world = World::new();
    let mut op = world.withdraw();
    edit(&mut op);
    let op = world.sign(0, op.into());
    world.apply(op)
}

fn keys_of(accesses: &[Access]) -> Vec<(Key, bool)> {
    accesses.iter().map(|a| (a.key, a.write)).collect()
}

#[test]
fn a_transfer_moves_units_and_advances_the_nonce() {
    let mut world = World::new();
    let op = world.sign(0, world.transfer().into());
    assert_eq!(world.apply(op.clone()), Ok(Receipt::OK));
    assert_eq!(world.micros(2, 0, 5), 480_000_007);
    assert_eq!(world.micros(3, 4, 5), 20_000_000);
    assert_eq!(world.apply(op), Err(Reject::Nonce { expected: nonce(1), got: nonce(0) }));
}

#[test]
fn rejects_a_forged_signature() {
    let mut world = World::new();
    let mut op = world.transfer();
    op.signature = world.keys[2].sign(&message(&world.batch.system, &op.message()));
    assert_eq!(world.apply(op), Err(Reject::Signature), "the key of another account");
    let FundOp::Transfer(mut op) = world.sign(0, world.transfer().into()) else { unreachable!() };
    op.units = units(21);
    assert_eq!(world.apply(op), Err(Reject::Signature), "another amount");
    let mut op = world.transfer();
    op.signature = world.keys[0].sign(&message(&ZERO, &op.message()));
    assert_eq!(world.apply(op), Err(Reject::Signature), "another system");
}

#[test]
fn rejects_transfers_that_break_a_rule() {
    let over = Reject::Insufficient { token: token(5), held: 500_000_007, needed: 501_000_000 };
    assert_eq!(transfer_with(|t| t.units = units(501)), Err(over));
    assert_eq!(transfer_with(|t| t.units = units(500)), Ok(Receipt::OK));
    assert_eq!(transfer_with(|t| t.units = units(0)), Err(Reject::ZeroUnits));
    let missing = Reject::NoAccount { account: account(4), next_account: 4 };
    assert_eq!(transfer_with(|t| t.to_account = account(4)), Err(missing));
    let same: Edit<Transfer> = |t| (t.to_account, t.to_sub) = (account(2), sub(0));
    assert_eq!(transfer_with(same), Err(Reject::SameBucket));
    let wrong = Err(Reject::NotQuote { token: token(5) });
    assert_eq!(transfer_with(|t| t.to_bucket = Bucket::Collateral), wrong);
    assert_eq!(transfer_with(|t| t.bucket = Bucket::Collateral), wrong);
    let early = Reject::Nonce { expected: nonce(0), got: nonce(1) };
    assert_eq!(transfer_with(|t| t.nonce = nonce(1)), Err(early));
    let reserved = Reject::Reserved { account: account(1) };
    assert_eq!(transfer_with(|t| t.account = account(1)), Err(reserved));
    let no_key = Reject::NoKey { account: account(2), slot: slot(5) };
    assert_eq!(transfer_with(|t| t.key_slot = slot(5)), Err(no_key));
}

#[test]
fn internal_and_outgoing_transfers_need_their_own_right() {
    let mut world = World::new();
    let op = world.sign(1, Transfer { key_slot: slot(1), ..world.transfer() }.into());
    let has = [Permission::TransferInternal].into_iter().collect();
    let refused = Reject::Permission { slot: slot(1), needed: Permission::TransferOut, has };
    assert_eq!(world.apply(op), Err(refused));
    let inner = Transfer { key_slot: slot(1), to_account: account(2), ..world.transfer() };
    let op = world.sign(1, inner.into());
    assert_eq!(world.apply(op), Ok(Receipt::OK));
}

#[test]
fn a_key_is_good_before_its_expiry_only() {
    for (time, good) in [(1_999, true), (2_000, false)] {
        let mut world = World::new();
        world.batch.time = time;
        let op = world.sign(0, world.transfer().into());
        assert_eq!(world.apply(op).is_ok(), good, "{time}");
    }
}

#[test]
fn rejects_a_key_of_another_scheme() {
    let mut world = World::new();
    let other = Some(tsz_ledger::KeyPolicy { scheme: Scheme::P256, ..policy(Permissions::ALL) });
    world.view.set(Key::key_b(2, 0), other.to_leaf());
    let op = world.sign(0, world.transfer().into());
    let wrong = Reject::WrongScheme { account: account(2), slot: slot(0), scheme: Scheme::P256 };
    assert_eq!(world.apply(op), Err(wrong));
}

#[test]
fn the_last_nonce_is_never_used_and_the_kill_epoch_is_kept() {
    let mut world = World::new();
    let kill_epoch = KillEpoch::new(9).unwrap();
    let ctl = |n| CtlCell { nonce: nonce(n), kill_epoch };
    world.view.set(Key::ctl(2, 0), ctl(u32::MAX - 1).to_leaf());
    let op = |n| Transfer { nonce: nonce(n), ..World::new().transfer() };
    let last = world.sign(0, op(u32::MAX - 1).into());
    assert_eq!(world.apply(last), Ok(Receipt::OK));
    assert_eq!(CtlCell::from_leaf(&world.view.get(Key::ctl(2, 0))), Ok(ctl(u32::MAX)));
    let beyond = world.sign(0, op(u32::MAX).into());
    assert_eq!(world.apply(beyond), Err(Reject::NonceExhausted));
}

#[test]
fn collateral_pays_only_without_positions_and_never_below_zero() {
    let from_collateral: Edit<Transfer> =
        |t| (t.sub, t.bucket, t.token, t.units) = (sub(1), Bucket::Collateral, token(0), units(100));
    assert_eq!(transfer_with(from_collateral), Ok(Receipt::OK));
    let too_much: Edit<Transfer> =
        |t| (t.sub, t.bucket, t.token, t.units) = (sub(1), Bucket::Collateral, token(0), units(101));
    assert!(matches!(transfer_with(too_much), Err(Reject::Insufficient { held: 100_000_001, .. })));
    let mut world = World::new();
    let open = SubCell { collateral: Collateral::new(500_000_000).unwrap(), pos_count: 2, mask: 1 };
    world.view.set(Key::sub(2, 1), open.to_leaf());
    let mut op = world.transfer();
    from_collateral(&mut op);
    let op = world.sign(0, op.into());
    assert_eq!(world.apply(op), Err(Reject::OpenPositions { holdings: 66 }));
}

#[test]
fn negative_collateral_takes_credit() {
    let mut world = World::new();
    let debt = |micros| SubCell { collateral: Collateral::new(micros).unwrap(), pos_count: 1, mask: 0 };
    world.view.set(Key::sub(3, 4), debt(-20_000_000).to_leaf());
    let op = Transfer { token: token(0), to_bucket: Bucket::Collateral, ..world.transfer() };
    let op = world.sign(0, op.into());
    assert_eq!(world.apply(op), Ok(Receipt::OK));
    assert_eq!(world.view.get(Key::sub(3, 4)), debt(0).to_leaf(), "no negative zero");
}

#[test]
fn rejects_a_credit_above_the_width() {
    let mut world = World::new();
    world.view.set(Key::bal(3, 4, 5), [0xff_ffff, 0xff_ffff, 0xff_ffff, 0xff_ffff, 0, 0, 0, 0].map(felt));
    let op = world.sign(0, world.transfer().into());
    let width = |r| matches!(r, Err(Reject::Width { error: NumberError::Overflow { .. } }));
    assert!(width(world.apply(op)));
    // a deposit that would overflow: L1 bounds the net total by 2^60 units, so that none comes
    world.view.set(Key::bal(2, 0, 5), world.view.get(Key::bal(3, 4, 5)));
    assert!(width(world.apply(deposit(0, 2))));
}

fn felt(x: u32) -> tsz_hash::F {
    tsz_hash::PrimeCharacteristicRing::from_u32(x)
}

#[test]
fn rejects_a_corrupt_leaf() {
    let mut world = World::new();
    world.view.set(Key::bal(2, 0, 5), [1 << 24, 0, 0, 0, 0, 0, 0, 0].map(felt));
    let op = world.sign(0, world.transfer().into());
    assert!(matches!(world.apply(op), Err(Reject::Corrupt { .. })));
}

#[test]
fn rejects_withdrawals_that_break_a_rule() {
    assert!(withdraw_with(|w| w.units = units(10)).is_ok());
    let (token0, minimum) = (token(0), units(10));
    let small = Reject::BelowMinimum { token: token0, units: units(9), minimum };
    assert_eq!(withdraw_with(|w| w.units = units(9)), Err(small));
    assert_eq!(withdraw_with(|w| w.token = token(6)), Err(Reject::NotListed { token: token(6) }));
    let over = Reject::Insufficient { token: token0, held: 1_000_000_000, needed: 1_001_000_000 };
    assert_eq!(withdraw_with(|w| w.units = units(1_001)), Err(over));
}

#[test]
fn a_withdrawal_is_recorded_for_l1() {
    let mut world = World::new();
    let op = world.withdraw();
    let record = op.out_record();
    let op = world.sign(0, op.into());
    let receipt = world.apply(op).unwrap();
    assert_eq!((receipt.code, receipt.out), (Code::Ok, Some(record)));
    assert_eq!(world.view.get(Key::OUT), chain(&ZERO, &record.blocks()));
}

#[test]
fn a_deposit_to_the_next_account_creates_it() {
    let mut world = World::new();
    let receipt = world.apply(deposit(0, 4)).unwrap();
    assert_eq!(receipt.created, Some(account(4)));
    assert_eq!(world.view.get(Key::acct(4)), AcctCell { owner: Some(OTHER_OWNER) }.to_leaf());
    assert_eq!(world.micros(4, 0, 5), 3_000_000);
    let head = HeadCell::from_leaf(&world.view.get(Key::HEAD)).unwrap();
    assert_eq!(head.next_account, 5);
    assert_eq!(world.view.get(Key::L1CHAIN), chain(&ZERO, &deposit(0, 4).record()));
}

#[test]
fn a_deposit_to_an_account_that_exists_keeps_its_owner() {
    let mut world = World::new();
    assert_eq!(world.apply(deposit(0, 2)).unwrap(), Receipt::OK);
    assert_eq!(world.view.get(Key::acct(2)), AcctCell { owner: Some(OWNER) }.to_leaf());
    assert_eq!(world.micros(2, 0, 5), 503_000_007);
}

#[test]
fn a_deposit_to_nobody_is_paid_back() {
    let mut world = World::new();
    let before = world.view.clone();
    let receipt = world.apply(deposit(0, 5)).unwrap();
    assert_eq!(receipt.code, Code::NoAccount);
    let record = receipt.out.unwrap();
    assert_eq!((record.op, record.units, record.to), (2, units(3), OTHER_OWNER));
    assert_eq!(world.view.get(Key::OUT), chain(&ZERO, &record.blocks()));
    let changed: Vec<Key> =
        world.view.leaves().filter(|(k, v)| before.get(*k) != *v).map(|(k, _)| k).collect();
    assert_eq!(changed, [Key::L1IN, Key::L1CHAIN, Key::OUT]);
}

#[test]
fn l1_operations_come_in_the_order_of_their_serials() {
    let mut world = World::new();
    let serial = |n| L1Serial::new(n).unwrap();
    let early = Reject::Serial { expected: serial(0), got: serial(1) };
    assert_eq!(world.apply(deposit(1, 2)), Err(early));
    world.apply(deposit(0, 2)).unwrap();
    let late = Reject::Serial { expected: serial(1), got: serial(0) };
    assert_eq!(world.apply(full_exit(0, 2, OWNER)), Err(late));
}

#[test]
fn a_full_exit_pays_whole_units_and_leaves_the_dust() {
    let mut world = World::new();
    let record = world.apply(full_exit(0, 2, OWNER)).unwrap().out.unwrap();
    assert_eq!((record.op, record.units, record.to), (7, units(500), OWNER));
    assert_eq!(world.micros(2, 0, 5), 7);
    let again = world.apply(full_exit(1, 2, OWNER)).unwrap().out.unwrap();
    assert_eq!(again.units, units(0), "a record is made for nothing, too");
}

#[test]
fn full_exits_that_cannot_be_are_no_ops_with_the_first_code_that_holds() {
    let collateral = |serial, from, sender| FullExit {
        bucket: Bucket::Collateral,
        token: token(0),
        ..full_exit(serial, from, sender)
    };
    let mut world = World::new();
    let cell =
        |micros, pos_count| SubCell { collateral: Collateral::new(micros).unwrap(), pos_count, mask: 0 };
    world.view.set(Key::sub(1, 0), cell(-5, 1).to_leaf());
    world.view.set(Key::sub(2, 0), cell(-5, 1).to_leaf());
    world.view.set(Key::sub(3, 0), cell(-5, 0).to_leaf());
    let cases = [
        (collateral(0, 1, OWNER), Code::NotOwner),
        (collateral(1, 1, OPERATOR), Code::Reserved),
        (collateral(2, 2, OWNER), Code::OpenPositions),
        (collateral(3, 3, OTHER_OWNER), Code::Negative),
        (collateral(4, 4, EthAddress::default()), Code::NotOwner),
    ];
    for (op, code) in cases {
        let before = world.view.get(Key::sub(op.account.get(), 0));
        assert_eq!(world.apply(op), Ok(Receipt::noop(code)));
        assert_eq!(world.view.get(Key::sub(op.account.get(), 0)), before);
        assert_eq!(world.view.get(Key::OUT), ZERO);
    }
}

#[test]
fn a_registered_key_signs_and_a_revoked_one_does_not() {
    let mut world = World::new();
    let id = world.keys[3].public_key().key_id();
    let op = world.sign(0, world.register(id).into());
    world.apply(op).unwrap();
    let spend = |n| Transfer { key_slot: slot(7), nonce: nonce(n), ..World::new().transfer() };
    let op = world.sign(3, spend(1).into());
    assert_eq!(world.apply(op), Ok(Receipt::OK));
    let (account, key_slot) = (account(2), slot(0));
    let revoke = RevokeKey { account, slot: slot(7), nonce: nonce(2), key_slot, signature: world.blank() };
    let op = world.sign(0, revoke.into());
    world.apply(op).unwrap();
    assert_eq!((world.view.get(Key::key_a(2, 7)), world.view.get(Key::key_b(2, 7))), (ZERO, ZERO));
    let op = world.sign(3, spend(3).into());
    assert_eq!(world.apply(op), Err(Reject::NoKey { account, slot: slot(7) }));
}

#[test]
fn a_key_may_replace_itself() {
    let world = World::new();
    let id = world.keys[3].public_key().key_id();
    let op = world.sign(0, RegisterKey { slot: slot(0), ..world.register(id) }.into());
    let applied = apply(&world.view, &world.batch, 1, &op).unwrap();
    assert_eq!(applied.accesses[3].old, world.keys[0].public_key().key_id());
    assert_eq!(applied.accesses[3].new, id);
}

#[test]
fn only_a_key_with_the_manage_right_changes_keys() {
    let mut world = World::new();
    let op = world.sign(1, RegisterKey { key_slot: slot(1), ..world.register(ZERO) }.into());
    let refused = world.apply(op).unwrap_err();
    assert!(matches!(refused, Reject::Permission { needed: Permission::ManageKeys, .. }));
}

#[test]
fn the_l1_owner_changes_keys_and_nobody_else_does() {
    let mut world = World::new();
    let register = |serial, sender| L1RegisterKey {
        serial: L1Serial::new(serial).unwrap(),
        account: account(2),
        slot: slot(0),
        key_id: [felt(5); 8],
        scheme: Scheme::Schnorr,
        permissions: Permissions::ALL,
        expiry: TimeMs::MAX,
        sender,
    };
    let before = world.view.get(Key::key_a(2, 0));
    assert_eq!(world.apply(register(0, OTHER_OWNER)), Ok(Receipt::noop(Code::NotOwner)));
    assert_eq!(world.view.get(Key::key_a(2, 0)), before);
    assert_eq!(world.apply(register(1, OWNER)), Ok(Receipt::OK));
    assert_eq!(world.view.get(Key::key_a(2, 0)), [felt(5); 8]);
    let (serial, account, slot) = (L1Serial::new(2).unwrap(), account(2), slot(0));
    assert_eq!(world.apply(L1RevokeKey { serial, account, slot, sender: OWNER }), Ok(Receipt::OK));
    assert_eq!(world.view.get(Key::key_b(2, 0)), ZERO);
}

#[test]
fn begin_batch_is_first_numbers_follow_and_time_does_not_go_back() {
    let world = World::new();
    let begin = FundOp::from(BeginBatch {});
    let at = |batch, time, index| {
        let batch = tsz_ledger::BatchContext { batch, time, ..world.batch };
        apply(&world.view, &batch, index, &begin)
    };
    let applied = at(1, 0, 0).unwrap();
    assert_eq!(keys_of(&applied.accesses), [(Key::HEAD, true), (Key::PARAMS, false)]);
    let other = tsz_ledger::BatchContext { params: [felt(1); 8], ..world.batch };
    assert_eq!(apply(&world.view, &other, 0, &begin).unwrap_err(), Reject::Params);
    assert_eq!(at(1, 0, 1).unwrap_err(), Reject::NotFirst { index: 1 });
    assert_eq!(at(2, 0, 0).unwrap_err(), Reject::BatchNumber { expected: 1, got: 2 });
    assert!(matches!(at(1, 1 << 48, 0).unwrap_err(), Reject::Time { .. }));
    let mut later = world.view.clone();
    later.commit(&at(1, 500, 0).unwrap().accesses);
    let batch = tsz_ledger::BatchContext { batch: 2, time: 499, ..world.batch };
    assert!(matches!(apply(&later, &batch, 0, &begin), Err(Reject::Time { .. })));
}

#[test]
fn accesses_are_in_the_order_of_the_specification() {
    let world = World::new();
    let log = |op: FundOp| keys_of(&apply(&world.view, &world.batch, 1, &op).unwrap().accesses);
    let (r, w) = (|k| (k, false), |k| (k, true));
    let signer = [r(Key::key_a(2, 0)), r(Key::key_b(2, 0)), w(Key::ctl(2, 0))];
    let l1 = [w(Key::L1IN), w(Key::L1CHAIN)];
    let transfer = log(world.sign(0, world.transfer().into()));
    let legs = [w(Key::bal(2, 0, 5)), w(Key::bal(3, 4, 5))];
    assert_eq!(transfer, [&[r(Key::HEAD)], &signer[..], &legs].concat());
    let withdraw = log(world.sign(0, world.withdraw().into()));
    let rest = [r(Key::tok(0)), w(Key::bal(2, 0, 0)), w(Key::OUT)];
    assert_eq!(withdraw, [&signer[..], &rest].concat());
    let register = log(world.sign(0, world.register(ZERO).into()));
    assert_eq!(register, [&signer[..], &[w(Key::key_a(2, 7)), w(Key::key_b(2, 7))]].concat());
    for to in [2, 4, 5] {
        let rest = [w(Key::acct(to)), w(Key::bal(to, 0, 5)), w(Key::OUT)];
        assert_eq!(log(deposit(0, to).into()), [&[w(Key::HEAD)], &l1[..], &rest].concat());
    }
    for sender in [OWNER, OTHER_OWNER] {
        let rest = [r(Key::acct(2)), w(Key::bal(2, 0, 5)), w(Key::OUT)];
        assert_eq!(log(full_exit(0, 2, sender).into()), [&l1[..], &rest].concat());
        let (serial, account, slot) = (L1Serial::MIN, account(2), slot(3));
        let rest = [r(Key::acct(2)), w(Key::key_a(2, 3)), w(Key::key_b(2, 3))];
        let revoke = L1RevokeKey { serial, account, slot, sender };
        assert_eq!(log(revoke.into()), [&l1[..], &rest].concat());
    }
}

#[test]
fn genesis_has_reserved_accounts_tokens_and_users() {
    let world = World::new();
    for reserved in [0, 1] {
        assert_eq!(world.view.get(Key::acct(reserved)), AcctCell { owner: Some(OPERATOR) }.to_leaf());
    }
    assert_eq!(HeadCell::from_leaf(&world.view.get(Key::HEAD)).unwrap().next_account, 4);
    let minimum = units(10);
    assert_eq!(world.view.get(Key::tok(0)), TokCell { listed: true, minimum }.to_leaf());
    let twice = TokenListing { token: token(0), minimum };
    let genesis = Genesis { tokens: [twice; 2].into(), ..Genesis::default() };
    assert_eq!(genesis.leaves(), Err(GenesisError::DuplicateToken(token(0))));
}
