//! Reports of a run: JSON, and text for people.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tsz_stf::forms::digest_hex;

use crate::expect::{code_name, reject_kind};
use crate::names::Names;
use crate::runner::{BatchRun, Rejected};
use crate::spec::{Scenario, VERSION};
use crate::state::State;
use crate::table::Table;
use crate::{Record, Run, ScenarioError, summary};

/// Roots, receipts, rejections, the state of markets and accounts, and the leaves that the scenario asks for. Digests
/// are hex of 8 little-endian words.
///
/// # Errors
/// A scenario with two equal names.
pub fn report(scenario: &Scenario, run: &Run) -> Result<Value, ScenarioError> {
    let names = Names::of(scenario)?;
    let state = State::of(scenario, run);
    Ok(json!({
        "version": VERSION,
        "system": digest_hex(&run.system.digest()),
        "genesis_root": digest_hex(&run.genesis.root()),
        "final_root": digest_hex(&run.state.root()),
        "batches": run.batches.iter().map(batch).collect::<Vec<_>>(),
        "markets": state.markets(&names).to_json(),
        "accounts": state.accounts_json(&names),
        "leaves": scenario.show.iter().map(|show| show.of(&run.state)).collect::<Vec<_>>(),
    }))
}

fn batch(run: &BatchRun) -> Value {
    json!({
        "batch": run.context.batch,
        "time": run.context.time,
        "context": digest_hex(&run.context.digest()),
        "old_root": digest_hex(&run.before.root()),
        "new_root": digest_hex(&run.after.root()),
        "operations": run.records.len(),
        "receipts": run.records.iter().enumerate().map(record).collect::<Vec<_>>(),
        "rejects": run.rejects.iter().map(rejected).collect::<Vec<_>>(),
    })
}

fn record((index, record): (usize, &Record)) -> Value {
    json!({
        "index": index,
        "position": record.position,
        "operation": record.op,
        "receipt": record.receipt,
        "accesses": record.accesses.len(),
        "writes": record.accesses.iter().filter(|a| a.write).count(),
    })
}

fn rejected(rejected: &Rejected) -> Value {
    json!({
        "position": rejected.position,
        "operation": rejected.op,
        "kind": reject_kind(&rejected.reject),
        "reject": rejected.reject,
        "message": rejected.reject.to_string(),
    })
}

/// Entries of a batch up to which the text names each.
const LISTED: usize = 200;

/// The run as text: each operation with its outcome, then the markets and the accounts.
///
/// # Errors
/// A scenario with two equal names.
pub fn report_text(scenario: &Scenario, run: &Run) -> Result<String, ScenarioError> {
    let names = Names::of(scenario)?;
    let state = State::of(scenario, run);
    let mut parts: Vec<String> = run.batches.iter().map(|b| batch_table(b, &names).to_text()).collect();
    let tables = [vec![state.markets(&names)], state.accounts(&names)].concat();
    parts.extend(tables.iter().filter(|t| !t.is_empty()).map(Table::to_text));
    let leaves = scenario.show.iter().map(|show| format!("  {}\n", show.of(&run.state)));
    let leaves: String = leaves.collect();
    if !leaves.is_empty() {
        parts.push(format!("leaves\n{leaves}"));
    }
    parts.push(format!("root {}\n", digest_hex(&run.state.root())));
    Ok(parts.join("\n"))
}

fn batch_table(run: &BatchRun, names: &Names) -> Table {
    let (number, time) = (run.context.batch, run.context.time);
    let (accepted, refused) = (run.records.len().saturating_sub(1), run.rejects.len());
    let title = format!("batch {number} at {time}: {accepted} operations, {refused} refused");
    if accepted + refused > LISTED {
        return counts(run, title);
    }
    let mut table = Table::new(title, &["op", "kind", "what", "outcome"]);
    let mut rows: Vec<_> = Vec::new();
    for record in &run.records {
        if let Some(position) = record.position {
            rows.push((position, &record.op, code_name(&record.receipt)));
        }
    }
    for rejected in &run.rejects {
        let reason = format!("refused, {}: {}", rejected.reject.kind(), rejected.reject);
        rows.push((rejected.position, &rejected.op, reason));
    }
    rows.sort_by_key(|(position, ..)| *position);
    let lines = rows.into_iter().map(|(position, op, outcome)| {
        [format!("{number}:{position}"), summary::kind(op), summary::line(op, names), outcome]
    });
    // an entry may stand for many equal operations
    let mut lines = lines.peekable();
    while let Some(mut line) = lines.next() {
        let mut times = 1;
        while lines.next_if_eq(&line).is_some() {
            times += 1;
        }
        if times > 1 {
            line[2] = format!("{} ({times} times)", line[2]);
        }
        table.row(line);
    }
    table
}

fn counts(run: &BatchRun, title: String) -> Table {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for record in run.records.iter().skip(1) {
        *counts.entry((summary::kind(&record.op), code_name(&record.receipt))).or_default() += 1;
    }
    for rejected in &run.rejects {
        let outcome = format!("refused, {}", rejected.reject.kind());
        *counts.entry((summary::kind(&rejected.op), outcome)).or_default() += 1;
    }
    let mut table = Table::new(title, &["kind", "outcome", "operations"]);
    for ((kind, outcome), count) in counts {
        table.row([kind, outcome, count.to_string()]);
    }
    table
}
