//! Executing a scenario.

mod auth;
mod close;
mod ext;
mod fund;
mod orders;
mod programs;
mod sign;
mod state;
mod trade;

use std::collections::{BTreeMap, HashMap};

use tsz_ext::ApprovalSlot;
use tsz_hash::{Digest, ZERO};
use tsz_ledger::{Access, BatchContext, Key, SystemId};
use tsz_smt::{Touch, Tree};
use tsz_stf::{BeginBatch, FundOp, Trusted};
use tsz_trade::{AppliedOp, Op, OpReceipt, OpReject, Params, TradeContext, apply_op_with};

use tsz_types::{AccountId, SubId};

use crate::spec::{BatchSpec, Scenario};
use crate::{Action, Expect, Keyring, OpSpec, ScenarioError, TradeSpec};
use orders::Book;
use sign::{Judge, Ready, sign_all};
use state::Holders;

pub(crate) use state::{Moment, Overlay, system_cell, user_cell};

/// How to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Verify the signatures that the runner makes. Those that the file gives are verified always.
    pub verify_own: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { verify_own: true }
    }
}

/// An operation that is part of a batch; its index in [`BatchRun::records`] is its sequence number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Index in the operations of the batch in the file; `None` for BeginBatch.
    pub position: Option<usize>,
    /// The operation, signed.
    pub op: Op,
    /// Its accesses in the order of its rule.
    pub accesses: Vec<Access>,
    /// What it reports.
    pub receipt: OpReceipt,
}

/// An operation that is not part of its batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Index in the operations of the batch in the file.
    pub position: usize,
    /// How many operations of the batch were accepted before it.
    pub after: usize,
    /// The operation; signatures of the runner are blank.
    pub op: Op,
    /// Why.
    pub reject: OpReject,
}

/// One executed batch.
#[derive(Clone, Debug)]
pub struct BatchRun {
    /// System digest, number, time and parameter hash.
    pub context: BatchContext,
    /// The parameters in force.
    pub params: Params,
    /// State before the batch.
    pub before: Tree,
    /// State after the batch.
    pub after: Tree,
    /// The operations, BeginBatch first.
    pub records: Vec<Record>,
    /// Operations that were refused.
    pub rejects: Vec<Rejected>,
}

impl BatchRun {
    /// Every touched leaf once, sorted by key, with its value before and after the batch.
    pub fn touches(&self) -> Vec<Touch> {
        let mut touches = BTreeMap::new();
        for access in self.records.iter().flat_map(|r| &r.accesses) {
            let (key, old) = (access.key.raw(), access.old);
            touches.entry(key).or_insert(Touch { key, old, new: old }).new = access.new;
        }
        touches.into_values().collect()
    }
}

/// An executed scenario.
#[derive(Clone, Debug)]
pub struct Run {
    /// Identity of the rollup.
    pub system: SystemId,
    /// The first state.
    pub genesis: Tree,
    /// The batches in order.
    pub batches: Vec<BatchRun>,
    /// The last state.
    pub state: Tree,
}

/// What the runner remembers between operations.
struct Desk<'k> {
    keys: &'k Keyring,
    book: Book<'k>,
    holders: Holders,
    /// Words of the terms of the last approval of each slot.
    terms: HashMap<(AccountId, SubId, ApprovalSlot), Vec<u32>>,
}

/// Runs a scenario and verifies all signatures.
pub fn run(scenario: &Scenario) -> Result<Run, ScenarioError> {
    run_with(scenario, Options::default())
}

/// Runs a scenario.
///
/// # Errors
/// A scenario that makes no genesis, batches that do not follow each other, outcomes other than expected.
pub fn run_with(scenario: &Scenario, options: Options) -> Result<Run, ScenarioError> {
    let keys = scenario.keyring()?;
    let genesis = scenario.genesis.tree(&keys)?;
    let system = SystemId::from(scenario.genesis.system);
    let known = known_params(scenario);
    let mut desk =
        Desk { keys: &keys, book: Book::default(), holders: Holders::default(), terms: HashMap::new() };
    let mut state = genesis.clone();
    let mut batches = Vec::with_capacity(scenario.batches.len());
    for (number, spec) in (1u64..).zip(&scenario.batches) {
        let hash = state.get(Key::PARAMS.raw());
        let context =
            BatchContext { system: system.digest(), batch: number, time: spec.time.get(), params: hash };
        let path = format!("batches[{}]", number - 1);
        let params = known.get(&hash).copied().cloned().unwrap_or_default();
        if hash != ZERO {
            let check = TradeContext { batch: &context, params: &params }.check_params();
            check.map_err(|e| ScenarioError::field(path.as_str(), e))?;
        }
        let batch = run_batch(spec, context, params, &state, &mut desk, &path, options)?;
        state = batch.after.clone();
        batches.push(batch);
    }
    Ok(Run { system, genesis, batches, state })
}

/// The parameters of the genesis and those that batches set, by hash.
pub(crate) fn known_params(scenario: &Scenario) -> HashMap<Digest, &Params> {
    let first = scenario.genesis.params.iter().map(|spec| &spec.params);
    let operations = scenario.batches.iter().flat_map(|b| &b.operations);
    let later = operations.filter_map(|spec| match &spec.action {
        Action::Trade(TradeSpec::SetParams(set)) => Some(&set.params.params),
        _ => None,
    });
    first.chain(later).map(|params| (params.hash(), params)).collect()
}

impl<'k> Desk<'k> {
    /// The operations of an entry, without the runner's signatures.
    fn ready(&mut self, spec: &OpSpec, at: &Moment<'_>) -> Result<Vec<Ready<'k>>, String> {
        match &spec.action {
            Action::Fund(spec) => Ok(vec![fund::fill(spec, at, self.keys)?]),
            Action::Trade(spec) => self.trade(spec, at),
            Action::Auth(spec) => Ok(vec![auth::fill(spec, at, self.keys)?]),
            Action::Ext(spec) => Ok(vec![self.ext(spec, at)?]),
        }
    }
}

fn run_batch(
    spec: &BatchSpec,
    context: BatchContext,
    params: Params,
    before: &Tree,
    desk: &mut Desk<'_>,
    path: &str,
    options: Options,
) -> Result<BatchRun, ScenarioError> {
    let mut at = Moment { view: Overlay::new(before), context, params: &params };
    let begin = Op::Fund(FundOp::from(BeginBatch {}));
    let AppliedOp { receipt, accesses } = apply_op_with(&at.view, &at.trade(), 0, &begin, &Trusted)
        .map_err(|reject| ScenarioError::Begin { path: path.to_owned(), reject: Box::new(reject) })?;
    at.view.commit(&accesses);
    let mut records = vec![Record { position: None, op: begin, accesses, receipt }];
    let mut wants = vec![Vec::new()];
    let mut rejects = Vec::new();
    for (position, spec) in spec.operations.iter().enumerate() {
        let path = || format!("{path}.operations[{position}]");
        let ready = desk.ready(spec, &at).map_err(|message| ScenarioError::field(path(), message))?;
        for Ready { op, wants: wanted } in ready {
            let index = records.len() as u32; // a batch has fewer than 2^32 operations
            let outcome = apply_op_with(&at.view, &at.trade(), index, &op, &Judge(&wanted));
            check_outcome(spec.expect.as_ref(), &outcome, path)?;
            match outcome {
                Ok(AppliedOp { receipt, accesses }) => {
                    at.view.commit(&accesses);
                    desk.holders.commit(&accesses);
                    wants.push(wanted);
                    records.push(Record { position: Some(position), op, accesses, receipt });
                }
                Err(reject) => rejects.push(Rejected { position, after: records.len(), op, reject }),
            }
        }
    }
    sign_all(&mut records, &wants, path, options)?;
    let writes = at.view.into_writes();
    let mut after = before.clone();
    after.update(&writes)?;
    Ok(BatchRun { context, params, before: before.clone(), after, records, rejects })
}

fn check_outcome(
    expected: Option<&Expect>,
    outcome: &Result<AppliedOp, OpReject>,
    path: impl Fn() -> String,
) -> Result<(), ScenarioError> {
    let Some(expected) = expected else { return Ok(()) };
    let got = Expect::of(outcome.as_ref().map(|applied| &applied.receipt));
    if got == *expected {
        return Ok(());
    }
    let reason = outcome.as_ref().err().map(|reject| format!(": {reject}")).unwrap_or_default();
    Err(ScenarioError::Unexpected { path: path(), expected: expected.clone(), got, reason })
}
