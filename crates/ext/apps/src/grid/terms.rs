//! What the two parties sign.

use tsz_ext_sdk::{Fault, spot};

/// Levels of a grid.
pub const MAX_LEVELS: usize = 64;
/// Words of the terms before the levels.
pub const TERMS_HEAD: usize = 8;
/// Words of a level.
pub const LEVEL_WORDS: usize = 4;
/// First word of the terms of a grid.
pub(super) const KIND_GRID: u32 = 1;
/// First word of an intent.
pub(super) const KIND_INTENT: u32 = 2;
/// Bits of a level's lots: two fewer than of a fill, so that its state fits two felts.
const LEVEL_LOT_BITS: u32 = 46;

/// Lots of two limbs of 24 bits.
pub(super) fn lots(lo: u32, hi: u32) -> Result<u64, Fault> {
    if lo >> 24 != 0 || hi >> 24 != 0 {
        return Err(Fault::Width);
    }
    Ok(u64::from(lo) | u64::from(hi) << 24)
}

/// Tokens and units in which both parties count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Base token.
    pub base: u32,
    /// Quote token.
    pub quote: u32,
    /// Units of lots and ticks.
    pub units: spot::Units,
}

impl Pair {
    /// `[base, quote, lot_base (24, 16), tick_quote]`.
    fn parse(words: &[u32; 5]) -> Result<Self, Fault> {
        let [base, quote, lot_lo, lot_hi, tick_quote] = *words;
        if base == quote || base > 127 || quote > 127 {
            return Err(Fault::Terms);
        }
        Ok(Self { base, quote, units: spot::Units { lot_base: lots(lot_lo, lot_hi)?, tick_quote } })
    }
}

/// Terms of a grid: `[1, pair (5), max_fee, levels + 2^8 * first_seller]`, then `[buy, sell, lots (24, 22)]` a level.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Tokens and units.
    pub market: Pair,
    /// Highest fee rate (1e-6).
    pub max_fee: u32,
    /// Levels from here on start with base, the others with quote.
    pub first_seller: u32,
    levels: &'a [u32],
}

/// A level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Price at which it buys.
    pub buy: u32,
    /// Price at which it sells, higher.
    pub sell: u32,
    /// Lots that it buys or sells before it changes sides, below 2^46.
    pub lots: u64,
}

impl<'a> Terms<'a> {
    /// Reads the terms.
    ///
    /// # Errors
    /// [`Fault::Terms`] or [`Fault::Width`].
    pub fn parse(words: &'a [u32]) -> Result<Self, Fault> {
        let (head, levels) = words.split_first_chunk::<TERMS_HEAD>().ok_or(Fault::Terms)?;
        let [kind, pair @ .., max_fee, counts] = head;
        let (count, first_seller) = (counts & 0xff, counts >> 8);
        let fits = count as usize <= MAX_LEVELS && levels.len() == LEVEL_WORDS * count as usize;
        if *kind != KIND_GRID || !fits || first_seller > count {
            return Err(Fault::Terms);
        }
        Ok(Self { market: Pair::parse(pair)?, max_fee: *max_fee, first_seller, levels })
    }

    /// A level; `None` where there is none, or none that makes sense.
    pub fn level(&self, number: u32) -> Option<Level> {
        let at = LEVEL_WORDS.checked_mul(usize::try_from(number).ok()?)?;
        let (words, _) = self.levels.get(at..)?.split_first_chunk::<LEVEL_WORDS>()?;
        let [buy, sell, lo, hi] = *words;
        let lots = lots(lo, hi).ok()?;
        (buy < sell && lots >> LEVEL_LOT_BITS == 0).then_some(Level { buy, sell, lots })
    }

    /// Whether a level holds base at first.
    pub fn starts_as_seller(&self, number: u32) -> bool {
        number >= self.first_seller
    }
}

/// What a taker wants: `[2, pair (5), max_fee, side (1 = sell), limit price, lots (24, 24)]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Tokens and units.
    pub market: Pair,
    /// Highest fee rate (1e-6).
    pub max_fee: u32,
    /// Whether it buys base.
    pub buys: bool,
    /// Worst price.
    pub limit: u32,
    /// Lots in all.
    pub lots: u64,
}

impl Intent {
    /// Reads the intent.
    ///
    /// # Errors
    /// [`Fault::Terms`] or [`Fault::Width`].
    pub fn parse(words: &[u32]) -> Result<Self, Fault> {
        let words: &[u32; super::INTENT_WORDS] = words.try_into().map_err(|_| Fault::Terms)?;
        let [kind, pair @ .., max_fee, side, limit, lo, hi] = words;
        if *kind != KIND_INTENT || *side > 1 {
            return Err(Fault::Terms);
        }
        let buys = *side == 0;
        Ok(Self { market: Pair::parse(pair)?, max_fee: *max_fee, buys, limit: *limit, lots: lots(*lo, *hi)? })
    }

    /// Whether a price is within the limit.
    pub fn accepts(&self, price: u32) -> bool {
        if self.buys { price <= self.limit } else { price >= self.limit }
    }
}
