//! `tsz bench segment`: seals of runs verified natively, by the size of their segments.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use tsz_engine::measure::Cost;
use tsz_engine::runs::{CommittedRuns, RunProof};
use tsz_segment::verify;

use crate::cli::BenchArgs;
use crate::commands::bench::Report;
use crate::measure::timed;
use crate::output::Output;

/// The proofs of a folder, by name of their files.
fn kept(folder: &Path) -> Result<Vec<RunProof>> {
    let read = |path: &Path| -> Result<RunProof> {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(RunProof::from_bytes(&bytes, &path.display().to_string())?)
    };
    let folder = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = folder.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|end| end == "run"));
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

/// Verifies the seals of each size so many times in turn.
pub fn run(args: &BenchArgs, output: &Output) -> Result<Report> {
    let rounds = args.ops.unwrap_or(64);
    let kept = args.kept.as_deref().map(kept).transpose()?.unwrap_or_default();
    let mut sizes: BTreeMap<u32, Vec<Vec<u32>>> = BTreeMap::new();
    for segment in CommittedRuns::default().proofs().chain(kept).flat_map(|proof| proof.segments) {
        ensure!(!segment.seal.is_empty(), "a run that was only measured has no seal");
        sizes.entry(segment.po2).or_default().push(segment.seal);
    }
    let spinner = output.spinner("verifying");
    let mut costs = Vec::new();
    for (po2, seals) in &sizes {
        let (done, cost) = timed(|| -> Result<()> {
            for seal in seals.iter().cycle().take(rounds as usize) {
                let claim = verify(seal).with_context(|| format!("a seal of 2^{po2} is refused"))?;
                ensure!(claim.po2 == *po2, "a seal of 2^{} is listed as one of 2^{po2}", claim.po2);
            }
            Ok(())
        });
        done?;
        costs.push(cost);
    }
    spinner.finish_and_clear();

    let sum = |seconds: fn(&Cost) -> f64| costs.iter().map(seconds).sum();
    let all = Cost { wall_seconds: sum(|c| c.wall_seconds), cpu_seconds: sum(|c| c.cpu_seconds) };
    let count = u64::from(rounds) * sizes.len() as u64;
    let mut report = Report::new("segment", count, all);
    let first = |seals: &[Vec<u32>]| seals.first().map_or(0, |seal| 4 * seal.len() as u64);
    report.proof_bytes = sizes.values().flatten().map(|seal| 4 * seal.len() as u64).sum();
    for ((po2, seals), cost) in sizes.iter().zip(&costs) {
        report.figure(&format!("seal_bytes_{po2}"), first(seals));
        let each = |seconds: f64| seconds / f64::from(rounds);
        let (wall_seconds, cpu_seconds) = (each(cost.wall_seconds), each(cost.cpu_seconds));
        report.stage(&format!("a seal of 2^{po2}"), Cost { wall_seconds, cpu_seconds });
    }
    Ok(report)
}
