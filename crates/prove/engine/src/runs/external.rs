//! The prover of runs as an executable of its own: risc0 and its C++ are no part of this program.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use super::exchange::{RunProof, request};
use super::{RunFailure, RunJob, RunProver};

/// Name of the executable.
pub const RUN_PROVER: &str = "tsz-run-prover";
/// Environment variable that names it.
pub const RUN_PROVER_VAR: &str = "TSZ_RUN_PROVER";
/// Bytes of the longest reply that is read.
const MAX_REPLY: u64 = 1 << 30;
/// Bytes of an error text that are shown.
const MAX_REASON: usize = 2_000;

/// An executable that speaks the protocol of docs/src/extensions.md.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalProver {
    path: PathBuf,
}

impl ExternalProver {
    /// The executable at a path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The executable that the environment variable names, or one beside this program, or one in PATH.
    pub fn find() -> Option<Self> {
        if let Some(path) = std::env::var_os(RUN_PROVER_VAR).filter(|path| !path.is_empty()) {
            return Some(Self::new(path));
        }
        let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.to_owned()));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = beside.into_iter().chain(std::env::split_paths(&path));
        folders.map(|folder| folder.join(RUN_PROVER)).find(|file| file.is_file()).map(Self::new)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn ask(&self, job: &RunJob<'_>, prove: bool) -> Result<RunProof, RunFailure> {
        let start = |source| RunFailure::Start { path: self.name(), source };
        let mut command = Command::new(&self.path);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().map_err(start)?;
        let (succeeded, reply, reason) = talk(child, request(job, prove)).map_err(start)?;
        if !succeeded {
            let text = String::from_utf8_lossy(&reason);
            let reason: String = text.trim().chars().take(MAX_REASON).collect();
            return Err(RunFailure::Failed { path: self.name(), reason });
        }
        let proof = RunProof::from_bytes(&reply, &self.name())?;
        proof.check(job, &self.name())?;
        Ok(proof)
    }
}

/// Gives a process its input; its success, output and error text. A process that does not read is no error: its exit
/// status says more.
fn talk(mut child: Child, input: Vec<u8>) -> std::io::Result<(bool, Vec<u8>, Vec<u8>)> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let writer = thread::spawn(move || {
        if let Some(mut stdin) = stdin {
            let _ = stdin.write_all(&input);
        }
    });
    let errors = thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(mut stderr) = stderr {
            let _ = stderr.by_ref().take(MAX_REPLY).read_to_end(&mut text);
        }
        text
    });
    let mut reply = Vec::new();
    if let Some(stdout) = stdout {
        stdout.take(MAX_REPLY).read_to_end(&mut reply)?;
    }
    let status = child.wait()?;
    let _ = writer.join();
    Ok((status.success(), reply, errors.join().unwrap_or_default()))
}

impl RunProver for ExternalProver {
    fn measure(&self, job: &RunJob<'_>) -> Result<Vec<u32>, RunFailure> {
        Ok(self.ask(job, false)?.sizes())
    }

    fn prove(&self, job: &RunJob<'_>) -> Result<RunProof, RunFailure> {
        self.ask(job, true)
    }
}
