//! Seeded workloads.

mod maker;
mod trades;

use std::collections::BTreeMap;

use tsz_types::{AccountId, EthAddress, NumberError, SubId, TimeMs, TokenId, Units};

use crate::spec::{
    Amount, BatchSpec, CollateralSpec, GenesisSpec, HoldingSpec, KeySource, Population, Scenario, SystemSpec,
    TokenSpec, VERSION,
};
use crate::{Keyring, ScenarioError, Show};
use maker::Maker;

/// Relative frequencies of the kinds of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mix {
    /// Transfers to other accounts.
    pub transfer: u32,
    /// Transfers between sub-accounts and buckets of an account.
    pub internal: u32,
    /// Deposits to accounts that exist.
    pub deposit: u32,
    /// Deposits that create an account.
    pub create: u32,
    /// Withdrawals.
    pub withdraw: u32,
    /// Exits of accounts that are not active.
    pub full_exit: u32,
    /// Key registrations and revocations, by keys and from L1.
    pub keys: u32,
    /// Spot trades between two active accounts.
    pub spot: u32,
    /// Perpetual trades between two active accounts.
    pub perp: u32,
}

impl Mix {
    /// Nothing.
    const NONE: Self = Self {
        transfer: 0,
        internal: 0,
        deposit: 0,
        create: 0,
        withdraw: 0,
        full_exit: 0,
        keys: 0,
        spot: 0,
        perp: 0,
    };
    /// A bit of everything in the fund family.
    pub const ALL: Self = Self {
        transfer: 70,
        internal: 8,
        deposit: 8,
        create: 2,
        withdraw: 8,
        full_exit: 1,
        keys: 3,
        ..Self::NONE
    };
    /// Transfers to other accounts only.
    pub const TRANSFERS: Self = Self { transfer: 1, ..Self::NONE };
    /// Spot trades only.
    pub const SPOT: Self = Self { spot: 1, ..Self::NONE };
    /// Perpetual trades only.
    pub const PERP: Self = Self { perp: 1, ..Self::NONE };
    /// Spot and perpetual trades, half and half.
    pub const TRADES: Self = Self { spot: 1, perp: 1, ..Self::NONE };

    fn weights(&self) -> [u32; 9] {
        [
            self.transfer,
            self.internal,
            self.deposit,
            self.create,
            self.withdraw,
            self.full_exit,
            self.keys,
            self.spot,
            self.perp,
        ]
    }
}

/// Shape of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// Accounts of the population.
    pub accounts: u32,
    /// How many of them sign, evenly spread; at least 2 and at most `accounts`.
    pub active: u32,
    /// Batches over which the operations are spread evenly.
    pub batches: u32,
    /// Kinds of operations.
    pub mix: Mix,
}

impl Default for Params {
    fn default() -> Self {
        Self { accounts: 1 << 10, active: 64, batches: 2, mix: Mix::ALL }
    }
}

const FIRST: u32 = AccountId::FIRST_USER.get();
const TOKENS: u8 = 3;
/// Units that each account has of each token: more than any workload spends.
const HOLDING: u64 = 1_000_000_000;
const LABEL: &str = "spare";

/// A value of a small type.
fn small<T: TryFrom<i128, Error = NumberError>>(value: u32) -> Result<T, ScenarioError> {
    T::try_from(value.into()).map_err(|e| ScenarioError::field("parameters", e))
}

/// Makes a workload of `ops` operations, all of them valid. The same arguments give the same scenario.
///
/// # Errors
/// [`ScenarioError::Field`] for parameters that make no scenario.
pub fn generate(ops: u32, seed: u64, params: &Params) -> Result<Scenario, ScenarioError> {
    let Params { accounts, active, batches, mix } = *params;
    let wrong = |message: &str| Err(ScenarioError::field("parameters", message));
    if active < 2 || active > accounts || accounts > AccountId::MAX.get() / 2 {
        return wrong("2 <= active <= accounts <= 2^23 does not hold");
    }
    if batches == 0 || mix.weights().iter().all(|w| *w == 0) {
        return wrong("no batch, or no kind of operation");
    }
    let population = population(accounts, active, &mix)?;
    let keys = BTreeMap::from([(LABEL.to_owned(), KeySource::Seed(LABEL.to_owned()))]);
    let spare = Keyring::new(&keys, &SystemSpec::default(), None)?
        .key_id(LABEL)
        .map_err(|m| ScenarioError::field("keys", m))?;
    let mut maker = Maker::new(seed, population, spare);
    let mut specs = Vec::with_capacity(batches as usize);
    for k in 0..batches {
        // the first batches take the remainder
        let count = ops / batches + u32::from(k < ops % batches);
        let operations = (0..count).map(|_| maker.op(&mix)).collect::<Result<_, _>>()?;
        let time = TimeMs::try_from(1_000 * (i128::from(k) + 1)).unwrap_or(TimeMs::MAX);
        specs.push(BatchSpec { time, operations });
    }
    let mut genesis = genesis(maker.into_population())?;
    if mix.spot + mix.perp > 0 {
        (genesis.params, genesis.prices) = trades::markets(&mix)?;
    }
    let first = small(FIRST)?;
    let token = TokenId::QUOTE;
    let show = vec![Show::Head, Show::Balance { account: first, sub: SubId::MIN, token }, Show::OutChain];
    Ok(Scenario { version: VERSION, keys, genesis, batches: specs, show })
}

fn genesis(population: Population) -> Result<GenesisSpec, ScenarioError> {
    let listing = |t: u8| Ok(TokenSpec { name: None, token: small(t.into())?, minimum: small(1)? });
    let system = SystemSpec { rollup: 1, chain: 31_337, address: EthAddress([0x11; 20]) };
    let tokens = (0..TOKENS).map(listing).collect::<Result<_, ScenarioError>>()?;
    let genesis = GenesisSpec::new(system, EthAddress([0x22; 20]), tokens);
    Ok(GenesisSpec { population: Some(population), ..genesis })
}

fn population(accounts: u32, active: u32, mix: &Mix) -> Result<Population, ScenarioError> {
    let units = Units::try_from(i128::from(HOLDING)).map_err(|e| ScenarioError::field("parameters", e))?;
    let mut owner = [0; 20];
    owner[0] = 0xaa;
    // one token keeps a large genesis small; the others come by deposits
    let balances = vec![HoldingSpec { sub: SubId::MIN, token: TokenId::QUOTE, amount: Amount::Units(units) }];
    let (owner, key) = (EthAddress(owner), "user-{n}".to_owned());
    // spread over the tree, as the active accounts of an exchange are
    let stride = accounts / active;
    let mut population =
        Population { count: accounts, owner, active, stride, key, balances, ..Population::default() };
    if mix.spot > 0 {
        let holding = |t: u8| {
            Ok(HoldingSpec { sub: SubId::MIN, token: small(t.into())?, amount: Amount::Units(units) })
        };
        population.active_balances = (1..TOKENS).map(holding).collect::<Result<_, ScenarioError>>()?;
    }
    if mix.perp > 0 {
        population.active_collateral = vec![CollateralSpec { sub: SubId::MIN, amount: Amount::Units(units) }];
    }
    Ok(population)
}
