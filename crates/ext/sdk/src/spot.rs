//! Order and fee arithmetic of spot trades: DOMAIN section 5, the same as the ledger's.

use crate::{Fault, MICROS};

/// Bits of an amount of either token in a fill.
const AMOUNT_BITS: u32 = 60;
/// Bits of a fill's lots.
const LOT_BITS: u32 = 48;
/// Fee rates are below this (1e-6).
pub const RATE_END: u32 = 1 << 19;

/// Units of a spot market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Units {
    /// Base units of a lot, below 2^40.
    pub lot_base: u64,
    /// Quote units of a lot and tick, below 2^20.
    pub tick_quote: u32,
}

/// Amounts of a fill in millionths of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Base that the buyer gets before its fee.
    pub base: u128,
    /// Quote that the seller gets before its fee.
    pub quote: u128,
    /// Fee of the buyer, in base.
    pub buyer_fee: u128,
    /// Fee of the seller, in quote.
    pub seller_fee: u128,
}

/// Amounts of `lots` at `price` with the fee rates (1e-6) of both sides.
///
/// # Errors
/// [`Fault::Width`] where an amount or an argument breaks its width.
pub fn fill(units: &Units, lots: u64, price: u32, buyer_rate: u32, seller_rate: u32) -> Result<Fill, Fault> {
    let narrow = buyer_rate < RATE_END && seller_rate < RATE_END && lots >> LOT_BITS == 0;
    if !narrow || units.lot_base >> 40 != 0 || units.tick_quote >> 20 != 0 {
        return Err(Fault::Width);
    }
    let base = u128::from(lots) * u128::from(units.lot_base); // 88 bits
    let quote = u128::from(lots) * u128::from(price) * u128::from(units.tick_quote); // 100 bits
    if base >> AMOUNT_BITS != 0 || quote >> AMOUNT_BITS != 0 {
        return Err(Fault::Width);
    }
    Ok(Fill {
        base: base * MICROS,
        quote: quote * MICROS,
        buyer_fee: base * u128::from(buyer_rate),
        seller_fee: quote * u128::from(seller_rate),
    })
}
