//! The first state of a scenario.

use rayon::prelude::*;
use tsz_ledger::{KeyPolicy, Permissions, Scheme};
use tsz_smt::Tree;
use tsz_stf::{Genesis, GenesisAccount, GenesisKey};
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
            tokens: self.tokens.clone(),
            time: self.time.get(),
            accounts,
            ..Genesis::default()
        })
    }

    /// The state tree.
    pub(crate) fn tree(&self, keys: &Keyring) -> Result<Tree, ScenarioError> {
        let leaves: Vec<_> = self.resolve(keys)?.leaves()?.into_iter().map(|(k, v)| (k.raw(), v)).collect();
        Ok(Tree::from_leaves(&leaves)?)
    }
}

impl AccountSpec {
    /// The account with key ids for labels. `index` is its place in the list.
    pub(crate) fn resolve(&self, index: usize, keys: &Keyring) -> Result<GenesisAccount, ScenarioError> {
        let key = |(k, spec): (usize, &KeySpec)| {
            let path = format!("genesis.accounts[{index}].keys[{k}].key");
            let key_id = keys.key_id(&spec.key).map_err(|m| ScenarioError::field(path, m))?;
            let policy =
                KeyPolicy { scheme: Scheme::Schnorr, permissions: spec.permissions, expiry: spec.expiry };
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
