//! The tables of the family: columns and constraints.

mod market;
mod side;
mod trade;

pub use market::{Market, MarketAir, Spot};
pub use side::Side;
pub use trade::{Trade, TradeAir};
