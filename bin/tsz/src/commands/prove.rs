//! `tsz prove`.

use anyhow::{Context, Result};
use serde_json::json;
use tsz_engine::measure::Cost;
use tsz_engine::{ExecutedBatch, Hex, Manifest, Pins, Report, executed, prove_run};

use crate::cli::ProveArgs;
use crate::commands::scenario;
use crate::measure::timed;
use crate::output::{Output, bytes, seconds};
use crate::runs::registry_for;

/// Executes a scenario and writes its proofs.
pub fn run(args: &ProveArgs, output: &Output) -> Result<()> {
    let pins = Pins::built_in().context("the pins compiled into this program")?;
    let scenario = scenario::read(&args.file)?;
    let spinner = output.spinner("executing");
    let (run, execute) = timed(|| tsz_scenario::run(&scenario));
    spinner.finish_and_clear();
    let run = run.with_context(|| args.file.display().to_string())?;
    let batches = executed(run)?;
    for batch in &batches {
        refused(batch, output);
    }
    let ops = batches.iter().map(|b| b.records.len() as u64).sum();
    let bar = output.proving(ops);
    let registry = registry_for(&args.runs)?;
    let proven = prove_run(batches, &registry, &pins, &|event| bar.show(event), &args.out);
    bar.finish();
    let (manifest, report) = proven?;
    print(args, &manifest, &report, execute, output);
    Ok(())
}

/// Refused operations are no part of a batch; a prover who does not look would miss them.
fn refused(batch: &ExecutedBatch, output: &Output) {
    for rejected in &batch.rejected {
        let (number, position) = (batch.header.context.batch, rejected.position);
        output.line(format!("batch {number}: operation {position} is refused: {}", rejected.reason));
    }
}

fn print(args: &ProveArgs, manifest: &Manifest, report: &Report, execute: Cost, output: &Output) {
    for proof in &report.proofs {
        let (batch, circuit, ops) = (proof.batch, &proof.circuit, proof.ops);
        output.line(format!("batch {batch}: {circuit:18} {ops:>6} operations {:>10}", bytes(proof.bytes)));
    }
    output.line(format!(
        "{} operations proven in {} ({:.0} per second, keys not counted), peak memory {}",
        report.ops,
        seconds(report.total.wall_seconds),
        report.ops_per_second(),
        bytes(report.peak_rss_bytes)
    ));
    let (first, last) = (manifest.first_root, manifest.last_root);
    output.line(format!("root {first} -> {last}; proofs are in {}", args.out.display()));
    output.object(&json!({
        "ok": true,
        "out": args.out,
        "first_root": Hex(first.0),
        "last_root": Hex(last.0),
        "execute": execute,
        "ops_per_second": report.ops_per_second(),
        "proof_bytes": report.proof_bytes(),
        "peak_rss_bytes": report.peak_rss_bytes,
        "report": report,
    }));
}
