//! `tsz vk`.

use std::path::Path;

use anyhow::{Result, bail};

use crate::output::Output;

/// Prints every key.
pub fn list(_output: &Output) -> Result<()> {
    bail!("not wired yet")
}

/// Compares the derived keys with the pinned ones.
pub fn check(_file: Option<&Path>, _output: &Output) -> Result<()> {
    bail!("not wired yet")
}

/// Writes the derived keys.
pub fn pin(_file: Option<&Path>, _output: &Output) -> Result<()> {
    bail!("not wired yet")
}
