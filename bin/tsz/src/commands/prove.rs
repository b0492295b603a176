//! `tsz prove`.

use anyhow::{Result, bail};

use crate::cli::ProveArgs;
use crate::output::Output;

/// Executes a scenario and writes its proofs.
pub fn run(_args: &ProveArgs, _output: &Output) -> Result<()> {
    bail!("not wired yet")
}
