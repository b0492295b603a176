//! `tsz bench smt`: batched updates of the state tree.

use anyhow::Result;

use crate::cli::BenchArgs;
use crate::commands::bench::Report;
use crate::measure::Cost;
use crate::output::Output;

/// Batches measured; the median counts.
const ROUNDS: usize = 9;

/// Measures updates of random leaves.
pub fn run(args: &BenchArgs, output: &Output) -> Result<Report> {
    let leaves = args.ops.unwrap_or(4096);
    let spinner = output.spinner("updating the tree");
    let native = tsz_smt::bench::run(1 << args.accounts_log2, 1, leaves as usize, ROUNDS)?;
    spinner.finish_and_clear();

    let update = native.update.as_secs_f64();
    let mut report = Report::new("smt", leaves.into(), Cost { wall_seconds: update, cpu_seconds: 0.0 });
    report.figure("native_updates_per_second", native.updates_per_second);
    report.figure("native_update_seconds", update);
    report.figure("native_update_with_snapshot_seconds", native.update_with_snapshot.as_secs_f64());
    report.figure("native_multiproof_seconds", native.multiproof.as_secs_f64());
    report.figure("inner_nodes", native.rows);
    Ok(report)
}
