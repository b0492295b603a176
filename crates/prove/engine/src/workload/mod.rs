//! A workload of all families, for benchmarks and tests of the aggregation tree.

mod distress;
mod logins;
mod markets;
mod programs;

use serde_json::{Map, Value, json};
use tsz_scenario::{Params, Scenario, generate, run};

use crate::error::EngineError;
use crate::execute::ExecutedBatch;
use crate::scenario::executed;

/// Time of the genesis in ms: tokens of OpenID providers have real times. A full hour.
const GENESIS: u64 = 1_800_000_000_000;
/// Time of the last batch: funding of two hours is due, the prices of the genesis are still good.
const TIME: u64 = GENESIS + 7_200_000;

/// Two accounts of the population that sign. What needs money or margin of its own is in sub-accounts, so that the
/// generated trades, all of sub-account 0, are what they are without it.
type Pair = [u64; 2];

fn failed(reason: impl ToString) -> EngineError {
    EngineError::Workload(reason.to_string())
}

/// A scenario of two batches. The last one has `trades` generated trades of `params` and operations of every other
/// family: funding ticks, oracle updates, a deposit, approvals by a passkey, a wallet and tokens of both algorithms,
/// positions of a settled market, liquidations, a takeover, forced closes, a ranking and a close against it, approvals of
/// a program and its operations. The first one registers the keys and opens the positions.
///
/// The operations of the program depend on no argument, so one committed proof of their run serves all.
///
/// # Errors
/// [`EngineError::Workload`] for parameters without perpetual trades.
pub fn every_family_scenario(trades: u32, seed: u64, params: &Params) -> Result<Scenario, EngineError> {
    let workload = generate(trades, seed, params).map_err(failed)?;
    let mut scenario: Value = serde_json::from_str(&workload.to_json()).map_err(failed)?;
    let stride = u64::from(params.accounts / params.active.max(1));
    extend(&mut scenario, [2, 2 + stride])
        .ok_or_else(|| failed("the generated scenario has another form"))?;
    Scenario::from_json(&scenario.to_string()).map_err(failed)
}

/// The last batch of [`every_family_scenario`]; the one before it is executed only.
///
/// # Errors
/// [`EngineError::Workload`] for parameters without perpetual trades, or if the ledger refuses an operation.
pub fn every_family(trades: u32, seed: u64, params: &Params) -> Result<ExecutedBatch, EngineError> {
    let scenario = every_family_scenario(trades, seed, params)?;
    let batches = executed(run(&scenario).map_err(failed)?)?;
    batches.into_iter().last().ok_or_else(|| failed("no batch"))
}

/// Adds to a generated scenario of one batch the operations of the families that the generator knows nothing of.
fn extend(scenario: &mut Value, pair: Pair) -> Option<()> {
    scenario.get_mut("keys")?.as_object_mut()?.extend(logins::keys());
    scenario.get_mut("keys")?.as_object_mut()?.extend(markets::keys());
    let genesis = scenario.get_mut("genesis")?.as_object_mut()?;
    genesis.insert("time".to_owned(), GENESIS.into());
    genesis.get_mut("prices")?.as_array_mut()?.extend(markets::prices());
    let params = genesis.get_mut("params")?;
    params.get_mut("oracle")?.as_object_mut()?.extend(markets::oracle());
    params.get_mut("perps")?.as_array_mut()?.extend(markets::perps());

    let batches = scenario.get_mut("batches")?.as_array_mut()?;
    let trades = batches.pop()?.get("operations")?.as_array()?.clone();
    let before = [logins::before(pair), markets::before(pair), distress::before(pair), programs::before()];
    let others = [markets::others(pair), logins::others(pair), distress::others(pair), programs::others()];
    let operations = valid(others).into_iter().chain(trades).collect::<Vec<_>>();
    batches.push(json!({ "time": GENESIS + 1_000, "operations": valid(before) }));
    batches.push(json!({ "time": TIME, "operations": operations }));
    Some(())
}

/// All of these operations, none of which may be refused.
fn valid<const N: usize>(operations: [Vec<Value>; N]) -> Vec<Value> {
    let mut operations = operations.concat();
    for op in operations.iter_mut().filter_map(Value::as_object_mut) {
        op.insert("expect".to_owned(), "ok".into());
    }
    operations
}

/// An object as a map.
fn map<const N: usize>(entries: [(&str, Value); N]) -> Map<String, Value> {
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// L1 owner of an account of the generated population.
fn owner(account: u64) -> String {
    format!("0xaa{account:038x}")
}

/// Units of a token from sub-account 0 of an account to a bucket of another one of its sub-accounts.
fn endow(account: u64, sub: u64, bucket: &str, token: u64, units: u64) -> Value {
    json!({
        "op": "transfer", "account": account, "to_account": account, "to_sub": sub, "to_bucket": bucket, "token": token,
        "units": units.to_string()
    })
}
