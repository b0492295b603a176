//! `tsz bench run`: the run of a grid's fills, proven by the executable of `--run-prover` or the one that is found.

use anyhow::{Context, Result};
use tsz_engine::measure::Cost;
use tsz_engine::runs::{RunJob, RunProver, guest};
use tsz_ext::{Run, words};
use tsz_segment::verify_run;

use crate::cli::BenchArgs;
use crate::commands::bench::Report;
use crate::commands::bench::guard::{Fills, fills};
use crate::measure::timed;
use crate::output::Output;
use crate::runs::external;

/// Proves the run of so many fills.
pub fn run(args: &BenchArgs, output: &Output) -> Result<Report> {
    let ops = args.ops.unwrap_or(9);
    let prover =
        external(&args.runs)?.context("no prover of runs: scripts/build-run-prover.sh builds one")?;
    let Fills { batch, program, records, execute } = fills(ops)?;
    let guest = guest(&program).context("the guest of grid is not compiled in")?;
    let logs: Vec<_> = records.iter().map(|r| (&r.op, r.accesses.as_slice())).collect();
    let run = Run::new(&words(&batch.digest()), &logs)?;
    let digest = run.simulate(guest.program).map_err(|fault| anyhow::anyhow!("{fault}"))?;
    let job = RunJob { guest: &guest, input: &run.input, output: digest };

    let spinner = output.spinner("proving the run");
    let (proof, cost) = timed(|| prover.prove(&job));
    let proof = proof?;
    let (sizes, cpu_seconds) = (proof.sizes(), proof.cpu_ms as f64 / 1e3);
    let (cycles, memory) = ([proof.user_cycles, proof.paging_cycles], proof.peak_rss_bytes);
    let seals = proof.into_seals();
    let (valid, verified) = timed(|| verify_run(&guest.image, &job.output, &seals));
    valid.context("an honest run is refused")?;
    spinner.finish_and_clear();

    let prove = Cost { cpu_seconds, ..cost };
    let mut report = Report::new("run", ops.into(), prove);
    report.proof_bytes = seals.iter().map(|seal| 4 * seal.len() as u64).sum();
    report.figure("ops_per_minute_by_cpu", 60.0 * f64::from(ops) / cpu_seconds.max(f64::MIN_POSITIVE));
    report.figure("cpu_seconds_per_op", cpu_seconds / f64::from(ops));
    report.figure("segments", sizes.len() as f64);
    report.figure("largest_segment_log2", sizes.iter().copied().max().unwrap_or_default());
    report.figure("user_cycles", cycles[0] as f64);
    report.figure("paging_cycles", cycles[1] as f64);
    report.figure("prover_peak_rss_bytes", memory as f64);
    for (name, cost) in [("execute", execute), ("prove", prove), ("verify", verified)] {
        report.stage(name, cost);
    }
    Ok(report)
}
