//! The tables of the family: columns and constraints.

mod interest;
mod leg;
mod side;
mod trade;

pub use interest::Interest;
pub use leg::Leg;
pub use side::Side;
pub use trade::{Trade, TradeAir};
