//! Executing a scenario.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;
use tsz_hash::Digest;
use tsz_ledger::{Access, BatchContext, Cell, CtlCell, Key, L1InCell, Leaf, SystemId};
use tsz_sig::Signature;
use tsz_smt::{Touch, Tree};
use tsz_stf::{
    Applied, BeginBatch, FundOp, Receipt, Reject, SigVerifier, Trusted, Verified, View, apply_with, message,
};
use tsz_types::{AccountId, KeySlot, L1Serial, Nonce, SubId};

use crate::spec::{BatchSpec, Scenario};
use crate::{Expect, Keyring, OpSpec, ScenarioError, SignWith};

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
    /// The operation, signed.
    pub op: FundOp,
    /// Its accesses in the order of its rule.
    pub accesses: Vec<Access>,
    /// What it reports.
    pub receipt: Receipt,
}

/// An operation that is not part of its batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Index in the operations of the batch in the file.
    pub position: usize,
    /// The operation; a signature of the runner is blank.
    pub op: FundOp,
    /// Why.
    pub reject: Reject,
}

/// One executed batch.
#[derive(Clone, Debug)]
pub struct BatchRun {
    /// System digest, number, time and parameter hash.
    pub context: BatchContext,
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

/// The state during a batch: the tree before it and what the batch wrote.
struct Overlay<'a> {
    tree: &'a Tree,
    written: HashMap<Key, Leaf>,
}

impl View for Overlay<'_> {
    fn get(&self, key: Key) -> Leaf {
        self.written.get(&key).copied().unwrap_or_else(|| self.tree.get(key.raw()))
    }
}

impl Overlay<'_> {
    fn commit(&mut self, accesses: &[Access]) {
        self.written.extend(accesses.iter().filter(|a| a.write).map(|a| (a.key, a.new)));
    }
}

/// Judge of an operation that will be signed with a known secret: the key in the slot must be the secret's.
struct Holds(Digest);

impl SigVerifier for Holds {
    fn verify(&self, key_id: &Digest, _: &Digest, _: &Signature) -> bool {
        *key_id == self.0
    }
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
    let mut state = genesis.clone();
    let mut batches = Vec::with_capacity(scenario.batches.len());
    for (number, spec) in (1u64..).zip(&scenario.batches) {
        let params = state.get(Key::PARAMS.raw());
        let context = BatchContext { system: system.digest(), batch: number, time: spec.time.get(), params };
        let path = format!("batches[{}]", number - 1);
        let batch = run_batch(spec, context, &state, &keys, &path, options)?;
        state = batch.after.clone();
        batches.push(batch);
    }
    Ok(Run { system, genesis, batches, state })
}

fn run_batch(
    spec: &BatchSpec,
    context: BatchContext,
    before: &Tree,
    keys: &Keyring,
    path: &str,
    options: Options,
) -> Result<BatchRun, ScenarioError> {
    let mut view = Overlay { tree: before, written: HashMap::new() };
    let begin = FundOp::from(BeginBatch {});
    let Applied { receipt, accesses } = apply_with(&view, &context, 0, &begin, &Trusted)
        .map_err(|reject| ScenarioError::Begin { path: path.to_owned(), reject: Box::new(reject) })?;
    view.commit(&accesses);
    let mut records = vec![Record { op: begin, accesses, receipt }];
    let mut labels = vec![None];
    let mut rejects = Vec::new();
    for (position, spec) in spec.operations.iter().enumerate() {
        let at = || format!("{path}.operations[{position}]");
        let (op, label) = fill(spec, &view, keys).map_err(|message| ScenarioError::field(at(), message))?;
        let index = records.len() as u32; // a batch has fewer than 2^32 operations
        let outcome = match label {
            Some(label) => {
                let id = keys.key_id(label).map_err(|message| ScenarioError::field(at(), message))?;
                apply_with(&view, &context, index, &op, &Holds(id))
            }
            None => apply_with(&view, &context, index, &op, &Verified),
        };
        check_outcome(spec.expect.as_ref(), &outcome, at)?;
        match outcome {
            Ok(Applied { receipt, accesses }) => {
                view.commit(&accesses);
                labels.push(label);
                records.push(Record { op, accesses, receipt });
            }
            Err(reject) => rejects.push(Rejected { position, op, reject }),
        }
    }
    sign_all(&mut records, &labels, keys, &context, path, options)?;
    let writes: Vec<(u64, Leaf)> = view.written.into_iter().map(|(key, leaf)| (key.raw(), leaf)).collect();
    let mut after = before.clone();
    after.update(&writes)?;
    Ok(BatchRun { context, before: before.clone(), after, records, rejects })
}

fn check_outcome(
    expected: Option<&Expect>,
    outcome: &Result<Applied, Reject>,
    path: impl Fn() -> String,
) -> Result<(), ScenarioError> {
    let Some(expected) = expected else { return Ok(()) };
    let got = Expect::of(outcome.as_ref().map(|applied| &applied.receipt));
    if got == *expected {
        return Ok(());
    }
    Err(ScenarioError::Unexpected { path: path(), expected: expected.clone(), got })
}

/// Signs what the runner signs, on all cores. What was accepted has the secret's key in its slot.
fn sign_all(
    records: &mut [Record],
    labels: &[Option<&str>],
    keys: &Keyring,
    context: &BatchContext,
    path: &str,
    options: Options,
) -> Result<(), ScenarioError> {
    let sign = |(k, (record, label)): (usize, (&mut Record, &Option<&str>))| {
        let (Some(label), Some(blocks)) = (label, record.op.message()) else { return Ok(()) };
        let fault = || ScenarioError::SelfCheck { path: format!("{path}, operation {k}") };
        let secret = keys.secret(label).map_err(|_| fault())?;
        let digest = message(&context.system, &blocks);
        let signature = secret.sign(&digest);
        if options.verify_own && secret.public_key().verify(&digest, &signature).is_err() {
            return Err(fault());
        }
        *record.op.signature_mut().ok_or_else(fault)? = signature;
        Ok(())
    };
    records.par_iter_mut().zip(labels).enumerate().try_for_each(sign)
}

/// The operation with nonce or serial and key slot; the label that signs it, if the runner does.
fn fill<'a, V: View>(
    spec: &'a OpSpec,
    view: &V,
    keys: &'a Keyring,
) -> Result<(FundOp, Option<&'a str>), String> {
    let mut op = spec.op.clone();
    if spec.fill_count {
        fill_serial(&mut op, view)?;
    }
    let Some(mut signed) = signed_parts(&mut op) else { return Ok((op, None)) };
    let account = signed.account.get();
    if spec.fill_count {
        let ctl = CtlCell::from_leaf(&view.get(Key::ctl(account, signed.sub.get().into())));
        *signed.nonce = ctl.map_err(|e| e.to_string())?.nonce;
    }
    let id_in = |slot: KeySlot| view.get(Key::key_a(account, slot.get().into()));
    let label = match &spec.sign {
        SignWith::Given => None,
        SignWith::Label(label) => {
            let id = keys.key_id(label)?;
            if spec.fill_slot {
                let mut slots = (0..=KeySlot::MAX.get()).filter_map(|k| KeySlot::new(k).ok());
                signed.fill_slot(slots.find(|slot| id_in(*slot) == id));
            }
            Some(label.as_str())
        }
        // without a secret for it, the operation keeps its blank signature and is refused for what is wrong
        SignWith::Slot => keys.label_of(&id_in(*signed.key_slot)),
    };
    Ok((op, label))
}

fn fill_serial<V: View>(op: &mut FundOp, view: &V) -> Result<(), String> {
    let serial: &mut L1Serial = match op {
        FundOp::Deposit(op) => &mut op.serial,
        FundOp::FullExit(op) => &mut op.serial,
        FundOp::L1RegisterKey(op) => &mut op.serial,
        FundOp::L1RevokeKey(op) => &mut op.serial,
        _ => return Ok(()),
    };
    *serial = L1InCell::from_leaf(&view.get(Key::L1IN)).map_err(|e| e.to_string())?.next;
    Ok(())
}

/// What the runner fills in of a signed operation.
struct SignedParts<'a> {
    account: AccountId,
    sub: SubId,
    nonce: &'a mut Nonce,
    key_slot: &'a mut KeySlot,
}

impl SignedParts<'_> {
    fn fill_slot(&mut self, slot: Option<KeySlot>) {
        *self.key_slot = slot.unwrap_or(KeySlot::MIN);
    }
}

fn signed_parts(op: &mut FundOp) -> Option<SignedParts<'_>> {
    let (account, sub, nonce, key_slot) = match op {
        FundOp::Transfer(op) => (op.account, op.sub, &mut op.nonce, &mut op.key_slot),
        FundOp::Withdraw(op) => (op.account, op.sub, &mut op.nonce, &mut op.key_slot),
        FundOp::RegisterKey(op) => (op.account, SubId::MIN, &mut op.nonce, &mut op.key_slot),
        FundOp::RevokeKey(op) => (op.account, SubId::MIN, &mut op.nonce, &mut op.key_slot),
        _ => return None,
    };
    Some(SignedParts { account, sub, nonce, key_slot })
}
