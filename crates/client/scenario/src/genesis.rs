//! The first state of a scenario.

use rayon::prelude::*;
use tsz_ledger::{Cell, Key, KeyPolicy, Leaf, MkfCell, MkpCell, Permissions, Scheme};
use tsz_smt::Tree;
use tsz_stf::{Genesis, GenesisAccount, GenesisKey};
use tsz_trade::HOUR_MS;
use tsz_types::{AccountId, KeySlot, TimeMs};

use crate::spec::{AccountSpec, CollateralSpec, GenesisSpec, HoldingSpec, KeySpec, Population};
use crate::{Keyring, ScenarioError};

impl GenesisSpec {
    /// The accounts, tokens and parameters.
    pub(crate) fn resolve(&self, keys: &Keyring) -> Result<Genesis, ScenarioError> {
        let listed = self.accounts.iter().enumerate();
        let mut accounts = listed.map(|(k, a)| a.resolve(k, keys)).collect::<Result<Vec<_>, _>>()?;
        if let Some(population) = &self.population {
            accounts.extend(population.resolve(self.first_of_population(), keys)?);
        }
        Ok(Genesis {
            operator: self.operator,
            tokens: self.tokens.iter().map(Into::into).collect(),
            time: self.time.get(),
            parameters: self.params.as_ref().map(|spec| spec.params.hash()).unwrap_or_default(),
            accounts,
            ..Genesis::default()
        })
    }

    /// The state tree.
    pub(crate) fn tree(&self, keys: &Keyring) -> Result<Tree, ScenarioError> {
        let mut leaves = self.resolve(keys)?.leaves()?;
        leaves.extend(self.prices.iter().flat_map(|price| self.price_leaves(price)));
        leaves.sort_unstable_by_key(|(key, _)| *key);
        if let Some(k) = leaves.windows(2).position(|w| w[0].0 == w[1].0) {
            let message = format!("two prices of one market (leaf {:#x})", leaves[k].0.raw());
            return Err(ScenarioError::field("genesis.prices", message));
        }
        let leaves: Vec<_> = leaves.into_iter().map(|(k, v)| (k.raw(), v)).collect();
        Ok(Tree::from_leaves(&leaves)?)
    }

    /// A market whose price is of the time of the genesis and whose funding is up to date.
    fn price_leaves(&self, price: &crate::PriceSpec) -> impl Iterator<Item = (Key, Leaf)> + use<> {
        let (market, time) = (price.market.get().into(), self.time.get());
        let prices =
            MkpCell { index: price.index.get(), mark: price.mark.get(), price_ts: time, settled: false };
        let hour = u32::try_from(time / HOUR_MS).unwrap_or(u32::MAX); // 48 bits of ms are below 2^27 hours
        let funding = MkfCell { hour, ..MkfCell::default() };
        let leaves = [(Key::mkp(market), prices.to_leaf()), (Key::mkf(market), funding.to_leaf())];
        leaves.into_iter().filter(|(_, leaf)| *leaf != tsz_hash::ZERO)
    }
}

impl AccountSpec {
    /// The account with key ids for labels. `index` is its place in the list.
    pub(crate) fn resolve(&self, index: usize, keys: &Keyring) -> Result<GenesisAccount, ScenarioError> {
        let key = |(k, spec): (usize, &KeySpec)| {
            let path = format!("genesis.accounts[{index}].keys[{k}].key");
            let key_id = keys.key_id(&spec.key).map_err(|m| ScenarioError::field(path, m))?;
            let policy = KeyPolicy {
                scheme: keys.scheme(&key_id),
                permissions: spec.permissions,
                expiry: spec.expiry,
            };
            Ok(GenesisKey { slot: spec.slot, key_id, policy })
        };
        Ok(GenesisAccount {
            owner: self.owner,
            keys: self.keys.iter().enumerate().map(key).collect::<Result<_, ScenarioError>>()?,
            balances: holdings(&self.balances),
            collateral: collateral(&self.collateral),
        })
    }
}

impl Population {
    fn resolve(&self, first: u32, keys: &Keyring) -> Result<Vec<GenesisAccount>, ScenarioError> {
        let path = "genesis.population.count";
        let end = first.checked_add(self.count).filter(|end| *end <= AccountId::MAX.get() + 1);
        let end = end.ok_or_else(|| ScenarioError::field(path, "more accounts than ids"))?;
        let policy =
            KeyPolicy { scheme: Scheme::Schnorr, permissions: Permissions::ALL, expiry: TimeMs::MAX };
        let account = |n: u32| {
            let mut account = GenesisAccount {
                owner: self.owner_of(n),
                keys: Vec::new(),
                balances: holdings(&self.balances),
                collateral: collateral(&self.collateral),
            };
            if self.is_active(n - first) {
                let key_id = keys.key_id(&self.label(n)).map_err(|m| ScenarioError::field(path, m))?;
                account.keys.push(GenesisKey { slot: KeySlot::MIN, key_id, policy });
                account.balances.extend(holdings(&self.active_balances));
                account.collateral.extend(collateral(&self.active_collateral));
            }
            Ok(account)
        };
        (first..end).into_par_iter().map(account).collect()
    }
}

fn holdings(specs: &[HoldingSpec]) -> Vec<(tsz_types::SubId, tsz_types::TokenId, tsz_types::Balance)> {
    specs.iter().map(|h| (h.sub, h.token, h.amount.micros())).collect()
}

fn collateral(specs: &[CollateralSpec]) -> Vec<(tsz_types::SubId, tsz_types::Collateral)> {
    specs.iter().map(|c| (c.sub, c.amount.micros())).collect()
}
