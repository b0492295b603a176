//! The demo's operations of an extension program: two accounts of the population trade through a grid.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tsz_scenario::{Params, Scenario, generate, run};

/// First account of the population.
const FIRST: u32 = 2;

/// Operations that go before those of the first batch: both approve the program, a grid sells to an intent and buys
/// back nothing. Accounts and cells are as in the genesis, so the run depends on the population alone.
fn fills(params: &Params) -> Vec<Value> {
    let (grid, intent) = (FIRST, FIRST + params.accounts / params.active.max(1));
    let market = |more: Value| {
        let mut terms = json!({ "base": 1, "quote": 0, "lot_base": 10, "tick_quote": 1, "max_fee": 2000 });
        if let (Some(terms), Value::Object(more)) = (terms.as_object_mut(), more) {
            terms.extend(more);
        }
        terms
    };
    let levels = json!([
        { "buy": 999, "sell": 1001, "lots": 5 },
        { "buy": 1000, "sell": 1002, "lots": 5 },
        { "buy": 1001, "sell": 1003, "lots": 5 },
    ]);
    let approve = |account: u32, terms: Value, token: u32, units: &str| {
        json!({
            "op": "approve_extension", "account": account, "program": "grid", "terms": terms,
            "limits": [{ "token": token, "units": units }], "expect": "ok",
        })
    };
    let fill = |fees: [u32; 2], fills: Value| {
        json!({
            "op": "grid_fill", "grid": grid, "intent": intent, "fees": fees, "fills": fills, "expect": "ok",
        })
    };
    vec![
        approve(grid, json!({ "grid": market(json!({ "first_seller": 0, "levels": levels })) }), 1, "200"),
        approve(
            intent,
            json!({ "intent": market(json!({ "side": "buy", "limit": 1003, "lots": 12 })) }),
            0,
            "20000",
        ),
        fill([500, 2000], json!([[0, 5], [1, 3]])),
        fill([0, 0], json!([[1, 2]])),
    ]
}

/// The generated workload, with fills of a grid before the operations of its first batch if `with_program`.
pub fn workload(ops: u32, seed: u64, params: Params, with_program: bool) -> Result<tsz_scenario::Run> {
    let mut scenario = generate(ops * params.batches, seed, &params)?;
    if with_program {
        let mut file: Value = serde_json::from_str(&scenario.to_json())?;
        let operations = file.pointer_mut("/batches/0/operations").and_then(Value::as_array_mut);
        let operations = operations.context("the generated scenario has another form")?;
        operations.splice(0..0, fills(&params));
        scenario = Scenario::from_json(&file.to_string())?;
    }
    Ok(run(&scenario)?)
}

#[cfg(test)]
mod tests {
    use tsz_engine::{Pins, executed, plan_batch, registry};

    use super::super::{BATCHES, MIX, POPULATION};
    use super::*;

    /// After a change of the program, the journal or the demo: `scripts/prove-runs.sh --pin`.
    #[test]
    fn the_run_over_the_default_population_has_a_committed_proof() {
        let (log, active) = POPULATION;
        let params = crate::runs::params(log, active, BATCHES, MIX);
        // whatever the other operations are
        for (ops, seed) in [(64, 1), (80, 2)] {
            let batches = executed(workload(ops, seed, params, true).unwrap()).unwrap();
            plan_batch(&batches[0], &registry(), &Pins::built_in().unwrap()).unwrap();
        }
    }
}
