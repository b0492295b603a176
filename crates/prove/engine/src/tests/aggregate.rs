//! Bundles of the real circuits, in the test profile, become one aggregation proof.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use tsz_aggregator::Bundle;
use tsz_hash::{Digest, F, PrimeCharacteristicRing};
use tsz_recursion::KeyValues;
use tsz_scenario::{Mix, Params, generate, run};
use tsz_stark::Profile;
use tsz_tree::{
    Advice, AggregationProof, Child, Claim, ExecRange, Join, Lift, MapError, NodeKeys, NodeProof, ProofError,
    PublicMap, Step, headers_digest,
};
use tsz_vktree::{VkEntry, VkMembership, transition_algorithm};

use crate::aggregate::{Aggregator, derive_nodes};
use crate::circuits::{Fund, Transition};
use crate::prove::prove_bundle;
use crate::*;

/// Shapes of the test's nodes.
const LOGS: std::ops::RangeInclusive<usize> = 14..=15;
/// None but joins of two children.
const WIDE: &[&[usize]] = &[];

pub(super) struct Fixture {
    pub(super) registry: Registry,
    pub(super) pins: Pins,
    pub(super) bundle: Bundle,
}

/// Two batches of which the first one's ops are proven in two ranges.
pub(super) fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let mut registry = Registry::new();
        let (fund, transition) =
            (tsz_fund::Class::named("small").unwrap(), tsz_transition::Class::named("small").unwrap());
        registry.add_exec(Arc::new(Fund::new(fund, Profile::InsecureTest)));
        registry.add_transition(Arc::new(Transition::new(transition, Profile::InsecureTest)));
        let nodes = derive_nodes(&registry, Profile::InsecureNode, LOGS, WIDE, &|_| {}).unwrap().pins;
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

pub(super) fn keys() -> NodeKeys {
    NodeKeys::new(Profile::InsecureNode).unwrap()
}

/// One batch of two base proofs, aggregated: the root, the lift of its ops, the lift of its transition.
pub(super) struct Tree {
    pub(super) bundle: Bundle,
    pub(super) root: AggregationProof,
    pub(super) exec: NodeProof,
    pub(super) transition: NodeProof,
}

pub(super) fn tree() -> &'static Tree {
    static TREE: OnceLock<Tree> = OnceLock::new();
    TREE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let bundle = Bundle { batches: vec![fixture().bundle.batches[1].clone()] };
        let (root, _) = aggregate(&bundle, Some(dir.path())).unwrap();
        let (mut exec, mut transition) = (None, None);
        for entry in std::fs::read_dir(dir.path()).unwrap() {
            let node = NodeProof::from_bytes(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
            match node.claim {
                Claim::Exec(_) => exec = Some(node),
                Claim::Transition(_) => transition = Some(node),
                _ => assert_eq!(node, root.node),
            }
        }
        Tree { bundle, root, exec: exec.unwrap(), transition: transition.unwrap() }
    })
}

#[test]
fn a_batch_becomes_one_proof_and_lies_about_it_are_refused() {
    let (f, tree) = (fixture(), tree());
    let claim = tree.root.verify(&keys(), &f.pins.root()).unwrap();
    let header = tree.bundle.batches[0].header;
    assert_eq!(claim, tsz_tree::Batches::single(&header));
    refuses_lies(&tree.root, 7);
}

/// A child of a join with everything that a lie may change.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) key: KeyValues,
    pub(super) membership: VkMembership,
    pub(super) is_join: bool,
    pub(super) claim: Claim,
    pub(super) publics: Vec<F>,
    pub(super) log: usize,
    pub(super) proof: Vec<u8>,
}

pub(super) fn part(node: &NodeProof, algorithm: Digest) -> Part {
    let f = fixture();
    let vk = keys().key(node.log.into(), &node.program).unwrap();
    let entry = VkEntry { algorithm, vk: *vk.digest() };
    Part {
        key: KeyValues::from(&vk),
        membership: f.pins.tree().unwrap().prove(&entry).unwrap(),
        is_join: !node.is_lift(),
        claim: node.claim,
        publics: node.publics(),
        log: node.log.into(),
        proof: node.proof.clone(),
    }
}

/// The join of the transition and the ops of the tree's batch, without a proof: runs the program on two parts.
struct Joiner {
    join: Join,
    program: tsz_plonk::Program,
    parts: [Part; 2],
}

fn joiner() -> Joiner {
    let tree = tree();
    let parts = [
        part(&tree.transition, transition_algorithm()),
        part(&tree.exec, tsz_ledger::Family::Fund.algorithm()),
    ];
    let logs = [parts[0].log, parts[1].log];
    let verifiers = keys().verifiers(logs).unwrap();
    let join = Join::new(logs.map(|log| verifiers[&log].clone()).to_vec()).unwrap();
    let program = tsz_plonk::Program::fitted(join.build(), Profile::InsecureNode).unwrap();
    Joiner { join, program, parts }
}

impl Joiner {
    /// The claim digest that the program exposes, or whoever refuses.
    fn run(&self, parts: &[Part; 2], root: &Digest) -> Result<Vec<F>, String> {
        run_join(&self.join, &self.program, parts, &[(0, 1)], root)
    }
}

/// Runs a join on parts: the public values, or whoever refuses.
pub(super) fn run_join(
    join: &Join,
    program: &tsz_plonk::Program,
    parts: &[Part],
    steps: &[(usize, usize)],
    root: &Digest,
) -> Result<Vec<F>, String> {
    let batch = &tree().bundle.batches[0];
    let proofs: Vec<tsz_stark::Proof> = parts
        .iter()
        .map(|p| {
            let vk = keys().key(p.log, &Digest::default()).unwrap();
            tsz_stark::Proof::from_bytes(&vk, &p.proof).unwrap()
        })
        .collect();
    let children: Vec<Child<'_>> = (0..parts.len())
        .map(|k| Child {
            key: &parts[k].key,
            membership: &parts[k].membership,
            is_join: parts[k].is_join,
            claim: &parts[k].claim,
            publics: &parts[k].publics,
            proof: &proofs[k],
        })
        .collect();
    let advice = Advice { leaves: &batch.leaves, header: Some(&batch.header) };
    let steps: Vec<Step<'_>> = steps.iter().map(|&(left, right)| Step { left, right, advice }).collect();
    let values = join.values(root, &children, &steps).map_err(|e| e.to_string())?.1;
    program.run(&values).map(|w| w.publics).map_err(|e| format!("program: {e}"))
}

#[test]
fn a_join_refuses_keys_and_claims_that_are_not_those_of_its_children() {
    let (j, root) = (joiner(), fixture().pins.root());
    assert_eq!(j.run(&j.parts, &root).unwrap(), tree().root.node.publics());
    let refused = |what: &str, change: &dyn Fn(&mut [Part; 2])| {
        let mut parts = j.parts.clone();
        change(&mut parts);
        assert!(j.run(&parts, &root).is_err(), "{what}");
    };
    // Under an unlisted key, or one listed elsewhere.
    refused("another place in the vk tree", &|p| p[1].membership.index ^= 1);
    refused("another sibling", &|p| p[1].membership.siblings[3][0] += F::ONE);
    refused("the membership of the other child", &|p| p[1].membership = p[0].membership);
    refused("a lift passed off as a join", &|p| p[1].is_join = true);
    // The witness's key is not the one of the proof.
    refused("the key of the other child", &|p| p[1].key = p[0].key.clone());
    refused("the key and membership of the other child", &|p| {
        (p[1].key, p[1].membership) = (p[0].key.clone(), p[0].membership);
    });
    // The claim is not that of the public values, or these are not those of the proof.
    let exec = |p: &mut Part, change: &dyn Fn(&mut ExecRange)| {
        if let Claim::Exec(range) = &mut p.claim {
            change(range);
        }
    };
    let ops = |n: u32| {
        move |p: &mut [Part; 2]| {
            exec(&mut p[1], &|range| range.count += n);
            if let Claim::Transition(t) = &mut p[0].claim {
                t.ops += n;
            }
        }
    };
    refused("another algorithm", &|p| exec(&mut p[1], &|r| r.algorithm = transition_algorithm()));
    refused("another end", &|p| exec(&mut p[1], &|r| r.end[0] += F::ONE));
    refused("no batch begun", &|p| exec(&mut p[1], &|r| r.begins = 0));
    refused("ops of both", &|p| ops(1)(p));
    refused("another last root", &|p| {
        if let Claim::Transition(t) = &mut p[0].claim {
            t.sn[0] += F::ONE;
        }
    });
    refused("another last root with its digest", &|p| {
        if let Claim::Transition(t) = &mut p[0].claim {
            t.sn[0] += F::ONE;
        }
        p[0].publics[8..].copy_from_slice(&p[0].claim.digest());
    });
    refused("a lift with a vk root", &|p| p[1].publics[..8].copy_from_slice(&root));
    refused("swapped children", &|p| p.swap(0, 1));
    refused("one child twice", &|p| p[1] = p[0].clone());
    refused("damaged proof", &|p| {
        let at = p[1].proof.len() / 2;
        p[1].proof[at..at + 4].fill(0);
    });
    let mut other = root;
    other[0] += F::ONE;
    assert!(j.run(&j.parts, &other).is_err());
}

/// What the rule would merge if the claims were believed is refused by the program itself, not only by the
/// witness generator: the public values of each child are felts of its proof's transcript.
#[test]
fn a_consistent_lie_about_a_child_fails_in_its_transcript() {
    let (j, root) = (joiner(), fixture().pins.root());
    let mut parts = j.parts.clone();
    if let Claim::Transition(t) = &mut parts[0].claim {
        t.sn[0] += F::ONE;
    }
    let error = j.run(&parts, &root).unwrap_err();
    assert!(error.starts_with("program: "), "{error}");
    let mut parts = j.parts.clone();
    parts[1].key = parts[0].key.clone();
    let error = j.run(&parts, &root).unwrap_err();
    assert!(error.starts_with("program: ") || error.contains("multi-proof"), "{error}");
}

#[test]
fn a_lift_refuses_claims_that_are_not_those_of_its_proof() {
    let f = fixture();
    let circuit = f.registry.exec_circuits()[0].as_ref();
    let (lift, key) = crate::aggregate::exec_lift(circuit).unwrap();
    let program = tsz_plonk::Program::fitted(lift.build(), Profile::InsecureNode).unwrap();
    let exec = &tree().bundle.batches[0].execs[0];
    let keys = circuit.base().unwrap();
    let proof = keys.decode(&exec.proof).unwrap();
    let run = |claim: &tsz_ledger::ExecClaim| -> Option<Vec<F>> {
        let values = lift.exec_values(&key, claim, &circuit.publics(claim), &proof).ok()?.1;
        program.run(&values).ok().map(|w| w.publics)
    };
    assert_eq!(run(&exec.claim).unwrap(), tree().exec.publics());
    let refused = |what: &str, change: &dyn Fn(&mut tsz_ledger::ExecClaim)| {
        let mut claim = exec.claim;
        change(&mut claim);
        assert_eq!(run(&claim), None, "{what}");
    };
    refused("count", &|c| c.count += 1);
    refused("start", &|c| c.start[7] += F::ONE);
    refused("end", &|c| c.end[0] += F::ONE);
    refused("begin flag", &|c| c.has_begin = !c.has_begin);
    refused("time", &|c| c.context.time += 1);
    refused("parameters", &|c| c.context.params[0] += F::ONE);
    // BeginBatch binds to the fund algorithm; for the rest the vk tree says whose rules they are.
    refused("algorithm", &|c| c.algorithm = tsz_ledger::Family::Spot.algorithm());
    // Proofs of another circuit, damaged ones, those of another size class.
    let transition = &tree().bundle.batches[0].transition.proof;
    assert!(keys.decode(transition).is_err());
    assert!(keys.decode(&exec.proof[1..]).is_err());
    let tiny = tsz_transition::Class::named("tiny").unwrap();
    let tiny = Transition::new(tiny, Profile::InsecureTest);
    assert!(crate::registry::Keyed::base(&tiny).unwrap().decode(transition).is_err());
}

/// A map of public values belongs to one circuit: another key's has other numbers of them, and some would be bound to
/// nothing.
#[test]
fn a_lift_with_the_map_of_another_circuit_is_no_lift() {
    let f = fixture();
    let (exec, transition) = (&f.registry.exec_circuits()[0], &f.registry.transitions()[0]);
    let verifier = |circuit: &dyn registry::Keyed| circuit.base().unwrap().verifier().unwrap().0;
    let exec_map = || PublicMap::exec(exec.algorithm(), |claim| exec.publics(claim)).unwrap();
    let transition_map = || PublicMap::transition(|claim| transition.publics(claim)).unwrap();
    assert!(Lift::exec(verifier(exec.as_ref()), exec_map()).is_ok());
    assert!(Lift::transition(verifier(transition.as_ref()), transition_map()).is_ok());
    let swapped = [
        Lift::exec(verifier(transition.as_ref()), exec_map()),
        Lift::transition(verifier(exec.as_ref()), transition_map()),
    ];
    for lift in swapped {
        assert!(matches!(lift, Err(MapError::Counts)));
    }
    let longer = PublicMap::exec(exec.algorithm(), |claim| {
        let mut publics = exec.publics(claim);
        // A table of constants at the end is a table more.
        publics.push(vec![F::ONE]);
        publics
    });
    assert!(matches!(Lift::exec(verifier(exec.as_ref()), longer.unwrap()), Err(MapError::Counts)));
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
    refuses_lies(&proof, 97);

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

fn refuses_lies(proof: &AggregationProof, damages: usize) {
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
    for at in (0..bytes.len()).step_by(bytes.len() / damages) {
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

/// A bundle whose base keys stand where the tree of other pins has them.
pub(super) fn listed(bundle: &Bundle, pins: &Pins) -> Bundle {
    let (mut bundle, tree) = (bundle.clone(), pins.tree().unwrap());
    for batch in &mut bundle.batches {
        let vks = std::iter::once(&mut batch.transition.vk).chain(batch.execs.iter_mut().map(|e| &mut e.vk));
        for vk in vks {
            let pin = pins.vks().iter().find(|p| p.digest.0 == vk.digest).unwrap();
            vk.membership = tree.prove(&pin.entry()).unwrap();
        }
    }
    bundle
}

#[test]
fn keys_of_nodes_that_are_not_pinned_prove_nothing() {
    let f = fixture();
    let without = |name: &str| {
        let nodes: Vec<Pin> = f.pins.nodes().iter().filter(|p| !p.name.starts_with(name)).cloned().collect();
        assert!(nodes.len() < f.pins.nodes().len(), "{name}");
        let pins = Pins::with_nodes(f.pins.vks().to_vec(), nodes).unwrap();
        let bundle = listed(&f.bundle, &pins);
        let aggregator =
            Aggregator::with_profile(&f.registry, &pins, None, |_| {}, Profile::InsecureNode, LOGS).unwrap();
        aggregator.aggregate(&bundle).unwrap_err()
    };
    assert!(matches!(without("lift-fund"), EngineError::NotPinned(name) if name == "lift-fund/small"));
    assert!(matches!(without("join"), EngineError::NotPinned(name) if name.starts_with("join/")));
}

#[test]
fn damaged_node_files_are_refused() {
    let node = &tree().root.node;
    let bytes = node.to_bytes();
    assert_eq!(NodeProof::from_bytes(&bytes).unwrap(), *node);
    for at in [0, 5, 6, 40, 71, bytes.len() - 1] {
        assert!(NodeProof::from_bytes(&bytes[..at]).is_err());
    }
}

/// Writes the pins of this program to the file that `TSZ_PINS` names.
#[test]
#[ignore = "minutes; what `tsz vk pin` does, in an optimised build of tests"]
fn pins_of_all_keys_are_written() {
    let Some(path) = std::env::var_os("TSZ_PINS") else { return };
    let registry = registry();
    let watch = measure::Stopwatch::start();
    let nodes = derive_nodes(&registry, Profile::Node, tsz_tree::SHAPE_LOGS, tsz_tree::WIDE_JOINS, &|name| {
        println!("{name}")
    })
    .unwrap();
    println!("{:?}, left out {:?}", watch.cost(), nodes.left_out);
    let programs = crate::runs::guests().unwrap().iter().map(ProgramPin::from).collect();
    let (base, guards) = (registry.derive().unwrap(), registry.derive_guards().unwrap());
    let pins = Pins::with_programs(base, nodes.pins, guards, programs).unwrap();
    std::fs::write(path, pins.to_toml().unwrap()).unwrap();
}

/// Rows of every lift and of the joins over their shapes; what `tsz vk rows` prints.
///
/// Run with `cargo test -p tsz-engine --lib -- --ignored --nocapture rows_of_all_nodes`; `TSZ_LIFT` names a lift whose
/// rows are counted by source.
#[test]
#[ignore = "measures"]
fn rows_of_all_nodes() {
    let registry = registry();
    if let Ok(name) = std::env::var("TSZ_LIFT") {
        rows_of_lift(&registry, &name).unwrap().iter().take(40).for_each(|r| println!("{r:?}"));
        return;
    }
    for node in rows_of_nodes(&registry, Profile::Node, &|_| {}).unwrap() {
        println!("{node:?}");
        assert!(node.log.is_some(), "{}", node.name);
    }
}

/// What `tsz bench aggregate` does, in an optimised build of tests, under the pins of the file that `TSZ_PINS` names;
/// `TSZ_TRADES` says how many trades, `TSZ_KEYS` names a folder of proving keys.
#[test]
#[ignore = "minutes; measures"]
fn a_batch_of_every_family_is_aggregated() {
    let number = |name: &str, default: u32| std::env::var(name).map_or(default, |n| n.parse().unwrap());
    let pins = match std::env::var_os("TSZ_PINS") {
        Some(path) => Pins::parse(&std::fs::read_to_string(path).unwrap()).unwrap(),
        None => Pins::built_in().unwrap(),
    };
    let trades = number("TSZ_TRADES", 64);
    let params =
        Params { accounts: 1 << number("TSZ_ACCOUNTS", 12), active: 256, batches: 1, mix: Mix::TRADES };
    let batch = every_family(trades, 1, &params).unwrap();
    let registry = registry();
    let (bundle, base) = prove_bundle(vec![batch], &registry, &pins, &|_| {}).unwrap();
    let families = base.proofs.iter().map(|p| p.circuit.split('/').next().unwrap());
    let mut all: BTreeSet<&str> = registry.keyed().map(|circuit| circuit.id().family).collect();
    all.insert("run");
    assert_eq!(families.collect::<BTreeSet<_>>(), all);
    eprintln!("base {:?}", base.total);
    let mut aggregator = Aggregator::new(&registry, &pins, None, |name| eprintln!("{name}")).unwrap();
    if let Some(dir) = std::env::var_os("TSZ_KEYS") {
        aggregator = aggregator.with_keys(dir.as_ref()).unwrap();
    }
    let (proof, report) = aggregator.aggregate(&bundle).unwrap();
    let keys = NodeKeys::new(Profile::Node).unwrap();
    let watch = measure::Stopwatch::start();
    proof.verify(&keys, &pins.root()).unwrap();
    let value = serde_json::json!({
        "ok": true,
        "name": "aggregate",
        "trades": trades,
        "proofs": base.proofs,
        "base": base.total,
        "stages": base.stages,
        "figures": report.figures(),
        "report": report,
        "verify": watch.cost(),
        "proof_bytes": proof.to_bytes().len(),
    });
    println!("{}", serde_json::to_string_pretty(&value).unwrap());
}
