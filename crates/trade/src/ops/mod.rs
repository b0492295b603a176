//! One module for each operation: its fields, its message or record, its rule and its accesses.

mod adl;
mod cancel;
mod force_liquidate;
mod forced_close;
mod funding;
mod insurance;
mod liquidate;
mod margin;
mod oracle;
mod perp;
mod premium;
mod rank;
mod set_params;
mod set_token;
mod settle;
mod spot;
mod takeover;
mod target;

pub use adl::Adl;
pub use cancel::{CancelAll, CancelOrder};
pub use force_liquidate::ForceLiquidate;
pub use forced_close::{ForcedClose, ForcedFill};
pub use funding::{FundingSettle, FundingTick};
pub use insurance::{AbsorbDebt, SeizeToken};
pub use liquidate::Liquidate;
pub use margin::{Direction, MarginExit, MarginTransfer};
pub use oracle::{OracleUpdate, PriceReport};
pub use perp::PerpTrade;
pub use premium::{PremiumReport, PremiumSample};
pub use rank::AdlRank;
pub use set_params::SetParams;
pub use set_token::SetToken;
pub use settle::{SettleMarket, SettlePair};
pub use spot::SpotTrade;
pub use takeover::Takeover;
