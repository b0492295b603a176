//! Parameters of the markets as written in a file.

use serde::{Serialize, Serializer};
use tsz_hash::{Digest, PrimeField32, hash_bytes};
use tsz_trade::Params as TradeParams;
use tsz_trade::params::{
    CollateralParams, FundingConfig, OracleParams, PerpMarket, SpotMarket, Status, TierParams,
};
use tsz_types::{Fraction, Notional, NumberError, QuoteMultiplier, Rate, TokenId};

use crate::fields::{Fields, Node};
use crate::names::Names;
use crate::{Keyring, ScenarioError};

/// Parameters and the names of the markets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParamsSpec {
    /// The parameters.
    pub params: TradeParams,
    /// Names of the perpetual markets, by place.
    pub perp_names: Vec<String>,
    /// Names of the spot markets, by place.
    pub spot_names: Vec<String>,
}

impl Serialize for ParamsSpec {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut value = serde_json::to_value(&self.params).map_err(serde::ser::Error::custom)?;
        for (list, names) in [("perps", &self.perp_names), ("spots", &self.spot_names)] {
            for (market, name) in value[list].as_array_mut().into_iter().flatten().zip(names) {
                market["name"] = name.as_str().into();
            }
        }
        value.serialize(s)
    }
}

/// A number that is known to be in range.
fn fixed<T: TryFrom<i128, Error = NumberError> + Copy>(value: i128, fallback: T) -> T {
    T::try_from(value).unwrap_or(fallback)
}

/// A market of which a file says nothing but the name.
fn default_perp(name: &str) -> PerpMarket {
    let fraction = |f: u16| fixed(f.into(), Fraction::MAX);
    let rate = |r: i32| fixed(r.into(), Rate::ZERO);
    let tier = TierParams {
        bound: Notional::MAX_FILL,
        imf: fraction(1_000),
        mmf: fraction(500),
        cmf: fraction(300),
    };
    PerpMarket {
        status: Status::Open,
        qm: QuoteMultiplier::MIN,
        tiers: vec![tier],
        taker_cap: rate(1_000),
        maker_cap: rate(1_000),
        liquidation_fee: rate(5_000),
        oi_cap: Notional::MAX,
        funding: FundingConfig { rate: rate(100), small: 500, big: 40_000 },
        feed: hash_bytes(name.as_bytes()),
        forced_band: fraction(500),
    }
}

fn default_spot(base: TokenId) -> SpotMarket {
    let cap = fixed(1_000, Rate::ZERO);
    SpotMarket {
        status: Status::Open,
        base,
        quote: TokenId::QUOTE,
        lot_base: 1,
        tick_quote: 1,
        taker_cap: cap,
        maker_cap: cap,
    }
}

fn set<T>(to: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *to = value;
    }
}

/// An integer of a plain type.
fn plain<T: TryFrom<u64>>(fields: &mut Fields, name: &str) -> Result<Option<T>, ScenarioError> {
    let path = fields.at(name);
    let value: Option<tsz_types::L1Serial> = fields.maybe_number(name)?; // any u64
    let convert = |v: tsz_types::L1Serial| {
        T::try_from(v.get()).map_err(|_| ScenarioError::field(path, format!("{v} is too large")))
    };
    value.map(convert).transpose()
}

fn parse_tier(node: Node) -> Result<TierParams, ScenarioError> {
    let mut fields = node.object()?;
    let tier = TierParams {
        bound: fields.maybe_number("bound")?.unwrap_or(Notional::MAX_FILL),
        imf: fields.number("imf")?,
        mmf: fields.number("mmf")?,
        cmf: fields.number("cmf")?,
    };
    fields.finish()?;
    Ok(tier)
}

fn change_funding(funding: &mut FundingConfig, node: Node) -> Result<(), ScenarioError> {
    let mut fields = node.object()?;
    set(&mut funding.rate, fields.maybe_number("rate")?);
    set(&mut funding.small, plain(&mut fields, "small")?);
    set(&mut funding.big, plain(&mut fields, "big")?);
    fields.finish()
}

fn change_perp(market: &mut PerpMarket, mut fields: Fields) -> Result<(), ScenarioError> {
    set(&mut market.status, fields.optional("status")?);
    set(&mut market.qm, fields.maybe_number("qm")?);
    let tiers: Vec<TierParams> =
        fields.list("tiers")?.into_iter().map(parse_tier).collect::<Result<_, _>>()?;
    set(&mut market.tiers, (!tiers.is_empty()).then_some(tiers));
    set(&mut market.taker_cap, fields.maybe_number("taker_cap")?);
    set(&mut market.maker_cap, fields.maybe_number("maker_cap")?);
    set(&mut market.liquidation_fee, fields.maybe_number("liquidation_fee")?);
    set(&mut market.oi_cap, fields.maybe_number("oi_cap")?);
    if let Some(node) = fields.maybe_node("funding") {
        change_funding(&mut market.funding, node)?;
    }
    if let Some(node) = fields.maybe_node("feed") {
        market.feed = digest(node)?;
    }
    set(&mut market.forced_band, fields.maybe_number("forced_band")?);
    fields.finish()
}

fn digest(node: Node) -> Result<Digest, ScenarioError> {
    let path = node.path.clone();
    let text: String = node.get()?;
    let wrong = || ScenarioError::field(path, "expected a digest: 64 hex digits of canonical felts");
    tsz_stf::forms::parse_digest(&text).ok_or_else(wrong)
}

fn change_spot(market: &mut SpotMarket, mut fields: Fields, names: &Names) -> Result<(), ScenarioError> {
    set(&mut market.status, fields.optional("status")?);
    for (name, token) in [("base", &mut market.base), ("quote", &mut market.quote)] {
        set(token, fields.maybe_node(name).map(|node| names.token_in(node)).transpose()?);
    }
    set(&mut market.lot_base, plain(&mut fields, "lot_base")?);
    set(&mut market.tick_quote, plain(&mut fields, "tick_quote")?);
    set(&mut market.taker_cap, fields.maybe_number("taker_cap")?);
    set(&mut market.maker_cap, fields.maybe_number("maker_cap")?);
    fields.finish()
}

/// Signers are labels or key ids in any order. Without a quorum, it is the least majority.
fn change_oracle(oracle: &mut OracleParams, node: Node, keys: &Keyring) -> Result<(), ScenarioError> {
    let mut fields = node.object()?;
    if let Some(node) = fields.maybe_node("signers") {
        let id = |node: Node| {
            let path = node.path.clone();
            keys.key_id(&node.get::<String>()?).map_err(|m| ScenarioError::field(path, m))
        };
        oracle.signers = node.list()?.into_iter().map(id).collect::<Result<_, _>>()?;
        oracle.signers.sort_by_key(|id| id.map(|felt| felt.as_canonical_u32()));
        oracle.quorum = u8::try_from(oracle.signers.len() / 2 + 1).unwrap_or(u8::MAX);
    }
    set(&mut oracle.quorum, plain(&mut fields, "quorum")?);
    set(&mut oracle.max_age, plain(&mut fields, "max_age")?);
    set(&mut oracle.max_deviation, fields.maybe_number("max_deviation")?);
    set(&mut oracle.delta, plain(&mut fields, "delta")?);
    fields.finish()
}

impl ParamsSpec {
    /// What holds where a genesis names no oracle rules: prices of a minute, moves of 10%.
    fn empty() -> Self {
        let oracle = OracleParams {
            max_age: 60_000,
            max_deviation: fixed(1_000, Fraction::MAX),
            delta: 5_000,
            ..OracleParams::default()
        };
        Self { params: TradeParams { oracle, ..TradeParams::default() }, ..Self::default() }
    }

    /// Reads the parameters of a genesis.
    pub(crate) fn parse(node: Node, names: &Names, keys: &Keyring) -> Result<Self, ScenarioError> {
        let path = node.path.clone();
        let spec = Self::empty().change(node, names, keys)?;
        spec.params.validate().map_err(|e| ScenarioError::field(path, e))?;
        Ok(spec)
    }

    /// Reads what changes from these parameters to the next ones: markets and collateral tokens by name; those that
    /// are new come last.
    pub(crate) fn next(&self, node: Node, names: &Names, keys: &Keyring) -> Result<Self, ScenarioError> {
        let path = node.path.clone();
        let next = self.clone().change(node, names, keys)?;
        self.params.check_successor(&next.params).map_err(|e| ScenarioError::field(path, e))?;
        Ok(next)
    }

    fn change(mut self, node: Node, names: &Names, keys: &Keyring) -> Result<Self, ScenarioError> {
        let mut fields = node.object()?;
        for node in fields.list("perps")? {
            let mut fields = node.object()?;
            let name = self.name(&mut fields, &self.spot_names)?;
            let place = self.perp_names.iter().position(|n| *n == name).unwrap_or_else(|| {
                self.params.perps.push(default_perp(&name));
                self.perp_names.push(name);
                self.perp_names.len() - 1
            });
            change_perp(&mut self.params.perps[place], fields)?;
        }
        for node in fields.list("spots")? {
            self.change_spot(node, names)?;
        }
        if let Some(node) = fields.maybe_node("oracle") {
            change_oracle(&mut self.params.oracle, node, keys)?;
        }
        for node in fields.list("collateral")? {
            self.change_collateral(node, names)?;
        }
        fields.finish()?;
        Ok(self)
    }

    /// The name of a market, which is not that of a market of the other kind.
    fn name(&self, fields: &mut Fields, others: &[String]) -> Result<String, ScenarioError> {
        let name: String = fields.required("name")?;
        if others.contains(&name) {
            let message = format!("both a perpetual and a spot market are named {name:?}");
            return Err(ScenarioError::field(fields.at("name"), message));
        }
        Ok(name)
    }

    fn change_spot(&mut self, node: Node, names: &Names) -> Result<(), ScenarioError> {
        let mut fields = node.object()?;
        let name = self.name(&mut fields, &self.perp_names)?;
        let place = match self.spot_names.iter().position(|n| *n == name) {
            Some(place) => place,
            None => {
                let base = names.token_in(fields.node("base")?)?;
                self.params.spots.push(default_spot(base));
                self.spot_names.push(name);
                self.spot_names.len() - 1
            }
        };
        change_spot(&mut self.params.spots[place], fields, names)
    }

    fn change_collateral(&mut self, node: Node, names: &Names) -> Result<(), ScenarioError> {
        let mut fields = node.object()?;
        let token = names.token_in(fields.node("token")?)?;
        let mut markets = Names::default();
        markets.set_markets(self);
        let market = fields.maybe_node("market").map(|node| markets.perp_in(node)).transpose()?;
        let list = &mut self.params.collateral;
        let place = match list.iter().position(|c| c.token == token) {
            Some(place) => place,
            None => {
                let Some(market) = market else { return fields.wrong("needs the market that prices it") };
                list.push(CollateralParams { token, haircut: Fraction::MAX, market, units_per_lot: 1 });
                list.len() - 1
            }
        };
        let entry = &mut list[place];
        set(&mut entry.market, market);
        set(&mut entry.haircut, fields.maybe_number("haircut")?);
        set(&mut entry.units_per_lot, plain(&mut fields, "units_per_lot")?);
        fields.finish()
    }
}

/// First prices of a market, of the time of the genesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PriceSpec {
    /// The market.
    pub market: tsz_types::MarketId,
    /// Index price, ticks.
    pub index: tsz_types::Price,
    /// Mark price, ticks.
    pub mark: tsz_types::Price,
}

impl PriceSpec {
    /// Reads `{market, index, mark}`, or `{market, price}` where both are the same.
    pub(crate) fn parse(node: Node, names: &Names) -> Result<Self, ScenarioError> {
        let mut fields = node.object()?;
        let market = names.perp_in(fields.node("market")?)?;
        let (index, mark) = index_and_mark(&mut fields)?;
        fields.finish()?;
        Ok(Self { market, index, mark })
    }
}

/// `price`, or `index` and `mark`.
pub(crate) fn index_and_mark(
    fields: &mut Fields,
) -> Result<(tsz_types::Price, tsz_types::Price), ScenarioError> {
    match fields.maybe_number("price")? {
        Some(price) if !fields.has("index") && !fields.has("mark") => Ok((price, price)),
        Some(_) => fields.wrong("expected either price, or index and mark"),
        None => Ok((fields.number("index")?, fields.number("mark")?)),
    }
}
