//! Extension operations in the tree: programs of runs, and the lifts that join a proof of the guard with its run.

use std::collections::BTreeMap;

use tsz_aggregator::{Bundle, ExecProof, GuestRun};
use tsz_codec::Encode;
use tsz_hash::{Digest, ZERO, hash_bytes};
use tsz_ledger::GuardClaim;
use tsz_plonk::Prover;
use tsz_recursion::{KeyValues, Verifier};
use tsz_segment_program::{
    Journal, MAX_PARTS, PARTS, Part, PartProgram, RUNS, RunProgram, part_name, run_algorithm, run_list,
    run_name,
};
use tsz_stark::security::security;
use tsz_stark::{F, Profile, Proof, VerifyError};
use tsz_tree::{
    Claim, ExecRange, GuestLift, GuestProof, NodeKeys, NodeProgram, NodeProof, ProgramError, PublicMap,
    RUN_ARITY, RUN_JOINS, RunChild, RunForm, RunJoin, RunJoinError, RunJoinProgram, run_join_name,
};

use super::kept::{self, RunBytes};
use super::nodes::{self, NodeRows, failed};
use super::plan::pinned_log;
use super::{Aggregator, Built, Kind, NodeReport, Plan, decode};
use crate::error::EngineError;
use crate::hexdigest::Hex;
use crate::measure::{Cost, Stopwatch};
use crate::pins::Pin;
use crate::registry::{GuardCircuit, Registry};
use crate::runs::RunFailure;

/// Most segments of the runs of each form that lifts of the guard take.
pub const RUN_SEGMENTS: [usize; 2] = [1, MAX_PARTS];

/// Name of the lift of a key of the guard with runs of at most so many segments, of [`RUN_SEGMENTS`].
pub fn guest_lift_name(guard: &str, segments: usize) -> String {
    format!("lift-{guard}@{segments}")
}

/// The programs of runs and the lifts of the guard that an aggregation has built so far.
#[derive(Default)]
pub(super) struct Guests {
    lifts: BTreeMap<String, (Built<GuestLift>, KeyValues)>,
    runs: BTreeMap<String, (RunProgram, Cost)>,
    /// By size.
    parts: BTreeMap<u32, (PartProgram, Cost)>,
    /// By level.
    joins: BTreeMap<usize, (RunJoinProgram, Cost)>,
}

/// A part of a run with its proof.
struct ProvenPart {
    part: Part,
    run: ProvenRun,
}

/// Place of a proof among those that make the proof of a run.
#[derive(Clone, Copy)]
struct Place {
    /// Digest of the run with its seals.
    run: Digest,
    /// 0 for a segment or a whole run, then the joins.
    level: u32,
    index: u32,
}

/// A proven run, or a part of one.
struct ProvenRun {
    segments: usize,
    key: KeyValues,
    verifier: Verifier,
    publics: Vec<F>,
    proof: Proof,
}

impl ProvenRun {
    fn new(segments: usize, prover: &Prover, publics: Vec<F>, proof: &[u8]) -> Result<Self, VerifyError> {
        let vk = prover.vk();
        let proof = Proof::from_bytes(&**vk, proof)?;
        Ok(Self { segments, key: KeyValues::from(&**vk), verifier: Verifier::new(&**vk), publics, proof })
    }

    fn form(&self) -> RunForm {
        if self.segments == 1 { RunForm::Whole } else { RunForm::Joined }
    }
}

/// What a run's digest is made of.
fn journal(run: &GuestRun, count: u32) -> Journal {
    Journal { start: run.start, end: run.end, count, events: run.events }
}

/// Most segments of the runs that the lift takes which takes this one.
fn run_segments(run: &GuestRun) -> Result<usize, EngineError> {
    let sizes = tsz_segment::sizes(&run.seals).unwrap_or_default();
    match run_list(&sizes) {
        Some(_) => Ok(1),
        None if takes_run(&sizes) => Ok(MAX_PARTS),
        None => Err(failed("plan")(&RunFailure::Segments(sizes))),
    }
}

/// The lift of a circuit of the guard with runs under these keys, before it is compiled.
fn guest_lift(
    guard: &dyn GuardCircuit,
    run: Verifier,
    runs: Vec<Digest>,
    form: RunForm,
) -> Result<(GuestLift, KeyValues), EngineError> {
    let failed = failed(guard.id());
    let none = || failed(&"the circuit has no verifier for the aggregation tree");
    let (verifier, key) = guard.base().ok_or_else(none)?.verifier()?;
    let map = PublicMap::guard(|claim: &GuardClaim| guard.publics(claim)).map_err(|e| failed(&e))?;
    Ok((GuestLift::new(verifier, map, run, runs, form).map_err(|e| failed(&e))?, key))
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
        let name = guest_lift_name(&self.guard_name(&exec.vk.digest), run_segments(run)?);
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
        let (circuit, key) = guest_lift(guard, run.verifier.clone(), runs, run.form())?;
        let program = NodeProgram::new(circuit.build(), self.shared.profile, self.shared.logs.clone());
        let program = program.map_err(|e| failed(name)(&e))?;
        Ok((Built { circuit, program, cost: watch.cost() }, key))
    }

    /// Demands of all runs of a bundle, before anything is proven, that there are programs for their segments.
    pub(super) fn check_runs(bundle: &Bundle) -> Result<(), EngineError> {
        let runs = bundle.batches.iter().flat_map(|batch| &batch.execs).filter_map(|exec| exec.run.as_ref());
        for run in runs {
            let sizes = tsz_segment::sizes(&run.seals).unwrap_or_default();
            if !takes_run(&sizes) {
                return Err(failed("plan")(&RunFailure::Segments(sizes)));
            }
        }
        Ok(())
    }

    /// Proves the seals of a run in the machine, under pinned keys.
    fn prove_run(&mut self, run: &GuestRun, count: u32) -> Result<ProvenRun, EngineError> {
        let sizes = tsz_segment::sizes(&run.seals).unwrap_or_default();
        let mut bytes = Vec::new();
        (run, count).encode(&mut bytes);
        let place = Place { run: hash_bytes(&bytes), level: 0, index: 0 };
        match run_list(&sizes) {
            Some(list) => self.prove_whole(list, run, count, place),
            None => self.prove_parts(&sizes, run, count, place),
        }
    }

    /// A run in one segment.
    fn prove_whole(
        &mut self,
        list: &'static [u32],
        run: &GuestRun,
        count: u32,
        place: Place,
    ) -> Result<ProvenRun, EngineError> {
        let name = run_name(list);
        let failed = failed(&name);
        let (program, build) = match self.guests.runs.remove(&name) {
            Some(built) => built,
            None => self.built(&name, |profile| RunProgram::new(list, profile))?,
        };
        self.shared.membership(run_algorithm(), *program.prover().vk().digest(), &name)?;
        let prove = || program.prove(&journal(run, count), &run.seals).map_err(|e| failed(&e));
        let (publics, proof) = self.run_proof(&name, program.prover(), build, place, prove)?;
        let proven = ProvenRun::new(1, program.prover(), publics, &proof).map_err(|e| failed(&e))?;
        self.guests.runs.insert(name.clone(), (program, Cost::default()));
        Ok(proven)
    }

    /// A run in several segments: each is proven, then joined with its neighbours.
    fn prove_parts(
        &mut self,
        sizes: &[u32],
        run: &GuestRun,
        count: u32,
        mut place: Place,
    ) -> Result<ProvenRun, EngineError> {
        let journal = journal(run, count);
        let mut parts = Vec::new();
        for (k, (po2, seal)) in sizes.iter().zip(&run.seals).enumerate() {
            let ends = k + 1 == sizes.len();
            parts.push(self.prove_part(*po2, ends.then_some(&journal), seal, place)?);
            place.index += 1;
        }
        for level in 0..RUN_JOINS.len() {
            let mut joined = Vec::new();
            place = Place { level: place.level + 1, index: 0, ..place };
            for children in parts.chunks(RUN_ARITY) {
                joined.push(self.prove_run_join(level, children, place)?);
                place.index += 1;
            }
            parts = joined;
            if parts.len() == 1 {
                break;
            }
        }
        match parts.pop() {
            Some(whole) if parts.is_empty() => Ok(ProvenRun { segments: MAX_PARTS, ..whole.run }),
            _ => Err(failed("plan")(&RunFailure::Segments(sizes.to_vec()))),
        }
    }

    fn prove_part(
        &mut self,
        po2: u32,
        journal: Option<&Journal>,
        seal: &[u32],
        place: Place,
    ) -> Result<ProvenPart, EngineError> {
        let name = part_name(po2);
        let failed = failed(&name);
        let (program, build) = match self.guests.parts.remove(&po2) {
            Some(built) => built,
            None => self.built(&name, |profile| PartProgram::new(po2, profile))?,
        };
        self.shared.membership(run_algorithm(), *program.prover().vk().digest(), &name)?;
        let prove = || program.prove(journal, seal).map_err(|e| failed(&e));
        let (publics, proof) = self.run_proof(&name, program.prover(), build, place, prove)?;
        let part = Part::read(&publics).ok_or_else(|| failed(&"the program states no part of a run"))?;
        let run = ProvenRun::new(1, program.prover(), publics, &proof).map_err(|e| failed(&e))?;
        self.guests.parts.insert(po2, (program, Cost::default()));
        Ok(ProvenPart { part, run })
    }

    fn prove_run_join(
        &mut self,
        level: usize,
        children: &[ProvenPart],
        place: Place,
    ) -> Result<ProvenPart, EngineError> {
        let segments = RUN_JOINS[level];
        let name = run_join_name(segments);
        let failed = failed(&name);
        let (program, build) = match self.guests.joins.remove(&level) {
            Some(built) => built,
            None => {
                let child = children.first().ok_or_else(|| failed(&RunJoinError::Children(0)))?;
                let listed = self.shared.pins.run_children(level).map_err(EngineError::NotPinned)?;
                let listed = listed.into_iter().map(|digest| digest.0).collect();
                let join = RunJoin::new(child.run.verifier.clone(), listed).map_err(|e| failed(&e))?;
                self.built(&name, |profile| RunJoinProgram::new(join, profile))?
            }
        };
        self.shared.membership(run_algorithm(), *program.vk().digest(), &name)?;
        let parts: Vec<RunChild<'_>> = children
            .iter()
            .map(|child| RunChild { key: &child.run.key, part: &child.part, proof: &child.run.proof })
            .collect();
        let prove = || {
            let (part, proof) = program.prove(&parts).map_err(|e| failed(&e))?;
            Ok((part.publics().to_vec(), proof))
        };
        let (publics, proof) = self.run_proof(&name, program.prover(), build, place, prove)?;
        let part = Part::read(&publics).ok_or_else(|| failed(&"the program states no part of a run"))?;
        let run = ProvenRun::new(segments, program.prover(), publics, &proof);
        let run = run.map_err(|e| failed(&e))?;
        self.guests.joins.insert(level, (program, Cost::default()));
        Ok(ProvenPart { part, run })
    }

    fn built<T, E: std::fmt::Display>(
        &self,
        name: &str,
        build: impl FnOnce(Profile) -> Result<T, E>,
    ) -> Result<(T, Cost), EngineError> {
        (self.progress)(&format!("building {name}"));
        let watch = Stopwatch::start();
        let program = build(self.shared.profile).map_err(|e| failed(name)(&e))?;
        Ok((program, watch.cost()))
    }

    /// The proof that an earlier aggregation left in the work folder, or a new one, which is kept there.
    fn run_proof(
        &mut self,
        name: &str,
        prover: &Prover,
        build: Cost,
        place: Place,
        prove: impl FnOnce() -> Result<RunBytes, EngineError>,
    ) -> Result<RunBytes, EngineError> {
        let mut bytes = Vec::new();
        (place.run, place.level, place.index).encode(&mut bytes);
        let path = self.shared.run_path(&self.shared.id(b"run", prover.vk().digest(), &bytes));
        let watch = Stopwatch::start();
        if let Some(kept) = path.as_ref().and_then(|path| kept::read(path, prover)) {
            self.record_run(name, true, prover, [build, watch.cost()], kept.1.len());
            return Ok(kept);
        }
        (self.progress)(name);
        let made = prove()?;
        if let Some(path) = path {
            kept::write(&path, &made).map_err(EngineError::io(&path))?;
        }
        self.record_run(name, false, prover, [build, watch.cost()], made.1.len());
        Ok(made)
    }

    fn record_run(
        &mut self,
        name: &str,
        reused: bool,
        prover: &Prover,
        [program, prove]: [Cost; 2],
        bytes: usize,
    ) {
        let rows = prover.program().rows();
        self.report.nodes.push(NodeReport {
            name: name.to_owned(),
            reused,
            permutations: rows.poseidon2.max(rows.poseidon24),
            arithmetic: rows.alu,
            reductions: rows.horner,
            cells: prover.vk().tables().iter().map(|t| t.cells() as u64).sum(),
            program,
            prove,
            bytes,
        });
    }
}

/// The programs that proofs of runs of one form come from: their keys, and the verifier of all of them.
struct Runs {
    form: RunForm,
    pins: Vec<Pin>,
    verifier: Verifier,
}

impl Runs {
    fn digests(&self) -> Vec<Digest> {
        self.pins.iter().map(|pin| pin.digest.0).collect()
    }
}

/// Pins under the reserved id of runs, and the verifier of the programs, which have one shape.
fn derive_programs(
    form: RunForm,
    programs: impl Iterator<Item = Result<(String, Prover), EngineError>>,
    progress: &dyn Fn(&str),
) -> Result<Runs, EngineError> {
    let (mut pins, mut verifier) = (Vec::new(), None);
    for program in programs {
        let (name, prover) = program?;
        progress(&name);
        verifier.get_or_insert_with(|| Verifier::new(&**prover.vk()));
        pins.push(nodes::pin_of(&name, run_algorithm(), None, prover.vk(), &security(prover.vk())));
    }
    let verifier = verifier.ok_or_else(|| EngineError::NotPinned("runs".to_owned()))?;
    Ok(Runs { form, pins, verifier })
}

/// Programs by the most segments of their runs, and pins of parts.
type DerivedRuns = (Vec<(usize, Runs)>, Vec<Pin>);

/// All keys of runs: those that lifts of the guard take by the number of segments, and those of parts.
fn derive_runs(
    profile: Profile,
    progress: &dyn Fn(&str),
    only: Option<usize>,
) -> Result<DerivedRuns, EngineError> {
    let mut all = Vec::new();
    if only != Some(MAX_PARTS) {
        let whole = RUNS.iter().map(|list| {
            let name = run_name(list);
            let program = RunProgram::new(list, profile).map_err(|e| failed(&name)(&e))?;
            Ok((name, program.into_prover()))
        });
        all.push((1, derive_programs(RunForm::Whole, whole, progress)?));
    }
    if only == Some(1) {
        return Ok((all, Vec::new()));
    }
    let parts = PARTS.iter().map(|po2| {
        let name = part_name(*po2);
        let program = PartProgram::new(*po2, profile).map_err(|e| failed(&name)(&e))?;
        Ok((name, program.into_prover()))
    });
    let parts = derive_programs(RunForm::Joined, parts, progress)?;
    let mut joins: Option<Runs> = None;
    for segments in RUN_JOINS {
        let children = joins.as_ref().unwrap_or(&parts);
        let name = run_join_name(segments);
        let join = RunJoin::new(children.verifier.clone(), children.digests());
        let join = join.map_err(|e| failed(&name)(&e))?;
        let program = RunJoinProgram::new(join, profile).map_err(|e| failed(&name)(&e))?;
        let children: Vec<Hex> = children.digests().into_iter().map(Hex).collect();
        let one = std::iter::once(Ok((name, program.into_prover())));
        let mut next = derive_programs(RunForm::Joined, one, progress)?;
        next.pins.iter_mut().for_each(|pin| pin.runs = children.clone());
        match &mut joins {
            Some(joins) => joins.pins.extend(next.pins),
            None => joins = Some(next),
        }
    }
    all.extend(joins.map(|joins| (MAX_PARTS, joins)));
    Ok((all, parts.pins))
}

/// Pins of nodes of extension operations with the shapes of the lifts; names of the lifts that fit no shape.
#[derive(Default)]
pub(super) struct DerivedGuests {
    pub(super) pins: Vec<Pin>,
    pub(super) logs: Vec<usize>,
    pub(super) left_out: Vec<String>,
}

/// Derives the keys of programs of runs and of the lifts of the guard, as they would be pinned; of one form of runs or
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
    let (all, parts) = derive_runs(profile, progress, only)?;
    derived.pins.extend(parts);
    for (segments, runs) in all {
        for guard in registry.guards() {
            let name = guest_lift_name(&guard.id().to_string(), segments);
            progress(&name);
            let (lift, key) = guest_lift(guard.as_ref(), runs.verifier.clone(), runs.digests(), runs.form)?;
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
    if let Some(list) = RUNS.iter().find(|list| run_name(list) == name) {
        let program = RunProgram::new(list, profile).map_err(|e| failed(name)(&e))?;
        let vk = program.prover().vk();
        return Ok(Some(nodes::pin_of(name, run_algorithm(), None, vk, &security(vk))));
    }
    let named = |segments: &usize| {
        registry.guards().iter().any(|guard| guest_lift_name(&guard.id().to_string(), *segments) == name)
    };
    let part = PARTS.iter().any(|po2| part_name(*po2) == name);
    let joined = part || RUN_JOINS.iter().any(|segments| run_join_name(*segments) == name);
    let segments = if joined { Some(MAX_PARTS) } else { RUN_SEGMENTS.into_iter().find(named) };
    let Some(segments) = segments else { return Ok(None) };
    let derived = derive_guests(registry, profile, logs, &|_| {}, Some(segments))?;
    Ok(derived.pins.into_iter().find(|pin| pin.name == name))
}

/// Whether there are programs for a run in segments of these sizes, unverified.
pub fn takes_run(sizes: &[u32]) -> bool {
    let parts = (2..=MAX_PARTS).contains(&sizes.len()) && sizes.iter().all(|po2| PARTS.contains(po2));
    parts || run_list(sizes).is_some()
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
    for (segments, runs) in derive_runs(profile, progress, None)?.0 {
        for guard in registry.guards() {
            let name = guest_lift_name(&guard.id().to_string(), segments);
            progress(&name);
            let (lift, _) = guest_lift(guard.as_ref(), runs.verifier.clone(), runs.digests(), runs.form)?;
            all.push(nodes::node_rows(name, lift.params(), &lift.build(), keys)?);
        }
    }
    Ok(all)
}
