//! Workloads of the demo and of the benchmarks, and who proves runs of extension programs.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tsz_engine::runs::{CommittedRuns, ExternalProver, RUN_PROVER_LIMIT_VAR, RunProver, RunProvers};
use tsz_engine::{Registry, registry};
use tsz_scenario::{Mix, Params, Run, generate, run};

use crate::cli::RunArgs;

/// The executable of the arguments or the one that is found, with the limit of the arguments or of the environment.
pub fn external(args: &RunArgs) -> Result<Option<ExternalProver>> {
    let found = args.run_prover.as_ref().map(ExternalProver::new).or_else(ExternalProver::find);
    let limit = match (args.run_prover_limit, std::env::var(RUN_PROVER_LIMIT_VAR)) {
        (Some(seconds), _) => Some(seconds),
        (None, Ok(text)) => Some(text.parse().with_context(|| format!("{RUN_PROVER_LIMIT_VAR}={text}"))?),
        (None, Err(_)) => None,
    };
    Ok(found.map(|prover| match limit {
        Some(seconds) => prover.with_limit(Duration::from_secs(seconds)),
        None => prover,
    }))
}

/// The circuits, with whoever proves runs: the given executable alone, or committed proofs and an executable that is
/// found.
pub fn registry_for(args: &RunArgs) -> Result<Registry> {
    let mut registry = registry();
    let external = external(args)?.map(|prover| Arc::new(prover) as Arc<dyn RunProver>);
    let committed =
        args.run_prover.is_none().then(|| Arc::new(CommittedRuns::default()) as Arc<dyn RunProver>);
    registry.set_run_prover(Arc::new(RunProvers(committed.into_iter().chain(external).collect())));
    Ok(registry)
}

/// Generates and runs a workload of `batches` batches of `ops` operations each.
pub fn workload(ops: u32, seed: u64, params: Params) -> Result<Run> {
    let scenario = generate(ops * params.batches, seed, &params)?;
    Ok(run(&scenario)?)
}

/// Parameters of a population of `2^accounts_log2` accounts, `active` of which sign.
pub fn params(accounts_log2: u32, active: u32, batches: u32, mix: Mix) -> Params {
    let accounts = 1 << accounts_log2;
    Params { accounts, active: active.min(accounts), batches, mix }
}
