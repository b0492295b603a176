//! `tsz scenario`.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;
use tsz_scenario::{Mix, Params, Scenario, generate, report};

use crate::cli::{Kinds, ScenarioGen};
use crate::output::Output;

/// Reads a scenario file.
pub fn read(file: &Path) -> Result<Scenario> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Scenario::from_json(&text).with_context(|| file.display().to_string())
}

/// Executes a scenario file; the result is JSON in both modes.
pub fn run(file: &Path, output: &Output) -> Result<()> {
    let scenario = read(file)?;
    let spinner = output.spinner("executing");
    let run = tsz_scenario::run(&scenario);
    spinner.finish_and_clear();
    let run = run.with_context(|| file.display().to_string())?;
    output.document(&report(&scenario, &run));
    Ok(())
}

/// Writes a seeded workload.
pub fn gen_file(args: &ScenarioGen, output: &Output) -> Result<()> {
    let mix = match args.kinds {
        Kinds::All => Mix::ALL,
        Kinds::Transfers => Mix::TRANSFERS,
        Kinds::Spot => Mix::SPOT,
        Kinds::Perp => Mix::PERP,
        Kinds::Trades => Mix::TRADES,
    };
    let params = Params { accounts: args.accounts, active: args.active, batches: args.batches, mix };
    let scenario = generate(args.ops, args.seed, &params)?;
    let text = scenario.to_json() + "\n";
    std::fs::write(&args.out, text).with_context(|| format!("cannot write {}", args.out.display()))?;
    let (ops, out) = (args.ops, args.out.display());
    output.line(format!("{ops} operations in {} batches written to {out}", args.batches));
    output.object(&json!({ "ok": true, "operations": ops, "batches": args.batches, "file": args.out }));
    Ok(())
}
