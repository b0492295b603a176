//! Parts of runs: what real segments say, and lies about their public felts and their journal.

use p3_field::{PrimeCharacteristicRing, PrimeField32};
use tsz_ext::run_output;
use tsz_hash::Digest;
use tsz_plonk::{Builder, Program, Value};
use tsz_segment::circuit::{Circuit, GLOBALS};
use tsz_segment::shape::Shape;
use tsz_segment::{Seal, SegmentClaim, Words, place, verify as verify_seal};
use tsz_stark::{F, Profile};

use super::guests::journal;
use super::{first, second};
use crate::part::{NO_JOURNAL, expose};
use crate::{Journal, LiftError, PARTS, Part, PartEnd, PartProgram, build_part, part_name, run_shape};

const P: u32 = 0x7800_0001;

fn felts(words: &Words) -> Digest {
    words.map(F::from_u32)
}

fn words(digest: &Digest) -> Words {
    digest.map(|x| x.as_canonical_u32())
}

/// The part that a segment with this claim is, natively; none where it is none.
fn part(claim: &SegmentClaim, journal: &Journal) -> Option<Part> {
    let canonical = |words: &Words| words.iter().all(|word| *word < P).then(|| felts(words));
    let from = canonical(&claim.pre)?;
    let Some(end) = claim.end else {
        return Some(Part { from, end: PartEnd::Open(canonical(&claim.post)?) });
    };
    let Journal { start, end: journal_end, count, events } = *journal;
    let output = run_output(&words(&start), &words(&journal_end), count, None);
    let holds = (end.code, end.more, end.output) == (0, 0, output) && count > 0 && events.is_none();
    holds.then_some(Part { from, end: PartEnd::Last { start, end: journal_end, count } })
}

/// The rules of a part over public felts from the witness.
fn rules() -> Program {
    let mut b = Builder::new();
    let globals: Vec<_> = (0..GLOBALS).map(|_| b.input()).collect();
    expose(&mut b, &globals);
    Program::fitted(b, Profile::InsecureNode).unwrap()
}

/// The circuit's rules and the native ones agree on public felts that differ from real ones in one place, with the
/// journal of the run, another one, and none.
#[test]
fn rules_of_parts_are_the_native_ones() {
    let program = rules();
    let other = Journal { count: journal().count + 1, ..journal() };
    let empty = Journal { count: 0, ..journal() };
    let (mut accepted, mut refused) = (0, 0);
    for seal in [first(), second()] {
        let honest: [F; GLOBALS] = Seal::parse(&seal).unwrap().globals;
        let mut all = vec![honest];
        for at in 0..GLOBALS {
            for value in [F::ZERO, F::ONE, F::TWO, honest[at] + F::ONE, F::from_u32(0xffff)] {
                let mut globals = honest;
                globals[at] = value;
                all.push(globals);
            }
        }
        // a word from p on, and the halves of a smaller one that are congruent to it
        let mut globals = honest;
        (globals[place::STATE_OUT.start], globals[place::STATE_OUT.start + 1]) =
            (F::ONE, F::from_u32(0x7800));
        all.push(globals);
        for globals in all {
            let Ok(claim) = SegmentClaim::read(15, &globals) else { continue };
            for journal in [journal(), other, empty, NO_JOURNAL] {
                let mut inputs: Vec<Value> = globals.iter().map(|x| Value::from(*x)).collect();
                inputs.extend(journal.values());
                let got = program.run(&inputs).ok().map(|witness| witness.publics);
                assert_eq!(got, part(&claim, &journal).map(|part| part.publics()), "{claim:?} {journal:?}");
                if got.is_some() { accepted += 1 } else { refused += 1 }
            }
        }
    }
    assert!(accepted > 100 && refused > 100, "{accepted} {refused}");
}

/// What no native claim has: flags that are no bits, halves that are none.
#[test]
fn felts_that_are_no_claim_are_refused() {
    let program = rules();
    for (seal, journal) in [(first(), NO_JOURNAL), (second(), journal())] {
        let honest: [F; GLOBALS] = Seal::parse(&seal).unwrap().globals;
        let run = |change: &dyn Fn(&mut [F; GLOBALS])| {
            let mut globals = honest;
            change(&mut globals);
            let mut inputs: Vec<Value> = globals.iter().map(|x| Value::from(*x)).collect();
            inputs.extend(journal.values());
            program.run(&inputs).is_ok()
        };
        assert!(run(&|_| ()));
        assert!(!run(&|globals| globals[place::IS_TERMINATE] = F::TWO));
        assert!(!run(&|globals| globals[place::IS_TERMINATE] = -F::ONE));
        // the same word modulo p by another pair of halves
        let borrowed = |at: usize| {
            move |globals: &mut [F; GLOBALS]| {
                globals[at] += F::from_u32(1 << 16);
                globals[at + 1] -= F::ONE;
            }
        };
        assert!(!run(&borrowed(place::STATE_IN.start)));
        let is_last = honest[place::IS_TERMINATE] == F::ONE;
        assert_eq!(run(&borrowed(place::STATE_OUT.start)), is_last, "read where the run goes on");
        assert_eq!(run(&borrowed(place::OUTPUT.start)), !is_last, "read where it ends");
    }
}

fn program(po2: u32) -> (Shape, Program) {
    let shape = Shape::new(po2).unwrap();
    let circuit = build_part(Circuit::rv32im().unwrap(), &shape);
    (shape, Program::compile(circuit, run_shape(Profile::InsecureNode, 1)).unwrap())
}

#[test]
fn segments_are_parts_that_follow_each_other() {
    let run = |po2: u32, journal: &Journal, seal: &[u32]| {
        let (shape, program) = program(po2);
        let mut inputs = crate::values(&shape, seal).unwrap();
        inputs.extend(journal.values());
        program.run(&inputs).map(|witness| witness.publics)
    };
    let claims = [first(), second()].map(|seal| verify_seal(&seal).unwrap());
    let [one, two] = claims.each_ref().map(|claim| part(claim, &journal()).unwrap());
    assert_eq!(run(15, &NO_JOURNAL, &first()).unwrap(), one.publics());
    assert_eq!(run(14, &journal(), &second()).unwrap(), two.publics());
    // a journal changes nothing where the run goes on, and all where it ends
    assert_eq!(run(15, &journal(), &first()).unwrap(), one.publics());
    assert!(run(14, &NO_JOURNAL, &second()).is_err());
    assert!(run(14, &Journal { count: journal().count + 1, ..journal() }, &second()).is_err());
    let mut damaged = second();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    assert!(run(14, &journal(), &damaged).is_err());

    for part in [one, two] {
        assert_eq!(Part::read(&part.publics()), Some(part));
        assert_eq!(Part::read(&part.publics()[1..]), None);
    }
    let mut wide = two.publics();
    wide[24] = F::from_u32(1 << 24);
    assert_eq!(Part::read(&wide), None);
    let mut open = one.publics();
    open[20] = F::ONE;
    assert_eq!(Part::read(&open), None, "a part that goes on has no journal");
    let whole = one.then(&two).unwrap();
    assert_eq!((whole.from, whole.end), (felts(&claims[0].pre), two.end));
    for (left, right) in [(one, one), (two, one), (two, two), (whole, two), (whole, one)] {
        assert_eq!(left.then(&right), None);
    }
}

/// All programs of parts have the shape of a run in one segment, so one verifier serves all of them.
#[test]
fn programs_of_parts_fit_their_shape() {
    for po2 in PARTS {
        let rows = tsz_plonk::rows(&build_part(Circuit::rv32im().unwrap(), &Shape::new(*po2).unwrap()));
        assert!(run_shape(Profile::Node, 1).holds(&rows), "{po2}: {rows:?}");
    }
    assert_eq!(part_name(18), "run-part/18");
}

#[test]
fn a_part_is_proven() {
    let program = PartProgram::new(14, Profile::InsecureNode).unwrap();
    let (publics, proof) = program.prove(Some(&journal()), &second()).unwrap();
    tsz_plonk::verify(program.prover().vk(), &publics, &proof).unwrap();
    for k in 0..publics.len() {
        let mut lie = publics.clone();
        lie[k] += F::ONE;
        assert!(tsz_plonk::verify(program.prover().vk(), &lie, &proof).is_err(), "{k}");
    }
    assert!(matches!(program.prove(None, &first()), Err(LiftError::Size { expected: 14, got: 15 })));
}
