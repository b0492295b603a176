//! What programs tell, what they find, what they read of other slots.

use crate::sim::Sim;
use crate::*;
use tsz_ext_sdk::{Fault, Op, P};
use tsz_ledger::Key;

/// Emits as its arguments say: `[topic, how many times, felts..]`, and counts in storage cell 0.
fn teller(op: &mut Op<'_>) -> Result<(), Fault> {
    let party = op.party(0)?;
    let ([topic, times], felts) = op.args().split_first_chunk().ok_or(Fault::Args)?;
    for _ in 0..*times {
        op.emit(*topic, felts)?;
    }
    let [count, ..] = op.load(&party, 0)?;
    op.store(&party, 0, &[count + times, 0, 0, 0, 0, 0, 0])
}

#[test]
fn events_are_part_of_the_run() {
    let mut sim = Sim::new(teller);
    let party = sim.approve(2, 0, 0, &[], &[]);
    let receipt = sim.run(&[party], &[7, 2, 5, 6]).unwrap();
    assert_eq!(receipt.events.len(), 2);
    assert_eq!((receipt.events[1].topic, receipt.events[1].felts()), (7, &[5, 6][..]));
    sim.run(&[party], &[8, 1]).unwrap();
    sim.run(&[party], &[9, 0]).unwrap();
    let run = sim.guest_run(&[3; 8]).unwrap();
    let outcome = sim.replay(&run).unwrap();
    let seen: alloc::vec::Vec<_> = outcome.events.iter().map(|e| (e.op, e.topic, e.felts().len())).collect();
    assert_eq!(seen, [(0, 7, 2), (0, 7, 2), (1, 8, 0)]);
    let mut events = tsz_ext_sdk::Events::default();
    for event in &outcome.events {
        // fewer events are another digest
        assert_ne!(run.digest_with(&events), outcome.digest);
        events.push(poseidon24::absorb, event);
    }
    assert_eq!(run.digest_with(&events), outcome.digest);
    events.push(poseidon24::absorb, &outcome.events[0]);
    assert_ne!(run.digest_with(&events), outcome.digest);
}

#[test]
fn events_have_bounds() {
    let mut sim = Sim::new(teller);
    let party = sim.approve(2, 0, 0, &[], &[]);
    sim.run(&[party], &[&[0xffff, 8][..], &[P - 1; 14]].concat()).unwrap();
    let fault = |args: &[u32]| sim.plan(&[party], args).unwrap_err();
    assert_eq!(fault(&[1, 9]), ExtReject::Program(Fault::Event));
    assert_eq!(fault(&[1 << 16, 1]), ExtReject::Program(Fault::Event));
    assert_eq!(fault(&[&[1, 1][..], &[0; 15]].concat()), ExtReject::Program(Fault::Event));
}

/// Reads the instruction in the slot that the argument names.
fn obedient(op: &mut Op<'_>) -> Result<(), Fault> {
    let party = op.party(0)?;
    let [slot] = *op.args() else { return Err(Fault::Args) };
    let order = op.instruction(&party, slot)?;
    op.check_terms(&order, &[4, 5])
}

#[test]
fn an_instruction_is_an_approval_of_the_same_program() {
    let mut sim = Sim::new(obedient);
    let party = sim.approve(2, 1, 0, &[], &[]);
    let order = sim.approve(2, 1, 3, &[4, 5], &[]);
    sim.approve(2, 1, 4, &[4, 6], &[]);
    sim.approve(2, 2, 5, &[4, 5], &[]); // of another sub-account
    sim.run(&[party], &[3]).unwrap();
    let refused = |sim: &Sim, slot| sim.plan(&[party], &[slot]).unwrap_err();
    assert_eq!(refused(&sim, 0), ExtReject::Program(Fault::Shape));
    assert_eq!(refused(&sim, 7), ExtReject::Program(Fault::Shape));
    assert_eq!(refused(&sim, 4), ExtReject::Program(Fault::Terms));
    assert_eq!(refused(&sim, 5), ExtReject::Program(Fault::NotApproved));
    // of another program, expired, revoked
    let key = key::program(order.account, order.sub, order.slot);
    let kept = tsz_stf::View::get(&sim.view, key);
    sim.view.set(key, [tsz_hash::PrimeCharacteristicRing::ONE; 8]);
    assert_eq!(refused(&sim, 3), ExtReject::Program(Fault::NotApproved));
    sim.view.set(key, kept);
    sim.set_time((1 << 48) - 2);
    sim.run(&[party], &[3]).unwrap();
    sim.revoke(&order);
    assert_eq!(refused(&sim, 3), ExtReject::Program(Fault::NotApproved));
}

#[test]
fn cells_are_found_by_running() {
    let mut sim = Sim::new(teller);
    let party = sim.approve(2, 3, 1, &[], &[]);
    let op = sim.plan(&[party], &[1, 1]).unwrap();
    let cell = key::storage(party.account, party.sub, party.slot, 0);
    assert_eq!(op.keys(), [(cell, true)]);
    assert_ne!(cell, Key::HEAD);
    // a fault is a fault
    assert_eq!(sim.plan(&[party], &[]).unwrap_err(), ExtReject::Program(Fault::Args));
}
