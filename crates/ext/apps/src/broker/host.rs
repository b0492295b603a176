//! The other side of [`super::program`]: words of terms and arguments.

use alloc::vec::Vec;
use tsz_ext_sdk::{Absorb, Leaf, digest};

use super::{DAY, HOUSE_WORDS, House, MANDATE_WORDS, Mandate, SUBJECT, VENUE_WORDS, Venue};
use crate::order::{KIND_HOLDING, KIND_HOUSE, ORDER_WORDS, limbs};

/// Words of a venue.
pub fn venue(venue: &Venue) -> [u32; VENUE_WORDS] {
    let [lot_lo, lot_hi] = limbs(venue.units.lot_base);
    let tokens = venue.base | venue.quote << 8 | venue.market << 16;
    [tokens, lot_lo, lot_hi, venue.units.tick_quote, venue.house, venue.house_sub | venue.house_slot << 5]
}

/// Digest that terms and orders name the venue by.
pub fn subject(absorb: Absorb, place: &Venue) -> Leaf {
    digest(absorb, 1_000 + SUBJECT, &venue(place))
}

/// Words of a house's terms after the venue.
pub fn house_words(house: &House) -> [u32; HOUSE_WORDS] {
    let [lo, hi] = limbs(house.daily);
    [house.taker_fee, house.maker_fee, house.rebate, house.exchange, house.introducer, lo, hi]
}

/// Words of a mandate after the venue.
pub fn mandate_words(mandate: &Mandate) -> [u32; MANDATE_WORDS] {
    let ([trade_lo, trade_hi], [day_lo, day_hi]) = (limbs(mandate.trade), limbs(mandate.daily));
    let (account, sub) = mandate.introducer;
    [mandate.band | mandate.age << 14, trade_lo, trade_hi, day_lo, day_hi, account, sub]
}

/// Terms of the house.
pub fn house(subject: &Leaf, house: &House) -> Vec<u32> {
    [&[KIND_HOUSE][..], subject, &house_words(house)].concat()
}

/// Terms of a client.
pub fn client(subject: &Leaf, mandate: &Mandate) -> Vec<u32> {
    [&[KIND_HOLDING][..], subject, &mandate_words(mandate)].concat()
}

/// A side of a match.
#[derive(Clone, Copy, Debug)]
pub struct Side {
    /// Place among the parties.
    pub party: u32,
    /// Slot of the order.
    pub slot: u32,
    /// Place of the introducer among the parties; anything if there is none.
    pub introducer: u32,
    /// What the client lets the house do.
    pub mandate: Mandate,
    /// Words of the order.
    pub order: [u32; ORDER_WORDS],
}

/// A match: prices, lots, who takes.
#[derive(Clone, Copy, Debug)]
pub struct Match {
    /// Price in ticks.
    pub price: u32,
    /// Lots, below 2^48.
    pub lots: u64,
    /// Whether the seller takes.
    pub seller_takes: bool,
    /// Time of the batch in ms.
    pub time: u64,
}

/// Arguments of a match; `place` is the place of the house among the parties.
pub fn args(place: u32, at: &Venue, terms: &House, [buyer, seller]: [&Side; 2], deal: &Match) -> Vec<u32> {
    let [lo, hi] = limbs(deal.lots);
    // days of 48 bits of ms are below 2^22
    let mut words =
        Vec::from([place, u32::from(deal.seller_takes), deal.price, lo, hi, (deal.time / DAY) as u32]);
    words.extend(venue(at));
    words.extend(house_words(terms));
    for side in [buyer, seller] {
        words.extend([side.party, side.slot, side.introducer]);
        words.extend(mandate_words(&side.mandate));
        words.extend(side.order);
    }
    words
}
