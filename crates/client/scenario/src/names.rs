//! Names of accounts, tokens and markets.

use std::collections::BTreeMap;

use serde_json::Value;
use tsz_trade::Party;
use tsz_types::{AccountId, MarketId, SpotMarketId, SubId, TokenId};

use crate::fields::Node;
use crate::spec::{GenesisSpec, Scenario, TokenSpec};
use crate::{Action, ParamsSpec, ScenarioError, TradeSpec};

/// Name of the account that collects fees.
const FEES: &str = "fees";
/// Name of the insurance account.
const INSURANCE: &str = "insurance";

/// Which of the two lists a market is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarketKind {
    /// Perpetual futures.
    Perp,
    /// Spot.
    Spot,
}

/// Numbers by name, and names by number.
#[derive(Clone, Debug, Default)]
pub struct Names {
    accounts: BTreeMap<String, AccountId>,
    tokens: BTreeMap<String, TokenId>,
    perps: Vec<String>,
    spots: Vec<String>,
}

impl Names {
    /// The names that a scenario gives.
    ///
    /// # Errors
    /// A name that occurs twice.
    pub fn of(scenario: &Scenario) -> Result<Self, ScenarioError> {
        let mut names = Self::default();
        names.add_genesis(&scenario.genesis)?;
        scenario.genesis.params.iter().for_each(|params| names.set_markets(params));
        for op in scenario.batches.iter().flat_map(|b| &b.operations) {
            if let Action::Trade(TradeSpec::SetParams(set)) = &op.action {
                names.set_markets(&set.params);
            }
        }
        Ok(names)
    }

    /// Accounts and tokens of the genesis.
    pub(crate) fn add_genesis(&mut self, genesis: &GenesisSpec) -> Result<(), ScenarioError> {
        self.accounts.insert(FEES.to_owned(), AccountId::FEES);
        self.accounts.insert(INSURANCE.to_owned(), AccountId::INSURANCE);
        for (number, (k, account)) in (AccountId::FIRST_USER.get()..).zip(genesis.accounts.iter().enumerate())
        {
            let path = format!("genesis.accounts[{k}].name");
            let id = AccountId::new(number).map_err(|e| ScenarioError::field(path.as_str(), e))?;
            if let Some(name) = &account.name
                && self.accounts.insert(name.clone(), id).is_some()
            {
                return Err(ScenarioError::field(path, format!("a second account named {name:?}")));
            }
        }
        self.add_tokens(&genesis.tokens)
    }

    /// Tokens of the genesis.
    fn add_tokens(&mut self, tokens: &[TokenSpec]) -> Result<(), ScenarioError> {
        for (k, token) in tokens.iter().enumerate() {
            if let Some(name) = &token.name
                && self.tokens.insert(name.clone(), token.token).is_some()
            {
                let path = format!("genesis.tokens[{k}].name");
                return Err(ScenarioError::field(path, format!("a second token named {name:?}")));
            }
        }
        Ok(())
    }

    /// Only the tokens of a genesis that is being read.
    pub(crate) fn with_tokens(tokens: &[TokenSpec]) -> Result<Self, ScenarioError> {
        let mut names = Self::default();
        names.add_tokens(tokens)?;
        Ok(names)
    }

    /// Takes over the names of the markets.
    pub(crate) fn set_markets(&mut self, params: &ParamsSpec) {
        self.perps.clone_from(&params.perp_names);
        self.spots.clone_from(&params.spot_names);
    }

    /// An account by number or name.
    pub(crate) fn account_in(&self, node: Node) -> Result<AccountId, ScenarioError> {
        self.look(node, "account", |name| self.accounts.get(name).copied())
    }

    /// A token by number or name.
    pub(crate) fn token_in(&self, node: Node) -> Result<TokenId, ScenarioError> {
        self.look(node, "token", |name| self.tokens.get(name).copied())
    }

    /// A perpetual market by number or name.
    pub(crate) fn perp_in(&self, node: Node) -> Result<MarketId, ScenarioError> {
        self.look(node, "perpetual market", |name| {
            place(&self.perps, name).and_then(|k| MarketId::try_from(k).ok())
        })
    }

    /// A spot market by number or name.
    pub(crate) fn spot_in(&self, node: Node) -> Result<SpotMarketId, ScenarioError> {
        self.look(node, "spot market", |name| {
            place(&self.spots, name).and_then(|k| SpotMarketId::try_from(k).ok())
        })
    }

    /// A market of a kind by number or name.
    pub(crate) fn market_in(&self, kind: MarketKind, node: Node) -> Result<u16, ScenarioError> {
        match kind {
            MarketKind::Perp => self.perp_in(node).map(|m| m.get().into()),
            MarketKind::Spot => self.spot_in(node).map(SpotMarketId::get),
        }
    }

    /// The kind of a market that has this name.
    pub(crate) fn kind_of(&self, name: &str) -> Option<MarketKind> {
        let in_perps = place(&self.perps, name).map(|_| MarketKind::Perp);
        in_perps.or_else(|| place(&self.spots, name).map(|_| MarketKind::Spot))
    }

    /// A sub-account: a number or a name, `"name/sub"`, or `{account, sub}`.
    pub(crate) fn party_in(&self, node: Node) -> Result<Party, ScenarioError> {
        match &node.value {
            Value::Object(_) => {
                let mut fields = node.object()?;
                let account = self.account_in(fields.node("account")?)?;
                let sub = fields.maybe_number("sub")?.unwrap_or(SubId::MIN);
                fields.finish()?;
                Ok(Party { account, sub })
            }
            Value::String(text) => match text.rsplit_once('/') {
                Some((name, sub)) => {
                    let path = node.path.clone();
                    let sub = sub.parse().map_err(|e| ScenarioError::field(path.as_str(), e))?;
                    let account = match name.parse() {
                        Ok(account) => account,
                        Err(_) => self.account_in(Node { path, value: name.into() })?,
                    };
                    Ok(Party { account, sub })
                }
                None => Ok(Party { account: self.account_in(node)?, sub: SubId::MIN }),
            },
            _ => Ok(Party { account: self.account_in(node)?, sub: SubId::MIN }),
        }
    }

    fn look<T: serde::de::DeserializeOwned>(
        &self,
        node: Node,
        what: &str,
        find: impl Fn(&str) -> Option<T>,
    ) -> Result<T, ScenarioError> {
        match &node.value {
            Value::String(name) => match find(name) {
                Some(id) => Ok(id),
                None => Err(ScenarioError::field(node.path, format!("no {what} named {name:?}"))),
            },
            _ => node.get(),
        }
    }

    /// Name of an account, or its number.
    pub fn account(&self, id: AccountId) -> String {
        let name = self.accounts.iter().find(|(_, account)| **account == id);
        name.map_or_else(|| format!("#{id}"), |(name, _)| name.clone())
    }

    /// Name of a sub-account: the account's, with `/sub` unless it is sub-account 0.
    pub fn party(&self, party: Party) -> String {
        let account = self.account(party.account);
        if party.sub == SubId::MIN { account } else { format!("{account}/{}", party.sub) }
    }

    /// Name of a token, or its number.
    pub fn token(&self, id: TokenId) -> String {
        let name = self.tokens.iter().find(|(_, token)| **token == id);
        name.map_or_else(|| format!("token {id}"), |(name, _)| name.clone())
    }

    /// Name of a perpetual market, or its number.
    pub fn perp(&self, id: MarketId) -> String {
        self.perps.get(usize::from(id.get())).cloned().unwrap_or_else(|| format!("perp {id}"))
    }

    /// Name of a spot market, or its number.
    pub fn spot(&self, id: SpotMarketId) -> String {
        self.spots.get(usize::from(id.get())).cloned().unwrap_or_else(|| format!("spot {id}"))
    }
}

fn place(list: &[String], name: &str) -> Option<i128> {
    list.iter().position(|n| n == name).and_then(|k| i128::try_from(k).ok())
}
