//! `tsz bench`.

use anyhow::{Result, bail};

use crate::cli::BenchArgs;
use crate::output::Output;

/// Runs one workload.
pub fn run(_args: &BenchArgs, _output: &Output) -> Result<()> {
    bail!("not wired yet")
}
