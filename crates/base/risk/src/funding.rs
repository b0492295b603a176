//! Premium samples and the hourly funding tick.

use crate::{MICRO, Result, RiskError, fit};

/// Minutes sampled in an hour.
pub const SAMPLES: i128 = 60;
/// Largest 8-hour rate, 1e-6.
pub const MAX_BIG: u32 = 40_000;

/// Parameters of a market's funding, all in 1e-6 per 8 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FundingParams {
    /// Interest rate.
    pub rate: i32,
    /// Clamp of (rate - premium).
    pub small: u32,
    /// Clamp of the result, at most 40,000.
    pub big: u32,
}

/// One premium sample in 1e-6, as the oracle's signers compute it for the minute they report on: how far the impact bid is above or the impact ask below the index, clamped to 100%.
pub fn premium(impact_bid: u32, impact_ask: u32, index: u32) -> Result<i32> {
    if index == 0 {
        return Err(RiskError::Zero("index price"));
    }
    let (ib, ia, idx) = (i128::from(impact_bid), i128::from(impact_ask), i128::from(index));
    let p = MICRO * ((ib - idx).max(0) - (idx - ia).max(0)) / idx;
    Ok(i32::try_from(p.clamp(-MICRO, MICRO)).unwrap_or(0))
}

/// The 8-hour rate from the hour's premium sum: `clamp(avg + clamp(rate - avg, +-small), +-big)`, `avg` toward zero.
pub fn rate(premium_sum: i64, params: &FundingParams) -> i128 {
    let avg = i128::from(premium_sum) / SAMPLES;
    let (small, big) = (i128::from(params.small), i128::from(params.big.min(MAX_BIG)));
    (avg + (i128::from(params.rate) - avg).clamp(-small, small)).clamp(-big, big)
}

/// The funding index after one hour: `F + trunc(rate / 8) * index`, sign + 63 bits.
pub fn tick(funding: i64, premium_sum: i64, index: u32, params: &FundingParams) -> Result<i64> {
    let next = i128::from(funding) + rate(premium_sum, params) / 8 * i128::from(index);
    fit("funding index", next, 63)?;
    i64::try_from(next).map_err(|_| RiskError::Width { what: "funding index", value: next, bits: 63 })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMS: FundingParams = FundingParams { rate: 100, small: 500, big: 40_000 };

    #[test]
    fn premium_truncates_toward_zero_and_clamps() {
        assert_eq!(premium(101, 103, 100).unwrap(), 10_000);
        assert_eq!(premium(97, 99, 100).unwrap(), -10_000);
        assert_eq!(premium(99, 101, 100).unwrap(), 0);
        assert_eq!(premium(4, 4, 3).unwrap(), 333_333);
        assert_eq!(premium(1_000, 2_000, 1).unwrap(), 1_000_000);
        assert!(premium(1, 1, 0).is_err());
    }

    #[test]
    fn small_premium_gives_the_interest_rate() {
        assert_eq!(rate(0, &PARAMS), 100);
        assert_eq!(rate(60 * 600, &PARAMS), 100);
        assert_eq!(rate(60 * 601, &PARAMS), 101);
        assert_eq!(rate(-60 * 401, &PARAMS), 99);
        assert_eq!(rate(60 * 1_000_000, &PARAMS), 40_000);
    }

    #[test]
    fn index_moves_by_an_eighth_of_the_rate() {
        assert_eq!(tick(5, 0, 1_000, &PARAMS).unwrap(), 5 + 12 * 1_000);
        assert!(tick(i64::MAX, 60 * 1_000_000, u32::MAX, &PARAMS).is_err());
    }
}
