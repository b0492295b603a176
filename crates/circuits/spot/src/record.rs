//! What is proven: trades with their access logs, and the markets they are in.

use tsz_hash::{Block, Digest, Domain, F, PrimeCharacteristicRing, step};
use tsz_ledger::Access;
use tsz_trade::Params;
use tsz_trade::ops::SpotTrade;
use tsz_trade::params::{SpotMarket, Status};

use crate::tables::{Market, Spot};
use tsz_gadgets::product::{digits12, felts};

/// A trade that the ledger applied.
#[derive(Clone, Debug)]
pub struct SpotRecord {
    /// Sequence number in the batch.
    pub index: u32,
    /// The op.
    pub op: SpotTrade,
    /// What it accessed, in order.
    pub accesses: Vec<Access>,
}

/// Columns of a market's parameters.
pub(crate) fn spot(params: &Params, market: &SpotMarket) -> Spot<F> {
    Spot {
        base: F::from_u8(market.base.get()),
        quote: F::from_u8(market.quote.get()),
        lot: felts(digits12(market.lot_base.into())),
        tick: felts(digits12(market.tick_quote.into())),
        // caps are not negative in valid parameters
        taker_cap: F::from_u32(market.taker_cap.get().unsigned_abs()),
        maker_cap: F::from_u32(market.maker_cap.get().unsigned_abs()),
        base_collateral: F::from_bool(params.is_collateral(market.base)),
        quote_collateral: F::from_bool(params.is_collateral(market.quote)),
    }
}

/// One row for each market of `params`, the capacities not yet filled in.
pub(crate) fn markets(params: &Params) -> impl Iterator<Item = Market<F>> + '_ {
    params.spots.iter().enumerate().map(|(id, market)| Market {
        is_real: F::ONE,
        is_open: F::from_bool(market.status == Status::Open),
        id: F::from_usize(id),
        spot: spot(params, market),
        ..Market::default()
    })
}

/// The capacity that the market table starts from.
pub(crate) fn market_iv() -> Digest {
    Domain::Parameters.iv(0)
}

/// Digest of the spot markets of `params`, which the claim names: a sponge from `Domain::Parameters.iv(0)` (which no
/// hash of parameters starts from) over one block a market: `[id, base + 128 quote, lot (24, 24), tick, taker cap,
/// maker cap, open + 2 base is collateral + 4 quote is collateral]`.
///
/// Whoever checks a claim computes it from valid parameters ([`Params::validate`]) whose hash is in force.
pub fn market_digest(params: &Params) -> Digest {
    markets(params).fold(market_iv(), |cap, market| {
        let block: Block = market.block();
        step(&block, &cap)
    })
}
