//! Workloads of the demo and of the benchmarks, and who proves runs of extension programs.

use std::sync::Arc;

use anyhow::Result;
use tsz_engine::runs::{CommittedRuns, ExternalProver, RunProver, RunProvers};
use tsz_engine::{Registry, registry};
use tsz_scenario::{Mix, Params, Run, generate, run};

use crate::cli::RunArgs;

/// The circuits, with whoever proves runs: the given executable alone, or committed proofs and an executable that is
/// found.
pub fn registry_for(args: &RunArgs) -> Registry {
    let mut registry = registry();
    registry.set_run_prover(match &args.run_prover {
        Some(path) => Arc::new(ExternalProver::new(path)),
        None => {
            let mut provers: Vec<Arc<dyn RunProver>> = vec![Arc::new(CommittedRuns::default())];
            provers.extend(ExternalProver::find().map(|found| Arc::new(found) as Arc<dyn RunProver>));
            Arc::new(RunProvers(provers))
        }
    });
    registry
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
