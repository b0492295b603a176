//! The canonical hash of the parameters.

use alloc::vec::Vec;
use tsz_hash::{Digest, Domain, F, PrimeCharacteristicRing, hash};
use tsz_types::split_limbs;

use super::{CollateralParams, OracleParams, Params, PerpMarket, SpotMarket};

/// Felts in order; every list is preceded by its length, every number is limbs of 24 bits.
#[derive(Default)]
struct Felts(Vec<F>);

impl Felts {
    fn small(&mut self, value: impl Into<u32>) {
        self.0.push(F::from_u32(value.into()));
    }

    fn len(&mut self, list: usize) {
        self.0.push(F::from_usize(list));
    }

    fn wide<const N: usize>(&mut self, value: impl Into<u128>) {
        self.0.extend(split_limbs::<N>(value.into()));
    }

    fn perp(&mut self, m: &PerpMarket) {
        self.small(m.status as u32);
        self.small(m.qm.get());
        self.len(m.tiers.len());
        for t in &m.tiers {
            self.wide::<3>(t.bound.get());
            [t.imf, t.mmf, t.cmf].into_iter().for_each(|f| self.small(f.get()));
        }
        for rate in [m.taker_cap, m.maker_cap, m.liquidation_fee, m.funding.rate] {
            self.0.extend(rate.to_felts());
        }
        self.wide::<3>(m.oi_cap.get());
        self.wide::<2>(m.funding.small);
        self.wide::<2>(m.funding.big);
        self.0.extend(m.feed);
        self.small(m.forced_band.get());
    }

    fn spot(&mut self, m: &SpotMarket) {
        self.small(m.status as u32);
        self.small(m.base.get());
        self.small(m.quote.get());
        self.wide::<2>(m.lot_base);
        self.small(m.tick_quote);
        self.0.extend(m.taker_cap.to_felts());
        self.0.extend(m.maker_cap.to_felts());
    }

    fn oracle(&mut self, o: &OracleParams) {
        self.len(o.signers.len());
        o.signers.iter().for_each(|id| self.0.extend(id));
        self.small(o.quorum);
        self.wide::<2>(o.max_age);
        self.small(o.max_deviation.get());
        self.wide::<2>(o.delta);
    }

    fn collateral(&mut self, c: &CollateralParams) {
        self.small(c.token.get());
        self.small(c.haircut.get());
        self.small(c.market.get());
        self.wide::<3>(c.units_per_lot);
    }
}

impl Params {
    /// The canonical felts: perpetual markets, spot markets, oracle, collateral tokens.
    pub fn to_felts(&self) -> Vec<F> {
        let mut felts = Felts::default();
        felts.len(self.perps.len());
        self.perps.iter().for_each(|m| felts.perp(m));
        felts.len(self.spots.len());
        self.spots.iter().for_each(|m| felts.spot(m));
        felts.oracle(&self.oracle);
        felts.len(self.collateral.len());
        self.collateral.iter().for_each(|c| felts.collateral(c));
        felts.0
    }

    /// What the PARAMS cell holds. One hash names one set of parameters, as long as [`Params::validate`] holds.
    pub fn hash(&self) -> Digest {
        hash(Domain::Parameters, &self.to_felts())
    }
}
