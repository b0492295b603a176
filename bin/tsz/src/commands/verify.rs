//! `tsz verify`.

use anyhow::{Result, bail};

use crate::cli::VerifyArgs;
use crate::output::Output;

/// Verifies a folder of proofs.
pub fn run(_args: &VerifyArgs, _output: &Output) -> Result<()> {
    bail!("not wired yet")
}
