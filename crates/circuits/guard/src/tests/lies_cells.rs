//! Lies about which cells are written, how they are ordered and counted, and about journals.

use tsz_ext::key;
use tsz_ext_sdk::cell;
use tsz_ledger::{Key, Leaf, Realm};

use super::lies::refused;
use super::world::*;
use crate::prove::public_values;

fn value(felt: u32, at: usize) -> Leaf {
    let mut leaf = Leaf::default();
    leaf[at] = f(felt);
    leaf
}

#[test]
fn rejects_writes_of_everything_but_balances_and_storage() {
    let world = World::approved();
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
        Key::mkr(0, 0, 0),
        key::program(a, s, slot(0)),
        key::terms(a, s, slot(0)),
        key::policy(a, s, slot(0)),
        key::limit(a, s, slot(0), 0),
        key::limit(a, s, slot(0), 3),
        Key::user(Realm::Private, 2, 0, cell::APPROVAL + 7),
        key::storage(a, s, slot(1), 0),
        key::storage(account(3), s, slot(0), 0),
        Key::user(Realm::Private, 2, 0, 31),
        // a balance's and a storage cell's number in the other half of the tree
        Key::user(Realm::Private, 2, 0, cell::BAL),
        Key::user(Realm::Published, 2, 0, cell::APPROVAL + cell::STORAGE),
    ];
    for key in forbidden {
        assert_ne!(refused(&world, &[(2, 0)], &[(key, value(1, 7))]), "nowhere", "{key:?}");
    }
}

#[test]
fn rejects_a_leg_where_there_are_none() {
    let mut world = World::approved();
    world.apply(&[(2, 0)], &[stored(2, 0, 0, 9, 1)], &[]);
    // the same log, with LEG in the place of the storage cell
    world.records[0].accesses[3].key = Key::user(Realm::Private, 2, 0, cell::APPROVAL + cell::LEG);
    assert_ne!(world.verdict(), "nowhere");
    let as_storage = world.verdict_with(|rows| {
        rows.cells[0].is_store = f(1);
        rows.cells[0].at = f(0) - f(1);
    });
    assert_ne!(as_storage, "nowhere");
}

#[test]
fn rejects_storage_under_another_epoch() {
    let mut world = World::approved();
    for epoch in [0, 2, 1 << 24] {
        assert_eq!(refused(&world, &[(2, 0)], &[stored(2, 0, 0, 9, epoch)]), "cell");
    }
    world.approve(2, 0, &[]);
    assert_eq!(refused(&world, &[(2, 0)], &[stored(2, 0, 0, 9, 1)]), "cell");
    world.apply(&[(2, 0)], &[stored(2, 0, 0, 9, 2)], &[]);
    assert_eq!(world.verdict(), "nowhere");
}

#[test]
fn rejects_what_is_no_balance() {
    let world = World::approved();
    let key = Key::bal(2, 0, QUOTE.into());
    for (felt, at) in [(1 << 24, 0), (1 << 24, 3), (1, 4), (1, 7)] {
        assert_eq!(refused(&world, &[(2, 0)], &[(key, value(felt, at))]), "cell", "{felt} at {at}");
    }
}

#[test]
fn rejects_cells_out_of_order_or_twice() {
    let mut world = World::approved();
    world.apply(&[(2, 0)], &[], &[Key::mkp(1), Key::mkp(2), Key::acct(2)]);
    for (a, b) in [(3, 4), (4, 5)] {
        let mut lie = world.clone();
        lie.records[0].accesses.swap(a, b);
        assert_eq!(lie.verdict(), "cell");
    }
    let mut lie = world.clone();
    lie.records[0].accesses[4] = lie.records[0].accesses[3];
    assert_eq!(lie.verdict(), "cell");
    // two changes of one balance would be one only for the limits
    let moved = [world.moved(2, 0, QUOTE, 0)];
    let mut op = world.operation(&[(2, 0)], &moved, &[]);
    op.cells.push(op.cells[0]);
    world.forge(op, &moved);
    assert_ne!(world.verdict(), "nowhere");
}

#[test]
fn rejects_a_write_that_is_told_as_a_read_and_the_other_way_round() {
    let mut world = World::approved();
    world.apply(&[(2, 0)], &[stored(2, 0, 0, 9, 1)], &[Key::HEAD]);
    let told = world.verdict_with(|rows| {
        rows.cells[1].is_store = f(0);
        rows.operations[0].writes = f(0);
    });
    assert_ne!(told, "nowhere");
    // the write flag of the key made by the account's high bits
    let hidden = world.verdict_with(|rows| {
        rows.cells[1].is_store = f(0);
        rows.cells[1].account.hi += f(1 << 14);
        rows.operations[0].writes = f(0);
    });
    assert_ne!(hidden, "nowhere");
}

#[test]
fn rejects_other_counts() {
    let mut world = World::approved();
    let moved = [world.moved(2, 0, QUOTE, -1), world.moved(3, 0, QUOTE, 1)];
    world.apply(&[(2, 0), (3, 1)], &moved, &[Key::HEAD]);
    type Change = fn(&mut crate::trace::Rows);
    let changes: [Change; 12] = [
        |rows| rows.operations[0].parties += f(1),
        |rows| rows.operations[0].accesses += f(1),
        |rows| rows.operations[0].writes -= f(1),
        |rows| rows.operations[0].limits -= f(1),
        |rows| rows.operations[0].has_cells = f(0),
        |rows| rows.operations[0].has_limits = f(0),
        |rows| rows.parties.truncate(rows.parties.len() - 1),
        |rows| rows.cells.truncate(rows.cells.len() - 1),
        |rows| rows.limits.truncate(rows.limits.len() - 1),
        |rows| rows.parties[1].run.is_first = f(1),
        |rows| rows.cells[0].run.is_last = f(1),
        |rows| rows.operations.clear(),
    ];
    for (k, change) in changes.into_iter().enumerate() {
        assert_ne!(world.verdict_with(change), "nowhere", "change {k}");
    }
}

#[test]
fn rejects_too_many_accesses() {
    let mut world = World::approved();
    let reads: Vec<Key> = (0..126).map(|n| Key::bal(n, 0, 0)).collect();
    let most = world.operation(&[(2, 0)], &[], &reads[..125]);
    let class = crate::Class { tuple: 10, ..TINY };
    world.forge(most, &[]);
    let judged = |world: &World| {
        let start = world.context.digest();
        let witness =
            crate::Witness::new(&class, &world.context, program(), &world.records, start, start).unwrap();
        let airs = class.circuit(tsz_stark::Profile::Base).airs;
        place(tsz_air::check(&airs, &witness.traces, &public_values(&witness.claim)))
    };
    assert_eq!(judged(&world), "nowhere");
    world.records.clear();
    let more = world.operation(&[(2, 0)], &[], &reads);
    assert!(world.clone().try_apply(more.clone()).is_err());
    world.forge(more, &[]);
    assert_eq!(judged(&world), "bus:range12");
}

#[test]
fn rejects_another_journal() {
    let world = every_operation();
    let honest = world.witness().unwrap();
    judge(&honest).unwrap();
    // another start or end, another order or number of operations
    type Change = fn(&mut tsz_ledger::GuardClaim);
    let changes: [Change; 3] = [
        |claim| claim.journal_start[2] += f(1),
        |claim| claim.journal_end[7] += f(1),
        |claim| claim.exec.count -= 1,
    ];
    for change in changes {
        let mut witness = honest.clone();
        change(&mut witness.claim);
        assert_ne!(place(judge(&witness)), "nowhere");
    }
    // a journal of other operations: values, keys, counts, a missing and a doubled operation
    let of_others = |change: &dyn Fn(&mut World)| {
        let mut other = world.clone();
        change(&mut other);
        let mut witness = honest.clone();
        let theirs = other.witness().unwrap();
        let [journal, permutations] = [crate::class::JOURNAL, 8];
        witness.traces[journal] = theirs.traces[journal].clone();
        witness.traces[permutations] = theirs.traces[permutations].clone();
        witness.claim.journal_end = theirs.claim.journal_end;
        place(judge(&witness))
    };
    assert_eq!(of_others(&|_| ()), "nowhere");
    assert_eq!(of_others(&|w| w.records[0].accesses[2].old[1] += f(1)), "bus:journal_value");
    assert_eq!(of_others(&|w| w.records[1].accesses[6].new[0] += f(1)), "bus:journal_value");
    assert_eq!(of_others(&|w| w.records[6].accesses[15].key = Key::mkp(77)), "bus:journal_key");
    assert_ne!(of_others(&|w| w.records.truncate(6)), "nowhere");
    assert_ne!(of_others(&|w| w.records[1] = w.records[0].clone()), "nowhere");
    // the order within the journal is the prover's
    assert_eq!(of_others(&|w| w.records.swap(0, 1)), "nowhere");
}
