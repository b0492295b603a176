//! Columns and constraints.

mod band;
mod cap;
mod charge;
mod collateral;
mod held;
mod judge;
mod market;
mod minimal;
mod moves;
mod position;
mod price;
mod quote;
mod ratio;
mod rest;
mod rules;
mod settle;
mod standing;
mod sums;
mod target;
mod token;
mod worth;

pub use band::{Band, Side as BandSide, band};
pub use cap::{Cap, cap};
pub use charge::{Charge, charge, surplus};
pub use collateral::{Collateral, CollateralAir, PLACES, lookup_place, lookup_tokens, number, weight};
pub use held::{Held, Tier, at_least};
pub use judge::{Claim, Judge, JudgeAir, claim};
pub use market::{BEYOND, Listed, Market, MarketAir, UNLISTED, lookup_listed, lookup_listed_if};
pub use minimal::{Minimal, MinimalAir, Need, lookup as lookup_minimal};
pub use moves::{MASK_WEIGHT, MAX_POSITIONS, Move, moves, moves_beyond};
pub use position::{Position, PositionAir, Totals};
pub use price::{Age, Price, PriceAir, PriceRow, lookup as lookup_price};
pub use quote::{GAIN_SHIFT, Quote, QuoteAir, QuoteRow, lookup as lookup_quote};
pub use ratio::{Ratio, RatioAir};
pub use rules::{Rules, RulesAir};
pub use settle::{Settle, SettleAir, Settlement, lookup as lookup_settlement};
pub use standing::{Standing, Subject, standing};
pub use sums::{Shift, Value, WideCarry, WideSum, carried, wide_sum};
pub use target::{Figures, Ill, Target, TargetAir, is_ill, is_ill_without_market};
pub use token::{MBAL, Token, TokenAir};
pub use worth::{Worth, WorthAir, WorthRow, lookup as lookup_worth, lookup_whole as lookup_whole_worth};

/// Kind of the MKP cells, as `hi` of their keys.
pub const MKP_HI: u32 = 1 << 24 | 3 << 18;
/// Kind of the MKF cells.
pub const MKF_HI: u32 = 1 << 24 | 4 << 18;
/// Kind of the MKO cells.
pub const MKO_HI: u32 = 1 << 24 | 6 << 18;
/// Stands for no market where a market is named: no list is that long.
pub const NO_MARKET: u32 = 1 << 8;
