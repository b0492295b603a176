//! Execution in memory, as a sequencer needs it.

use alloc::vec::Vec;
use tsz_ledger::Access;
use tsz_stf::{FlatView, SigVerifier};

use crate::{Op, OpReceipt, OpReject, TradeContext, apply_op_into};

/// A state in memory and the operations that change it, one after the other.
///
/// A trade allocates nothing once the buffer has grown, unless a map has to (`tests/allocations.rs`). Signatures are
/// the verifier's affair: one that collects them for [`tsz_sig::verify_batch`] costs a seventh of one that verifies
/// each at once. Orders that are [prepared](crate::Signed::prepare) at intake are not hashed again.
#[derive(Clone, Debug, Default)]
pub struct MemExecutor {
    view: FlatView,
    accesses: Vec<Access>,
}

impl MemExecutor {
    /// Starts from a state.
    pub fn new(view: FlatView) -> Self {
        Self { view, accesses: Vec::new() }
    }

    /// The present state.
    pub fn view(&self) -> &FlatView {
        &self.view
    }

    /// Gives the state up.
    pub fn into_view(self) -> FlatView {
        self.view
    }

    /// Access log of the last operation; empty if it was refused.
    pub fn accesses(&self) -> &[Access] {
        &self.accesses
    }

    /// Applies op `index` (0-based in the batch) and carries out its writes. That the parameters are those of the
    /// batch is to be asked once a batch ([`TradeContext::check_params`]).
    ///
    /// # Errors
    /// An [`OpReject`]; nothing has changed then.
    pub fn apply<S: SigVerifier>(
        &mut self,
        ctx: &TradeContext<'_>,
        index: u32,
        op: &Op,
        verifier: &S,
    ) -> Result<OpReceipt, OpReject> {
        let receipt = apply_op_into(&self.view, ctx, index, op, verifier, &mut self.accesses)?;
        self.view.commit(&self.accesses);
        Ok(receipt)
    }
}
