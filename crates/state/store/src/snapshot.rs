//! A state in one file: `magic 8 | version u32 | batch u64 | root 32 | count u64 | (key u64 | value 32)* | SHA-256`,
//! little-endian, keys ascending, the hash over all bytes before it.

use crate::encode::{
    DIGEST_BYTES, LEAF_BYTES, digest_from_bytes, digest_to_bytes, leaf_from_bytes, leaf_to_bytes,
};
use crate::{Error, SnapshotError, Tree};
use sha2::{Digest as _, Sha256};
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::Path;
use tsz_hash::ZERO;

const MAGIC: &[u8; 8] = b"TSZSTATE";
const VERSION: u32 = 1;
/// Leaves put into the tree at once.
const CHUNK: usize = 1 << 16;

/// A state read from a file and checked.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Batch number of the state.
    pub batch: u64,
    /// Its tree.
    pub tree: Tree,
}

/// Path beside `path` under which a file is written before it takes its name.
pub(crate) fn partial(path: &Path) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

/// Gives a written file its name, durably.
pub(crate) fn publish(partial: &Path, path: &Path) -> Result<(), Error> {
    fs::rename(partial, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()?;
    Ok(())
}

pub(crate) fn write(tree: &Tree, batch: u64, path: &Path) -> Result<(), Error> {
    let partial = partial(path);
    let mut out = Hashed { inner: BufWriter::new(File::create(&partial)?), hash: Sha256::new() };
    out.put(MAGIC)?;
    out.put(&VERSION.to_le_bytes())?;
    out.put(&batch.to_le_bytes())?;
    out.put(&digest_to_bytes(&tree.root()))?;
    out.put(&(tree.leaves().count() as u64).to_le_bytes())?;
    for (key, value) in tree.leaves() {
        out.put(&leaf_to_bytes(key, &value))?;
    }
    let Hashed { mut inner, hash } = out;
    inner.write_all(&hash.finalize())?;
    inner.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    publish(&partial, path)
}

/// Reads and checks a snapshot file.
///
/// # Errors
/// [`Error::Snapshot`] for anything but the canonical bytes of a state, [`Error::Io`] if it cannot be read.
pub fn read_snapshot(path: &Path) -> Result<Snapshot, Error> {
    let mut input = Hashed { inner: BufReader::new(File::open(path)?), hash: Sha256::new() };
    if input.get::<8>()? != *MAGIC {
        return Err(SnapshotError::Magic.into());
    }
    let got = u32::from_le_bytes(input.get()?);
    if got != VERSION {
        return Err(SnapshotError::Version { expected: VERSION, got }.into());
    }
    let batch = u64::from_le_bytes(input.get()?);
    let root: [u8; DIGEST_BYTES] = input.get()?;
    let count = u64::from_le_bytes(input.get()?);
    let tree = read_leaves(&mut input, count)?;
    let Hashed { mut inner, hash } = input;
    let mut checksum = [0; 32];
    inner.read_exact(&mut checksum).map_err(truncated)?;
    if checksum[..] != hash.finalize()[..] {
        return Err(SnapshotError::Checksum.into());
    }
    if inner.read(&mut [0])? != 0 {
        return Err(SnapshotError::TrailingBytes.into());
    }
    let (stored, computed) = (digest_from_bytes(&root).unwrap_or(ZERO), tree.root());
    if stored != computed {
        return Err(SnapshotError::Root { stored, computed }.into());
    }
    Ok(Snapshot { batch, tree })
}

fn read_leaves(input: &mut Hashed<impl Read>, count: u64) -> Result<Tree, Error> {
    let mut tree = Tree::new();
    let mut chunk = Vec::new();
    let mut next = 0;
    for index in 0..count {
        let leaf = leaf_from_bytes(&input.get::<LEAF_BYTES>()?);
        let leaf = leaf.filter(|(key, value)| *key >= next && *key < tsz_smt::CAPACITY && *value != ZERO);
        let leaf = leaf.ok_or(SnapshotError::Leaf { index })?;
        next = leaf.0 + 1;
        chunk.push(leaf);
        if chunk.len() == CHUNK {
            tree.update(&chunk)?;
            chunk.clear();
        }
    }
    tree.update(&chunk)?;
    Ok(tree)
}

/// A file whose bytes are hashed as they pass.
struct Hashed<T> {
    inner: T,
    hash: Sha256,
}

impl<T: Write> Hashed<T> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.hash.update(bytes);
        Ok(self.inner.write_all(bytes)?)
    }
}

impl<T: Read> Hashed<T> {
    fn get<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.inner.read_exact(&mut bytes).map_err(truncated)?;
        self.hash.update(bytes);
        Ok(bytes)
    }
}

fn truncated(error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::UnexpectedEof => SnapshotError::Truncated.into(),
        _ => Error::Io(error),
    }
}
