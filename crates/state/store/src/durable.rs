//! The store of a node, on redb.

use crate::encode::{
    DIGEST_BYTES, digest_from_bytes, digest_to_bytes, tip_from_bytes, tip_to_bytes, undo_from_bytes,
    undo_to_bytes,
};
use crate::error::database;
use crate::snapshot::{partial, publish, read_snapshot};
use crate::state::{Prepared, State, Undo};
use crate::{Digest, Error, Store, Tip, Tree};
use redb::{Builder, Database, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition};
use std::collections::VecDeque;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use tsz_hash::ZERO;

/// Key of a leaf to its 8 felts; empty leaves are absent.
const LEAVES: TableDefinition<'_, u64, &[u8; DIGEST_BYTES]> = TableDefinition::new("leaves");
/// Batch number to the undo record of that batch.
const UNDO: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("undo");
/// Format version and tip.
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
const VERSION_KEY: &str = "tsz-store";
const TIP_KEY: &str = "tip";
const VERSION: u32 = 1;
/// Leaves put into the tree at once while opening.
const CHUNK: usize = 1 << 16;

/// How a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Roots at which leaves can be proven, counting the last one; at least 1.
    pub retain: usize,
    /// Bytes of redb's page cache.
    pub cache_bytes: usize,
    /// Verify redb's checksum of every page while opening, not only after a crash. The root of the leaves is
    /// verified in any case.
    pub verify_pages: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { retain: 64, cache_bytes: 64 << 20, verify_pages: true }
    }
}

/// A store in one file. At most one process has it open.
#[derive(Debug)]
pub struct DurableStore {
    state: State,
    database: Database,
}

impl DurableStore {
    /// Makes a store at batch 0 with these leaves. The file appears complete or not at all.
    ///
    /// # Errors
    /// [`Error::Exists`], keys out of range or named twice, or a failed write.
    pub fn create(path: &Path, genesis: &[(u64, Digest)], options: Options) -> Result<Self, Error> {
        Self::create_at(path, Tree::from_leaves(genesis)?, 0, options)
    }

    /// Makes a store from a snapshot file; its only retained root is the snapshot's.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::Snapshot`], or a failed write.
    pub fn import(path: &Path, snapshot: &Path, options: Options) -> Result<Self, Error> {
        let snapshot = read_snapshot(snapshot)?;
        Self::create_at(path, snapshot.tree, snapshot.batch, options)
    }

    fn create_at(path: &Path, tree: Tree, batch: u64, options: Options) -> Result<Self, Error> {
        if path.try_exists()? {
            return Err(Error::Exists(path.to_owned()));
        }
        let partial = partial(path);
        match fs::remove_file(&partial) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let database = builder(options).create(&partial).map_err(self::database)?;
        let state = State::new(tree, batch, VecDeque::new(), options.retain);
        let write = database.begin_write().map_err(self::database)?;
        {
            let mut leaves = write.open_table(LEAVES).map_err(self::database)?;
            for (key, value) in state.tree.leaves() {
                leaves.insert(key, &digest_to_bytes(&value)).map_err(self::database)?;
            }
            write.open_table(UNDO).map_err(self::database)?;
            let mut meta = write.open_table(META).map_err(self::database)?;
            meta.insert(VERSION_KEY, VERSION.to_le_bytes().as_slice()).map_err(self::database)?;
            meta.insert(TIP_KEY, tip_to_bytes(&state.tip()).as_slice()).map_err(self::database)?;
        }
        write.commit().map_err(self::database)?;
        publish(&partial, path)?;
        Ok(Self { state, database })
    }

    /// Opens a store and verifies that its leaves have the root that was committed with them.
    ///
    /// # Errors
    /// [`Error::InUse`], [`Error::NotAStore`], [`Error::Version`], [`Error::RootMismatch`], [`Error::Corrupt`], or
    /// a failed read.
    pub fn open(path: &Path, options: Options) -> Result<Self, Error> {
        unpanicked(|| Self::load(path, options))
    }

    fn load(path: &Path, options: Options) -> Result<Self, Error> {
        let database = builder(options).open(path).map_err(self::database)?;
        let read = database.begin_read().map_err(self::database)?;
        let tip = load_tip(&read)?;
        let tree = load_tree(&read)?;
        let computed = tree.root();
        if computed != tip.root {
            return Err(Error::RootMismatch { batch: tip.batch, stored: tip.root, computed });
        }
        let undo = load_undo(&read, tip.batch)?;
        Ok(Self { state: State::new(tree, tip.batch, undo, options.retain), database })
    }

    fn write(&self, batch: u64, next: &Prepared) -> Result<(), redb::Error> {
        let write = self.database.begin_write()?;
        {
            let mut leaves = write.open_table(LEAVES)?;
            for (key, value) in &next.new {
                if *value == ZERO {
                    leaves.remove(key)?;
                } else {
                    leaves.insert(key, &digest_to_bytes(value))?;
                }
            }
            let mut undo = write.open_table(UNDO)?;
            undo.insert(batch, undo_to_bytes(&next.undo).as_slice())?;
            undo.retain_in(..self.state.first_undo(batch), |_, _| false)?;
            let tip = Tip { batch, root: next.tree.root() };
            write.open_table(META)?.insert(TIP_KEY, tip_to_bytes(&tip).as_slice())?;
        }
        Ok(write.commit()?)
    }
}

impl Store for DurableStore {
    fn tip(&self) -> Tip {
        self.state.tip()
    }

    fn tree(&self) -> &Tree {
        &self.state.tree
    }

    fn commit(&mut self, batch: u64, updates: &[(u64, Digest)]) -> Result<Tip, Error> {
        let next = self.state.prepare(batch, updates)?;
        unpanicked(|| self.write(batch, &next).map_err(database))?;
        Ok(self.state.take(next))
    }

    fn retained(&self) -> Vec<Tip> {
        self.state.retained()
    }

    fn tree_at(&self, root: &Digest) -> Result<Tree, Error> {
        self.state.tree_at(root)
    }
}

/// redb answers most damage to its file with an error and some with a panic.
fn unpanicked<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Error::Corrupt("the database cannot be read".into())))
}

fn builder(options: Options) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(options.cache_bytes).set_check_integrity_on_open(options.verify_pages);
    builder
}

fn load_tip(read: &ReadTransaction) -> Result<Tip, Error> {
    let meta = read.open_table(META).map_err(database)?;
    let version = meta.get(VERSION_KEY).map_err(database)?;
    let version = version.and_then(|bytes| Some(u32::from_le_bytes(bytes.value().try_into().ok()?)));
    match version {
        Some(VERSION) => {}
        Some(got) => return Err(Error::Version { expected: VERSION, got }),
        None => return Err(Error::NotAStore("no format version".into())),
    }
    let tip = meta.get(TIP_KEY).map_err(database)?;
    tip.and_then(|bytes| tip_from_bytes(bytes.value())).ok_or_else(|| Error::Corrupt("no valid tip".into()))
}

fn load_tree(read: &ReadTransaction) -> Result<Tree, Error> {
    let leaves = read.open_table(LEAVES).map_err(database)?;
    let mut tree = Tree::new();
    let mut chunk = Vec::new();
    for leaf in leaves.iter().map_err(database)? {
        let (key, value) = leaf.map_err(database)?;
        let (key, value) = (key.value(), digest_from_bytes(value.value()).filter(|value| *value != ZERO));
        let value = value.ok_or_else(|| Error::Corrupt(format!("leaf {key:#x} is not canonical")))?;
        chunk.push((key, value));
        if chunk.len() == CHUNK {
            tree.update(&chunk).map_err(|error| Error::Corrupt(error.to_string()))?;
            chunk.clear();
        }
    }
    tree.update(&chunk).map_err(|error| Error::Corrupt(error.to_string()))?;
    Ok(tree)
}

/// Undo records of consecutive batches that end with the tip's.
fn load_undo(read: &ReadTransaction, tip: u64) -> Result<VecDeque<Undo>, Error> {
    let table = read.open_table(UNDO).map_err(database)?;
    let mut records = VecDeque::new();
    let mut expected = tip;
    for record in table.iter().map_err(database)?.rev() {
        let (batch, bytes) = record.map_err(database)?;
        let batch = batch.value();
        if batch != expected || batch == 0 {
            return Err(Error::Corrupt(format!("undo record of batch {batch} where {expected} is expected")));
        }
        let undo = undo_from_bytes(bytes.value());
        records.push_front(undo.ok_or_else(|| Error::Corrupt(format!("undo record of batch {batch}")))?);
        expected -= 1;
    }
    Ok(records)
}
