//! Damaged files are errors, never panics and never a wrong state.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests, as tests themselves may

mod common;

use common::batch;
use redb::{Database, ReadableTable, TableDefinition};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tsz_smt::bench::Mix;
use tsz_store::{DurableStore, Error, MemoryStore, Options, SnapshotError, Store, Tip, read_snapshot};

const LEAVES: TableDefinition<'_, u64, &[u8; 32]> = TableDefinition::new("leaves");
const UNDO: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("undo");
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

fn sample() -> (TempDir, PathBuf, Tip) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let mut store = DurableStore::create(&path, &batch(1, 200), Options::default()).unwrap();
    for number in 1..=3 {
        store.commit(number, &batch(number + 1, 40)).unwrap();
    }
    let tip = store.tip();
    (dir, path, tip)
}

fn open(path: &Path) -> Result<DurableStore, Error> {
    DurableStore::open(path, Options::default())
}

/// Changes the tables behind the store's back.
fn tamper(path: &Path, change: impl FnOnce(&redb::WriteTransaction)) -> Result<DurableStore, Error> {
    let database = Database::open(path).unwrap();
    let write = database.begin_write().unwrap();
    change(&write);
    write.commit().unwrap();
    drop(database);
    open(path)
}

#[test]
fn changed_missing_or_added_leaf_is_a_root_mismatch() {
    let (_dir, path, tip) = sample();
    let key = open(&path).unwrap().tree().leaves().next().unwrap().0;
    let mut removed = [0; 32];
    let got = tamper(&path, |write| {
        removed = *write.open_table(LEAVES).unwrap().remove(key).unwrap().unwrap().value();
    });
    assert!(matches!(got, Err(Error::RootMismatch { batch: 3, stored, .. }) if stored == tip.root));
    let mut changed = removed;
    changed[0] ^= 1;
    let got = tamper(&path, |write| drop(write.open_table(LEAVES).unwrap().insert(key, &changed).unwrap()));
    assert!(matches!(got, Err(Error::RootMismatch { .. })));
    let got = tamper(&path, |write| {
        let mut leaves = write.open_table(LEAVES).unwrap();
        leaves.insert(key, &removed).unwrap();
        leaves.insert(1 << 39, &removed).unwrap();
    });
    assert!(matches!(got, Err(Error::RootMismatch { .. })));
    let got = tamper(&path, |write| drop(write.open_table(LEAVES).unwrap().remove(1 << 39).unwrap()));
    assert_eq!(got.unwrap().tip(), tip);
}

#[test]
fn non_canonical_leaf_is_corrupt() {
    for (key, value) in [(5, [0xff; 32]), (5, [0; 32]), (1 << 40, [1; 32])] {
        let (_dir, path, _) = sample();
        let got = tamper(&path, |write| drop(write.open_table(LEAVES).unwrap().insert(key, &value).unwrap()));
        assert!(matches!(got, Err(Error::Corrupt(_))), "{got:?}");
    }
}

#[test]
fn wrong_metadata_is_refused() {
    let (_dir, path, tip) = sample();
    let meta = |key: &'static str, bytes: Vec<u8>| {
        tamper(&path, |write| drop(write.open_table(META).unwrap().insert(key, bytes.as_slice()).unwrap()))
    };
    let version = meta("tsz-store", vec![9, 0, 0, 0]);
    assert!(matches!(version, Err(Error::Version { expected: 1, got: 9 })));
    assert!(matches!(meta("tsz-store", vec![9, 0]), Err(Error::NotAStore(_))));
    assert!(meta("tsz-store", vec![1, 0, 0, 0]).is_ok());
    assert!(matches!(meta("tip", vec![0; 39]), Err(Error::Corrupt(_))));
    assert!(matches!(meta("tip", vec![0; 40]), Err(Error::RootMismatch { .. })));
    let root = tip.root.iter().flat_map(|felt| tsz_hash::PrimeField32::as_canonical_u32(felt).to_le_bytes());
    let with_batch = |batch: u64| batch.to_le_bytes().into_iter().chain(root.clone()).collect::<Vec<u8>>();
    assert!(
        matches!(meta("tip", with_batch(7)), Err(Error::Corrupt(_))),
        "batch number beside its undo record"
    );
    assert_eq!(meta("tip", with_batch(3)).unwrap().tip(), tip);
}

#[test]
fn damaged_undo_record_is_corrupt() {
    let (_dir, path, tip) = sample();
    let old = open(&path).unwrap().retained()[1].root;
    let got = tamper(&path, |write| {
        let mut undo = write.open_table(UNDO).unwrap();
        let mut record = undo.get(3).unwrap().unwrap().value().to_vec();
        let last = record.len() - 4;
        record[last] ^= 1;
        undo.insert(3, record.as_slice()).unwrap();
    });
    let store = got.unwrap();
    assert_eq!(store.tip(), tip);
    assert!(matches!(store.tree_at(&old), Err(Error::Corrupt(_))));
    drop(store);
    let got =
        tamper(&path, |write| drop(write.open_table(UNDO).unwrap().insert(3, [1; 33].as_slice()).unwrap()));
    assert!(matches!(got, Err(Error::Corrupt(_))));
    let got = tamper(&path, |write| drop(write.open_table(UNDO).unwrap().remove(3).unwrap()));
    assert!(matches!(got, Err(Error::Corrupt(_))));
}

#[test]
fn foreign_database_and_foreign_file_are_not_stores() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("other");
    drop(Database::create(&path).unwrap());
    assert!(matches!(open(&path), Err(Error::NotAStore(_))));
    fs::write(&path, b"some text that is no database").unwrap();
    assert!(open(&path).is_err());
}

#[test]
fn flipped_bits_and_truncations_never_yield_another_state() {
    let (dir, path, tip) = sample();
    let good = fs::read(&path).unwrap();
    let bad_path = dir.path().join("bad");
    let mut mix = Mix(11);
    // most of the file is unused pages: damage bytes that are in use
    let used: Vec<usize> = (0..good.len()).filter(|at| good[*at] != 0).collect();
    for round in 0..80 {
        let mut bad = good.clone();
        if round % 8 == 7 {
            bad.truncate(mix.next() as usize % good.len());
        } else {
            bad[used[mix.next() as usize % used.len()]] ^= 1 << (mix.next() % 8);
        }
        fs::write(&bad_path, &bad).unwrap();
        if let Ok(store) = open(&bad_path) {
            assert_eq!(store.tip(), tip, "round {round}");
        }
    }
}

#[test]
fn damaged_snapshot_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("snapshot");
    let store = MemoryStore::new(&batch(1, 30), 1).unwrap();
    store.export(&path).unwrap();
    assert_eq!(read_snapshot(&path).unwrap().tree.root(), store.tip().root);
    let good = fs::read(&path).unwrap();
    let read = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        match read_snapshot(&path) {
            Err(Error::Snapshot(error)) => error,
            other => panic!("expected a refusal, got {other:?}"),
        }
    };
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        read(&bad);
    }
    for len in (0..good.len()).step_by(7) {
        assert_eq!(read(&good[..len]), SnapshotError::Truncated);
    }
    assert_eq!(read(&[&good[..], &[0]].concat()), SnapshotError::TrailingBytes);
    let mut bad = good.clone();
    bad[12] ^= 1;
    assert_eq!(read(&bad), SnapshotError::Checksum, "batch number");
    bad[0] ^= 1;
    assert_eq!(read(&bad), SnapshotError::Magic);
}
