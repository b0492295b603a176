//! Programs and keys of nodes, before anything is aggregated.

use std::collections::BTreeSet;

use serde::Serialize;
use tsz_hash::Digest;
use tsz_ledger::AlgorithmId;
use tsz_plonk::{Builder, PlonkAir, SourceRows};
use tsz_recursion::{KeyValues, Verifier};
use tsz_stark::security::{Security, security};
use tsz_stark::{FriParams, Profile, VerifyingKey};
use tsz_tree::{
    Join, Lift, NodeKeys, NodeProgram, ProgramError, PublicMap, SHAPE_LOGS, WIDE_JOINS, join_algorithm,
};

use super::JOIN;
use super::guests::{derive_guest, derive_guests, rows_of_guests};
use crate::error::EngineError;
use crate::hexdigest::Hex;
use crate::pins::Pin;
use crate::registry::{ExecCircuit, Keyed, Registry, TransitionCircuit};

pub(super) fn failed(name: impl ToString) -> impl Fn(&dyn std::fmt::Display) -> EngineError {
    let name = name.to_string();
    move |reason| EngineError::Aggregate { name: name.clone(), reason: reason.to_string() }
}

/// Name of the lift of a base key.
pub(super) fn lift_name(base: impl std::fmt::Display) -> String {
    format!("lift-{base}")
}

/// Name of the join of children of these shapes, in increasing order: `join/15-15-16`.
pub(super) fn join_name(slots: &[usize]) -> String {
    let logs: Vec<String> = slots.iter().map(usize::to_string).collect();
    format!("{JOIN}/{}", logs.join("-"))
}

/// The shapes of the children of a join, by its name.
pub(crate) fn join_slots(name: &str) -> Option<Vec<usize>> {
    let logs = name.strip_prefix(JOIN)?.strip_prefix('/')?.split('-');
    let slots: Vec<usize> = logs.map(|log| log.parse().ok()).collect::<Option<_>>()?;
    (slots.len() > 1 && slots.is_sorted() && join_name(&slots) == name).then_some(slots)
}

/// The joins that are not done yet over some shapes of children: all pairs, and those of a list of wider ones.
fn missing_join(
    shapes: &BTreeSet<usize>,
    wide: &[&[usize]],
    done: &BTreeSet<Vec<usize>>,
) -> Option<Vec<usize>> {
    let pairs = shapes.iter().flat_map(|l| shapes.range(l..).map(|r| vec![*l, *r]));
    let wide = wide.iter().map(|slots| slots.to_vec());
    let mut all = pairs.chain(wide.filter(|slots| slots.iter().all(|log| shapes.contains(log))));
    all.find(|slots| !done.contains(slots))
}

/// The lift of an execution circuit, before it is compiled.
pub(crate) fn exec_lift(circuit: &dyn ExecCircuit) -> Result<(Lift, KeyValues), EngineError> {
    let failed = failed(lift_name(circuit.id()));
    let (verifier, key) = verifier(circuit)?;
    let map = PublicMap::exec(circuit.algorithm(), |claim| circuit.publics(claim)).map_err(|e| failed(&e))?;
    Ok((Lift::exec(verifier, map).map_err(|e| failed(&e))?, key))
}

pub(super) fn transition_lift(circuit: &dyn TransitionCircuit) -> Result<(Lift, KeyValues), EngineError> {
    let failed = failed(lift_name(circuit.id()));
    let (verifier, key) = verifier(circuit)?;
    let map = PublicMap::transition(|claim| circuit.publics(claim)).map_err(|e| failed(&e))?;
    Ok((Lift::transition(verifier, map).map_err(|e| failed(&e))?, key))
}

fn verifier(circuit: &dyn Keyed) -> Result<(Verifier, KeyValues), EngineError> {
    let none = || failed(lift_name(circuit.id()))(&"the circuit has no verifier for the aggregation tree");
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

pub(super) fn node_rows(
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
    for name in registry.circuits().map(|circuit| lift_name(circuit.id())) {
        progress(&name);
        let (lift, _, _) = lift_of(registry, &name)?;
        all.push(node_rows(name, lift.params(), &lift.build(), &keys)?);
    }
    all.extend(rows_of_guests(registry, profile, &keys, progress)?);
    let mut done = BTreeSet::new();
    loop {
        let shapes: BTreeSet<usize> = all.iter().filter_map(|n| n.log).collect();
        let Some(slots) = missing_join(&shapes, WIDE_JOINS, &done) else { return Ok(all) };
        let name = join_name(&slots);
        progress(&name);
        let join = join_circuit(&keys, &slots)?;
        all.push(node_rows(name, join.params(), &join.build(), &keys)?);
        done.insert(slots);
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
    let is = |circuit: &dyn Keyed| lift_name(circuit.id()) == name;
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

/// Derives the keys of all lifts of a registry and of the joins over their shapes, as they would be pinned: of two
/// children, and the `wide` ones that fit.
///
/// # Errors
/// [`EngineError`].
pub fn derive_nodes(
    registry: &Registry,
    profile: Profile,
    logs: std::ops::RangeInclusive<usize>,
    wide: &[&[usize]],
    progress: &dyn Fn(&str),
) -> Result<DerivedNodes, EngineError> {
    let (mut pins, mut left_out) = (Vec::new(), Vec::new());
    let mut shapes = BTreeSet::new();
    for name in registry.circuits().map(|circuit| lift_name(circuit.id())) {
        progress(&name);
        match derive_lift(registry, profile, logs.clone(), &name)? {
            Some((pin, log)) => {
                shapes.insert(log);
                pins.push(pin);
            }
            None => left_out.push(name),
        }
    }
    let guests = derive_guests(registry, profile, logs.clone(), progress, None)?;
    pins.extend(guests.pins);
    shapes.extend(guests.logs);
    left_out.extend(guests.left_out);
    let keys = NodeKeys::new(profile).map_err(|e| failed(JOIN)(&e))?;
    // Joins verify joins: the shapes of joins count too.
    let mut done = BTreeSet::new();
    while let Some(slots) = missing_join(&shapes, wide, &done) {
        let name = join_name(&slots);
        progress(&name);
        let join = join_circuit(&keys, &slots)?;
        match NodeProgram::new(join.build(), profile, logs.clone()) {
            Ok(program) => {
                shapes.insert(program.log());
                pins.push(pin(&name, join_algorithm(), None, &program));
            }
            // Pairs must fit.
            Err(ProgramError::Compile(_)) if slots.len() > 2 => {}
            Err(error) => return Err(failed(&name)(&error)),
        }
        done.insert(slots);
    }
    Ok(DerivedNodes { pins, left_out })
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
    if let Some(pin) = derive_guest(registry, profile, logs.clone(), name)? {
        return Ok(pin);
    }
    let Some(slots) = join_slots(name) else {
        return Ok(derive_lift(registry, profile, logs, name)?.ok_or_else(none)?.0);
    };
    if !slots.iter().all(|log| logs.contains(log)) {
        return Err(none());
    }
    let keys = NodeKeys::new(profile).map_err(|e| failed(name)(&e))?;
    let program = NodeProgram::new(join_circuit(&keys, &slots)?.build(), profile, logs);
    Ok(pin(name, join_algorithm(), None, &program.map_err(|e| failed(name)(&e))?))
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
    pin_of(name, algorithm, lifts, program.vk(), &security(program.vk()))
}

/// The pin of a program of the machine.
pub(super) fn pin_of(
    name: &str,
    algorithm: Digest,
    lifts: Option<Digest>,
    vk: &VerifyingKey<PlonkAir>,
    bits: &Security,
) -> Pin {
    let (family, class) = name.split_once('/').unwrap_or((name, ""));
    let tenths = |bits: f64| (bits * 10.0).floor() / 10.0;
    Pin {
        name: name.to_owned(),
        family: family.to_owned(),
        class: class.to_owned(),
        algorithm: Hex(algorithm),
        digest: Hex(*vk.digest()),
        lifts: lifts.map(Hex),
        runs: Vec::new(),
        proven_bits: tenths(bits.proven_bits),
        conjectured_bits: tenths(bits.conjectured_bits),
        tables: vk.tables().iter().map(|t| format!("{}:{}", t.name, t.log_height)).collect(),
    }
}

/// The join of children of these shapes, before it is compiled.
pub(super) fn join_circuit(keys: &NodeKeys, slots: &[usize]) -> Result<Join, EngineError> {
    let failed = failed(join_name(slots));
    let verifiers = keys.verifiers(slots.iter().copied()).map_err(|e| failed(&e))?;
    Join::new(slots.iter().map(|log| verifiers[log].clone()).collect()).map_err(|e| failed(&e))
}
