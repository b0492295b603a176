//! The smallest program, from approval to payment.

use super::world::*;
use crate::*;
use tsz_ext_apps::vesting::program;
use tsz_ext_sdk::Fault;
use tsz_ledger::{Cell, HeadCell, Key};
use tsz_stf::View;
use tsz_types::TimeMs;

const ID: u32 = 78;
/// From second 1 to second 3, 100 units to account 3.
const TERMS: [u32; 4] = [1, 3, 100, 3];

/// Sets the time of the state, as BeginBatch does, and pays.
fn pay(world: &mut World, time: u64, receiver: u32, terms: &[u32]) -> Result<(), ExtReject> {
    let head = HeadCell::from_leaf(&world.view.get(Key::HEAD)).unwrap();
    world.view.set(Key::HEAD, HeadCell { time: TimeMs::new(time).unwrap(), ..head }.to_leaf());
    let paid = Touch::write(key::storage(account(2), sub(0), slot(0), 0));
    let cells = [Touch::read(Key::HEAD), bal(2, QUOTE), bal(receiver, QUOTE), paid];
    let op = operation(id(ID), &[2, receiver], &cells, &[&[0], terms].concat());
    world.apply(ExtOp::Extension(op), &[(id(ID), program)]).map(|_| ())
}

#[test]
fn pays_what_is_due_and_no_more() {
    let mut world = World::new();
    world.approve(2, id(ID), terms_digest(&TERMS), &[limit(QUOTE, 100)]);
    for n in [3, 4] {
        world.approve(n, id(ID), id(0), &[]);
    }
    for (time, paid) in [(999, 0), (2_000, 50), (2_000, 50), (2_500, 75), (9_000, 100), (9_000, 100)] {
        pay(&mut world, time, 3, &TERMS).unwrap();
        assert_eq!(world.micros(3, QUOTE), (1_000 + paid) * 1_000_000, "at {time}");
    }
    assert_eq!(pay(&mut world, 9_000, 4, &TERMS), Err(ExtReject::Program(Fault::Rule(1))));
    for word in 0..4 {
        let mut lied = TERMS;
        lied[word] += 1;
        assert_eq!(pay(&mut world, 9_000, 4, &lied), Err(ExtReject::Program(Fault::Terms)));
    }
}

#[test]
fn fixture_is_what_the_ledger_makes() {
    let mut sim = crate::sim::Sim::new(program);
    sim.fund(2, 0, 0, 1_000);
    let payer = sim.approve(2, 0, 0, &TERMS, &[(0, 100)]);
    let receiver = sim.approve(3, 0, 0, &[], &[]);
    for (time, paid) in [(2_000, 50), (2_500, 75)] {
        sim.set_time(time);
        sim.run(&[payer, receiver], &[&[0], &TERMS[..]].concat()).unwrap();
        assert_eq!(sim.micros(3, 0, 0), paid * 1_000_000);
    }
    super::check_fixture("vesting", &sim);
}
