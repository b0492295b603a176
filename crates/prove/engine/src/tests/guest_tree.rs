//! A batch with operations of a program, with a real run of its guest, becomes one aggregation proof.

use std::sync::{Arc, OnceLock};

use tsz_aggregator::{Bundle, GuestRun, check};
use tsz_ext::{pinned_guests, words};
use tsz_hash::{F, PrimeCharacteristicRing};
use tsz_segment_program::{Journal, RunProgram, run_name};
use tsz_stark::Profile;
use tsz_tree::{AggregationProof, Batches, NodeKeys};

use super::guests::batches;
use crate::aggregate::{Aggregator, derive_nodes, takes_run};
use crate::circuits::{Approvals, Fund, Guard, Transition};
use crate::prove::prove_bundle;
use crate::runs::{CommittedRuns, RunProof};
use crate::*;

/// Shapes of the test's nodes.
const LOGS: std::ops::RangeInclusive<usize> = 14..=17;
/// None but joins of two children.
const WIDE: &[&[usize]] = &[];

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
        registry.set_run_prover(Arc::new(CommittedRuns::default()));
        registry.add_exec(Arc::new(Fund::new(tsz_fund::Class::named("small").unwrap(), profile)));
        registry.add_exec(Arc::new(Approvals::new(&tsz_guard::APPROVAL_CLASSES[0], profile)));
        registry.add_guard(Arc::new(Guard::new(&tsz_guard::CLASSES[0], profile)));
        let small = tsz_transition::Class::named("small").unwrap();
        registry.add_transition(Arc::new(Transition::new(small, profile)));
        let nodes = derive_nodes(&registry, Profile::InsecureNode, LOGS, WIDE, &|_| {}).unwrap();
        assert_eq!(nodes.left_out, Vec::<String>::new());
        let programs = pinned_guests().unwrap().iter().map(ProgramPin::from).collect();
        let (base, guards) = (registry.derive().unwrap(), registry.derive_guards().unwrap());
        let pins = Pins::with_programs(base, nodes.pins, guards, programs).unwrap();
        let batch = batches().remove(0);
        let (bundle, _) = prove_bundle(vec![batch], &registry, &pins, &|_| {}).unwrap();
        Fixture { registry, pins, bundle }
    })
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
    assert!(again == proof && report.nodes.len() == 1);
    // killed before the guard was lifted: the proof of the run is there
    let files = || std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().path());
    let of = |kind: &str| files().filter(|path| path.extension().unwrap() == kind).collect::<Vec<_>>();
    assert_eq!(of("run").len(), 1);
    of("node").iter().for_each(|path| std::fs::remove_file(path).unwrap());
    let (again, report) = aggregate(&f.bundle, Some(dir.path())).unwrap();
    let reused: Vec<&str> = report.nodes.iter().filter(|n| n.reused).map(|n| n.name.as_str()).collect();
    assert!(again == proof && reused == ["run/15"], "{reused:?}");
}

#[test]
fn bundles_with_a_lie_about_the_run_are_neither_accepted_nor_aggregated() {
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

/// The first batch of the example with its run in many segments, as one aggregation proof, and lies about the segments.
///
/// Run with `TSZ_RUN=FILE cargo test -p tsz-engine --lib -- --ignored run_in_many_segments`; the file is a kept proof of
/// the run, as `scripts/prove-runs.sh --parts` makes it.
#[test]
#[ignore = "needs a proof of the run in small segments"]
fn a_run_in_many_segments_is_aggregated() {
    let f = fixture();
    let file = std::env::var_os("TSZ_RUN").expect("a file of a run");
    let proof = RunProof::from_bytes(&std::fs::read(file).unwrap(), "TSZ_RUN").unwrap();
    let (mut bundle, seals) = (f.bundle.clone(), proof.into_seals());
    assert!(seals.len() > 4, "{} segments", seals.len());
    run_mut(&mut bundle).seals = seals.clone();
    let verifiers = f.registry.verifiers(&f.pins);
    check(&bundle.to_bytes(), &verifiers, None).unwrap();
    let (proof, report) = aggregate(&bundle, None).unwrap();
    let claim = proof.verify(&NodeKeys::new(Profile::InsecureNode).unwrap(), &f.pins.root()).unwrap();
    assert_eq!(claim, Batches::single(&bundle.batches[0].header));
    let names: Vec<&str> = report.nodes.iter().map(|n| n.name.as_str()).collect();
    assert!(names.contains(&"run-join/16") && names.contains(&"lift-guard/small@16"), "{names:?}");

    let refused = |what: &str, change: &dyn Fn(&mut Vec<Vec<u32>>)| {
        let mut bundle = bundle.clone();
        change(&mut run_mut(&mut bundle).seals);
        assert!(check(&bundle.to_bytes(), &verifiers, None).is_err(), "{what}");
        assert!(aggregate(&bundle, None).is_err(), "{what}");
    };
    refused("swapped", &|seals| seals.swap(1, 2));
    refused("the first one missing", &|seals| drop(seals.remove(0)));
    refused("one missing", &|seals| drop(seals.remove(3)));
    refused("the last one missing", &|seals| drop(seals.pop()));
    refused("one twice", &|seals| seals.insert(2, seals[2].clone()));
    refused("the last one in the middle", &|seals| {
        let last = seals.len() - 1;
        seals.swap(last, last - 1);
    });
    // of another run of the same program, and more than any run has
    let other = f.bundle.batches[0].execs.iter().find_map(|exec| exec.run.as_ref()).unwrap().seals[0].clone();
    refused("a segment of another run", &|seals| seals[1] = other.clone());
    refused("too many", &|seals| {
        let all = seals.clone();
        seals.extend(all.iter().cloned());
        seals.extend(all);
    });
}

/// Runs that no program takes are refused before anything is proven, with the sizes of their segments.
#[test]
fn runs_in_segments_that_the_tree_does_not_take_are_refused_at_once() {
    for sizes in [&[19][..], &[13], &[18, 18], &[14; 16], &[18, 13]] {
        assert!(takes_run(sizes), "{sizes:?}");
    }
    for sizes in [&[][..], &[12], &[20], &[19, 13], &[18, 12], &[14; 17]] {
        assert!(!takes_run(sizes), "{sizes:?}");
    }
    let mut bundle = fixture().bundle.clone();
    let seal = run_mut(&mut bundle).seals[0].clone();
    run_mut(&mut bundle).seals = vec![seal; 17];
    let error = aggregate(&bundle, None).unwrap_err().to_string();
    assert!(error.contains("2 to 16 of 2^13 to 2^18"), "{error}");
}

/// What the run program accepts of the bundle's run is what the native check accepts.
#[test]
fn run_program_and_native_check_agree_on_runs() {
    let f = fixture();
    let exec = f.bundle.batches[0].execs.iter().find(|exec| exec.run.is_some()).unwrap();
    let (run, count) = (exec.run.as_ref().unwrap(), exec.claim.count);
    let sizes = tsz_segment::sizes(&run.seals).unwrap();
    assert!(f.pins.nodes().iter().any(|pin| pin.name == run_name(&sizes)));
    let program = RunProgram::new(&sizes, Profile::InsecureNode).unwrap();
    let agree = |run: &GuestRun, count: u32| {
        let image = words(&run.image);
        let native = tsz_segment::verify_run(&image, &run.output(count), &run.seals).is_ok();
        let (start, end, events) = (run.start, run.end, run.events);
        let journal = Journal { start, end, count, events };
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

/// What run programs and lifts of the guard cost in the pinned profiles.
///
/// Run with `cargo test -p tsz-engine --lib -- --ignored --nocapture timing_of_extension_operations`.
#[test]
#[ignore = "measures"]
fn timing_of_extension_operations() {
    let mut registry = Registry::new();
    registry.set_run_prover(Arc::new(CommittedRuns::default()));
    registry.add_exec(Arc::new(Fund::new(tsz_fund::Class::named("small").unwrap(), Profile::Base)));
    registry.add_exec(Arc::new(Approvals::new(&tsz_guard::APPROVAL_CLASSES[0], Profile::Base)));
    for class in &tsz_guard::CLASSES {
        registry.add_guard(Arc::new(Guard::new(class, Profile::Base)));
    }
    let small = tsz_transition::Class::named("small").unwrap();
    registry.add_transition(Arc::new(Transition::new(small, Profile::Base)));
    for node in rows_of_nodes(&registry, Profile::Node, &|_| {}).unwrap() {
        println!("{node:?}");
    }
    let watch = measure::Stopwatch::start();
    let nodes =
        derive_nodes(&registry, Profile::Node, tsz_tree::SHAPE_LOGS, tsz_tree::WIDE_JOINS, &|_| {}).unwrap();
    println!("keys of nodes {:?}, left out {:?}", watch.cost(), nodes.left_out);
    for pin in &nodes.pins {
        println!("{} proven {} {:?}", pin.name, pin.proven_bits, pin.tables);
    }
    let programs = pinned_guests().unwrap().iter().map(ProgramPin::from).collect();
    let (base, guards) = (registry.derive().unwrap(), registry.derive_guards().unwrap());
    let pins = Pins::with_programs(base, nodes.pins, guards, programs).unwrap();
    let (bundle, base) = prove_bundle(vec![batches().remove(0)], &registry, &pins, &|_| {}).unwrap();
    println!("base {:?}", base.stages);
    let aggregator = Aggregator::new(&registry, &pins, None, |name| eprintln!("{name}")).unwrap();
    let (proof, report) = aggregator.aggregate(&bundle).unwrap();
    proof.verify(&NodeKeys::new(Profile::Node).unwrap(), &pins.root()).unwrap();
    println!("{}", serde_json::to_string_pretty(&report).unwrap());
    println!("{}", pins.run_security().unwrap());
}
