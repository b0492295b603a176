//! Margin in a circuit: who holds what at which price, and whether a change of a sub-account is legal
//! (docs/src/domain.md section 6). Shared by the families whose ops touch positions.
//!
//! | table | one row is |
//! |---|---|
//! | [`tables::Market`] | a listed perpetual market, opened from the parameter hash |
//! | [`tables::Rules`] | a block of the oracle list: the largest age of a price |
//! | [`tables::Collateral`] | a collateral token of the list |
//! | [`tables::PriceRow`] | a pair of values of a market's MKP and MKF cells |
//! | [`tables::Settle`] | a funding settlement |
//! | [`tables::Position`] | a position in another market than the op's, read by a judgement |
//! | [`tables::WorthRow`] | a collateral token at a price |
//! | [`tables::Token`] | a margin token, read by a judgement |
//! | [`tables::Judge`] | a judgement of a sub-account |
//! | [`tables::Ratio`] | a comparison of ratios: only where TAV < IMR after |
//! | [`tables::Target`] | a sub-account against a margin requirement; only in circuits of liquidations |
//! | [`tables::QuoteRow`] | a zero quote (docs/src/domain.md section 7); likewise |
//! | [`tables::Minimal`] | a close that would leave TAV < IMR; likewise |
//!
//! An op sends [`tables::Claim`] on the bus `judge`; the tables `token` and `position` send the accesses of the judgement
//! to the tuple table at the places that the claim names. Sums over positions are kept digit by digit and carried once, in the
//! judgement. [`Book`] makes the rows. **Degree budget**: 3. Soundness: `SOUNDNESS.md` beside this crate.

mod book;
mod caps;
mod charges;
mod moved;
mod quotes;
mod rows;
pub mod tables;
mod targets;
#[cfg(test)]
mod tests;
mod tokens;

pub use book::{Book, COUNTS, Heights, TABLES, TooMany, requests};
pub use charges::minimal_requests;
pub use rows::{carry, number, shifts, signed};
pub use targets::target_requests;
