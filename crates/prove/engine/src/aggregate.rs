//! From a bundle to one aggregation proof.
//!
//! A plan of nodes is made first, with every claim: it refuses what does not merge before anything is proven, and
//! gives each node a name that depends on nothing but the base proofs and the vk root. Finished nodes are written
//! to a work folder under their names and are used again, whoever made them: each is verified when it is read.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tsz_aggregator::{BatchProofs, Bundle, ExecProof, GuestRun, check_bundle};
use tsz_codec::Encode;
use tsz_hash::{Digest, hash_bytes};
use tsz_ledger::SetLeaf;
use tsz_recursion::KeyValues;
use tsz_stark::{Profile, Proof};
use tsz_tree::{
    Advice, AggregationProof, Child, Claim, ExecRange, Join, NodeKeys, NodeProgram, NodeProof, SHAPE_LOGS,
    Step, join_algorithm, merge,
};

use crate::error::EngineError;
use crate::folder::build_keys;
use crate::measure::{Cost, Stopwatch, peak_rss_bytes};
use crate::pins::Pins;
use crate::registry::{Keyed, Registry};

mod figures;
mod guests;
mod kept;
mod keys;
mod lifts;
mod nodes;
mod plan;
mod shared;

pub use figures::{AggregateFigures, AggregateReport, NodeFigures, NodeReport};
pub use guests::{RUN_SEGMENTS, guest_lift_name, takes_run};
pub use nodes::{DerivedNodes, NodeRows, derive_node, derive_nodes, rows_of_lift, rows_of_nodes};
pub(crate) use nodes::{exec_lift, join_slots};
use nodes::{failed, join_name};
use plan::Planner;
use shared::{Shared, algorithm};

/// Family of joins among the pins.
const JOIN: &str = "join";

/// A node to be made.
struct Plan<'a> {
    /// Name in the work folder.
    id: Digest,
    claim: Claim,
    kind: Kind<'a>,
    batch: usize,
    /// log2 of the rows of its shape; 0 for a merge that has no program yet.
    log: usize,
}

enum Kind<'a> {
    Exec(&'a ExecProof),
    Guest(&'a ExecProof, &'a GuestRun),
    Transition(&'a BatchProofs),
    /// Two claims to be merged, by no program yet.
    Pair(Box<[Plan<'a>; 2]>),
    Join(Group<'a>),
}

/// What one join makes.
struct Group<'a> {
    /// Shapes of its places.
    slots: Vec<usize>,
    children: Vec<Plan<'a>>,
    /// The child in each place.
    places: Vec<usize>,
    steps: Vec<JoinStep>,
}

/// Claims to be merged, by their numbers: those of the places, then the results.
struct JoinStep {
    left: usize,
    right: usize,
    /// Batch that the merge is about.
    batch: usize,
}

/// A program with its lift or join.
struct Built<T> {
    circuit: T,
    program: NodeProgram,
    cost: Cost,
}

/// Aggregates bundles.
pub struct Aggregator<'a> {
    shared: Shared<'a>,
    /// Nodes that are there and were not joined yet, by name.
    nodes: BTreeMap<Digest, NodeProof>,
    joins: BTreeMap<Vec<usize>, Built<Join>>,
    guests: guests::Guests,
    report: AggregateReport,
    progress: Box<dyn Fn(&str) + 'a>,
}

impl<'a> Aggregator<'a> {
    /// An aggregator of proofs under pinned keys. With a work folder it keeps finished nodes there.
    ///
    /// # Errors
    /// [`EngineError`] if the pins are no vk tree or the folder cannot be made.
    pub fn new(
        registry: &'a Registry,
        pins: &'a Pins,
        work: Option<&Path>,
        progress: impl Fn(&str) + 'a,
    ) -> Result<Self, EngineError> {
        Self::with_profile(registry, pins, work, progress, Profile::Node, SHAPE_LOGS)
    }

    /// As [`Aggregator::new`], for nodes of another profile and other shapes: for tests.
    ///
    /// # Errors
    /// As [`Aggregator::new`].
    pub fn with_profile(
        registry: &'a Registry,
        pins: &'a Pins,
        work: Option<&Path>,
        progress: impl Fn(&str) + 'a,
        profile: Profile,
        logs: std::ops::RangeInclusive<usize>,
    ) -> Result<Self, EngineError> {
        if let Some(dir) = work {
            fs::create_dir_all(dir).map_err(EngineError::io(dir))?;
        }
        let shared = Shared {
            registry,
            pins,
            tree: pins.tree()?,
            keys: NodeKeys::new(profile).map_err(|e| failed("nodes")(&e))?,
            profile,
            logs,
            work: work.map(Path::to_path_buf),
            folder: None,
        };
        Ok(Self {
            shared,
            nodes: BTreeMap::new(),
            joins: BTreeMap::new(),
            guests: guests::Guests::default(),
            report: AggregateReport::default(),
            progress: Box::new(progress),
        })
    }

    /// Keeps proving keys in a folder, by vk digest, and takes them from there.
    ///
    /// # Errors
    /// [`EngineError`] if the folder cannot be made.
    pub fn with_keys(mut self, dir: &Path) -> Result<Self, EngineError> {
        self.shared.folder = Some(keys::KeyFolder::new(dir)?);
        Ok(self)
    }

    /// Aggregates the batches of a bundle, after a native check of it.
    ///
    /// # Errors
    /// [`EngineError`]; finished nodes stay in the work folder.
    pub fn aggregate(mut self, bundle: &Bundle) -> Result<(AggregationProof, AggregateReport), EngineError> {
        let watch = Stopwatch::start();
        Self::check_runs(bundle)?;
        build_keys(bundle, self.shared.registry, self.shared.pins)?;
        check_bundle(bundle, &self.shared.registry.verifiers(self.shared.pins), None)?;
        self.report.check = watch.cost();
        let plan = Planner::new(self.shared.pins)?.group(self.plan(bundle)?)?;
        self.prove_lifts(&plan)?;
        let node = self.prove(&plan, bundle)?;
        let vk = node.verify(&self.shared.keys).map_err(|e| failed("root")(&e))?;
        let membership = self.shared.membership(join_algorithm(), vk, JOIN)?;
        let proof = AggregationProof { node, membership };
        proof.verify(&self.shared.keys, &self.shared.pins.root()).map_err(|e| failed("root")(&e))?;
        self.report.total = watch.cost();
        self.report.bytes = proof.to_bytes().len();
        self.report.peak_rss_bytes = peak_rss_bytes();
        Ok((proof, self.report))
    }

    fn plan<'b>(&self, bundle: &'b Bundle) -> Result<Plan<'b>, EngineError> {
        let batches = bundle.batches.iter().enumerate();
        let plans = batches.map(|(k, batch)| self.plan_batch(k, batch)).collect::<Result<_, _>>()?;
        let merge = |left, right: Plan<'b>| {
            let batch = &bundle.batches[right.batch];
            join_plan(left, right, batch)
        };
        chain(plans, &merge)
    }

    fn plan_batch<'b>(&self, k: usize, batch: &'b BatchProofs) -> Result<Plan<'b>, EngineError> {
        let mut set: Option<Plan<'b>> = None;
        for leaf in &batch.leaves {
            let mut range: Option<Plan<'b>> = None;
            for exec in batch.execs.iter().filter(|e| e.claim.algorithm == leaf.algorithm) {
                let next = self.plan_exec(k, exec)?;
                range = Some(match range {
                    None => next,
                    Some(before) => join_plan(before, next, batch)?,
                });
            }
            let range = range.ok_or_else(|| failed("plan")(&"a leaf of the set has no proof"))?;
            set = Some(match set {
                None => range,
                Some(before) => join_plan(before, range, batch)?,
            });
        }
        let claim = batch.header.transition();
        let id = self.shared.id(b"transition", &batch.transition.vk.digest, &batch.transition.proof);
        let kind = Kind::Transition(batch);
        let log = self.shared.lift_log(&batch.transition.vk.digest)?;
        let transition = Plan { id, claim: Claim::Transition(claim), kind, batch: k, log };
        let set = set.ok_or_else(|| failed("plan")(&"a batch has no leaves"))?;
        join_plan(transition, set, batch)
    }

    fn plan_exec<'b>(&self, k: usize, exec: &'b ExecProof) -> Result<Plan<'b>, EngineError> {
        if let Some(run) = &exec.run {
            return self.plan_guest(k, exec, run);
        }
        let claim = Claim::Exec(ExecRange::from(&exec.claim));
        let id = self.shared.id(b"exec", &exec.vk.digest, &exec.proof);
        let log = self.shared.lift_log(&exec.vk.digest)?;
        Ok(Plan { id, claim, kind: Kind::Exec(exec), batch: k, log })
    }

    /// The node of a plan whose lifts of base proofs are there.
    fn prove(&mut self, plan: &Plan<'_>, bundle: &Bundle) -> Result<NodeProof, EngineError> {
        if let Some(node) = self.nodes.remove(&plan.id) {
            return Ok(node);
        }
        let node = match &plan.kind {
            Kind::Guest(exec, run) => self.prove_guest(exec, run)?,
            Kind::Join(group) => {
                let mut nodes = Vec::with_capacity(group.children.len());
                for child in &group.children {
                    nodes.push(self.prove(child, bundle)?);
                }
                self.prove_join(group, &nodes, bundle)?
            }
            Kind::Exec(_) | Kind::Transition(_) | Kind::Pair(_) => {
                return Err(failed("plan")(&"a node that was not made"));
            }
        };
        self.shared.store(plan, &node)?;
        Ok(node)
    }

    fn prove_join(
        &mut self,
        group: &Group<'_>,
        nodes: &[NodeProof],
        bundle: &Bundle,
    ) -> Result<NodeProof, EngineError> {
        let name = join_name(&group.slots);
        let failed = failed(&name);
        let mut built = match self.joins.remove(&group.slots) {
            Some(built) => built,
            None => {
                (self.progress)(&format!("building {name}"));
                let watch = Stopwatch::start();
                let built = self.shared.join(&group.slots)?;
                Built { cost: watch.cost(), ..built }
            }
        };
        (self.progress)(&name);
        let watch = Stopwatch::start();
        let root = self.shared.pins.root();
        let mut parts = Vec::with_capacity(nodes.len());
        for node in nodes {
            let log = node.log.into();
            let vk = self.shared.keys.key(log, &node.program).map_err(|e| failed(&e))?;
            let membership = self.shared.membership(algorithm(node), *vk.digest(), &name)?;
            let proof = Proof::from_bytes(&vk, &node.proof).map_err(|e| failed(&e))?;
            parts.push((KeyValues::from(&vk), membership, proof, node.publics()));
        }
        let child = |place: &usize| Child {
            key: &parts[*place].0,
            membership: &parts[*place].1,
            is_join: !nodes[*place].is_lift(),
            claim: &nodes[*place].claim,
            publics: &parts[*place].3,
            proof: &parts[*place].2,
        };
        if group.slots.iter().zip(&group.places).any(|(log, k)| *log != usize::from(nodes[*k].log)) {
            return Err(failed(&"a child has another shape than its pin says"));
        }
        let children: Vec<Child<'_>> = group.places.iter().map(child).collect();
        let advice = |batch: usize| {
            let BatchProofs { leaves, header, .. } = &bundle.batches[batch];
            Advice { leaves, header: Some(header) }
        };
        let step = |s: &JoinStep| Step { left: s.left, right: s.right, advice: advice(s.batch) };
        let steps: Vec<Step<'_>> = group.steps.iter().map(step).collect();
        let (claim, values) = built.circuit.values(&root, &children, &steps).map_err(|e| failed(&e))?;
        let node = NodeProof::prove(&built.program, &values, root, claim).map_err(|e| failed(&e))?;
        let report = NodeReport::new(&name, &built.program, built.cost, watch.cost(), node.proof.len());
        self.report.nodes.push(report);
        built.cost = Cost::default();
        self.joins.insert(group.slots.clone(), built);
        Ok(node)
    }
}

fn decode<C: Keyed + ?Sized>(circuit: &C, proof: &[u8]) -> Result<Proof, EngineError> {
    let failed = failed(circuit.id());
    let keys =
        circuit.base().ok_or_else(|| failed(&"the circuit has no verifier for the aggregation tree"))?;
    keys.decode(proof).map_err(|e| failed(&e))
}

/// Merges consecutive parts, of which there is one at least.
///
/// They are cut at powers of two: the tree is as deep as the logarithm of their number, and those of a longer chain that
/// begins with the same parts are the same nodes.
fn chain<T>(mut parts: Vec<T>, merge: &impl Fn(T, T) -> Result<T, EngineError>) -> Result<T, EngineError> {
    if parts.len() < 2 {
        return parts.pop().ok_or(EngineError::Empty);
    }
    let right = parts.split_off(parts.len().next_power_of_two() / 2);
    merge(chain(parts, merge)?, chain(right, merge)?)
}

/// The node that merges two, with the claim that the rules make of theirs.
fn join_plan<'b>(left: Plan<'b>, right: Plan<'b>, batch: &'b BatchProofs) -> Result<Plan<'b>, EngineError> {
    let leaves: &[SetLeaf] = &batch.leaves;
    let advice = Advice { leaves, header: Some(&batch.header) };
    let (_, claim) = merge(&left.claim, &right.claim, &advice).map_err(|e| failed("plan")(&e))?;
    let mut bytes = b"join".to_vec();
    (left.id, right.id).encode(&mut bytes);
    let (id, batch) = (hash_bytes(&bytes), right.batch);
    Ok(Plan { id, claim, kind: Kind::Pair(Box::new([left, right])), batch, log: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chained(count: usize) -> String {
        let parts = (0..count).map(|k| k.to_string()).collect();
        chain(parts, &|left, right| Ok(format!("({left} {right})"))).unwrap()
    }

    #[test]
    fn chains_are_cut_at_powers_of_two() {
        assert_eq!([1, 2, 3, 4].map(chained), ["0", "(0 1)", "((0 1) 2)", "((0 1) (2 3))"]);
        assert_eq!(chained(7), "(((0 1) (2 3)) ((4 5) 6))");
        assert!(chained(9).starts_with(&format!("({} ", chained(8))));
        let depth = chained(1_000).split(|c| c != '(').map(str::len).max();
        assert_eq!(depth, Some(10));
        let nothing: Vec<String> = Vec::new();
        assert!(matches!(chain(nothing, &|left, _| Ok(left)), Err(EngineError::Empty)));
    }
}
