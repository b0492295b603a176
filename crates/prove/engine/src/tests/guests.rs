//! Extension operations in the tree: a proof of the guard and the proof of a run become a lift like any other.

use std::sync::OnceLock;

use tsz_ext::{Installed, pinned_guests, poseidon24};
use tsz_hash::{Digest, F, PrimeCharacteristicRing};
use tsz_ledger::{ExecClaim, GuardClaim};
use tsz_plonk::{Builder, Program, Prover, Shape, Value, from_coordinates};
use tsz_recursion::{KeyValues, Verifier};
use tsz_scenario::{Scenario, run};
use tsz_segment_program::{GUEST_PUBLICS, Part, PartEnd};
use tsz_stark::{Profile, Proof};
use tsz_tree::{Claim, ExecRange, GuestLift, GuestProof, MapError, PublicMap, RunForm};

use crate::circuits::circuits;
use crate::registry::{GuardCircuit, GuardJob};
use crate::*;

const GRID: &str = include_str!("../../../../client/scenario/examples/grid.json");

pub(super) fn grid() -> Digest {
    Installed::id("grid").unwrap()
}

/// The batches of the example.
pub(super) fn batches() -> Vec<ExecutedBatch> {
    executed(run(&Scenario::from_json(GRID).unwrap()).unwrap()).unwrap()
}

/// The operations of the grid program in a batch.
pub(super) fn fills(batch: &ExecutedBatch) -> Vec<(u32, &OpRecord)> {
    (0u32..).zip(&batch.records).filter(|(_, r)| r.algorithm() == grid()).collect()
}

struct Fixture {
    registry: Registry,
    /// Proofs of the guard of the two batches.
    ranges: Vec<(GuardClaim, Vec<u8>)>,
    /// One whose journal starts elsewhere than its tuples.
    astray: (GuardClaim, Vec<u8>),
}

impl Fixture {
    fn guard(&self) -> &dyn GuardCircuit {
        self.registry.guards()[0].as_ref()
    }
}

fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let registry = circuits(Profile::InsecureTest);
        let prove = |batch: &ExecutedBatch, journal: Digest| {
            let (context, ops) = (batch.header.context, fills(batch));
            let start = context.digest();
            let job = GuardJob { context, params: &batch.params, program: grid(), start, journal, ops: &ops };
            let proven = registry.guards()[0].prove(&job).unwrap();
            (proven.claim, proven.proof)
        };
        let batches = batches();
        let ranges = batches.iter().map(|b| prove(b, b.header.context.digest())).collect();
        let astray = prove(&batches[0], batches[1].header.context.digest());
        Fixture { registry, ranges, astray }
    })
}

/// A program with the tables of run programs that states what its witness says: the run itself is tested elsewhere
/// (`tsz-segment-program`), here the rule that joins it with the guard. Programs of other salts have other keys.
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

fn state(prover: &Prover, publics: &[F]) -> (Vec<F>, Vec<u8>) {
    let mut lanes = [F::ZERO; 24];
    poseidon24::permute(&mut lanes);
    let mut inputs: Vec<Value> = publics.iter().map(|x| Value::from(*x)).collect();
    inputs.extend([Value::ZERO, from_coordinates([lanes[0], lanes[1], lanes[2], lanes[3]]), Value::ZERO]);
    prover.prove(&inputs).unwrap()
}

/// The lift of the guard with stand-ins of two salts, and one of a third that it does not list.
struct Rule {
    lift: GuestLift,
    key: KeyValues,
    program: Program,
    runs: Vec<Prover>,
}

fn rule() -> &'static Rule {
    static RULE: OnceLock<Rule> = OnceLock::new();
    RULE.get_or_init(|| Rule::new(RunForm::Whole))
}

/// The same for runs that were joined from parts.
fn joined_rule() -> &'static Rule {
    static RULE: OnceLock<Rule> = OnceLock::new();
    RULE.get_or_init(|| Rule::new(RunForm::Joined))
}

impl Rule {
    fn new(form: RunForm) -> Self {
        let guard = fixture().guard();
        let runs: Vec<Prover> = [3, 5, 7].map(stand_in).into();
        let (verifier, key) = guard.base().unwrap().verifier().unwrap();
        let map = PublicMap::guard(|claim| guard.publics(claim)).unwrap();
        let run = Verifier::new(&**runs[0].vk());
        let listed = runs[..2].iter().map(|run| *run.vk().digest()).collect();
        let lift = GuestLift::new(verifier, map, run, listed, form).unwrap();
        let program = Program::fitted(lift.build(), Profile::InsecureNode).unwrap();
        Self { lift, key, program, runs }
    }
}

/// Public values of the node that a proof of the guard and a run under the key of a salt give; the claim may differ from
/// what the guard's proof says.
fn node(
    guard: &(GuardClaim, Vec<u8>),
    claim: &GuardClaim,
    run: usize,
    states: &[F],
) -> Option<(Claim, Vec<F>)> {
    node_of(rule(), guard, claim, run, states)
}

fn node_of(
    rule: &Rule,
    guard: &(GuardClaim, Vec<u8>),
    claim: &GuardClaim,
    run: usize,
    states: &[F],
) -> Option<(Claim, Vec<F>)> {
    let circuit = fixture().guard();
    let prover = &rule.runs[run];
    let (run_publics, bytes) = state(prover, states);
    let proof = GuestProof {
        guard_key: &rule.key,
        publics: &circuit.publics(claim),
        guard: &circuit.base().unwrap().decode(&guard.1).unwrap(),
        run_key: &KeyValues::from(&**prover.vk()),
        run_publics: &run_publics,
        run: &Proof::from_bytes(&**prover.vk(), &bytes).unwrap(),
    };
    let (claim, values) = rule.lift.values(claim, &proof).ok()?;
    Some((claim, rule.program.run(&values).ok()?.publics))
}

#[test]
fn a_proof_of_the_guard_with_its_run_is_a_lift_like_any_other() {
    let f = fixture();
    for (k, guard) in f.ranges.iter().enumerate() {
        let claim = &guard.0;
        f.guard().verify(claim, &guard.1).unwrap();
        let (lifted, publics) = node(guard, claim, k, &GuestLift::run_claim(claim).publics()).unwrap();
        let range = ExecRange { begins: 0, ..ExecRange::from(&claim.exec) };
        assert_eq!(lifted, Claim::Exec(range));
        assert_eq!(range.algorithm, grid());
        assert_eq!(publics, [tsz_hash::ZERO, lifted.digest()].concat());
    }
}

#[test]
fn a_run_of_another_program_journal_or_number_of_operations_is_refused() {
    let f = fixture();
    let guard = &f.ranges[0];
    let honest = GuestLift::run_claim(&guard.0);
    let other = GuestLift::run_claim(&f.ranges[1].0);
    let refused = |what: &str, change: &dyn Fn(&mut tsz_segment_program::GuestClaim)| {
        let mut run = honest;
        change(&mut run);
        assert!(node(guard, &guard.0, 0, &run.publics()).is_none(), "{what}");
    };
    refused("another program", &|run| run.algorithm = Installed::id("broker").unwrap());
    refused("one felt of the program", &|run| run.algorithm[7] += F::ONE);
    refused("another start", &|run| run.start[0] += F::ONE);
    refused("another end", &|run| run.end[7] += F::ONE);
    refused("start and end swapped", &|run| (run.start, run.end) = (run.end, run.start));
    refused("an operation more", &|run| run.count += 1);
    refused("an operation less", &|run| run.count -= 1);
    refused("the run of another range", &|run| *run = other);
    // every public value of the run counts
    for k in 0..GUEST_PUBLICS {
        let mut states = honest.publics();
        states[k] += F::TWO;
        assert!(node(guard, &guard.0, 0, &states).is_none(), "public value {k}");
    }
}

/// A joined run states the memory image that it starts from, and the lift makes the algorithm id of it.
#[test]
fn a_joined_run_of_another_image_or_one_that_goes_on_is_refused() {
    let f = fixture();
    let guard = &f.ranges[0];
    let run = GuestLift::run_claim(&guard.0);
    let image = |name: &str| {
        let pins = pinned_guests().unwrap();
        pins.iter().find(|pin| pin.name == name).unwrap().root.map(F::from_u32)
    };
    let (start, end, count) = (run.start, run.end, run.count);
    let honest = Part { from: image("grid"), end: PartEnd::Last { start, end, count } };
    let lift = |states: &[F]| node_of(joined_rule(), guard, &guard.0, 1, states);
    let (lifted, publics) = lift(&honest.publics()).unwrap();
    assert_eq!(lifted, Claim::Exec(ExecRange { begins: 0, ..ExecRange::from(&guard.0.exec) }));
    assert_eq!(publics, [tsz_hash::ZERO, lifted.digest()].concat());
    for k in 0..GUEST_PUBLICS {
        let mut states = honest.publics();
        states[k] += F::TWO;
        assert!(lift(&states).is_none(), "public value {k}");
    }
    // the image of another program, and the statement of a whole run: an algorithm id is no image
    assert!(lift(&Part { from: image("broker"), ..honest }.publics()).is_none());
    assert!(lift(&run.publics()).is_none());
    assert!(node(guard, &guard.0, 1, &honest.publics()).is_none(), "nor the other way round");
    // parts that go on, to where a journal would begin or elsewhere
    for to in [start, end, tsz_hash::ZERO] {
        assert!(lift(&Part { from: honest.from, end: PartEnd::Open(to) }.publics()).is_none());
    }
    assert!(node_of(joined_rule(), guard, &guard.0, 2, &honest.publics()).is_none(), "an unlisted key");
}

#[test]
fn a_run_under_an_unlisted_key_is_refused() {
    let guard = &fixture().ranges[0];
    let honest = GuestLift::run_claim(&guard.0).publics();
    assert!(node(guard, &guard.0, 1, &honest).is_some());
    assert!(node(guard, &guard.0, 2, &honest).is_none());
    // the witness says that it is the listed one
    let (rule, circuit) = (rule(), fixture().guard());
    let (run_publics, bytes) = state(&rule.runs[2], &honest);
    let keys = [0, 2].map(|k| KeyValues::from(&**rule.runs[k].vk()));
    let (publics, run) =
        (circuit.publics(&guard.0), Proof::from_bytes(&**rule.runs[2].vk(), &bytes).unwrap());
    let guard_proof = circuit.base().unwrap().decode(&guard.1).unwrap();
    let proof = |run_key| GuestProof {
        guard_key: &rule.key,
        publics: &publics,
        guard: &guard_proof,
        run_key,
        run_publics: &run_publics,
        run: &run,
    };
    let lied = KeyValues { digest: keys[0].digest, ..keys[1].clone() };
    for key in [&keys[0], &lied] {
        let values = rule.lift.values(&guard.0, &proof(key));
        assert!(values.is_err() || rule.program.run(&values.unwrap().1).is_err());
    }
}

#[test]
fn claims_that_the_guard_does_not_state_are_refused() {
    let f = fixture();
    let guard = &f.ranges[0];
    let refused = |what: &str, change: &dyn Fn(&mut GuardClaim)| {
        let mut claim = guard.0;
        change(&mut claim);
        assert!(node(guard, &claim, 0, &GuestLift::run_claim(&claim).publics()).is_none(), "{what}");
    };
    let exec = |change: fn(&mut ExecClaim)| move |claim: &mut GuardClaim| change(&mut claim.exec);
    refused("algorithm", &exec(|c| c.algorithm = Installed::id("broker").unwrap()));
    refused("count", &exec(|c| c.count += 1));
    refused("start", &exec(|c| c.start[3] += F::ONE));
    refused("end", &exec(|c| c.end[3] += F::ONE));
    refused("time", &exec(|c| c.context.time += 1));
    refused("journal start", &|c| c.journal_start[0] += F::ONE);
    refused("journal end", &|c| c.journal_end[0] += F::ONE);
    refused("both starts", &|c| {
        c.journal_start = f.ranges[1].0.journal_start;
        c.exec.start = c.journal_start;
    });
    // system, number and parameters are read by no rule of the guard: the context binds them, and the header the context
    let mut claim = guard.0;
    claim.exec.context.batch += 1;
    let (lifted, _) = node(guard, &claim, 0, &GuestLift::run_claim(&claim).publics()).unwrap();
    assert_ne!(lifted, Claim::Exec(ExecRange::from(&guard.0.exec)));
    // a range that begins a batch has another claim than the program makes
    let mut claim = guard.0;
    claim.exec.has_begin = true;
    let (lied, publics) = node(guard, &claim, 0, &GuestLift::run_claim(&claim).publics()).unwrap();
    assert_ne!(publics[8..], lied.digest());
}

/// The journal of a range starts where its tuples do: a proof of the guard and a run that agree on another start are
/// refused, as by the native check.
#[test]
fn a_journal_that_starts_elsewhere_than_its_tuples_is_refused() {
    let f = fixture();
    let (claim, proof) = &f.astray;
    f.guard().verify(claim, proof).unwrap();
    assert!(node(&f.astray, claim, 0, &GuestLift::run_claim(claim).publics()).is_none());
    assert_ne!(claim.journal_start, claim.exec.start);
}

#[test]
fn lifts_are_made_of_the_guard_and_of_run_programs_alone() {
    let f = fixture();
    let guard = f.guard();
    let parts = || {
        let map = PublicMap::guard(|claim| guard.publics(claim)).unwrap();
        (guard.base().unwrap().verifier().unwrap().0, map)
    };
    // a verifier of proofs with other public values than those of runs
    let ((verifier, map), (other, _)) = (parts(), parts());
    assert_eq!(GuestLift::new(verifier, map, other, vec![], RunForm::Whole).err(), Some(MapError::Counts));
    // a circuit that does not state its program or its journal
    let missing = |clear: fn(&mut GuardClaim)| {
        PublicMap::guard(|claim| {
            let mut claim = *claim;
            clear(&mut claim);
            guard.publics(&claim)
        })
    };
    assert!(matches!(missing(|c| c.exec.algorithm = grid()), Err(MapError::Missing(_))));
    assert!(matches!(missing(|c| c.journal_start = grid()), Err(MapError::Missing(_))));
    assert!(matches!(missing(|c| c.journal_end = c.journal_start), Err(MapError::Missing(_))));
    assert!(matches!(missing(|c| c.exec.count = 1), Err(MapError::Missing(_))));
}
