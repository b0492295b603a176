//! Extension operations in the tree: programs of runs, and the lifts that join a proof of the guard with its run.

use std::collections::BTreeMap;

use tsz_aggregator::{ExecProof, GuestRun};
use tsz_codec::Encode;
use tsz_hash::{Digest, ZERO};
use tsz_ledger::GuardClaim;
use tsz_recursion::{KeyValues, Verifier};
use tsz_segment_program::{Journal, RUN_SEGMENTS, RunProgram, run_algorithm, run_list, run_name, runs_of};
use tsz_stark::security::security;
use tsz_stark::{F, Profile, Proof};
use tsz_tree::{
    Claim, ExecRange, GuestLift, GuestProof, NodeKeys, NodeProgram, NodeProof, ProgramError, PublicMap,
};

use super::nodes::{self, NodeRows, failed};
use super::plan::pinned_log;
use super::{Aggregator, Built, Kind, NodeReport, Plan, decode};
use crate::error::EngineError;
use crate::hexdigest::Hex;
use crate::measure::{Cost, Stopwatch};
use crate::pins::Pin;
use crate::registry::{GuardCircuit, Registry};

/// Name of the lift of a key of the guard with runs of the shape for so many segments.
pub fn guest_lift_name(guard: &str, segments: usize) -> String {
    format!("lift-{guard}@{segments}")
}

/// The programs of runs and the lifts of the guard that an aggregation has built so far.
#[derive(Default)]
pub(super) struct Guests {
    lifts: BTreeMap<String, (Built<GuestLift>, KeyValues)>,
    runs: BTreeMap<String, (RunProgram, Cost)>,
}

/// A proven run.
struct ProvenRun {
    segments: usize,
    key: KeyValues,
    verifier: Verifier,
    publics: Vec<F>,
    proof: Proof,
}

/// What a run's digest is made of.
fn journal(run: &GuestRun, count: u32) -> Journal {
    Journal { start: run.start, end: run.end, count, events: run.events }
}

/// Name and segments of the program that verifies a run.
fn run_program(run: &GuestRun) -> Result<(String, &'static [u32]), EngineError> {
    let sizes = tsz_segment::sizes(&run.seals).unwrap_or_default();
    let name = run_name(&sizes);
    let list = run_list(&sizes).ok_or_else(|| failed(&name)(&"no program verifies runs in such segments"))?;
    Ok((name, list))
}

/// The lift of a circuit of the guard with runs under these keys, before it is compiled.
fn guest_lift(
    guard: &dyn GuardCircuit,
    run: Verifier,
    runs: Vec<Digest>,
) -> Result<(GuestLift, KeyValues), EngineError> {
    let failed = failed(guard.id());
    let none = || failed(&"the circuit has no verifier for the aggregation tree");
    let (verifier, key) = guard.base().ok_or_else(none)?.verifier()?;
    let map = PublicMap::guard(|claim: &GuardClaim| guard.publics(claim)).map_err(|e| failed(&e))?;
    Ok((GuestLift::new(verifier, map, run, runs).map_err(|e| failed(&e))?, key))
}

impl Aggregator<'_> {
    /// The node of a range of extension operations: the claim is that of any lift, the run is part of it.
    pub(super) fn plan_guest<'b>(
        &self,
        k: usize,
        exec: &'b ExecProof,
        run: &'b GuestRun,
    ) -> Result<Plan<'b>, EngineError> {
        let claim = Claim::Exec(ExecRange::from(&exec.claim));
        let mut proofs = exec.proof.clone();
        run.encode(&mut proofs);
        let id = self.shared.id(b"guest", &exec.vk.digest, &proofs);
        let (_, list) = run_program(run)?;
        let name = guest_lift_name(&self.guard_name(&exec.vk.digest), list.len().next_power_of_two());
        let log = pinned_log(self.shared.pins, &name)?;
        Ok(Plan { id, claim, kind: Kind::Guest(exec, run), batch: k, log })
    }

    /// Name of a pinned key of the guard, or its digest.
    fn guard_name(&self, vk: &Digest) -> String {
        let pin = self.shared.pins.guards().iter().find(|pin| pin.digest.0 == *vk);
        pin.map_or_else(|| Hex(*vk).to_string(), |pin| pin.name.clone())
    }

    pub(super) fn prove_guest(&mut self, exec: &ExecProof, run: &GuestRun) -> Result<NodeProof, EngineError> {
        let registry = self.shared.registry;
        let name = self.guard_name(&exec.vk.digest);
        let guard = registry.guards().iter().find(|c| c.id().to_string() == name);
        let guard = guard.ok_or_else(|| EngineError::NotPinned(name.clone()))?.as_ref();
        let proven = self.prove_run(run, exec.claim.count)?;
        let name = guest_lift_name(&name, proven.segments);
        let failed = failed(&name);
        let (mut built, key) = match self.guests.lifts.remove(&name) {
            Some(built) => built,
            None => self.build_guest_lift(&name, guard, &proven)?,
        };
        self.shared.membership(exec.claim.algorithm, *built.program.vk().digest(), &name)?;
        (self.progress)(&name);
        let watch = Stopwatch::start();
        let claim = run.guard(&exec.claim);
        let proof = GuestProof {
            guard_key: &key,
            publics: &guard.publics(&claim),
            guard: &decode(guard, &exec.proof)?,
            run_key: &proven.key,
            run_publics: &proven.publics,
            run: &proven.proof,
        };
        let (claim, values) = built.circuit.values(&claim, &proof).map_err(|e| failed(&e))?;
        let node = NodeProof::prove(&built.program, &values, Digest::default(), claim);
        let node = node.map_err(|e| failed(&e))?;
        let report = NodeReport::new(&name, &built.program, built.cost, watch.cost(), node.proof.len());
        self.report.nodes.push(report);
        built.cost = Cost::default();
        self.guests.lifts.insert(name.clone(), (built, key));
        Ok(node)
    }

    fn build_guest_lift(
        &self,
        name: &str,
        guard: &dyn GuardCircuit,
        run: &ProvenRun,
    ) -> Result<(Built<GuestLift>, KeyValues), EngineError> {
        (self.progress)(&format!("building {name}"));
        let watch = Stopwatch::start();
        let runs = self.shared.pins.runs(run.segments).map_err(EngineError::NotPinned)?;
        let runs = runs.into_iter().map(|digest| digest.0).collect();
        let (circuit, key) = guest_lift(guard, run.verifier.clone(), runs)?;
        let program = NodeProgram::new(circuit.build(), self.shared.profile, self.shared.logs.clone());
        let program = program.map_err(|e| failed(name)(&e))?;
        Ok((Built { circuit, program, cost: watch.cost() }, key))
    }

    /// Proves the seals of a run in the machine, under the pinned key of its list of sizes.
    fn prove_run(&mut self, run: &GuestRun, count: u32) -> Result<ProvenRun, EngineError> {
        let (name, list) = run_program(run)?;
        let failed = failed(&name);
        let (program, build) = match self.guests.runs.remove(&name) {
            Some(built) => built,
            None => {
                (self.progress)(&format!("building {name}"));
                let watch = Stopwatch::start();
                let program = RunProgram::new(list, self.shared.profile).map_err(|e| failed(&e))?;
                (program, watch.cost())
            }
        };
        let vk = program.prover().vk().clone();
        self.shared.membership(run_algorithm(), *vk.digest(), &name)?;
        (self.progress)(&name);
        let watch = Stopwatch::start();
        let (publics, proof) = program.prove(&journal(run, count), &run.seals).map_err(|e| failed(&e))?;
        let rows = program.prover().program().rows();
        self.report.nodes.push(NodeReport {
            name: name.clone(),
            reused: false,
            permutations: rows.poseidon24,
            arithmetic: rows.alu,
            reductions: rows.horner,
            cells: vk.tables().iter().map(|t| t.cells() as u64).sum(),
            program: build,
            prove: watch.cost(),
            bytes: proof.len(),
        });
        self.guests.runs.insert(name.clone(), (program, Cost::default()));
        let proof = Proof::from_bytes(&*vk, &proof).map_err(|e| failed(&e))?;
        let (key, verifier) = (KeyValues::from(&*vk), Verifier::new(&*vk));
        Ok(ProvenRun { segments: list.len().next_power_of_two(), key, verifier, publics, proof })
    }
}

/// Keys of run programs of the shape for so many segments, and the verifier of all of them.
fn derive_runs(profile: Profile, segments: usize, progress: &dyn Fn(&str)) -> Result<Runs, EngineError> {
    let (mut pins, mut verifier) = (Vec::new(), None);
    for list in runs_of(segments) {
        let name = run_name(list);
        progress(&name);
        let program = RunProgram::new(list, profile).map_err(|e| failed(&name)(&e))?;
        let vk = program.prover().vk();
        verifier.get_or_insert_with(|| Verifier::new(&**vk));
        pins.push(nodes::pin_of(&name, run_algorithm(), None, vk, &security(vk)));
    }
    let verifier = verifier.ok_or_else(|| EngineError::NotPinned(format!("runs in {segments} segments")))?;
    Ok(Runs { pins, verifier })
}

struct Runs {
    pins: Vec<Pin>,
    verifier: Verifier,
}

impl Runs {
    fn digests(&self) -> Vec<Digest> {
        self.pins.iter().map(|pin| pin.digest.0).collect()
    }
}

/// Pins of nodes of extension operations with the shapes of the lifts; names of the lifts that fit no shape.
#[derive(Default)]
pub(super) struct DerivedGuests {
    pub(super) pins: Vec<Pin>,
    pub(super) logs: Vec<usize>,
    pub(super) left_out: Vec<String>,
}

/// Derives the keys of programs of runs and of the lifts of the guard, as they would be pinned; of one shape of runs or
/// of all.
pub(super) fn derive_guests(
    registry: &Registry,
    profile: Profile,
    logs: std::ops::RangeInclusive<usize>,
    progress: &dyn Fn(&str),
    only: Option<usize>,
) -> Result<DerivedGuests, EngineError> {
    let mut derived = DerivedGuests::default();
    if registry.guards().is_empty() {
        return Ok(derived);
    }
    for segments in RUN_SEGMENTS.iter().filter(|segments| only.is_none_or(|only| only == **segments)) {
        let runs = derive_runs(profile, *segments, progress)?;
        for guard in registry.guards() {
            let name = guest_lift_name(&guard.id().to_string(), *segments);
            progress(&name);
            let (lift, key) = guest_lift(guard.as_ref(), runs.verifier.clone(), runs.digests())?;
            match NodeProgram::new(lift.build(), profile, logs.clone()) {
                Ok(program) => {
                    let vk = program.vk();
                    let mut pin = nodes::pin_of(&name, ZERO, Some(key.digest), vk, &security(vk));
                    pin.runs = runs.digests().into_iter().map(Hex).collect();
                    derived.pins.push(pin);
                    derived.logs.push(program.log());
                }
                Err(ProgramError::Compile(_)) => derived.left_out.push(name),
                Err(error) => return Err(failed(&name)(&error)),
            }
        }
        derived.pins.extend(runs.pins);
    }
    Ok(derived)
}

/// Derives the key of a program of runs or of a lift of the guard by its name; `None` for other names.
pub(super) fn derive_guest(
    registry: &Registry,
    profile: Profile,
    logs: std::ops::RangeInclusive<usize>,
    name: &str,
) -> Result<Option<Pin>, EngineError> {
    if let Some(list) = tsz_segment_program::RUNS.iter().find(|list| run_name(list) == name) {
        let program = RunProgram::new(list, profile).map_err(|e| failed(name)(&e))?;
        let vk = program.prover().vk();
        return Ok(Some(nodes::pin_of(name, run_algorithm(), None, vk, &security(vk))));
    }
    let named = |segments: &usize| {
        registry.guards().iter().any(|guard| guest_lift_name(&guard.id().to_string(), *segments) == name)
    };
    let Some(segments) = RUN_SEGMENTS.iter().copied().find(named) else { return Ok(None) };
    let derived = derive_guests(registry, profile, logs, &|_| {}, Some(segments))?;
    Ok(derived.pins.into_iter().find(|pin| pin.name == name))
}

/// What the lifts of the guard need.
pub(super) fn rows_of_guests(
    registry: &Registry,
    profile: Profile,
    keys: &NodeKeys,
    progress: &dyn Fn(&str),
) -> Result<Vec<NodeRows>, EngineError> {
    let mut all = Vec::new();
    if registry.guards().is_empty() {
        return Ok(all);
    }
    for segments in RUN_SEGMENTS {
        let runs = derive_runs(profile, *segments, progress)?;
        for guard in registry.guards() {
            let name = guest_lift_name(&guard.id().to_string(), *segments);
            progress(&name);
            let (lift, _) = guest_lift(guard.as_ref(), runs.verifier.clone(), runs.digests())?;
            all.push(nodes::node_rows(name, lift.params(), &lift.build(), keys)?);
        }
    }
    Ok(all)
}
