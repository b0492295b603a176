//! Errors of the stores.

use std::path::PathBuf;
use tsz_smt::Digest;

/// Why a store cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The batch is not the next one.
    #[error("expected batch {expected}, got {got}")]
    WrongBatch {
        /// The next batch number.
        expected: u64,
        /// The number that was given.
        got: u64,
    },
    /// The keys of a batch are out of range or not distinct.
    #[error(transparent)]
    Tree(#[from] tsz_smt::Error),
    /// No retained state has this root.
    #[error("no retained state has root {root:?}")]
    NotRetained {
        /// The root that was asked for.
        root: Digest,
    },
    /// A store is to be created where a file exists.
    #[error("{} exists", .0.display())]
    Exists(PathBuf),
    /// Another process (or another handle of this one) has the store open.
    #[error("the store is in use")]
    InUse,
    /// The file is not a store of this software.
    #[error("not a store: {0}")]
    NotAStore(String),
    /// The store is of another format version.
    #[error("store format {got}, this software reads {expected}")]
    Version {
        /// The version this software reads and writes.
        expected: u32,
        /// The version of the file.
        got: u32,
    },
    /// The leaves do not have the root that was committed with them.
    #[error("leaves of batch {batch} have root {computed:?}, the store says {stored:?}")]
    RootMismatch {
        /// Batch number of the tip.
        batch: u64,
        /// Root in the metadata.
        stored: Digest,
        /// Root of the leaves.
        computed: Digest,
    },
    /// The file's content is damaged.
    #[error("corrupt store: {0}")]
    Corrupt(String),
    /// A snapshot file is refused.
    #[error("snapshot refused: {0}")]
    Snapshot(#[from] SnapshotError),
    /// The file system failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The database failed in another way.
    #[error(transparent)]
    Database(Box<redb::Error>),
}

/// Why a snapshot file is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// It does not begin as one.
    #[error("not a snapshot file")]
    Magic,
    /// It is of another format version.
    #[error("snapshot format {got}, this software reads {expected}")]
    Version {
        /// The version this software reads and writes.
        expected: u32,
        /// The version of the file.
        got: u32,
    },
    /// It ends early.
    #[error("truncated")]
    Truncated,
    /// It goes on after its end.
    #[error("bytes after the end")]
    TrailingBytes,
    /// The checksum is of other bytes.
    #[error("wrong checksum")]
    Checksum,
    /// A leaf is not canonical: keys not ascending or out of range, a felt not below p, an empty value.
    #[error("leaf {index} is not canonical")]
    Leaf {
        /// Position in the file.
        index: u64,
    },
    /// The leaves do not have the root of the header.
    #[error("leaves have root {computed:?}, the header says {stored:?}")]
    Root {
        /// Root in the header.
        stored: Digest,
        /// Root of the leaves.
        computed: Digest,
    },
}

/// Maps any error of redb; `From` for each of its types would be as long and say less.
pub(crate) fn database(error: impl Into<redb::Error>) -> Error {
    match error.into() {
        redb::Error::DatabaseAlreadyOpen => Error::InUse,
        redb::Error::Corrupted(what) => Error::Corrupt(what),
        redb::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            Error::NotAStore(error.to_string())
        }
        // a file cut short
        redb::Error::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Error::Corrupt(error.to_string())
        }
        redb::Error::Io(error) => Error::Io(error),
        error @ (redb::Error::TableDoesNotExist(_) | redb::Error::TableTypeMismatch { .. }) => {
            Error::NotAStore(error.to_string())
        }
        error => Error::Database(Box::new(error)),
    }
}
