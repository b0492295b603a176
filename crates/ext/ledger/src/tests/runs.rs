//! What a guest commits to.

use super::grid::{Grid, intent};
use crate::*;
use alloc::vec::Vec;
use tsz_ext_apps::grid::program;
use tsz_ext_sdk::{Fault, Leaf, P};
use tsz_hash::{Domain, F, PrimeCharacteristicRing, hash};
use tsz_ledger::Access;

const START: Leaf = [1, 2, 3, 4, 5, 6, 7, 8];

fn history() -> Vec<(Extension, Vec<Access>)> {
    let mut grid = Grid::new(intent(true, 11, 6));
    let fills: [&[(u32, u64)]; 3] = [&[(2, 1)], &[(2, 2)], &[(2, 2), (2, 1)]];
    fills.into_iter().map(|fill| grid.fill([100, 200], fill).unwrap()).collect()
}

fn run_of(history: &[(Extension, Vec<Access>)]) -> Run {
    let ops: Vec<_> = history.iter().map(|(op, log)| (op, log.as_slice())).collect();
    Run::new(&START, &ops).unwrap()
}

#[test]
fn the_program_commits_to_what_the_guard_logged() {
    let history = history();
    let run = run_of(&history);
    assert_eq!(run.simulate(program), Ok(run.digest));
    // ranges join
    let first = run_of(&history[..1]);
    let ops: Vec<_> = history[1..].iter().map(|(op, log)| (op, log.as_slice())).collect();
    let rest = Run::new(&first.end, &ops).unwrap();
    assert_eq!((rest.end, rest.simulate(program)), (run.end, Ok(rest.digest)));
    assert_ne!(rest.digest, run.digest);
}

#[test]
fn no_other_log_has_the_digest() {
    let history = history();
    let honest = run_of(&history);
    let mut lies = 0;
    for k in 0..history.len() {
        let journaled = 6 + history[k].0.cells.len();
        for access in 0..journaled {
            let mut lied = history.clone();
            let entry = &mut lied[k].1[access];
            if entry.write {
                entry.new[1] += F::ONE;
            } else {
                entry.old[1] += F::ONE;
                entry.new = entry.old;
            }
            let run = run_of(&lied);
            assert_ne!(run.digest, honest.digest);
            // what was read is for the transition proof to judge; a write is the program's
            if lied[k].1[access].write {
                assert_ne!(run.simulate(program), Ok(run.digest), "op {k}, access {access}");
            }
            lies += 1;
        }
    }
    assert!(lies > 40, "{lies}");
}

#[test]
fn order_and_count_are_bound() {
    let mut history = history();
    let honest = run_of(&history);
    history.swap(0, 1);
    assert_ne!(run_of(&history).digest, honest.digest);
    history.swap(0, 1);
    history.pop();
    assert_ne!(run_of(&history).digest, honest.digest);
    let other = Run::new(&[0; 8], &[]).unwrap();
    assert_ne!(other.digest, Run::new(&START, &[]).unwrap().digest);
}

#[test]
fn bad_input_ends_the_run() {
    let honest = run_of(&history());
    let faults = |change: &dyn Fn(&mut Vec<u32>)| {
        let mut run = honest.clone();
        change(&mut run.input);
        run.simulate(program)
    };
    assert_eq!(faults(&|w| w.truncate(w.len() - 1)), Err(Fault::Shape));
    assert_eq!(faults(&|w| w[0] += 1), Err(Fault::Shape));
    assert_eq!(faults(&|w| w[1] = P), Err(Fault::Word));
    // counts: accesses, writes, parties, arguments
    for (word, value) in
        [(9, 129), (9, 5), (9, u32::MAX), (10, 99), (10, 0), (11, 0), (11, 17), (12, u32::MAX)]
    {
        let fault = faults(&|w| w[word] = value);
        assert!(fault.is_err(), "{word} = {value}");
    }
    // every word beyond the field, and the same felt in another representation
    for word in 13..honest.input.len() {
        let was = honest.input[word];
        assert_ne!(faults(&|w| w[word] = P), Ok(honest.digest), "{word}");
        if let Some(twice) = was.checked_add(P) {
            assert!(faults(&|w| w[word] = twice).is_err(), "{word}");
        }
    }
}

#[test]
fn ids_of_guests_differ_from_those_of_families() {
    let ids = [guest_algorithm(&[1; 8]), guest_algorithm(&[2; 8]), guard_algorithm()];
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
    let family = |n| hash(Domain::Algorithm, &[F::ONE, F::from_u32(n), F::ONE]);
    assert_eq!(family(6), tsz_ledger::Family::Auth.algorithm());
    assert!((1..40).all(|n| !ids.contains(&family(n))));
}

#[test]
fn a_log_of_another_operation_is_refused() {
    let history = history();
    let (op, log) = (&history[0].0, &history[0].1[..3]);
    assert_eq!(Run::new(&START, &[(op, log)]), Err(RunError::Log(0)));
}

/// The run that crates/ext/prover executes and proves.
#[test]
fn fixture_is_what_the_ledger_makes() {
    let run = run_of(&history());
    super::check_words("guests/fixtures/grid", &[&run.digest, &run.input[..]].concat());
}
