//! What an extension program is written with (docs/src/extensions.md).
//!
//! A program is a function over an [`Op`]: it reads the cells of the declared read set, checks its rule, and sets the
//! new values of the declared writes. The same function runs natively in tests and in the ledger, and in the zkVM,
//! where [`run`] wraps it: it takes operations from the host, trusts nothing of them, and commits to all that the
//! program saw and did in one digest, the journal. Whether the values are those of the state, whether the writes are
//! allowed and whether money is conserved is judged outside, from the same journal.
//!
//! Words are field elements in canonical form (below [`P`]); every word from the host is checked.
#![no_std]
#![forbid(unsafe_code)]

mod cells;
mod event;
mod fault;
mod journal;
mod key;
mod margin;
pub mod merkle;
mod op;
pub mod pattern;
#[cfg(feature = "poseidon2")]
pub mod poseidon2;
mod run;
pub mod spot;

#[cfg(test)]
mod tests;

pub use cells::{Market, Policy, STORAGE_FELTS};
pub use event::{EVENT_FELTS, EVENTS_TAG, Event, Events, MAX_EVENTS, run_digest};
pub use fault::Fault;
pub use journal::{Layout, MAX_ACCESSES, MAX_PARTIES, RATE, RUN_TAG, TERMS_TAG, WORDS, digest};
pub use key::{Key, cell};
pub use margin::{Collateral, Leg, Trade};
pub use op::{Op, Party};
pub use run::{Input, MAX_ARGS, Memory, replay, run};

/// The base field's order, 15 * 2^27 + 1.
pub const P: u32 = 0x7800_0001;
/// Felts of a cell, a digest and a capacity.
pub const CELL: usize = 8;
/// Value of a cell or a digest, as canonical felts.
pub type Leaf = [u32; CELL];
/// The empty cell.
pub const ZERO: Leaf = [0; CELL];
/// Absorbs blocks of 16 felts into a capacity of 8: Poseidon2 of width 24 as risc0 has it, in overwrite mode. An
/// instruction in the zkVM, software elsewhere.
pub type Absorb = fn(&mut Leaf, &[u32]);
/// A program: sets the writes of an operation, or refuses it.
pub type Program = fn(&mut Op<'_>) -> Result<(), Fault>;
/// Millionths of a unit: what balances count.
pub const MICROS: u128 = 1_000_000;
