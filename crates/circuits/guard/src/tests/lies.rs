//! One test for each lie about money, parties and limits. A liar fills every table as if the lie were true: only the lie
//! itself may fail.

use tsz_ext::{ApprovalSlot, key};
use tsz_hash::{Digest, ZERO};
use tsz_ledger::{Access, Key, Leaf};
use tsz_stf::View;
use tsz_types::{AccountId, SubId};

use super::world::*;

const BOTH: [(u32, u8); 2] = [(2, 0), (3, 1)];

/// Verdict on an operation that the native guard refuses.
pub fn refused(world: &World, parties: &[(u32, u8)], sets: &[(Key, Leaf)]) -> String {
    let op = world.operation(parties, sets, &[]);
    assert!(world.clone().try_apply(op.clone()).is_err(), "the native guard accepts");
    let mut world = world.clone();
    world.forge(op, sets);
    world.verdict()
}

/// Moves so many millionths of the quote from 2 to 3.
fn sets(world: &World, out: i128, into: i128) -> [(Key, Leaf); 2] {
    [world.moved(2, 0, QUOTE, -out), world.moved(3, 0, QUOTE, into)]
}

#[test]
fn what_is_forged_honestly_is_accepted() {
    let mut world = World::approved();
    let sets = sets(&world, 60, 60);
    let op = world.operation(&BOTH, &sets, &[Key::HEAD]);
    world.forge(op.clone(), &sets);
    assert_eq!(world.verdict(), "nowhere");
    let forged = world.records.pop().unwrap();
    world.apply(&BOTH, &sets, &[Key::HEAD]);
    assert_eq!(world.records[0].accesses, forged.accesses);
}

#[test]
fn rejects_money_made_or_lost() {
    let world = World::approved();
    for (out, into) in [(0, 1), (1, 0), (5, 4), (1 << 12, 0), (MICROS, MICROS + (1 << 24)), (1 << 24, 1)] {
        assert_eq!(refused(&world, &BOTH, &sets(&world, out, into)), "money", "{out} {into}");
    }
    // 2^96 less than before is not 0
    let mint = [world.moved(4, 0, QUOTE, (1 << 96) - 1 - world.micros(Key::bal(4, 0, 0)))];
    assert_eq!(refused(&world, &[(4, 6)], &mint), "money");
}

#[test]
fn rejects_one_token_for_another() {
    let world = World::approved();
    let swap = [world.moved(3, 0, QUOTE, -5), world.moved(3, 0, BASE, 5)];
    assert_eq!(refused(&world, &BOTH[1..], &swap), "money");
    // the rows of both tokens in one run
    let mut forged = world.clone();
    forged.forge(world.operation(&BOTH[1..], &swap, &[]), &swap);
    let joined = forged.verdict_with(|rows| {
        rows.money[0].run.is_last = f(0);
        rows.money[0].carries = Default::default();
        let after = rows.money[0].after();
        let row = &mut rows.money[1];
        (row.run.is_first, row.place, row.before, row.carries) = (f(0), f(1), after, Default::default());
    });
    assert_eq!(joined, "money");
    // the same with the token of the first row
    let renamed = forged.verdict_with(|rows| {
        let first = rows.money[0].token;
        rows.money[1].token = first;
        rows.money[0].run.is_last = f(0);
        rows.money[0].carries = Default::default();
        let after = rows.money[0].after();
        let row = &mut rows.money[1];
        (row.run.is_first, row.place, row.before, row.carries) = (f(0), f(1), after, Default::default());
    });
    assert_eq!(renamed, "bus:guard_money");
}

#[test]
fn rejects_changes_that_are_left_out_or_added() {
    let mut world = World::approved();
    let moved = [world.moved(3, 0, QUOTE, 1)];
    world.forge(world.operation(&BOTH, &moved, &[]), &moved);
    assert_eq!(world.verdict_with(|rows| rows.money.clear()), "bus:guard_money");
    // a change that nobody made, to balance the books
    let balanced = world.verdict_with(|rows| {
        let mut row = rows.money[0].clone();
        row.change.iter_mut().for_each(|x| *x = -*x);
        rows.money[0].run.is_last = f(0);
        rows.money[0].carries = Default::default();
        row.before = rows.money[0].after();
        (row.run.is_first, row.place, row.carries) = (f(0), f(1), Default::default());
        rows.money.push(row);
    });
    assert_eq!(balanced, "bus:guard_money");
}

#[test]
fn rejects_a_party_that_did_not_approve() {
    let world = World::approved();
    let moved = [world.moved(5, 0, QUOTE, -1), world.moved(2, 0, QUOTE, 1)];
    // as a party with an empty slot, as a party in another's slot, beside the parties
    assert_eq!(refused(&world, &[(2, 0), (5, 0)], &moved), "party");
    assert_eq!(refused(&world, &[(2, 1), (3, 1)], &sets(&world, 1, 1)), "party");
    assert_eq!(refused(&world, &[(2, 0)], &moved), "cell");
    let mut covered = world.clone();
    covered.forge(world.operation(&[(2, 0)], &moved, &[]), &moved);
    let charged_to_another = covered.verdict_with(|rows| {
        let cell = &mut rows.cells[1];
        (cell.is_free, cell.is_limited, cell.apart) = (f(0), f(1), Default::default());
        cell.limit[0] = f(1);
    });
    assert_eq!(charged_to_another, "bus:guard_party");
    assert_eq!(refused(&world, &[(2, 0)], &sets(&world, 1, 1)), "cell");
    // even one that does not change, of a token for which the party has no limit
    assert_eq!(refused(&world, &[(2, 0)], &[world.moved(3, 0, BASE, 0)]), "bus:guard_party");
    // another sub-account of a party is another's
    let other = [world.moved(2, 1, BASE, 0)];
    assert_eq!(refused(&world, &[(2, 0)], &other), "bus:guard_party");
}

#[test]
fn rejects_a_reserved_party() {
    for n in [0, 1] {
        let mut world = World::approved();
        // even if the slot held an approval
        let cells: [fn(AccountId, SubId, ApprovalSlot) -> Key; 2] = [key::program, key::policy];
        for cell in cells {
            let leaf = world.view.get(cell(account(2), sub(0), slot(0)));
            world.view.set(cell(account(n), sub(0), slot(0)), leaf);
        }
        assert_eq!(refused(&world, &[(n, 0), (2, 0)], &[]), "party");
    }
}

#[test]
fn rejects_an_approval_that_is_over_and_one_of_another_program() {
    let mut world = World::approved();
    let moved = sets(&world, 1, 1);
    let op = world.operation(&BOTH, &moved, &[]);
    world.forge(op, &moved);
    world.context.time += 1;
    assert_eq!(world.verdict(), "party");
    world.context.time += 1 << 30;
    assert_eq!(world.verdict(), "party");
    world.context.time = TIME;
    assert_eq!(world.verdict(), "nowhere");
    let other: Digest = core::array::from_fn(|k| program()[7 - k]);
    for leaf in [other, ZERO] {
        let mut world = World::approved();
        world.view.set(key::program(account(3), sub(0), slot(1)), leaf);
        assert_eq!(refused(&world, &BOTH, &moved), "bus:journal_value");
    }
}

#[test]
fn rejects_parties_out_of_order_or_twice() {
    let world = World::approved();
    let moved = sets(&world, 1, 1);
    assert_eq!(refused(&world, &[(3, 1), (2, 0)], &moved), "party");
    assert_eq!(refused(&world, &[(2, 0), (2, 0), (3, 1)], &moved), "party");
    let mut world = world;
    // two slots of one sub-account: its changes could be charged to either
    world.approve(2, 1, &[limit(QUOTE, 100)]);
    assert_eq!(refused(&world, &[(2, 0), (2, 1), (3, 1)], &moved), "party");
}

#[test]
fn rejects_a_limit_exceeded_by_a_millionth() {
    let mut world = World::approved();
    let most = 100 * MICROS;
    assert_eq!(refused(&world, &BOTH, &sets(&world, most + 1, most + 1)), "limit");
    assert_eq!(refused(&world, &BOTH, &sets(&world, 900 * MICROS, 900 * MICROS)), "limit");
    world.apply(&BOTH, &sets(&world, most, most), &[]);
    assert_eq!(refused(&world, &BOTH, &sets(&world, 1, 1)), "limit");
    // what came in first is no allowance
    let back = [world.moved(2, 0, QUOTE, 2 * most), world.moved(3, 0, QUOTE, -2 * most)];
    assert_eq!(refused(&world, &BOTH, &back), "limit");
}

#[test]
fn rejects_outflow_without_a_limit() {
    let world = World::approved();
    let moved = [world.moved(2, 0, BASE, -1), world.moved(3, 0, BASE, 1)];
    assert_eq!(refused(&world, &BOTH, &moved), "cell");
    let moved = [world.moved(4, 0, QUOTE, -(1 << 24)), world.moved(3, 0, QUOTE, 1 << 24)];
    assert_eq!(refused(&world, &[(3, 1), (4, 6)], &moved), "cell");
}

#[test]
fn rejects_limits_that_are_not_charged_or_charged_wrongly() {
    let mut world = World::approved();
    let moved = sets(&world, 60, 60);
    world.apply(&BOTH, &moved, &[]);
    let of = |change: &dyn Fn(&mut Vec<Access>)| {
        let mut world = world.clone();
        change(&mut world.records[0].accesses);
        world.verdict()
    };
    assert_eq!(of(&|_| ()), "nowhere");
    // accesses 6 and 7 are the balances, 8 and 9 the limits
    assert_eq!(of(&|log| log[8] = log.pop().unwrap()), "bus:guard_spend");
    assert_eq!(of(&|log| log.truncate(9)), "bus:guard_spend");
    assert_eq!(of(&|log| log.swap(8, 9)), "bus:range12");
    assert_eq!(of(&|log| log[8].new[4] -= f(1)), "bus:val");
    assert_eq!(of(&|log| log[8].new[0] += f(1)), "bus:val");
    assert_eq!(of(&|log| log[8].key = key::limit(account(2), sub(0), slot(1), 0)), "bus:key");
    assert_eq!(of(&|log| log[8].write = false), "bus:key");
    let again = of(&|log| {
        let copy = log[9];
        log.push(copy);
    });
    assert_ne!(again, "nowhere");
    // the spender says that the token has no limit
    let free = world.verdict_with(|rows| {
        let cell = &mut rows.cells[1];
        (cell.is_limited, cell.is_free, cell.limit) = (f(0), f(1), Default::default());
        rows.limits.pop();
        rows.limits[0].run.is_last = f(1);
        rows.operations[0].limits = f(1);
    });
    assert_eq!(free, "cell");
    // a change floored at zero that is not negative, and the other way round
    let floored = world.verdict_with(|rows| {
        rows.limits[0].is_floored = f(1);
        rows.limits[0].left = Default::default();
    });
    assert_eq!(floored, "limit");
    let unfloored = world.verdict_with(|rows| rows.limits[1].is_floored = f(0));
    assert_eq!(unfloored, "limit");
    // charged to the other party
    let other = world.verdict_with(|rows| {
        let party = rows.cells[1].party.clone();
        rows.cells[0].party = party;
    });
    assert_eq!(other, "bus:guard_party");
}

#[test]
fn rejects_a_fee_account_that_pays() {
    let mut world = World::approved();
    let moved = [world.moved(2, 0, QUOTE, -9), world.moved(0, 0, QUOTE, 9)];
    world.apply(&[(2, 0)], &moved, &[]);
    assert_eq!(world.verdict(), "nowhere");
    let moved = [world.moved(0, 0, QUOTE, -1), world.moved(2, 0, QUOTE, 1)];
    assert_eq!(refused(&world, &[(2, 0)], &moved), "cell");
    // insurance, and another sub-account of the fee account
    for (n, s) in [(1, 0), (0, 1)] {
        let moved = [world.moved(2, 0, QUOTE, -1), world.moved(n, s, QUOTE, 1)];
        assert_ne!(refused(&world, &[(2, 0)], &moved), "nowhere", "{n} {s}");
    }
}
