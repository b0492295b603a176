//! Prices, funding, a market that settles, an operation of L1: of oracle, manage, settle, fund.

use serde_json::{Map, Value, json};

use super::{Pair, distress, map, owner};

/// Perpetual markets of the generated workload.
const PERPS: u32 = 3;
/// The market that settles.
const OLD: &str = "OLD";
/// Who signs prices.
const SIGNERS: [&str; 3] = ["oracle 1", "oracle 2", "oracle 3"];

/// Secrets of the signers of prices.
pub(super) fn keys() -> Map<String, Value> {
    map(SIGNERS.map(|name| (name, json!({ "seed": name }))))
}

/// What the oracle's parameters need besides.
pub(super) fn oracle() -> Map<String, Value> {
    map([("signers", json!(SIGNERS)), ("quorum", json!(2))])
}

/// Markets besides the generated ones.
pub(super) fn perps() -> [Value; 2] {
    [OLD, distress::MARKET].map(|name| json!({ "name": name }))
}

/// Their first prices.
pub(super) fn prices() -> [Value; 2] {
    [OLD, distress::MARKET].map(|name| json!({ "market": name, "price": 1_000 }))
}

/// Opens positions and lets their market settle.
pub(super) fn before([a, b]: Pair) -> Vec<Value> {
    vec![
        json!({
            "op": "perp_trade", "market": OLD, "price": 1_000, "lots": 5, "taker": { "account": a, "side": "buy" },
            "maker": { "account": b }
        }),
        json!({ "op": "set_params", "params": { "perps": [{ "name": OLD, "status": "settling" }] } }),
    ]
}

/// Due ticks, prices of the generated markets, a deposit, the settlement.
pub(super) fn others([a, _]: Pair) -> Vec<Value> {
    let update = |k| json!({ "op": "oracle_update", "market": format!("P{k}"), "price": 1_000 });
    let mut operations = vec![json!({ "op": "funding_ticks" })];
    operations.extend((0..PERPS).map(update));
    operations.extend([
        json!({ "op": "deposit", "account": a, "token": 0, "units": "1000", "owner": owner(a) }),
        json!({ "op": "settle_market", "market": OLD, "price": 1_000 }),
        json!({ "op": "settle_positions", "market": OLD }),
    ]);
    operations
}
