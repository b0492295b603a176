//! Bundles of the real circuits, in the test profile, become one aggregation proof.

use std::sync::{Arc, OnceLock};

use tsz_aggregator::Bundle;
use tsz_hash::{F, PrimeCharacteristicRing};
use tsz_scenario::{Mix, Params, generate, run};
use tsz_stark::Profile;
use tsz_tree::{AggregationProof, Claim, NodeKeys, NodeProof, ProofError, headers_digest};

use crate::aggregate::{Aggregator, derive_nodes};
use crate::circuits::{Fund, Transition};
use crate::prove::prove_bundle;
use crate::*;

/// Shapes of the test's nodes.
const LOGS: std::ops::RangeInclusive<usize> = 14..=15;

struct Fixture {
    registry: Registry,
    pins: Pins,
    bundle: Bundle,
}

/// Two batches of which the first one's ops are proven in two ranges.
fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let mut registry = Registry::new();
        let (fund, transition) =
            (tsz_fund::Class::named("small").unwrap(), tsz_transition::Class::named("small").unwrap());
        registry.add_exec(Arc::new(Fund::new(fund, Profile::InsecureTest)));
        registry.add_transition(Arc::new(Transition::new(transition, Profile::InsecureTest)));
        let nodes = derive_nodes(&registry, Profile::InsecureNode, LOGS, &|_| {}).unwrap().pins;
        let pins = Pins::with_nodes(registry.derive().unwrap(), nodes).unwrap();
        let params = Params { accounts: 200, active: 20, batches: 2, mix: Mix::ALL };
        let batches = executed(run(&generate(40, 5, &params).unwrap()).unwrap()).unwrap();
        let (mut bundle, _) = prove_bundle(batches.clone(), &registry, &pins, &|_| {}).unwrap();
        split(&mut bundle, &batches[0], &registry);
        Fixture { registry, pins, bundle }
    })
}

/// Proves the ops of the first batch anew, in two ranges.
fn split(bundle: &mut Bundle, batch: &ExecutedBatch, registry: &Registry) {
    let ops: Vec<(u32, &OpRecord)> = (0..).zip(&batch.records).collect();
    let circuit = registry.exec_circuits()[0].clone();
    let mut start = batch.header.context.digest();
    let mut execs = Vec::new();
    for ops in [&ops[..7], &ops[7..]] {
        let job = registry::ExecJob { context: batch.header.context, params: &batch.params, start, ops };
        let proven = circuit.prove(&job).unwrap();
        start = proven.claim.end;
        let mut exec = bundle.batches[0].execs[0].clone();
        (exec.claim, exec.proof) = (proven.claim, proven.proof);
        execs.push(exec);
    }
    bundle.batches[0].execs = execs;
}

fn aggregate(
    bundle: &Bundle,
    work: Option<&std::path::Path>,
) -> Result<(AggregationProof, AggregateReport), EngineError> {
    let f = fixture();
    Aggregator::with_profile(&f.registry, &f.pins, work, |_| {}, Profile::InsecureNode, LOGS)?
        .aggregate(bundle)
}

fn keys() -> NodeKeys {
    NodeKeys::new(Profile::InsecureNode).unwrap()
}

#[test]
fn two_batches_become_one_proof_and_finished_nodes_are_used_again() {
    let (f, dir) = (fixture(), tempfile::tempdir().unwrap());
    let (proof, report) = aggregate(&f.bundle, Some(dir.path())).unwrap();
    for node in &report.nodes {
        println!("{} {} {} {}", node.name, node.permutations, node.arithmetic, node.reductions);
    }
    // Three lifts of ops, two of transitions; a join of the ranges, one for each batch, one of the batches.
    assert_eq!(report.nodes.len(), 9);
    assert!(report.nodes.iter().all(|n| !n.reused));
    let claim = proof.verify(&keys(), &f.pins.root()).unwrap();
    let headers: Vec<_> = f.bundle.batches.iter().map(|b| b.header).collect();
    assert_eq!(claim.headers, headers_digest(&headers));
    assert_eq!((claim.s0, claim.sn), (headers[0].s0, headers[1].sn));
    assert_eq!(
        (claim.first, claim.last, claim.count),
        (headers[0].context.batch, headers[1].context.batch, 2)
    );
    refuses_lies(&proof);

    // All is there: only the root is looked at.
    let (again, report) = aggregate(&f.bundle, Some(dir.path())).unwrap();
    assert_eq!(again, proof);
    assert!(report.nodes.len() == 1 && report.nodes[0].reused);
    // Killed before the last join, with half a file and a file of something else.
    let mut files: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let is_root = |path: &&std::path::PathBuf| std::fs::read(path).unwrap() == proof.node.to_bytes();
    let root = files.iter().find(is_root).unwrap();
    std::fs::write(root, &proof.node.to_bytes()[..1000]).unwrap();
    let (again, report) = aggregate(&f.bundle, Some(dir.path())).unwrap();
    assert_eq!(again.claim().unwrap(), &claim);
    let reused: Vec<bool> = report.nodes.iter().map(|n| n.reused).collect();
    assert_eq!(reused, [true, true, false]);
    let other = files.iter().find(|path| *path != root).unwrap();
    std::fs::copy(other, root).unwrap();
    let (again, report) = aggregate(&f.bundle, Some(dir.path())).unwrap();
    assert_eq!((again.claim().unwrap(), report.nodes.len()), (&claim, 3));
}

fn refuses_lies(proof: &AggregationProof) {
    let (keys, root) = (keys(), fixture().pins.root());
    assert_eq!(AggregationProof::from_bytes(&proof.to_bytes()).unwrap(), *proof);
    let refused = |change: &dyn Fn(&mut AggregationProof)| {
        let mut lie = proof.clone();
        change(&mut lie);
        lie.verify(&keys, &root).unwrap_err()
    };
    // A changed public value.
    let batches = |proof: &mut AggregationProof, change: &dyn Fn(&mut tsz_tree::Batches)| {
        let Claim::Batches(batches) = &mut proof.node.claim else { panic!() };
        change(batches);
    };
    assert!(matches!(refused(&|p| batches(p, &|b| b.sn[0] += F::ONE)), ProofError::Node(_)));
    assert!(matches!(refused(&|p| batches(p, &|b| b.last += 1)), ProofError::Node(_)));
    assert!(matches!(refused(&|p| batches(p, &|b| b.headers[7] += F::ONE)), ProofError::Node(_)));
    // Another vk root, another program, an unlisted key, damaged bytes.
    assert!(matches!(refused(&|p| p.node.root[0] += F::ONE), ProofError::VkRoot));
    assert!(matches!(refused(&|p| p.node.program[0] += F::ONE), ProofError::Node(_)));
    assert!(matches!(refused(&|p| p.node.log += 1), ProofError::Node(_)));
    assert!(matches!(refused(&|p| p.node.log = 255), ProofError::Node(_)));
    assert!(matches!(refused(&|p| p.membership.index ^= 1), ProofError::Unlisted));
    assert!(matches!(refused(&|p| p.node.proof[500] ^= 1), ProofError::Node(_)));
    let mut other = root;
    other[3] += F::ONE;
    assert!(matches!(proof.verify(&keys, &other), Err(ProofError::VkRoot)));
    let bytes = proof.to_bytes();
    for at in (0..bytes.len()).step_by(bytes.len() / 97) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        let verified = AggregationProof::from_bytes(&damaged).map(|p| p.verify(&keys, &root));
        assert!(!matches!(verified, Ok(Ok(_))), "byte {at}");
        assert!(AggregationProof::from_bytes(&bytes[..at]).is_err());
    }
}

#[test]
fn a_bundle_that_the_native_check_refuses_is_not_aggregated() {
    let f = fixture();
    let refused = |change: &dyn Fn(&mut Bundle)| {
        let mut bundle = f.bundle.clone();
        change(&mut bundle);
        aggregate(&bundle, None).unwrap_err()
    };
    assert!(matches!(refused(&|b| b.batches.swap(0, 1)), EngineError::Aggregation(_)));
    assert!(matches!(refused(&|b| b.batches[0].execs.swap(0, 1)), EngineError::Aggregation(_)));
    assert!(matches!(refused(&|b| drop(b.batches[0].execs.pop())), EngineError::Aggregation(_)));
    assert!(matches!(refused(&|b| b.batches[1].header.sn[0] += F::ONE), EngineError::Aggregation(_)));
    assert!(matches!(refused(&|b| b.batches.clear()), EngineError::Aggregation(_)));
}

#[test]
fn keys_of_nodes_that_are_not_pinned_prove_nothing() {
    let f = fixture();
    let without = |name: &str| {
        let nodes: Vec<Pin> = f.pins.nodes().iter().filter(|p| !p.name.starts_with(name)).cloned().collect();
        assert!(nodes.len() < f.pins.nodes().len(), "{name}");
        let pins = Pins::with_nodes(f.pins.vks().to_vec(), nodes).unwrap();
        // The base keys stand elsewhere in the smaller tree.
        let tree = pins.tree().unwrap();
        let mut bundle = f.bundle.clone();
        for batch in &mut bundle.batches {
            let vks =
                std::iter::once(&mut batch.transition.vk).chain(batch.execs.iter_mut().map(|e| &mut e.vk));
            for vk in vks {
                let pin = pins.vks().iter().find(|p| p.digest.0 == vk.digest).unwrap();
                vk.membership = tree.prove(&pin.entry()).unwrap();
            }
        }
        let aggregator =
            Aggregator::with_profile(&f.registry, &pins, None, |_| {}, Profile::InsecureNode, LOGS).unwrap();
        aggregator.aggregate(&bundle).unwrap_err()
    };
    assert!(matches!(without("lift-fund"), EngineError::NotPinned(name) if name == "lift-fund/small"));
    assert!(matches!(without("join"), EngineError::NotPinned(name) if name.starts_with("join/")));
}

#[test]
fn damaged_node_files_are_refused() {
    let f = fixture();
    let dir = tempfile::tempdir().unwrap();
    let one = Bundle { batches: vec![f.bundle.batches[1].clone()] };
    let (proof, _) = aggregate(&one, Some(dir.path())).unwrap();
    let bytes = proof.node.to_bytes();
    assert_eq!(NodeProof::from_bytes(&bytes).unwrap(), proof.node);
    for at in [0, 5, 6, 40, 71, bytes.len() - 1] {
        assert!(NodeProof::from_bytes(&bytes[..at]).is_err());
    }
}

/// Two batches under the pinned profiles: fund and transition proofs at 100 bits, nodes at 100 bits.
///
/// Run with `cargo test -p tsz-engine --lib -- --ignored --nocapture lifts_and_joins`.
#[test]
#[ignore = "minutes; prints what lifts and joins cost"]
fn lifts_and_joins_of_the_pinned_profiles() {
    let mut registry = Registry::new();
    let (fund, transition) =
        (tsz_fund::Class::named("small").unwrap(), tsz_transition::Class::named("small").unwrap());
    registry.add_exec(Arc::new(Fund::new(fund, Profile::Base)));
    registry.add_transition(Arc::new(Transition::new(transition, Profile::Base)));
    let watch = measure::Stopwatch::start();
    let logs = tsz_tree::SHAPE_LOGS;
    let nodes = derive_nodes(&registry, Profile::Node, logs, &|name| println!("{name}")).unwrap().pins;
    println!("keys of nodes: {:?}", watch.cost());
    for node in &nodes {
        println!(
            "{} {} proven {} conjectured {:?}",
            node.name, node.proven_bits, node.conjectured_bits, node.tables
        );
        assert!(node.proven_bits >= 100.0);
    }
    let pins = Pins::with_nodes(registry.derive().unwrap(), nodes).unwrap();
    let params = Params { accounts: 200, active: 20, batches: 2, mix: Mix::ALL };
    let batches = executed(run(&generate(40, 5, &params).unwrap()).unwrap()).unwrap();
    let (bundle, _) = prove_bundle(batches, &registry, &pins, &|_| {}).unwrap();
    let aggregator = Aggregator::new(&registry, &pins, None, |name| println!("{name}")).unwrap();
    let (proof, report) = aggregator.aggregate(&bundle).unwrap();
    println!("{}", serde_json::to_string_pretty(&report).unwrap());
    let keys = NodeKeys::new(Profile::Node).unwrap();
    let watch = measure::Stopwatch::start();
    proof.verify(&keys, &pins.root()).unwrap();
    println!("verify {:?}, {} bytes", watch.cost(), proof.to_bytes().len());
}

/// Writes the pins of this program to the file that `TSZ_PINS` names.
#[test]
#[ignore = "minutes; what `tsz vk pin` does, in an optimised build of tests"]
fn pins_of_all_keys_are_written() {
    let Some(path) = std::env::var_os("TSZ_PINS") else { return };
    let registry = registry();
    let watch = measure::Stopwatch::start();
    let nodes =
        derive_nodes(&registry, Profile::Node, tsz_tree::SHAPE_LOGS, &|name| println!("{name}")).unwrap();
    println!("{:?}, left out {:?}", watch.cost(), nodes.left_out);
    let pins = Pins::with_nodes(registry.derive().unwrap(), nodes.pins).unwrap();
    std::fs::write(path, pins.to_toml().unwrap()).unwrap();
}

/// Rows of every lift and of the joins, in the pinned profiles and in those of tests.
///
/// Run with `cargo test -p tsz-engine --lib -- --ignored --nocapture rows_of_all_nodes`.
#[test]
#[ignore = "measures"]
fn rows_of_all_nodes() {
    for (base, node) in [(Profile::InsecureTest, Profile::InsecureNode), (Profile::Base, Profile::Node)] {
        println!("{base:?}");
        let print = |name: &str, rows: tsz_plonk::Rows| println!("{name:24} {rows:?}");
        crate::aggregate::rows_of_lifts(&crate::circuits::circuits(base), print).unwrap();
        for log in [14, 15, 16, 17, 18] {
            let rows = crate::aggregate::rows_of_join(&NodeKeys::new(node).unwrap(), [log, log]).unwrap();
            print(&format!("join/{log}-{log}"), rows);
        }
    }
}
