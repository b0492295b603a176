//! Joins of parts of runs: the rule against the native one, keys, and the parts of a real run.

use std::cell::RefCell;
use std::sync::OnceLock;

use p3_field::PrimeCharacteristicRing;
use tsz_ext::poseidon24;
use tsz_ext_sdk::{Leaf, Memory, replay};
use tsz_hash::{Digest, hash_bytes};
use tsz_plonk::{Builder, Felt, Program, Prover, Shape, Value, from_coordinates};
use tsz_recursion::{KeyValues, Verifier};
use tsz_segment_program::{GUEST_PUBLICS, Journal, Part, PartEnd, PartProgram};
use tsz_stark::{F, Profile, Proof};

use crate::runs::join_parts;
use crate::{Join, JoinError, MapError, RUN_ARITY, RunChild, RunJoin, RunJoinError, RunJoinProgram};

fn digest(name: u8) -> Digest {
    hash_bytes(&[name])
}

fn open(from: u8, to: u8) -> Part {
    Part { from: digest(from), end: PartEnd::Open(digest(to)) }
}

fn last(from: u8, count: u32) -> Part {
    Part { from: digest(from), end: PartEnd::Last { start: digest(100), end: digest(101), count } }
}

/// Parts in the order given and no other: the circuit joins those that the native rule joins, whichever count.
#[test]
fn the_circuit_joins_parts_that_follow_each_other_and_no_others() {
    let mut b = Builder::new();
    let children: [Vec<Felt>; RUN_ARITY] =
        core::array::from_fn(|_| (0..GUEST_PUBLICS).map(|_| b.input()).collect());
    join_parts(&mut b, &children).into_iter().for_each(|felt| b.expose(felt));
    let program = Program::fitted(b, Profile::InsecureNode).unwrap();
    // a chain 0 1 2 3, a step back and one on the spot, ends after each, one with another count
    let pool = [
        open(0, 1),
        open(1, 2),
        open(2, 3),
        open(2, 0),
        open(1, 1),
        last(1, 7),
        last(2, 7),
        last(2, 8),
        last(3, 7),
    ];
    let (mut joined, mut refused) = (0, 0);
    for code in 0..pool.len().pow(4) {
        let parts: [Part; RUN_ARITY] =
            core::array::from_fn(|k| pool[code / pool.len().pow(k as u32) % pool.len()]);
        let inputs: Vec<Value> = parts.iter().flat_map(|part| part.publics()).map(Value::from).collect();
        // in a sample, any choice of those that count
        for counts in if code % 7 == 0 { 0..8 } else { 7..8u32 } {
            let mut chosen = (1..RUN_ARITY).filter(|k| counts >> (k - 1) & 1 == 1);
            let native = chosen.try_fold(parts[0], |part, k| part.then(&parts[k]));
            let mut inputs = inputs.clone();
            inputs.extend((0..3).map(|k| Value::from(F::from_bool(counts >> k & 1 == 1))));
            let got = program.run(&inputs).ok().map(|witness| witness.publics);
            assert_eq!(got, native.map(|part| part.publics()), "{parts:?} {counts}");
            if got.is_some() { joined += 1 } else { refused += 1 }
        }
    }
    assert!(joined > 100 && refused > 1_000, "{joined} {refused}");
    // flags are bits
    let parts = [open(0, 1), open(1, 2), open(2, 3), last(3, 7)];
    let mut inputs: Vec<Value> = parts.iter().flat_map(|part| part.publics()).map(Value::from).collect();
    inputs.extend([Value::ONE, Value::TWO, Value::ONE]);
    assert!(program.run(&inputs).is_err());
}

/// A program with the tables of those of parts that states what its witness says; other salts, other keys.
fn stand_in(salt: u32) -> Prover {
    let mut b = Builder::new();
    let publics: Vec<_> = (0..GUEST_PUBLICS).map(|_| b.input()).collect();
    let [x, permuted, scaled] = core::array::from_fn(|_| b.input_ext());
    let state = b.permute24([x; 6]);
    b.assert_eq(state[0], permuted);
    let product = b.scale(x, F::from_u32(salt));
    b.assert_eq(product, scaled);
    publics.into_iter().for_each(|x| b.expose(x));
    let shape =
        Shape { publics: GUEST_PUBLICS, ..Shape::fitting(Profile::InsecureNode, &tsz_plonk::rows(&b)) };
    Program::compile(b, shape).unwrap().keys().unwrap()
}

fn state(prover: &Prover, part: &Part) -> Proof {
    let mut lanes = [F::ZERO; 24];
    tsz_poseidon24::permute(&mut lanes);
    let mut inputs: Vec<Value> = part.publics().into_iter().map(Value::from).collect();
    inputs.extend([Value::ZERO, from_coordinates([lanes[0], lanes[1], lanes[2], lanes[3]]), Value::ZERO]);
    let (_, bytes) = prover.prove(&inputs).unwrap();
    Proof::from_bytes(&**prover.vk(), &bytes).unwrap()
}

/// A join that takes stand-ins of two salts, and one of a third that it does not take.
struct Rule {
    join: RunJoin,
    program: Program,
    provers: Vec<Prover>,
    keys: Vec<KeyValues>,
}

fn rule() -> &'static Rule {
    static RULE: OnceLock<Rule> = OnceLock::new();
    RULE.get_or_init(|| {
        let provers: Vec<Prover> = [3, 5, 7].map(stand_in).into();
        let keys: Vec<KeyValues> = provers.iter().map(|prover| KeyValues::from(&**prover.vk())).collect();
        let listed = keys[..2].iter().map(|key| key.digest).collect();
        let join = RunJoin::new(Verifier::new(&**provers[0].vk()), listed).unwrap();
        let program = Program::fitted(join.build(), Profile::InsecureNode).unwrap();
        Rule { join, program, provers, keys }
    })
}

/// Proofs of parts under the keys of some salts.
fn proofs(parts: &[(usize, Part)]) -> Vec<(usize, Part, Proof)> {
    parts.iter().map(|(k, part)| (*k, *part, state(&rule().provers[*k], part))).collect()
}

fn children(proofs: &[(usize, Part, Proof)]) -> Vec<RunChild<'_>> {
    proofs.iter().map(|(k, part, proof)| RunChild { key: &rule().keys[*k], part, proof }).collect()
}

fn accepted(values: Result<Vec<Value>, RunJoinError>) -> bool {
    values.is_ok_and(|values| rule().program.run(&values).is_ok())
}

#[test]
fn parts_of_listed_programs_are_joined_in_any_number_up_to_four() {
    let rule = rule();
    let chain = proofs(&[(0, open(0, 1)), (1, open(1, 2)), (0, open(2, 3)), (1, last(3, 7))]);
    for count in 1..=RUN_ARITY {
        let (part, values) = rule.join.values(&children(&chain[..count])).unwrap();
        let end = chain[count - 1].1.end;
        assert_eq!(part, Part { from: digest(0), end });
        assert_eq!(rule.program.run(&values).unwrap().publics, part.publics());
    }
    let five = [&children(&chain)[..], &children(&chain)[..1]].concat();
    assert!(matches!(rule.join.values(&five), Err(RunJoinError::Children(5))));
    assert!(matches!(rule.join.values(&[]), Err(RunJoinError::Children(0))));
}

#[test]
fn parts_swapped_missing_repeated_or_after_the_end_are_refused() {
    let rule = rule();
    let chain = proofs(&[(0, open(0, 1)), (1, open(1, 2)), (0, last(2, 7))]);
    let refused = |what: &str, order: &[usize]| {
        let all = children(&chain);
        let children: Vec<_> = order.iter().map(|k| all[*k]).collect();
        assert!(matches!(rule.join.values(&children), Err(RunJoinError::Chain(_))), "{what}");
        // told as a liar would
        assert!(!accepted(rule.join.forced_values(&children, children.len())), "{what}");
    };
    assert!(accepted(rule.join.forced_values(&children(&chain), 3)));
    refused("swapped", &[1, 0, 2]);
    refused("the last one first", &[2, 0, 1]);
    refused("one left out", &[0, 2]);
    refused("one twice", &[0, 1, 1, 2]);
    refused("the last one twice", &[0, 1, 2, 2]);
    refused("the last one in the middle", &[0, 2, 1]);
    // of another image: the part after the first starts elsewhere
    let other = proofs(&[(0, open(0, 1)), (1, open(9, 2)), (0, last(2, 7))]);
    assert!(!accepted(rule.join.forced_values(&children(&other), 3)));
    // a run that does not end joins to a part that does not, whose count no lift takes
    let (part, _) = rule.join.values(&children(&chain[..2])).unwrap();
    assert_eq!(part.publics()[GUEST_PUBLICS - 1], F::ZERO);
}

#[test]
fn proofs_under_other_keys_or_of_other_public_values_are_refused() {
    let rule = rule();
    let chain = proofs(&[(0, open(0, 1)), (2, last(1, 7))]);
    assert!(!accepted(rule.join.forced_values(&children(&chain), 2)), "an unlisted key");
    // the witness says that it is a listed one
    let lied = KeyValues { digest: rule.keys[0].digest, ..rule.keys[2].clone() };
    for key in [&rule.keys[0], &rule.keys[1], &lied] {
        let mut children = children(&chain);
        children[1].key = key;
        assert!(!accepted(rule.join.forced_values(&children, 2)));
    }
    // also where it counts for nothing: what stands there is a proof all the same
    assert!(!accepted(rule.join.forced_values(&children(&chain), 1)));
    // another part than the proof's
    let honest = proofs(&[(0, open(0, 1)), (1, last(1, 7))]);
    let lies = [open(0, 2), last(0, 7), open(5, 1)];
    for lie in &lies {
        let mut children = children(&honest);
        children[0].part = lie;
        assert!(!accepted(rule.join.forced_values(&children, 2)), "{lie:?}");
    }
    let mut counts = children(&honest);
    let lie = last(1, 8);
    counts[1].part = &lie;
    assert!(!accepted(rule.join.forced_values(&counts, 2)));
    // a verifier of proofs with other public values is none of parts
    let mut b = Builder::new();
    let x = b.public();
    b.inverse(x);
    let other = Program::fitted(b, Profile::InsecureNode).unwrap().keys().unwrap();
    let other = Verifier::new(&**other.vk());
    assert_eq!(RunJoin::new(other.clone(), vec![]).err(), Some(MapError::Counts));
    // and neither is one of nodes
    assert_eq!(Join::new(vec![other; 2]).err(), Some(JoinError::Publics));
}

thread_local! {
    /// The blocks of the last call of [`spy`].
    static LAST: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

fn spy(capacity: &mut Leaf, words: &[u32]) {
    LAST.with_borrow_mut(|last| *last = words.to_vec());
    poseidon24::absorb(capacity, words);
}

/// Journal of the run of the grid guest on its fixture, as the guest makes it.
fn journal() -> Journal {
    let text = include_str!("../../../../../guests/fixtures/grid.txt");
    let words: Vec<u32> = text.lines().map(|w| w.parse().unwrap()).collect();
    let mut input = &words[8..];
    let (start, count) = (felts(&words[9..17]), words[8]);
    replay(tsz_ext_apps::grid::program, &mut input, &mut Memory::new(), spy, |_| ()).unwrap();
    // the digest absorbs start and end last of all
    Journal { start, end: LAST.with_borrow(|last| felts(&last[8..16])), count, events: None }
}

fn felts(words: &[u32]) -> Digest {
    core::array::from_fn(|k| F::from_u32(words[k]))
}

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks::<4>().0.iter().map(|w| u32::from_le_bytes(*w)).collect()
}

/// The two segments of a real run are proven as parts, and joined in one proof.
#[test]
fn the_segments_of_a_real_run_are_joined() {
    let seals = [
        words(include_bytes!("../../../../../guests/fixtures/grid-0.seal")),
        words(include_bytes!("../../../../../guests/fixtures/grid-1.seal")),
    ];
    let journal = journal();
    let programs = [15, 14].map(|po2| PartProgram::new(po2, Profile::InsecureNode).unwrap());
    let keys = programs.each_ref().map(|program| KeyValues::from(&**program.prover().vk()));
    let mut parts = Vec::new();
    for (k, (program, seal)) in programs.iter().zip(&seals).enumerate() {
        let (publics, bytes) = program.prove((k == 1).then_some(&journal), seal).unwrap();
        let proof = Proof::from_bytes(&**program.prover().vk(), &bytes).unwrap();
        parts.push((Part::read(&publics).unwrap(), proof));
    }
    let verifier = Verifier::new(&**programs[0].prover().vk());
    let join = RunJoin::new(verifier, keys.each_ref().map(|key| key.digest).into()).unwrap();
    let program = RunJoinProgram::new(join, Profile::InsecureNode).unwrap();
    let children: Vec<RunChild<'_>> =
        parts.iter().zip(&keys).map(|((part, proof), key)| RunChild { key, part, proof }).collect();
    let (part, proof) = program.prove(&children).unwrap();
    let image = tsz_segment::verify(&seals[0]).unwrap().pre;
    let Journal { start, end, count, .. } = journal;
    assert_eq!(part, Part { from: felts(&image), end: PartEnd::Last { start, end, count } });
    tsz_plonk::verify(program.vk(), &part.publics(), &proof).unwrap();
    for k in [0, 8, 16, 24] {
        let mut lie = part.publics();
        lie[k] += F::ONE;
        assert!(tsz_plonk::verify(program.vk(), &lie, &proof).is_err());
    }
    assert!(matches!(program.prove(&[children[1], children[0]]), Err(RunJoinError::Chain(1))));
}

/// What joins of runs cost in the pinned profile: `cargo test -p tsz-tree --lib -- --ignored --nocapture rows_of_run`.
#[test]
#[ignore = "measures"]
fn rows_of_run_joins() {
    let profile = Profile::Node;
    let part = PartProgram::new(18, profile).unwrap();
    let key = part.prover().vk();
    let join = RunJoin::new(Verifier::new(&**key), vec![*key.digest(); 6]).unwrap();
    println!("run-join/4: {:?}", tsz_plonk::rows(&join.build()));
    let lower = RunJoinProgram::new(join, profile).unwrap();
    let upper = RunJoin::new(Verifier::new(lower.vk()), vec![*lower.vk().digest()]).unwrap();
    println!("run-join/16: {:?}", tsz_plonk::rows(&upper.build()));
    println!("{:?}", tsz_stark::security::security(lower.vk()));
    RunJoinProgram::new(upper, profile).unwrap();
}
