//! Market parameters and positions.

use crate::{MICRO, RISK_NOTIONAL_BITS, Result, SETTLE_BITS, SIZE_BITS, fit, mul};

/// Tiers of a market.
pub const MAX_TIERS: usize = 4;

/// One margin tier: fractions in 1e-4, `1 <= cmf <= mmf <= imf <= 10^4`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tier {
    /// Largest notional of the tier, inclusive (quote units, < 2^72).
    pub bound: u128,
    /// Initial margin fraction.
    pub imf: u16,
    /// Maintenance margin fraction.
    pub mmf: u16,
    /// Close-out margin fraction.
    pub cmf: u16,
}

/// What risk needs to know of a perpetual market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Market {
    /// Quote units per lot and tick, u20, >= 1.
    pub qm: u32,
    /// Mark price in ticks, >= 1.
    pub mark: u32,
    /// Funding index, 10^-6 tick, sign + 63 bits.
    pub funding: i64,
    /// Tiers by increasing bound; unused ones at the end have all fields zero.
    pub tiers: [Tier; MAX_TIERS],
}

/// A position: signed size in lots and the funding index it was last settled at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Lots, positive = long; magnitude below 2^48.
    pub size: i64,
    /// Funding index at the last settlement.
    pub funding: i64,
}

impl Tier {
    /// Whether the entry is in use.
    pub fn is_used(&self) -> bool {
        self.imf != 0
    }

    /// Whether the fractions are in order.
    pub fn is_valid(&self) -> bool {
        1 <= self.cmf && self.cmf <= self.mmf && self.mmf <= self.imf && self.imf <= 10_000
    }
}

impl Market {
    /// Whether at least one tier is used, used tiers come first with increasing bounds and non-decreasing fractions.
    pub fn is_valid(&self) -> bool {
        let used = self.tiers.iter().take_while(|t| t.is_used()).count();
        let tail_is_zero = self.tiers[used..].iter().all(|t| *t == Tier::default());
        let ordered = self.tiers[..used].windows(2).all(|w| {
            w[0].bound < w[1].bound && w[0].imf <= w[1].imf && w[0].mmf <= w[1].mmf && w[0].cmf <= w[1].cmf
        });
        used > 0
            && tail_is_zero
            && ordered
            && self.tiers[..used].iter().all(|t| t.is_valid() && t.bound >> RISK_NOTIONAL_BITS == 0)
            && (1..1 << 20).contains(&self.qm)
            && self.mark >= 1
    }

    /// First tier whose bound holds `notional`, else the last used one.
    pub fn tier(&self, notional: u128) -> Tier {
        let used = self.tiers.iter().take_while(|t| t.is_used());
        used.clone().find(|t| notional <= t.bound).or_else(|| used.last()).copied().unwrap_or_default()
    }

    /// Bound of the last tier: the largest position that may grow.
    pub fn max_notional(&self) -> u128 {
        self.tiers.iter().take_while(|t| t.is_used()).last().map_or(0, |t| t.bound)
    }

    /// `lots * mark * qm`, below 2^72.
    pub fn notional(&self, lots: u64) -> Result<u128> {
        notional(lots, self.mark, self.qm, RISK_NOTIONAL_BITS)
    }
}

/// `lots * price * qm`, below `2^bits`.
pub fn notional(lots: u64, price: u32, qm: u32, bits: u32) -> Result<u128> {
    fit("lots", i128::from(lots), SIZE_BITS)?;
    // 48 + 32 + 20 bits cannot overflow.
    let n = i128::from(lots) * i128::from(price) * i128::from(qm);
    fit("notional", n, bits).map(i128::unsigned_abs)
}

impl Position {
    /// Magnitude in lots.
    pub fn lots(&self) -> u64 {
        self.size.unsigned_abs()
    }

    /// +1 long, -1 short, 0 empty.
    pub fn sign(&self) -> i128 {
        i128::from(self.size.signum())
    }

    /// Value of the unsettled funding, `size * qm * (F_last - F)`, below 2^94.
    pub fn unsettled(&self, market: &Market) -> Result<i128> {
        let delta = i128::from(self.funding) - i128::from(market.funding);
        let weight = i128::from(self.size) * i128::from(market.qm);
        fit("funding settlement", mul("funding settlement", weight, delta)?, SETTLE_BITS)
    }

    /// Settles the funding: the collateral change and the position at the market's index.
    pub fn settle(&self, market: &Market) -> Result<(i128, Position)> {
        // An empty position is the empty leaf: its index is zero.
        let funding = if self.size == 0 { 0 } else { market.funding };
        Ok((self.unsettled(market)?, Position { size: self.size, funding }))
    }

    /// Value at the mark price, `size * mark * qm * 10^6`.
    pub fn value(&self, market: &Market) -> Result<i128> {
        let n = market.notional(self.lots())?;
        Ok(self.sign() * n as i128 * MICRO)
    }
}
