//! The tables of the circuit: columns and constraints.

mod interest;
mod takeover;

pub use interest::Interest;
pub use takeover::{Takeover, TakeoverAir};
