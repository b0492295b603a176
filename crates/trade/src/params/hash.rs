//! The canonical hash of the parameters: four lists, each a chain of blocks that a table with one row for each entry
//! recomputes (layout: docs/src/trading.md, "Hash of the parameters").

use alloc::vec::Vec;
use tsz_hash::{Block, Digest, Domain, F, PrimeCharacteristicRing, hash, step};
use tsz_risk::{MAX_TIERS, Tier};
use tsz_types::{MarketId, split_limbs};

use super::{CollateralParams, OracleParams, Params, PerpMarket, SpotMarket};

/// Blocks of a perpetual market.
pub const PERP_BLOCKS: usize = 6;

/// The lists that the hash is made of, in order; the number names a list on the bus `params`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum List {
    /// Perpetual markets.
    Perps = 0,
    /// Spot markets.
    Spots = 1,
    /// Oracle rules and signers.
    Oracle = 2,
    /// Collateral tokens.
    Collateral = 3,
}

impl List {
    /// All lists in the order of the hash.
    pub const ALL: [Self; 4] = [Self::Perps, Self::Spots, Self::Oracle, Self::Collateral];

    /// The capacity that the chain of the list starts from: the digest of the empty list, for the oracle the capacity
    /// before its rules.
    pub fn iv(self) -> Digest {
        Domain::ParameterList.iv(self as usize)
    }

    /// The digest of a list that has these blocks.
    pub fn digest(self, blocks: impl IntoIterator<Item = Block>) -> Digest {
        blocks.into_iter().fold(self.iv(), |capacity, block| step(&block, &capacity))
    }
}

fn felt(value: impl Into<u32>) -> F {
    F::from_u32(value.into())
}

/// Limbs of 24 bits.
fn wide<const N: usize>(value: impl Into<u128>) -> [F; N] {
    split_limbs::<N>(value.into())
}

fn tier_felts(tier: &Tier) -> [F; 6] {
    let [b0, b1, b2] = wide::<3>(tier.bound);
    [b0, b1, b2, felt(tier.imf), felt(tier.mmf), felt(tier.cmf)]
}

impl PerpMarket {
    /// The blocks of market `id`: general, open interest and funding, three of the tiers (unused ones are zero), feed.
    /// Caps and fees that validation keeps at or above zero are their magnitudes.
    pub fn blocks(&self, id: MarketId) -> [Block; PERP_BLOCKS] {
        let [taker, _] = self.taker_cap.to_felts();
        let [maker, maker_sign] = self.maker_cap.to_felts();
        let [liquidation, _] = self.liquidation_fee.to_felts();
        let [rate, rate_sign] = self.funding.rate.to_felts();
        let [c0, c1, c2] = wide::<3>(self.oi_cap.get());
        let band = felt(self.forced_band.get());
        let (status, qm) = (felt(self.status as u32), felt(self.qm.get()));
        let (small, big) = (felt(self.funding.small), felt(self.funding.big));
        let tiers: [[F; 6]; MAX_TIERS] = self.risk(1, 0).tiers.each_ref().map(tier_felts);
        let tiers = tiers.as_flattened();
        let [t0, t1, t2] = core::array::from_fn(|b| core::array::from_fn(|k| tiers[8 * b + k]));
        [
            [felt(id.get()), status, qm, taker, maker, maker_sign, liquidation, band],
            [c0, c1, c2, rate, rate_sign, small, big, F::ZERO],
            t0,
            t1,
            t2,
            self.feed,
        ]
    }
}

impl SpotMarket {
    /// The block of the market at place `id`. Caps are not negative in valid parameters.
    pub fn block(&self, id: u16) -> Block {
        let [lot0, lot1] = wide::<2>(self.lot_base);
        let [taker, _] = self.taker_cap.to_felts();
        let [maker, _] = self.maker_cap.to_felts();
        let tokens = u32::from(self.base.get()) + 128 * u32::from(self.quote.get());
        [felt(id), felt(tokens), lot0, lot1, felt(self.tick_quote), taker, maker, felt(self.status as u32)]
    }
}

impl OracleParams {
    /// The first block of the list; the key ids of the signers follow, a block each.
    pub fn rules(&self) -> Block {
        let [age0, age1] = wide::<2>(self.max_age);
        let [delta0, delta1] = wide::<2>(self.delta);
        let signers = F::from_usize(self.signers.len());
        let deviation = felt(self.max_deviation.get());
        [signers, felt(self.quorum), age0, age1, deviation, delta0, delta1, F::ZERO]
    }
}

impl CollateralParams {
    /// The block of the token at `place`.
    pub fn block(&self, place: usize) -> Block {
        let [u0, u1, u2] = wide::<3>(self.units_per_lot);
        let place = F::from_usize(place);
        let [token, haircut, market] =
            [felt(self.token.get()), felt(self.haircut.get()), felt(self.market.get())];
        [place, token, haircut, market, u0, u1, u2, F::ZERO]
    }
}

impl Params {
    /// The blocks of a list.
    pub fn blocks(&self, list: List) -> Vec<Block> {
        match list {
            List::Perps => {
                let market = |(id, m): (u8, &PerpMarket)| MarketId::new(id).map(|id| m.blocks(id));
                (0..=u8::MAX).zip(&self.perps).flat_map(market).flatten().collect()
            }
            List::Spots => (0..=u16::MAX).zip(&self.spots).map(|(id, m)| m.block(id)).collect(),
            List::Oracle => {
                core::iter::once(self.oracle.rules()).chain(self.oracle.signers.iter().copied()).collect()
            }
            List::Collateral => self.collateral.iter().enumerate().map(|(k, c)| c.block(k)).collect(),
        }
    }

    /// The digests of the four lists, in the order of [`List::ALL`].
    pub fn digests(&self) -> [Digest; 4] {
        List::ALL.map(|list| list.digest(self.blocks(list)))
    }

    /// What the PARAMS cell holds. One hash names one set of parameters, as long as [`Params::validate`] holds.
    pub fn hash(&self) -> Digest {
        hash(Domain::Parameters, self.digests().as_flattened())
    }
}
