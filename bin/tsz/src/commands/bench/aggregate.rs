//! `tsz bench aggregate`: a batch of every family that has a circuit becomes one aggregation proof.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tsz_engine::prove::prove_bundle;
use tsz_engine::{AggregateReport, ExecutedBatch, Pins, Registry, Report, executed, registry};
use tsz_scenario::{Mix, Params, Scenario, generate, run as execute};
use tsz_stark::Profile;
use tsz_tree::NodeKeys;

use crate::cli::BenchArgs;
use crate::commands::aggregate::{aggregate, print_report};
use crate::measure::{machine, timed};
use crate::output::{Output, bytes, seconds, thousands};
use crate::runs::params;

/// Trades of the batch by default, half of them spot and half perpetual.
const TRADES: u32 = 8192;
/// Perpetual markets of the generated workload.
const PERPS: u32 = 3;
/// Time of the measured batch: funding is due, the prices of the genesis are still good.
const TIME: u64 = 7_200_000;

/// Runs the workload.
pub fn run(args: &BenchArgs, output: &Output) -> Result<()> {
    let pins = Pins::built_in().context("the pins compiled into this program")?;
    let registry = registry();
    let trades = args.ops.unwrap_or(TRADES);
    let spinner = output.spinner("populating the state tree, signing, executing");
    let batch = batch(trades, args.seed, &params(args.accounts_log2, args.active, 1, Mix::TRADES))?;
    spinner.set_message("proving the batch");
    let (bundle, base) = prove_bundle(vec![batch], &registry, &pins, &|_| {})?;
    spinner.finish_and_clear();
    print_base(&base, &registry, output)?;
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
        "name": "aggregate",
        "machine": machine(),
        "trades": trades,
        "proofs": base.proofs,
        "base": base.total,
        "figures": figures(&report),
        "report": report,
        "verify": verify,
        "proof_bytes": report.bytes,
    }));
    Ok(())
}

/// Sums and maxima over lifts and joins.
fn figures(report: &AggregateReport) -> Value {
    let of = |lifts: bool| {
        let nodes = report.nodes.iter().filter(move |n| n.name.starts_with("lift-") == lifts);
        let cpu = nodes.clone().map(|n| n.prove.cpu_seconds);
        json!({
            "nodes": nodes.clone().count(),
            "cpu_seconds": cpu.clone().sum::<f64>(),
            "most_cpu_seconds": cpu.fold(0.0, f64::max),
            "program_cpu_seconds": nodes.clone().map(|n| n.program.cpu_seconds).sum::<f64>(),
            "wall_seconds": nodes.map(|n| n.prove.wall_seconds).sum::<f64>(),
        })
    };
    json!({
        "lifts": of(true),
        "joins": of(false),
        "wall_seconds": report.total.wall_seconds,
        "cpu_seconds": report.total.cpu_seconds,
        "peak_rss_bytes": report.peak_rss_bytes,
    })
}

fn print_base(base: &Report, registry: &Registry, output: &Output) -> Result<()> {
    for proof in &base.proofs {
        let circuit = registry.circuits().find(|c| c.id().to_string() == proof.circuit);
        let params = circuit.context("a proof of no circuit")?.key()?.params;
        output.line(format!(
            "{:24} {:>6} operations, blow-up {}, {} queries, {}",
            proof.circuit,
            thousands(proof.ops.into()),
            1 << params.log_blowup,
            params.num_queries,
            bytes(proof.bytes)
        ));
    }
    output.line(format!(
        "proven in {} ({} CPU)",
        seconds(base.total.wall_seconds),
        seconds(base.total.cpu_seconds)
    ));
    Ok(())
}

/// A batch of `trades` trades with operations of all other families, after one that prepares them.
fn batch(trades: u32, seed: u64, params: &Params) -> Result<ExecutedBatch> {
    let workload = generate(trades, seed, params)?;
    let mut scenario: Value = serde_json::from_str(&workload.to_json())?;
    let stride = (params.accounts / params.active) as u64;
    extend(&mut scenario, [2, 2 + stride]).context("the generated scenario")?;
    let batches = executed(execute(&Scenario::from_json(&scenario.to_string())?)?)?;
    let last = batches.into_iter().last().context("no batch")?;
    ensure!(last.records.len() > trades as usize, "a trade is refused");
    Ok(last)
}

/// Adds to a generated scenario: oracle signers, a market that settles, logins of two accounts that sign.
fn extend(scenario: &mut Value, [a, b]: [u64; 2]) -> Result<()> {
    let signers = ["oracle 1", "oracle 2", "oracle 3"];
    let keys = scenario["keys"].as_object_mut().context("keys")?;
    for name in signers.iter().chain(&["session"]) {
        keys.insert((*name).to_owned(), json!({ "seed": name }));
    }
    let passkey = json!({ "seed": "face", "rp_id": "example.com", "origin": "https://app.example.com" });
    keys.insert("face".to_owned(), json!({ "passkey": passkey }));
    keys.insert("purse".to_owned(), json!({ "wallet": { "seed": "purse" } }));
    let genesis = &mut scenario["genesis"];
    genesis["params"]["oracle"]["signers"] = json!(signers);
    genesis["params"]["oracle"]["quorum"] = json!(2);
    let perps = genesis["params"]["perps"].as_array_mut().context("markets")?;
    perps.push(json!({ "name": "OLD" }));
    let prices = genesis["prices"].as_array_mut().context("prices")?;
    prices.push(json!({ "market": "OLD", "price": 1000 }));

    let batches = scenario["batches"].as_array_mut().context("batches")?;
    let trades = batches.pop().context("a batch")?;
    let trades = trades["operations"].as_array().context("operations")?.clone();
    let login = |account: u64, key: &str, scheme: &str| json!({ "op": "register_key", "account": account, "slot": 1, "new_key": key, "scheme": scheme, "expect": "ok" });
    let side = |account: u64, side: &str| json!({ "account": account, "side": side });
    let settling = json!({ "perps": [{ "name": "OLD", "status": "settling" }] });
    let before = json!([
        login(a, "face", "p256"),
        login(b, "purse", "secp256k1"),
        { "op": "perp_trade", "market": "OLD", "price": 1000, "lots": 5, "taker": side(a, "buy"), "maker": side(b, "sell"), "expect": "ok" },
        { "op": "set_params", "params": settling, "expect": "ok" },
    ]);
    let mut operations = vec![json!({ "op": "funding_ticks", "expect": "ok" })];
    let update =
        |k| json!({ "op": "oracle_update", "market": format!("P{k}"), "price": 1000, "expect": "ok" });
    operations.extend((0..PERPS).map(update));
    operations.extend([
        json!({ "op": "deposit", "account": a, "token": 0, "units": "1000", "owner": owner(a), "expect": "ok" }),
        json!({ "op": "register_key_by_passkey", "account": a, "slot": 2, "new_key": "session", "key": "face", "key_slot": 1, "expect": "ok" }),
        json!({ "op": "register_key_by_wallet", "account": b, "slot": 2, "new_key": "session", "key": "purse", "key_slot": 1, "expect": "ok" }),
        json!({ "op": "settle_market", "market": "OLD", "price": 1000, "expect": "ok" }),
        json!({ "op": "settle_positions", "market": "OLD", "expect": "ok" }),
    ]);
    operations.extend(trades);
    batches.push(json!({ "time": 1_000, "operations": before }));
    batches.push(json!({ "time": TIME, "operations": operations }));
    Ok(())
}

/// L1 owner of an account of the generated population.
fn owner(account: u64) -> String {
    format!("0xaa{account:038x}")
}
