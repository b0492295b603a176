//! Orders: what the runner fills in, and those it remembers by label.

use std::collections::HashMap;

use tsz_ledger::{CtlCell, Key, OrdCell};
use tsz_trade::{Order, Params, Party, PerpOrder, Prepared, Signed, SpotOrder, Terms};
use tsz_types::{AccountId, KillEpoch, Lots, MarketId, Nonce, Rate, Slot, SpotMarketId, TimeMs};

use super::fund::choose_signer;
use super::sign::Want;
use super::state::Moment;
use crate::op::blank_signature;
use crate::{Keyring, OrderSpec, OrderUse};

/// An order that waits for its signature, if the runner makes it.
#[derive(Clone, Debug)]
pub(crate) struct Pending<'k, O> {
    pub signed: Signed<O>,
    pub want: Option<Want<'k>>,
}

/// Orders by label, and the slots that they take.
#[derive(Debug, Default)]
pub(crate) struct Book<'k> {
    perps: HashMap<String, Pending<'k, PerpOrder>>,
    spots: HashMap<String, Pending<'k, SpotOrder>>,
    live: HashMap<Party, Vec<(Slot, Nonce)>>,
}

/// An order of either family, as the runner makes it.
pub(crate) trait Kind: Order + Copy + PartialEq {
    /// The order of a specification.
    fn build(spec: &OrderSpec, terms: Terms) -> Result<Self, String>;
    /// Fee caps of the order's market, of takers and of makers; zero if it does not exist.
    fn caps(params: &Params, market: u16) -> (Rate, Rate);
    /// The orders of this family.
    fn shelf<'a, 'k>(book: &'a mut Book<'k>) -> &'a mut HashMap<String, Pending<'k, Self>>;
}

impl Kind for PerpOrder {
    fn build(spec: &OrderSpec, terms: Terms) -> Result<Self, String> {
        let market = MarketId::try_from(i128::from(spec.market)).map_err(|e| e.to_string())?;
        let (reduce_only, trigger) = (spec.reduce_only.unwrap_or_default(), spec.trigger.unwrap_or_default());
        Ok(Self { market, reduce_only, trigger, terms })
    }

    fn caps(params: &Params, market: u16) -> (Rate, Rate) {
        params.perps.get(usize::from(market)).map_or((Rate::ZERO, Rate::ZERO), |m| (m.taker_cap, m.maker_cap))
    }

    fn shelf<'a, 'k>(book: &'a mut Book<'k>) -> &'a mut HashMap<String, Pending<'k, Self>> {
        &mut book.perps
    }
}

impl Kind for SpotOrder {
    fn build(spec: &OrderSpec, terms: Terms) -> Result<Self, String> {
        Ok(Self { market: SpotMarketId::new(spec.market).map_err(|e| e.to_string())?, terms })
    }

    fn caps(params: &Params, market: u16) -> (Rate, Rate) {
        params.spots.get(usize::from(market)).map_or((Rate::ZERO, Rate::ZERO), |m| (m.taker_cap, m.maker_cap))
    }

    fn shelf<'a, 'k>(book: &'a mut Book<'k>) -> &'a mut HashMap<String, Pending<'k, Self>> {
        &mut book.spots
    }
}

fn party(terms: &Terms) -> Party {
    Party { account: terms.account, sub: terms.sub }
}

fn slot_cell(at: &Moment<'_>, party: Party, slot: Slot) -> Result<OrdCell, String> {
    at.view.cell(Key::ord(party.account.get(), party.sub.get().into(), slot.get().into()))
}

/// Lots that an order has left.
pub(crate) fn remaining(at: &Moment<'_>, terms: &Terms) -> Result<Lots, String> {
    let cell = slot_cell(at, party(terms), terms.slot)?;
    let filled = if cell.next_nonce == terms.nonce { cell.filled.get() } else { 0 };
    Lots::new(terms.lots.get().saturating_sub(filled)).map_err(|e| e.to_string())
}

impl<'k> Book<'k> {
    /// The order of a use; a new one is filled in now. `other` is the order on the other side of the fill.
    pub fn resolve<O: Kind>(
        &mut self,
        used: &OrderUse,
        at: &Moment<'_>,
        keys: &'k Keyring,
        other: Option<&Terms>,
    ) -> Result<Pending<'k, O>, String> {
        match used {
            OrderUse::Label(label) => {
                let found = O::shelf(self).get(label).cloned();
                found.ok_or_else(|| format!("no order labelled {label:?} has been placed"))
            }
            OrderUse::New(spec) => self.place(spec, at, keys, other),
        }
    }

    /// Fills in an order, and remembers it if it has a label.
    pub fn place<O: Kind>(
        &mut self,
        spec: &OrderSpec,
        at: &Moment<'_>,
        keys: &'k Keyring,
        other: Option<&Terms>,
    ) -> Result<Pending<'k, O>, String> {
        let (key_slot, signer) = choose_signer(at, keys, spec.account, spec.key.as_deref(), spec.key_slot)?;
        let order = O::build(spec, self.terms(spec, at, O::caps(at.params, spec.market), other)?)?;
        let signature = spec.signature.unwrap_or_else(blank_signature);
        let mut signed = Signed { order, key_slot, signature, prepared: Prepared::default() };
        signed.prepare(&at.context.system);
        let digest = signed.digest(&at.context.system);
        let want = signer.filter(|_| spec.signature.is_none()).map(|signer| Want { signer, digest });
        let pending = Pending { signed, want };
        if let Some(label) = &spec.order {
            let terms = order.terms();
            self.live.entry(party(terms)).or_default().push((terms.slot, terms.nonce));
            O::shelf(self).insert(label.clone(), pending.clone());
        }
        Ok(pending)
    }

    /// Slot and nonce of a labelled order, and its party.
    pub fn find(&self, label: &str) -> Option<(Party, Slot, Nonce)> {
        let perp = self.perps.get(label).map(|p| p.signed.order.terms);
        let terms = perp.or_else(|| self.spots.get(label).map(|p| p.signed.order.terms))?;
        Some((party(&terms), terms.slot, terms.nonce))
    }

    fn terms(
        &mut self,
        spec: &OrderSpec,
        at: &Moment<'_>,
        caps: (Rate, Rate),
        other: Option<&Terms>,
    ) -> Result<Terms, String> {
        let owner = Party { account: spec.account, sub: spec.sub };
        let taken = other.filter(|terms| party(terms) == owner).map(|terms| terms.slot);
        let slot = match spec.slot {
            Some(slot) => slot,
            None => self.free_slot(owner, at, taken)?,
        };
        let nonce = match spec.nonce {
            Some(nonce) => nonce,
            None => slot_cell(at, owner, slot)?.next_nonce,
        };
        Ok(Terms {
            account: spec.account,
            sub: spec.sub,
            slot,
            nonce,
            side: spec.side,
            lots: spec.lots,
            price: spec.price,
            tif: spec.tif.unwrap_or_default(),
            self_trade: spec.self_trade.unwrap_or_default(),
            max_taker_fee: spec.max_taker_fee.unwrap_or(caps.0),
            max_maker_fee: spec.max_maker_fee.unwrap_or(caps.1),
            broker: spec.broker.unwrap_or(AccountId::FEES),
            broker_rate: spec.broker_rate.unwrap_or(Rate::ZERO),
            expiry: spec.expiry.unwrap_or(TimeMs::MAX),
            kill_epoch: match spec.kill_epoch {
                Some(epoch) => epoch,
                None => kill_epoch(at, owner)?,
            },
        })
    }

    /// The first slot without a live order.
    fn free_slot(&mut self, owner: Party, at: &Moment<'_>, taken: Option<Slot>) -> Result<Slot, String> {
        for number in 0..=Slot::MAX.get() {
            let slot = Slot::new(number).map_err(|e| e.to_string())?;
            let cell = slot_cell(at, owner, slot)?;
            let live = self.live.get_mut(&owner).is_some_and(|list| {
                list.retain(|(s, nonce)| *s != slot || *nonce >= cell.next_nonce);
                list.iter().any(|(s, _)| *s == slot)
            });
            if !live && cell.filled == Lots::MIN && taken != Some(slot) {
                return Ok(slot);
            }
        }
        Err("all order slots are taken".to_owned())
    }
}

/// The kill epoch of a sub-account.
pub(crate) fn kill_epoch(at: &Moment<'_>, owner: Party) -> Result<KillEpoch, String> {
    at.view.cell(Key::ctl(owner.account.get(), owner.sub.get().into())).map(|cell: CtlCell| cell.kill_epoch)
}
