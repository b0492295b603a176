//! Parameters: hash and validity.

use alloc::vec;

use super::world::*;
use crate::params::*;
use tsz_types::*;

#[test]
fn every_field_moves_the_hash() {
    let base = params();
    type Change = fn(&mut Params);
    let changes: [Change; 26] = [
        |p| p.perps[0].status = Status::Closed,
        |p| p.perps[0].qm = QuoteMultiplier::new(2).unwrap(),
        |p| p.perps[0].tiers[0].bound = notional(999),
        |p| p.perps[0].tiers[0].imf = fraction(999),
        |p| p.perps[0].tiers[0].mmf = fraction(499),
        |p| p.perps[0].tiers[0].cmf = fraction(299),
        |p| p.perps[0].tiers.truncate(2),
        |p| p.perps[0].taker_cap = rate(1),
        |p| p.perps[0].maker_cap = rate(-1_000),
        |p| p.perps[0].liquidation_fee = rate(1),
        |p| p.perps[0].oi_cap = notional(1),
        |p| p.perps[0].funding.rate = rate(-100),
        |p| p.perps[0].funding.small = 1,
        |p| p.perps[0].funding.big = 1,
        |p| p.perps[0].feed = feed(9),
        |p| p.perps[0].forced_band = fraction(1),
        |p| p.perps.truncate(p.perps.len() - 1),
        |p| p.spots[0].status = Status::Closed,
        |p| p.spots[0].lot_base = 11,
        |p| p.spots.truncate(p.spots.len() - 1),
        |p| p.oracle.signers.truncate(p.oracle.signers.len() - 1),
        |p| p.oracle.quorum = 4,
        |p| p.oracle.max_age = 1,
        |p| p.oracle.delta = 1,
        |p| p.collateral[0].haircut = fraction(1),
        |p| p.collateral = vec![],
    ];
    let mut seen = vec![base.hash()];
    for (k, change) in changes.iter().enumerate() {
        let mut p = base.clone();
        change(&mut p);
        let hash = p.hash();
        assert!(!seen.contains(&hash), "change {k}");
        seen.push(hash);
    }
}

#[test]
fn invalid_parameters_are_named() {
    assert_eq!(params().validate(), Ok(()));
    type Change = fn(&mut Params);
    let changes: [Change; 24] = [
        |p| p.perps[0].maker_cap = rate(-1),
        |p| p.spots[0].maker_cap = rate(-1),
        |p| p.perps[0].forced_band = fraction(0),
        |p| p.perps[0].forced_band = fraction(2_001),
        |p| {
            (p.perps[0].qm, p.perps[0].tiers) =
                (QuoteMultiplier::new(1_000_001).unwrap(), p.perps[0].tiers[..1].to_vec())
        },
        |p| p.perps[0].status = Status::Settling,
        |p| p.collateral.push(p.collateral[0]),
        |p| p.perps[0].tiers.clear(),
        |p| p.perps[0].tiers[1].bound = p.perps[0].tiers[0].bound,
        |p| p.perps[0].tiers[1].mmf = fraction(499),
        |p| p.perps[0].tiers[0].cmf = fraction(0),
        |p| p.perps[0].taker_cap = rate(-1),
        |p| p.perps[0].funding.big = 40_001,
        |p| p.spots[0].quote = p.spots[0].base,
        |p| p.spots[0].lot_base = 1 << 40,
        |p| p.spots[0].tick_quote = 0,
        |p| p.oracle.signers.reverse(),
        |p| p.oracle.quorum = 2,
        |p| p.oracle.quorum = 6,
        |p| p.collateral[0].token = TokenId::QUOTE,
        |p| p.collateral[0].units_per_lot = 0,
        |p| p.collateral[0].market = market(200),
        |p| p.spots = vec![p.spots[0]; 257],
        |p| p.perps = vec![p.perps[0].clone(); 257],
    ];
    for (k, change) in changes.iter().enumerate() {
        let mut p = params();
        change(&mut p);
        assert!(p.validate().is_err(), "change {k}");
    }
    let mut p = params();
    p.perps[0].forced_band = fraction(2_000);
    (p.perps[0].qm, p.perps[0].tiers) =
        (QuoteMultiplier::new(1_000_000).unwrap(), p.perps[0].tiers[..1].to_vec());
    assert_eq!(p.validate(), Ok(()));
    let mut p = params();
    (p.spots, p.perps) = (vec![p.spots[0]; 256], vec![p.perps[0].clone(); 256]);
    assert_eq!(p.validate(), Ok(()));
}

#[test]
fn no_market_may_pay_every_maker() {
    let with = |taker, maker| {
        let mut p = params();
        (p.perps[1].taker_cap, p.perps[1].maker_cap) = (taker, maker);
        p.validate()
    };
    assert_eq!(with(rate(0), rate(0)), Ok(()));
    assert_eq!(with(Rate::MAX, Rate::MAX), Ok(()));
    // whatever takers may pay: a Liquidate has no taker who pays a fee
    let refused = Err(ParamsError::Perp { market: 1, what: "the maker fee cap is negative" });
    for taker in [rate(0), rate(1), Rate::MAX] {
        assert_eq!(with(taker, rate(-1)), refused);
    }
}

#[test]
fn successors_keep_what_states_rely_on() {
    let base = params();
    assert_eq!(base.check_successor(&base), Ok(()));
    type Change = fn(&mut Params);
    let changes: [Change; 9] = [
        |p| p.perps[0].status = Status::Closed,
        |p| p.perps.truncate(p.perps.len() - 1),
        |p| p.spots.truncate(p.spots.len() - 1),
        |p| p.perps[0].qm = QuoteMultiplier::new(2).unwrap(),
        |p| p.spots[0].tick_quote = 2,
        |p| p.collateral.clear(),
        |p| p.collateral[0].token = token(2),
        |p| p.collateral[0].market = market(1),
        |p| p.collateral[0].units_per_lot = 11,
    ];
    for (k, change) in changes.iter().enumerate() {
        let mut p = base.clone();
        change(&mut p);
        assert!(base.check_successor(&p).is_err(), "change {k}");
    }
    let mut settling = base.clone();
    settling.perps[1].status = Status::Settling;
    assert_eq!(base.check_successor(&settling), Ok(()));
    assert!(settling.check_successor(&base).is_err());
    // a token is phased out by its haircut, and new ones come behind it
    let mut tokens = base.clone();
    tokens.collateral[0].haircut = fraction(0);
    tokens.collateral.push(CollateralParams { token: token(3), ..base.collateral[0] });
    assert_eq!(base.check_successor(&tokens), Ok(()));
}
