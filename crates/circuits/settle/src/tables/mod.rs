//! The tables of the family: columns and constraints.

mod absorb;
mod cash;
mod fund;
mod half;
mod pair;
mod seize;

pub use absorb::{Absorb, AbsorbAir, Debtor};
pub use cash::Cash;
pub use fund::Fund;
pub use half::Half;
pub use pair::{Closed, Pair, PairAir, Worth};
pub use seize::{Quote, Seize, SeizeAir};
