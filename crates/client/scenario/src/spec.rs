//! The scenario as written in a file.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tsz_auth::oidc::Algorithm;
use tsz_ledger::{Permissions, SystemId};
use tsz_stf::TokenListing;
use tsz_types::{Balance, Collateral, EthAddress, KeySlot, SubId, TimeMs, TokenId, Units};

use crate::{OpSpec, ParamsSpec, PriceSpec, Show};

/// Version of the format.
pub const VERSION: u32 = 1;

/// A genesis and batches of operations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scenario {
    /// [`VERSION`].
    pub version: u32,
    /// Secrets by label.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<String, KeySource>,
    /// The first state.
    pub genesis: GenesisSpec,
    /// The batches in order; the first has number 1.
    pub batches: Vec<BatchSpec>,
    /// Leaves of the last state that the report shows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub show: Vec<Show>,
}

/// Where the secret of a label comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum KeySource {
    /// Derived from text. For tests: the text is all the entropy.
    Seed(String),
    /// The secret in hex, 28 little-endian bytes.
    Secret(String),
    /// A passkey of a software authenticator.
    Passkey(PasskeySource),
    /// A software wallet that signs under the chain and contract of the system.
    Wallet(WalletSource),
    /// An identity at the local OpenID provider.
    Social(SocialSource),
}

/// An identity at the local OpenID provider, whose RS256 key is the one of `tsz_auth::issuer_rsa` and whose ES256 keys are
/// made from issuer and kid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SocialSource {
    /// `iss`.
    pub issuer: String,
    /// `aud`.
    pub audience: String,
    /// `kid` of the key that signs its tokens.
    pub kid: String,
    /// `sub`.
    pub subject: String,
    /// Text that the salt is derived from.
    pub salt: String,
    /// How its tokens are signed; RS256 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<Algorithm>,
}

/// A software wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalletSource {
    /// Text that the secret is derived from.
    pub seed: String,
}

/// A software authenticator's passkey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasskeySource {
    /// Text that the secret is derived from.
    pub seed: String,
    /// Relying party.
    pub rp_id: String,
    /// Origin.
    pub origin: String,
    /// Whether user verification is demanded; so by default.
    #[serde(default = "yes")]
    pub user_verification: bool,
}

fn yes() -> bool {
    true
}

/// Identity of the rollup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemSpec {
    /// Number of the rollup.
    pub rollup: u32,
    /// L1 chain id.
    pub chain: u64,
    /// Address of the rollup contract.
    pub address: EthAddress,
}

impl From<SystemSpec> for SystemId {
    fn from(spec: SystemSpec) -> Self {
        Self { rollup: spec.rollup, chain: spec.chain, address: spec.address.0 }
    }
}

/// A token that can be withdrawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenSpec {
    /// Name by which the file may call the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its number.
    pub token: TokenId,
    /// The least withdrawal; one unit by default.
    #[serde(default = "one_unit")]
    pub minimum: Units,
}

fn one_unit() -> Units {
    Units::try_from(1).unwrap_or(Units::MIN)
}

impl From<&TokenSpec> for TokenListing {
    fn from(spec: &TokenSpec) -> Self {
        Self { token: spec.token, minimum: spec.minimum }
    }
}

/// The first state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GenesisSpec {
    /// Identity of the rollup.
    pub system: SystemSpec,
    /// L1 owner of the accounts 0 and 1.
    pub operator: EthAddress,
    /// Time of the genesis.
    pub time: TimeMs,
    /// Listed tokens.
    pub tokens: Vec<TokenSpec>,
    /// Markets, oracle and collateral tokens; without them there is no trading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub params: Option<ParamsSpec>,
    /// First prices of perpetual markets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prices: Vec<PriceSpec>,
    /// Accounts from 2 on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<AccountSpec>,
    /// Many accounts alike, after those.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub population: Option<Population>,
}

impl GenesisSpec {
    /// Tokens and nothing else, at time 0.
    pub fn new(system: SystemSpec, operator: EthAddress, tokens: Vec<TokenSpec>) -> Self {
        let (accounts, prices) = (Vec::new(), Vec::new());
        let time = TimeMs::MIN;
        Self { system, operator, time, tokens, params: None, prices, accounts, population: None }
    }
}

/// An account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AccountSpec {
    /// Name by which operations may call the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// L1 owner.
    pub owner: EthAddress,
    /// Keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<KeySpec>,
    /// Balances.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub balances: Vec<HoldingSpec>,
    /// Collateral.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub collateral: Vec<CollateralSpec>,
}

/// A key of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySpec {
    /// Slot.
    #[serde(default = "first_slot")]
    pub slot: KeySlot,
    /// Label, or key id in hex.
    pub key: String,
    /// Rights; all by default.
    #[serde(default = "all_permissions")]
    pub permissions: Permissions,
    /// The key is good before this time; by default for ever.
    #[serde(default = "never")]
    pub expiry: TimeMs,
}

fn first_slot() -> KeySlot {
    KeySlot::MIN
}

fn all_permissions() -> Permissions {
    Permissions::ALL
}

fn never() -> TimeMs {
    TimeMs::MAX
}

/// An amount in units, or in their millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Amount<T> {
    /// Units.
    Units(Units),
    /// Millionths of a unit.
    Micros(T),
}

impl<T: From<Units> + Copy> Amount<T> {
    /// Millionths of a unit.
    pub fn micros(&self) -> T {
        match self {
            Self::Units(units) => (*units).into(),
            Self::Micros(micros) => *micros,
        }
    }
}

/// A balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HoldingSpec {
    /// Sub-account.
    pub sub: SubId,
    /// Token.
    pub token: TokenId,
    /// How much: `units` or `micros`.
    #[serde(flatten)]
    pub amount: Amount<Balance>,
}

/// Collateral of a sub-account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CollateralSpec {
    /// Sub-account.
    pub sub: SubId,
    /// How much: `units` or `micros`.
    #[serde(flatten)]
    pub amount: Amount<Collateral>,
}

/// Accounts with equal holdings. The owner of account `n` is `owner + n`, as an integer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Population {
    /// How many accounts.
    pub count: u32,
    /// The owner before the account number is added.
    pub owner: EthAddress,
    /// How many of them have a key in slot 0: every `stride`-th, from the first on.
    pub active: u32,
    /// Distance between accounts with a key, at least 1.
    pub stride: u32,
    /// Label of the key of account `n`: `{n}` is replaced. Its secret is derived from the label.
    pub key: String,
    /// Balances of each.
    pub balances: Vec<HoldingSpec>,
    /// Collateral of each.
    pub collateral: Vec<CollateralSpec>,
    /// Balances that only those with a key have, besides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub active_balances: Vec<HoldingSpec>,
    /// Collateral that only those with a key have, besides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub active_collateral: Vec<CollateralSpec>,
}

impl Population {
    /// Places of the accounts with a key, counted from the first of the population.
    pub fn active_places(&self) -> impl Iterator<Item = u32> + use<> {
        (0..self.active).zip((0..self.count).step_by(self.stride.max(1) as usize)).map(|(_, place)| place)
    }

    /// Whether the account at a place has a key.
    pub fn is_active(&self, place: u32) -> bool {
        place.is_multiple_of(self.stride.max(1)) && place / self.stride.max(1) < self.active
    }

    /// Label of the key of account `n`.
    pub fn label(&self, n: u32) -> String {
        self.key.replace("{n}", &n.to_string())
    }

    /// Owner of account `n`.
    pub fn owner_of(&self, n: u32) -> EthAddress {
        let mut bytes = self.owner.0;
        let mut carry = u64::from(n);
        for byte in bytes.iter_mut().rev() {
            carry += u64::from(*byte);
            *byte = carry as u8;
            carry >>= 8;
        }
        EthAddress(bytes)
    }
}

/// A batch. The runner opens it with BeginBatch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BatchSpec {
    /// Batch time.
    pub time: TimeMs,
    /// Operations in order.
    pub operations: Vec<OpSpec>,
}
