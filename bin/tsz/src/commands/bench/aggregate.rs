//! `tsz bench aggregate`: a batch of every family becomes one aggregation proof.

use anyhow::{Context, Result};
use serde_json::json;
use tsz_engine::prove::prove_bundle;
use tsz_engine::{Pins, Registry, Report, every_family};
use tsz_scenario::Mix;
use tsz_stark::Profile;
use tsz_tree::NodeKeys;

use crate::cli::BenchArgs;
use crate::commands::aggregate::{aggregate, print_report};
use crate::measure::{machine, timed};
use crate::output::{Output, bytes, seconds, thousands};
use crate::runs::{params, registry_for};

/// Trades of the batch by default, half of them spot and half perpetual.
const TRADES: u32 = 8192;

/// Runs the workload.
pub fn run(args: &BenchArgs, output: &Output) -> Result<()> {
    let pins = Pins::built_in().context("the pins compiled into this program")?;
    let registry = registry_for(&args.runs)?;
    let trades = args.ops.unwrap_or(TRADES);
    let spinner = output.spinner("populating the state tree, signing, executing");
    let params = params(args.accounts_log2, args.active, 1, Mix::TRADES);
    let batch = every_family(trades, args.seed, &params)?;
    spinner.set_message("proving the batch");
    let (bundle, base) = prove_bundle(vec![batch], &registry, &pins, &|_| {})?;
    spinner.finish_and_clear();
    print_base(&base, &registry, output)?;
    let (proof, report) = aggregate(&bundle, &pins, None, args.keys.as_deref(), output)?;
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
        "name": "aggregate",
        "machine": machine(),
        "trades": trades,
        "proofs": base.proofs,
        "base": base.total,
        "figures": report.figures(),
        "report": report,
        "verify": verify,
        "proof_bytes": report.bytes,
    }));
    Ok(())
}

fn print_base(base: &Report, registry: &Registry, output: &Output) -> Result<()> {
    for proof in &base.proofs {
        let how = match registry.keyed().find(|c| c.id().to_string() == proof.circuit) {
            Some(circuit) => {
                let params = circuit.key()?.params;
                format!("blow-up {}, {} queries", 1 << params.log_blowup, params.num_queries)
            }
            // the one kind of proof that no circuit of the registry makes
            None => "risc0".to_owned(),
        };
        let (circuit, ops) = (&proof.circuit, thousands(proof.ops.into()));
        output.line(format!("{circuit:24} {ops:>6} operations, {how}, {}", bytes(proof.bytes)));
    }
    output.line(format!(
        "proven in {} ({} CPU)",
        seconds(base.total.wall_seconds),
        seconds(base.total.cpu_seconds)
    ));
    Ok(())
}
