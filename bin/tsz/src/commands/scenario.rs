//! `tsz scenario`.

use std::path::Path;

use anyhow::{Result, bail};

use crate::output::Output;

/// What to generate.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Operations.
    pub ops: u32,
    /// Seed.
    pub seed: u64,
    /// Batches.
    pub batches: u32,
    /// Accounts that sign.
    pub accounts: u32,
}

/// Executes a scenario file.
pub fn run(_file: &Path, _output: &Output) -> Result<()> {
    bail!("not wired yet")
}

/// Writes a seeded workload.
pub fn generate(_size: Size, _out: &Path, _output: &Output) -> Result<()> {
    bail!("not wired yet")
}
