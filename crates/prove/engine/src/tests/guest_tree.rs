//! A batch with operations of a program, with a real run of its guest, becomes one aggregation proof.

use std::sync::{Arc, OnceLock};

use tsz_aggregator::{BatchProofs, Bundle, ExecProof, GuestRun, TransitionProof, VkRef, check};
use tsz_ext::{ExtOp, Extension, Run, pinned_guests, poseidon24, words};
use tsz_ext_sdk::Events;
use tsz_hash::{Digest, F, PrimeCharacteristicRing};
use tsz_ledger::Access;
use tsz_segment_program::{RunProgram, run_name};
use tsz_stark::Profile;
use tsz_trade::Op;
use tsz_tree::{AggregationProof, Batches, NodeKeys};
use tsz_vktree::{VkEntry, VkTree};

use super::guests::{batches, fills, grid};
use crate::aggregate::{Aggregator, derive_nodes};
use crate::circuits::{Approvals, Fund, Guard, Transition};
use crate::registry::{ExecJob, GuardJob};
use crate::*;

/// Shapes of the test's nodes.
const LOGS: std::ops::RangeInclusive<usize> = 14..=17;

/// Seals of the run of the first batch of the example, made by `scripts/scenario-seals.sh`.
fn seals() -> Vec<Vec<u32>> {
    let files: [&[u8]; 1] = [include_bytes!("../../../../../guests/fixtures/scenario-grid.seal")];
    let words = |bytes: &&[u8]| bytes.as_chunks::<4>().0.iter().map(|w| u32::from_le_bytes(*w)).collect();
    files.iter().map(words).collect()
}

fn logged<'a>(ops: &[(u32, &'a OpRecord)]) -> Vec<(&'a Extension, &'a [Access])> {
    let op = |(_, record): &(u32, &'a OpRecord)| match &record.op {
        Op::Ext(ExtOp::Extension(op)) => Some((op, record.accesses.as_slice())),
        _ => None,
    };
    ops.iter().filter_map(op).collect()
}

/// The run of some operations of the grid program, and what its guest is fed.
fn run_of(start: &Digest, ops: &[(u32, &OpRecord)]) -> (GuestRun, Vec<u32>) {
    let run = Run::new(&words(start), &logged(ops)).unwrap();
    let mut events = Events::default();
    let outcome = run.replay(tsz_ext_apps::grid::program).unwrap();
    outcome.events.iter().for_each(|event| events.push(poseidon24::absorb, event));
    let felts = |words: &[u32; 8]| words.map(F::from_u32);
    let image = pinned_guests().unwrap().into_iter().find(|guest| guest.name == "grid").unwrap().root;
    let guest = GuestRun {
        image: felts(&image),
        start: *start,
        end: felts(&run.end),
        events: (events.count > 0).then(|| (events.count, felts(&events.capacity))),
        seals: vec![],
    };
    assert_eq!(guest.output(ops.len() as u32), outcome.digest);
    (guest, run.input)
}

struct Fixture {
    registry: Registry,
    pins: Pins,
    bundle: Bundle,
}

fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let profile = Profile::InsecureTest;
        let mut registry = Registry::new();
        registry.add_exec(Arc::new(Fund::new(tsz_fund::Class::named("small").unwrap(), profile)));
        registry.add_exec(Arc::new(Approvals::new(&tsz_guard::APPROVAL_CLASSES[0], profile)));
        registry.add_guard(Arc::new(Guard::new(&tsz_guard::CLASSES[0], profile)));
        let small = tsz_transition::Class::named("small").unwrap();
        registry.add_transition(Arc::new(Transition::new(small, profile)));
        let nodes = derive_nodes(&registry, Profile::InsecureNode, LOGS, &|_| {}).unwrap();
        assert_eq!(nodes.left_out, Vec::<String>::new());
        let programs = pinned_guests().unwrap().iter().map(ProgramPin::from).collect();
        let (base, guards) = (registry.derive().unwrap(), registry.derive_guards().unwrap());
        let pins = Pins::with_programs(base, nodes.pins, guards, programs).unwrap();
        let bundle = Bundle { batches: vec![prove(&batches()[0], &registry, &pins.tree().unwrap())] };
        Fixture { registry, pins, bundle }
    })
}

fn prove(batch: &ExecutedBatch, registry: &Registry, tree: &VkTree) -> BatchProofs {
    let (context, start) = (batch.header.context, batch.header.context.digest());
    let vk = |algorithm, digest| VkRef {
        digest,
        membership: tree.prove(&VkEntry { algorithm, vk: digest }).unwrap(),
    };
    let exec = |algorithm: Digest| {
        let ops: Vec<(u32, &OpRecord)> =
            (0u32..).zip(&batch.records).filter(|(_, r)| r.algorithm() == algorithm).collect();
        let circuit = registry.execs(algorithm)[0];
        let job = ExecJob { context, params: &batch.params, start, ops: &ops };
        let proven = circuit.prove(&job).unwrap();
        let vk = vk(algorithm, circuit.key().unwrap().digest);
        ExecProof { claim: proven.claim, vk, proof: proven.proof, run: None }
    };
    let guard = |ops: &[(u32, &OpRecord)]| {
        let circuit = registry.guards()[0].as_ref();
        let job = GuardJob { context, program: grid(), start, journal: start, ops };
        let proven = circuit.prove(&job).unwrap();
        let run = Some(GuestRun { seals: seals(), ..run_of(&start, ops).0 });
        let vk = vk(grid(), circuit.key().unwrap().digest);
        ExecProof { claim: proven.claim.exec, vk, proof: proven.proof, run }
    };
    let leaf = |leaf: &tsz_ledger::SetLeaf| match leaf.algorithm == grid() {
        true => guard(&fills(batch)),
        false => exec(leaf.algorithm),
    };
    let circuit = registry.transitions()[0].as_ref();
    let transition = TransitionProof {
        vk: vk(circuit.algorithm(), circuit.key().unwrap().digest),
        proof: circuit.prove(batch).unwrap().proof,
    };
    let leaves = batch.set.leaves().to_vec();
    BatchProofs { header: batch.header, execs: leaves.iter().map(leaf).collect(), leaves, transition }
}

fn aggregate(
    bundle: &Bundle,
    work: Option<&std::path::Path>,
) -> Result<(AggregationProof, AggregateReport), EngineError> {
    let f = fixture();
    Aggregator::with_profile(&f.registry, &f.pins, work, |_| {}, Profile::InsecureNode, LOGS)?
        .aggregate(bundle)
}

fn run_mut(bundle: &mut Bundle) -> &mut GuestRun {
    bundle.batches[0].execs.iter_mut().find_map(|exec| exec.run.as_mut()).unwrap()
}

/// Native check and tree on the same bundle: both accept, or both refuse.
#[test]
fn a_batch_with_operations_of_a_program_becomes_one_proof_like_any_other() {
    let f = fixture();
    let verifiers = f.registry.verifiers(&f.pins);
    check(&f.bundle.to_bytes(), &verifiers, None).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (proof, report) = aggregate(&f.bundle, Some(dir.path())).unwrap();
    let claim = proof.verify(&NodeKeys::new(Profile::InsecureNode).unwrap(), &f.pins.root()).unwrap();
    assert_eq!(claim, Batches::single(&f.bundle.batches[0].header));
    let names: Vec<&str> = report.nodes.iter().map(|n| n.name.as_str()).collect();
    assert!(
        names.contains(&"lift-guard/small@1") && names.iter().any(|n| n.starts_with("run/")),
        "{names:?}"
    );
    // the node of the range is used again like any other
    let (again, report) = aggregate(&f.bundle, Some(dir.path())).unwrap();
    assert_eq!((again, report.nodes.len()), (proof, 1));
}

#[test]
fn bundles_with_a_lie_about_the_run_are_refused_by_check_and_tree() {
    let f = fixture();
    let verifiers = f.registry.verifiers(&f.pins);
    let refused = |what: &str, change: &dyn Fn(&mut Bundle)| {
        let mut bundle = f.bundle.clone();
        change(&mut bundle);
        assert!(check(&bundle.to_bytes(), &verifiers, None).is_err(), "{what}");
        assert!(aggregate(&bundle, None).is_err(), "{what}");
    };
    refused("no run", &|b| b.batches[0].execs.iter_mut().for_each(|exec| exec.run = None));
    refused("another program", &|b| {
        run_mut(b).image = pinned_guests().unwrap()[0].root.map(F::from_u32);
    });
    refused("another end", &|b| run_mut(b).end[0] += F::ONE);
    refused("another start", &|b| run_mut(b).start[0] += F::ONE);
    refused("events", &|b| run_mut(b).events = Some((1, tsz_hash::ZERO)));
    refused("no seal", &|b| run_mut(b).seals.clear());
    refused("a seal too many", &|b| {
        let run = run_mut(b);
        run.seals.push(run.seals[0].clone());
    });
    refused("a damaged seal", &|b| {
        let seal = &mut run_mut(b).seals[0];
        let at = seal.len() / 2;
        seal[at] ^= 1;
    });
}

/// What the run program accepts of the bundle's run is what the native check accepts.
#[test]
fn run_program_and_native_check_agree_on_runs() {
    let f = fixture();
    let exec = f.bundle.batches[0].execs.iter().find(|exec| exec.run.is_some()).unwrap();
    let (run, count) = (exec.run.as_ref().unwrap(), exec.claim.count);
    let sizes = tsz_segment_program::sizes(&run.seals).unwrap();
    assert!(f.pins.nodes().iter().any(|pin| pin.name == run_name(&sizes)));
    let program = RunProgram::new(&sizes, Profile::InsecureNode).unwrap();
    let agree = |run: &GuestRun, count: u32| {
        let image = words(&run.image);
        let native = tsz_segment::verify_run(&image, &run.output(count), &run.seals).is_ok();
        let (start, end, events) = (run.start, run.end, run.events);
        let journal = tsz_segment_program::Journal { start, end, count, events };
        let inputs = program.inputs(&journal, &run.seals).unwrap();
        let publics = program.prover().program().run(&inputs).map(|witness| witness.publics);
        let tree = publics.is_ok_and(|publics| publics[..8] == tsz_ext::guest_algorithm(&image));
        assert_eq!(native, tree);
        native
    };
    assert!(agree(run, count));
    for other in [0, count - 1, count + 1] {
        assert!(!agree(run, other));
    }
    let changes: [fn(&mut GuestRun); 5] = [
        |run| run.image[3] += F::ONE,
        |run| run.start[0] += F::ONE,
        |run| run.end[7] += F::ONE,
        |run| (run.start, run.end) = (run.end, run.start),
        |run| run.events = Some((1, run.start)),
    ];
    for change in changes {
        let mut lie = run.clone();
        change(&mut lie);
        assert!(!agree(&lie, count));
    }
}

/// What the guest of the fixture is fed: output, then input, one word a line, for `crates/ext/prover`.
#[test]
#[ignore = "writes the file that TSZ_RUN_INPUT names"]
fn the_input_of_the_run_is_written() {
    let Some(path) = std::env::var_os("TSZ_RUN_INPUT") else { return };
    let batch = &batches()[0];
    let ops = fills(batch);
    let (run, input) = run_of(&batch.header.context.digest(), &ops);
    let words = run.output(ops.len() as u32).into_iter().chain(input);
    let text: String = words.map(|word| format!("{word}\n")).collect();
    std::fs::write(path, text).unwrap();
}
