//! Parameters: constant within a batch, named by one hash (docs/src/trading.md).

mod hash;
mod validate;

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use tsz_hash::Digest;
use tsz_ledger::cells::MAX_MARGIN_TOKENS;
use tsz_risk::funding::FundingParams;
use tsz_risk::{MAX_TIERS, Market, Tier};
use tsz_types::{Fraction, MarketId, Price, QuoteMultiplier, Rate, SpotMarketId, TokenId};

pub use hash::{List, PERP_BLOCKS};
pub use validate::ParamsError;

/// Collateral tokens at most.
pub const MAX_COLLATERAL: usize = MAX_MARGIN_TOKENS as usize;

/// What may be done in a market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u32)]
pub enum Status {
    /// No trades.
    #[default]
    Closed = 0,
    /// Everything.
    Open = 1,
    /// Trades in which both sides reduce; liquidation.
    ReduceOnly = 2,
    /// The price is frozen and positions are closed in pairs at it; nothing else.
    Settling = 3,
}

/// A margin tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierParams {
    /// Largest notional of the tier in quote units, inclusive.
    pub bound: tsz_types::Notional,
    /// Initial margin fraction.
    pub imf: Fraction,
    /// Maintenance margin fraction.
    pub mmf: Fraction,
    /// Close-out margin fraction.
    pub cmf: Fraction,
}

/// Funding of a market, 1e-6 per 8 hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FundingConfig {
    /// Interest rate.
    pub rate: Rate,
    /// Clamp of (rate - premium).
    pub small: u32,
    /// Clamp of the result, at most 40,000.
    pub big: u32,
}

/// A perpetual market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerpMarket {
    /// What may be done.
    pub status: Status,
    /// Quote units per lot and tick; never changes.
    pub qm: QuoteMultiplier,
    /// One to four tiers by increasing bound.
    pub tiers: Vec<TierParams>,
    /// Largest taker fee, not negative.
    pub taker_cap: Rate,
    /// Largest maker fee, not negative: a fee may be (a rebate), but no maker must be paid.
    pub maker_cap: Rate,
    /// Liquidation fee, not negative.
    pub liquidation_fee: Rate,
    /// Largest open interest (both sides) at the mark price, quote units.
    pub oi_cap: tsz_types::Notional,
    /// Funding.
    pub funding: FundingConfig,
    /// Full id of the price feed.
    #[serde(with = "tsz_stf::forms::digest")]
    pub feed: Digest,
    /// How far from the mark a forced close must concede, and how far it and a partial liquidation may, in 1..=2,000.
    pub forced_band: Fraction,
}

/// A spot market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpotMarket {
    /// Open or closed; the other states are those of perpetuals.
    pub status: Status,
    /// Token that is bought and sold; never changes.
    pub base: TokenId,
    /// Token it is paid in; never changes.
    pub quote: TokenId,
    /// Units of the base in one lot, u40, at least 1; never changes.
    pub lot_base: u64,
    /// Units of the quote for one lot and tick, u20, at least 1; never changes.
    pub tick_quote: u32,
    /// Largest taker fee, not negative.
    pub taker_cap: Rate,
    /// Largest maker fee, not negative.
    pub maker_cap: Rate,
}

/// Oracle rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OracleParams {
    /// Key ids of the signers, strictly increasing by canonical felts.
    #[serde(with = "digests")]
    pub signers: Vec<Digest>,
    /// Signers needed.
    pub quorum: u8,
    /// Age in ms up to which a price may be used.
    pub max_age: u64,
    /// Largest move of one update.
    pub max_deviation: Fraction,
    /// How far in ms a price may be from the batch time, either way, when it is updated.
    pub delta: u64,
}

/// No signers: there are no prices.
impl Default for OracleParams {
    fn default() -> Self {
        Self { signers: Vec::new(), quorum: 0, max_age: 0, max_deviation: Fraction::MIN, delta: 0 }
    }
}

/// A collateral token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollateralParams {
    /// The token; not the quote token, whose collateral has its own cell.
    pub token: TokenId,
    /// Share of its value that counts.
    pub haircut: Fraction,
    /// Market whose index prices it.
    pub market: MarketId,
    /// Units of the token in one lot of that market, at least 1.
    pub units_per_lot: u64,
}

impl CollateralParams {
    /// Share of the index value that insurance pays for what it seizes, in 1e-4: the haircut, and all of it for a token
    /// that counts nothing.
    pub fn seizure_haircut(&self) -> u16 {
        match self.haircut {
            Fraction::MIN => Fraction::MAX.get(),
            haircut => haircut.get(),
        }
    }
}

/// All parameters. Market ids are the positions in the lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Perpetual markets, at most 256.
    pub perps: Vec<PerpMarket>,
    /// Spot markets, at most 256.
    pub spots: Vec<SpotMarket>,
    /// Oracle.
    pub oracle: OracleParams,
    /// Collateral tokens, at most [`MAX_COLLATERAL`]; a token's place in the list never changes.
    pub collateral: Vec<CollateralParams>,
}

impl Params {
    /// The perpetual market.
    pub fn perp(&self, market: MarketId) -> Option<&PerpMarket> {
        self.perps.get(usize::from(market.get()))
    }

    /// The spot market.
    pub fn spot(&self, market: SpotMarketId) -> Option<&SpotMarket> {
        self.spots.get(usize::from(market.get()))
    }

    /// Place and parameters of a collateral token.
    pub fn collateral(&self, token: TokenId) -> Option<(u8, &CollateralParams)> {
        (0..MAX_MARGIN_TOKENS).zip(&self.collateral).find(|(_, c)| c.token == token)
    }
}

impl PerpMarket {
    /// What risk needs, at a mark price and a funding index.
    pub fn risk(&self, mark: u32, funding: i64) -> Market {
        let mut tiers = [Tier::default(); MAX_TIERS];
        for (to, from) in tiers.iter_mut().zip(&self.tiers) {
            *to = Tier {
                bound: from.bound.get(),
                imf: from.imf.get(),
                mmf: from.mmf.get(),
                cmf: from.cmf.get(),
            };
        }
        Market { qm: self.qm.get(), mark, funding, tiers }
    }

    /// What funding needs.
    pub fn funding(&self) -> FundingParams {
        let FundingConfig { rate, small, big } = self.funding;
        FundingParams { rate: rate.get(), small, big }
    }

    /// Whether a limit of a forced close (or a price of its fill) concedes at most the band, seen from the party that
    /// closes: a sale at `mark * (10^4 - band) / 10^4` or above, a purchase at `mark * (10^4 + band) / 10^4` or below.
    pub fn concedes_at_most_band(&self, buys: bool, price: Price, mark: u32) -> bool {
        let (left, right) = self.band_sides(buys, price, mark);
        if buys { left <= right } else { left >= right }
    }

    /// Whether a limit concedes at least the band, so that anyone can serve it at a profit. The last price of the range
    /// concedes all that there is: beyond it the band would end where no price is.
    pub fn concedes_band(&self, buys: bool, limit: Price, mark: u32) -> bool {
        let (left, right) = self.band_sides(buys, limit, mark);
        if buys { limit == Price::MAX || left >= right } else { limit == Price::MIN || left <= right }
    }

    fn band_sides(&self, buys: bool, price: Price, mark: u32) -> (i64, i64) {
        let band = i64::from(self.forced_band.get());
        // 32 + 15 bits
        let share = 10_000 + if buys { band } else { -band };
        (i64::from(price.get()) * 10_000, i64::from(mark) * share)
    }
}

mod digests {
    //! Lists of digests in JSON.
    use alloc::string::String;
    use alloc::vec::Vec;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use tsz_hash::Digest;
    use tsz_stf::forms::{digest_hex, parse_digest};

    pub fn serialize<S: Serializer>(list: &[Digest], s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(list.iter().map(digest_hex))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Digest>, D::Error> {
        let list = Vec::<String>::deserialize(d)?;
        let digest =
            |text: &String| parse_digest(text).ok_or_else(|| D::Error::custom("expected digests in hex"));
        list.iter().map(digest).collect()
    }
}
