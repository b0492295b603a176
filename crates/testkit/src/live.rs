//! Programs of `e2e/`: real counterparts of logins. They need Node.js and what `scripts/test-logins.sh` installs.

use std::path::Path;
use std::process::Command;

/// Runs `e2e/SCRIPT ARGS..` and returns what it printed.
///
/// # Errors
/// What stopped it, with its messages.
pub fn run(script: &str, args: &[String]) -> Result<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../e2e");
    let output = Command::new("node")
        .arg(script)
        .args(args)
        .current_dir(folder)
        .output()
        .map_err(|e| format!("node: {e} (scripts/test-logins.sh installs what is needed)"))?;
    if !output.status.success() {
        return Err(format!("{script}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    String::from_utf8(output.stdout).map_err(|e| format!("{script}: {e}"))
}
