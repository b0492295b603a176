//! The fund circuit.
pub mod gadgets;
mod layout;
pub mod op;
mod row;
pub mod tables;
pub mod trace;
