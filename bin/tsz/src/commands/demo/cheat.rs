//! Attempts that must fail.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{Context, Result, bail};
use tsz_aggregator::{Bundle, Expectation, check, check_bundle};
use tsz_engine::{ExecutedBatch, Executor, OpRecord, Pins, Registry, prove_batch};
use tsz_hash::{Digest, F, PrimeCharacteristicRing};
use tsz_ledger::{Cell, CtlCell, Key, Leaf};
use tsz_sig::SecretKey;
use tsz_smt::Tree;
use tsz_stf::{BeginBatch, FundOp, Trusted, View, message};
use tsz_trade::{Op, Params, TradeContext, apply_op_with};

/// A proof with one flipped bit: says why it is refused.
pub fn tampered_proof(bundle: &Bundle, registry: &Registry, pins: &Pins) -> Result<String> {
    let mut forged = bundle.clone();
    let proof = forged.batches.first_mut().and_then(|b| b.execs.first_mut()).map(|e| &mut e.proof);
    let byte = proof.and_then(|bytes| {
        let middle = bytes.len() / 2;
        bytes.get_mut(middle)
    });
    *byte.context("the bundle holds no proof")? ^= 1;
    match check(&forged.to_bytes(), &registry.verifiers(pins), None) {
        Err(error) => Ok(error.to_string()),
        Ok(_) => bail!("a tampered proof is accepted"),
    }
}

/// A last root that differs in one unit of one felt, everywhere it is named: says why it is refused.
pub fn wrong_root(bundle: &Bundle, registry: &Registry, pins: &Pins) -> Result<String> {
    let mut forged = bundle.clone();
    let header = forged.batches.last_mut().map(|b| &mut b.header).context("the bundle holds no batch")?;
    header.sn[0] += F::ONE;
    let expected = Expectation { last_root: Some(header.sn), ..Expectation::default() };
    match check(&forged.to_bytes(), &registry.verifiers(pins), Some(&expected)) {
        Err(error) => Ok(error.to_string()),
        Ok(_) => bail!("a wrong root is accepted"),
    }
}

/// A transfer out of an account that has signed others: everything about it is right but the signature, which is
/// made with a key that the account does not have.
pub fn forge(executor: &Executor, batches: &[ExecutedBatch]) -> Result<Op> {
    let transfer = batches.iter().flat_map(|b| &b.records).find_map(|r| match &r.op {
        Op::Fund(FundOp::Transfer(op)) if op.account != op.to_account => Some(op.clone()),
        _ => None,
    });
    let mut op = transfer.context("no transfer between accounts to imitate")?;
    let ctl = Key::ctl(op.account.get(), op.sub.get().into());
    op.nonce = CtlCell::from_leaf(&executor.tree().get(ctl.raw()))?.nonce;
    let context = executor.next_context(0)?;
    let thief = SecretKey::from_seed(b"a key that is registered nowhere");
    op.signature = thief.sign(&message(&context.system, &op.message()));
    Ok(FundOp::from(op).into())
}

/// What became of a transfer that its payer did not sign.
pub struct Forgery {
    /// Why the ledger refused it.
    pub ledger: String,
    /// Why there is no proof of it.
    pub proof: String,
}

/// Hands a forged transfer to the ledger, and then to the prover with the ledger's check of signatures left out.
pub fn forged_transfer(
    forged: &Op,
    executor: &Executor,
    time: u64,
    registry: &Registry,
    pins: &Pins,
) -> Result<Forgery> {
    let done = executor.clone().execute(time, std::slice::from_ref(forged))?;
    let refused = done.rejected.first().context("the ledger accepts a forged transfer")?;
    let ledger = refused.reason.to_string();
    let batch = without_signatures(executor, time, forged)?;
    let proof = prove_forgery(&batch, registry, pins)?;
    Ok(Forgery { ledger, proof })
}

/// What a dishonest operator would execute: every rule but the signature.
fn without_signatures(executor: &Executor, time: u64, forged: &Op) -> Result<ExecutedBatch> {
    let context = executor.next_context(time)?;
    let mut view = Overlay { tree: executor.tree(), writes: HashMap::new() };
    let mut records = Vec::new();
    let params = Params::default();
    let rules = TradeContext { batch: &context, params: &params };
    for (index, op) in (0..).zip([FundOp::from(BeginBatch {}).into(), forged.clone()]) {
        let applied = apply_op_with(&view, &rules, index, &op, &Trusted)?;
        view.writes.extend(applied.accesses.iter().filter(|a| a.write).map(|a| (a.key, a.new)));
        records.push(OpRecord { op, receipt: applied.receipt, accesses: applied.accesses });
    }
    let before = executor.tree().snapshot();
    let mut after = before.snapshot();
    let writes: Vec<(u64, Digest)> = view.writes.iter().map(|(key, leaf)| (key.raw(), *leaf)).collect();
    after.update(&writes)?;
    Ok(ExecutedBatch::new(context, params.into(), before, after.root(), records, Vec::new())?)
}

struct Overlay<'a> {
    tree: &'a Tree,
    writes: HashMap<Key, Leaf>,
}

impl View for Overlay<'_> {
    fn get(&self, key: Key) -> Leaf {
        self.writes.get(&key).copied().unwrap_or_else(|| self.tree.get(key.raw()))
    }
}

/// A prover has no duty to an unsatisfying witness: it may refuse, panic, or make a proof that no verifier takes.
fn prove_forgery(batch: &ExecutedBatch, registry: &Registry, pins: &Pins) -> Result<String> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let outcome = catch_unwind(AssertUnwindSafe(|| prove_batch(batch, registry, pins, &|_| {})));
    std::panic::set_hook(hook);
    match outcome {
        Err(_) => Ok("the prover finds no witness".to_owned()),
        Ok(Err(error)) => Ok(format!("the prover refuses: {error}")),
        Ok(Ok((proofs, _))) => {
            let bundle = Bundle { batches: vec![proofs] };
            match check_bundle(&bundle, &registry.verifiers(pins), None) {
                Err(error) => Ok(format!("the proof made of it is refused: {error}")),
                Ok(_) => bail!("a forged transfer is proven"),
            }
        }
    }
}
