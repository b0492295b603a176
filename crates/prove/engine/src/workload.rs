//! A workload of nine circuits, for benchmarks and tests of the aggregation tree.

use serde_json::{Value, json};
use tsz_scenario::{Params, Scenario, generate, run};

use crate::error::EngineError;
use crate::execute::ExecutedBatch;
use crate::scenario::executed;

/// Perpetual markets of the generated workload.
const PERPS: u32 = 3;
/// Time of the batch in ms: funding is due, the prices of the genesis are still good.
const TIME: u64 = 7_200_000;

fn failed(reason: impl ToString) -> EngineError {
    EngineError::Workload(reason.to_string())
}

/// A batch of `trades` generated trades of `params` with funding ticks, oracle updates, a deposit, approvals by a passkey
/// and a wallet, positions of a settled market: of fund, spot, perp, manage, settle, oracle, auth, wallet. The
/// batch before it, which registers the keys and opens the positions, is executed only.
///
/// # Errors
/// [`EngineError::Workload`] for parameters without perpetual trades, or if the ledger refuses an operation.
pub fn every_family(trades: u32, seed: u64, params: &Params) -> Result<ExecutedBatch, EngineError> {
    let workload = generate(trades, seed, params).map_err(failed)?;
    let mut scenario: Value = serde_json::from_str(&workload.to_json()).map_err(failed)?;
    let stride = u64::from(params.accounts / params.active.max(1));
    extend(&mut scenario, [2, 2 + stride])
        .ok_or_else(|| failed("the generated scenario has another form"))?;
    let scenario = Scenario::from_json(&scenario.to_string()).map_err(failed)?;
    let batches = executed(run(&scenario).map_err(failed)?)?;
    batches.into_iter().last().ok_or_else(|| failed("no batch"))
}

/// Adds to a generated scenario: oracle signers, a market that settles, logins of two accounts that sign.
fn extend(scenario: &mut Value, [a, b]: [u64; 2]) -> Option<()> {
    let signers = ["oracle 1", "oracle 2", "oracle 3"];
    let keys = scenario["keys"].as_object_mut()?;
    for name in signers.iter().chain(&["session"]) {
        keys.insert((*name).to_owned(), json!({ "seed": name }));
    }
    let passkey = json!({ "seed": "face", "rp_id": "example.com", "origin": "https://app.example.com" });
    keys.insert("face".to_owned(), json!({ "passkey": passkey }));
    keys.insert("purse".to_owned(), json!({ "wallet": { "seed": "purse" } }));
    let genesis = &mut scenario["genesis"];
    genesis["params"]["oracle"]["signers"] = json!(signers);
    genesis["params"]["oracle"]["quorum"] = json!(2);
    genesis["params"]["perps"].as_array_mut()?.push(json!({ "name": "OLD" }));
    genesis["prices"].as_array_mut()?.push(json!({ "market": "OLD", "price": 1000 }));

    let batches = scenario["batches"].as_array_mut()?;
    let trades = batches.pop()?["operations"].as_array()?.clone();
    batches.push(json!({ "time": 1_000, "operations": before([a, b]) }));
    let others = others([a, b]);
    let operations: Vec<Value> = others.into_iter().chain(trades).collect();
    batches.push(json!({ "time": TIME, "operations": operations }));
    Some(())
}

/// Registers a passkey of one account and a wallet of the other, opens positions and lets their market settle.
fn before([a, b]: [u64; 2]) -> Vec<Value> {
    let login = |account: u64, key: &str, scheme: &str| {
        json!({
            "op": "register_key", "account": account, "slot": 1, "new_key": key, "scheme": scheme, "expect": "ok"
        })
    };
    let side = |account: u64, side: &str| json!({ "account": account, "side": side });
    vec![
        login(a, "face", "p256"),
        login(b, "purse", "secp256k1"),
        json!({
            "op": "perp_trade", "market": "OLD", "price": 1000, "lots": 5,
            "taker": side(a, "buy"), "maker": side(b, "sell"), "expect": "ok"
        }),
        json!({
            "op": "set_params", "params": { "perps": [{ "name": "OLD", "status": "settling" }] }, "expect": "ok"
        }),
    ]
}

/// Operations of the families that the generator knows nothing of.
fn others([a, b]: [u64; 2]) -> Vec<Value> {
    let approval = |op: &str, account: u64, key: &str| {
        json!({
            "op": op, "account": account, "slot": 2, "new_key": "session", "key": key, "key_slot": 1, "expect": "ok"
        })
    };
    let update =
        |k| json!({ "op": "oracle_update", "market": format!("P{k}"), "price": 1000, "expect": "ok" });
    let mut operations = vec![json!({ "op": "funding_ticks", "expect": "ok" })];
    operations.extend((0..PERPS).map(update));
    operations.extend([
        json!({
            "op": "deposit", "account": a, "token": 0, "units": "1000", "owner": owner(a), "expect": "ok"
        }),
        approval("register_key_by_passkey", a, "face"),
        approval("register_key_by_wallet", b, "purse"),
        json!({ "op": "settle_market", "market": "OLD", "price": 1000, "expect": "ok" }),
        json!({ "op": "settle_positions", "market": "OLD", "expect": "ok" }),
    ]);
    operations
}

/// L1 owner of an account of the generated population.
fn owner(account: u64) -> String {
    format!("0xaa{account:038x}")
}
