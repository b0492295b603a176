//! Every circuit of the system, with keys that are built on first use.

use std::sync::{Arc, OnceLock};

use tsz_aggregator::{ExecVerifier, GuardVerifier, ProofError, TransitionVerifier, VkSet};
use tsz_hash::Digest;
use tsz_ledger::{AlgorithmId, BatchContext, ExecClaim, GuardClaim, TransitionClaim};
use tsz_recursion::{KeyValues, Verifier};
use tsz_stark::security::{Security, security};
use tsz_stark::{
    Circuit, CircuitAir, F, FriParams, Profile, Proof, ProvingKey, SetupError, TableInfo, VerifyingKey, setup,
};
use tsz_trade::Params;

use crate::error::EngineError;
use crate::execute::{ExecutedBatch, OpRecord};
use crate::hexdigest::Hex;
use crate::measure::{Cost, Stopwatch};
use crate::pins::{Pin, Pins};
use crate::runs::{RunProver, SegmentRuns};

/// Name of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitId {
    /// Rule set, or `transition`.
    pub family: &'static str,
    /// Size class.
    pub class: &'static str,
}

impl std::fmt::Display for CircuitId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.family, self.class)
    }
}

/// What is known of a key once it is built.
#[derive(Clone, Debug)]
pub struct KeyInfo {
    /// Vk digest.
    pub digest: Digest,
    /// Shape and cost of each table.
    pub tables: Vec<TableInfo>,
    /// Parameters of its proofs.
    pub params: FriParams,
    /// Proven and conjectured bits.
    pub security: Security,
    /// What it cost to build the keys.
    pub setup: Cost,
}

/// Rows that one op takes in the tables of its family's circuit, padding aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpRows {
    /// Name of the op kind.
    pub op: &'static str,
    /// Rows by name of table.
    pub rows: Vec<(&'static str, usize)>,
}

/// The common part of all circuits.
pub trait Keyed: Send + Sync {
    /// Its name.
    fn id(&self) -> CircuitId;
    /// Algorithm id its keys are listed under; zero for the guard, whose keys are listed under each admitted program.
    fn algorithm(&self) -> AlgorithmId;
    /// Its key, built on first use.
    ///
    /// # Errors
    /// [`EngineError::Setup`].
    fn key(&self) -> Result<KeyInfo, EngineError>;
    /// Its keys, for verification inside a circuit. Without them its proofs cannot be aggregated.
    fn base(&self) -> Option<&dyn BaseKeys> {
        None
    }
}

/// The keys of a base circuit as a lift needs them.
pub trait BaseKeys {
    /// The verifier as a circuit, and what a transcript absorbs of the key.
    ///
    /// # Errors
    /// [`EngineError::Setup`].
    fn verifier(&self) -> Result<(Verifier, KeyValues), EngineError>;
    /// Reads proof bytes: canonical and of the key's shape.
    ///
    /// # Errors
    /// [`ProofError`] for other bytes.
    fn decode(&self, proof: &[u8]) -> Result<Proof, ProofError>;
}

impl<A: CircuitAir> BaseKeys for LazyKeys<A> {
    fn verifier(&self) -> Result<(Verifier, KeyValues), EngineError> {
        let vk = self.pk()?.vk();
        Ok((Verifier::new(vk), KeyValues::from(vk.as_ref())))
    }

    fn decode(&self, proof: &[u8]) -> Result<Proof, ProofError> {
        Ok(Proof::from_bytes(self.vk()?, proof)?)
    }
}

/// A proof with what it cost.
#[derive(Clone, Debug)]
pub struct Proven<C> {
    /// What it says.
    pub claim: C,
    /// Its canonical bytes.
    pub proof: Vec<u8>,
    /// Cost of the traces.
    pub trace: Cost,
    /// Cost of the proof.
    pub prove: Cost,
}

/// A range of the ops of one algorithm.
#[derive(Clone, Copy, Debug)]
pub struct ExecJob<'a> {
    /// Constants of the batch.
    pub context: BatchContext,
    /// Parameters of the context's hash.
    pub params: &'a Params,
    /// Capacity before the range.
    pub start: Digest,
    /// Sequence numbers and ops, ascending.
    pub ops: &'a [(u32, &'a OpRecord)],
}

/// A circuit that proves ranges of one algorithm's ops.
pub trait ExecCircuit: Keyed {
    /// Whether these ops of a batch under `params` fit; if they do, so does every prefix.
    fn fits(&self, params: &Params, ops: &[(u32, &OpRecord)]) -> bool;
    /// Proves a range that fits.
    ///
    /// # Errors
    /// [`EngineError`] of setup, witness or proof.
    fn prove(&self, job: &ExecJob<'_>) -> Result<Proven<ExecClaim>, EngineError>;
    /// Verifies proof bytes against a claim; must not panic on any.
    ///
    /// # Errors
    /// [`ProofError`] for anything but a valid proof of exactly this claim.
    fn verify(&self, claim: &ExecClaim, proof: &[u8]) -> Result<(), ProofError>;
    /// Rows of each op kind, for the documentation.
    fn op_rows(&self) -> Vec<OpRows> {
        Vec::new()
    }

    /// Public values of a claim, by table; none if the circuit cannot be aggregated.
    fn publics(&self, _claim: &ExecClaim) -> Vec<Vec<F>> {
        Vec::new()
    }
}

/// A range of the operations of one program.
#[derive(Clone, Copy, Debug)]
pub struct GuardJob<'a> {
    /// Constants of the batch.
    pub context: BatchContext,
    /// Parameters of the context's hash.
    pub params: &'a Params,
    /// Algorithm id of the program.
    pub program: AlgorithmId,
    /// Capacity of the tuple sponge before the range.
    pub start: Digest,
    /// Capacity of the journal before the range.
    pub journal: Digest,
    /// Sequence numbers and operations, ascending.
    pub ops: &'a [(u32, &'a OpRecord)],
}

/// A circuit that proves what the programs of extensions may do; what they did is for a run to prove.
pub trait GuardCircuit: Keyed {
    /// Whether these operations of one program fit under `params`; if they do, so does every prefix.
    fn fits(&self, params: &Params, ops: &[(u32, &OpRecord)]) -> bool;
    /// Proves a range that fits.
    ///
    /// # Errors
    /// [`EngineError`] of setup, witness or proof.
    fn prove(&self, job: &GuardJob<'_>) -> Result<Proven<GuardClaim>, EngineError>;
    /// Verifies proof bytes against a claim; must not panic on any.
    ///
    /// # Errors
    /// [`ProofError`] for anything but a valid proof of exactly this claim.
    fn verify(&self, claim: &GuardClaim, proof: &[u8]) -> Result<(), ProofError>;
    /// Rows of an operation, for the documentation.
    fn op_rows(&self) -> Vec<OpRows> {
        Vec::new()
    }
    /// Public values of a claim, by table.
    fn publics(&self, claim: &GuardClaim) -> Vec<Vec<F>>;
}

/// A circuit that proves transitions of the state tree.
pub trait TransitionCircuit: Keyed {
    /// Whether the batch fits.
    fn fits(&self, batch: &ExecutedBatch) -> bool;
    /// Proves a batch that fits.
    ///
    /// # Errors
    /// [`EngineError`] of setup, witness or proof.
    fn prove(&self, batch: &ExecutedBatch) -> Result<Proven<TransitionClaim>, EngineError>;
    /// Verifies proof bytes against a claim; must not panic on any.
    ///
    /// # Errors
    /// [`ProofError`] for anything but a valid proof of exactly this claim.
    fn verify(&self, claim: &TransitionClaim, proof: &[u8]) -> Result<(), ProofError>;
    /// Public values of a claim, by table; none if the circuit cannot be aggregated.
    fn publics(&self, _claim: &TransitionClaim) -> Vec<Vec<F>> {
        Vec::new()
    }
}

/// The proving key of a circuit as the registry has it, and so as `vks.toml` pins it: in the base profile that suits the
/// circuit's size if it is a base one. Whoever measures a circuit that is pinned makes its key by this.
///
/// # Errors
/// [`SetupError`].
pub fn proving_key<A: CircuitAir>(circuit: Circuit<A>) -> Result<ProvingKey<A>, SetupError> {
    setup(circuit.balanced())
}

/// Keys of one circuit, built on first use and kept for the life of the process.
pub struct LazyKeys<A> {
    id: CircuitId,
    build: Box<dyn Fn() -> Circuit<A> + Send + Sync>,
    built: OnceLock<Result<(ProvingKey<A>, KeyInfo), String>>,
}

impl<A: CircuitAir> LazyKeys<A> {
    /// Keys of the circuit that `build` describes, in the base profile that suits its size if it is a base one.
    pub fn new(id: CircuitId, build: impl Fn() -> Circuit<A> + Send + Sync + 'static) -> Self {
        Self { id, build: Box::new(build), built: OnceLock::new() }
    }

    /// The circuit's name.
    pub fn id(&self) -> CircuitId {
        self.id
    }

    fn built(&self) -> Result<&(ProvingKey<A>, KeyInfo), EngineError> {
        let build = || {
            let watch = Stopwatch::start();
            let pk = proving_key((self.build)()).map_err(|e| e.to_string())?;
            let vk = pk.vk();
            let (digest, tables, security) = (*vk.digest(), vk.tables().to_vec(), security(vk));
            let params = *vk.params();
            Ok((pk, KeyInfo { digest, tables, params, security, setup: watch.cost() }))
        };
        let failed = |error: &String| EngineError::Setup { name: self.id.to_string(), error: error.clone() };
        self.built.get_or_init(build).as_ref().map_err(failed)
    }

    /// The proving key.
    ///
    /// # Errors
    /// [`EngineError::Setup`].
    pub fn pk(&self) -> Result<&ProvingKey<A>, EngineError> {
        Ok(&self.built()?.0)
    }

    /// The verifying key.
    ///
    /// # Errors
    /// [`ProofError::Key`].
    pub fn vk(&self) -> Result<&VerifyingKey<A>, ProofError> {
        self.pk().map(|pk| pk.vk().as_ref()).map_err(|e| ProofError::Key(e.to_string()))
    }

    /// What is known of the key.
    ///
    /// # Errors
    /// [`EngineError::Setup`].
    pub fn info(&self) -> Result<KeyInfo, EngineError> {
        Ok(self.built()?.1.clone())
    }
}

/// All circuits, within a family from the smallest class to the largest; and who proves the runs of programs.
#[derive(Clone, Default)]
pub struct Registry {
    execs: Vec<Arc<dyn ExecCircuit>>,
    transitions: Vec<Arc<dyn TransitionCircuit>>,
    guards: Vec<Arc<dyn GuardCircuit>>,
    runs: Option<Arc<dyn RunProver>>,
}

impl Registry {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a circuit; classes of one algorithm are added from the smallest to the largest.
    pub fn add_exec(&mut self, circuit: Arc<dyn ExecCircuit>) {
        self.execs.push(circuit);
    }

    /// Adds a transition circuit, the smallest first.
    pub fn add_transition(&mut self, circuit: Arc<dyn TransitionCircuit>) {
        self.transitions.push(circuit);
    }

    /// Adds a circuit of the guard: those without legs first, of each kind the smallest first.
    pub fn add_guard(&mut self, circuit: Arc<dyn GuardCircuit>) {
        self.guards.push(circuit);
    }

    /// Says who proves runs of programs, in place of whoever did.
    pub fn set_run_prover(&mut self, prover: Arc<dyn RunProver>) {
        self.runs = Some(prover);
    }

    /// Who proves runs of programs.
    pub fn run_prover(&self) -> Option<&Arc<dyn RunProver>> {
        self.runs.as_ref()
    }

    /// Circuits of the guard: those without legs first, of each kind the smallest first.
    pub fn guards(&self) -> &[Arc<dyn GuardCircuit>] {
        &self.guards
    }

    /// Circuits of one algorithm, the smallest first.
    pub fn execs(&self, algorithm: AlgorithmId) -> Vec<&Arc<dyn ExecCircuit>> {
        self.execs.iter().filter(|c| c.algorithm() == algorithm).collect()
    }

    /// Circuits of all algorithms.
    pub fn all_execs(&self) -> &[Arc<dyn ExecCircuit>] {
        &self.execs
    }

    /// Transition circuits, the smallest first.
    pub fn transitions(&self) -> &[Arc<dyn TransitionCircuit>] {
        &self.transitions
    }

    /// Execution circuits, in the order in which they were added.
    pub fn exec_circuits(&self) -> &[Arc<dyn ExecCircuit>] {
        &self.execs
    }

    /// Every circuit that has an algorithm id of its own: all but the guard's.
    pub fn circuits(&self) -> impl Iterator<Item = &dyn Keyed> {
        let execs = self.execs.iter().map(|c| c.as_ref() as &dyn Keyed);
        execs.chain(self.transitions.iter().map(|c| c.as_ref() as &dyn Keyed))
    }

    /// [`Registry::circuits`], then the guard's.
    pub fn keyed(&self) -> impl Iterator<Item = &dyn Keyed> {
        self.circuits().chain(self.guards.iter().map(|c| c.as_ref() as &dyn Keyed))
    }

    /// Derives every key but the guard's, as it would be pinned.
    ///
    /// # Errors
    /// [`EngineError::Setup`].
    pub fn derive(&self) -> Result<Vec<Pin>, EngineError> {
        self.circuits().map(derive).collect()
    }

    /// Derives the keys of the guard, as they would be pinned.
    ///
    /// # Errors
    /// [`EngineError::Setup`].
    pub fn derive_guards(&self) -> Result<Vec<Pin>, EngineError> {
        self.guards.iter().map(|c| derive(c.as_ref())).collect()
    }

    /// Verifiers of every pinned key, and of runs. Keys are built when the first proof of theirs is verified, and a key that
    /// differs from its pin is refused then; a pinned key without a circuit gets no verifier.
    pub fn verifiers(&self, pins: &Pins) -> VkSet {
        let mut set = VkSet::new(pins.root());
        for pin in pins.vks() {
            let is = |circuit: &dyn Keyed| {
                circuit.id().to_string() == pin.name && circuit.algorithm() == pin.algorithm.0
            };
            if let Some(circuit) = self.execs.iter().find(|c| is(c.as_ref())) {
                let verifier = Pinned { circuit: circuit.clone(), digest: pin.digest.0 };
                set.insert_exec(&pin.digest.0, Arc::new(verifier));
            } else if let Some(circuit) = self.transitions.iter().find(|c| is(c.as_ref())) {
                let verifier = Pinned { circuit: circuit.clone(), digest: pin.digest.0 };
                set.insert_transition(&pin.digest.0, Arc::new(verifier));
            }
        }
        for pin in pins.guards() {
            if let Some(circuit) = self.guards.iter().find(|c| c.id().to_string() == pin.name) {
                let verifier = Pinned { circuit: circuit.clone(), digest: pin.digest.0 };
                set.insert_guard(&pin.digest.0, Arc::new(verifier));
            }
        }
        set.set_runs(Arc::new(SegmentRuns));
        set
    }
}

pub(crate) fn derive(circuit: &dyn Keyed) -> Result<Pin, EngineError> {
    let (id, info) = (circuit.id(), circuit.key()?);
    let tenths = |bits: f64| (bits * 10.0).floor() / 10.0;
    let table = |t: &TableInfo| format!("{}:{}", t.name, t.log_height);
    Ok(Pin {
        name: id.to_string(),
        family: id.family.to_owned(),
        class: id.class.to_owned(),
        algorithm: Hex(circuit.algorithm()),
        digest: Hex(info.digest),
        lifts: None,
        runs: Vec::new(),
        proven_bits: tenths(info.security.proven_bits),
        conjectured_bits: tenths(info.security.conjectured_bits),
        tables: info.tables.iter().map(table).collect(),
    })
}

/// A circuit whose key must be the pinned one.
struct Pinned<C: ?Sized> {
    digest: Digest,
    circuit: Arc<C>,
}

impl<C: Keyed + ?Sized> Pinned<C> {
    fn check(&self) -> Result<(), ProofError> {
        let info = self.circuit.key().map_err(|e| ProofError::Key(e.to_string()))?;
        if info.digest == self.digest {
            return Ok(());
        }
        let (id, pinned, derived) = (self.circuit.id(), Hex(self.digest), Hex(info.digest));
        Err(ProofError::Key(format!("{id}: digest is pinned as {pinned}, derived {derived}")))
    }
}

impl ExecVerifier for Pinned<dyn ExecCircuit> {
    fn verify(&self, claim: &ExecClaim, proof: &[u8]) -> Result<(), ProofError> {
        self.check()?;
        self.circuit.verify(claim, proof)
    }
}

impl GuardVerifier for Pinned<dyn GuardCircuit> {
    fn verify(&self, claim: &GuardClaim, proof: &[u8]) -> Result<(), ProofError> {
        self.check()?;
        self.circuit.verify(claim, proof)
    }
}

impl TransitionVerifier for Pinned<dyn TransitionCircuit> {
    fn verify(&self, claim: &TransitionClaim, proof: &[u8]) -> Result<(), ProofError> {
        self.check()?;
        self.circuit.verify(claim, proof)
    }
}

/// The circuits of this program.
pub fn registry() -> Registry {
    crate::circuits::circuits(Profile::Base)
}
