//! What a proving run cost, and progress while it runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tsz_stark::TableInfo;

use crate::measure::{Cost, Stopwatch, peak_rss_bytes};

/// One stage of the pipeline for one batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// Number of the batch.
    pub batch: u64,
    /// What was done, e.g. `execute`, `fund trace`, `fund prove`, `transition prove`, `verify`.
    pub name: String,
    /// Its cost.
    pub cost: Cost,
    /// Peak resident memory of the process when it was done, in bytes.
    pub peak_rss_bytes: u64,
}

/// One proof.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProofReport {
    /// Number of the batch.
    pub batch: u64,
    /// Circuit, e.g. `fund/small`.
    pub circuit: String,
    /// Ops that the proof covers.
    pub ops: u32,
    /// Bytes of the proof.
    pub bytes: u64,
    /// Committed cells (main and LogUp columns times rows) by table.
    pub cells: BTreeMap<String, u64>,
    /// Proven security bits of the circuit.
    pub proven_bits: f64,
    /// Conjectured security bits of the circuit.
    pub conjectured_bits: f64,
}

/// Cost of a proving run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Ops of all batches.
    pub ops: u64,
    /// Whole run, setup of keys included.
    pub total: Cost,
    /// Stages in order.
    pub stages: Vec<Stage>,
    /// Proofs in order.
    pub proofs: Vec<ProofReport>,
    /// Largest resident memory of the process, in bytes.
    pub peak_rss_bytes: u64,
    /// Bytes of the bundle.
    pub bundle_bytes: u64,
}

impl Report {
    /// Ops per second of wall time, over the stages whose work grows with the ops (all but `setup`).
    pub fn ops_per_second(&self) -> f64 {
        let wall: f64 = self.stages.iter().filter(|s| s.name != "setup").map(|s| s.cost.wall_seconds).sum();
        if wall > 0.0 { self.ops as f64 / wall } else { 0.0 }
    }

    /// Bytes of all proofs.
    pub fn proof_bytes(&self) -> u64 {
        self.proofs.iter().map(|p| p.bytes).sum()
    }

    /// Cells of all proofs by `family.table`.
    pub fn cells(&self) -> BTreeMap<String, u64> {
        let mut out = BTreeMap::new();
        for proof in &self.proofs {
            let family = proof.circuit.split('/').next().unwrap_or_default();
            for (table, cells) in &proof.cells {
                *out.entry(format!("{family}.{table}")).or_default() += cells;
            }
        }
        out
    }

    /// Cost by stage name over all batches.
    pub fn by_stage(&self) -> BTreeMap<String, Cost> {
        let mut out: BTreeMap<String, Cost> = BTreeMap::new();
        for stage in &self.stages {
            *out.entry(stage.name.clone()).or_default() += stage.cost;
        }
        out
    }
}

/// Cells by table name; tables of one name are added up.
pub fn cells(tables: &[TableInfo]) -> BTreeMap<String, u64> {
    let mut out = BTreeMap::new();
    for table in tables {
        *out.entry(table.name.clone()).or_default() += table.cells() as u64;
    }
    out
}

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A stage begins: (batch, name).
    Start {
        /// Number of the batch.
        batch: u64,
        /// Name of the stage.
        stage: &'a str,
    },
    /// Ops proven so far, of all ops of the run.
    Done {
        /// Ops proven.
        ops: u64,
        /// Ops of the run.
        of: u64,
    },
}

/// Receives progress.
pub type Progress<'a> = &'a dyn Fn(Event<'_>);

/// Collects stages and passes progress on.
pub(crate) struct Recorder<'a> {
    pub(crate) report: Report,
    progress: Progress<'a>,
    watch: Stopwatch,
}

impl<'a> Recorder<'a> {
    pub(crate) fn new(progress: Progress<'a>) -> Self {
        Self { report: Report::default(), progress, watch: Stopwatch::start() }
    }

    /// Runs a stage and records its cost.
    pub(crate) fn stage<T>(&mut self, batch: u64, name: &str, work: impl FnOnce() -> T) -> T {
        self.start(batch, name);
        let watch = Stopwatch::start();
        let value = work();
        self.add(batch, name, watch.cost());
        value
    }

    /// Announces a stage.
    pub(crate) fn start(&self, batch: u64, name: &str) {
        (self.progress)(Event::Start { batch, stage: name });
    }

    /// Records the cost of a stage that has just ended.
    pub(crate) fn add(&mut self, batch: u64, name: &str, cost: Cost) {
        tracing::info!(batch, stage = name, seconds = cost.wall_seconds, "stage done");
        let peak_rss_bytes = peak_rss_bytes();
        self.report.stages.push(Stage { batch, name: name.to_owned(), cost, peak_rss_bytes });
    }

    pub(crate) fn done(&self, ops: u64, of: u64) {
        (self.progress)(Event::Done { ops, of });
    }

    pub(crate) fn finish(mut self) -> Report {
        self.report.total = self.watch.cost();
        self.report.peak_rss_bytes = peak_rss_bytes();
        self.report
    }
}
