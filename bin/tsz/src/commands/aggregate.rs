//! `tsz aggregate`, `tsz verify FILE`, `tsz explain`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tsz_aggregator::Bundle;
use tsz_engine::folder::{read_bundle, read_file};
use tsz_engine::{AggregateReport, Aggregator, Hex, Pins, registry};
use tsz_hash::Digest;
use tsz_stark::{MAX_PROOF_BYTES, Profile};
use tsz_tree::{AggregationProof, Batches, NodeKeys};

use crate::cli::{AggregateArgs, ExplainArgs, VerifyArgs};
use crate::measure::timed;
use crate::output::{Output, bytes, seconds, thousands};

/// Aggregates the batches of folders.
pub fn run(args: &AggregateArgs, output: &Output) -> Result<()> {
    let pins = Pins::built_in().context("the pins compiled into this program")?;
    let mut bundle = Bundle::default();
    for dir in &args.dirs {
        let part = read_bundle(dir).with_context(|| dir.display().to_string())?;
        bundle.batches.extend(part.batches);
    }
    let work = args.work.clone().unwrap_or_else(|| {
        let mut name = args.out.clone().into_os_string();
        name.push(".nodes");
        PathBuf::from(name)
    });
    let (proof, report) = aggregate(&bundle, &pins, Some(&work), args.keys.as_deref(), output)?;
    std::fs::write(&args.out, proof.to_bytes())
        .with_context(|| format!("cannot write {}", args.out.display()))?;
    print_report(&report, output);
    let claim = proof.claim()?;
    print_claim(claim, output);
    print_run_security(&pins, output);
    output.line(format!("{} in {}", bytes(report.bytes as u64), args.out.display()));
    output.object(&json!({ "ok": true, "out": args.out, "claim": json_claim(claim), "report": report }));
    Ok(())
}

/// Aggregates a bundle, with a spinner.
pub fn aggregate(
    bundle: &Bundle,
    pins: &Pins,
    work: Option<&Path>,
    keys: Option<&Path>,
    output: &Output,
) -> Result<(AggregationProof, AggregateReport)> {
    let registry = registry();
    let spinner = output.spinner("aggregating");
    let progress = |name: &str| spinner.set_message(format!("aggregating: {name}"));
    let mut aggregator = Aggregator::new(&registry, pins, work, progress)?;
    if let Some(dir) = keys {
        aggregator = aggregator.with_keys(dir)?;
    }
    let aggregated = aggregator.aggregate(bundle);
    spinner.finish_and_clear();
    Ok(aggregated?)
}

/// Says what the nodes cost.
pub fn print_report(report: &AggregateReport, output: &Output) {
    for node in &report.nodes {
        if node.reused {
            output.line(format!("{:24} reused", node.name));
            continue;
        }
        output.line(format!(
            "{:24} {:>9} permutations {:>11} cells, program {} CPU, proof {} CPU ({} wall), {}",
            node.name,
            thousands(node.permutations as u64),
            thousands(node.cells),
            seconds(node.program.cpu_seconds),
            seconds(node.prove.cpu_seconds),
            seconds(node.prove.wall_seconds),
            bytes(node.bytes as u64)
        ));
    }
    output.line(format!(
        "{} nodes in {} ({} CPU), peak memory {}",
        report.nodes.len(),
        seconds(report.total.wall_seconds),
        seconds(report.total.cpu_seconds),
        bytes(report.peak_rss_bytes)
    ));
}

fn read(path: &Path) -> Result<AggregationProof> {
    let bytes = read_file(path, 2 * MAX_PROOF_BYTES as u64)?;
    AggregationProof::from_bytes(&bytes).with_context(|| path.display().to_string())
}

/// Verifies an aggregation proof.
pub fn verify(args: &VerifyArgs, output: &Output) -> Result<()> {
    let pins = Pins::built_in().context("the pins compiled into this program")?;
    let proof = read(&args.dir)?;
    let keys = NodeKeys::new(Profile::Node)?;
    let (claim, cost) = timed(|| proof.verify(&keys, &pins.root()));
    let claim = claim.with_context(|| format!("{} is refused", args.dir.display()))?;
    for (option, expected, got) in
        [("--from-root", &args.from_root, claim.s0), ("--to-root", &args.to_root, claim.sn)]
    {
        let Some(text) = expected else { continue };
        let expected: Hex = text.parse().with_context(|| option.to_owned())?;
        if expected.0 != got {
            bail!("{} is refused: {option} is {expected}, proven is {}", args.dir.display(), Hex(got));
        }
    }
    print_claim(&claim, output);
    print_run_security(&pins, output);
    output.line(format!("verified in {}", seconds(cost.wall_seconds)));
    output.object(&json!({
        "ok": true,
        "claim": json_claim(&claim),
        "vk_root": Hex(pins.root()),
        "runs": pins.run_security(),
        "verify": cost,
    }));
    Ok(())
}

/// Explains an aggregation proof.
pub fn explain(args: &ExplainArgs, output: &Output) -> Result<()> {
    let proof = read(&args.file)?;
    let claim = *proof.claim()?;
    let node = &proof.node;
    let keys = NodeKeys::new(Profile::Node)?;
    let vk = keys.key(node.log.into(), &node.program)?;
    let pins = Pins::built_in().context("the pins compiled into this program")?;
    let pin = pins.nodes().iter().find(|p| p.digest.0 == *vk.digest());
    let name = pin.map_or("not pinned", |p| &p.name);
    let bits = tsz_stark::security::security(&vk);
    print_claim(&claim, output);
    output.line(format!("vk root {}, that of this program: {}", Hex(node.root), node.root == pins.root()));
    output.line(format!("made by {name}, vk {}", Hex(*vk.digest())));
    for table in vk.tables() {
        output.line(format!(
            "  {:10} 2^{:<2} rows, {:>3} main, {:>2} preprocessed, {:>2} LogUp columns, degree {}",
            table.name,
            table.log_height,
            table.width,
            table.preprocessed_width,
            table.aux_width,
            table.degree
        ));
    }
    output.line(format!(
        "{:.1} bits proven, {:.1} conjectured; proof of {}",
        bits.proven_bits,
        bits.conjectured_bits,
        bytes(node.proof.len() as u64)
    ));
    print_run_security(&pins, output);
    output.line("nothing is verified: `tsz verify` does that");
    output.object(&json!({
        "ok": true,
        "claim": json_claim(&claim),
        "vk_root": Hex(node.root),
        "key": name,
        "vk": Hex(*vk.digest()),
        "proven_bits": bits.proven_bits,
        "conjectured_bits": bits.conjectured_bits,
        "runs": pins.run_security(),
        "proof_bytes": node.proof.len(),
    }));
    Ok(())
}

/// What the proof is worth where the vk tree admits programs.
fn print_run_security(pins: &Pins, output: &Output) {
    if let Some(security) = pins.run_security() {
        output.line(security.to_string());
    }
}

fn print_claim(claim: &Batches, output: &Output) {
    output.line(format!(
        "batches {} to {} ({}), times {} to {}",
        claim.first, claim.last, claim.count, claim.first_time, claim.last_time
    ));
    output.line(format!("root {} -> {}", Hex(claim.s0), Hex(claim.sn)));
    output.line(format!("system {}, headers {}", Hex(claim.system), Hex(claim.headers)));
}

fn json_claim(claim: &Batches) -> Value {
    let hex = |digest: Digest| Hex(digest);
    json!({
        "batches": claim.count,
        "first": claim.first,
        "last": claim.last,
        "first_time": claim.first_time,
        "last_time": claim.last_time,
        "system": hex(claim.system),
        "headers": hex(claim.headers),
        "first_root": hex(claim.s0),
        "last_root": hex(claim.sn),
    })
}
