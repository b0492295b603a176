//! The program in the simulator: the real guard, no proof, milliseconds.
#![allow(clippy::unwrap_used, reason = "tests")]

use tsz_ext::sim::{Sim, approver};
use tsz_ext::{Approver, ExtReject};
use tsz_ext_sdk::Fault;
use tsz_ext_template::{PAID, program, rule};

/// 10 units of token 0 every 60 s to sub-account 2 of account 3.
const TERMS: [u32; 5] = [0, 10, 60, 3, 2];

/// Account 2 pays, and lets 25 units out in all.
fn world() -> (Sim, [Approver; 2]) {
    let mut sim = Sim::new(program);
    sim.fund(2, 0, 0, 100);
    let payer = sim.approve(2, 0, 0, &TERMS, &[(0, 25)]);
    let receiver = sim.approve(3, 2, 0, &[], &[]);
    (sim, [payer, receiver])
}

fn args(terms: &[u32]) -> Vec<u32> {
    [&[0], terms].concat()
}

#[test]
fn pays_once_a_period() {
    let (mut sim, parties) = world();
    let receipt = sim.run(&parties, &args(&TERMS)).unwrap();
    assert_eq!((receipt.events[0].topic, receipt.events[0].felts()), (PAID, &[10][..]));
    assert_eq!(sim.micros(3, 2, 0), 10_000_000);
    let early = Err(ExtReject::Program(Fault::Rule(rule::EARLY)));
    assert_eq!(sim.run(&parties, &args(&TERMS)).map(|_| ()), early);
    sim.set_time(60_001);
    sim.run(&parties, &args(&TERMS)).unwrap();
    assert_eq!(sim.micros(2, 0, 0), 80_000_000);
}

#[test]
fn an_operator_cannot_change_the_terms() {
    let (mut sim, parties) = world();
    for word in 0..TERMS.len() {
        let mut lied = TERMS;
        lied[word] += 1;
        let refused = sim.run(&parties, &args(&lied)).map(|_| ());
        assert_eq!(refused, Err(ExtReject::Program(Fault::Terms)), "word {word}");
    }
    // somebody else who approved the program too
    let thief = sim.approve(4, 0, 0, &[], &[]);
    let refused = sim.run(&[parties[0], thief], &args(&TERMS)).map(|_| ());
    assert_eq!(refused, Err(ExtReject::Program(Fault::Rule(rule::RECEIVER))));
}

#[test]
fn the_guard_has_the_last_word() {
    let (mut sim, parties) = world();
    for time in [1, 70_000] {
        sim.set_time(time);
        sim.run(&parties, &args(&TERMS)).unwrap();
    }
    sim.set_time(140_000);
    let refused = sim.run(&parties, &args(&TERMS)).map(|_| ());
    assert!(matches!(refused, Err(ExtReject::OverLimit { .. })), "{refused:?}");
    sim.revoke(&approver(2, 0, 0));
    let refused = sim.run(&parties, &args(&TERMS)).map(|_| ());
    assert!(matches!(refused, Err(ExtReject::NotApproved { .. })), "{refused:?}");
}
