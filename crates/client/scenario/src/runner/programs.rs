//! Operations of the programs that come with the system: the runner finds parties, signed words and cells.

use tsz_ext::poseidon24::absorb;
use tsz_ext::{ApprovalPolicy, ApprovalSlot, Approver, Extension, Installed, discover, key};
use tsz_ext_apps::order::{KIND_ORDER, ORDER_WORDS, host::Order};
use tsz_ext_apps::{block, broker, options};
use tsz_ext_sdk::{CELL, Leaf};
use tsz_types::{AccountId, SubId};

use super::Desk;
use super::state::Moment;
use crate::op::{BrokerMatchSpec, OptionTradeSpec, OrderTerms, SeriesSpec, Taker, TermsSpec, Trader};

/// The words of terms; those of an order have the epoch of the approval that it belongs to.
pub(super) fn words_of(terms: &TermsSpec, place: Approver, at: &Moment<'_>) -> Result<Vec<u32>, String> {
    let order = match terms {
        TermsSpec::Words(words) => return Ok(words.clone()),
        TermsSpec::Order { order } => order,
    };
    let OrderTerms { subject, holding, side, limit, lots, max_fee } = order;
    let policy: ApprovalPolicy = at.view.cell(key::policy(place.account, place.sub, *holding))?;
    let (slot, sells) = (holding.get().into(), *side == tsz_trade::Side::Sell);
    let order = Order { epoch: policy.epoch, slot, sells, limit: *limit, lots: *lots, max_fee: *max_fee };
    Ok(tsz_ext_apps::order::host::terms(&subject.digest(), &order))
}

impl Desk<'_> {
    /// A trade of options.
    pub(super) fn option_trade(&self, spec: &OptionTradeSpec, at: &Moment<'_>) -> Result<Extension, String> {
        let series = &spec.series.0;
        let subject = options::host::subject(absorb, series);
        let vault = vault(&spec.series)?;
        let parties = sorted(vec![vault, spec.buyer.place, spec.seller.place]);
        let side = |trader: &Trader, sells, fee| -> Result<options::host::Side, String> {
            let (slot, order) = self.order(trader, &subject, sells)?;
            Ok((place(&parties, &trader.place), slot, fee, order))
        };
        let [buyer_fee, seller_fee] = spec.fees;
        let (buyer, seller) = (side(&spec.buyer, false, buyer_fee)?, side(&spec.seller, true, seller_fee)?);
        let house = place(&parties, &vault);
        let args = options::host::trade(series, house, [&buyer, &seller], spec.price, spec.lots);
        plan("options", parties, args, at)
    }

    /// A match of a house's clients.
    pub(super) fn broker_match(&self, spec: &BrokerMatchSpec, at: &Moment<'_>) -> Result<Extension, String> {
        let venue = &spec.venue.0;
        let subject = broker::host::subject(absorb, venue);
        let house = approver(venue.house, venue.house_sub, venue.house_slot)?;
        let terms = self.approved(&house)?.get(1 + CELL..).and_then(|w| w.try_into().ok());
        let terms = terms.and_then(|w| broker::House::parse(w).ok()).ok_or("the house has other terms")?;
        let mut parties = vec![house, spec.buyer.place, spec.seller.place];
        let mut clients = Vec::new();
        for (trader, sells) in [(&spec.buyer, false), (&spec.seller, true)] {
            let mandate = self.approved(&trader.place)?.get(1 + CELL..).and_then(|w| w.try_into().ok());
            let mandate = mandate.and_then(|w| broker::Mandate::parse(w).ok());
            let account = trader.place.account;
            let mandate = mandate.ok_or_else(|| format!("account {account} has no mandate there"))?;
            let introducer = self.introducer(&mandate)?;
            let known = |p: &Approver| parties.iter().any(|q| (q.account, q.sub) == (p.account, p.sub));
            let more = introducer.filter(|p| !known(p));
            parties.extend(more);
            clients.push((trader, sells, mandate));
        }
        let parties = sorted(parties);
        let side = |(trader, sells, mandate): &(&Trader, bool, broker::Mandate)| {
            let (slot, order) = self.order(trader, &subject, *sells)?;
            let (account, sub) = mandate.introducer;
            let same = |p: &Approver| (p.account.get(), u32::from(p.sub.get())) == (account, sub);
            let introducer = parties.iter().position(same).unwrap_or(0) as u32; // at most 16
            let party = place(&parties, &trader.place);
            Ok::<_, String>(broker::host::Side { party, slot, introducer, mandate: *mandate, order })
        };
        let sides = clients.iter().map(side).collect::<Result<Vec<_>, _>>()?;
        let [buyer, seller] = sides.as_slice() else { return Err("a match has two sides".to_owned()) };
        let deal = broker::host::Match {
            price: spec.price,
            lots: spec.lots,
            seller_takes: spec.taker == Taker::Seller,
            time: at.context.time,
        };
        let args = broker::host::args(place(&parties, &house), venue, &terms, [buyer, seller], &deal);
        plan("broker", parties, args, at)
    }

    /// Lots of a deal, in the words that the buyer signed.
    pub(super) fn block_trade(
        &self,
        buyer: Approver,
        seller: Approver,
        lots: u64,
        at: &Moment<'_>,
    ) -> Result<Extension, String> {
        let parties = sorted(vec![buyer, seller]);
        let (_, deal) = self.approved(&buyer)?.split_last_chunk().ok_or("the buyer has approved no deal")?;
        let args = block::host::fill(place(&parties, &buyer), lots, deal);
        plan("block", parties, args, at)
    }

    /// A payment of what is due.
    pub(super) fn vesting_pay(
        &self,
        payer: Approver,
        receiver: Approver,
        at: &Moment<'_>,
    ) -> Result<Extension, String> {
        let parties = sorted(vec![payer, receiver]);
        let args = [&[place(&parties, &payer)], self.approved(&payer)?].concat();
        plan("vesting", parties, args, at)
    }

    /// The words of what the file approved last in a slot.
    pub(super) fn approved(&self, place: &Approver) -> Result<&[u32], String> {
        let found = self.terms.get(&(place.account, place.sub, place.slot));
        let (account, slot) = (place.account, place.slot.get());
        found
            .map(Vec::as_slice)
            .ok_or_else(|| format!("account {account} has approved nothing in slot {slot}"))
    }

    /// Slot and words of an order: the one named, or the first of this subject, side and holding.
    fn order(
        &self,
        trader: &Trader,
        subject: &Leaf,
        sells: bool,
    ) -> Result<(u32, [u32; ORDER_WORDS]), String> {
        let Approver { account, slot: holding, .. } = trader.place;
        let in_slot = |slot| {
            let words = self.approved(&Approver { slot, ..trader.place }).ok()?;
            let (head, order) = words.split_last_chunk::<ORDER_WORDS>()?;
            let (kind, about) = head.split_first()?;
            (*kind == KIND_ORDER && about.len() == CELL).then_some((u32::from(slot.get()), about, *order))
        };
        if let Some(slot) = trader.order {
            let found = in_slot(slot).map(|(slot, _, order)| (slot, order));
            return found.ok_or_else(|| format!("account {account} has no order in slot {}", slot.get()));
        }
        let belongs =
            |order: &[u32; ORDER_WORDS]| order[1] == u32::from(sells) + 2 * u32::from(holding.get());
        let mut orders = (0..).map_while(ApprovalSlot::new).filter_map(in_slot);
        let found = orders.find(|(_, about, order)| *about == subject && belongs(order));
        let side = if sells { "sell" } else { "buy" };
        let missing = || format!("account {account} has no order to {side} this");
        found.map(|(slot, _, order)| (slot, order)).ok_or_else(missing)
    }

    /// Who introduced a client: the first approval of that sub-account in the file.
    fn introducer(&self, mandate: &broker::Mandate) -> Result<Option<Approver>, String> {
        let (account, sub) = mandate.introducer;
        if account == 0 {
            return Ok(None);
        }
        let mut slots = (0..7).map(|slot| approver(account, sub, slot));
        let found = slots.find(|p| p.as_ref().is_ok_and(|p| self.approved(p).is_ok()));
        found
            .unwrap_or_else(|| Err(format!("account {account} introduced a client and has approved nothing")))
            .map(Some)
    }
}

/// A sample of the price of a series.
pub(super) fn option_sample(spec: &SeriesSpec, at: &Moment<'_>) -> Result<Extension, String> {
    plan("options", vec![vault(spec)?], options::host::observe(&spec.0, 0), at)
}

/// A payout of a series.
pub(super) fn option_payout(
    spec: &SeriesSpec,
    holders: &[Approver],
    at: &Moment<'_>,
) -> Result<Extension, String> {
    let vault = vault(spec)?;
    let parties = sorted([&[vault], holders].concat());
    let args = options::host::claim(&spec.0, place(&parties, &vault));
    plan("options", parties, args, at)
}

/// An operation with the cells that its program asks for. What it refuses now it refuses in the ledger too.
fn plan(name: &str, parties: Vec<Approver>, args: Vec<u32>, at: &Moment<'_>) -> Result<Extension, String> {
    let program = Installed::id(name).ok_or_else(|| format!("the program {name} is not installed"))?;
    let mut op = Extension { program, parties, cells: Vec::new(), args };
    let _ = discover(&at.view, &Installed, at.context.time, &mut op);
    Ok(op)
}

fn sorted(mut parties: Vec<Approver>) -> Vec<Approver> {
    parties.sort_unstable_by_key(|p| (p.account, p.sub));
    parties
}

/// Place of a party, which is among them.
fn place(parties: &[Approver], party: &Approver) -> u32 {
    parties.iter().position(|p| p == party).unwrap_or(0) as u32 // at most 2^32 parties fit a file
}

fn vault(spec: &SeriesSpec) -> Result<Approver, String> {
    approver(spec.0.vault, spec.0.vault_sub, spec.0.vault_slot)
}

/// Where an approval lies, from the numbers of a program.
fn approver(account: u32, sub: u32, slot: u32) -> Result<Approver, String> {
    let account = AccountId::new(account).map_err(|e| e.to_string())?;
    let sub = SubId::try_from(i128::from(sub)).map_err(|e| e.to_string())?;
    let slot = u8::try_from(slot).ok().and_then(ApprovalSlot::new).ok_or("an approval slot is below 7")?;
    Ok(Approver { account, sub, slot })
}
