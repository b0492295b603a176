//! The tables of the family: columns and constraints.

mod market;
mod order;
mod side;
mod slot;
mod terms;
mod trade;

pub use market::{Market, MarketAir, Spot};
pub use order::{Order, OrderAir};
pub use side::Side;
pub use slot::SlotMove;
pub use terms::Terms;
pub use trade::{Trade, TradeAir};
