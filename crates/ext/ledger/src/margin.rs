//! Legs: what programs ask for positions, and who carries it out (docs/src/extensions.md, "Positions").
//!
//! The rules of positions are those of trades, which stand above this crate (`tsz-trade`): it hands them in as a
//! [`Margin`].

use alloc::vec::Vec;
use thiserror::Error;
use tsz_ext_sdk::Leg;
use tsz_hash::PrimeField32;
use tsz_ledger::Leaf;
use tsz_stf::{Log, Reject, View};
use tsz_types::{AccountId, MarketId, SubId};

use crate::{ExtReject, Limited, guard::Approved};

/// What a party's position and collateral gain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// Account of the party.
    pub account: AccountId,
    /// Sub-account.
    pub sub: SubId,
    /// Lots bought, or sold if negative; not 0, below 2^48 in size.
    pub lots: i64,
    /// Millionths of a quote unit that the collateral gains; below 2^95 in size.
    pub cash: i128,
}

/// Carries out legs.
pub trait Margin {
    /// Carries out legs of one market that sum to nothing; gives what each changes of its party's limit of positions:
    /// the value that the party gains at the mark, less the notional at the mark of a position that grew or flipped.
    ///
    /// Accesses: MKP read, MKF read; SUB write, POS write of each; MKO write; the table of each for which something is
    /// at stake.
    ///
    /// # Errors
    /// A [`MarginReject`]; the log is not to be used then.
    fn cross<V: View>(
        &self,
        log: &mut Log<'_, V>,
        time: u64,
        market: MarketId,
        legs: &[Crossing],
    ) -> Result<Vec<i128>, MarginReject>;
}

/// No positions: every leg is refused.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMargin;

impl Margin for NoMargin {
    fn cross<V: View>(
        &self,
        _: &mut Log<'_, V>,
        _: u64,
        _: MarketId,
        _: &[Crossing],
    ) -> Result<Vec<i128>, MarginReject> {
        Err(MarginReject::Nowhere)
    }
}

/// Why legs are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum MarginReject {
    /// Corrupt cells, widths.
    #[error(transparent)]
    Base(#[from] Reject),
    #[error("no positions are kept here")]
    Nowhere,
    #[error("perpetual market {market} does not exist")]
    NoMarket { market: MarketId },
    #[error("perpetual market {market} is not open for this")]
    Status { market: MarketId },
    #[error("market {market}: the price of {price_ts} is too old at {time}")]
    Stale { market: MarketId, price_ts: u64, time: u64 },
    #[error("market {market}: funding is due")]
    FundingDue { market: MarketId },
    #[error("account {account} would hold too many positions")]
    TooManyPositions { account: AccountId },
    #[error("a position of {size} lots must be reduced here")]
    NotReducing { size: i64 },
    #[error("the change of account {account} is not legal: TAV {tav} at IMR {imr}, MMR {mmr}, in millionths")]
    Illegal { account: AccountId, tav: i128, mmr: i128, imr: i128 },
    #[error("account {account} would be left with a debt of {debt} millionths and without positions")]
    Debt { account: AccountId, debt: i128 },
    #[error("a bound of positions, open interest or widths is exceeded")]
    Bound,
    #[error("the state has no position table for this")]
    Table,
}

/// The legs of an operation.
#[derive(Default)]
pub(crate) struct Legs {
    /// Place of the party, and what it asks.
    legs: Vec<(usize, Leg)>,
}

impl Legs {
    /// Notes the leg in a cell, if it is one.
    pub(crate) fn add(&mut self, party: usize, leaf: &Leaf) -> Option<()> {
        let leg = Leg::from_leaf(&leaf.map(|felt| felt.as_canonical_u32())).ok()?;
        self.legs.push((party, leg));
        Some(())
    }

    /// Carries out the legs and notes what they charge. Accesses: those of [`Margin::cross`] if there is a leg.
    pub(crate) fn cross<V: View, M: Margin>(
        &self,
        margin: &M,
        time: u64,
        parties: &mut [Approved],
        log: &mut Log<'_, V>,
    ) -> Result<(), ExtReject> {
        let Some((_, first)) = self.legs.first() else { return Ok(()) };
        if let Some((_, other)) = self.legs.iter().find(|(_, leg)| leg.market != first.market) {
            return Err(ExtReject::LegMarkets { first: first.market, other: other.market });
        }
        // at most 16 legs of 48 and 95 bits
        let lots: i64 = self.legs.iter().map(|(_, leg)| leg.lots).sum();
        let cash: i128 = self.legs.iter().map(|(_, leg)| leg.cash).sum();
        if lots != 0 || cash != 0 {
            return Err(ExtReject::NotMatched { lots, cash });
        }
        let crossing = |(party, leg): &(usize, Leg)| {
            let who = parties.get(*party)?.who();
            Some(Crossing { account: who.account, sub: who.sub, lots: leg.lots, cash: leg.cash })
        };
        let legs: Vec<_> = self.legs.iter().filter_map(crossing).collect();
        let market = MarketId::new(first.market as u8)?; // 8 bits
        let changes = margin.cross(log, time, market, &legs)?;
        for ((party, _), change) in self.legs.iter().zip(changes) {
            if let Some(party) = parties.get_mut(*party) {
                party.risk(change)?;
            }
        }
        Ok(())
    }
}

impl Approved {
    /// Notes what the leg changes of the limit of positions, which there must be.
    fn risk(&mut self, change: i128) -> Result<(), ExtReject> {
        let (account, sub) = (self.who().account, self.who().sub);
        let noted = self.change_of(Limited::Positions).ok_or(ExtReject::NoPositions { account, sub })?;
        *noted = Some(change); // one leg a party: it has one LEG cell
        Ok(())
    }
}
