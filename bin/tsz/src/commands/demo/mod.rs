//! `tsz demo`: two batches from signed operation to verified proof, then attempts to cheat.

mod cheat;
mod program;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::json;
use tsz_aggregator::{Bundle, Expectation, check};
use tsz_engine::measure::Cost;
use tsz_engine::prove::prove_bundle;
use tsz_engine::runs::ExternalProver;
use tsz_engine::{
    AggregateReport, ExecutedBatch, Executor, Hex, Pins, Registry, Report, executed, prove_run,
};
use tsz_ext::ExtOp;
use tsz_scenario::Mix;
use tsz_stark::Profile;
use tsz_stf::{Code, FundOp};
use tsz_trade::{Op, OpReceipt};
use tsz_tree::NodeKeys;

use crate::cli::DemoArgs;
use crate::commands;
use crate::measure::{machine, timed};
use crate::output::{Output, bytes, seconds, thousands};
use crate::runs::{params, registry_for};

/// Batches of the demo.
const BATCHES: u32 = 2;
/// Kinds of operations: fund operations, and spot trades of two signed orders.
const MIX: Mix = Mix { spot: 6, ..Mix::ALL };
/// The population by default, over which the run of the program has a committed proof: log2 of the accounts, and how
/// many sign.
const POPULATION: (u32, u32) = (16, 1000);

/// Proves two batches and tries to cheat.
pub fn run(args: &DemoArgs, output: &Output) -> Result<()> {
    let pins = Pins::built_in().context("the pins compiled into this program")?;
    let registry = registry_for(&args.runs)?;
    let mut stages = Vec::new();
    let spinner = output.spinner("populating the state tree, signing, executing");
    let params = params(args.accounts_log2, args.active, BATCHES, MIX);
    let with_program = has_run_proof(args);
    let (run, cost) = timed(|| program::workload(args.ops, args.seed, params, with_program));
    spinner.finish_and_clear();
    if !with_program {
        output.line("no fills of a grid: their run has a committed proof over the default population only, and there is");
        output.line("no tsz-run-prover here (scripts/build-run-prover.sh builds it)");
    }
    let run = run?;
    stages.push(("populate, sign, execute".to_owned(), cost));
    output.line(format!("{} accounts, {} of which sign", params.accounts, params.active));
    let executor = Executor::new(run.system.digest(), run.state.snapshot());
    let (first_root, last_root) = (run.genesis.root(), executor.tree().root());
    let batches = executed(run)?;
    let counts = happened(&batches, output);
    let forged = cheat::forge(&executor, &batches)?;

    let (bundle, report) = prove(args, batches, &registry, &pins, output)?;
    let bundle_bytes = bundle.to_bytes();
    let expected =
        Expectation { first_root: Some(first_root), last_root: Some(last_root), ..Expectation::default() };
    let (headers, verify) = timed(|| check(&bundle_bytes, &registry.verifiers(&pins), Some(&expected)));
    let headers = headers.context("the honest batches are refused")?;
    stages.extend(report.by_stage());
    stages.push(("verify".to_owned(), verify));
    for header in &headers {
        let number = header.context.batch;
        output.line(format!("batch {number}: root {} -> {}", Hex(header.s0), Hex(header.sn)));
    }
    let bits = security(&report);
    figures(&report, &stages, bits, output);

    let aggregation = if args.no_aggregate { None } else { Some(aggregate(&bundle, &pins, output)?) };

    output.line("\nCheating:");
    let spinner = output.spinner("cheating");
    let tampered = cheat::tampered_proof(&bundle, &registry, &pins)?;
    output.line(format!("  one bit of a proof flipped:  refused: {tampered}"));
    let wrong = cheat::wrong_root(&bundle, &registry, &pins)?;
    output.line(format!("  another root claimed:        refused: {wrong}"));
    let time = headers.last().map_or(0, |h| h.context.time) + 1000;
    let forgery = cheat::forged_transfer(&forged, &executor, time, &registry, &pins)?;
    spinner.finish_and_clear();
    output.line(format!("  a transfer its payer did not sign: the ledger refuses: {}", forgery.ledger));
    output.line(format!("  the same, past the ledger:   {}", forgery.proof));
    output.object(&json!({
        "ok": true,
        "machine": machine(),
        "first_root": Hex(first_root),
        "last_root": Hex(last_root),
        "operations": counts,
        "ops_per_second": report.ops_per_second(),
        "proof_bytes": report.proof_bytes(),
        "bundle_bytes": bundle_bytes.len(),
        "peak_rss_bytes": report.peak_rss_bytes,
        "proven_bits": bits.0,
        "conjectured_bits": bits.1,
        "verify": verify,
        "stages": stages,
        "proofs": report.proofs,
        "aggregation": aggregation,
        "refused": {
            "tampered_proof": tampered,
            "wrong_root": wrong,
            "forged_transfer_by_ledger": forgery.ledger,
            "forged_transfer_by_proof": forgery.proof,
        },
    }));
    Ok(())
}

/// Whether the run of the demo's program can be proven: by an executable, or because its proof is committed.
fn has_run_proof(args: &DemoArgs) -> bool {
    let given = args.runs.run_prover.is_some() || ExternalProver::find().is_some();
    given || (args.accounts_log2, args.active) == POPULATION
}

/// Makes one proof of the batches and verifies it.
fn aggregate(bundle: &Bundle, pins: &Pins, output: &Output) -> Result<AggregateReport> {
    output.line("\nAggregating:");
    let (proof, report) = commands::aggregate::aggregate(bundle, pins, None, None, output)?;
    commands::aggregate::print_report(&report, output);
    let keys = NodeKeys::new(Profile::Node)?;
    let (verified, verify) = timed(|| proof.verify(&keys, &pins.root()));
    let claim = verified.context("the aggregation proof is refused")?;
    output.line(format!(
        "one proof of {} for {} batches, verified in {}",
        bytes(report.bytes as u64),
        claim.count,
        seconds(verify.wall_seconds)
    ));
    Ok(report)
}

type Stages = Vec<(String, Cost)>;

/// Counts what the operations did, by kind and outcome.
fn happened(batches: &[ExecutedBatch], output: &Output) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for batch in batches {
        let mut own: BTreeMap<String, u64> = BTreeMap::new();
        for record in &batch.records {
            let outcome = match record.receipt {
                OpReceipt::Fund(receipt) if receipt.code != Code::Ok => {
                    format!(" (no-op: {:?})", receipt.code)
                }
                _ => String::new(),
            };
            *own.entry(format!("{}{outcome}", kind(&record.op))).or_default() += 1;
        }
        let text: Vec<String> = own.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
        let number = batch.header.context.batch;
        output.line(format!("batch {number}: {}", text.join(", ")));
        own.into_iter().for_each(|(kind, n)| *counts.entry(kind).or_default() += n);
    }
    counts
}

fn kind(op: &Op) -> &'static str {
    let op = match op {
        Op::Fund(op) => op,
        Op::Trade(_) => return "trade",
        Op::Auth(_) => return "login",
        Op::Ext(ExtOp::Extension(_)) => return "operation of a program",
        Op::Ext(_) => return "approval of a program",
    };
    match op {
        FundOp::BeginBatch(_) => "BeginBatch",
        FundOp::Deposit(_) => "Deposit",
        FundOp::Transfer(_) => "Transfer",
        FundOp::Withdraw(_) => "Withdraw",
        FundOp::RegisterKey(_) => "RegisterKey",
        FundOp::RevokeKey(_) => "RevokeKey",
        FundOp::FullExit(_) => "FullExit",
        FundOp::L1RegisterKey(_) => "L1RegisterKey",
        FundOp::L1RevokeKey(_) => "L1RevokeKey",
    }
}

/// Proves the batches, into `--out` if it is given.
fn prove(
    args: &DemoArgs,
    batches: Vec<ExecutedBatch>,
    registry: &Registry,
    pins: &Pins,
    output: &Output,
) -> Result<(Bundle, Report)> {
    let bar = output.proving(batches.iter().map(|b| b.records.len() as u64).sum());
    let proven = match &args.out {
        None => prove_bundle(batches, registry, pins, &|event| bar.show(event))?,
        Some(dir) => {
            let (_, report) = prove_run(batches, registry, pins, &|event| bar.show(event), dir)?;
            let path = dir.join(tsz_engine::folder::BUNDLE);
            let file = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            (Bundle::from_bytes(&file)?, report)
        }
    };
    bar.finish();
    Ok(proven)
}

/// Least proven and conjectured bits of the proofs.
fn security(report: &Report) -> (f64, f64) {
    let least = |bits: fn(&tsz_engine::report::ProofReport) -> f64| {
        report.proofs.iter().map(bits).fold(f64::INFINITY, f64::min)
    };
    (least(|p| p.proven_bits), least(|p| p.conjectured_bits))
}

fn figures(report: &Report, stages: &Stages, bits: (f64, f64), output: &Output) {
    output.line("\nProofs:");
    for proof in &report.proofs {
        let (batch, circuit, ops) = (proof.batch, &proof.circuit, proof.ops);
        output.line(format!("  batch {batch}: {circuit:18} {ops:>6} operations {:>10}", bytes(proof.bytes)));
    }
    output.line("\nTimes:");
    for (stage, cost) in stages {
        let (wall, cpu) = (seconds(cost.wall_seconds), seconds(cost.cpu_seconds));
        output.line(format!("  {stage:24} {wall:>8} wall {cpu:>8} CPU"));
    }
    output.line(format!(
        "\n{} operations proven, {:.0} per second; peak memory {}; at least {:.1} proven bits ({:.1} conjectured)",
        thousands(report.ops),
        report.ops_per_second(),
        bytes(report.peak_rss_bytes),
        bits.0,
        bits.1,
    ));
}
