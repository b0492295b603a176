//! The other side of [`super::program`]: words of series, terms and arguments.

use alloc::vec::Vec;
use tsz_ext_sdk::{Absorb, Leaf, digest};

use super::{CLAIM, Leg, OBSERVE, SERIES_WORDS, SUBJECT, Series, TRADE};
use crate::order::{KIND_HOLDING, KIND_HOUSE, limbs};

/// Words of a series.
pub fn series(series: &Series) -> [u32; SERIES_WORDS] {
    let flags = |leg: &Leg| u32::from(leg.put) | u32::from(leg.short) << 1;
    let strike = |leg: Option<Leg>| leg.map_or(0, |l| l.strike);
    let [first, second] = series.legs;
    let legs = first.as_ref().map_or(0, flags) | second.as_ref().map_or(0, |l| 4 | flags(l) << 3);
    let ([lot_lo, lot_hi], [expiry_lo, expiry_hi]) = (limbs(series.units.lot_base), limbs(series.expiry));
    [
        series.base | series.quote << 8 | series.market << 16,
        lot_lo,
        lot_hi,
        series.units.tick_quote,
        legs,
        strike(first),
        strike(second),
        expiry_lo,
        expiry_hi,
        series.samples | series.gap << 8,
        series.vault,
        series.vault_sub | series.vault_slot << 5,
    ]
}

/// Digest that terms and orders name the series by.
pub fn subject(absorb: Absorb, contract: &Series) -> Leaf {
    digest(absorb, 1_000 + SUBJECT, &series(contract))
}

/// Terms of a holder.
pub fn holder(subject: &Leaf) -> Vec<u32> {
    [&[KIND_HOLDING][..], subject].concat()
}

/// Terms of the vault.
pub fn vault(subject: &Leaf) -> Vec<u32> {
    [&[KIND_HOUSE][..], subject].concat()
}

/// A side of a trade: place among the parties, slot of the order, fee rate (1e-6), words of the order.
pub type Side = (u32, u32, u32, [u32; crate::order::ORDER_WORDS]);

/// Arguments of a trade; `vault` is the place of the vault among the parties.
pub fn trade(contract: &Series, vault: u32, [buyer, seller]: [&Side; 2], price: u32, lots: u64) -> Vec<u32> {
    let [lo, hi] = limbs(lots);
    let mut words = Vec::from([TRADE, vault]);
    words.extend(series(contract));
    words.extend([buyer.0, buyer.1, buyer.2, seller.0, seller.1, seller.2, price, lo, hi]);
    words.extend(buyer.3);
    words.extend(seller.3);
    words
}

/// Arguments of a sample.
pub fn observe(contract: &Series, vault: u32) -> Vec<u32> {
    [&[OBSERVE, vault][..], &series(contract)].concat()
}

/// Arguments of a payout.
pub fn claim(contract: &Series, vault: u32) -> Vec<u32> {
    [&[CLAIM, vault][..], &series(contract)].concat()
}
