//! Published data: what whoever wants to exit needs, and nothing else (docs/src/data.md).
//!
//! [`Data`] is the published part of a batch: its header, the realm-0 leaves that changed (final value once, by
//! increasing key), the withdrawal records and the root of the private realm. [`Data::to_bytes`] and
//! [`Data::from_bytes`] are inverse to each other: one difference has one encoding, and any other bytes are an
//! error. [`data_hash`] binds the bytes on L1. The genesis is published as the difference from the empty tree.
//!
//! [`Realm`] rebuilds realm 0 from published bytes alone. It recomputes the state root after every batch, so data
//! that is not the difference between the two proven states is refused, and it proves leaves for an exit.
#![no_std]
extern crate alloc;

mod data;
mod error;
mod layout;
mod value;
mod varint;

#[cfg(feature = "tree")]
mod exit;
#[cfg(feature = "tree")]
mod realm;

pub use data::{Data, MAGIC, Roots, VERSION, data_hash};
pub use error::{DataError, WriteError};
#[cfg(feature = "tree")]
pub use exit::{ExitError, ExitLeaf, ExitProof};
#[cfg(feature = "tree")]
pub use realm::{ApplyError, Realm, batch_data, genesis_data};
