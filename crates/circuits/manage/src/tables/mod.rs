//! The tables of the family: columns and constraints.

mod set_params;
mod set_token;
mod settle;
mod settle_market;
mod tick;

pub use set_params::{SetParams, SetParamsAir};
pub use set_token::{SetToken, SetTokenAir};
pub use settle::{Payment, Settle, SettleAir};
pub use settle_market::{Named, SettleMarket, SettleMarketAir};
pub use tick::{Gain, Idle, Rate, Tick, TickAir};

/// `hi` of the cells MKP.
pub const MKP_HI: u32 = 1 << 24 | 3 << 18;
/// `hi` of the cells MKF.
pub const MKF_HI: u32 = 1 << 24 | 4 << 18;
/// `hi` of the cells MKS.
pub const MKS_HI: u32 = 1 << 24 | 5 << 18;
/// `hi` of the cells MKO.
pub const MKO_HI: u32 = 1 << 24 | 6 << 18;
