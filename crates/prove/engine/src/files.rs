//! Files that are whole or not there.

use std::path::Path;
use std::{fs, io, process};

/// Writes a file beside its place and renames it: a kill leaves no half of it, and of two processes that write it the
/// later one's stays.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = path.with_extension(format!("{}.part", process::id()));
    fs::write(&part, bytes)?;
    fs::rename(&part, path)
}
