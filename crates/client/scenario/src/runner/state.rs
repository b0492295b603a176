//! The state during a batch.

use std::collections::{BTreeMap, HashMap};

use tsz_ledger::key::cell;
use tsz_ledger::{Access, BatchContext, Cell, Key, Leaf, PosCell, Realm};
use tsz_smt::Tree;
use tsz_stf::View;
use tsz_trade::{Params, Party, TradeContext};
use tsz_types::{AccountId, MarketId, SubId};

/// The state: the tree before the batch and what the batch wrote.
#[derive(Clone, Debug)]
pub(crate) struct Overlay<'a> {
    tree: &'a Tree,
    written: HashMap<Key, Leaf>,
}

impl View for Overlay<'_> {
    fn get(&self, key: Key) -> Leaf {
        self.written.get(&key).copied().unwrap_or_else(|| self.tree.get(key.raw()))
    }
}

impl<'a> Overlay<'a> {
    /// The state of a tree.
    pub fn new(tree: &'a Tree) -> Self {
        Self { tree, written: HashMap::new() }
    }

    /// Carries out the writes of an access log.
    pub fn commit(&mut self, accesses: &[Access]) {
        self.written.extend(accesses.iter().filter(|a| a.write).map(|a| (a.key, a.new)));
    }

    /// The leaves that differ from the tree.
    pub fn into_writes(self) -> Vec<(u64, Leaf)> {
        self.written.into_iter().map(|(key, leaf)| (key.raw(), leaf)).collect()
    }

    /// A typed cell.
    pub fn cell<C: Cell>(&self, key: Key) -> Result<C, String> {
        C::from_leaf(&self.get(key)).map_err(|e| e.to_string())
    }
}

/// What the rules get, at one moment of a batch.
pub(crate) struct Moment<'a> {
    pub view: Overlay<'a>,
    pub context: BatchContext,
    pub params: &'a Params,
}

impl Moment<'_> {
    /// The constants of the batch.
    pub fn trade(&self) -> TradeContext<'_> {
        TradeContext { batch: &self.context, params: self.params }
    }
}

/// A user's cell: its party, realm and cell number.
pub(crate) fn user_cell(key: Key) -> Option<(Party, Realm, u32)> {
    if key.hi() >> 24 & 1 == 1 {
        return None;
    }
    let account = AccountId::new(key.hi() & 0xff_ffff).ok()?;
    let sub = SubId::new((key.lo() >> 9) as u8).ok()?;
    Some((Party { account, sub }, key.realm(), key.lo() % cell::COUNT))
}

/// A system cell: kind and index.
pub(crate) fn system_cell(key: Key) -> Option<(u32, u32)> {
    let raw = key.raw();
    (key.hi() >> 24 & 1 == 1).then_some(((raw >> 32 & 63) as u32, raw as u32))
}

/// The market of a position cell.
pub(crate) fn position_cell(key: Key) -> Option<(Party, MarketId)> {
    let (party, realm, number) = user_cell(key)?;
    let market = number.checked_sub(cell::POS).filter(|_| realm == Realm::Published)?;
    Some((party, MarketId::try_from(i128::from(market)).ok()?))
}

/// Open positions by market, kept from the access logs: no genesis has any.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holders(BTreeMap<(MarketId, Party), i64>);

impl Holders {
    /// Follows the writes of an access log.
    pub fn commit(&mut self, accesses: &[Access]) {
        for access in accesses.iter().filter(|a| a.write) {
            let Some((party, market)) = position_cell(access.key) else { continue };
            match PosCell::from_leaf(&access.new).map_or(0, |cell| cell.size()) {
                0 => self.0.remove(&(market, party)),
                size => self.0.insert((market, party), size),
            };
        }
    }

    /// Holders in a market on the side with this sign, by party.
    pub fn on_side(&self, market: MarketId, sign: i64) -> impl Iterator<Item = (Party, i64)> + '_ {
        let of_market = self.0.iter().filter(move |((m, _), size)| *m == market && size.signum() == sign);
        of_market.map(|((_, party), size)| (*party, *size))
    }
}
