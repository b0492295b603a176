//! Two sub-accounts of one account trade through the program `grid`: of approvals and the guard.
//!
//! A run's proof is bound to its batch by the context and to what its operations read. The context is that of every
//! workload (system, number, time and parameters), and these sub-accounts are nobody else's, so the run is the same
//! whatever the arguments are.

use serde_json::{Value, json};

use super::endow;

/// The first account of every population.
const ACCOUNT: u64 = 2;
/// Sub-account of the grid, which sells token 1 for token 0, and of who buys.
const GRID: u64 = 1;
const BUYER: u64 = 2;

/// Money of both.
pub(super) fn before() -> Vec<Value> {
    vec![endow(ACCOUNT, GRID, "balance", 1, 1_000), endow(ACCOUNT, BUYER, "balance", 0, 100_000)]
}

/// Both approve, lots change hands twice, the buyer revokes.
pub(super) fn others() -> Vec<Value> {
    let approve = |sub: u64, terms: Value, token: u64, units: &str| {
        json!({
            "op": "approve_extension", "account": ACCOUNT, "sub": sub, "program": "grid", "terms": terms,
            "limits": [{ "token": token, "units": units }]
        })
    };
    let place = |sub: u64| json!({ "account": ACCOUNT, "sub": sub });
    let fill = |fees: [u32; 2], fills: Value| json!({ "op": "grid_fill", "grid": place(GRID), "intent": place(BUYER), "fees": fees, "fills": fills });
    let levels = json!([
        { "buy": 999, "sell": 1_001, "lots": 5 },
        { "buy": 1_000, "sell": 1_002, "lots": 5 },
        { "buy": 1_001, "sell": 1_003, "lots": 5 },
    ]);
    let grid = json!({ "grid": {
        "base": 1, "quote": 0, "lot_base": 10, "tick_quote": 1, "max_fee": 2_000, "first_seller": 0, "levels": levels
    } });
    let intent = json!({ "intent": {
        "base": 1, "quote": 0, "lot_base": 10, "tick_quote": 1, "max_fee": 2_000, "side": "buy", "limit": 1_003, "lots": 12
    } });
    vec![
        approve(GRID, grid, 1, "200"),
        approve(BUYER, intent, 0, "20000"),
        fill([500, 2_000], json!([[0, 5], [1, 3]])),
        fill([0, 0], json!([[1, 2]])),
        json!({ "op": "revoke_extension", "account": ACCOUNT, "sub": BUYER }),
    ]
}
