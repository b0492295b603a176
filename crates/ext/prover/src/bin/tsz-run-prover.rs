//! Runs a guest, and proves the run: a request on standard input, the reply on standard output
//! (`tsz_ext_prover::exchange`). `tsz prove` starts it for the runs of extension programs; `--version` says what it is.
//!
//! Exit status: 0 with a reply, 1 with the reason on standard error.

use std::io::{Read, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use tsz_ext_prover::exchange::{Request, reply};
use tsz_ext_prover::{Execution, Guest, Proof, Words};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    match std::env::args().nth(1).as_deref() {
        None => {}
        Some("--version") => {
            let kernels = if cfg!(feature = "prove") { "with" } else { "without" };
            println!("tsz-run-prover {}, {kernels} the prover", env!("CARGO_PKG_VERSION"));
            return Ok(());
        }
        Some(other) => bail!("unknown argument {other}"),
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes).context("cannot read the request")?;
    let request = Request::from_bytes(&bytes)?;
    let guest = Guest::from_elf(&request.elf)?;
    let execution = guest.execute(&request.input, request.po2)?;
    let proof = if request.prove { Some(prove(&guest.root(), &execution)?) } else { None };
    let mut out = std::io::stdout().lock();
    out.write_all(&reply(&guest.root(), &execution, proof.as_ref()))?;
    Ok(out.flush()?)
}

#[cfg(feature = "prove")]
fn prove(root: &Words, execution: &Execution) -> Result<Proof> {
    let proof = execution.prove()?;
    tsz_ext_prover::verify(root, &execution.output, &proof).context("the prover made no proof")?;
    Ok(proof)
}

#[cfg(not(feature = "prove"))]
fn prove(_: &Words, _: &Execution) -> Result<Proof> {
    bail!("this tsz-run-prover was built without the prover: scripts/build-run-prover.sh builds one")
}
