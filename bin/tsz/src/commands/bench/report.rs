//! What a benchmark reports.

use serde::Serialize;
use serde_json::{Map, Value};
use tsz_engine::measure::{Cost, peak_rss_bytes};
use tsz_stark::security::security;
use tsz_stark::{TableInfo, VerifyingKey};

use crate::measure::{Machine, machine};
use crate::output::{Output, bytes, seconds, thousands};

/// Cost of one stage.
#[derive(Clone, Debug, Serialize)]
pub struct Stage {
    /// What was done.
    pub stage: String,
    /// Its cost.
    #[serde(flatten)]
    pub cost: Cost,
}

/// Size of one table of a proof. Tables have the height of the size class, so padding is counted.
#[derive(Clone, Debug, Serialize)]
pub struct TableCells {
    /// Circuit.
    pub circuit: String,
    /// Table.
    pub table: String,
    /// Rows, padding included.
    pub rows: u64,
    /// Columns of the main trace.
    pub width: u64,
    /// Columns of the lookup argument, in base field elements.
    pub aux_width: u64,
    /// Rows times all columns.
    pub cells: u64,
}

/// The tables of a key.
pub fn cells(circuit: &str, tables: &[TableInfo]) -> Vec<TableCells> {
    let table = |t: &TableInfo| TableCells {
        circuit: circuit.to_owned(),
        table: t.name.clone(),
        rows: 1 << t.log_height,
        width: t.width as u64,
        aux_width: t.aux_width as u64,
        cells: t.cells() as u64,
    };
    tables.iter().map(table).collect()
}

/// A result; the keys are the interface of `tsz bench --json`.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Workload.
    pub bench: &'static str,
    /// Where it ran.
    pub machine: Machine,
    /// Operations.
    pub ops: u64,
    /// Operations per second of wall time: the headline figure of the workload.
    pub ops_per_second: f64,
    /// CPU seconds that the figure is based on.
    pub cpu_seconds: f64,
    /// Wall seconds that the figure is based on.
    pub wall_seconds: f64,
    /// Largest resident set of the process so far.
    pub peak_rss_bytes: u64,
    /// Bytes of all proofs.
    pub proof_bytes: u64,
    /// Figures of this workload alone.
    #[serde(flatten)]
    pub more: Map<String, Value>,
    /// Stages in order.
    pub stages: Vec<Stage>,
    /// Cells by table.
    pub cells: Vec<TableCells>,
}

impl Report {
    /// A report whose headline is `ops` operations at `cost`; memory and machine are filled in.
    pub fn new(bench: &'static str, ops: u64, cost: Cost) -> Self {
        Self {
            bench,
            machine: machine(),
            ops,
            ops_per_second: ops as f64 / cost.wall_seconds,
            cpu_seconds: cost.cpu_seconds,
            wall_seconds: cost.wall_seconds,
            peak_rss_bytes: peak_rss_bytes(),
            proof_bytes: 0,
            more: Map::new(),
            stages: Vec::new(),
            cells: Vec::new(),
        }
    }

    /// Adds a figure.
    pub fn figure(&mut self, key: &str, value: impl Into<Value>) {
        self.more.insert(key.to_owned(), value.into());
    }

    /// Says what the proof is made with: bits proven, blow-up, queries, size, tables.
    pub fn proof<A>(&mut self, circuit: &str, vk: &VerifyingKey<A>, proof: &[u8]) {
        self.figure("proven_bits", security(vk).proven_bits);
        self.figure("blowup", 1u64 << vk.params().log_blowup);
        self.figure("queries", vk.params().num_queries as u64);
        self.proof_bytes = proof.len() as u64;
        self.cells = cells(circuit, vk.tables());
    }

    /// Adds a stage.
    pub fn stage(&mut self, stage: &str, cost: Cost) {
        self.stages.push(Stage { stage: stage.to_owned(), cost });
    }

    /// Prints the report.
    pub fn print(&self, output: &Output) -> anyhow::Result<()> {
        output.object(&serde_json::to_value(self)?);
        let Machine { cpu, threads, simd } = &self.machine;
        output.line(format!("{} on {cpu}, {threads} threads, {simd}", self.bench));
        output.line(format!(
            "{} operations, {:.0} per second ({} wall, {} CPU); peak memory {}; proofs {}",
            thousands(self.ops),
            self.ops_per_second,
            seconds(self.wall_seconds),
            seconds(self.cpu_seconds),
            bytes(self.peak_rss_bytes),
            bytes(self.proof_bytes),
        ));
        for (key, value) in &self.more {
            output.line(format!("  {key:32} {}", figure(value)));
        }
        for Stage { stage, cost } in &self.stages {
            let (wall, cpu) = (seconds(cost.wall_seconds), seconds(cost.cpu_seconds));
            output.line(format!("  {stage:32} {wall:>10} wall {cpu:>10} CPU"));
        }
        self.print_cells(output);
        Ok(())
    }

    fn print_cells(&self, output: &Output) {
        let total: u64 = self.cells.iter().map(|t| t.cells).sum();
        if total == 0 {
            return;
        }
        output.line(format!(
            "  {:32} {:>12} {:>8} {:>12} {:>7}",
            "table", "rows", "columns", "cells/op", "share"
        ));
        for t in &self.cells {
            output.line(format!(
                "  {:32} {:>10} {:>11} {:>12.1} {:>6.1}%",
                format!("{}/{}", t.circuit, t.table),
                thousands(t.rows),
                format!("{} + {}", t.width, t.aux_width),
                t.cells as f64 / self.ops as f64,
                100.0 * t.cells as f64 / total as f64,
            ));
        }
    }
}

fn figure(value: &Value) -> String {
    match (value.as_u64(), value.as_f64()) {
        (Some(n), _) => thousands(n),
        (None, Some(v)) => format!("{v:.4}"),
        (None, None) => value.to_string(),
    }
}
