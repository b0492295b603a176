//! Native execution of batches over the state tree.

use std::collections::HashMap;
use std::sync::Arc;

use tsz_hash::Digest;
use tsz_ledger::{Access, AlgorithmId, BatchContext, BatchHeader, Cell, HeadCell, Key, Leaf, TransitionSet};
use tsz_smt::Tree;
use tsz_stf::{BeginBatch, FundOp, SigVerifier, View};
use tsz_trade::{Op, OpReceipt, OpReject, Params, TradeContext, apply_op_with};

use crate::error::EngineError;
use crate::signatures::Deferred;

/// One accepted op.
#[derive(Clone, Debug)]
pub struct OpRecord {
    /// The op.
    pub op: Op,
    /// What is reported to its sender.
    pub receipt: OpReceipt,
    /// Its accesses in order.
    pub accesses: Vec<Access>,
}

impl OpRecord {
    /// Whose rules it obeys.
    pub fn algorithm(&self) -> AlgorithmId {
        self.op.algorithm()
    }
}

/// An op that the rules refuse; it is not part of the batch.
#[derive(Clone, Debug)]
pub struct Rejected {
    /// Its place in the list of ops that were handed in.
    pub position: usize,
    /// Why.
    pub reason: OpReject,
}

/// A batch that has been executed and can be proven.
#[derive(Clone, Debug)]
pub struct ExecutedBatch {
    /// What is to be settled.
    pub header: BatchHeader,
    /// Parameters of the header's hash; the default ones if no op needs any.
    pub params: Arc<Params>,
    /// Tuple vectors by algorithm.
    pub set: TransitionSet,
    /// The state before the batch (a snapshot that shares its nodes with later states).
    pub before: Tree,
    /// Accepted ops in order of their sequence number; the first one is BeginBatch.
    pub records: Vec<OpRecord>,
    /// Ops that were refused.
    pub rejected: Vec<Rejected>,
}

impl ExecutedBatch {
    /// Puts a batch together from its context and parameters, the states around it and its accepted ops.
    ///
    /// # Errors
    /// [`EngineError::Set`] for more algorithm ids than a set holds.
    pub fn new(
        context: BatchContext,
        params: Arc<Params>,
        before: Tree,
        after: Digest,
        records: Vec<OpRecord>,
        rejected: Vec<Rejected>,
    ) -> Result<Self, EngineError> {
        let ops: Vec<(AlgorithmId, &[Access])> =
            records.iter().map(|r| (r.algorithm(), r.accesses.as_slice())).collect();
        let (set, _) = TransitionSet::from_ops(context.digest(), &ops)?;
        let header = BatchHeader {
            context,
            s0: before.root(),
            sn: after,
            ops: records.len() as u32,
            set_root: set.root(),
        };
        Ok(Self { header, params, set, before, records, rejected })
    }
}

/// State tree that batches are executed on.
#[derive(Clone, Debug)]
pub struct Executor {
    system: Digest,
    tree: Tree,
    params: Arc<Params>,
}

impl Executor {
    /// Starts from a state of the system with digest `system`, without parameters: enough for the fund family.
    pub fn new(system: Digest, tree: Tree) -> Self {
        Self { system, tree, params: Arc::default() }
    }

    /// Gives the parameters of the batches to come. A batch in which others are in force (SetParams counts from the
    /// next batch on) refuses the ops that need any.
    pub fn set_params(&mut self, params: Params) {
        self.params = Arc::new(params);
    }

    /// The present state.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Constants of the next batch if it has time `time` (ms).
    ///
    /// # Errors
    /// [`EngineError::State`] if the batch head is corrupt.
    pub fn next_context(&self, time: u64) -> Result<BatchContext, EngineError> {
        let head = HeadCell::from_leaf(&self.tree.get(Key::HEAD.raw()));
        let head = head.map_err(|e| EngineError::State(e.to_string()))?;
        let params = self.tree.get(Key::PARAMS.raw());
        Ok(BatchContext { system: self.system, batch: head.batch.get() + 1, time, params })
    }

    /// Executes `ops` as the next batch; refused ops change nothing. BeginBatch goes before them, unless they
    /// start with it.
    ///
    /// # Errors
    /// [`EngineError::Begin`] if the batch cannot start, or the state is corrupt; the state is unchanged.
    pub fn execute(&mut self, time: u64, ops: &[Op]) -> Result<ExecutedBatch, EngineError> {
        let context = self.next_context(time)?;
        let verifier = Deferred::default();
        let mut done = self.run(&context, ops, &verifier)?;
        let verdicts = verifier.verdicts();
        if !verdicts.all_valid() {
            // Some signature is wrong, so what followed it saw a state that never was.
            done = self.run(&context, ops, &verdicts)?;
        }
        let (records, rejected, writes) = done;
        let before = self.tree.snapshot();
        let writes: Vec<(u64, Digest)> = writes.into_iter().map(|(key, leaf)| (key.raw(), leaf)).collect();
        self.tree.update(&writes)?;
        ExecutedBatch::new(context, self.params.clone(), before, self.tree.root(), records, rejected)
    }

    fn run<S: SigVerifier>(
        &self,
        context: &BatchContext,
        ops: &[Op],
        verifier: &S,
    ) -> Result<Run, EngineError> {
        let mut view = Overlay { tree: &self.tree, writes: HashMap::new() };
        let context = TradeContext { batch: context, params: &self.params };
        let params = context.check_params();
        let (mut records, mut rejected) = (Vec::with_capacity(ops.len() + 1), Vec::new());
        let begin = Op::Fund(FundOp::BeginBatch(BeginBatch {}));
        records.push(view.apply(&context, 0, &begin, verifier).map_err(EngineError::Begin)?);
        let skip = usize::from(matches!(ops.first(), Some(Op::Fund(FundOp::BeginBatch(_)))));
        for (position, op) in ops.iter().enumerate().skip(skip) {
            let allowed = if op.needs_params() { params } else { Ok(()) };
            let index = records.len() as u32;
            let applied = allowed.map_err(OpReject::Trade);
            match applied.and_then(|()| view.apply(&context, index, op, verifier)) {
                Ok(record) => records.push(record),
                Err(reason) => rejected.push(Rejected { position, reason }),
            }
        }
        Ok((records, rejected, view.writes))
    }
}

type Run = (Vec<OpRecord>, Vec<Rejected>, HashMap<Key, Leaf>);

/// The tree with the writes of the batch so far.
struct Overlay<'a> {
    tree: &'a Tree,
    writes: HashMap<Key, Leaf>,
}

impl View for Overlay<'_> {
    fn get(&self, key: Key) -> Leaf {
        self.writes.get(&key).copied().unwrap_or_else(|| self.tree.get(key.raw()))
    }
}

impl Overlay<'_> {
    fn apply<S: SigVerifier>(
        &mut self,
        context: &TradeContext<'_>,
        index: u32,
        op: &Op,
        verifier: &S,
    ) -> Result<OpRecord, OpReject> {
        let applied = apply_op_with(self, context, index, op, verifier)?;
        self.writes.extend(applied.accesses.iter().filter(|a| a.write).map(|a| (a.key, a.new)));
        Ok(OpRecord { op: op.clone(), receipt: applied.receipt, accesses: applied.accesses })
    }
}
