//! What is proven: trades with their access logs, in the markets of the parameters.

use tsz_hash::{F, PrimeCharacteristicRing};
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

impl SpotRecord {
    /// The trade and its accesses, as [`crate::Counts::of`] takes them.
    pub fn parts(&self) -> (&SpotTrade, &[Access]) {
        (&self.op, &self.accesses)
    }
}

/// Columns of a market's parameters.
pub(crate) fn spot(market: &SpotMarket) -> Spot<F> {
    Spot {
        base: F::from_u8(market.base.get()),
        quote: F::from_u8(market.quote.get()),
        lot: felts(digits12(market.lot_base.into())),
        tick: felts(digits12(market.tick_quote.into())),
        // caps are not negative in valid parameters
        taker_cap: F::from_u32(market.taker_cap.get().unsigned_abs()),
        maker_cap: F::from_u32(market.maker_cap.get().unsigned_abs()),
    }
}

/// One row for each market of `params`, uses and links not yet filled in.
pub(crate) fn markets(params: &Params) -> impl Iterator<Item = Market<F>> + '_ {
    params.spots.iter().enumerate().map(|(id, market)| Market {
        is_real: F::ONE,
        is_open: F::from_bool(market.status == Status::Open),
        id: F::from_usize(id),
        spot: spot(market),
        ..Market::default()
    })
}
