//! Reading a scenario file.

use std::collections::BTreeMap;

use tsz_types::{AccountId, SubId, TimeMs};

use crate::fields::{Fields, Node};
use crate::names::Names;
use crate::op::{Instruments, Reader};
use crate::spec::{
    AccountSpec, Amount, BatchSpec, CollateralSpec, GenesisSpec, HoldingSpec, KeySource, Population,
    Scenario, VERSION,
};
use crate::{Keyring, OpSpec, ParamsSpec, PriceSpec, ScenarioError, Show};

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
        let (mut genesis, params) = parse_genesis(root.node("genesis")?)?;
        let ring = Keyring::new(
            &keys,
            &genesis.system,
            genesis.population.as_ref().map(|p| (genesis.first_of_population(), p)),
        )?;
        let mut names = Names::default();
        names.add_genesis(&genesis)?;
        params.parse(&mut genesis, &mut names, &ring)?;
        genesis
            .accounts
            .iter()
            .enumerate()
            .try_for_each(|(k, account)| account.resolve(k, &ring).map(|_| ()))?;
        let params = genesis.params.clone().unwrap_or_default();
        let (orders, instruments) = (BTreeMap::new(), Instruments::default());
        let mut reader = Reader { keys: &ring, names, params, orders, instruments };
        let mut time = genesis.time;
        let mut batches = Vec::new();
        for node in root.node("batches")?.list()? {
            let batch = parse_batch(node, time, &mut reader)?;
            time = batch.time;
            batches.push(batch);
        }
        let show = root.list("show")?;
        let show = show.into_iter().map(|n| Show::parse(n, &reader.names)).collect::<Result<_, _>>()?;
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
        Keyring::new(
            &self.keys,
            &self.genesis.system,
            population.map(|p| (self.genesis.first_of_population(), p)),
        )
    }
}

impl GenesisSpec {
    /// Number of the first account of the population.
    pub fn first_of_population(&self) -> u32 {
        FIRST + self.accounts.len() as u32 // fewer than 2^24, or the genesis is refused
    }
}

/// Parts of a genesis that need its keys and names.
struct Later {
    params: Option<Node>,
    prices: Vec<Node>,
}

impl Later {
    fn parse(
        self,
        genesis: &mut GenesisSpec,
        names: &mut Names,
        keys: &Keyring,
    ) -> Result<(), ScenarioError> {
        genesis.params = self.params.map(|node| ParamsSpec::parse(node, names, keys)).transpose()?;
        genesis.params.iter().for_each(|params| names.set_markets(params));
        let prices = self.prices.into_iter();
        genesis.prices = prices.map(|node| PriceSpec::parse(node, names)).collect::<Result<_, _>>()?;
        Ok(())
    }
}

fn parse_genesis(node: Node) -> Result<(GenesisSpec, Later), ScenarioError> {
    let mut fields = node.object()?;
    let tokens = items(fields.list("tokens")?)?;
    let names = &Names::with_tokens(&tokens)?;
    let accounts = fields.list("accounts")?.into_iter();
    let population = fields.maybe_node("population");
    let (system, operator) = (fields.required("system")?, fields.required("operator")?);
    let time = fields.optional("time")?.unwrap_or(TimeMs::MIN);
    let genesis = GenesisSpec {
        time,
        accounts: accounts.map(|node| parse_account(node, names)).collect::<Result<_, _>>()?,
        population: population.map(|node| parse_population(node, names)).transpose()?,
        ..GenesisSpec::new(system, operator, tokens)
    };
    let later = Later { params: fields.maybe_node("params"), prices: fields.list("prices")? };
    fields.finish()?;
    Ok((genesis, later))
}

fn items<T: serde::de::DeserializeOwned>(nodes: Vec<Node>) -> Result<Vec<T>, ScenarioError> {
    nodes.into_iter().map(Node::get).collect()
}

fn parse_account(node: Node, names: &Names) -> Result<AccountSpec, ScenarioError> {
    let mut fields = node.object()?;
    let account = AccountSpec {
        name: fields.optional("name")?,
        owner: fields.required("owner")?,
        keys: items(fields.list("keys")?)?,
        balances: holdings(&mut fields, "balances", names)?,
        collateral: each(fields.list("collateral")?, parse_collateral)?,
    };
    fields.finish()?;
    Ok(account)
}

fn parse_population(node: Node, names: &Names) -> Result<Population, ScenarioError> {
    let mut fields = node.object()?;
    let population = Population {
        count: fields.required("count")?,
        owner: fields.required("owner")?,
        active: fields.optional("active")?.unwrap_or(0),
        stride: fields.optional("stride")?.unwrap_or(1),
        key: fields.optional("key")?.unwrap_or_else(|| "user-{n}".to_owned()),
        balances: holdings(&mut fields, "balances", names)?,
        collateral: each(fields.list("collateral")?, parse_collateral)?,
        active_balances: holdings(&mut fields, "active_balances", names)?,
        active_collateral: each(fields.list("active_collateral")?, parse_collateral)?,
    };
    let Population { active, stride, count, .. } = population;
    if stride == 0 || u64::from(active.max(1) - 1) * u64::from(stride) >= u64::from(count.max(1)) {
        let message = format!("{active} active ones, every {stride}-th, of {count} accounts");
        return Err(ScenarioError::field(fields.at("active"), message));
    }
    fields.finish()?;
    Ok(population)
}

fn holdings(fields: &mut Fields, list: &str, names: &Names) -> Result<Vec<HoldingSpec>, ScenarioError> {
    fields.list(list)?.into_iter().map(|node| parse_holding(node, names)).collect()
}

fn parse_holding(node: Node, names: &Names) -> Result<HoldingSpec, ScenarioError> {
    let mut fields = node.object()?;
    let sub = fields.optional("sub")?.unwrap_or(SubId::MIN);
    let token = names.token_in(fields.node("token")?)?;
    let holding = HoldingSpec { sub, token, amount: parse_amount(&mut fields)? };
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
pub(crate) fn parse_amount<T: serde::de::DeserializeOwned>(
    fields: &mut Fields,
) -> Result<Amount<T>, ScenarioError> {
    match (fields.optional("units")?, fields.optional("micros")?) {
        (Some(units), None) => Ok(Amount::Units(units)),
        (None, Some(micros)) => Ok(Amount::Micros(micros)),
        _ => Err(ScenarioError::field(fields.path.as_str(), "expected either units or micros")),
    }
}

fn each<T>(nodes: Vec<Node>, parse: fn(Node) -> Result<T, ScenarioError>) -> Result<Vec<T>, ScenarioError> {
    nodes.into_iter().map(parse).collect()
}

/// `previous` is the time before the batch.
fn parse_batch(node: Node, previous: TimeMs, reader: &mut Reader) -> Result<BatchSpec, ScenarioError> {
    let mut fields = node.object()?;
    let time = parse_time(fields.node("time")?, previous)?;
    let operations = fields.list("operations")?;
    let operations = operations.into_iter().map(|op| OpSpec::parse(op, reader)).collect::<Result<_, _>>()?;
    fields.finish()?;
    Ok(BatchSpec { time, operations })
}

/// Milliseconds, or `"+90s"` and the like from the previous time on: units ms, s, m, h, d.
fn parse_time(node: Node, previous: TimeMs) -> Result<TimeMs, ScenarioError> {
    let Some(text) = node.value.as_str() else { return node.get() };
    let wrong = || ScenarioError::field(node.path.as_str(), "expected milliseconds or \"+90s\", \"+8h\"");
    let rest = text.strip_prefix('+').ok_or_else(wrong)?;
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let unit: i128 = match &rest[digits..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    let count: i128 = rest[..digits].parse().map_err(|_| wrong())?;
    let time = count.checked_mul(unit).and_then(|ms| ms.checked_add(previous.get().into()));
    TimeMs::try_from(time.ok_or_else(wrong)?).map_err(|e| ScenarioError::field(node.path.as_str(), e))
}
