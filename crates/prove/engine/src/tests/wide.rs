//! Joins of more than two children.

use tsz_hash::{Digest, F, PrimeCharacteristicRing};
use tsz_ledger::Family;
use tsz_plonk::Program;
use tsz_stark::Profile;
use tsz_tree::{Claim, Join, headers_digest, join_algorithm};
use tsz_vktree::transition_algorithm;

use super::aggregate::{Part, fixture, keys, listed, part, run_join, tree};
use crate::aggregate::{Aggregator, derive_node};
use crate::*;

/// Shapes that hold the test's joins.
const LOGS: std::ops::RangeInclusive<usize> = 14..=17;

/// The transition and the ops of the tree's batch, and its root, which no step takes.
fn joiner() -> (Join, Program, Vec<Part>) {
    let tree = tree();
    let parts = vec![
        part(&tree.transition, transition_algorithm()),
        part(&tree.exec, Family::Fund.algorithm()),
        part(&tree.root.node, join_algorithm()),
    ];
    let logs: Vec<usize> = parts.iter().map(|part| part.log).collect();
    let verifiers = keys().verifiers(logs.iter().copied()).unwrap();
    let join = Join::new(logs.iter().map(|log| verifiers[log].clone()).collect()).unwrap();
    let program = Program::fitted(join.build(), Profile::InsecureNode).unwrap();
    (join, program, parts)
}

#[test]
fn a_join_of_three_says_what_a_join_of_two_says_and_checks_the_unused_one_too() {
    let (join, program, parts) = joiner();
    let root = fixture().pins.root();
    let run = |parts: &[Part], steps: &[(usize, usize)]| run_join(&join, &program, parts, steps, &root);
    assert_eq!(run(&parts, &[(0, 1)]).unwrap(), tree().root.node.publics());
    let refused = |what: &str, change: &dyn Fn(&mut Part)| {
        for k in 0..3 {
            let mut parts = parts.clone();
            change(&mut parts[k]);
            assert!(run(&parts, &[(0, 1)]).is_err(), "{what} of child {k}");
        }
    };
    refused("another place in the vk tree", &|p| p.membership.index ^= 1);
    refused("another sibling", &|p| p.membership.siblings[3][0] += F::ONE);
    refused("a lift passed off as a join or a join as a lift", &|p| p.is_join = !p.is_join);
    refused("another key", &|p| p.key.digest[0] += F::ONE);
    refused("another commitment", &|p| p.key = keys().values(p.log, &Digest::default()).unwrap());
    refused("another vk root", &|p| p.publics[0] += F::ONE);
    refused("another claim", &|p| p.publics[8] += F::ONE);
    refused("a claim that the proof does not state", &|p| match &mut p.claim {
        Claim::Exec(c) => c.end[0] += F::ONE,
        Claim::Transition(c) => c.sn[0] += F::ONE,
        Claim::Set(c) => c.root[0] += F::ONE,
        Claim::Batches(c) => c.sn[0] += F::ONE,
    });
    refused("a damaged proof", &|p| {
        let at = p.proof.len() / 2;
        p.proof[at..at + 4].fill(0);
    });
    // What does not merge, steps of claims that are not there, none, too many.
    for steps in [&[(1, 0)][..], &[(0, 2)], &[(2, 2)], &[(0, 3)], &[], &[(0, 1), (3, 2)], &[(0, 1), (3, 4)]] {
        assert!(run(&parts, steps).is_err(), "{steps:?}");
    }
    assert!(run(&parts[..2], &[(0, 1)]).is_err(), "too few children");
    let mut swapped = parts.clone();
    swapped.swap(0, 2);
    assert!(run(&swapped, &[(0, 1)]).is_err(), "places exchanged, steps not");
    let other = { root.map(|felt| felt + F::ONE) };
    assert!(run_join(&join, &program, &parts, &[(0, 1)], &other).is_err());
}

/// A worker that fails ends the aggregation with its reason, whatever the other one does.
#[test]
fn a_lift_whose_key_is_not_the_pinned_one_ends_the_aggregation() {
    let f = fixture();
    let mut nodes = f.pins.nodes().to_vec();
    let lift = nodes.iter_mut().find(|pin| pin.name.starts_with("lift-fund/")).unwrap();
    lift.digest.0[0] += F::ONE;
    let name = lift.name.clone();
    let pins = Pins::with_nodes(f.pins.vks().to_vec(), nodes).unwrap();
    let bundle = listed(&f.bundle, &pins);
    let aggregator =
        Aggregator::with_profile(&f.registry, &pins, None, |_| {}, Profile::InsecureNode, LOGS).unwrap();
    let refused = aggregator.aggregate(&bundle);
    assert!(matches!(refused, Err(EngineError::NotPinned(missing)) if missing == name));
}

#[test]
fn two_batches_with_a_leaf_in_two_ranges_become_one_proof_by_one_join() {
    let (f, profile) = (fixture(), Profile::InsecureNode);
    let log = |lift: &str| {
        let pin = f.pins.nodes().iter().find(|pin| pin.name.starts_with(lift)).unwrap();
        pin.tables[0].strip_prefix("alu:").unwrap().parse::<usize>().unwrap()
    };
    let (fund, transition) = (log("lift-fund/"), log("lift-transition/"));
    let mut slots = [fund, fund, fund, transition, transition, transition];
    slots.sort_unstable();
    let slots: Vec<String> = slots.iter().map(usize::to_string).collect();
    let wide = derive_node(&f.registry, profile, LOGS, &format!("join/{}", slots.join("-"))).unwrap();
    let nodes = f.pins.nodes().iter().cloned().chain([wide.clone()]).collect();
    let pins = Pins::with_nodes(f.pins.vks().to_vec(), nodes).unwrap();
    let bundle = listed(&f.bundle, &pins);
    let dir = tempfile::tempdir().unwrap();
    let aggregate = || {
        let aggregator =
            Aggregator::with_profile(&f.registry, &pins, Some(dir.path()), |_| {}, profile, LOGS).unwrap();
        aggregator.aggregate(&bundle).unwrap()
    };
    let (proof, report) = aggregate();
    for node in &report.nodes {
        println!("{} {} {} {:?}", node.name, node.permutations, node.arithmetic, node.prove);
    }
    let names: Vec<&str> = report.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!((names.len(), names[5]), (6, wide.name.as_str()), "{names:?}");
    let claim = proof.verify(&keys(), &pins.root()).unwrap();
    let headers: Vec<_> = bundle.batches.iter().map(|b| b.header).collect();
    assert_eq!((claim.headers, claim.count), (headers_digest(&headers), 2));
    assert_eq!((claim.s0, claim.sn), (headers[0].s0, headers[1].sn));
    let (again, report) = aggregate();
    assert!(again == proof && report.nodes.len() == 1 && report.nodes[0].reused);
}
