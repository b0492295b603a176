//! Folders of proofs (docs/src/aggregation.md).

use std::fs;
use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tsz_aggregator::{
    AggregationError, BatchProofs, Bundle, ExecProof, Expectation, GuestRun, MAX_BUNDLE_BYTES, check_bundle,
};
use tsz_hash::Digest;
use tsz_ledger::BatchHeader;
use tsz_vktree::{VkEntry, transition_algorithm};

use crate::error::EngineError;
use crate::hexdigest::Hex;
use crate::measure::{Cost, Stopwatch};
use crate::pins::Pins;
use crate::registry::{Keyed, Registry};
use crate::report::Report;

/// Version of the folder format.
pub const MANIFEST_VERSION: u32 = 2;
/// Summary of the folder.
pub const MANIFEST: &str = "manifest.json";
/// The proofs.
pub const BUNDLE: &str = "bundle.bin";
/// What the run cost.
pub const REPORT: &str = "report.json";
/// Folder of the proofs of runs that proving keeps; verification does not read it.
pub const RUNS: &str = "runs";
/// Bytes of the longest manifest that is even looked at.
const MAX_MANIFEST_BYTES: u64 = 64 << 20;

/// Summary of a folder: what its bundle says, for readers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the format.
    pub version: u32,
    /// System digest.
    pub system: Hex,
    /// Root of the vk tree.
    pub vk_root: Hex,
    /// State root before the first batch.
    pub first_root: Hex,
    /// State root after the last batch.
    pub last_root: Hex,
    /// Bytes of the bundle.
    pub bundle_bytes: u64,
    /// The batches in order.
    pub batches: Vec<BatchSummary>,
}

/// Summary of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchSummary {
    /// Batch number.
    pub batch: u64,
    /// Batch time in ms.
    pub time: u64,
    /// Ops, BeginBatch included.
    pub ops: u32,
    /// Hash of the parameters in force.
    pub params: Hex,
    /// State root before.
    pub s0: Hex,
    /// State root after.
    pub sn: Hex,
    /// Root of the transition set.
    pub set_root: Hex,
    /// Leaves of the transition set.
    pub leaves: Vec<LeafSummary>,
    /// Proofs: the transition proof first, then the exec proofs, one of the guard with its run after it.
    pub proofs: Vec<ProofSummary>,
}

/// Summary of a leaf of the transition set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeafSummary {
    /// Algorithm id.
    pub algorithm: Hex,
    /// Ops of it.
    pub count: u32,
    /// Commitment to its tuple vector.
    pub commitment: Hex,
}

/// Summary of a proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofSummary {
    /// Name of the key, `family/class`, or `run/` and the program; `unknown` for what is not pinned.
    pub circuit: String,
    /// Vk digest; the image root of a run.
    pub vk: Hex,
    /// Ops that the proof covers.
    pub ops: u32,
    /// Bytes of the proof.
    pub bytes: u64,
}

impl Manifest {
    /// Summarises a bundle of `bundle_bytes` bytes; `None` for a bundle without batches.
    pub fn of(bundle: &Bundle, bundle_bytes: u64, pins: &Pins) -> Option<Self> {
        let (first, last) = (bundle.batches.first()?.header, bundle.batches.last()?.header);
        Some(Self {
            version: MANIFEST_VERSION,
            system: Hex(first.context.system),
            vk_root: Hex(pins.root()),
            first_root: Hex(first.s0),
            last_root: Hex(last.sn),
            bundle_bytes,
            batches: bundle.batches.iter().map(|b| BatchSummary::of(b, pins)).collect(),
        })
    }

    /// Names the first part in which two manifests differ.
    fn difference(&self, other: &Self) -> Option<&'static str> {
        let parts = [
            ("system", self.system == other.system),
            ("vk_root", self.vk_root == other.vk_root),
            ("first_root", self.first_root == other.first_root),
            ("last_root", self.last_root == other.last_root),
            ("bundle_bytes", self.bundle_bytes == other.bundle_bytes),
            ("batches", self.batches == other.batches),
        ];
        parts.into_iter().find(|(_, equal)| !equal).map(|(name, _)| name)
    }
}

impl BatchSummary {
    fn of(batch: &BatchProofs, pins: &Pins) -> Self {
        let h = &batch.header;
        let proof = |algorithm: Digest, vk: Digest, ops, proof: &[u8]| {
            let pin = pins.find(&VkEntry { algorithm, vk });
            let circuit = pin.map_or("unknown", |(pin, _)| &pin.name).to_owned();
            ProofSummary { circuit, vk: Hex(vk), ops, bytes: proof.len() as u64 }
        };
        let run = |e: &ExecProof, run: &GuestRun| {
            let program = pins.programs().iter().find(|p| p.algorithm.0 == run.algorithm());
            let circuit = format!("run/{}", program.map_or("unknown", |p| &p.name));
            let bytes = run.seals.iter().map(|seal| 4 * seal.len() as u64).sum();
            ProofSummary { circuit, vk: Hex(run.image), ops: e.claim.count, bytes }
        };
        let transition = &batch.transition;
        let first = proof(transition_algorithm(), transition.vk.digest, h.ops, &transition.proof);
        let exec = |e: &ExecProof| {
            let own = proof(e.claim.algorithm, e.vk.digest, e.claim.count, &e.proof);
            [Some(own), e.run.as_ref().map(|r| run(e, r))]
        };
        let rest = batch.execs.iter().flat_map(exec).flatten();
        let leaf = |l: &tsz_ledger::SetLeaf| LeafSummary {
            algorithm: Hex(l.algorithm),
            count: l.count,
            commitment: Hex(l.commitment),
        };
        Self {
            batch: h.context.batch,
            time: h.context.time,
            ops: h.ops,
            params: Hex(h.context.params),
            s0: Hex(h.s0),
            sn: Hex(h.sn),
            set_root: Hex(h.set_root),
            leaves: batch.leaves.iter().map(leaf).collect(),
            proofs: std::iter::once(first).chain(rest).collect(),
        }
    }
}

/// Makes the folder and removes what an earlier run left of these files.
pub(crate) fn prepare(dir: &Path) -> Result<(), EngineError> {
    fs::create_dir_all(dir).map_err(EngineError::io(dir))?;
    for entry in fs::read_dir(dir).map_err(EngineError::io(dir))? {
        let path = entry.map_err(EngineError::io(dir))?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let summary = name.starts_with("batch-") && name.ends_with(".json");
        if summary || [MANIFEST, BUNDLE, REPORT].contains(&name) {
            fs::remove_file(&path).map_err(EngineError::io(&path))?;
        }
    }
    Ok(())
}

/// Writes the folder, the manifest last.
pub(crate) fn write(
    dir: &Path,
    bundle: &Bundle,
    pins: &Pins,
    report: &mut Report,
) -> Result<Manifest, EngineError> {
    let bytes = bundle.to_bytes();
    report.bundle_bytes = bytes.len() as u64;
    let manifest = Manifest::of(bundle, report.bundle_bytes, pins).ok_or(EngineError::Empty)?;
    let put = |name: &str, bytes: &[u8]| {
        let path = dir.join(name);
        fs::write(&path, bytes).map_err(EngineError::io(&path))
    };
    put(BUNDLE, &bytes)?;
    for batch in &manifest.batches {
        put(&format!("batch-{}.json", batch.batch), &json(batch)?)?;
    }
    put(REPORT, &json(report)?)?;
    put(MANIFEST, &json(&manifest)?)?;
    Ok(manifest)
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, EngineError> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(EngineError::Manifest)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Security in bits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bits {
    /// By theorems alone.
    pub proven: f64,
    /// Under conjectures about list decoding.
    pub conjectured: f64,
}

impl Bits {
    fn weaker(self, other: Self) -> Self {
        Self { proven: self.proven.min(other.proven), conjectured: self.conjectured.min(other.conjectured) }
    }
}

/// A folder that has been verified.
#[derive(Clone, Debug)]
pub struct Verified {
    /// What the proofs show, batch by batch.
    pub headers: Vec<BatchHeader>,
    /// The manifest, which agrees with the bundle.
    pub manifest: Manifest,
    /// What the weakest of the proofs is worth.
    pub bits: Bits,
    /// Runs of programs among the proofs.
    pub runs: usize,
    /// Cost of building the keys.
    pub setup: Cost,
    /// Cost of the check without that.
    pub check: Cost,
}

/// Verifies a folder from its `manifest.json` and `bundle.bin` and the pinned keys alone.
///
/// # Errors
/// [`EngineError`] for anything but a folder whose bundle passes the aggregation check under the pinned keys,
/// meets `expected` and is what the manifest says.
pub fn verify_dir(
    dir: &Path,
    registry: &Registry,
    pins: &Pins,
    expected: Option<&Expectation>,
) -> Result<Verified, EngineError> {
    let claimed: Manifest = serde_json::from_slice(&read(&dir.join(MANIFEST), MAX_MANIFEST_BYTES)?)
        .map_err(EngineError::Manifest)?;
    if claimed.version != MANIFEST_VERSION {
        return Err(EngineError::ManifestVersion { expected: MANIFEST_VERSION, got: claimed.version });
    }
    let bytes = read(&dir.join(BUNDLE), MAX_BUNDLE_BYTES as u64)?;
    let bundle = Bundle::from_bytes(&bytes).map_err(AggregationError::Decode)?;
    let manifest = Manifest::of(&bundle, bytes.len() as u64, pins).ok_or(AggregationError::Empty)?;
    drop(bytes);
    if let Some(what) = claimed.difference(&manifest) {
        return Err(EngineError::ManifestMismatch(what));
    }
    let watch = Stopwatch::start();
    let circuits = build_keys(&bundle, registry, pins)?;
    let setup = watch.cost();
    let watch = Stopwatch::start();
    let headers = check_bundle(&bundle, &registry.verifiers(pins), expected)?;
    let check = watch.cost();
    let runs = bundle.batches.iter().flat_map(|b| &b.execs).filter(|e| e.run.is_some()).count();
    let bits = if runs == 0 { circuits } else { circuits.weaker(RUN_BITS) };
    Ok(Verified { headers, manifest, bits, runs, setup, check })
}

/// Reads the bundle of a folder, without a check of anything it says.
///
/// # Errors
/// [`EngineError`] if the file cannot be read or is no bundle.
pub fn read_bundle(dir: &Path) -> Result<Bundle, EngineError> {
    let bytes = read(&dir.join(BUNDLE), MAX_BUNDLE_BYTES as u64)?;
    Ok(Bundle::from_bytes(&bytes).map_err(AggregationError::Decode)?)
}

/// Reads a file of at most `max` bytes.
///
/// # Errors
/// [`EngineError::Io`] and [`EngineError::TooLong`].
pub fn read_file(path: &Path, max: u64) -> Result<Vec<u8>, EngineError> {
    read(path, max)
}

/// Security of a run, by risc0's parameters.
pub const RUN_BITS: Bits =
    Bits { proven: tsz_segment::PROVEN_BITS as f64, conjectured: tsz_segment::CONJECTURED_BITS as f64 };

/// Builds the keys that the bundle names, on all cores: the check would build one after the other. The bits of the
/// weakest.
pub(crate) fn build_keys(bundle: &Bundle, registry: &Registry, pins: &Pins) -> Result<Bits, EngineError> {
    let used = |digest: Digest| {
        bundle
            .batches
            .iter()
            .any(|b| b.transition.vk.digest == digest || b.execs.iter().any(|e| e.vk.digest == digest))
    };
    let pins = pins.vks().iter().chain(pins.guards()).filter(|p| used(p.digest.0));
    let circuits: Vec<&dyn Keyed> =
        pins.filter_map(|pin| registry.keyed().find(|c| c.id().to_string() == pin.name)).collect();
    let bits = |circuit: &&dyn Keyed| {
        let security = &circuit.key()?.security;
        Ok(Bits { proven: security.proven_bits, conjectured: security.conjectured_bits })
    };
    let strongest = || Bits { proven: f64::INFINITY, conjectured: f64::INFINITY };
    circuits.par_iter().map(bits).try_reduce(strongest, |a, b| Ok(a.weaker(b)))
}

fn read(path: &Path, max: u64) -> Result<Vec<u8>, EngineError> {
    let got = fs::metadata(path).map_err(EngineError::io(path))?.len();
    if got > max {
        return Err(EngineError::TooLong { path: path.to_owned(), got, max });
    }
    fs::read(path).map_err(EngineError::io(path))
}
