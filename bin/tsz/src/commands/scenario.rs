//! `tsz scenario`.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tsz_engine::every_family_scenario;
use tsz_scenario::{Mix, Params, Place, Scenario, explain, generate, report, report_text};

use crate::cli::{Kinds, ScenarioGen};
use crate::output::Output;

/// Reads a scenario file.
pub fn read(file: &Path) -> Result<Scenario> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Scenario::from_json(&text).with_context(|| file.display().to_string())
}

/// Executes a scenario file and reports, or explains one entry.
pub fn run(file: &Path, place: Option<Place>, output: &Output) -> Result<()> {
    let scenario = read(file)?;
    let spinner = output.spinner("executing");
    let run = tsz_scenario::run(&scenario);
    spinner.finish_and_clear();
    let run = run.with_context(|| file.display().to_string())?;
    if let Some(place) = place {
        let explanations = explain(&scenario, &run, place)?;
        if explanations.is_empty() {
            output.line("the entry makes no operation");
        }
        let texts: Vec<String> = explanations.iter().map(|e| e.to_text()).collect();
        output.line(texts.join("\n\n").trim_end());
        let objects: Vec<_> = explanations.iter().map(|e| e.to_json()).collect();
        output.object(&json!({ "ok": true, "operations": objects }));
        return Ok(());
    }
    output.line(report_text(&scenario, &run)?.trim_end());
    output.object(&report(&scenario, &run)?);
    Ok(())
}

/// Writes a seeded workload.
pub fn gen_file(args: &ScenarioGen, output: &Output) -> Result<()> {
    let mix = match args.kinds {
        Kinds::All => Mix::ALL,
        Kinds::Transfers => Mix::TRANSFERS,
        Kinds::Spot => Mix::SPOT,
        Kinds::Perp => Mix::PERP,
        Kinds::Trades | Kinds::Families => Mix::TRADES,
    };
    let params = Params { accounts: args.accounts, active: args.active, batches: args.batches, mix };
    let scenario = if args.kinds == Kinds::Families {
        ensure!(
            args.batches == 2,
            "`--kinds families` has two batches: one that prepares, one of every family"
        );
        every_family_scenario(args.ops, args.seed, &Params { batches: 1, ..params })?
    } else {
        generate(args.ops, args.seed, &params)?
    };
    let text = scenario.to_json() + "\n";
    std::fs::write(&args.out, text).with_context(|| format!("cannot write {}", args.out.display()))?;
    let ops: usize = scenario.batches.iter().map(|batch| batch.operations.len()).sum();
    let out = args.out.display();
    output.line(format!("{ops} operations in {} batches written to {out}", args.batches));
    output.object(&json!({ "ok": true, "operations": ops, "batches": args.batches, "file": args.out }));
    Ok(())
}
