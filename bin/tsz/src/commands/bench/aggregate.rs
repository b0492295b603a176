//! `tsz bench aggregate`: two batches of signed transfers become one aggregation proof.

use anyhow::{Context, Result};
use serde_json::json;
use tsz_engine::prove::prove_bundle;
use tsz_engine::{Pins, executed, registry};
use tsz_scenario::Mix;
use tsz_stark::Profile;
use tsz_tree::NodeKeys;

use crate::cli::BenchArgs;
use crate::commands::aggregate::{aggregate, print_report};
use crate::measure::{machine, timed};
use crate::output::{Output, bytes, seconds};
use crate::runs::{params, workload};

/// Operations of the two batches by default.
const OPS: u32 = 128;

/// Runs the workload.
pub fn run(args: &BenchArgs, output: &Output) -> Result<()> {
    let pins = Pins::built_in().context("the pins compiled into this program")?;
    let params = params(args.accounts_log2, args.active, 2, Mix::TRANSFERS);
    let spinner = output.spinner("proving two batches");
    let batches = executed(workload(args.ops.unwrap_or(OPS) / 2, args.seed, params)?)?;
    let (bundle, _) = prove_bundle(batches, &registry(), &pins, &|_| {})?;
    spinner.finish_and_clear();
    let (proof, report) = aggregate(&bundle, &pins, None, output)?;
    print_report(&report, output);
    let keys = NodeKeys::new(Profile::Node)?;
    let (verified, verify) = timed(|| proof.verify(&keys, &pins.root()));
    verified?;
    output.line(format!(
        "aggregation proof of {}, verified in {}",
        bytes(report.bytes as u64),
        seconds(verify.wall_seconds)
    ));
    output.object(&json!({
        "ok": true,
        "machine": machine(),
        "report": report,
        "verify": verify,
        "proof_bytes": report.bytes,
    }));
    Ok(())
}
