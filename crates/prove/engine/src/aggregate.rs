//! From a bundle to one aggregation proof.
//!
//! A plan of nodes is made first, with every claim: it refuses what does not merge before anything is proven, and
//! gives each node a name that depends on nothing but the base proofs and the vk root. Finished nodes are written
//! to a work folder under their names and are used again, whoever made them: each is verified when it is read.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tsz_aggregator::{BatchProofs, Bundle, ExecProof, GuestRun, check_bundle};
use tsz_codec::Encode;
use tsz_hash::{Digest, hash_bytes};
use tsz_ledger::SetLeaf;
use tsz_plonk::{Builder, Rows};
use tsz_recursion::KeyValues;
use tsz_stark::{Profile, Proof};
use tsz_tree::{
    Advice, AggregationProof, Child, Claim, ExecRange, Join, Lift, NodeKeys, NodeProgram, NodeProof,
    SHAPE_LOGS, join_algorithm, merge,
};
use tsz_vktree::{VkEntry, VkTree, transition_algorithm};

use crate::error::EngineError;
use crate::hexdigest::Hex;
use crate::measure::{Cost, Stopwatch, peak_rss_bytes};
use crate::pins::Pins;
use crate::registry::{Keyed, Registry};

mod figures;
mod guests;
mod keys;
mod nodes;

pub use figures::{AggregateFigures, AggregateReport, NodeFigures, NodeReport};
pub use guests::{RUN_SEGMENTS, guest_lift_name, takes_run};
pub(crate) use nodes::exec_lift;
pub use nodes::{DerivedNodes, NodeRows, derive_node, derive_nodes, rows_of_lift, rows_of_nodes};
use nodes::{failed, join_circuit, join_name, lift_name, transition_lift};

/// Family of joins among the pins.
const JOIN: &str = "join";

/// A node to be made.
struct Plan<'a> {
    /// Name in the work folder.
    id: Digest,
    claim: Claim,
    kind: Kind<'a>,
    batch: usize,
}

enum Kind<'a> {
    Exec(&'a ExecProof),
    Guest(&'a ExecProof, &'a GuestRun),
    Transition(&'a BatchProofs),
    Join(Box<[Plan<'a>; 2]>),
}

/// A program with its lift or join.
struct Built<T> {
    circuit: T,
    program: NodeProgram,
    cost: Cost,
}

/// Aggregates bundles.
pub struct Aggregator<'a> {
    registry: &'a Registry,
    pins: &'a Pins,
    tree: VkTree,
    keys: NodeKeys,
    profile: Profile,
    logs: std::ops::RangeInclusive<usize>,
    work: Option<PathBuf>,
    folder: Option<keys::KeyFolder>,
    lifts: BTreeMap<String, Built<Lift>>,
    joins: BTreeMap<[usize; 2], Built<Join>>,
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
        Ok(Self {
            registry,
            pins,
            tree: pins.tree()?,
            keys: NodeKeys::new(profile).map_err(|e| failed("nodes")(&e))?,
            profile,
            logs,
            work: work.map(Path::to_path_buf),
            folder: None,
            lifts: BTreeMap::new(),
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
        self.folder = Some(keys::KeyFolder::new(dir)?);
        Ok(self)
    }

    /// Aggregates the batches of a bundle, after a native check of it.
    ///
    /// # Errors
    /// [`EngineError`]; finished nodes stay in the work folder.
    pub fn aggregate(mut self, bundle: &Bundle) -> Result<(AggregationProof, AggregateReport), EngineError> {
        let watch = Stopwatch::start();
        Self::check_runs(bundle)?;
        check_bundle(bundle, &self.registry.verifiers(self.pins), None)?;
        self.report.check = watch.cost();
        let plan = self.plan(bundle)?;
        let node = self.prove(&plan, bundle)?;
        let vk = node.verify(&self.keys).map_err(|e| failed("root")(&e))?;
        let membership = self.membership(join_algorithm(), vk, JOIN)?;
        let proof = AggregationProof { node, membership };
        proof.verify(&self.keys, &self.pins.root()).map_err(|e| failed("root")(&e))?;
        self.report.total = watch.cost();
        self.report.bytes = proof.to_bytes().len();
        self.report.peak_rss_bytes = peak_rss_bytes();
        Ok((proof, self.report))
    }

    fn plan<'b>(&self, bundle: &'b Bundle) -> Result<Plan<'b>, EngineError> {
        let mut chain: Option<Plan<'b>> = None;
        for (k, batch) in bundle.batches.iter().enumerate() {
            let next = self.plan_batch(k, batch)?;
            chain = Some(match chain {
                None => next,
                Some(before) => join_plan(before, next, batch)?,
            });
        }
        chain.ok_or(EngineError::Empty)
    }

    fn plan_batch<'b>(&self, k: usize, batch: &'b BatchProofs) -> Result<Plan<'b>, EngineError> {
        let mut set: Option<Plan<'b>> = None;
        for leaf in &batch.leaves {
            let mut range: Option<Plan<'b>> = None;
            for exec in batch.execs.iter().filter(|e| e.claim.algorithm == leaf.algorithm) {
                let next = self.plan_exec(k, exec);
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
        let id = self.id(b"transition", &batch.transition.vk.digest, &batch.transition.proof);
        let kind = Kind::Transition(batch);
        let transition = Plan { id, claim: Claim::Transition(claim), kind, batch: k };
        let set = set.ok_or_else(|| failed("plan")(&"a batch has no leaves"))?;
        join_plan(transition, set, batch)
    }

    fn plan_exec<'b>(&self, k: usize, exec: &'b ExecProof) -> Plan<'b> {
        if let Some(run) = &exec.run {
            return self.plan_guest(k, exec, run);
        }
        let claim = Claim::Exec(ExecRange::from(&exec.claim));
        let id = self.id(b"exec", &exec.vk.digest, &exec.proof);
        Plan { id, claim, kind: Kind::Exec(exec), batch: k }
    }

    /// Name of a lift's node: the vk root pins its program, the base proof is all it depends on.
    fn id(&self, kind: &[u8], vk: &Digest, proof: &[u8]) -> Digest {
        let mut bytes = kind.to_vec();
        (self.pins.root(), *vk, hash_bytes(proof)).encode(&mut bytes);
        hash_bytes(&bytes)
    }

    fn membership(
        &self,
        algorithm: Digest,
        vk: Digest,
        name: &str,
    ) -> Result<tsz_vktree::VkMembership, EngineError> {
        let entry = VkEntry { algorithm, vk };
        self.tree.prove(&entry).ok_or_else(|| EngineError::NotPinned(name.to_owned()))
    }

    fn prove(&mut self, plan: &Plan<'_>, bundle: &Bundle) -> Result<NodeProof, EngineError> {
        if let Some(node) = self.finished(plan)? {
            return Ok(node);
        }
        let node = match &plan.kind {
            Kind::Exec(exec) => self.prove_exec(exec)?,
            Kind::Guest(exec, run) => self.prove_guest(exec, run)?,
            Kind::Transition(batch) => self.prove_transition(batch)?,
            Kind::Join(children) => {
                let nodes = [self.prove(&children[0], bundle)?, self.prove(&children[1], bundle)?];
                self.prove_join(&nodes, &bundle.batches[plan.batch])?
            }
        };
        if let Some(path) = self.path(plan) {
            // Written beside and renamed: a kill leaves no half of a node.
            let part = path.with_extension("part");
            fs::write(&part, node.to_bytes()).map_err(EngineError::io(&part))?;
            fs::rename(&part, &path).map_err(EngineError::io(&path))?;
        }
        Ok(node)
    }

    fn path(&self, plan: &Plan<'_>) -> Option<PathBuf> {
        self.work.as_ref().map(|dir| dir.join(format!("{}.node", Hex(plan.id))))
    }

    /// A node that an earlier run left, if it is the planned one and holds.
    fn finished(&mut self, plan: &Plan<'_>) -> Result<Option<NodeProof>, EngineError> {
        let Some(path) = self.path(plan).filter(|path| path.exists()) else { return Ok(None) };
        let bytes = fs::read(&path).map_err(EngineError::io(&path))?;
        let Ok(node) = NodeProof::from_bytes(&bytes) else { return Ok(None) };
        let holds =
            node.claim == plan.claim && node.verify(&self.keys).is_ok_and(|vk| self.is_listed(&node, vk));
        if !holds {
            return Ok(None);
        }
        let name = if node.is_lift() { "lift" } else { JOIN };
        self.record(name, true, None, Cost::default(), Cost::default(), node.proof.len());
        Ok(Some(node))
    }

    fn algorithm(node: &NodeProof) -> Digest {
        match &node.claim {
            _ if !node.is_lift() => join_algorithm(),
            Claim::Exec(range) => range.algorithm,
            _ => transition_algorithm(),
        }
    }

    fn is_listed(&self, node: &NodeProof, vk: Digest) -> bool {
        let root = if node.is_lift() { Digest::default() } else { self.pins.root() };
        node.root == root && self.tree.prove(&VkEntry { algorithm: Self::algorithm(node), vk }).is_some()
    }

    fn record(
        &mut self,
        name: &str,
        reused: bool,
        program: Option<&NodeProgram>,
        build: Cost,
        prove: Cost,
        bytes: usize,
    ) {
        let rows = program.map(NodeProgram::rows).unwrap_or_default();
        let cells = program.map_or(0, |p| p.vk().tables().iter().map(|t| t.cells() as u64).sum());
        let Rows { alu, poseidon2, horner, .. } = rows;
        self.report.nodes.push(NodeReport {
            name: name.to_owned(),
            reused,
            permutations: poseidon2,
            arithmetic: alu,
            reductions: horner,
            cells,
            program: build,
            prove,
            bytes,
        });
    }

    fn prove_exec(&mut self, exec: &ExecProof) -> Result<NodeProof, EngineError> {
        let registry = self.registry;
        let name = self.pinned_name(&exec.vk.digest)?;
        let circuit = registry.exec_circuits().iter().find(|c| c.id().to_string() == name);
        let circuit = circuit.ok_or_else(|| EngineError::NotPinned(name.clone()))?.as_ref();
        let lift_name = lift_name(circuit);
        let failed = failed(&lift_name);
        let (lift, key) = exec_lift(circuit)?;
        let built = self.lift(circuit, lift)?;
        let proof = decode(circuit, &exec.proof)?;
        let publics = circuit.publics(&exec.claim);
        let (claim, values) =
            built.circuit.exec_values(&key, &exec.claim, &publics, &proof).map_err(|e| failed(&e))?;
        self.prove_lift(&lift_name, claim, &values)
    }

    fn prove_transition(&mut self, batch: &BatchProofs) -> Result<NodeProof, EngineError> {
        let registry = self.registry;
        let name = self.pinned_name(&batch.transition.vk.digest)?;
        let circuit = registry.transitions().iter().find(|c| c.id().to_string() == name);
        let circuit = circuit.ok_or_else(|| EngineError::NotPinned(name.clone()))?.as_ref();
        let lift_name = lift_name(circuit);
        let failed = failed(&lift_name);
        let (lift, key) = transition_lift(circuit)?;
        let built = self.lift(circuit, lift)?;
        let proof = decode(circuit, &batch.transition.proof)?;
        let claim = batch.header.transition();
        let publics = circuit.publics(&claim);
        let (claim, values) =
            built.circuit.transition_values(&key, &claim, &publics, &proof).map_err(|e| failed(&e))?;
        self.prove_lift(&lift_name, claim, &values)
    }

    fn pinned_name(&self, vk: &Digest) -> Result<String, EngineError> {
        let pin = self.pins.vks().iter().find(|p| p.digest.0 == *vk);
        pin.map(|p| p.name.clone()).ok_or_else(|| EngineError::NotPinned(Hex(*vk).to_string()))
    }

    fn program(&self, name: &str, circuit: Builder) -> Result<NodeProgram, EngineError> {
        let pinned = self.pins.nodes().iter().find(|pin| pin.name == name).map(|pin| pin.digest.0);
        keys::program(self.folder.as_ref(), pinned, name, circuit, self.profile, self.logs.clone())
    }

    /// The lift of a circuit, built once; its key must be listed for the circuit's algorithm.
    fn lift(&mut self, circuit: &dyn Keyed, lift: Lift) -> Result<&Built<Lift>, EngineError> {
        let name = lift_name(circuit);
        if !self.lifts.contains_key(&name) {
            (self.progress)(&format!("building {name}"));
            let watch = Stopwatch::start();
            let program = self.program(&name, lift.build())?;
            self.membership(circuit.algorithm(), *program.vk().digest(), &name)?;
            let built = Built { circuit: lift, program, cost: watch.cost() };
            self.lifts.insert(name.clone(), built);
        }
        self.lifts.get(&name).ok_or_else(|| EngineError::NotPinned(name.clone()))
    }

    fn prove_lift(
        &mut self,
        name: &str,
        claim: Claim,
        values: &[tsz_plonk::Value],
    ) -> Result<NodeProof, EngineError> {
        (self.progress)(name);
        let watch = Stopwatch::start();
        let mut built = self.lifts.remove(name).ok_or_else(|| EngineError::NotPinned(name.to_owned()))?;
        let node = NodeProof::prove(&built.program, values, Digest::default(), claim);
        let node = node.map_err(|e| failed(name)(&e))?;
        self.record(name, false, Some(&built.program), built.cost, watch.cost(), node.proof.len());
        built.cost = Cost::default();
        self.lifts.insert(name.to_owned(), built);
        Ok(node)
    }

    fn prove_join(&mut self, nodes: &[NodeProof; 2], batch: &BatchProofs) -> Result<NodeProof, EngineError> {
        let logs = nodes.each_ref().map(|n| usize::from(n.log));
        let name = join_name(logs);
        let failed = failed(&name);
        let mut built = match self.joins.remove(&logs) {
            Some(built) => built,
            None => {
                (self.progress)(&format!("building {name}"));
                let watch = Stopwatch::start();
                let join = join_circuit(&self.keys, logs)?;
                let program = self.program(&name, join.build())?;
                self.membership(join_algorithm(), *program.vk().digest(), &name)?;
                Built { circuit: join, program, cost: watch.cost() }
            }
        };
        (self.progress)(&name);
        let watch = Stopwatch::start();
        let root = self.pins.root();
        let mut parts = Vec::with_capacity(2);
        for node in nodes {
            let log = node.log.into();
            let vk = self.keys.key(log, &node.program).map_err(|e| failed(&e))?;
            let membership = self.membership(Self::algorithm(node), *vk.digest(), &name)?;
            let proof = Proof::from_bytes(&vk, &node.proof).map_err(|e| failed(&e))?;
            parts.push((KeyValues::from(&vk), membership, proof, node.publics()));
        }
        let child = |k: usize| Child {
            key: &parts[k].0,
            membership: &parts[k].1,
            is_join: !nodes[k].is_lift(),
            claim: &nodes[k].claim,
            publics: &parts[k].3,
            proof: &parts[k].2,
        };
        let advice = Advice { leaves: &batch.leaves, header: Some(&batch.header) };
        let (claim, values) =
            built.circuit.values(&root, [child(0), child(1)], &advice).map_err(|e| failed(&e))?;
        let node = NodeProof::prove(&built.program, &values, root, claim).map_err(|e| failed(&e))?;
        self.record(&name, false, Some(&built.program), built.cost, watch.cost(), node.proof.len());
        built.cost = Cost::default();
        self.joins.insert(logs, built);
        Ok(node)
    }
}

fn decode<C: Keyed + ?Sized>(circuit: &C, proof: &[u8]) -> Result<Proof, EngineError> {
    let failed = failed(circuit.id());
    let keys =
        circuit.base().ok_or_else(|| failed(&"the circuit has no verifier for the aggregation tree"))?;
    keys.decode(proof).map_err(|e| failed(&e))
}

/// The node that merges two, with the claim that the rules make of theirs.
fn join_plan<'b>(left: Plan<'b>, right: Plan<'b>, batch: &'b BatchProofs) -> Result<Plan<'b>, EngineError> {
    let leaves: &[SetLeaf] = &batch.leaves;
    let advice = Advice { leaves, header: Some(&batch.header) };
    let (_, claim) = merge(&left.claim, &right.claim, &advice).map_err(|e| failed("plan")(&e))?;
    let mut bytes = b"join".to_vec();
    (left.id, right.id).encode(&mut bytes);
    let (id, batch) = (hash_bytes(&bytes), right.batch);
    Ok(Plan { id, claim, kind: Kind::Join(Box::new([left, right])), batch })
}
