//! The tables of the family: columns and constraints.

mod exit;
mod interest;
mod leg;
mod side;
mod trade;
mod transfer;

pub use exit::{Exit, ExitAir};
pub use interest::{Interest, interest};
pub use leg::{Fill, Leg};
pub use side::{Part, Side, side};
pub use trade::{Trade, TradeAir};
pub use transfer::{Pair, Transfer, TransferAir};
