//! Honest operations satisfy the circuits.

use tsz_air::{Tamper, assert_degrees};
use tsz_ext::{Run, words};
use tsz_stark::{Profile, setup};

use super::world::*;
use crate::class::Counts;
use crate::prove::{approval_public_values, public_values};
use crate::record::ApprovalOp;
use crate::trace::Rows;

#[test]
fn accepts_every_kind_of_operation() {
    judge(&every_operation().witness().unwrap()).unwrap();
}

#[test]
fn the_journal_is_the_one_that_a_guest_commits_to() {
    let world = every_operation();
    let ops: Vec<_> = world.records.iter().map(|r| (&r.op, &r.accesses[..])).collect();
    let run = Run::new(&words(&world.context.digest()), &ops).unwrap();
    let claim = world.witness().unwrap().claim;
    assert_eq!(words(&claim.journal_end), run.end);
    assert_eq!(claim.exec.count as usize, ops.len());
}

#[test]
fn accepts_an_empty_range() {
    let witness = World::new().witness().unwrap();
    assert_eq!(witness.claim.exec.start, witness.claim.exec.end);
    assert_eq!(witness.claim.journal_start, witness.claim.journal_end);
    judge(&witness).unwrap();
}

#[test]
fn accepts_approvals_and_revocations() {
    let world = every_approval();
    judge_approvals(&world.approval_witness().unwrap()).unwrap();
    judge_approvals(&World::new().approval_witness().unwrap()).unwrap();
}

/// New slots, slots over old ones, 0 to 4 limits of any size, revocations of full and empty slots.
pub fn every_approval() -> World {
    let mut w = World::approved();
    w.approve(2, 0, &[limit(0, 0), limit(1, 1), limit(126, (1 << 60) - 1), limit(127, 123_456_789_012)]);
    w.approve(2, 0, &[limit(127, 1)]);
    for (n, place) in [(2, 0), (2, 0), (5, 3)] {
        let op = w.revocation(n, place);
        w.change(ApprovalOp::Revoke(op)).unwrap();
    }
    w.approve(2, 0, &[limit(3, 1 << 24), limit(5, 1 << 48)]);
    w
}

#[test]
fn no_constraint_exceeds_degree_3() {
    let pk = setup(TINY.circuit(Profile::Base)).unwrap();
    println!("{}", tsz_air::report(pk.vk().tables()));
    assert_degrees(pk.vk().tables());
    let pk = setup(SMALL.circuit(Profile::Base)).unwrap();
    println!("{}", tsz_air::report(pk.vk().tables()));
    assert_degrees(pk.vk().tables());
}

/// Witnesses that only some rows use; in the others any value does.
const CONDITIONAL: [&str; 15] = [
    "cell at",
    "cell party.place",
    "cell party.slot",
    "cell party.epoch",
    "cell party.tokens",
    "cell apart_inv",
    "cell new",
    "cell old_digits",
    "cell new_digits",
    "cell rise",
    "cell carries",
    "cell borrow",
    "money carries",
    "approve weights",
    "approve limits",
];

fn assert_constrained(tamper: &Tamper<'_, crate::GuardAir>) {
    let mut bad = Vec::new();
    for r in tamper.columns().into_iter().filter(|r| r.trials > 0) {
        let column = r.column.split('[').next().unwrap_or_default();
        let name = format!("{} {column}", r.table);
        let conditional = CONDITIONAL.iter().any(|c| name.starts_with(c));
        if r.noticed == 0 || r.noticed < r.trials && !conditional {
            bad.push(format!("{} {}: {} of {}", r.table, r.column, r.noticed, r.trials));
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}

#[test]
fn every_cell_is_constrained() {
    let world = every_operation();
    let witness = world.witness().unwrap();
    let airs = TINY.circuit(Profile::Base).airs;
    let rows = Rows::of(&world.context, &world.records).unwrap();
    // the end row aside: it holds a capacity only
    let journal = Counts::of(&world.records).unwrap().journal;
    let lengths = [rows.operations.len(), rows.parties.len(), rows.cells.len(), rows.limits.len()];
    let mut lengths = [&lengths[..], &[rows.money.len(), journal]].concat();
    lengths.resize(airs.len(), 0);
    assert_constrained(&Tamper {
        airs: &airs,
        traces: &witness.traces,
        public_values: &public_values(&witness.claim),
        real_rows: &lengths,
        trials: 96,
        seed: 7,
    });
}

#[test]
fn every_cell_of_approvals_is_constrained() {
    let world = every_approval();
    let witness = world.approval_witness().unwrap();
    let airs = SMALL.circuit(Profile::Base).airs;
    let [approvals, revocations] = crate::approval_counts(&world.approvals);
    let mut lengths = vec![approvals, revocations];
    lengths.resize(airs.len(), 0);
    assert_constrained(&Tamper {
        airs: &airs,
        traces: &witness.traces,
        public_values: &approval_public_values(&witness.claim),
        real_rows: &lengths,
        trials: 64,
        seed: 8,
    });
}
