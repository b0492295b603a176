//! What an option contract is: its words, its collateral, its payoff.

use tsz_ext_sdk::{Fault, MICROS, spot};

use crate::order::number;

/// Words of a series.
pub const SERIES_WORDS: usize = 12;
/// Prices that the settlement price is the mean of, at most.
pub const MAX_SAMPLES: u32 = 60;

/// One option of a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// A put, else a call.
    pub put: bool,
    /// The buyer of the contract is short of this option, else long.
    pub short: bool,
    /// Strike in ticks, not zero.
    pub strike: u32,
}

/// A series: everything about a contract that both sides, and the vault, must mean alike.
///
/// Words: `[base + 2^8 quote + 2^16 market, lot_base (24, 16), tick_quote, legs, strike, strike, expiry (24, 24; ms),
/// samples + 2^8 * gap (s), account of the vault, its sub-account + 2^5 * slot]`; legs: put + 2 short of the first, 4
/// for a second one, 8 put + 16 short of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Series {
    /// Token that calls pay.
    pub base: u32,
    /// Token that puts pay, and premiums.
    pub quote: u32,
    /// Perpetual market whose index prices the base.
    pub market: u32,
    /// Units of lots and ticks.
    pub units: spot::Units,
    /// One or two options.
    pub legs: [Option<Leg>; 2],
    /// No trade from this time on (ms).
    pub expiry: u64,
    /// Prices that the settlement price is the mean of, 1 to 60.
    pub samples: u32,
    /// Least time between two of them (s), below 2^16.
    pub gap: u32,
    /// Account that holds the collateral.
    pub vault: u32,
    /// Its sub-account.
    pub vault_sub: u32,
    /// Slot of its approval.
    pub vault_slot: u32,
}

/// Millionths of a unit of base and quote, for one lot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Base.
    pub base: u128,
    /// Quote.
    pub quote: u128,
}

/// What a side has in the vault, or gets from it, for one lot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    /// Who bought the contract.
    pub long: Amounts,
    /// Who sold it.
    pub short: Amounts,
}

impl Series {
    /// Reads a series.
    ///
    /// # Errors
    /// [`Fault::Terms`] or [`Fault::Width`].
    pub fn parse(words: &[u32; SERIES_WORDS]) -> Result<Self, Fault> {
        let [
            tokens,
            lot_lo,
            lot_hi,
            tick_quote,
            flags,
            first,
            second,
            expiry_lo,
            expiry_hi,
            pace,
            vault,
            place,
        ] = *words;
        let (base, quote, market) = (tokens & 0xff, tokens >> 8 & 0xff, tokens >> 16);
        let (samples, gap) = (pace & 0xff, pace >> 8);
        let units = spot::Units { lot_base: number(lot_lo, lot_hi)?, tick_quote };
        if units.lot_base >> 40 != 0 || tick_quote >> 20 != 0 || gap >> 16 != 0 {
            return Err(Fault::Width);
        }
        let leg = |flags: u32, strike| Leg { put: flags & 1 == 1, short: flags & 2 == 2, strike };
        let legs = match flags {
            0..4 if first != 0 && second == 0 => [Some(leg(flags, first)), None],
            4.. if flags < 32 && first != 0 && second != 0 => {
                [Some(leg(flags, first)), Some(leg(flags >> 3, second))]
            }
            _ => return Err(Fault::Terms),
        };
        let fits = base < 128 && quote < 128 && base != quote && market < 256 && place < 32 * 7;
        if !fits || samples == 0 || samples > MAX_SAMPLES || (gap == 0 && samples > 1) {
            return Err(Fault::Terms);
        }
        let expiry = number(expiry_lo, expiry_hi)?;
        let (vault_sub, vault_slot) = (place & 31, place >> 5);
        Ok(Self { base, quote, market, units, legs, expiry, samples, gap, vault, vault_sub, vault_slot })
    }

    /// What each side must have in the vault for a lot: the most that it can owe.
    ///
    /// Two options of one kind with opposite signs owe at most their spread; all else is covered option by option.
    pub fn collateral(&self) -> Sides {
        if let [Some(a), Some(b)] = self.legs
            && a.put == b.put
            && a.short != b.short
        {
            let (low, high) = (a.strike.min(b.strike), a.strike.max(b.strike));
            // the dearer option: the call with the lower strike, the put with the higher one
            let dear = if (a.strike == low) != a.put { a } else { b };
            let width = if a.put { self.put(high - low) } else { self.call_above(low, high, true) };
            return owed_by_seller(a.put, width, dear.short);
        }
        let mut sides = Sides::default();
        for leg in self.legs.iter().flatten() {
            let most = if leg.put { self.put(leg.strike) } else { self.whole_lot() };
            add(&mut sides, &owed_by_seller(leg.put, most, leg.short));
        }
        sides
    }

    /// What each side gets of both sides' collateral for a lot, when the base is at `price`. It sums to the collateral,
    /// exactly.
    ///
    /// # Errors
    /// [`Fault::Width`] never occurs: no side owes more than its collateral.
    pub fn payout(&self, price: u32) -> Result<Sides, Fault> {
        let mut owed = Sides::default();
        for leg in self.legs.iter().flatten() {
            let value = if leg.put {
                self.put(leg.strike.saturating_sub(price))
            } else {
                self.call_above(leg.strike, price, false)
            };
            add(&mut owed, &owed_by_seller(leg.put, value, leg.short));
        }
        // what a side has, what it is owed, what it owes
        let settle = |had: u128, due: u128, owes: u128| (had + due).checked_sub(owes).ok_or(Fault::Width);
        let side = |had: &Amounts, due: &Amounts, owes: &Amounts| {
            let base = settle(had.base, due.base, owes.base)?;
            Ok(Amounts { base, quote: settle(had.quote, due.quote, owes.quote)? })
        };
        let had = self.collateral();
        Ok(Sides {
            long: side(&had.long, &owed.short, &owed.long)?,
            short: side(&had.short, &owed.long, &owed.short)?,
        })
    }

    /// Base of a lot in millionths.
    fn whole_lot(&self) -> u128 {
        spot::times(self.units.lot_base, MICROS as u32)
    }

    /// Quote of a lot for some ticks, in millionths.
    fn put(&self, ticks: u32) -> u128 {
        let units = u64::from(ticks) * u64::from(self.units.tick_quote); // 52 bits
        spot::times(units, MICROS as u32)
    }

    /// `lot * (price - strike) / price` in millionths of base, zero below the strike.
    fn call_above(&self, strike: u32, price: u32, up: bool) -> u128 {
        let above = price.saturating_sub(strike);
        if above == 0 {
            return 0;
        }
        // 40 + 20 bits, times 32, by 32 bits: schoolbook, for the machine has 32 bits
        let micros = self.units.lot_base * MICROS as u64;
        let divisor = u64::from(price);
        let low = (micros & 0xffff_ffff) * u64::from(above);
        let high = (micros >> 32) * u64::from(above) + (low >> 32);
        let (quotient, rest) = (high / divisor, high % divisor);
        let tail = rest << 32 | low & 0xffff_ffff;
        let floor = (u128::from(quotient) << 32) + u128::from(tail / divisor);
        floor + u128::from(up && !tail.is_multiple_of(divisor))
    }
}

/// An amount of base or quote that the seller of the contract owes, or its buyer where the buyer is short.
fn owed_by_seller(put: bool, amount: u128, buyer_is_short: bool) -> Sides {
    let amounts = if put { Amounts { base: 0, quote: amount } } else { Amounts { base: amount, quote: 0 } };
    if buyer_is_short {
        Sides { long: amounts, short: Amounts::default() }
    } else {
        Sides { long: Amounts::default(), short: amounts }
    }
}

/// Adds two of at most 72 bits.
fn add(sum: &mut Sides, more: &Sides) {
    sum.long.base += more.long.base;
    sum.long.quote += more.long.quote;
    sum.short.base += more.short.base;
    sum.short.quote += more.short.quote;
}
