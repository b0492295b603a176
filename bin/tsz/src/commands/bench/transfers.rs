//! `tsz bench transfers`: fund and transition proofs of a batch of signed transfers.

use anyhow::{Result, bail};

use crate::cli::BenchArgs;
use crate::commands::bench::Report;
use crate::output::Output;

/// Proves a batch of transfers.
pub fn run(_args: &BenchArgs, _output: &Output) -> Result<Report> {
    bail!("not wired yet")
}
