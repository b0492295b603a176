//! Errors of the codec.

use thiserror::Error;
use tsz_codec::CodecError;
use tsz_hash::Digest;
use tsz_ledger::{CellError, Key};

/// Why bytes are not the published data of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DataError {
    /// They do not begin as such.
    #[error("not published data")]
    Magic,
    /// Another version of the format.
    #[error("data format {got}, this software reads {expected}")]
    Version {
        /// The version this software reads and writes.
        expected: u8,
        /// The version found.
        got: u8,
    },
    /// They end early, go on after the end, or hold a value that is out of range or a second representation.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// A key that is not in the published realm.
    #[error("leaf {index}: key {key:#x} is not in the published realm")]
    Key {
        /// Position among the leaves.
        index: usize,
        /// The key; `u64::MAX` where it exceeds 64 bits.
        key: u64,
    },
    /// A leaf that follows from header and records, and has no place among the leaves.
    #[error("leaf {index}: the batch head and the withdrawal chain are not published as leaves")]
    Derived {
        /// Position among the leaves.
        index: usize,
    },
}

/// Why a batch has no published data: it is not one that the ledger made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WriteError {
    /// A leaf that is no cell of its kind.
    #[error("key {key:#x}: the leaf is no cell of its kind")]
    Leaf {
        /// Its key.
        key: u64,
    },
    /// The batch head is not a cell.
    #[error("batch head: {0}")]
    Head(#[from] CellError),
    /// Batch number or time of the head is not that of the context.
    #[error("the batch head says batch {batch} at {time}")]
    Context {
        /// Batch number in the head.
        batch: u64,
        /// Batch time in the head.
        time: u64,
    },
    /// The withdrawal records do not take the old OUT chain to the new one.
    #[error("the withdrawal records lead to OUT chain {computed:?}, the state has {state:?}")]
    Withdrawals {
        /// Where the records lead.
        computed: Digest,
        /// What the OUT cell holds.
        state: Digest,
    },
    /// A withdrawal record with an operation code above 255.
    #[error("operation code {0} of a withdrawal record")]
    Code(u32),
    /// A key given out of order or in the private realm.
    #[error("key {:#x} is out of order, private or derived", .0.raw())]
    Order(Key),
}
