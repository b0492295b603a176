//! `tsz demo`.

use anyhow::{Result, bail};

use crate::cli::DemoArgs;
use crate::output::Output;

/// Proves two batches and tries to cheat.
pub fn run(_args: &DemoArgs, _output: &Output) -> Result<()> {
    bail!("not wired yet")
}
