//! Trades of a workload, and the markets that they are in.

use tsz_trade::Side;
use tsz_types::Price;

use super::maker::Maker;
use super::{Mix, TOKENS, small};
use crate::fields::Node;
use crate::{
    Expect, FillSpec, Keyring, MarketKind, Names, OpSpec, OrderSpec, OrderUse, ParamsSpec, PriceSpec,
    ScenarioError, TradeSpec,
};

/// Perpetual markets.
const PERPS: u32 = 3;
/// Price around which the markets trade, ticks.
const PRICE: u32 = 1_000;
/// Lots of a fill at most: with what each account has, no margin call in a million trades.
const LOTS: u32 = 20;

/// Spot markets of token 1 and 2 in the quote token and of 2 in 1; three perpetual ones whose first price stays good
/// for a day.
pub(super) fn markets(mix: &Mix) -> Result<(Option<ParamsSpec>, Vec<PriceSpec>), ScenarioError> {
    let spot = |name: &str, base: u8, quote: u8| serde_json::json!({ "name": name, "base": base, "quote": quote, "lot_base": 10, "tick_quote": 1 });
    let perps = if mix.perp > 0 { PERPS } else { 0 };
    let names: Vec<String> = (0..perps).map(|k| format!("P{k}")).collect();
    let spots = [spot("S1", 1, 0), spot("S2", 2, 0), spot("S21", 2, 1)];
    let value = serde_json::json!({
        "perps": names.iter().map(|name| serde_json::json!({ "name": name })).collect::<Vec<_>>(),
        "spots": if mix.spot > 0 { spots.to_vec() } else { Vec::new() },
        "oracle": { "max_age": 86_400_000 },
    });
    let node = Node { path: "genesis.params".to_owned(), value };
    let params = ParamsSpec::parse(node, &Names::default(), &Keyring::default())?;
    let price: Price = small(PRICE)?;
    let market = |k: u32| Ok(PriceSpec { market: small(k)?, index: price, mark: price });
    let prices = (0..perps).map(market).collect::<Result<_, ScenarioError>>()?;
    Ok((Some(params), prices))
}

impl Maker {
    /// A fill of two new orders of equal size at a price near [`PRICE`].
    pub(super) fn trade(&mut self, kind: MarketKind) -> Result<OpSpec, ScenarioError> {
        let (taker, maker) = self.two_active();
        let market = match kind {
            MarketKind::Spot => self.random.below(u32::from(TOKENS)),
            MarketKind::Perp => self.random.below(PERPS),
        };
        let buys = self.random.below(2) == 0;
        let lots = 1 + self.random.below(LOTS);
        let price = PRICE - 10 + self.random.below(21);
        // the taker's limit leaves room
        let slack = self.random.below(3);
        let limit = if buys { price + slack } else { price - slack };
        let (taker_side, maker_side) = if buys { (Side::Buy, Side::Sell) } else { (Side::Sell, Side::Buy) };
        let order = |account: u32, side: Side, price: u32| -> Result<OrderUse, ScenarioError> {
            Ok(OrderUse::New(Box::new(OrderSpec {
                market: small::<tsz_types::SpotMarketId>(market)?.get(),
                ..OrderSpec::new(small(account)?, side, small(lots)?, small(price)?)
            })))
        };
        let fill = FillSpec {
            taker: order(taker, taker_side, limit)?,
            maker: order(maker, maker_side, price)?,
            lots: None,
            taker_fee: Some(small(500)?),
            maker_fee: Some(small(200)?),
            close_taker: None,
        };
        let spec = match kind {
            MarketKind::Spot => TradeSpec::SpotTrade(fill),
            MarketKind::Perp => TradeSpec::PerpTrade(fill),
        };
        Ok(OpSpec { expect: Some(Expect::code(tsz_stf::Code::Ok)), ..spec.into() })
    }
}
