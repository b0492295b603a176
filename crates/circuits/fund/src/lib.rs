//! The fund circuit.
pub mod gadgets;
mod layout;
mod row;
pub mod tables;
