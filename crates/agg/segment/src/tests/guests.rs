//! Runs of guests: what a real one states, and lies about its program and its journal.

use std::cell::RefCell;

use p3_field::{PrimeCharacteristicRing, PrimeField32};
use tsz_ext::{RunEvents, guest_algorithm, poseidon24, run_output, words};
use tsz_ext_sdk::{Leaf, Memory, replay};
use tsz_hash::Digest;
use tsz_plonk::gadgets::hash;
use tsz_plonk::{Builder, Program, RunError, Value};
use tsz_segment::circuit::Circuit;
use tsz_segment::shape::Shape;
use tsz_segment::verify as verify_seal;
use tsz_stark::{F, Profile};

use super::{first, second};
use crate::guest::JournalWires;
use crate::run::run_values;
use crate::{
    GUEST_PUBLICS, GuestClaim, Journal, LiftError, RUNS, RunProgram, build_guest, run_list, run_name,
    run_shape,
};

const P: u32 = 0x7800_0001;

fn felts(leaf: &[u32]) -> Digest {
    core::array::from_fn(|k| F::from_u32(leaf[k]))
}

thread_local! {
    /// The blocks of the last call of [`spy`].
    static LAST: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

fn spy(capacity: &mut Leaf, words: &[u32]) {
    LAST.with_borrow_mut(|last| *last = words.to_vec());
    poseidon24::absorb(capacity, words);
}

/// The journal of the run of which [`first`] and [`second`] are the segments.
pub(super) fn journal() -> Journal {
    let (journal, digest) = repeated(1);
    let text = include_str!("../../../../../guests/fixtures/grid.txt");
    let output: Vec<u32> = text.lines().take(8).map(|w| w.parse().unwrap()).collect();
    assert_eq!(digest[..], output);
    journal
}

/// The journal and the output of a run of the fixture's operations so many times over: a guest does not ask whether one
/// follows from the other.
pub(super) fn repeated(times: u32) -> (Journal, Leaf) {
    let text = include_str!("../../../../../guests/fixtures/grid.txt");
    let words: Vec<u32> = text.lines().skip(8).map(|w| w.parse().unwrap()).collect();
    let (count, (start, ops)) = (times * words[0], words[1..].split_at(8));
    let input = [&[count], start, &ops.repeat(times as usize)].concat();
    let digest =
        replay(tsz_ext_apps::grid::program, &mut &input[..], &mut Memory::new(), spy, |_| ()).unwrap();
    // the digest absorbs start and end last of all
    let end = LAST.with_borrow(|last| felts(&last[8..16]));
    (Journal { start: felts(start), end, count, events: None }, digest)
}

fn claim(journal: &Journal) -> GuestClaim {
    let image = verify_seal(&first()).unwrap().pre;
    let Journal { start, end, count, .. } = *journal;
    GuestClaim { algorithm: guest_algorithm(&image), start, end, count }
}

/// The program for a list of sizes, before it has keys.
struct Guest {
    shapes: Vec<Shape>,
    program: Program,
}

impl Guest {
    fn new(sizes: &[u32]) -> Self {
        let shapes: Vec<Shape> = sizes.iter().map(|po2| Shape::new(*po2).unwrap()).collect();
        let circuit = build_guest(Circuit::rv32im().unwrap(), &shapes);
        let shape = run_shape(Profile::InsecureNode, sizes.len());
        Self { program: Program::compile(circuit, shape).unwrap(), shapes }
    }

    fn run(&self, journal: &[Value], seals: &[Vec<u32>]) -> Result<Vec<F>, RunError> {
        let mut inputs = run_values(&self.shapes, seals).unwrap();
        inputs.extend_from_slice(journal);
        self.program.run(&inputs).map(|witness| witness.publics)
    }
}

#[test]
fn runs_of_guests_state_program_and_journal_and_no_other() {
    let (guest, honest) = (Guest::new(&[15, 14]), journal());
    let seals = [first(), second()];
    assert_eq!(tsz_segment::sizes(&seals).unwrap(), [15, 14]);
    let publics = guest.run(&honest.values(), &seals).unwrap();
    assert_eq!(publics, claim(&honest).publics());
    assert_eq!(publics.len(), GUEST_PUBLICS);
    let refused = |what: &str, change: &dyn Fn(&mut Journal)| {
        let mut lie = honest;
        change(&mut lie);
        assert!(matches!(guest.run(&lie.values(), &seals), Err(RunError::Gate { .. })), "{what}");
    };
    refused("start", &|j| j.start[0] += F::ONE);
    refused("end", &|j| j.end[7] += F::ONE);
    refused("start and end swapped", &|j| (j.start, j.end) = (j.end, j.start));
    refused("one operation more", &|j| j.count += 1);
    refused("one operation less", &|j| j.count -= 1);
    refused("no operation", &|j| j.count = 0);
    refused("the count in another representation", &|j| j.count += 1 << 24);
    refused("events that there are none of", &|j| j.events = Some((1, j.end)));
    // the flag and the number of events say different things
    let mut lie = honest.values();
    let flag = lie.len() - 1;
    lie[flag] = Value::ONE;
    assert!(guest.run(&lie, &seals).is_err());
    lie[flag] = Value::TWO;
    assert!(guest.run(&lie, &seals).is_err());
    // segments of the same sizes in another order, or of another run
    let twice = Guest::new(&[14, 14]);
    assert!(twice.run(&honest.values(), &[second(), second()]).is_err());
    assert!(Guest::new(&[15]).run(&honest.values(), &[first()]).is_err());
    // a run from the middle is one of another program
    let publics = Guest::new(&[14]).run(&honest.values(), &[second()]).unwrap();
    assert_ne!(publics[..8], claim(&honest).algorithm);
    assert_eq!(publics[8..], claim(&honest).publics()[8..]);
}

/// The digest of a journal, as the program computes it.
fn digests() -> Program {
    let mut b = Builder::new();
    let journal = JournalWires::input(&mut b);
    journal.assert_numbers(&mut b);
    let digest = journal.digest(&mut b);
    hash::expose(&mut b, digest);
    Program::fitted(b, Profile::InsecureNode).unwrap()
}

#[test]
fn digests_of_journals_are_those_of_guests() {
    let (program, base) = (digests(), journal());
    let run = |journal: &Journal| {
        program
            .run(&journal.values())
            .map(|w| felts(&w.publics.iter().map(|x| x.as_canonical_u32()).collect::<Vec<_>>()))
    };
    let capacity = base.start;
    let numbers =
        [(3, 0), (3, 1), (3, 24), (0, 0), (1, 8), ((1 << 24) - 1, 0), ((1 << 24) - 1, (1 << 27) - 8)];
    for (count, events) in numbers {
        let told = (events > 0).then_some((events, capacity));
        let journal = Journal { count, events: told, ..base };
        let events = told.map(|(count, capacity)| RunEvents { count, capacity: words(&capacity) });
        let expected = run_output(&words(&base.start), &words(&base.end), count, events.as_ref());
        assert_eq!(run(&journal).unwrap(), felts(&expected), "{count} {events:?}");
    }
    // more events than operations have, and counts beyond their width, also as another representation of a small one
    let refused = [
        (3, 25),
        (0, 1),
        (1, 9),
        (1 << 24, 0),
        (1 << 24, 1),
        (P - 1, 0),
        (3, P - 1),
        (1 << 27, 8),
        ((1 << 24) - 1, 1 << 27),
    ];
    for (count, events) in refused {
        let journal = Journal { count, events: (events > 0).then_some((events, capacity)), ..base };
        assert!(run(&journal).is_err(), "{count} {events}");
    }
    // events that the flag denies, a flag without events
    let mut values = Journal { events: Some((1, capacity)), ..base }.values();
    let flag = values.len() - 1;
    values[flag] = Value::ZERO;
    assert!(program.run(&values).is_err());
    let mut values = base.values();
    values[flag] = Value::ONE;
    assert!(program.run(&values).is_err());
}

#[test]
fn words_have_one_pair_of_halves_and_are_below_the_order_of_the_field() {
    let mut b = Builder::new();
    let halves = core::array::from_fn(|_| b.input());
    for word in crate::guest::words(&mut b, &halves) {
        b.expose(word);
    }
    let program = Program::fitted(b, Profile::InsecureNode).unwrap();
    let run = |word: u32, low: u32, high: u32| {
        let mut values = [Value::ZERO; 16];
        values[6] = Value::from(F::from_u32(low));
        values[7] = Value::from(F::from_u32(high));
        let publics = program.run(&values).ok()?.publics;
        assert_eq!(publics[3], F::from_u32(word));
        Some(())
    };
    for word in [0, 1, 0xffff, 0x1_0000, 0x7fff_0000 - (1 << 27), P - 1, 0x1234_5678] {
        run(word, word & 0xffff, word >> 16).unwrap();
        // the same felt from other halves
        if word >> 16 > 0 {
            assert!(run(word, (word & 0xffff) + 0x1_0000, (word >> 16) - 1).is_none(), "{word:x}");
        }
        if let Some(twice) = word.checked_add(P) {
            assert!(run(word, twice & 0xffff, twice >> 16).is_none(), "{word:x}");
        }
    }
}

/// Every list has a program of the shape of its number of segments, so one verifier serves all of one shape.
#[test]
fn programs_of_all_lists_fit_their_shapes() {
    for list in RUNS {
        let shapes: Vec<Shape> = list.iter().map(|po2| Shape::new(*po2).unwrap()).collect();
        let rows = tsz_plonk::rows(&build_guest(Circuit::rv32im().unwrap(), &shapes));
        assert!(run_shape(Profile::Node, list.len()).holds(&rows), "{list:?}: {rows:?}");
        assert_eq!(run_list(list), Some(*list));
    }
    assert!(RUNS.iter().all(|list| list.len() == 1), "one verifier serves all");
    assert_eq!(run_list(&[14, 15]), None);
    assert_eq!(run_name(&[15, 14]), "run/15-14");
}

/// A run is proven under the key of its list; proofs of programs of one shape differ in their keys alone.
#[test]
fn a_run_of_a_guest_is_proven() {
    let program = RunProgram::new(&[15, 14], Profile::InsecureNode).unwrap();
    let journal = journal();
    let (publics, proof) = program.prove(&journal, &[first(), second()]).unwrap();
    assert_eq!(publics, claim(&journal).publics());
    tsz_plonk::verify(program.prover().vk(), &publics, &proof).unwrap();
    let mut lie = publics.clone();
    lie[24] += F::ONE;
    assert!(tsz_plonk::verify(program.prover().vk(), &lie, &proof).is_err());
    let one = [second()];
    assert!(matches!(program.prove(&journal, &one), Err(LiftError::Segments { expected: 2, got: 1 })));
    let swapped = [second(), first()];
    assert!(matches!(program.prove(&journal, &swapped), Err(LiftError::Size { expected: 15, got: 14 })));
}
