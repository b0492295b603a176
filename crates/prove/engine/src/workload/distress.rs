//! A market that falls, in which nobody else trades: of liquidate and deleverage.

use serde_json::{Value, json};

use super::Pair;

/// Its name.
pub(super) const MARKET: &str = "FALL";
/// L1 owner of insurance in generated scenarios.
const OPERATOR: &str = "0x2222222222222222222222222222222222222222";
/// Price of the fall: less than the largest deviation below the first one, 1,000.
const PRICE: u64 = 910;
/// Price that makers bid then: less than the band below it.
const BID: u64 = 905;

/// A long position of a sub-account of the first account, bought at 1,000.
struct Long {
    sub: u64,
    lots: u64,
    /// Collateral in units.
    collateral: u64,
}

/// Below MMR and not below CMR after the fall: TAV 3,500, MMR 4,550, CMR 2,730.
const WEAK: Long = Long { sub: 3, lots: 100, collateral: 12_500 };
/// Below CMR: TAV 2,500, CMR 5,460. More than insurance can take.
const LARGE: Long = Long { sub: 4, lots: 200, collateral: 20_500 };
/// Below CMR: TAV 70, CMR 136.
const SMALL: Long = Long { sub: 5, lots: 5, collateral: 520 };
/// Healthy, and leaves by force.
const HEALTHY: Long = Long { sub: 6, lots: 10, collateral: 5_000 };
/// Sub-account of the second account that is short of all of it.
const SHORT: u64 = 3;
/// Collateral of insurance in units: carries 55 lots (IMR 5,005) and not 205 (IMR 18,655).
const INSURANCE: u64 = 6_000;
/// Lots of the large position that insurance takes.
const TAKEN: u64 = 50;

/// Money of insurance, positions.
pub(super) fn before([a, b]: Pair) -> Vec<Value> {
    let mut operations = vec![
        json!({
            "op": "deposit", "account": "insurance", "bucket": "collateral", "token": 0, "units": INSURANCE.to_string(),
            "owner": OPERATOR
        }),
        super::endow(b, SHORT, "collateral", 0, 100_000),
    ];
    for Long { sub, lots, collateral } in [WEAK, LARGE, SMALL, HEALTHY] {
        operations.extend([
            super::endow(a, sub, "collateral", 0, collateral),
            json!({
                "op": "perp_trade", "market": MARKET, "price": 1_000, "lots": lots,
                "taker": { "account": a, "sub": sub, "side": "buy" }, "maker": { "account": b, "sub": SHORT }
            }),
        ]);
    }
    operations
}

/// The fall: part of one position is sold, part of another and a small one go to insurance, a close is forced on L1, and
/// what insurance cannot take is closed against the ranked holder of the other side.
pub(super) fn others([a, b]: Pair) -> Vec<Value> {
    let of = |long: &Long| json!({ "account": a, "sub": long.sub });
    let bid = json!({ "account": b, "sub": SHORT, "side": "buy", "price": BID });
    let (weak, large, small, healthy) = (of(&WEAK), of(&LARGE), of(&SMALL), of(&HEALTHY));
    vec![
        json!({ "op": "oracle_update", "market": MARKET, "price": PRICE }),
        json!({ "op": "liquidate", "target": weak, "market": MARKET, "lots": 20, "maker": bid, "maker_fee": 100 }),
        json!({ "op": "takeover", "target": large, "market": MARKET, "lots": TAKEN }),
        json!({ "op": "forced_close", "party": healthy, "market": MARKET, "lots": HEALTHY.lots, "maker": bid }),
        json!({ "op": "force_liquidate", "target": small, "market": MARKET }),
        json!({ "op": "adl_rank", "target": large, "market": MARKET }),
        json!({ "op": "adl", "target": large, "market": MARKET }),
    ]
}
