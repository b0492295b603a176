//! The fund circuit.
mod circuit;
pub mod gadgets;
mod layout;
mod op;
mod row;
pub mod tables;
#[cfg(test)]
mod tests;
pub mod trace;

pub use circuit::{Class, Counts, FundAir, Witness, WitnessError, counts, public_values, witness};
pub use op::{FundRecord, OP_TABLES};
