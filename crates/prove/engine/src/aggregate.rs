//! From a bundle to one aggregation proof.
//!
//! A plan of nodes is made first, with every claim: it refuses what does not merge before anything is proven, and
//! gives each node a name that depends on nothing but the base proofs and the vk root. Finished nodes are written
//! to a work folder under their names and are used again, whoever made them: each is verified when it is read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use tsz_aggregator::{BatchProofs, Bundle, ExecProof, check_bundle};
use tsz_codec::Encode;
use tsz_hash::{Digest, hash_bytes};
use tsz_ledger::{AlgorithmId, SetLeaf};
use tsz_plonk::{Builder, Rows, SourceRows};
use tsz_recursion::{KeyValues, Verifier};
use tsz_stark::security::security;
use tsz_stark::{FriParams, Profile, Proof};
use tsz_tree::{
    Advice, AggregationProof, Child, Claim, ExecRange, Join, Lift, NodeKeys, NodeProgram, NodeProof,
    ProgramError, PublicMap, SHAPE_LOGS, join_algorithm, merge,
};
use tsz_vktree::{VkEntry, VkTree, transition_algorithm};

use crate::error::EngineError;
use crate::hexdigest::Hex;
use crate::measure::{Cost, Stopwatch, peak_rss_bytes};
use crate::pins::{Pin, Pins};
use crate::registry::{ExecCircuit, Keyed, Registry, TransitionCircuit};

/// Family of joins among the pins.
const JOIN: &str = "join";

/// What a node cost.
#[derive(Clone, Debug, Serialize)]
pub struct NodeReport {
    /// Name of its key.
    pub name: String,
    /// Whether it was found in the work folder.
    pub reused: bool,
    /// Permutations, arithmetic rows, batch reduction rows in use.
    pub permutations: usize,
    /// Arithmetic rows.
    pub arithmetic: usize,
    /// Batch reduction rows.
    pub reductions: usize,
    /// Committed cells.
    pub cells: u64,
    /// Cost of compiling the program and committing to it; 0 if it was there already.
    pub program: Cost,
    /// Cost of running and proving it.
    pub prove: Cost,
    /// Bytes of the proof.
    pub bytes: usize,
}

/// What an aggregation cost.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AggregateReport {
    /// Cost of the native check of the bundle.
    pub check: Cost,
    /// The nodes in the order in which they were made.
    pub nodes: Vec<NodeReport>,
    /// Cost of everything.
    pub total: Cost,
    /// Bytes of the aggregation proof.
    pub bytes: usize,
    /// Largest resident set of the process so far.
    pub peak_rss_bytes: u64,
}

/// Sums over the lifts or the joins of an aggregation.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NodeFigures {
    /// Nodes proven.
    pub nodes: usize,
    /// CPU seconds of running and proving.
    pub cpu_seconds: f64,
    /// The most CPU seconds of one.
    pub most_cpu_seconds: f64,
    /// Wall seconds of running and proving.
    pub wall_seconds: f64,
    /// CPU seconds of compiling programs and committing to them.
    pub program_cpu_seconds: f64,
}

/// An aggregation in few numbers.
#[derive(Clone, Debug, Serialize)]
pub struct AggregateFigures {
    /// Lifts.
    pub lifts: NodeFigures,
    /// Joins.
    pub joins: NodeFigures,
    /// Wall seconds of everything.
    pub wall_seconds: f64,
    /// CPU seconds of everything.
    pub cpu_seconds: f64,
    /// Largest resident set of the process so far.
    pub peak_rss_bytes: u64,
}

impl AggregateReport {
    /// Sums over lifts and joins, without the nodes that were there already.
    pub fn figures(&self) -> AggregateFigures {
        let of = |joins: bool| {
            let mut sum = NodeFigures::default();
            let is = |n: &&NodeReport| n.name.starts_with(&format!("{JOIN}/")) == joins && !n.reused;
            for node in self.nodes.iter().filter(is) {
                sum.nodes += 1;
                sum.cpu_seconds += node.prove.cpu_seconds;
                sum.most_cpu_seconds = sum.most_cpu_seconds.max(node.prove.cpu_seconds);
                sum.wall_seconds += node.prove.wall_seconds;
                sum.program_cpu_seconds += node.program.cpu_seconds;
            }
            sum
        };
        AggregateFigures {
            lifts: of(false),
            joins: of(true),
            wall_seconds: self.total.wall_seconds,
            cpu_seconds: self.total.cpu_seconds,
            peak_rss_bytes: self.peak_rss_bytes,
        }
    }
}

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
    lifts: BTreeMap<String, Built<Lift>>,
    joins: BTreeMap<[usize; 2], Built<Join>>,
    report: AggregateReport,
    progress: Box<dyn Fn(&str) + 'a>,
}

fn failed(name: impl ToString) -> impl Fn(&dyn std::fmt::Display) -> EngineError {
    let name = name.to_string();
    move |reason| EngineError::Aggregate { name: name.clone(), reason: reason.to_string() }
}

fn lift_name(circuit: &dyn Keyed) -> String {
    format!("lift-{}", circuit.id())
}

fn join_name(logs: [usize; 2]) -> String {
    format!("{JOIN}/{}-{}", logs[0], logs[1])
}

/// The lift of an execution circuit, before it is compiled.
pub(crate) fn exec_lift(circuit: &dyn ExecCircuit) -> Result<(Lift, KeyValues), EngineError> {
    let failed = failed(lift_name(circuit));
    let (verifier, key) = verifier(circuit)?;
    let map = PublicMap::exec(circuit.algorithm(), |claim| circuit.publics(claim)).map_err(|e| failed(&e))?;
    Ok((Lift::exec(verifier, map).map_err(|e| failed(&e))?, key))
}

fn transition_lift(circuit: &dyn TransitionCircuit) -> Result<(Lift, KeyValues), EngineError> {
    let failed = failed(lift_name(circuit));
    let (verifier, key) = verifier(circuit)?;
    let map = PublicMap::transition(|claim| circuit.publics(claim)).map_err(|e| failed(&e))?;
    Ok((Lift::transition(verifier, map).map_err(|e| failed(&e))?, key))
}

fn verifier(circuit: &dyn Keyed) -> Result<(Verifier, KeyValues), EngineError> {
    let none = || failed(lift_name(circuit))(&"the circuit has no verifier for the aggregation tree");
    circuit.base().ok_or_else(none)?.verifier()
}

/// What a lift or join needs, whatever it verifies.
#[derive(Clone, Debug, Serialize)]
pub struct NodeRows {
    /// Name of its key.
    pub name: String,
    /// Blow-up and queries of the proofs it verifies; those of the left child for a join.
    pub verifies: [usize; 2],
    /// Permutations in use.
    pub permutations: usize,
    /// Arithmetic rows.
    pub arithmetic: usize,
    /// Batch reduction rows.
    pub reductions: usize,
    /// Pack rows.
    pub packs: usize,
    /// log2 of the rows of its shape; none if it fits no shape.
    pub log: Option<usize>,
    /// Committed cells of a proof.
    pub cells: u64,
}

fn node_rows(
    name: String,
    verifies: &FriParams,
    builder: &Builder,
    keys: &NodeKeys,
) -> Result<NodeRows, EngineError> {
    let rows = tsz_plonk::rows(builder);
    let log = keys.fitting(&rows, SHAPE_LOGS);
    let cells = match log {
        Some(log) => keys.cells(log).map_err(|e| failed(&name)(&e))?,
        None => 0,
    };
    Ok(NodeRows {
        verifies: [1 << verifies.log_blowup, verifies.num_queries],
        permutations: rows.poseidon2,
        arithmetic: rows.alu,
        reductions: rows.horner,
        packs: rows.pack,
        log,
        cells,
        name,
    })
}

/// What the lifts of a registry need, in order, and the joins over their shapes.
///
/// # Errors
/// [`EngineError`].
pub fn rows_of_nodes(
    registry: &Registry,
    profile: Profile,
    progress: &dyn Fn(&str),
) -> Result<Vec<NodeRows>, EngineError> {
    let keys = NodeKeys::new(profile).map_err(|e| failed("nodes")(&e))?;
    let mut all = Vec::new();
    for name in registry.circuits().map(lift_name) {
        progress(&name);
        let (lift, _, _) = lift_of(registry, &name)?;
        all.push(node_rows(name, lift.params(), &lift.build(), &keys)?);
    }
    let mut done = BTreeSet::new();
    loop {
        let shapes: BTreeSet<usize> = all.iter().filter_map(|n| n.log).collect();
        let pairs = shapes.iter().flat_map(|l| shapes.iter().map(|r| [*l, *r]));
        let Some(of) = pairs.into_iter().find(|pair| !done.contains(pair)) else { return Ok(all) };
        let name = join_name(of);
        progress(&name);
        let verifiers = keys.verifiers(of).map_err(|e| failed(&name)(&e))?;
        let [left, right] = of.map(|log| verifiers[&log].clone());
        let params = *left.params();
        all.push(node_rows(name, &params, &Join::new(left, right).build(), &keys)?);
        done.insert(of);
    }
}

/// What the rows of a lift are spent on, by gate and place of the source.
///
/// # Errors
/// [`EngineError::NotPinned`] for a name that is no lift's.
pub fn rows_of_lift(registry: &Registry, name: &str) -> Result<Vec<SourceRows>, EngineError> {
    Ok(tsz_plonk::rows_by_source(&lift_of(registry, name)?.0.build()))
}

/// A lift by its name, what a transcript absorbs of its key, and its algorithm.
fn lift_of(registry: &Registry, name: &str) -> Result<(Lift, KeyValues, AlgorithmId), EngineError> {
    let is = |circuit: &dyn Keyed| lift_name(circuit) == name;
    if let Some(circuit) = registry.exec_circuits().iter().find(|c| is(c.as_ref())) {
        let (lift, key) = exec_lift(circuit.as_ref())?;
        return Ok((lift, key, circuit.algorithm()));
    }
    let none = || EngineError::NotPinned(name.to_owned());
    let circuit = registry.transitions().iter().find(|c| is(c.as_ref())).ok_or_else(none)?;
    let (lift, key) = transition_lift(circuit.as_ref())?;
    Ok((lift, key, circuit.algorithm()))
}

/// Keys of nodes.
#[derive(Clone, Debug, Default)]
pub struct DerivedNodes {
    /// As they would be pinned.
    pub pins: Vec<Pin>,
    /// Lifts that fit no shape of nodes: proofs of their circuits cannot be aggregated.
    pub left_out: Vec<String>,
}

/// Derives the keys of all lifts of a registry and of the joins over their shapes, as they would be pinned.
///
/// # Errors
/// [`EngineError`].
pub fn derive_nodes(
    registry: &Registry,
    profile: Profile,
    logs: std::ops::RangeInclusive<usize>,
    progress: &dyn Fn(&str),
) -> Result<DerivedNodes, EngineError> {
    let (mut pins, mut left_out) = (Vec::new(), Vec::new());
    let mut shapes = BTreeSet::new();
    for name in registry.circuits().map(lift_name) {
        progress(&name);
        match derive_lift(registry, profile, logs.clone(), &name)? {
            Some((pin, log)) => {
                shapes.insert(log);
                pins.push(pin);
            }
            None => left_out.push(name),
        }
    }
    let keys = NodeKeys::new(profile).map_err(|e| failed(JOIN)(&e))?;
    // Joins verify joins: the shapes of joins count too.
    let mut done = BTreeSet::new();
    loop {
        let all: Vec<usize> = shapes.iter().copied().collect();
        let pairs = all.iter().flat_map(|l| all.iter().map(|r| [*l, *r]));
        let Some(of) = pairs.into_iter().find(|pair| !done.contains(pair)) else {
            return Ok(DerivedNodes { pins, left_out });
        };
        let name = join_name(of);
        progress(&name);
        let program = join_program(&keys, of, profile, logs.clone())?.1;
        shapes.insert(program.log());
        pins.push(pin(&name, join_algorithm(), None, &program));
        done.insert(of);
    }
}

/// Derives the key of one lift or join by its name.
///
/// # Errors
/// [`EngineError::NotPinned`] for a name that is none, or of a lift that fits no shape.
pub fn derive_node(
    registry: &Registry,
    profile: Profile,
    logs: std::ops::RangeInclusive<usize>,
    name: &str,
) -> Result<Pin, EngineError> {
    let none = || EngineError::NotPinned(name.to_owned());
    let Some(of) = name.strip_prefix(&format!("{JOIN}/")) else {
        return Ok(derive_lift(registry, profile, logs, name)?.ok_or_else(none)?.0);
    };
    let log = |text: &str| text.parse().ok().filter(|log| logs.contains(log)).ok_or_else(none);
    let (left, right) = of.split_once('-').ok_or_else(none)?;
    let keys = NodeKeys::new(profile).map_err(|e| failed(name)(&e))?;
    let program = join_program(&keys, [log(left)?, log(right)?], profile, logs.clone())?.1;
    Ok(pin(name, join_algorithm(), None, &program))
}

/// The key of a lift and the log of its shape; `None` if it fits no shape.
fn derive_lift(
    registry: &Registry,
    profile: Profile,
    logs: std::ops::RangeInclusive<usize>,
    name: &str,
) -> Result<Option<(Pin, usize)>, EngineError> {
    let (lift, key, algorithm) = lift_of(registry, name)?;
    match NodeProgram::new(lift.build(), profile, logs) {
        Ok(program) => Ok(Some((pin(name, algorithm, Some(key.digest), &program), program.log()))),
        Err(ProgramError::Compile(_)) => Ok(None),
        Err(error) => Err(failed(name)(&error)),
    }
}

fn pin(name: &str, algorithm: Digest, lifts: Option<Digest>, program: &NodeProgram) -> Pin {
    let (vk, bits) = (program.vk(), security(program.vk()));
    let (family, class) = name.split_once('/').unwrap_or((name, ""));
    let tenths = |bits: f64| (bits * 10.0).floor() / 10.0;
    Pin {
        name: name.to_owned(),
        family: family.to_owned(),
        class: class.to_owned(),
        algorithm: Hex(algorithm),
        digest: Hex(*vk.digest()),
        lifts: lifts.map(Hex),
        proven_bits: tenths(bits.proven_bits),
        conjectured_bits: tenths(bits.conjectured_bits),
        tables: vk.tables().iter().map(|t| format!("{}:{}", t.name, t.log_height)).collect(),
    }
}

fn join_program(
    keys: &NodeKeys,
    of: [usize; 2],
    profile: Profile,
    logs: std::ops::RangeInclusive<usize>,
) -> Result<(Join, NodeProgram), EngineError> {
    let name = join_name(of);
    let verifiers = keys.verifiers(of).map_err(|e| failed(&name)(&e))?;
    let join = Join::new(verifiers[&of[0]].clone(), verifiers[&of[1]].clone());
    let program = NodeProgram::new(join.build(), profile, logs).map_err(|e| failed(&name)(&e))?;
    Ok((join, program))
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
            lifts: BTreeMap::new(),
            joins: BTreeMap::new(),
            report: AggregateReport::default(),
            progress: Box::new(progress),
        })
    }

    /// Aggregates the batches of a bundle, after a native check of it.
    ///
    /// # Errors
    /// [`EngineError`]; finished nodes stay in the work folder.
    pub fn aggregate(mut self, bundle: &Bundle) -> Result<(AggregationProof, AggregateReport), EngineError> {
        let watch = Stopwatch::start();
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
        let c = &exec.claim;
        let claim = Claim::Exec(ExecRange {
            algorithm: c.algorithm,
            context: c.context.digest(),
            count: c.count,
            begins: c.has_begin.into(),
            start: c.start,
            end: c.end,
        });
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

    /// The lift of a circuit, built once; its key must be listed for the circuit's algorithm.
    fn lift(&mut self, circuit: &dyn Keyed, lift: Lift) -> Result<&Built<Lift>, EngineError> {
        let name = lift_name(circuit);
        if !self.lifts.contains_key(&name) {
            (self.progress)(&format!("building {name}"));
            let watch = Stopwatch::start();
            let program = NodeProgram::new(lift.build(), self.profile, self.logs.clone())
                .map_err(|e| failed(&name)(&e))?;
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
                let (join, program) = join_program(&self.keys, logs, self.profile, self.logs.clone())?;
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

fn decode(circuit: &dyn Keyed, proof: &[u8]) -> Result<Proof, EngineError> {
    let failed = failed(lift_name(circuit));
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
