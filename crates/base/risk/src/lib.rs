//! The integer rules of trading: notional, settlement, margin, liquidation prices, funding and oracle medians.
//!
//! Pure functions over exact integers (docs/src/domain.md, sections 1 and 5 to 8): no state, no float, no panic.
//! The ledger applies them, the circuits prove them, guests and clients call them.
//!
//! Units, unless a name says otherwise:
//! - *notional*: quote units, `lots * ticks * qm`;
//! - *value* (collateral, TAV, margin requirements, fees): quote units * 10^6;
//! - *funding index*: 10^-6 tick.
#![no_std]

#[cfg(test)]
extern crate std;

pub mod adl;
pub mod funding;
pub mod health;
pub mod market;
pub mod oracle;
pub mod quote;
pub mod trade;

pub use health::{Account, CollateralToken, Health, Margin, Transition};
pub use market::{MAX_TIERS, Market, Position, Tier};

use thiserror::Error;

/// Scale of value over notional and of fee rates: 10^6.
pub const MICRO: i128 = 1_000_000;
/// Scale of margin fractions and haircuts: 10^4.
pub const FRACTION: i128 = 10_000;
/// Bound of a fill's notional and of a position's after it grew: 2^56.
pub const FILL_NOTIONAL_BITS: u32 = 56;
/// Bound of a risk row's notional: 2^72.
pub const RISK_NOTIONAL_BITS: u32 = 72;
/// Bound of a position's size: 2^48 lots.
pub const SIZE_BITS: u32 = 48;
/// Bound of one funding settlement: 2^94.
pub const SETTLE_BITS: u32 = 94;
/// Bound of TAV and of every margin requirement: 2^98.
pub const VALUE_BITS: u32 = 98;

/// A width that a result would break; the operation is rejected, never wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RiskError {
    /// A magnitude needs more bits than its type has.
    #[error("{what} = {value} does not fit {bits} bits")]
    Width {
        /// Name of the quantity.
        what: &'static str,
        /// Its value, saturated to i128.
        value: i128,
        /// Bits of its type.
        bits: u32,
    },
    /// A divisor that the rules exclude is zero.
    #[error("{0} is zero")]
    Zero(&'static str),
}

/// Result of a rule.
pub type Result<T> = core::result::Result<T, RiskError>;

/// `value`, if its magnitude is below `2^bits`.
pub(crate) fn fit(what: &'static str, value: i128, bits: u32) -> Result<i128> {
    if value.unsigned_abs() >> bits == 0 { Ok(value) } else { Err(RiskError::Width { what, value, bits }) }
}

/// Product with an overflow error in place of a wrap.
pub(crate) fn mul(what: &'static str, a: i128, b: i128) -> Result<i128> {
    a.checked_mul(b).ok_or(RiskError::Width { what, value: i128::MAX, bits: 127 })
}

/// Sum with an overflow error in place of a wrap.
pub(crate) fn add(what: &'static str, a: i128, b: i128) -> Result<i128> {
    a.checked_add(b).ok_or(RiskError::Width { what, value: i128::MAX, bits: 127 })
}
