//! Exact number types of the state machine (DOMAIN section 1): widths, checked arithmetic, limbs, encodings.
//!
//! Every type is a newtype whose constructor checks its range, so a value of the type is in range everywhere.
//! Arithmetic never wraps: it returns a [`NumberError`] with the operands. A type converts to and from limbs of
//! 24 bits (the felts of a cell); only the canonical limbs are accepted back. Amounts are decimal strings in JSON
//! so that no reader rounds them, ids and times are JSON numbers.
#![no_std]
extern crate alloc;

mod address;
mod error;
mod felts;
mod forms;
#[macro_use]
mod int;
mod amounts;
mod bucket;
mod ids;

pub use address::EthAddress;
pub use amounts::{
    Balance, Collateral, Fraction, FundingIndex, Lots, MICROS, Notional, Price, QuoteMultiplier, Rate, Units,
};
pub use bucket::Bucket;
pub use error::NumberError;
pub use felts::{join_limbs, split_limbs};
pub use ids::{
    AccountId, BatchNumber, KeySlot, KillEpoch, L1Serial, MarketId, Nonce, ProviderSlot, Slot, SpotMarketId,
    SubId, TimeMs, TokenId,
};

#[cfg(test)]
mod tests;
