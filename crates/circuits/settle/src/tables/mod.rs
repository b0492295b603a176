//! The tables of the family: columns and constraints.

mod absorb;
mod cash;
mod half;
mod pair;

pub use absorb::{Absorb, AbsorbAir};
pub use cash::Cash;
pub use half::Half;
pub use pair::{Closed, Pair, PairAir, Worth};
