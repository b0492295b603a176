//! Kill -9 at any moment: the store reopens at a committed batch with the right root.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests, as tests themselves may

mod common;

use common::batch;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::env;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tsz_smt::Tree;
use tsz_store::{Digest, DurableStore, Options, Store};

const FILE: &str = "TSZ_STORE_KILL_TEST_FILE";
const KILLS: usize = 20;
const UPDATES: usize = 60;

fn options() -> Options {
    Options { retain: 5, ..Options::default() }
}

fn genesis() -> Vec<(u64, Digest)> {
    batch(0, 300)
}

/// The child: opens or creates the store, then commits batches and acknowledges each on standard error.
#[test]
#[ignore = "started by survives_kill_at_any_point"]
fn commits_until_killed() {
    let Ok(file) = env::var(FILE) else { return };
    let path = Path::new(&file);
    let mut store = match path.exists() {
        true => DurableStore::open(path, options()).unwrap(),
        false => DurableStore::create(path, &genesis(), options()).unwrap(),
    };
    loop {
        let number = store.tip().batch + 1;
        store.commit(number, &batch(number, UPDATES)).unwrap();
        eprintln!("committed {number}");
    }
}

/// Runs the child for a while; returns the last batch that it acknowledged.
fn run_and_kill(path: &Path, life: Duration) -> Option<u64> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "commits_until_killed", "--ignored", "--nocapture"])
        .env(FILE, path)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(life);
    child.kill().unwrap(); // SIGKILL
    let status = child.wait().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(status.code().is_none(), "the child ended by itself: {said}");
    said.split("committed ").skip(1).filter_map(|rest| rest.lines().next()?.parse().ok()).last()
}

#[test]
fn survives_kill_at_any_point() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let mut rng = StdRng::seed_from_u64(12);
    let mut model = Tree::from_leaves(&genesis()).unwrap();
    let mut roots = vec![model.root()];
    let mut acknowledged = None;
    for kill in 0..KILLS {
        let life = Duration::from_micros(rng.random_range(1_000..120_000));
        acknowledged = run_and_kill(&path, life).or(acknowledged);
        if !path.exists() {
            assert_eq!(acknowledged, None, "kill {kill}");
            continue;
        }
        // opening compares the stored root with that of the leaves; the model says which root is right
        let store = DurableStore::open(&path, options()).unwrap();
        let tip = store.tip();
        let least = acknowledged.unwrap_or(0);
        assert!(tip.batch >= least && tip.batch <= least + 1, "kill {kill}: {} after {least}", tip.batch);
        while roots.len() as u64 <= tip.batch {
            model.update(&batch(roots.len() as u64, UPDATES)).unwrap();
            roots.push(model.root());
        }
        assert_eq!(tip.root, roots[tip.batch as usize], "kill {kill}");
        for old in store.retained() {
            assert_eq!(old.root, roots[old.batch as usize]);
            assert_eq!(store.tree_at(&old.root).unwrap().root(), old.root);
        }
        acknowledged = Some(tip.batch);
    }
    assert!(acknowledged > Some(10), "the child hardly ran: {acknowledged:?}");
}
