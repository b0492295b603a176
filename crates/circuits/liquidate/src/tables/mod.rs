//! The tables of the circuit: columns and constraints.

mod close;
mod close_cells;
mod forced;
mod interest;
mod party;
mod queue;
mod takeover;

pub use close::{Close, CloseAir};
pub use forced::{Forced, ForcedAir, Served};
pub use interest::Interest;
pub use party::Party;
pub use queue::Queue;
pub use takeover::{Takeover, TakeoverAir};
