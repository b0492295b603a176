//! Which parameters make a system whose rules hold.

use thiserror::Error;
use tsz_hash::{Digest, PrimeField32};
use tsz_risk::MAX_TIERS;
use tsz_risk::funding::MAX_BIG;
use tsz_types::TokenId;

use super::{CollateralParams, MAX_COLLATERAL, OracleParams, Params, PerpMarket, SpotMarket, Status};

/// Why parameters are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ParamsError {
    /// Too many entries of a list.
    #[error("{got} {what}, at most {max}")]
    TooMany {
        /// The list.
        what: &'static str,
        /// Its bound.
        max: usize,
        /// Its length.
        got: usize,
    },
    /// A perpetual market with a bad field.
    #[error("perpetual market {market}: {what}")]
    Perp {
        /// The market.
        market: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// A spot market with a bad field.
    #[error("spot market {market}: {what}")]
    Spot {
        /// The market.
        market: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// Bad oracle rules.
    #[error("oracle: {what}")]
    Oracle {
        /// What is wrong.
        what: &'static str,
    },
    /// A bad collateral token.
    #[error("collateral token {index} of the list: {what}")]
    Collateral {
        /// Its position.
        index: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// A change that states in existence do not survive.
    #[error("{what}")]
    Successor {
        /// What is wrong.
        what: &'static str,
    },
}

/// Widest band of forced closes in 1e-4: what an owner that forces its way out, or one that is liquidated in part, loses at
/// most, while both ends stay apart from zero.
const MAX_BAND: u16 = 2_000;
/// Spot markets that the circuits have room for; their ids have room for more.
const MAX_SPOTS: usize = 1 << 8;

fn bounded(what: &'static str, got: usize, max: usize) -> Result<(), ParamsError> {
    if got > max { Err(ParamsError::TooMany { what, max, got }) } else { Ok(()) }
}

/// The first complaint of a list of (holds, complaint).
fn complaint(checks: &[(bool, &'static str)]) -> Option<&'static str> {
    checks.iter().find(|(holds, _)| !holds).map(|(_, what)| *what)
}

/// Canonical felts, for the order of key ids.
pub(crate) fn order(id: &Digest) -> [u32; 8] {
    id.map(|felt| felt.as_canonical_u32())
}

impl PerpMarket {
    fn complaint(&self) -> Option<&'static str> {
        complaint(&[
            (!self.tiers.is_empty() && self.tiers.len() <= MAX_TIERS, "needs 1 to 4 tiers"),
            (self.risk(1, 0).is_valid(), "the tiers are not in order"),
            (
                self.risk(1, 0).tiers.iter().filter(|t| t.is_used()).count() == self.tiers.len(),
                "an empty tier",
            ),
            (self.taker_cap.get() >= 0, "the taker fee cap is negative"),
            // below 0 every maker is paid: a Liquidate has nobody who pays it, and where the taker's cap is less the fill
            // of a ForcedClose has not either
            (self.maker_cap.get() >= 0, "the maker fee cap is negative"),
            (self.liquidation_fee.get() >= 0, "the liquidation fee is negative"),
            (self.funding.big <= MAX_BIG, "the funding clamp is above 40,000"),
            (
                (1..=MAX_BAND).contains(&self.forced_band.get()),
                "the band of forced closes is not in 1..=2,000",
            ),
            (self.risk(1, 0).max_notional() >= u128::from(self.qm.get()), "the last tier holds no lot"),
            (self.funding.small <= MAX_BIG, "the inner funding clamp is above 40,000"),
        ])
    }
}

impl SpotMarket {
    fn complaint(&self) -> Option<&'static str> {
        complaint(&[
            (self.base != self.quote, "base and quote are the same token"),
            ((1..1 << 40).contains(&self.lot_base), "the lot is not in 1..2^40"),
            ((1..1 << 20).contains(&self.tick_quote), "the tick is not in 1..2^20"),
            (self.taker_cap.get() >= 0 && self.maker_cap.get() >= 0, "a fee cap is negative"),
            (matches!(self.status, Status::Open | Status::Closed), "a spot market is open or closed"),
        ])
    }
}

impl OracleParams {
    fn complaint(&self) -> Option<&'static str> {
        let sorted = self.signers.windows(2).all(|w| order(&w[0]) < order(&w[1]));
        complaint(&[
            (sorted, "the signers are not strictly increasing"),
            (self.signers.len() <= 64, "more than 64 signers"),
            (usize::from(self.quorum) <= self.signers.len(), "the quorum exceeds the signers"),
            // half or fewer would let two disjoint quorums sign two prices for one time
            (
                2 * usize::from(self.quorum) > self.signers.len() || self.signers.is_empty(),
                "the quorum is no majority",
            ),
            (self.max_age >> 40 == 0 && self.delta >> 40 == 0, "an age of 2^40 ms or more"),
        ])
    }
}

impl Params {
    /// Checks what the rules rely on.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn validate(&self) -> Result<(), ParamsError> {
        bounded("perpetual markets", self.perps.len(), 1 << 8)?;
        bounded("spot markets", self.spots.len(), MAX_SPOTS)?;
        bounded("collateral tokens", self.collateral.len(), MAX_COLLATERAL)?;
        let perp =
            |(market, m): (usize, &PerpMarket)| m.complaint().map(|what| ParamsError::Perp { market, what });
        let spot =
            |(market, m): (usize, &SpotMarket)| m.complaint().map(|what| ParamsError::Spot { market, what });
        let first = self.perps.iter().enumerate().find_map(perp);
        let first = first.or_else(|| self.spots.iter().enumerate().find_map(spot));
        let first = first.or_else(|| self.oracle.complaint().map(|what| ParamsError::Oracle { what }));
        first.or_else(|| self.collateral_complaint()).map_or(Ok(()), Err)
    }

    fn collateral_complaint(&self) -> Option<ParamsError> {
        self.collateral.iter().enumerate().find_map(|(index, c)| {
            let is_new = self.collateral[..index].iter().all(|other| other.token != c.token);
            let what = complaint(&[
                (c.token != TokenId::QUOTE, "the quote token has its own collateral"),
                (is_new, "the token is listed twice"),
                (c.units_per_lot >= 1, "no units in a lot"),
                (self.perp(c.market).is_some(), "the pricing market does not exist"),
                (
                    // its price is frozen: nothing may be borrowed against it
                    c.haircut.get() == 0 || self.perp(c.market).is_some_and(|m| m.status != Status::Settling),
                    "the pricing market is settling and the haircut is not 0",
                ),
            ])?;
            Some(ParamsError::Collateral { index, what })
        })
    }

    /// Checks that `next` may follow: markets keep their places and scales, settling is final.
    /// Governance asks this before it queues SetParams; the state machine only sees the hash.
    ///
    /// # Errors
    /// The first thing that is wrong, with `next` alone or with the change.
    pub fn check_successor(&self, next: &Self) -> Result<(), ParamsError> {
        next.validate()?;
        let scale = |m: &SpotMarket| (m.base, m.quote, m.lot_base, m.tick_quote);
        let perps = self.perps.iter().zip(&next.perps);
        let spots = self.spots.iter().zip(&next.spots);
        let place = |c: &CollateralParams| (c.token, c.market, c.units_per_lot);
        let tokens = self.collateral.iter().zip(&next.collateral);
        let what = complaint(&[
            (next.perps.len() >= self.perps.len(), "a perpetual market is gone"),
            (next.spots.len() >= self.spots.len(), "a spot market is gone"),
            (next.collateral.len() >= self.collateral.len(), "a collateral token is gone"),
            (
                tokens.clone().all(|(a, b)| place(a) == place(b)),
                "a collateral token changes its place or its pricing",
            ),
            (perps.clone().all(|(a, b)| a.qm == b.qm), "the multiplier of a market changes"),
            (spots.clone().all(|(a, b)| scale(a) == scale(b)), "tokens or scales of a spot market change"),
            (
                perps.clone().all(|(a, b)| a.status != Status::Settling || b.status == Status::Settling),
                "a settling market comes back",
            ),
            (
                // positions may exist, and in a closed market nobody could reduce them
                perps.clone().all(|(a, b)| a.status == Status::Closed || b.status != Status::Closed),
                "a market that was open closes; it can only be settled",
            ),
        ]);
        what.map_or(Ok(()), |what| Err(ParamsError::Successor { what }))
    }
}
