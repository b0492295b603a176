//! Total account value, margin requirements, health and the rule of legal transitions.

use ethnum::{I256, U256};

use crate::market::{Market, Position};
use crate::{FRACTION, MICRO, Result, RiskError, VALUE_BITS, add, fit};

/// A collateral token's contribution: `floor(balance * index * qm * haircut / (w * 10^4))`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CollateralToken {
    /// Balance cell: token units * 10^6, below 2^96.
    pub balance: u128,
    /// Index price of the pricing market, ticks.
    pub index: u32,
    /// Quote units per lot and tick of the pricing market.
    pub qm: u32,
    /// Haircut factor in 1e-4, at most 10^4.
    pub haircut: u16,
    /// Token units in one lot of the pricing market, >= 1.
    pub units_per_lot: u64,
}

impl CollateralToken {
    /// Value after haircut, rounded down.
    pub fn value(&self) -> Result<i128> {
        let (num, den) = self.ratio()?;
        to_value(num / den)
    }

    /// The same value rounded up: what insurance pays when it seizes the balance.
    pub fn value_ceil(&self) -> Result<i128> {
        let (num, den) = self.ratio()?;
        to_value((num + den - U256::ONE) / den)
    }

    /// Numerator (below 2^162) and denominator of the value.
    fn ratio(&self) -> Result<(U256, U256)> {
        if self.units_per_lot == 0 {
            return Err(RiskError::Zero("units per lot"));
        }
        let price = u128::from(self.index) * u128::from(self.qm);
        let num = U256::from(self.balance) * U256::from(price) * U256::from(self.haircut);
        Ok((num, U256::from(self.units_per_lot) * U256::from(FRACTION as u128)))
    }
}

fn to_value(v: U256) -> Result<i128> {
    let v = i128::try_from(v).map_err(|_| RiskError::Width {
        what: "value",
        value: i128::MAX,
        bits: VALUE_BITS,
    })?;
    fit("value", v, VALUE_BITS)
}

/// Margin figures of a sub-account, all in value units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Margin {
    /// Total account value, |TAV| < 2^98.
    pub tav: i128,
    /// Initial margin requirement.
    pub imr: i128,
    /// Maintenance margin requirement.
    pub mmr: i128,
    /// Close-out margin requirement.
    pub cmr: i128,
}

/// Health of a sub-account; the order is the severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Health {
    /// TAV >= IMR.
    Healthy = 0,
    /// MMR <= TAV < IMR: may only reduce.
    PreLiquidation = 1,
    /// CMR <= TAV < MMR: partial liquidation.
    PartialLiquidation = 2,
    /// 0 <= TAV < CMR: insurance may take over.
    FullLiquidation = 3,
    /// TAV < 0.
    Bankrupt = 4,
}

impl Margin {
    /// Health by strict comparison.
    pub fn health(&self) -> Health {
        if self.tav < 0 {
            Health::Bankrupt
        } else if self.tav < self.cmr {
            Health::FullLiquidation
        } else if self.tav < self.mmr {
            Health::PartialLiquidation
        } else if self.tav < self.imr {
            Health::PreLiquidation
        } else {
            Health::Healthy
        }
    }
}

/// Running sum over the rows of one sub-account.
#[derive(Clone, Copy, Debug, Default)]
pub struct Account {
    margin: Margin,
    unsettled: i128,
}

impl Account {
    /// Starts from the collateral (value units, sign + 95 bits).
    pub fn new(collateral: i128) -> Self {
        Self { margin: Margin { tav: collateral, ..Margin::default() }, unsettled: 0 }
    }

    /// Adds collateral (value units, sign + 95 bits).
    pub fn collateral(&mut self, value: i128) -> Result<()> {
        self.margin.tav = add("TAV", self.margin.tav, value)?;
        Ok(())
    }

    /// Adds one open position with its market.
    pub fn position(&mut self, position: &Position, market: &Market) -> Result<()> {
        let n = market.notional(position.lots())?;
        let tier = market.tier(n);
        let value = position.sign() * n as i128 * MICRO;
        let unsettled = position.unsettled(market)?;
        self.unsettled = add("unsettled funding", self.unsettled, unsettled)?;
        let m = &mut self.margin;
        m.tav = add("TAV", add("TAV", m.tav, value)?, unsettled)?;
        // n < 2^72, a fraction is at most 10^4, MICRO / FRACTION = 100: below 2^93 for each row.
        let part = |f: u16| n as i128 * i128::from(f) * (MICRO / FRACTION);
        m.imr = add("IMR", m.imr, part(tier.imf))?;
        m.mmr = add("MMR", m.mmr, part(tier.mmf))?;
        m.cmr = add("CMR", m.cmr, part(tier.cmf))?;
        Ok(())
    }

    /// Adds one collateral token.
    pub fn token(&mut self, token: &CollateralToken) -> Result<()> {
        self.margin.tav = add("TAV", self.margin.tav, token.value()?)?;
        Ok(())
    }

    /// Sum of the rows' unsettled funding, which an outflow of collateral must leave covered.
    pub fn unsettled(&self) -> i128 {
        self.unsettled
    }

    /// The figures, all below 2^98.
    pub fn margin(&self) -> Result<Margin> {
        let m = self.margin;
        fit("TAV", m.tav, VALUE_BITS)?;
        fit("IMR", m.imr, VALUE_BITS)?;
        fit("MMR", m.mmr, VALUE_BITS)?;
        fit("CMR", m.cmr, VALUE_BITS)?;
        Ok(m)
    }
}

/// A change of one sub-account, for the rule of legal transitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Figures before.
    pub before: Margin,
    /// Figures after.
    pub after: Margin,
    /// Whether some |size| grew or some sign flipped.
    pub grew_or_flipped: bool,
}

impl Transition {
    /// TAV_a >= IMR_a, or nothing grew or flipped, the ratio TAV/MMR did not fall, and without requirement before
    /// the value did not fall.
    pub fn is_legal(&self) -> bool {
        let (b, a) = (&self.before, &self.after);
        if a.tav >= a.imr {
            return true;
        }
        let ratio_kept = I256::from(b.tav) * I256::from(a.mmr) <= I256::from(a.tav) * I256::from(b.mmr);
        !self.grew_or_flipped && ratio_kept && (b.mmr != 0 || a.tav >= b.tav)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Tier;

    fn market(mark: u32) -> Market {
        let tier = |bound, imf, mmf, cmf| Tier { bound, imf, mmf, cmf };
        let tiers =
            [tier(1_000, 500, 300, 200), tier(10_000, 1_000, 600, 400), Tier::default(), Tier::default()];
        Market { qm: 1, mark, funding: 0, tiers }
    }

    fn margin(collateral: i128, size: i64, mark: u32) -> Margin {
        let mut a = Account::new(collateral);
        a.position(&Position { size, funding: 0 }, &market(mark)).unwrap();
        a.margin().unwrap()
    }

    #[test]
    fn tier_bound_is_inclusive() {
        let m = market(10);
        assert_eq!(m.tier(1_000).imf, 500);
        assert_eq!(m.tier(1_001).imf, 1_000);
        assert_eq!(m.tier(99_999).imf, 1_000);
    }

    #[test]
    fn health_thresholds_are_strict() {
        // 10 lots at 10 ticks: notional 100, IMR 5, MMR 3, CMR 2 quote units.
        let at = |tav: i128| margin(tav * MICRO - 100 * MICRO, 10, 10).health();
        assert_eq!(at(5), Health::Healthy);
        assert_eq!(at(4), Health::PreLiquidation);
        assert_eq!(at(3), Health::PreLiquidation);
        assert_eq!(at(2), Health::PartialLiquidation);
        assert_eq!(at(1), Health::FullLiquidation);
        assert_eq!(at(0), Health::FullLiquidation);
        assert_eq!(at(-1), Health::Bankrupt);
    }

    #[test]
    fn reducing_at_a_worse_ratio_is_illegal() {
        let before = margin(-98 * MICRO, 10, 10);
        let better = Transition { before, after: margin(-48 * MICRO, 5, 10), grew_or_flipped: false };
        assert!(better.is_legal());
        let worse = Transition { after: margin(-50 * MICRO, 5, 10), ..better };
        assert!(!worse.is_legal());
        assert!(!Transition { grew_or_flipped: true, ..better }.is_legal());
    }

    #[test]
    fn collateral_token_rounds_down_and_seizure_up() {
        let t = CollateralToken { balance: 10, index: 1, qm: 1, haircut: 9_999, units_per_lot: 1 };
        assert_eq!((t.value().unwrap(), t.value_ceil().unwrap()), (9, 10));
        assert_eq!(CollateralToken { units_per_lot: 0, ..t }.value(), Err(RiskError::Zero("units per lot")));
    }
}
