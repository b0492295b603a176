//! Zero quote of a closing trade, the liquidation fee and the ranking score of ADL.

use ethnum::I256;

use crate::health::Margin;
use crate::market::{Market, Position};
use crate::{FRACTION, MICRO, Result, RiskError, fit};

/// Bound of a zero quote: 2^90 quote units.
pub const QUOTE_BITS: u32 = 90;

/// Zero quote of closing `lots` of `position`: the signed amount of quote units at which TAV/MMR does not fall.
///
/// `Q0 = (n*MMR*10^4 - s*n*mmf*TAV) / (MMR*10^4)` with `n = lots*mark*qm` and the mmf of the tier before the close;
/// a long's quote is rounded up, a short's down (both in favour of the account that is closed).
///
/// # Errors
/// [`RiskError::Zero`] without a maintenance requirement, [`RiskError::Width`] beyond 2^90.
pub fn zero_quote(position: &Position, market: &Market, margin: &Margin, lots: u64) -> Result<i128> {
    if margin.mmr <= 0 {
        return Err(RiskError::Zero("MMR"));
    }
    let n = I256::from(market.notional(lots)? as i128);
    let mmf = I256::from(market.tier(market.notional(position.lots())?).mmf);
    let den = I256::from(margin.mmr) * I256::from(FRACTION);
    let num = n * den - I256::from(position.sign()) * n * mmf * I256::from(margin.tav);
    let floor = num.div_euclid(den);
    let up = position.size > 0 && floor * den != num;
    let quote = floor + I256::from(i128::from(up));
    let quote = i128::try_from(quote).map_err(|_| RiskError::Width {
        what: "zero quote",
        value: i128::MAX,
        bits: QUOTE_BITS,
    })?;
    fit("zero quote", quote, QUOTE_BITS)
}

/// What a liquidated account pays to insurance: `min(rate * N, s * (N - Q0) * 10^6)`, never negative for a trade at
/// the zero quote or better. `rate` in 1e-6, `notional` = N.
pub fn liquidation_fee(sign: i128, notional: u128, quote: i128, rate: u32) -> i128 {
    let n = notional as i128;
    (n * i128::from(rate)).min(sign * (n - quote) * MICRO)
}

/// ADL score bucket, 0..=15, of an opposite-side position with TAV > 0: `bitlen(|size|*mark*qm*10^6) - bitlen(TAV) + 8`.
pub fn adl_score(position: &Position, market: &Market, tav: i128) -> Result<u8> {
    if tav <= 0 {
        return Err(RiskError::Zero("TAV of an ADL counterparty"));
    }
    let exposure = market.notional(position.lots())? * MICRO as u128;
    let bits = |v: u128| 128 - i32::try_from(v.leading_zeros()).unwrap_or(0);
    let score = bits(exposure) - bits(tav.unsigned_abs()) + 8;
    Ok(u8::try_from(score.clamp(0, 15)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::{Account, Health};
    use crate::market::{MAX_TIERS, Tier};
    use proptest::prelude::*;

    fn market(mark: u32, mmf: u16) -> Market {
        let mut tiers = [Tier::default(); MAX_TIERS];
        tiers[0] = Tier { bound: 1 << 60, imf: 10_000, mmf, cmf: 1 };
        Market { qm: 3, mark, funding: 0, tiers }
    }

    fn margin(collateral: i128, size: i64, m: &Market) -> Margin {
        let mut a = Account::new(collateral);
        if size != 0 {
            a.position(&Position { size, funding: 0 }, m).unwrap();
        }
        a.margin().unwrap()
    }

    #[test]
    fn zero_quote_rounds_in_favour_of_the_closed_side() {
        let m = market(7, 333);
        for size in [5, -5] {
            let p = Position { size, funding: 0 };
            let g = margin(-i128::from(size) * 7 * 3 * MICRO + 1, size, &m);
            let q = zero_quote(&p, &m, &g, 2).unwrap();
            // TAV is 1: the exact quote is n less (long) or plus (short) a tiny part, so rounding gives n.
            assert_eq!(q, 2 * 7 * 3);
        }
    }

    #[test]
    fn fee_never_exceeds_the_improvement() {
        assert_eq!(liquidation_fee(1, 100, 100, 5_000), 0);
        assert_eq!(liquidation_fee(1, 100, 99, 5_000), 500_000);
        assert_eq!(liquidation_fee(-1, 100, 101, 20_000), 1_000_000);
    }

    #[test]
    fn score_grows_with_leverage() {
        let m = market(100, 300);
        let p = Position { size: 10, funding: 0 };
        let s = |tav| adl_score(&p, &m, tav).unwrap();
        assert!(s(1) > s(1 << 30));
        assert_eq!(s(i128::MAX), 0);
        assert_eq!(s(1), 15);
        assert!(adl_score(&p, &m, 0).is_err());
    }

    proptest! {
        /// DOMAIN section 7: closing at the zero quote never lowers TAV/MMR (TAV >= 0) nor TAV (TAV < 0), and the
        /// last position closed leaves TAV >= 0.
        #[test]
        fn closing_at_the_zero_quote_keeps_the_ratio(
            size in prop_oneof![1i64..1_000_000, -1_000_000i64..-1],
            mark in 1u32..1_000_000, mmf in 1u16..5_000, lots in 1u64..1_000_000, tav in -1_000_000_000_000i128..1_000_000_000_000,
        ) {
            let m = market(mark, mmf);
            let lots = lots.min(size.unsigned_abs());
            let p = Position { size, funding: 0 };
            let value = p.value(&m).unwrap();
            let before = margin(tav - value, size, &m);
            prop_assume!(before.health() >= Health::PartialLiquidation);
            let q = zero_quote(&p, &m, &before, lots).unwrap();
            let s = p.sign() as i64;
            let left = size - s * lots as i64;
            let after = margin(tav - value + i128::from(s) * q * MICRO, left, &m);
            if before.tav >= 0 {
                let kept = I256::from(before.tav) * I256::from(after.mmr) <= I256::from(after.tav) * I256::from(before.mmr);
                prop_assert!(kept);
            } else {
                prop_assert!(after.tav >= before.tav);
            }
            if left == 0 {
                prop_assert!(after.tav >= 0);
            }
        }
    }
}
