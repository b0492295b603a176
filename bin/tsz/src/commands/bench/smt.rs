//! `tsz bench smt`: batched updates of the state tree, native and proven.

use anyhow::{Context, Result};
use tsz_engine::measure::Stopwatch;
use tsz_engine::registry::proving_key;
use tsz_ledger::{Access, BatchContext, Family, Key};
use tsz_smt::Tree;
use tsz_smt::bench::{Mix, populate, random_updates};
use tsz_stark::Profile;
use tsz_transition::{Class, Witness};

use crate::cli::BenchArgs;
use crate::commands::bench::Report;
use crate::measure::timed;
use crate::output::Output;

/// Native batches measured; the median counts.
const ROUNDS: usize = 9;
/// Leaves that one operation of the proven batch writes: as many as a transfer touches.
const WRITES: usize = 4;

/// Measures updates of random leaves.
pub fn run(args: &BenchArgs, output: &Output) -> Result<Report> {
    let leaves = args.ops.unwrap_or(4096) as usize;
    let accounts = 1u64 << args.accounts_log2;
    let spinner = output.spinner("updating the tree");
    let native = tsz_smt::bench::run(accounts, 1, leaves, ROUNDS)?;
    let tree = populate(accounts, 1, args.seed)?;
    let ops = operations(&tree, accounts, leaves, args.seed);
    let context = BatchContext { system: tsz_hash::ZERO, batch: 1, time: 1, params: tsz_hash::ZERO };

    let class = *Class::fitting(&Witness::new(&context, &ops, &tree)?.counts())
        .with_context(|| format!("no size class holds {leaves} leaves"))?;
    spinner.set_message(format!("keys of size class {}", class.name));
    let (key, setup) = timed(|| proving_key(class.circuit(Profile::Base)));
    let key = key?;

    spinner.set_message("proving");
    let watch = Stopwatch::start();
    let (witness, witness_cost) = timed(|| Witness::new(&context, &ops, &tree));
    let (proof, prove_cost) = timed(|| witness?.prove(&key));
    let (claim, proof) = proof?;
    let mut report = Report::new("smt", leaves as u64, watch.cost());
    spinner.set_message("verifying");
    let (valid, verify) = timed(|| tsz_transition::verify(key.vk(), &claim, &proof));
    valid.context("an honest proof is refused")?;
    spinner.finish_and_clear();

    report.figure("size_class", class.name);
    report.figure("native_updates_per_second", native.updates_per_second);
    report.figure("native_update_seconds", native.update.as_secs_f64());
    report.figure("native_update_with_snapshot_seconds", native.update_with_snapshot.as_secs_f64());
    report.figure("native_multiproof_seconds", native.multiproof.as_secs_f64());
    report.figure("inner_nodes", native.rows);
    report.figure("verify_seconds", verify.wall_seconds);
    report.stage("setup", setup);
    report.stage("witness", witness_cost);
    report.stage("prove", prove_cost);
    report.stage("verify", verify);
    report.proof("transition", key.vk(), &proof);
    Ok(report)
}

/// Operations that write `leaves` distinct random leaves of the tree.
fn operations(tree: &Tree, accounts: u64, leaves: usize, seed: u64) -> Vec<(tsz_hash::Digest, Vec<Access>)> {
    let updates = random_updates(accounts, leaves, &mut Mix(seed + 1));
    let write = |(key, new): &(u64, tsz_hash::Digest)| {
        Key::new(*key).map(|at| Access::write(at, tree.get(*key), *new))
    };
    let algorithm = Family::Fund.algorithm();
    updates.chunks(WRITES).map(|chunk| (algorithm, chunk.iter().filter_map(write).collect())).collect()
}
