//! Reading a scenario file.

use std::collections::BTreeMap;

use tsz_types::{AccountId, SubId};

use crate::fields::{Fields, Node};
use crate::spec::{
    AccountSpec, Amount, BatchSpec, CollateralSpec, GenesisSpec, HoldingSpec, KeySource, Population,
    Scenario, VERSION,
};
use crate::{Keyring, OpSpec, ScenarioError};

/// Number of the first account of the list.
const FIRST: u32 = AccountId::FIRST_USER.get();

impl Scenario {
    /// Parses a file.
    ///
    /// # Errors
    /// [`ScenarioError::Syntax`] with line and column, or [`ScenarioError::Field`] with the path of the field.
    pub fn from_json(text: &str) -> Result<Self, ScenarioError> {
        let mut root = Node::root(text)?.object()?;
        let version = root.required("version")?;
        if version != VERSION {
            return Err(ScenarioError::field("version", format!("expected {VERSION}, got {version}")));
        }
        let mut keys = BTreeMap::new();
        if let Some(node) = root.maybe_node("keys") {
            let mut fields = node.object()?;
            let labels: Vec<String> = fields.map.keys().cloned().collect();
            for label in labels {
                let source = KeySource::parse(fields.node(&label)?)?;
                keys.insert(label, source);
            }
        }
        let genesis = parse_genesis(root.node("genesis")?)?;
        let ring =
            Keyring::new(&keys, genesis.population.as_ref().map(|p| (genesis.first_of_population(), p)))?;
        genesis
            .accounts
            .iter()
            .enumerate()
            .try_for_each(|(k, account)| account.resolve(k, &ring).map(|_| ()))?;
        let names = genesis.names()?;
        let batches = root.node("batches")?.list()?;
        let batches = batches.into_iter().map(|b| parse_batch(b, &names, &ring)).collect::<Result<_, _>>()?;
        let show = root.optional("show")?.unwrap_or_default();
        root.finish()?;
        Ok(Self { version, keys, genesis, batches, show })
    }

    /// The file that parses to this scenario.
    pub fn to_json(&self) -> String {
        // strings, numbers and maps with string keys only
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// The secrets that the runner signs with.
    ///
    /// # Errors
    /// A secret that is not one.
    pub fn keyring(&self) -> Result<Keyring, ScenarioError> {
        let population = self.genesis.population.as_ref();
        Keyring::new(&self.keys, population.map(|p| (self.genesis.first_of_population(), p)))
    }
}

impl GenesisSpec {
    /// Number of the first account of the population.
    pub fn first_of_population(&self) -> u32 {
        FIRST + self.accounts.len() as u32 // fewer than 2^24, or the genesis is refused
    }

    fn names(&self) -> Result<BTreeMap<String, AccountId>, ScenarioError> {
        let mut names = BTreeMap::new();
        for (number, (k, account)) in (FIRST..).zip(self.accounts.iter().enumerate()) {
            let path = format!("genesis.accounts[{k}].name");
            let id = AccountId::new(number).map_err(|e| ScenarioError::field(path.as_str(), e))?;
            if let Some(name) = &account.name
                && names.insert(name.clone(), id).is_some()
            {
                return Err(ScenarioError::field(path, format!("a second account named {name:?}")));
            }
        }
        Ok(names)
    }
}

fn parse_genesis(node: Node) -> Result<GenesisSpec, ScenarioError> {
    let mut fields = node.object()?;
    let accounts = fields.list("accounts")?;
    let genesis = GenesisSpec {
        system: fields.required("system")?,
        operator: fields.required("operator")?,
        time: fields.optional("time")?.unwrap_or(tsz_types::TimeMs::MIN),
        tokens: items(fields.list("tokens")?)?,
        accounts: accounts.into_iter().map(parse_account).collect::<Result<_, _>>()?,
        population: fields.maybe_node("population").map(parse_population).transpose()?,
    };
    fields.finish()?;
    Ok(genesis)
}

fn items<T: serde::de::DeserializeOwned>(nodes: Vec<Node>) -> Result<Vec<T>, ScenarioError> {
    nodes.into_iter().map(Node::get).collect()
}

fn parse_account(node: Node) -> Result<AccountSpec, ScenarioError> {
    let mut fields = node.object()?;
    let account = AccountSpec {
        name: fields.optional("name")?,
        owner: fields.required("owner")?,
        keys: items(fields.list("keys")?)?,
        balances: each(fields.list("balances")?, parse_holding)?,
        collateral: each(fields.list("collateral")?, parse_collateral)?,
    };
    fields.finish()?;
    Ok(account)
}

fn parse_population(node: Node) -> Result<Population, ScenarioError> {
    let mut fields = node.object()?;
    let population = Population {
        count: fields.required("count")?,
        owner: fields.required("owner")?,
        active: fields.optional("active")?.unwrap_or(0),
        stride: fields.optional("stride")?.unwrap_or(1),
        key: fields.optional("key")?.unwrap_or_else(|| "user-{n}".to_owned()),
        balances: each(fields.list("balances")?, parse_holding)?,
        collateral: each(fields.list("collateral")?, parse_collateral)?,
    };
    let Population { active, stride, count, .. } = population;
    if stride == 0 || u64::from(active.max(1) - 1) * u64::from(stride) >= u64::from(count.max(1)) {
        let message = format!("{active} active ones, every {stride}-th, of {count} accounts");
        return Err(ScenarioError::field(fields.at("active"), message));
    }
    fields.finish()?;
    Ok(population)
}

fn parse_holding(node: Node) -> Result<HoldingSpec, ScenarioError> {
    let mut fields = node.object()?;
    let sub = fields.optional("sub")?.unwrap_or(SubId::MIN);
    let holding = HoldingSpec { sub, token: fields.required("token")?, amount: parse_amount(&mut fields)? };
    fields.finish()?;
    Ok(holding)
}

fn parse_collateral(node: Node) -> Result<CollateralSpec, ScenarioError> {
    let mut fields = node.object()?;
    let sub = fields.optional("sub")?.unwrap_or(SubId::MIN);
    let collateral = CollateralSpec { sub, amount: parse_amount(&mut fields)? };
    fields.finish()?;
    Ok(collateral)
}

/// Exactly one of `units` and `micros`.
fn parse_amount<T: serde::de::DeserializeOwned>(fields: &mut Fields) -> Result<Amount<T>, ScenarioError> {
    match (fields.optional("units")?, fields.optional("micros")?) {
        (Some(units), None) => Ok(Amount::Units(units)),
        (None, Some(micros)) => Ok(Amount::Micros(micros)),
        _ => Err(ScenarioError::field(fields.path.as_str(), "expected either units or micros")),
    }
}

fn each<T>(nodes: Vec<Node>, parse: fn(Node) -> Result<T, ScenarioError>) -> Result<Vec<T>, ScenarioError> {
    nodes.into_iter().map(parse).collect()
}

fn parse_batch(
    node: Node,
    names: &BTreeMap<String, AccountId>,
    keys: &Keyring,
) -> Result<BatchSpec, ScenarioError> {
    let mut fields = node.object()?;
    let time = fields.required("time")?;
    let operations = fields.list("operations")?;
    let operations =
        operations.into_iter().map(|op| OpSpec::parse(op, names, keys)).collect::<Result<_, _>>()?;
    fields.finish()?;
    Ok(BatchSpec { time, operations })
}
