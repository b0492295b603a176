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
    let fits = buyer_rate < RATE_END && seller_rate < RATE_END && lots >> LOT_BITS == 0;
    if !fits || units.lot_base >> 40 != 0 || units.tick_quote >> 20 != 0 {
        return Err(Fault::Width);
    }
    let base = narrow(lots.checked_mul(units.lot_base))?;
    let quote = notional(units, lots, price)?;
    Ok(Fill {
        base: times(base, MICROS as u32),
        quote: times(quote, MICROS as u32),
        buyer_fee: times(base, buyer_rate),
        seller_fee: times(quote, seller_rate),
    })
}

fn narrow(value: Option<u64>) -> Result<u64, Fault> {
    value.filter(|v| v >> AMOUNT_BITS == 0).ok_or(Fault::Width)
}

/// Quote units of `lots` at `price`.
///
/// # Errors
/// [`Fault::Width`] beyond 60 bits.
pub fn notional(units: &Units, lots: u64, price: u32) -> Result<u64, Fault> {
    // every factor is at least 1 in a market, so a product beyond 64 bits is one beyond 60 bits
    narrow(lots.checked_mul(price.into()).and_then(|n| n.checked_mul(units.tick_quote.into())))
}

/// The exact product, by two products that the machine has instructions for.
pub fn times(value: u64, factor: u32) -> u128 {
    let (lo, hi) = (value & 0xffff_ffff, value >> 32);
    u128::from(lo * u64::from(factor)) + (u128::from(hi * u64::from(factor)) << 32)
}
