//! Execution in memory, as a sequencer needs it.

use alloc::vec::Vec;
use tsz_ledger::{Access, Key};
use tsz_stf::{FlatView, SigVerifier};

use crate::{Op, OpReceipt, OpReject, Params, Party, Terms, TradeContext, TradeOp, apply_op_into};

fn party_of(terms: &Terms) -> Party {
    Party { account: terms.account, sub: terms.sub }
}

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
        self.touch(ctx.params, op);
        let receipt = apply_op_into(&self.view, ctx, index, op, verifier, &mut self.accesses)?;
        self.view.commit(&self.accesses);
        Ok(receipt)
    }

    /// Looks at what a trade will need of its two parties, before its rule asks for one after the other.
    fn touch(&self, params: &Params, op: &Op) {
        let common = |t: &Terms| {
            let (account, sub) = (t.account.get(), t.sub.get().into());
            [Key::sub(account, sub), Key::ord(account, sub, t.slot.get().into())]
        };
        match op {
            Op::Trade(TradeOp::PerpTrade(trade)) => {
                self.view.touch([&trade.taker.order, &trade.maker.order].into_iter().flat_map(|order| {
                    let [sub, ord] = common(&order.terms);
                    let pos = party_of(&order.terms).pos_key(order.market);
                    [sub, ord, pos]
                }));
            }
            Op::Trade(TradeOp::SpotTrade(trade)) => {
                let Some(market) = params.spot(trade.taker.order.market) else { return };
                self.view.touch([&trade.taker.order, &trade.maker.order].into_iter().flat_map(|order| {
                    let [sub, ord] = common(&order.terms);
                    let [base, quote] =
                        [market.base, market.quote].map(|t| party_of(&order.terms).bal_key(t));
                    [sub, ord, base, quote]
                }));
            }
            _ => {}
        }
    }
}
