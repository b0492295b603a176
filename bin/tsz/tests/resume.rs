//! An aggregation that is killed and started again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longest wait for a node, which takes seconds where nothing else runs.
const PATIENCE: Duration = Duration::from_secs(300);

/// A process that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tsz"));
    command.args(args);
    command
}

/// Runs a command that must succeed and print JSON.
fn json(args: &[&str]) -> Value {
    let Output { status, stdout, stderr } = command(args).output().expect("tsz runs");
    assert!(status.success(), "tsz {args:?}: {}", String::from_utf8_lossy(&stderr));
    serde_json::from_slice(&stdout).expect("JSON")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8 path")
}

/// The node files of a work folder, which may not be there yet.
fn nodes(work: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(work).into_iter().flatten().map(|entry| entry.expect("an entry").path());
    files.filter(|path| path.extension().is_some_and(|kind| kind == "node")).collect()
}

/// Starts a command and kills it (SIGKILL) as soon as so many nodes are finished.
fn kill_at(args: &[&str], work: &Path, finished: usize) {
    let child = command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let (mut running, start) = (Running(child.expect("tsz starts")), Instant::now());
    while nodes(work).len() < finished {
        assert!(start.elapsed() < PATIENCE, "no node {finished}");
        // The file system says when a node is there, and nothing else does.
        sleep(Duration::from_millis(5));
    }
    assert!(running.0.try_wait().expect("a child").is_none(), "it ended before it was killed");
    running.0.kill().expect("a child that runs");
    assert!(!running.0.wait().expect("a child").success());
}

/// How often a report names a node that was proven, and one that was there.
fn made_and_reused(report: &Value) -> (usize, usize) {
    let nodes = report["report"]["nodes"].as_array().expect("nodes");
    let reused = nodes.iter().filter(|node| node["reused"] == true).count();
    (nodes.len() - reused, reused)
}

/// A batch of one range: two lifts and their join. Under the pinned profiles, as a user runs it.
#[test]
fn a_killed_aggregation_goes_on_with_the_nodes_that_are_finished() {
    let dir = tempfile::tempdir().expect("a folder");
    let [scenario, proofs, out, work] =
        ["scenario.json", "proofs", "batch.agg", "batch.agg.nodes"].map(|name| dir.path().join(name));
    let workload = ["--ops", "4", "--seed", "7", "--accounts", "16", "--active", "4", "--batches", "1"];
    let generate = [&["scenario", "gen", "--out", text(&scenario)], &workload[..]].concat();
    assert!(command(&generate).output().expect("tsz runs").status.success());
    let proven = json(&["prove", text(&scenario), "--out", text(&proofs), "--json"]);

    let aggregate = ["aggregate", text(&proofs), "--out", text(&out), "--json"];
    kill_at(&aggregate, &work, 1);
    let first = nodes(&work);
    let written = |path: &PathBuf| fs::metadata(path).and_then(|file| file.modified()).expect("a time");
    let times: Vec<_> = first.iter().map(written).collect();
    kill_at(&aggregate, &work, 2);
    assert_eq!(first.iter().map(written).collect::<Vec<_>>(), times, "finished nodes are not written again");
    assert!(!out.exists() && nodes(&work).len() == 2, "the join is not made");

    // What a kill in the middle of writing would leave if files were not renamed, and what it does leave.
    let half = &first[0];
    let whole = fs::read(half).expect("a node");
    fs::write(half, &whole[..whole.len() / 2]).expect("a file");
    fs::write(half.with_extension("1.part"), &whole[..whole.len() / 3]).expect("a file");
    let resumed = json(&aggregate);
    assert_eq!(
        made_and_reused(&resumed),
        (2, 1),
        "the half of a node is proven again, the whole one is taken"
    );
    assert!(fs::metadata(half).expect("a node").len() > whole.len() as u64 / 2);
    let claim = json(&["verify", text(&out), "--json"])["claim"].clone();
    assert_eq!(claim, resumed["claim"]);
    assert_eq!((&claim["first_root"], &claim["last_root"]), (&proven["first_root"], &proven["last_root"]));

    let bytes = fs::read(&out).expect("the proof");
    fs::write(&out, &bytes[..bytes.len() / 2]).expect("a file");
    assert_eq!(made_and_reused(&json(&aggregate)), (0, 1), "all is there: only the root is looked at");
    assert!(fs::read(&out).expect("the proof") == bytes);
}
