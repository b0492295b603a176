//! The JSON report of a run.

use serde_json::{Value, json};
use tsz_stf::forms::digest_hex;

use crate::expect::reject_kind;
use crate::runner::{BatchRun, Rejected};
use crate::spec::{Scenario, VERSION};
use crate::{Record, Run};

/// Roots, receipts, rejections and the leaves that the scenario asks for. Digests are hex of 8 little-endian words.
pub fn report(scenario: &Scenario, run: &Run) -> Value {
    json!({
        "version": VERSION,
        "system": digest_hex(&run.system.digest()),
        "genesis_root": digest_hex(&run.genesis.root()),
        "final_root": digest_hex(&run.state.root()),
        "batches": run.batches.iter().map(batch).collect::<Vec<_>>(),
        "leaves": scenario.show.iter().map(|show| show.of(&run.state)).collect::<Vec<_>>(),
    })
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
