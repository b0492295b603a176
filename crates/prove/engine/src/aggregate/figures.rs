//! What an aggregation cost.

use serde::Serialize;
use tsz_plonk::Rows;
use tsz_tree::{NodeProgram, NodeProof};

use super::JOIN;
use crate::measure::Cost;

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

impl NodeReport {
    /// The report of a node that was proven.
    pub(super) fn new(name: &str, program: &NodeProgram, build: Cost, prove: Cost, bytes: usize) -> Self {
        let Rows { alu, poseidon2, horner, .. } = program.rows();
        Self {
            name: name.to_owned(),
            reused: false,
            permutations: poseidon2,
            arithmetic: alu,
            reductions: horner,
            cells: program.vk().tables().iter().map(|t| t.cells() as u64).sum(),
            program: build,
            prove,
            bytes,
        }
    }

    /// The report of a node that was found in the work folder.
    pub(super) fn reused(node: &NodeProof) -> Self {
        Self {
            name: (if node.is_lift() { "lift" } else { JOIN }).to_owned(),
            reused: true,
            permutations: 0,
            arithmetic: 0,
            reductions: 0,
            cells: 0,
            program: Cost::default(),
            prove: Cost::default(),
            bytes: node.proof.len(),
        }
    }
}

/// What an aggregation cost.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AggregateReport {
    /// Cost of the native check of the bundle.
    pub check: Cost,
    /// The nodes in the order in which they were done: lifts of base proofs two at a time, then the others.
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
    /// Wall seconds of running and proving, added up; those of lifts overlap.
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
