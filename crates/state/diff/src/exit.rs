//! Proofs by which an account leaves with what it holds.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use thiserror::Error;
use tsz_hash::{Digest, ZERO};
use tsz_ledger::cells::MAX_MARGIN_TOKENS;
use tsz_ledger::key::cell;
use tsz_ledger::{AcctCell, Cell, CellError, Key, Leaf, Realm as Half};
use tsz_smt::Proof;
use tsz_types::{AccountId, EthAddress, MarketId};

use crate::Realm;

/// Why there is no exit, or why a proof is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExitError {
    /// No such account.
    #[error("account {0} does not exist")]
    NoAccount(AccountId),
    /// The account cell is corrupt.
    #[error(transparent)]
    Cell(#[from] CellError),
    /// A margin token in a place that no market is given for.
    #[error("no market is given for the margin token in place {place}")]
    Pricing {
        /// Its place.
        place: u32,
    },
    /// The first leaf is not the account's.
    #[error("the first leaf is not that of account {0} and its owner")]
    Account(AccountId),
    /// A leaf is not in the state with this root.
    #[error("key {key:#x} does not have the claimed value in the state")]
    Leaf {
        /// Its key.
        key: u64,
    },
}

/// A leaf and its place in the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExitLeaf {
    /// Its key.
    pub key: Key,
    /// Its value.
    pub value: Leaf,
    /// The digests beside its path, from the root down.
    pub proof: Proof,
}

/// What an account holds in the state of a batch, each leaf with its proof: the account cell, then the collateral,
/// balances and positions of its sub-accounts by increasing key, then price and funding of the markets that it has
/// positions in or that price its margin tokens, and, if there is such a market, the hash of the parameters that say what
/// these count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExitProof {
    /// The batch.
    pub batch: u64,
    /// The state root after it.
    pub root: Digest,
    /// The account.
    pub account: AccountId,
    /// Who may exit.
    pub owner: EthAddress,
    /// The leaves.
    pub leaves: Vec<ExitLeaf>,
}

/// Cells of a sub-account that hold something: collateral, margin and token balances, positions.
fn holdings() -> impl Iterator<Item = u32> {
    core::iter::once(cell::SUB)
        .chain(cell::MBAL..cell::MBAL + u32::from(MAX_MARGIN_TOKENS))
        .chain(cell::BAL..cell::COUNT)
}

/// Place of the collateral token whose margin balance the cell holds.
fn margin_place(number: u32) -> Option<u32> {
    number.checked_sub(cell::MBAL).filter(|place| *place < MAX_MARGIN_TOKENS.into())
}

impl Realm {
    /// What an account holds, with proofs against [`Realm::root`]. `pricing` are the markets that price the collateral
    /// tokens, by place in the parameters in force; these are posted on L1, and their hash is among the leaves.
    ///
    /// # Errors
    /// [`ExitError::NoAccount`], a corrupt account cell, or [`ExitError::Pricing`].
    pub fn exit(&self, account: AccountId, pricing: &[MarketId]) -> Result<ExitProof, ExitError> {
        let acct = Key::acct(account.get());
        let owner = AcctCell::from_leaf(&self.get(acct))?.owner.ok_or(ExitError::NoAccount(account))?;
        let mut keys = alloc::vec![acct];
        let mut markets = BTreeSet::new();
        for (sub, number) in (0..32).flat_map(|sub| holdings().map(move |number| (sub, number))) {
            let key = Key::user(Half::Published, account.get(), sub, number);
            if self.get(key) != ZERO {
                keys.push(key);
                markets.extend(number.checked_sub(cell::POS));
                if let Some(place) = margin_place(number) {
                    let market = pricing.get(place as usize).ok_or(ExitError::Pricing { place })?;
                    markets.insert(market.get().into());
                }
            }
        }
        let params = (!markets.is_empty()).then_some(Key::PARAMS);
        keys.extend(markets.into_iter().flat_map(|m| [Key::mkp(m), Key::mkf(m)]).chain(params));
        let leaf = |key: Key| ExitLeaf { key, value: self.get(key), proof: self.proof(key) };
        let leaves = keys.into_iter().map(leaf).collect();
        Ok(ExitProof { batch: self.batch(), root: self.root(), account, owner, leaves })
    }
}

impl ExitProof {
    /// Checks every leaf against a state root that the caller trusts.
    ///
    /// # Errors
    /// [`ExitError`] for the first leaf that is not in that state, or another owner than the account cell names.
    pub fn verify(&self, root: &Digest) -> Result<(), ExitError> {
        let acct = AcctCell { owner: Some(self.owner) }.to_leaf();
        let first = self.leaves.first().map(|leaf| (leaf.key, leaf.value));
        if first != Some((Key::acct(self.account.get()), acct)) {
            return Err(ExitError::Account(self.account));
        }
        let wrong = |leaf: &&ExitLeaf| !leaf.proof.verify(root, leaf.key.raw(), &leaf.value);
        match self.leaves.iter().find(wrong) {
            Some(leaf) => Err(ExitError::Leaf { key: leaf.key.raw() }),
            None => Ok(()),
        }
    }
}
