//! Programs that try to take what was not given to them. The first argument says what to try.

use super::world::*;
use crate::*;
use alloc::vec;
use tsz_ext_sdk::{Fault, Key as Place, Op, cell};
use tsz_hash::{F, PrimeCharacteristicRing};
use tsz_ledger::{Key, Realm};
use tsz_stf::{Reject, View};

const EVIL: u32 = 7;
const MICROS: u128 = 1_000_000;

/// Moves `args[4]` units of token `args[2]` from (args[0], 0) to (args[1], 0), and makes up `args[3]` more.
fn mover(op: &mut Op<'_>) -> Result<(), Fault> {
    let [from, to, token, made, amount] = *op.args() else { return Err(Fault::Args) };
    op.debit(from, 0, token, u128::from(amount) * MICROS)?;
    op.credit(to, 0, token, u128::from(amount + made) * MICROS)
}

/// Writes one felt into every cell that it may write.
fn scribbler(op: &mut Op<'_>) -> Result<(), Fault> {
    let [hi, lo, felt, at] = *op.args() else { return Err(Fault::Args) };
    let mut leaf = op.get(Place { hi, lo })?;
    leaf[at as usize] = felt;
    op.set(Place { hi, lo }, &leaf)
}

/// World in which accounts 2 and 3 have approved the program: 2 with a limit of 100 of the quote token.
fn world() -> World {
    let mut world = World::new();
    world.approve(2, id(EVIL), id(1), &[limit(QUOTE, 100)]);
    world.approve(3, id(EVIL), id(1), &[]);
    world
}

fn transfer(parties: &[u32], from: u32, to: u32, t: u8, made: u32, amount: u32) -> Extension {
    operation(id(EVIL), parties, &[bal(from, t), bal(to, t)], &[from, to, t.into(), made, amount])
}

fn attempt(world: &mut World, op: Extension) -> Result<(), ExtReject> {
    let before = world.view.clone();
    let result = world.apply(ExtOp::Extension(op), &[(id(EVIL), mover)]).map(|_| ());
    assert!(result.is_ok() || world.view == before);
    result
}

fn scribble(world: &mut World, key: Key, felt: u32, at: u32) -> Result<(), ExtReject> {
    let place = crate::guard::place(key);
    let op = operation(id(EVIL), &[2], &[Touch::write(key)], &[place.hi, place.lo, felt, at]);
    world.apply(ExtOp::Extension(op), &[(id(EVIL), scribbler)]).map(|_| ())
}

#[test]
fn moves_what_was_approved() {
    let mut world = world();
    attempt(&mut world, transfer(&[2, 3], 2, 3, QUOTE, 0, 60)).unwrap();
    assert_eq!(world.micros(2, QUOTE), 940 * MICROS);
    assert_eq!(world.micros(3, QUOTE), 1_060 * MICROS);
    assert_eq!(world.limit_used(2, 0), 60 * MICROS);
}

#[test]
fn cannot_mint_or_burn() {
    let mut world = world();
    let token = token(QUOTE);
    let minted = attempt(&mut world, transfer(&[2, 3], 2, 3, QUOTE, 1, 1));
    assert_eq!(minted, Err(ExtReject::NotConserved { token, sum: MICROS as i128 }));
    // a burn: the receiver is not among the cells
    fn burner(op: &mut Op<'_>) -> Result<(), Fault> {
        op.debit(2, 0, 0, 1)
    }
    let op = operation(id(EVIL), &[2], &[bal(2, QUOTE)], &[]);
    let burnt = world.apply(ExtOp::Extension(op), &[(id(EVIL), burner)]);
    assert_eq!(burnt, Err(ExtReject::NotConserved { token, sum: -1 }));
    // one token against another
    fn swapper(op: &mut Op<'_>) -> Result<(), Fault> {
        op.debit(2, 0, 0, 5)?;
        op.credit(2, 0, 5, 5)
    }
    let op = operation(id(EVIL), &[2], &[bal(2, QUOTE), bal(2, BASE)], &[]);
    let swapped = world.apply(ExtOp::Extension(op), &[(id(EVIL), swapper)]);
    assert_eq!(swapped, Err(ExtReject::NotConserved { token, sum: -5 }));
}

#[test]
fn cannot_touch_who_did_not_approve() {
    let mut world = world();
    // 4 has not approved: not as a party, not as payer or receiver beside parties
    let party = attempt(&mut world, transfer(&[2, 4], 4, 2, QUOTE, 0, 1));
    assert_eq!(party, Err(ExtReject::NotApproved { account: account(4), sub: sub(0) }));
    for (from, to) in [(4, 2), (2, 4)] {
        let beside = attempt(&mut world, transfer(&[2], from, to, QUOTE, 0, 1));
        assert_eq!(beside, Err(ExtReject::Forbidden { key: Key::bal(4, 0, QUOTE.into()) }));
    }
    // another sub-account of a party is another's
    let key = Key::bal(2, 1, QUOTE.into());
    assert_eq!(scribble(&mut world, key, 1, 0), Err(ExtReject::Forbidden { key }));
    // reserved accounts are no parties, and the fee account only takes
    let mut op = transfer(&[2], 2, 3, QUOTE, 0, 1);
    for n in [0, 1] {
        op.parties[0].account = account(n);
        assert_eq!(attempt(&mut world, op.clone()), Err(Reject::Reserved { account: account(n) }.into()));
    }
    attempt(&mut world, transfer(&[2], 2, 0, QUOTE, 0, 1)).unwrap();
    let taken = attempt(&mut world, transfer(&[2], 0, 2, QUOTE, 0, 1));
    assert_eq!(taken, Err(ExtReject::FeesPay { token: token(QUOTE) }));
}

#[test]
fn cannot_exceed_a_limit() {
    let mut world = world();
    let over = |used: i128| ExtReject::OverLimit {
        account: account(2),
        sub: sub(0),
        of: token(QUOTE).into(),
        used: used * MICROS as i128,
        limit: 100 * MICROS,
    };
    assert_eq!(attempt(&mut world, transfer(&[2, 3], 2, 3, QUOTE, 0, 101)), Err(over(101)));
    attempt(&mut world, transfer(&[2, 3], 2, 3, QUOTE, 0, 70)).unwrap();
    assert_eq!(attempt(&mut world, transfer(&[2, 3], 2, 3, QUOTE, 0, 31)), Err(over(101)));
    attempt(&mut world, transfer(&[2, 3], 2, 3, QUOTE, 0, 30)).unwrap();
    // a token without a limit
    let (account, sub, token) = (account(2), sub(0), token(BASE));
    let other = attempt(&mut world, transfer(&[2, 3], 2, 3, BASE, 0, 1));
    assert_eq!(other, Err(ExtReject::NoLimit { account, sub, token }));
}

#[test]
fn what_comes_back_can_go_out_again_and_no_more() {
    let mut world = World::new();
    for n in [2, 3] {
        world.approve(n, id(EVIL), id(1), &[limit(QUOTE, 100)]);
    }
    attempt(&mut world, transfer(&[2, 3], 2, 3, QUOTE, 0, 100)).unwrap();
    attempt(&mut world, transfer(&[2, 3], 3, 2, QUOTE, 0, 100)).unwrap();
    // what 3 got first is no allowance beyond its limit
    assert_eq!([2, 3].map(|n| world.limit_used(n, 0)), [0, 100 * MICROS]);
    assert!(attempt(&mut world, transfer(&[2, 3], 3, 2, QUOTE, 0, 1)).is_err());
    attempt(&mut world, transfer(&[2, 3], 2, 3, QUOTE, 0, 100)).unwrap();
    assert!(attempt(&mut world, transfer(&[2, 3], 2, 3, QUOTE, 0, 1)).is_err());
}

#[test]
fn an_approval_ends() {
    let mut world = world();
    let op = transfer(&[2, 3], 2, 3, QUOTE, 0, 1);
    attempt(&mut world, op.clone()).unwrap();
    world.batch.time = TIME + 500;
    let (account, sub) = (account(2), sub(0));
    let expired = ExtReject::Expired { account, sub, expiry: TIME + 500, time: TIME + 500 };
    assert_eq!(attempt(&mut world, op.clone()), Err(expired));
    world.batch.time = TIME + 499;
    attempt(&mut world, op.clone()).unwrap();
    let revocation = world.revocation(2);
    world.apply(ExtOp::RevokeExtension(revocation), &[]).unwrap();
    assert_eq!(attempt(&mut world, op), Err(ExtReject::NotApproved { account, sub }));
}

#[test]
fn an_approval_is_for_one_program() {
    let mut world = world();
    let mut op = transfer(&[2, 3], 2, 3, QUOTE, 0, 1);
    op.program = id(8);
    let other = world.apply(ExtOp::Extension(op.clone()), &[(id(8), mover)]);
    assert_eq!(other, Err(ExtReject::NotApproved { account: account(2), sub: sub(0) }));
    // an empty slot approves no program, the zero digest neither
    op.program = tsz_hash::ZERO;
    op.parties[0].slot = slot(1);
    assert_eq!(world.apply(ExtOp::Extension(op), &[(tsz_hash::ZERO, mover)]), Err(ExtReject::NoProgram));
    let unknown = world.apply(ExtOp::Extension(transfer(&[2, 3], 2, 3, QUOTE, 0, 1)), &[]);
    assert_eq!(unknown, Err(ExtReject::UnknownProgram));
}

#[test]
fn cannot_write_anything_but_balances_and_its_storage() {
    let mut world = world();
    let (a, s) = (account(2), sub(0));
    let forbidden = [
        Key::key_a(2, 0),
        Key::key_b(2, 0),
        Key::acct(2),
        Key::sub(2, 0),
        Key::mbal(2, 0, 0),
        Key::pos(2, 0, 0),
        Key::ctl(2, 0),
        Key::ord(2, 0, 0),
        Key::HEAD,
        Key::L1IN,
        Key::OUT,
        Key::VKROOT,
        Key::PARAMS,
        Key::tok(0),
        Key::mkp(0),
        key::program(a, s, slot(0)),
        key::terms(a, s, slot(0)),
        key::policy(a, s, slot(0)),
        key::limit(a, s, slot(0), 0),
        key::limit(a, s, slot(0), 3),
        Key::user(Realm::Private, 2, 0, cell::APPROVAL + cell::SLOT_CELLS + cell::LEG),
        key::storage(a, s, slot(1), 0),
        key::storage(account(3), s, slot(0), 0),
        Key::user(Realm::Private, 2, 0, 31),
    ];
    for key in forbidden {
        assert_eq!(scribble(&mut world, key, 1, 0), Err(ExtReject::Forbidden { key }), "{key:?}");
    }
    for index in [0, 23] {
        let key = key::storage(a, s, slot(0), index);
        assert!(matches!(scribble(&mut world, key, 9, 0), Err(ExtReject::Epoch { .. })));
        scribble(&mut world, key, 1, 7).unwrap();
        scribble(&mut world, key, 9, 0).unwrap();
        assert_eq!(world.view.get(key)[0], F::from_u32(9));
    }
}

#[test]
fn cannot_ask_for_a_leg_that_is_none_or_alone() {
    let mut world = world();
    let key = Key::user(Realm::Private, 2, 0, cell::APPROVAL + cell::LEG);
    // no lots, too wide ones, a market that is none, too much cash, a last felt
    for (felt, at) in [(1, 2), (1 << 24, 0), (1 << 10, 2), (1 << 23, 6), (1 << 24, 3), (1, 7)] {
        assert_eq!(scribble(&mut world, key, felt, at), Err(ExtReject::Leg { key }), "{felt} at {at}");
    }
    assert_eq!(scribble(&mut world, key, 5, 0), Err(ExtReject::NotMatched { lots: 5, cash: 0 }));
}

#[test]
fn cannot_write_what_is_no_balance() {
    let mut world = world();
    let key = Key::bal(2, 0, QUOTE.into());
    for (felt, at) in [(1 << 24, 0), (1, 4), (1, 7)] {
        let refused = scribble(&mut world, key, felt, at);
        assert!(matches!(refused, Err(ExtReject::Base(Reject::Corrupt { .. }))), "{refused:?}");
    }
}

#[test]
fn a_repeated_operation_runs_on_the_new_state() {
    // nothing is replayed: the program runs again, and the limit counts again
    let mut world = world();
    let op = transfer(&[2, 3], 2, 3, QUOTE, 0, 60);
    attempt(&mut world, op.clone()).unwrap();
    assert!(matches!(attempt(&mut world, op), Err(ExtReject::OverLimit { .. })));
}

#[test]
fn shapes_are_checked() {
    let mut world = world();
    let honest = transfer(&[2, 3], 2, 3, QUOTE, 0, 1);
    let shaped = |change: &dyn Fn(&mut Extension)| {
        let mut op = honest.clone();
        change(&mut op);
        op
    };
    let parties = [
        shaped(&|op| op.parties.clear()),
        shaped(&|op| op.parties.swap(0, 1)),
        shaped(&|op| op.parties[1] = op.parties[0]),
        // two slots of one sub-account: its changes could be charged to either
        shaped(&|op| op.parties[1] = Approver { slot: slot(1), ..op.parties[0] }),
        shaped(&|op| op.parties = (2..19).map(approver).collect()),
    ];
    for op in parties {
        assert_eq!(attempt(&mut world, op), Err(ExtReject::Parties));
    }
    let cells = [
        shaped(&|op| op.cells.swap(0, 1)),
        shaped(&|op| op.cells[1] = op.cells[0]),
        shaped(&|op| op.cells[1].key = 1 << 40),
        shaped(&|op| op.cells = (0..123).map(|k| Touch { key: k, write: false }).collect()),
    ];
    for op in cells {
        assert_eq!(attempt(&mut world, op), Err(ExtReject::Cells { max: 122 }));
    }
    for args in [vec![tsz_ext_sdk::P], vec![0; tsz_ext_sdk::MAX_ARGS + 1]] {
        let op = shaped(&|op| op.args = args.clone());
        assert_eq!(attempt(&mut world, op), Err(ExtReject::Args { max: tsz_ext_sdk::MAX_ARGS }));
    }
    assert_eq!(attempt(&mut world, shaped(&|op| op.args.clear())), Err(Fault::Args.into()));
    // an undeclared cell, and one declared for reading
    let undeclared = attempt(&mut world, shaped(&|op| op.cells.truncate(1)));
    assert!(matches!(undeclared, Err(ExtReject::Program(Fault::Undeclared { .. }))), "{undeclared:?}");
    let read_only = attempt(&mut world, shaped(&|op| op.cells[1].write = false));
    assert!(matches!(read_only, Err(ExtReject::Program(Fault::NotWritable { .. }))), "{read_only:?}");
    attempt(&mut world, honest).unwrap();
}
