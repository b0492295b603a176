//! Auto-deleveraging: how much a counterparty may lose, who can bear it, in which order they are taken.

use crate::health::Margin;
use crate::market::{Market, Position};
use crate::quote::adl_score;
use crate::{FRACTION, MICRO, Result};

/// Loss classes: class 0 is no loss, class `j` a loss of at most `2^j / 2^11` of the notional.
pub const LOSS_CLASSES: u8 = 16;
/// Weight of the score in a rank: the size bucket, at most 48, is below it.
pub const RANK_WEIGHT: u16 = 64;
/// The largest rank.
pub const MAX_RANK: u16 = RANK_WEIGHT * 15 + 48;
/// Denominator of the loss of a class.
const LOSS_SCALE: u128 = 1 << 11;

/// Numerator of the largest loss of a class, in 2^-11 of the notional.
fn loss(class: u8) -> u128 {
    if class == 0 { 0 } else { 1 << class.min(LOSS_CLASSES - 1) }
}

/// The class of what a counterparty loses when `position` is closed at its zero quote: the least `j` with
/// `mmf*|TAV| * 2^11 <= MMR*10^4 * loss(j)`, 0 if TAV >= 0; `None` beyond all classes. It depends on the account that
/// is closed and not on the lots, so nobody can choose it.
pub fn loss_class(position: &Position, market: &Market, margin: &Margin) -> Result<Option<u8>> {
    if margin.tav >= 0 {
        return Ok(Some(0));
    }
    let mmf = market.tier(market.notional(position.lots())?).mmf;
    // 98 + 14 + 11 bits; 98 + 14 + 15 bits
    let lost = margin.tav.unsigned_abs() * u128::from(mmf) * LOSS_SCALE;
    let unit = margin.mmr.unsigned_abs() * FRACTION as u128;
    Ok((1..LOSS_CLASSES).find(|j| lost <= unit * loss(*j)))
}

/// Whether an account can be the counterparty of a close in a loss class: it is healthy, and could close its whole
/// position in the market at the largest loss of the class and still meet the initial margin `rest` of its other
/// rows; each with one quote unit to spare for the rounding of the zero quote. Then every close of some of its lots
/// at that loss or a smaller one leaves it TAV >= IMR.
pub fn can_bear(
    position: &Position,
    market: &Market,
    margin: &Margin,
    rest: i128,
    class: u8,
) -> Result<bool> {
    // 72 + 20 + 15 bits; 98 + 11 bits
    let lost = market.notional(position.lots())? * MICRO as u128 * loss(class);
    let scale = LOSS_SCALE as i128;
    let spare = margin.tav - MICRO;
    Ok(spare >= margin.imr && spare * scale >= lost as i128 + rest * scale)
}

/// Order in which counterparties are taken, the largest first: `64 * score + bitlen(lots)`. So of those with the best
/// score the large ones come first, and nobody can be spared behind a small position.
pub fn adl_rank(position: &Position, market: &Market, tav: i128) -> Result<u16> {
    let size = u64::BITS - position.lots().leading_zeros(); // at most 48
    Ok(RANK_WEIGHT * u16::from(adl_score(position, market, tav)?) + size as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Account;
    use crate::market::{MAX_TIERS, Tier};
    use crate::quote::zero_quote;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    fn market(mark: u32, qm: u32) -> Market {
        let tier = |bound, imf, mmf, cmf| Tier { bound, imf, mmf, cmf };
        let mut tiers = [Tier::default(); MAX_TIERS];
        tiers[0] = tier(100_000, 1_000, 500, 300);
        tiers[1] = tier(1 << 60, 4_000, 2_000, 900);
        Market { qm, mark, funding: 0, tiers }
    }

    fn margin(collateral: i128, positions: &[(Position, Market)]) -> Margin {
        let mut a = Account::new(collateral);
        positions.iter().for_each(|(p, m)| a.position(p, m).unwrap());
        a.margin().unwrap()
    }

    #[test]
    fn classes_double_and_end() {
        let m = market(1_000, 1);
        let p = Position { size: 10, funding: 0 }; // notional 10,000, mmf 5%
        let class = |tav: i128| {
            let at = Margin { tav, mmr: 500 * MICRO, ..Margin::default() };
            loss_class(&p, &m, &at).unwrap()
        };
        assert_eq!((class(0), class(-1)), (Some(0), Some(1)));
        // class 11 is the whole notional
        assert_eq!((class(-10_000 * MICRO), class(-10_000 * MICRO - 1)), (Some(11), Some(12)));
        assert_eq!((class(-160_000 * MICRO), class(-160_000 * MICRO - 1)), (Some(15), None));
    }

    #[test]
    fn ranks_put_the_score_before_the_size() {
        let m = market(1, 1);
        let rank = |size: i64, tav| adl_rank(&Position { size, funding: 0 }, &m, tav).unwrap();
        assert_eq!(rank(1, MICRO), 64 * 8 + 1);
        assert_eq!(rank(-3, MICRO), 64 * 10 + 2);
        assert!(rank(1, MICRO / 4) > rank(1 << 20, (1 << 20) * MICRO));
        assert_eq!(rank((1 << 48) - 1, 1), MAX_RANK);
    }

    proptest! {
        #[test]
        fn who_can_bear_a_class_stays_at_initial_margin(
            target in (1i64..1 << 20, -1i128 << 60..1 << 44),
            holder in (1i64..1 << 20, 0i128..1 << 60, -1i64 << 18..1 << 18),
            short in any::<bool>(), mark in 1u32..5_000, qm in 1u32..200,
        ) {
            let (m, other) = (market(mark, qm), market(700, 3));
            let s = if short { -1 } else { 1 };
            let t = Position { size: s * target.0, funding: 0 };
            let h = Position { size: -s * holder.0, funding: 0 };
            let tm = margin(target.1, &[(t, m)]);
            let o = Position { size: holder.2, funding: 0 };
            let base = holder.1 - h.value(&m).unwrap() - o.value(&other).unwrap();
            let rows = |p: Position| if o.size == 0 { vec![(p, m)] } else { vec![(p, m), (o, other)] };
            let hm = margin(base, &rows(h));
            let rest = if o.size == 0 { 0 } else { margin(0, &[(o, other)]).imr };
            let Some(class) = loss_class(&t, &m, &tm).unwrap() else { return Ok(()) };
            prop_assume!(can_bear(&h, &m, &hm, rest, class).unwrap());
            for lots in [1, target.0.min(holder.0) / 2, target.0.min(holder.0)].into_iter().filter(|l| *l > 0) {
                let quote = zero_quote(&t, &m, &tm, lots as u64).unwrap();
                let after = Position { size: h.size + s * lots, funding: 0 };
                let cash = -i128::from(s) * quote * MICRO;
                let rows: Vec<_> = rows(after).into_iter().filter(|(p, _)| p.size != 0).collect();
                let am = margin(base + cash, &rows);
                prop_assert!(am.tav >= am.imr, "{hm:?} {am:?} class {class}");
            }
        }
    }
}
