//! The first state.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tsz_hash::{Digest, ZERO};
use tsz_ledger::cells::MAX_ACCOUNTS;
use tsz_ledger::{AcctCell, BalCell, Cell, HeadCell, Key, KeyPolicy, Leaf, SubCell, TokCell};
use tsz_types::{
    AccountId, Balance, BatchNumber, Collateral, EthAddress, KeySlot, SubId, TimeMs, TokenId, Units,
};

/// A token that can be withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenListing {
    /// The token.
    pub token: TokenId,
    /// The least amount of a withdrawal.
    pub minimum: Units,
}

/// A key that an account has from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GenesisKey {
    /// Its slot.
    pub slot: KeySlot,
    /// Its id.
    pub key_id: Digest,
    /// Its policy.
    pub policy: KeyPolicy,
}

/// An account with holdings from the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GenesisAccount {
    /// L1 owner.
    pub owner: EthAddress,
    /// Keys.
    pub keys: Vec<GenesisKey>,
    /// Balances by sub-account and token.
    pub balances: Vec<(SubId, TokenId, Balance)>,
    /// Collateral by sub-account.
    pub collateral: Vec<(SubId, Collateral)>,
}

/// Everything that the first state depends on. User `k` of the list is account `k + 2`; the fee and the insurance
/// account exist besides and belong to the operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Genesis {
    /// L1 owner of the accounts 0 and 1.
    pub operator: EthAddress,
    /// Listed tokens.
    pub tokens: Vec<TokenListing>,
    /// Time before which no batch can be.
    pub time: u64,
    /// Root of the vk tree.
    pub vk_root: Digest,
    /// Hash of the parameters.
    pub parameters: Digest,
    /// Users.
    pub accounts: Vec<GenesisAccount>,
}

/// Why there is no such first state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum GenesisError {
    /// More accounts than ids.
    #[error("{0} accounts and the two reserved ones exceed {MAX_ACCOUNTS}")]
    TooManyAccounts(usize),
    /// A token listed twice.
    #[error("token {0} is listed twice")]
    DuplicateToken(TokenId),
    /// A holding of a token nobody can withdraw.
    #[error("account {0} holds token {1}, which is not listed")]
    NotListed(AccountId, TokenId),
    /// Two values for one cell.
    #[error("account {0}: a key slot, a balance or a collateral occurs twice")]
    DuplicateCell(AccountId),
    /// More than L1 can hold.
    #[error("the total of token {0} is not below 2^60 units")]
    Total(TokenId),
    /// A time above 48 bits.
    #[error("time {0} does not fit 48 bits")]
    Time(u64),
}

impl Genesis {
    /// The nonzero leaves, sorted by key.
    pub fn leaves(&self) -> Result<Vec<(Key, Leaf)>, GenesisError> {
        let mut out = self.system_leaves()?;
        let listed: BTreeSet<TokenId> = self.tokens.iter().map(|t| t.token).collect();
        let mut totals = BTreeMap::new();
        for account in [AccountId::FEES, AccountId::INSURANCE] {
            let owner = AcctCell { owner: Some(self.operator) };
            out.push((Key::acct(account.get()), owner.to_leaf()));
        }
        for (number, account) in (AccountId::FIRST_USER.get()..).zip(&self.accounts) {
            let id =
                AccountId::new(number).map_err(|_| GenesisError::TooManyAccounts(self.accounts.len()))?;
            account.check(id, &listed, &mut totals)?;
            account.push_leaves(id, &mut out);
        }
        out.retain(|(_, leaf)| *leaf != ZERO);
        out.sort_unstable_by_key(|(key, _)| *key);
        Ok(out)
    }

    fn system_leaves(&self) -> Result<Vec<(Key, Leaf)>, GenesisError> {
        let mut seen = BTreeSet::new();
        if let Some(token) = self.tokens.iter().find(|t| !seen.insert(t.token)) {
            return Err(GenesisError::DuplicateToken(token.token));
        }
        let too_many = GenesisError::TooManyAccounts(self.accounts.len());
        let next_account = u32::try_from(self.accounts.len() + 2).map_err(|_| too_many)?;
        if next_account > MAX_ACCOUNTS {
            return Err(too_many);
        }
        let time = TimeMs::new(self.time).map_err(|_| GenesisError::Time(self.time))?;
        let head = HeadCell { batch: BatchNumber::MIN, time, next_account };
        let tokens = self.tokens.iter().map(|t| {
            (Key::tok(t.token.get().into()), TokCell { listed: true, minimum: t.minimum }.to_leaf())
        });
        let mut out: Vec<_> = tokens.collect();
        out.extend([
            (Key::HEAD, head.to_leaf()),
            (Key::VKROOT, self.vk_root),
            (Key::PARAMS, self.parameters),
        ]);
        Ok(out)
    }
}

impl GenesisAccount {
    fn check(
        &self,
        id: AccountId,
        listed: &BTreeSet<TokenId>,
        totals: &mut BTreeMap<TokenId, i128>,
    ) -> Result<(), GenesisError> {
        let distinct = distinct(self.keys.iter().map(|k| k.slot))
            && distinct(self.balances.iter().map(|b| (b.0, b.1)))
            && distinct(self.collateral.iter().map(|c| c.0));
        if !distinct {
            return Err(GenesisError::DuplicateCell(id));
        }
        let balances = self.balances.iter().map(|(_, token, balance)| (*token, balance.get() as i128));
        let collateral = self.collateral.iter().map(|(_, c)| (TokenId::QUOTE, c.get()));
        for (token, micros) in balances.chain(collateral) {
            if !listed.contains(&token) {
                return Err(GenesisError::NotListed(id, token));
            }
            let total = totals.entry(token).or_insert(0);
            *total += micros;
            if *total > Units::MAX.micros() as i128 {
                return Err(GenesisError::Total(token));
            }
        }
        Ok(())
    }

    fn push_leaves(&self, id: AccountId, out: &mut Vec<(Key, Leaf)>) {
        let account = id.get();
        out.push((Key::acct(account), AcctCell { owner: Some(self.owner) }.to_leaf()));
        for key in &self.keys {
            out.push((Key::key_a(account, key.slot.get().into()), key.key_id));
            out.push((Key::key_b(account, key.slot.get().into()), Some(key.policy).to_leaf()));
        }
        for (sub, token, balance) in &self.balances {
            let key = Key::bal(account, sub.get().into(), token.get().into());
            out.push((key, BalCell { balance: *balance }.to_leaf()));
        }
        for (sub, collateral) in &self.collateral {
            let cell = SubCell { collateral: *collateral, ..SubCell::default() };
            out.push((Key::sub(account, sub.get().into()), cell.to_leaf()));
        }
    }
}

/// Whether no item occurs twice; the lists of an account are short.
fn distinct<T: Ord>(items: impl Iterator<Item = T>) -> bool {
    let mut items: Vec<T> = items.collect();
    items.sort_unstable();
    items.windows(2).all(|w| w[0] < w[1])
}
