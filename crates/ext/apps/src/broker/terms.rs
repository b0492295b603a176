//! What the parties sign.

use tsz_ext_sdk::{Fault, spot};

use crate::order::number;

/// Words of a venue.
pub const VENUE_WORDS: usize = 6;
/// Words of a house's terms after the venue.
pub const HOUSE_WORDS: usize = 7;
/// Words of a mandate after the venue.
pub const MANDATE_WORDS: usize = 7;

/// Where clients of one broker meet: everything that all of them must mean alike.
///
/// Words: `[base + 2^8 quote + 2^16 market, lot_base (24, 16), tick_quote, account of the house, its sub-account + 2^5 *
/// slot]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Venue {
    /// Base token.
    pub base: u32,
    /// Quote token.
    pub quote: u32,
    /// Perpetual market whose index prices the base, in the same ticks.
    pub market: u32,
    /// Units of lots and ticks.
    pub units: spot::Units,
    /// Account of the house.
    pub house: u32,
    /// Its sub-account.
    pub house_sub: u32,
    /// Slot of its approval.
    pub house_slot: u32,
}

impl Venue {
    /// Reads a venue.
    ///
    /// # Errors
    /// [`Fault::Terms`] or [`Fault::Width`].
    pub fn parse(words: &[u32; VENUE_WORDS]) -> Result<Self, Fault> {
        let [tokens, lot_lo, lot_hi, tick_quote, house, place] = *words;
        let (base, quote, market) = (tokens & 0xff, tokens >> 8 & 0xff, tokens >> 16);
        if base > 127 || quote > 127 || base == quote || market > 255 || place >= 32 * 7 {
            return Err(Fault::Terms);
        }
        let units = spot::Units { lot_base: number(lot_lo, lot_hi)?, tick_quote };
        Ok(Self { base, quote, market, units, house, house_sub: place & 31, house_slot: place >> 5 })
    }
}

/// What the house takes, as rates of the quote amount (1e-6), and how much it lets one venue do in a day.
///
/// Words: `[taker fee, maker fee, maker rebate, exchange's part, introducer's part, lots a day (24, 24)]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct House {
    /// Who takes pays this.
    pub taker_fee: u32,
    /// Who made pays this.
    pub maker_fee: u32,
    /// Who made gets this from the house.
    pub rebate: u32,
    /// The exchange gets this of each side's trade from the house.
    pub exchange: u32,
    /// Who introduced a client gets this of the client's trade from the house.
    pub introducer: u32,
    /// Lots a day.
    pub daily: u64,
}

impl House {
    /// Reads the terms.
    ///
    /// # Errors
    /// [`Fault::Terms`] or [`Fault::Width`].
    pub fn parse(words: &[u32; HOUSE_WORDS]) -> Result<Self, Fault> {
        let [taker_fee, maker_fee, rebate, exchange, introducer, lo, hi] = *words;
        if [taker_fee, maker_fee, rebate, exchange, introducer].iter().any(|rate| *rate >= spot::RATE_END) {
            return Err(Fault::Terms);
        }
        Ok(Self { taker_fee, maker_fee, rebate, exchange, introducer, daily: number(lo, hi)? })
    }
}

/// What a client lets the house do, whatever it orders.
///
/// Words: `[band + 2^14 * age, lots a trade (24, 24), lots a day (24, 24), introducer's account, its sub-account]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mandate {
    /// Greatest distance of a price from the index, in 1e-4 of the index, at most 10^4.
    pub band: u32,
    /// Greatest age of the index in s, below 2^16.
    pub age: u32,
    /// Lots of one trade.
    pub trade: u64,
    /// Lots a day.
    pub daily: u64,
    /// Account and sub-account of who introduced the client; account 0 is nobody.
    pub introducer: (u32, u32),
}

impl Mandate {
    /// Reads a mandate.
    ///
    /// # Errors
    /// [`Fault::Terms`] or [`Fault::Width`].
    pub fn parse(words: &[u32; MANDATE_WORDS]) -> Result<Self, Fault> {
        let [guard, trade_lo, trade_hi, day_lo, day_hi, account, sub] = *words;
        let (band, age) = (guard & 0x3fff, guard >> 14);
        if band > 10_000 || age >> 16 != 0 {
            return Err(Fault::Terms);
        }
        let (trade, daily) = (number(trade_lo, trade_hi)?, number(day_lo, day_hi)?);
        Ok(Self { band, age, trade, daily, introducer: (account, sub) })
    }

    /// Whether a price is within the band around the index.
    pub fn accepts(&self, price: u32, index: u32) -> bool {
        u64::from(price.abs_diff(index)) * 10_000 <= u64::from(index) * u64::from(self.band)
    }
}
