//! `tsz bench transfers`, `tsz bench spot`, `tsz bench perp`: all proofs of a batch of signed operations of one kind.

use anyhow::{Context, Result, ensure};
use tsz_aggregator::{Bundle, check_bundle};
use tsz_engine::{Executor, Pins, prove_batch, registry};
use tsz_scenario::Mix;
use tsz_trade::Op;

use crate::cli::BenchArgs;
use crate::commands::bench::Report;
use crate::commands::bench::report::cells;
use crate::measure::timed;
use crate::output::Output;
use crate::runs::{params, workload};

/// Proves a batch of operations of `mix`.
pub fn run(name: &'static str, mix: Mix, args: &BenchArgs, output: &Output) -> Result<Report> {
    let ops = args.ops.unwrap_or(8192);
    let pins = Pins::built_in().context("the pins compiled into this program")?;
    let registry = registry();
    let spinner = output.spinner("populating the state tree and signing");
    let params = params(args.accounts_log2, args.active, 1, mix);
    let (run, populate) = timed(|| workload(ops, args.seed, params));
    let mut run = run?;
    let batch = run.batches.pop().context("the workload has a batch")?;
    let signed: Vec<Op> = batch.records.into_iter().skip(1).map(|record| record.op).collect();
    spinner.set_message("executing");
    let mut executor = Executor::new(batch.context.system, run.genesis);
    executor.set_params(batch.params);
    let (executed, execute) = timed(|| executor.execute(batch.context.time, &signed));
    let executed = executed?;
    ensure!(executed.rejected.is_empty(), "the ledger refuses an honest operation");
    spinner.finish_and_clear();

    let bar = output.proving(u64::from(ops));
    let (proofs, proving) = prove_batch(&executed, &registry, &pins, &|event| bar.show(event))?;
    bar.finish();
    let bundle = Bundle { batches: vec![proofs] };
    let (checked, verify) = timed(|| check_bundle(&bundle, &registry.verifiers(&pins), None));
    checked.context("an honest batch is refused")?;

    let work = proving.stages.iter().filter(|stage| stage.name != "setup");
    let mut cost = execute;
    work.clone().for_each(|stage| cost += stage.cost);
    let mut report = Report::new(name, u64::from(ops), cost);
    report.proof_bytes = proving.proof_bytes();
    report.figure("active", args.active);
    report.figure("accounts_log2", args.accounts_log2);
    report.figure("proofs", proving.proofs.len());
    report.figure("verify_seconds", verify.wall_seconds);
    report.figure("verify_seconds_per_proof", verify.wall_seconds / proving.proofs.len() as f64);
    let bits = proving.proofs.iter().map(|p| p.proven_bits).fold(f64::INFINITY, f64::min);
    report.figure("proven_bits", bits);
    report.stage("populate and sign", populate);
    report.stage("execute", execute);
    for stage in &proving.stages {
        report.stage(&stage.name, stage.cost);
    }
    report.stage("verify", verify);
    for proof in &proving.proofs {
        let circuit = registry.circuits().find(|c| c.id().to_string() == proof.circuit);
        if let Some(circuit) = circuit {
            report.cells.extend(cells(&proof.circuit, &circuit.key()?.tables));
        }
    }
    Ok(report)
}
